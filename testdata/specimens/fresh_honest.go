package specimens

import "strings"

// freshHonest makes honest files that look like lures and are no plain texts;
// the texts lie in the folders benign/fresh-….
func (b *kit) freshHonest() {
	b.honestContainers()
	b.honestBundles()
	b.honestNeighbours()
}

func (b *kit) honestContainers() {
	box := func(platform, wrapper, language, name string, data []byte) {
		b.boxed("honest", platform, wrapper, "plain", language, name, data)
	}
	const system = `..\..\..\Windows\System32\`
	box("windows", "plain", "shortcut", "Audio settings.lnk", shellLink(system+"rundll32.exe", "shell32.dll,Control_RunDLL mmsys.cpl,,1", `%SystemRoot%\System32\mmsys.cpl`, "Sound"))
	box("windows", "plain", "shortcut", "Exchange shell.lnk", shellLink(system+`WindowsPowerShell\v1.0\powershell.exe`, "-NoExit -ExecutionPolicy Bypass -File C:\\Admin\\connect.ps1", `%SystemRoot%\System32\shell32.dll`, "Administration"))
	box("windows", "plain", "shortcut", "Microsoft Teams.lnk", shellLink(`..\..\Microsoft\WindowsApps\ms-teams.exe`, "", `%LOCALAPPDATA%\Microsoft\WindowsApps\ms-teams.exe`, "Microsoft Teams"))
	box("windows", "plain", "shortcut", "Room bookings.lnk", shellLink(`..\..\..\Program Files\Google\Chrome\Application\chrome.exe`, "--app=https://rooms.example-corp.com/", "", "Rooms"))
	box("macos", "pkg", "shell", "RoomLight-1.2.pkg", xarFile("org.example.roomlight", "#!/bin/sh\nlaunchctl bootstrap system /Library/LaunchDaemons/org.example.roomlight.plist\nexit 0\n"))
	box("macos", "pkg", "shell", "AudioRouter.pkg", xarFile("org.example.audiorouter", "#!/bin/bash\nkillall coreaudiod || true\n"))
	box("linux", "deb", "shell", "zoom-player_0.4_all.deb", debFile("zoom-player", "Debian Games Team <games@lists.example.org>", "#!/bin/sh\nset -e\nif [ \"$1\" = configure ]; then update-desktop-database -q || true; fi\n"))
	box("linux", "deb", "shell", "room-client_3.1_amd64.deb", debFile("room-client", "Example Corp <it@example-corp.com>", "#!/bin/sh\nset -e\nsystemctl daemon-reload || true\ndeb-systemd-invoke start room-client || true\n"))
	box("windows", "zip", "none", "zoom-sdk-sample.zip", zipItems(item{"sample/README.md", "# Meeting SDK sample\nnpm install && npm start\n"}, item{"sample/package.json", "{\"name\":\"sample\",\"scripts\":{\"start\":\"vite\"},\"dependencies\":{\"@zoom/meetingsdk\":\"^3.8.5\"}}\n"}))
	box("windows", "docx", "xml", "Minutes.docx", zipItems(item{"[Content_Types].xml", `<?xml version="1.0"?><Types/>`}, item{"word/document.xml", `<w:document xmlns:w="urn:x"><w:body><w:p><w:r><w:t>Minutes of the meeting</w:t></w:r></w:p></w:body></w:document>`},
		item{"word/_rels/document.xml.rels", `<Relationships><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink" Target="https://teams.microsoft.com/l/meetup-join/19%3a1/0" TargetMode="External"/></Relationships>`}))
	box("web", "zip", "javascript", "meeting-timer-extension.zip", zipItems(item{"manifest.json", "{\"manifest_version\":3,\"name\":\"Meeting timer\",\"version\":\"1\",\"permissions\":[\"storage\",\"alarms\"],\"background\":{\"service_worker\":\"b.js\"}}\n"}, item{"b.js", "chrome.alarms.create('m',{periodInMinutes:15});chrome.alarms.onAlarm.addListener(()=>chrome.action.setBadgeText({text:'!'}))\n"}))
	box("linux", "tar.gz", "shell", "talkd-1.8.2.tar.gz", gzipped(tarball(item{"talkd/install.sh", "#!/bin/sh\ninstall -m755 talkd /usr/local/bin/talkd\n"}, item{"talkd/talkd.service", "[Service]\nExecStart=/usr/local/bin/talkd serve\n"})))
	box("windows", "iso", "none", "drivers.iso", isoFile(item{"SETUP.BAT", "@pnputil /add-driver %~dp0*.inf /install\r\n"}, item{"README.TXT", "USB camera drivers\r\n"}))
	box("windows", "msix", "none", "RoomFinder.msix", zipItems(item{"AppxManifest.xml", `<?xml version="1.0"?><Package><Identity Name="ExampleCorp.RoomFinder" Publisher="CN=Example Corp" Version="2.0.0.0"/><Properties><DisplayName>Room Finder</DisplayName></Properties></Package>`}, item{"RoomFinder.exe", string(peFile(nil))}))
	box("windows", "plain", "none", "image-zoom-viewer-setup.exe", peFile([][2]string{{"CompanyName", "Open Source"}, {"ProductName", "Image Zoom Viewer"}, {"FileDescription", "Zooms into images"}}))
	box("windows", "plain", "none", "meeting-cost-timer.exe", peFile([][2]string{{"CompanyName", "Example GmbH"}, {"ProductName", "Meeting Cost Timer"}, {"FileDescription", "Counts what a meeting costs"}}))
	box("windows", "plain", "none", "portable-tools.exe", append(peFile(nil), zipItems(item{"tools/readme.txt", "portable tools\r\n"}, item{"tools/clean.bat", "@del /q %TEMP%\\*.tmp\r\n"})...))
	var f fasd
	f.begin()
	f.comment(" reconnects the room's speaker")
	f.call("sysoexec")
	f.text("/opt/homebrew/bin/blueutil --connect 00-11-22-33-44-55")
	f.call("sysodlog")
	f.text("Speaker connected")
	f.end()
	box("macos", "plain", "applescript", "Room Speaker.scpt", f.data)
}

