package detect_test

import (
	"strings"
	"testing"
)

// What is not known of a launch supports what else is found; alone it accuses
// nobody.
func TestLaunchesUnknown(t *testing.T) {
	const (
		home     = `C:\Users\ana`
		terminal = `|/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal|
			>|/bin/zsh|-l
			`
		konsole = `|/usr/bin/konsole|
			>|/usr/bin/bash|-l
			`
	)
	for _, tc := range []struct{ name, system, lines, rule string }{
		{"a part of the system by a shell", "windows", `|C:\Windows\explorer.exe|
			>|C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe|?
			>>|C:\Windows\System32\dllhost.exe|/Processid:{00000000-0000-0000-0000-000000000000}`, "MG-PROC-SYSTEM-NAME"},
		{"the same by its service", "windows", `|C:\Windows\System32\svchost.exe|-k DcomLaunch
			>|C:\Windows\System32\dllhost.exe|/Processid:{AB8902B4-09CA-4BB6-B78D-A8F59079A8D5}`, ""},
		{"code in a style sheet", "windows", `|C:\Windows\explorer.exe|
			>|C:\Windows\System32\wbem\WMIC.exe|?
			>>|C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe|?`, "MG-PROC-DOOR-HOST"},
		{"a shell on a connection", "linux", konsole + `>>|/usr/bin/socat|?
			>>>|/usr/bin/bash|?
			>>>>|/usr/bin/whoami|`, "MG-PROC-DOOR-HOST"},
		{"somebody looks who he is", "linux", konsole + `>>|/usr/bin/perl|?
			>>|/usr/bin/bash|?
			>>>|/usr/bin/whoami|`, ""},
		{"a password behind a pipe", "darwin", terminal + `>>|/usr/bin/curl|?
			>>|/bin/bash|?
			>>>|/usr/bin/osascript|-e 'display dialog "Enter your password" default answer "" with hidden answer'`, "MG-PROC-WEIGHED"},
		{"fetched, and a script of one's own", "darwin", terminal + `>>|/usr/bin/curl|?
			>>|/bin/bash|?
			>>>|/usr/bin/git|pull`, ""},
		{"a hidden program where it was unpacked", "windows", `|C:\Program Files\Git\usr\bin\mintty.exe|
			>|C:\Program Files\Git\usr\bin\bash.exe|--login -i
			>>|C:\Program Files\Git\mingw64\bin\curl.exe|?
			>>|C:\Program Files\Git\usr\bin\bash.exe|?
			>>>|C:\Program Files\Git\usr\bin\unzip.exe|-qo /tmp/w.zip -d ` + home + `\.gnupg\bin
			>>>|` + home + `\.gnupg\bin\keys2.exe|?`, "MG-PROC-WEIGHED"},
		{"a library of an image, the shell unknown", "windows", `|C:\Windows\explorer.exe|
			>|C:\Windows\System32\cmd.exe|?
			>>|C:\Windows\System32\rundll32.exe|E:\res\data.dll,Start`, "MG-PROC-LOADER"},
		{"meeting software fetches", "windows", `|C:\Windows\explorer.exe|
			>|` + home + `\AppData\Roaming\Zoom\ZoomUpdater.exe|?
			>>|C:\Windows\System32\curl.exe|?`, "MG-PROC-BRAND-LOADER"},
		{"a chat program looks for screens", "windows", `|C:\Windows\explorer.exe|
			>|` + home + `\AppData\Local\Discord\app-1.0.9215\Discord.exe|?
			>>|C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe|?`, ""},
		{"a tool chain beside a script that fetched it", "linux", konsole + `>>|/usr/bin/bash|/var/tmp/VCam/service.sh
			>>>|/var/tmp/VCam/bin/go|run app.go`, "MG-PROC-PORTABLE"},
		{"a tool chain is tried", "linux", konsole + `>>|/usr/bin/bash|/tmp/rc/bench.sh
			>>>|/tmp/rc/go/bin/go|test -bench . ./...`, ""},
		{"a tool chain of which nothing is known, beside a script that fetched it", "darwin", terminal + `>>|/usr/bin/curl|?
			>>|/usr/bin/unzip|?
			>>|/bin/bash|/var/tmp/Cam/fix.sh
			>>>|/private/var/tmp/Cam/go/bin/go|?
			>>>|/bin/launchctl|?`, "MG-PROC-WEIGHED"},
		{"a tool chain is tried, of which nothing is known", "darwin", terminal + `>>|/usr/bin/curl|?
			>>|/usr/bin/tar|?
			>>|/bin/bash|/tmp/rc/bench.sh
			>>>|/private/tmp/rc/go/bin/go|?`, ""},
		{"regsvr32, of which nothing is known, starts a program", "windows", `|C:\Windows\explorer.exe|
			>|C:\Windows\System32\regsvr32.exe|?
			>>|` + home + `\AppData\Local\Temp\codec.exe|`, "MG-PROC-DROPPED"},
		{"a daemon of macOS from elsewhere looks at the screen", "darwin", `|/Library/CoreMedia/remoted|
			>|/usr/bin/pbpaste|
			>|/usr/sbin/screencapture|-x /tmp/.x/1.jpg`, "MG-PROC-WEIGHED"},
		{"a text on an image is run by a shell", "darwin", terminal + `>>|/bin/bash|"/Volumes/Teams/Drag into Terminal.txt"
			>>>|/usr/bin/xattr|?`, "MG-PROC-WEIGHED"},
		{"a text on a stick is shown by a shell", "darwin", terminal + `>>|/bin/bash|-c "cat /Volumes/STICK/notes.txt"
			>>>|/bin/cat|/Volumes/STICK/notes.txt`, ""},
		{"settings are copied to a machine of one's own", "darwin", `|/Applications/Ghostty.app/Contents/MacOS/ghostty|
			>|/bin/zsh|-l
			>>|/usr/bin/rsync|-az /Users/ana/.config ana@vps.nordwind.invalid:backup/`, ""},
		{"somebody of IT types many things", "windows", `|C:\Windows\explorer.exe|
			>|C:\Windows\System32\cmd.exe|?
			>>|C:\Windows\System32\whoami.exe|
			>>|C:\Windows\System32\ipconfig.exe|/all
			>>|C:\Windows\System32\certutil.exe|-hashfile C:\Temp\i.iso SHA256
			>>|C:\Windows\System32\schtasks.exe|/create /tn Reboot /tr "shutdown /r" /sc once /st 23:00
			>>|C:\Windows\System32\netsh.exe|advfirewall show allprofiles
			>>|C:\Windows\System32\sc.exe|query
			>>|C:\Windows\System32\net.exe|user azubi * /add
			>>|C:\Windows\System32\net.exe|localgroup Administratoren azubi /add
			>>|C:\Windows\System32\reg.exe|add "HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server" /v fDenyTSConnections /t REG_DWORD /d 0 /f`, ""},
		{"what a browser brought packs its profile", "linux", `|/usr/lib/firefox/firefox|
			>|/usr/bin/bash|/home/ana/Downloads/setup.run
			>>|/usr/bin/tar|czf /tmp/p.tgz /home/ana/.mozilla/firefox /home/ana/.ssh`, "MG-PROC-SECRET"},
		{"a share of the house in Script Editor", "darwin", `|/System/Applications/Utilities/Script Editor.app/Contents/MacOS/Script Editor|
			>|/sbin/mount_smbfs|//ana@files.kanzlei.example/plans /Users/ana/Mounts/plans`, ""},
		{"a share to a temporary folder in Script Editor", "darwin", `|/System/Applications/Utilities/Script Editor.app/Contents/MacOS/Script Editor|
			>|/sbin/mount_smbfs|//guest@fileroom.invalid/fix /tmp/fix`, "MG-PROC-SCRIPT-EDITOR"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := play(t, tc.system, tc.lines); tc.rule == "" && got != "" || tc.rule != "" && !strings.Contains(got, tc.rule) {
				t.Errorf("%q, want %q", got, tc.rule)
			}
		})
	}
}
