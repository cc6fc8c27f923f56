package script

import (
	"strings"
	"testing"
	"time"
)

// TestHostileShapes reads 256 KiB of each shape that makes a careless
// parser slow. What takes long shows in the log; the limits of the caller end
// what takes for ever.
func TestHostileShapes(t *testing.T) {
	fill := func(head, part string) string { return head + strings.Repeat(part, (1<<18)/len(part)) }
	shapes := map[string]struct{ file, text string }{
		"joined literals":     {"a.scpt", fill("do shell script \"x\"", "&\"a\"")},
		"nested parens":       {"a.ps1", fill("$x = ", "(\"a\"+")},
		"growing variable":    {"a.vbs", fill("x = \"a\"\n", "x = x & \"a\"\n")},
		"doubling variable":   {"a.sh", fill("a=xxxxxxxx\n", "a=$a$a\n")},
		"substitutions":       {"a.sh", fill("x=", "$(")},
		"backticks":           {"a.sh", fill("x=", "`a ")},
		"here-documents":      {"a.sh", fill("", "cat <<A\n")},
		"here-documents line": {"a.sh", fill("", "<<A ")},
		"quotes":              {"a.sh", fill("", "'a\"")},
		"percent":             {"a.bat", fill("", "%a")},
		"carets":              {"a.bat", fill("", "^a")},
		"fetches":             {"a.sh", fill("", "curl -o /tmp/ab https://a.invalid/b\n")},
		"variable fetches":    {"a.sh", fill("", "x=$(curl https://a.invalid/b)\n")},
		"long temp writes":    {"a.sh", fill("", "echo a > /tmp/abc\n")},
		"blanks":              {"a.scpt", "-- a" + strings.Repeat(" ", 1<<20) + "\ndo shell script \"a\""},
		"gaps":                {"a.scpt", fill("", strings.Repeat(" ", 210)+"a")},
		"lines":               {"a.scpt", fill("-- a", "\n") + "do shell script \"date\""},
		"tries":               {"a.scpt", fill("", "try\nend try\n")},
		"format":              {"a.ps1", fill("\"{0}\" -f ", "'a',")},
		"joins":               {"a.ps1", fill("$a=", "-join 'a' ")},
		"numbers":             {"a.js", fill("var a = new ActiveXObject(String.fromCharCode(", "97,") + "97))"},
		"nested loops":        {"a.js", fill("new ActiveXObject('WScript.Shell');var s='';", "for(var i=0;i<9999;i++){for(var j=0;j<9999;j++){s+=String.fromCharCode(i)}}\n")},
		"recursion":           {"a.js", fill("new ActiveXObject('WScript.Shell');function f(x){return f(x)+f(x);}\n", "f(String.fromCharCode(1));\n")},
		"deep expression":     {"a.vbs", fill("x = Chr(", "(1+")},
		"many functions":      {"a.js", fill("new ActiveXObject('WScript.Shell');\n", "function f(x){return String.fromCharCode(x);}f(65);\n")},
		"doubling loop":       {"a.vbs", fill("s = \"a\"\n", "For i = 1 To 99\ns = s & s\nNext\n")},
		"comprehensions":      {"a.py", fill("import os\nos.system(", "''.join(chr(c) for c in [1,2,3]),")},
		"batch loops":         {"a.bat", fill("set s=abc\r\n", "for %%i in (1 2 3 4 5 6 7 8 9) do call set c=%%c%%%%s:~%%i,1%%\r\n")},
		"arrays":              {"a.sh", fill("#!/bin/bash\n", "a=(a b c); ${a[*]}${a[1]}\n")},
		"aliases":             {"a.sh", fill("#!/bin/bash\n", "alias a='a a a a'; a\n")},
		"pipes":               {"a.sh", fill("#!/bin/sh\ncurl a.invalid/x ", "| cat ")},
		"evals":               {"a.sh", fill("", "eval \"echo a\"\n")},
		"nested eval":         {"a.sh", fill("", "eval eval eval ")},
		"base64":              {"a.py", "exec(\"" + strings.Repeat("QUJD", 1<<16) + "\")\nimport a\n"},
		"scripts":             {"a.hta", fill("<hta:application>", "<script>a</script>")},
		"comments":            {"a.js", fill("WScript.Echo(1);\n", "/*")},
		"urls":                {"a.sh", fill("#!/bin/sh\n", "://")},
		"compiled":            {"a.scpt", fill("FasdUAS 1.101.10", "\x11\x00\x01\x00\x02\x00a")},
		"calls in calls":      {"a.vbs", fill("", "Execute(")},
		"commands in calls":   {"a.scpt", fill("", "(do shell script ")},
		"tokens in a line":    {"a.js", fill("WScript.Echo(", "'a'+'a'+")},
		"compiled blanks":     {"a.scpt", fill("FasdUAS 1.101.10", "\x0d\x00\x01\x00\x03l\x00\x02\x00\x00\x00\x00")},
	}
	for name, s := range shapes {
		start := time.Now()
		if got, _ := Analyse(s.file, []byte(s.text)); got == nil {
			t.Errorf("%s: not taken for a script", name)
		}
		t.Logf("%4d ms: %s", time.Since(start).Milliseconds(), name)
	}
}