func (b *kit) honestBundles() {
	app := func(name, id, executable string, program string, more ...Member) {
		b.bundle("honest", "app", "plain", "shell", name, append([]Member{{"Contents/Info.plist", infoPlist(id, strings.TrimSuffix(name, ".app"), executable), 0o644}, {"Contents/MacOS/" + executable, []byte(program), 0o755}}, more...))
	}
	app("Meet.app", "com.example.ssb.meet", "run", "#!/bin/sh\nexec '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome' --app=https://meet.google.com/\n")
	app("Room Display.app", "com.example-corp.roomdisplay", "run", "#!/bin/bash\ncd \"${0%/*}/../Resources\" && exec python3 -m http.server 8080 --bind 127.0.0.1\n", Member{"Contents/Resources/index.html", []byte("<h1>Room 3</h1>\n"), 0o644})
	app("Talk Desk.app", "org.talk.desk", "Electron", string(machoFile("talkdesk")), Member{"Contents/Resources/app/main.js", []byte("const {app,BrowserWindow}=require('electron');app.whenReady().then(()=>new BrowserWindow({width:900}).loadURL('https://meet.example-corp.com/'))\n"), 0o644})
	b.bundle("honest", "workflow", "plain", "shell", "Resize Images.workflow", []Member{{"Contents/document.wflow", []byte(plistHead + `<dict><key>actions</key><array><dict><key>action</key><dict><key>ActionParameters</key><dict><key>COMMAND_STRING</key><string>for f in "$@"; do sips -Z 1200 "$f"; done</string></dict></dict></dict></array></dict></plist>
`), 0o644}})
	b.bundle("honest", "scptd", "plain", "applescript", "Export Chat.scptd", []Member{{"Contents/Info.plist", infoPlist("org.example.exportchat", "Export Chat", ""), 0o644},
		{"Contents/Resources/Scripts/main.applescript", []byte("set f to choose file name default name \"chat.txt\"\ndo shell script \"pbpaste > \" & quoted form of POSIX path of f\n"), 0o644}})
}

