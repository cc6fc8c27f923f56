package signatures_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"meetguard/internal/sigma"
	"meetguard/signatures"
)

func TestLaunchRulesKeepTheirLaws(t *testing.T) {
	files, err := signatures.LaunchRules()
	if err != nil || len(files) < 30 {
		t.Fatalf("%d rules, %v", len(files), err)
	}
	for _, text := range signatures.LintLaunchRules(files) {
		t.Error(text)
	}
	var sources []sigma.Source
	for _, f := range files {
		sources = append(sources, sigma.Source{Name: f.Name, Text: f.Text})
	}
	rules, problems := sigma.Load(sources)
	for _, p := range problems {
		t.Error(p)
	}
	for _, r := range rules.List() {
		for _, field := range r.Fields {
			if !sigma.Known(field) {
				t.Errorf("%s asks for %s, which no launch has", r.ID, field)
			}
		}
		if _, err := os.Stat(filepath.Join("testdata", "process", r.ID+".jsonl")); err != nil {
			t.Errorf("%s has no recorded launches: %v", r.ID, err)
		}
	}
	if n, _ := filepath.Glob("testdata/process/*"); len(n) != len(files) {
		t.Errorf("%d files of recorded launches for %d rules", len(n), len(files))
	}
}

func TestLaunchLintSpeaks(t *testing.T) {
	files, err := signatures.LaunchRules()
	if err != nil {
		t.Fatal(err)
	}
	good := files[slices.IndexFunc(files, func(f signatures.RuleFile) bool { return strings.Contains(f.Text, "level: high") })]
	for _, tc := range []struct{ old, new, want string }{
		{"author: meetguard", "author: somebody", "author is"},
		{"date: 2026-11-22", "date: 2026-13-40", "out of range"},
		{"status: stable", "status: great", "status is"},
		{"author: meetguard", "author: meetguard\nflavour: x", "flavour not found"},
		{"MG-L-04", "MG-L-01", "is for product"},
		{"none known", "everything", "medium at most"},
	} {
		bad := good
		bad.Text = strings.Replace(good.Text, tc.old, tc.new, 1)
		if got := strings.Join(signatures.LintLaunchRules([]signatures.RuleFile{bad}), "\n"); !strings.Contains(got, tc.want) {
			t.Errorf("%s: the lint says %q, want %q", tc.new, got, tc.want)
		}
	}
	if got := strings.Join(signatures.LintLaunchRules([]signatures.RuleFile{good, good}), "\n"); !strings.Contains(got, "the same name or id") {
		t.Errorf("twice one rule: the lint says %q", got)
	}
}
