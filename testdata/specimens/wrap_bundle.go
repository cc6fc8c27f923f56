package specimens

import (
	"encoding/base64"
	"html"
	"mime"
	"path"
	"strings"
)

// appletOf puts an AppleScript into an application that runs it, or a shell
// script into one whose program it is.
func appletOf(e entry, name string) []Member {
	if isShellText(e.data) {
		return []Member{{"Contents/Info.plist", infoPlist("com.apple.ScriptEditor.id.update", name, "run"), 0o644}, {"Contents/MacOS/run", e.data, 0o755}}
	}
	return []Member{
		{"Contents/Info.plist", infoPlist("com.apple.ScriptEditor.id.update", name, "applet"), 0o644},
		{"Contents/MacOS/applet", machoFile("applet"), 0o755},
		{"Contents/Resources/Scripts/main.scpt", e.data, 0o644},
	}
}

// scriptBundle is a .scptd folder around an AppleScript.
func scriptBundle(e entry, name string) []Member {
	return []Member{
		{"Contents/Info.plist", infoPlist("com.apple.ScriptEditor.id.update", name, ""), 0o644},
		{"Contents/Resources/Scripts/main.scpt", e.data, 0o644},
	}
}

// mailOf makes a mail with an attachment, in the words of an invitation.
func mailOf(e entry) []byte {
	const edge = "=_inert_lure_boundary"
	body := base64.StdEncoding.EncodeToString(e.data)
	var folded strings.Builder
	for i := 0; i < len(body); i += 76 {
		folded.WriteString(body[i:min(i+76, len(body))] + "\r\n")
	}
	name := mime.QEncoding.Encode("utf-8", e.name)
	return []byte("From: Alex <alex@partner.invalid>\r\nTo: you@company.invalid\r\nSubject: Our call today\r\nDate: Thu, 01 Jan 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/mixed; boundary=\"" + edge + "\"\r\n\r\n--" + edge + "\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHi, please open the attached update before we start.\r\n\r\n--" + edge +
		"\r\nContent-Type: application/octet-stream; name=\"" + name + "\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"" + name + "\"\r\n\r\n" +
		folded.String() + "--" + edge + "--\r\n")
}

// msixOf makes an unsigned app package that starts the first entry.
func msixOf(list []entry, name string) []byte {
	start := html.EscapeString(strings.ReplaceAll(list[0].name, "/", `\`))
	manifest := lines(`<?xml version="1.0" encoding="utf-8"?>`, `<Package xmlns="http://schemas.microsoft.com/appx/manifest/foundation/windows10">`,
		`<Identity Name="Meeting.`+name+`" Publisher="CN=Meeting Support" Version="1.0.0.0"/>`,
		`<Properties><DisplayName>`+name+`</DisplayName><PublisherDisplayName>Meeting Support</PublisherDisplayName><Logo>logo.png</Logo></Properties>`,
		`<Applications><Application Id="App" Executable="`+start+`" EntryPoint="Windows.FullTrustApplication"/></Applications>`, `</Package>`)
	types := lines(`<?xml version="1.0" encoding="utf-8"?>`, `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="text/xml"/></Types>`)
	all := append([]entry{{"AppxManifest.xml", []byte(manifest), 0o644}}, list...)
	return zipOf(append(all, entry{"[Content_Types].xml", []byte(types), 0o644}), 8)
}

// extractor puts an archive behind a program, with the directives that 7-Zip's
// installer module reads before it.
func extractor(archive []byte, e entry) []byte {
	out := peFile([][2]string{{"FileDescription", "Setup"}, {"ProductName", "Setup"}, {"OriginalFilename", "setup.exe"}})
	if archive[0] == '7' {
		out = append(out, ";!@Install@!UTF-8!\r\nTitle=\"Update\"\r\nRunProgram=\""+sfxCommand(e.name)+"\"\r\n;!@InstallEnd@!"...)
	}
	return append(out, archive...)
}

func sfxCommand(name string) string {
	switch path.Ext(name) {
	case ".ps1":
		return "powershell -ep bypass -w hidden -f " + name
	case ".vbs", ".js", ".jse":
		return "wscript //B " + name
	}
	return name
}