// honestNeighbours stand close to single lures.
func (b *kit) honestNeighbours() {
	near := func(platform, language, name, text string) { b.lure("honest", platform, "plain", language, name, text) }
	near("windows", "batch", "update-tools.bat", "@echo off\nmsiexec /i https://aka.ms/vs/17/release/vc_redist.msi /qn\n")
	near("windows", "powershell", "Get-RoomMailbox.ps1", "Connect-ExchangeOnline\nGet-Mailbox -RecipientTypeDetails RoomMailbox | % { Get-CalendarProcessing $_.Identity } | Export-Csv rooms.csv\n")
	near("windows", "powershell", "Connect-Share.ps1", "$c = Get-Credential -Message 'Account for the file server of the meeting rooms'\nNew-PSDrive -Name R -PSProvider FileSystem -Root \\\\rooms.example-corp.com\\rec -Credential $c -Persist\n")
	near("windows", "powershell", "wsl-setup.ps1", "wsl --install -d Ubuntu\nwsl -e bash -c 'sudo apt-get update && sudo apt-get install -y ffmpeg'\n")
	near("windows", "powershell", "Clipboard-Upper.ps1", "Set-Clipboard ((Get-Clipboard -Raw).ToUpper())\n")
	near("windows", "powershell", "listen-status.ps1", "$c = New-Object Net.Sockets.TcpClient('rooms.example-corp.com', 1883)\nif ($c.Connected) { 'The panel server answers' }\n$c.Close()\n")
	near("windows", "vbscript", "start-room.vbs", "Set s = CreateObject(\"WScript.Shell\")\ns.Run \"\"\"C:\\Program Files\\ZoomRooms\\bin\\ZoomRooms.exe\"\"\", 1, False\n")
	near("windows", "vbscript", "wmi-list.vbs", "For Each p In GetObject(\"winmgmts:\\\\.\\root\\cimv2\").ExecQuery(\"Select * from Win32_SoundDevice\")\n WScript.Echo p.Name\nNext\n")
	near("windows", "jscript", "convert-minutes.js", "var w = new ActiveXObject('Word.Application'); var d = w.Documents.Open(WScript.Arguments(0)); d.SaveAs(WScript.Arguments(0).replace(/docx$/, 'pdf'), 17); d.Close(); w.Quit();\n")
	near("windows", "wsf", "rooms.wsf", "<job><script language=\"VBScript\">WScript.Echo \"Rooms: \" & CreateObject(\"Scripting.FileSystemObject\").GetFolder(\"C:\\Rooms\").SubFolders.Count</script></job>\n")
	near("windows", "ini", "webcam.inf", "[Version]\nSignature=\"$WINDOWS NT$\"\nClass=Camera\nProvider=%Mfg%\nCatalogFile=webcam.cat\n[Manufacturer]\n%Mfg%=Devices,NTamd64\n[Strings]\nMfg=\"Example Cameras\"\n")
	near("windows", "xml", "tool.csproj", "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><OutputType>Exe</OutputType></PropertyGroup><Target Name=\"Sign\" AfterTargets=\"Build\"><Exec Command=\"signtool sign /a $(TargetPath)\"/></Target></Project>\n")
	near("windows", "xml", "RoomFinder.appinstaller", "<?xml version=\"1.0\"?><AppInstaller Uri=\"https://apps.example-corp.com/RoomFinder.appinstaller\" Version=\"2.0.0.0\"><MainPackage Name=\"ExampleCorp.RoomFinder\" Publisher=\"CN=Example Corp\" Version=\"2.0.0.0\" Uri=\"https://apps.example-corp.com/RoomFinder.msix\"/></AppInstaller>\n")
	near("windows", "shortcut", "Recordings.url", "[InternetShortcut]\nURL=file://files.example-corp.com/recordings/\n")
	near("windows", "shortcut", "Recordings.library-ms", "<?xml version=\"1.0\"?><libraryDescription><searchConnectorDescriptionList><searchConnectorDescription><simpleLocation><url>\\\\files.example-corp.com\\recordings</url></simpleLocation></searchConnectorDescription></searchConnectorDescriptionList></libraryDescription>\n")
	near("macos", "shell", "update-pip.command", "#!/bin/bash\npython3 -m pip install --upgrade --index-url https://pypi.example-corp.com/simple corp-meeting-tools\n")
	near("macos", "shell", "brew-tap.command", "#!/bin/bash\nbrew tap example-corp/tools git@git.example-corp.com:it/homebrew-tools.git\nbrew install --cask example-corp/tools/room-light\n")
	near("macos", "shell", "sync-notes.command", "#!/bin/zsh\nrsync -a ~/Documents/Minutes/ anna@nas.example-corp.com:minutes/\n")
	near("macos", "shell", "ssh-room.command", "#!/bin/bash\nssh -t rooms@room3.example-corp.com 'sudo systemctl restart room-client'\n")
	near("macos", "shell", "open-dmg.command", "#!/bin/bash\n# mounts our own disk image and copies the program\nhdiutil attach -nobrowse -quiet \"$1\" && cp -R /Volumes/RoomLight/RoomLight.app /Applications && hdiutil detach -quiet /Volumes/RoomLight\n")
	near("macos", "shell", "rot13.command", "#!/bin/sh\n# the riddle of the team's newsletter\necho 'Jr zrrg ng abba' | tr 'A-Za-z' 'N-ZA-Mn-za-m'\n")
	near("macos", "shell", "unpack-logo.command", "#!/bin/bash\nsed '1,/^#__LOGO__/d' \"$0\" | base64 -D > ~/Desktop/logo.png\nexit\n#__LOGO__\niVBORw0KGgo=\n")
	near("macos", "shell", "docker-bot.command", "#!/bin/bash\ndocker run --rm -it -v \"$PWD:/work\" registry.example-corp.com/meeting-bot:2.1 --join \"$1\"\n")
	near("macos", "shell", "launchagent.command", "#!/bin/bash\ncp com.example-corp.presence.plist ~/Library/LaunchAgents/\nlaunchctl bootstrap gui/$UID ~/Library/LaunchAgents/com.example-corp.presence.plist\n")
	near("macos", "applescript", "Terminal Logs.applescript", "tell application \"Terminal\"\n\tdo script \"log stream --predicate 'subsystem == \\\"com.apple.coreaudio\\\"'\"\n\tactivate\nend tell\n")
	near("macos", "applescript", "Window Grid.applescript", "use framework \"AppKit\"\nuse scripting additions\nset s to current application's NSScreen's mainScreen()'s visibleFrame()\ntell application \"System Events\" to set position of window 1 of process \"zoom.us\" to {0, 25}\n")
	near("macos", "jxa", "tabs.jxa", "const c = Application('Google Chrome')\nc.windows().flatMap(w => w.tabs().map(t => t.url())).filter(u => u.startsWith('https://meet.google.com/')).join('\\n')\n")
	near("web", "html", "device-code.html", "<!doctype html><title>Room panel</title><h1>Code: F7KQ-2M9D</h1><p>Open <a href=\"https://microsoft.com/devicelogin\">microsoft.com/devicelogin</a> on your phone to sign this panel in.</p>\n")
	near("web", "html", "export.html", "<!doctype html><button id=b>Save minutes</button><script>b.onclick=()=>{const a=document.createElement('a');a.href=URL.createObjectURL(new Blob([document.body.innerText],{type:'text/plain'}));a.download='minutes.txt';a.click()}</script>\n")
	near("web", "html", "login.html", "<!doctype html><title>Sign in</title><form action=\"/login\" method=post><input name=user><input type=password name=pw><button>Sign in to the meeting portal</button></form>\n")
	near("web", "eml", "attached-notes.eml", "From: ben@example-corp.com\nTo: anna@example-corp.com\nSubject: notes\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nNotes of our Zoom call.\n--b\nContent-Type: text/plain; name=\"notes.txt\"\nContent-Disposition: attachment; filename=\"notes.txt\"\nContent-Transfer-Encoding: base64\n\n"+b64("We agreed to meet again.\n")+"\n--b--\n")
	near("linux", "ini", "gnome-call.desktop", "[Desktop Entry]\nType=Application\nName=Call\nExec=bash -c \"xdg-open https://meet.example-corp.com/r/$USER\"\nIcon=call-start\n")
	near("linux", "shell", "apt-corp.sh", "#!/bin/sh\ncurl -fsSL https://apt.example-corp.com/key.asc | sudo tee /etc/apt/keyrings/corp.asc >/dev/null\necho 'deb [signed-by=/etc/apt/keyrings/corp.asc] https://apt.example-corp.com stable main' | sudo tee /etc/apt/sources.list.d/corp.list\nsudo apt-get update && sudo apt-get install -y room-client\n")
	near("linux", "python", "crontab_rooms.py", "import subprocess\n# mails the room plan at seven\njob = '0 7 * * 1-5 /usr/local/bin/roomplan --mail\\n'\nold = subprocess.run(['crontab', '-l'], capture_output=True, text=True).stdout\nif job not in old:\n    subprocess.run(['crontab', '-'], input=old + job, text=True, check=True)\n")
}
