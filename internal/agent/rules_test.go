package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"meetguard/internal/yarascan"
	"meetguard/signatures"
)

// TestRulesOnTheirSpecimens: every YARA rule compiles without a warning, has a
// specimen that it matches and one that it does not.
func TestRulesOnTheirSpecimens(t *testing.T) {
	files, err := signatures.Rules()
	if err != nil {
		t.Fatal(err)
	}
	bySet := map[string][]yarascan.Source{}
	for _, f := range files {
		src := yarascan.Source{Name: f.Name, Text: f.Text}
		bySet[f.Set] = append(bySet[f.Set], src)
		if _, warnings, err := yarascan.Check(src, declared); err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v %v", f.Name, warnings, err)
		}
	}
	for set, sources := range bySet {
		rules, err := yarascan.Compile(sources, declared)
		if err != nil {
			t.Fatal(err)
		}
		scanner, err := rules.NewScanner(10 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range rules.List() {
			t.Run(set+"/"+rule.Name, func(t *testing.T) { trySpecimens(t, scanner, rule.Name) })
		}
	}
}

func trySpecimens(t *testing.T, scanner *yarascan.Scanner, rule string) {
	dir := filepath.Join("../../signatures/testdata", rule)
	specimens, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	vars := map[string]map[string]any{}
	if text, err := os.ReadFile(filepath.Join(dir, "externals.yaml")); err == nil {
		if err := yaml.Unmarshal(text, &vars); err != nil {
			t.Fatal(err)
		}
	}
	matched, passed := 0, 0
	for _, s := range specimens {
		if s.Name() == "externals.yaml" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, s.Name()))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.HasPrefix(s.Name(), "match")
		if got := matches(t, scanner, rule, data, variables(s.Name(), data, vars[s.Name()])); got != want {
			t.Errorf("%s: matched %v, want %v", s.Name(), got, want)
		}
		if want {
			matched++
		} else {
			passed++
		}
	}
	if matched == 0 || passed == 0 {
		t.Errorf("%d specimens to match and %d to pass over; one of each is needed", matched, passed)
	}
}

func variables(name string, data []byte, given map[string]any) yarascan.Externals {
	v := yarascan.Externals{}
	for k, zero := range declared {
		v[k] = zero
	}
	v["mg_name"], v["mg_ext"], v["mg_size"], v["mg_signature"] = strings.ToLower(name), nameExt(name), len(data), "unknown"
	for k, x := range given {
		v[k] = x
	}
	return v
}

func matches(t *testing.T, scanner *yarascan.Scanner, rule string, data []byte, vars yarascan.Externals) bool {
	t.Helper()
	found, err := scanner.Scan(data, vars)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range found {
		if m.Rule == rule {
			return true
		}
	}
	return false
}
