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
		"pipes":               {"a.sh", fill("#!/bin/sh\ncurl a.invalid/x ", "| cat ")},
		"evals":               {"a.sh", fill("", "eval \"echo a\"\n")},
		"nested eval":         {"a.sh", fill("", "eval eval eval ")},
		"base64":              {"a.py", "exec(\"" + strings.Repeat("QUJD", 1<<16) + "\")\nimport a\n"},
		"scripts":             {"a.hta", fill("<hta:application>", "<script>a</script>")},
		"comments":            {"a.js", fill("WScript.Echo(1);\n", "/*")},
		"urls":                {"a.sh", fill("#!/bin/sh\n", "://")},
		"compiled":            {"a.scpt", fill("FasdUAS 1.101.10", "\x11\x00\x01\x00\x02\x00a")},
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
