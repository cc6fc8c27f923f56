package signatures

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func readRules(t *testing.T) []rule {
	t.Helper()
	files, err := Rules()
	if err != nil {
		t.Fatal(err)
	}
	var out []rule
	for _, f := range files {
		out = append(out, split(f)...)
	}
	if len(out) == 0 {
		t.Fatal("no rules")
	}
	return out
}

func TestRulesAreClean(t *testing.T) {
	files, err := Rules()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range LintAll(files) {
		t.Error(p)
	}
}

// TestLintFinds shows that the lint can fail, each time at the right line.
func TestLintFinds(t *testing.T) {
	files, err := Rules()
	if err != nil {
		t.Fatal(err)
	}
	good := files[0]
	if found := Lint(good); len(found) > 0 {
		t.Fatal(found)
	}
	head := ruleHead.FindStringIndex(good.Text)[0]
	line := strings.Count(good.Text[:head], "\n")
	cases := map[string]struct{ old, new, want string }{
		"meta":       {"        severity = ", "        gravity = ", "meta severity is"},
		"date":       {`date = "2026-`, `date = "2026-13-`, "meta date is"},
		"module":     {"rule ", "import \"pe\"\nrule ", "it imports pe"},
		"include":    {"rule ", "include \"x.yar\"\nrule ", "it includes"},
		"name":       {"rule MG_", "rule XX_", "is not named"},
		"expression": {"    strings:\n", "    strings:\n        $zz = /abcd.*efgh/\n", "has no upper bound"},
		"variable":   {"    condition:\n", "    condition:\n        mg_colour == 1 and\n", "mg_colour, which no scan defines"},
	}
	for name, c := range cases {
		bad := good
		bad.Text = good.Text[:head] + strings.Replace(good.Text[head:], c.old, c.new, 1)
		found := Lint(bad)
		if len(found) == 0 || !strings.Contains(strings.Join(found, "\n"), c.want) {
			t.Errorf("%s: %v, want %q", name, found, c.want)
			continue
		}
		var at int
		if _, err := fmt.Sscanf(strings.TrimPrefix(found[0], good.Name+":"), "%d:", &at); err != nil || at <= line || at > line+60 {
			t.Errorf("%s: line %d of %q is not within the first rule, which starts behind %d", name, at, found[0], line)
		}
	}
	if found := LintAll([]RuleFile{good, good}); !strings.Contains(strings.Join(found, "\n"), "share the id") {
		t.Errorf("the same file twice: %v", found)
	}
}

// Every rule has specimens on both sides, and every specimen belongs to a rule.
func TestSpecimens(t *testing.T) {
	folders := map[string]bool{}
	for _, r := range readRules(t) {
		folders[r.name] = true
		for _, side := range []string{"match", "nomatch"} {
			found, _ := filepath.Glob(filepath.Join("testdata", r.name, side+"*"))
			if len(found) == 0 {
				t.Errorf("%s has no specimen %s*", r.name, side)
			}
		}
	}
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && e.Name() != "fuzz" && e.Name() != "process" && !folders[e.Name()] {
			t.Errorf("testdata/%s belongs to no rule", e.Name())
		}
	}
}

// Specimens are inert: they are small, and the hosts in them do not exist or
// are a maker's own, as a decoy. Bare addresses are of the range for documents.
func TestSpecimensAreInert(t *testing.T) {
	links := regexp.MustCompile(`(?i)https?://([a-z0-9.-]+)`)
	own := []string{"zoom.us", "learn.microsoft.com", "support.zoom.com", "statics.teams.cdn.office.net", "www.apple.com",
		"203.0.113.4", "203.0.113.7", "203.0.113.9", "10.0.0.5", "intranet", "api.telegram.org"}
	err := filepath.WalkDir("testdata", func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(p, "fuzz") {
			return err
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		if len(data) > 64<<10 {
			t.Errorf("%s has %d bytes", p, len(data))
		}
		for _, m := range links.FindAllSubmatch(bytes.ReplaceAll(data, []byte{0}, nil), -1) {
			if h := strings.ToLower(string(m[1])); !strings.HasSuffix(h, ".invalid") && !slices.Contains(own, h) {
				t.Errorf("%s names the host %s", p, h)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSpecimenVariables(t *testing.T) {
	sidecars, _ := filepath.Glob("testdata/*/externals.yaml")
	if len(sidecars) == 0 {
		t.Fatal("no externals.yaml")
	}
	for _, p := range sidecars {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		var side map[string]map[string]any
		if err := yaml.Unmarshal(data, &side); err != nil {
			t.Errorf("%s: %v", p, err)
		}
		for file, vars := range side {
			if _, err := os.Stat(filepath.Join(filepath.Dir(p), file)); err != nil {
				t.Errorf("%s speaks of a specimen that is not there: %v", p, err)
			}
			for name, value := range vars {
				if want, ok := variables[name]; !ok || fmt.Sprintf("%T", want) != fmt.Sprintf("%T", value) {
					t.Errorf("%s: %s of %s is a %T, want a %T", p, name, file, value, want)
				}
			}
		}
	}
}
