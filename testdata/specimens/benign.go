package specimens

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// honest holds scripts as administrators, developers and users write them. They
// were written for this evaluation, on purpose close to what lures do: they
// fetch and run, ask for passwords, speak of Zoom, unpack base64.
//
//go:embed benign
var honest embed.FS

// Benign makes every honest specimen: the scripts of the folder benign, and
// programs, compiled scripts and archives like those of the lures.
func Benign() []Specimen {
	var b kit
	b.honestScripts()
	b.honestPrograms()
	b.honestShapes()
	b.freshHonest()
	return b.list
}

func (b *kit) honestScripts() {
	err := fs.WalkDir(honest, "benign", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := honest.ReadFile(p)
		if err != nil {
			return err
		}
		b.script(path.Base(path.Dir(p)), platformOf(p), languageOf(p), "plain", path.Base(p), string(data))
		return nil
	})
	if err != nil {
		panic(err) // the files are inside the program
	}
}

func platformOf(p string) string {
	switch path.Base(path.Dir(p)) {
	case "mac-it", "apple", "deploy-mac":
		return "macos"
	case "win-it", "win-wsh", "deploy-win":
		return "windows"
	}
	return "linux"
}

func languageOf(p string) string {
	ext := strings.TrimPrefix(path.Ext(p), ".")
	if l := map[string]string{"sh": "shell", "command": "shell", "zsh": "shell", "ps1": "powershell", "bat": "batch", "cmd": "batch", "vbs": "vbscript", "py": "python"}[ext]; l != "" {
		return l
	}
	if ext == "" {
		return "text"
	}
	return ext
}

// honestPrograms are unsigned programs that hold a brand's name in passing, or
// none.
func (b *kit) honestPrograms() {
	for _, name := range []string{"ZoomIt-portable-docs.exe", "TeamSpeak3-Client-win64.exe", "ZoomPlayerMAX.exe", "steam_setup.exe", "webextension-helper.exe", "Krisp for Zoom.exe", "obs-studio-setup.exe", "meetup-exporter.exe"} {
		b.program("programs", "windows", "plain", name, peFile(nil))
	}
	b.program("programs", "windows", "plain", "recorder.exe", peFile([][2]string{{"CompanyName", "Example Ltd"}, {"FileDescription", "Records meetings of Zoom and Teams"}, {"ProductName", "Meeting Recorder"}, {"OriginalFilename", "recorder.exe"}}))
	b.program("programs", "windows", "plain", "handy.exe", peFile([][2]string{{"CompanyName", "ZOOM Corporation"}, {"FileDescription", "Audio driver for Handy Recorder"}, {"ProductName", "ZOOM H6 Audio Driver"}}))
	for _, a := range []struct{ folder, id, name string }{{"MeetingBar.app", "leits.MeetingBar", "MeetingBar"}, {"ZoomHider.app", "com.lowtechguys.ZoomHider", "ZoomHider"}, {"MyTool.app", "com.example.mytool", "MyTool"}} {
		b.list = append(b.list, Specimen{Name: a.folder, Family: "programs", Platform: "macos", Wrapper: "app", Obfuscation: "plain", Language: "none", Mode: 0o755, Members: []Member{
			{"Contents/Info.plist", infoPlist(a.id, a.name, a.name), 0o644},
			{"Contents/MacOS/" + a.name, machoFile(a.id), 0o755},
		}})
	}
	b.program("programs", "macos", "plain", "mytool", machoFile(""))
	b.program("programs", "windows", "plain", "Notepad.lnk", shellLink(`..\..\..\Windows\System32\notepad.exe`, `C:\notes\today.txt`, `%SystemRoot%\System32\notepad.exe`, "Notes"))
	b.program("programs", "windows", "plain", "Backup.lnk", shellLink(`..\..\..\Windows\System32\cmd.exe`, `/c C:\Tools\backup.bat`, `%SystemRoot%\System32\shell32.dll`, "Backup"))
	b.program("programs", "windows", "plain", "Zoom.lnk", shellLink(`..\..\AppData\Roaming\Zoom\bin\Zoom.exe`, `--url=zoommtg://zoom.us/join?confno=5551234567`, `%APPDATA%\Zoom\bin\Zoom.exe`, "Zoom"))
}

// honestShapes have one mark of a lure each, and a reason for it.
func (b *kit) honestShapes() {
	var f fasd // a compiled script that mutes Zoom
	f.begin()
	f.comment(" mutes the running Zoom meeting")
	f.blank(4)
	f.text("zoom.us")
	f.text("Mute audio")
	f.call("sysodlog")
	f.text("Muted")
	f.end()
	b.program("shapes", "macos", "plain", "Mute Zoom.scpt", f.data)
	f = fasd{} // one that asks a service on the network
	f.begin()
	f.comment(" weather")
	f.call("sysoexec")
	f.text("curl -s https://api.weather.example.com/v1/today")
	f.end()
	b.program("shapes", "macos", "plain", "Weather.scpt", f.data)

	b.script("shapes", "linux", "text", "blank lines", "form.txt", "Name:"+strings.Repeat("\n", 200)+"Signature: please press print\n")
	b.script("shapes", "linux", "shell", "blank lines", "stub.sh", "#!/bin/sh\n# generated\n"+strings.Repeat("\n", 120)+"exec /usr/bin/app \"$@\"\n")
	b.script("shapes", "linux", "python", "base64", "icon.py", "ICON = \"\"\"\n"+b64(strings.Repeat("PNG data of an icon ", 60))+"\n\"\"\"\nimport base64\nopen('icon.png', 'wb').write(base64.b64decode(ICON))\n")
	b.script("shapes", "windows", "vbscript", "Chr", "letter.vbs", "s = \"Dear \" & Chr(34) & \"Sir\" & Chr(34) & Chr(13) & Chr(10) & \"Regards\" & Chr(13) & Chr(10) & Chr(9) & \"me\"\r\nMsgBox s\r\n")
	var keys strings.Builder
	for i := range 40 {
		fmt.Fprintf(&keys, "set \"K%d=%d\"\r\n", i, i*i)
	}
	b.script("shapes", "windows", "batch", "set pieces", "table.bat", "@echo off\r\n"+keys.String()+"echo %K1%%K2%%K3%%K4%%K5%\r\n")
	for _, s := range b.list[:6] {
		z := s
		z.Family, z.Wrapper, z.Name, z.Data, z.Mode, z.Members = "archives", "zip", strings.TrimSuffix(s.Name, path.Ext(s.Name))+".zip", pack(s, "scripts/"), 0o644, nil
		b.list = append(b.list, z)
	}
}
