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
	"time"

	"go.yaml.in/yaml/v3"
)

// rule is what the lint reads of one YARA rule. Compiling is the business of
// another package's test; this one holds what the compiler does not care about.
type rule struct {
	set, file, name string
	meta            map[string]string
	body            string // from strings: on
}

var (
	ruleHead = regexp.MustCompile(`(?m)^(?:private |global )*rule ([A-Za-z0-9_]+)`)
	metaLine = regexp.MustCompile(`(?m)^ {8}([a-z_]+) = "((?:[^"\\]|\\.)*)"$`)
	imported = regexp.MustCompile(`(?m)^\s*import\s+"([a-z]+)"`)
	included = regexp.MustCompile(`(?m)^\s*include\s`)
)

func readRules(t *testing.T) []rule {
	t.Helper()
	files, err := Rules()
	if err != nil {
		t.Fatal(err)
	}
	var out []rule
	for _, f := range files {
		heads := ruleHead.FindAllStringSubmatchIndex(f.Text, -1)
		for i, h := range heads {
			end := len(f.Text)
			if i+1 < len(heads) {
				end = heads[i+1][0]
			}
			text := f.Text[h[0]:end]
			meta, body, ok := strings.Cut(text, "    strings:\n")
			if !ok {
				t.Errorf("%s in %s has no strings", f.Text[h[2]:h[3]], f.Name)
			}
			r := rule{f.Set, f.Name, f.Text[h[2]:h[3]], map[string]string{}, body}
			for _, m := range metaLine.FindAllStringSubmatch(meta, -1) {
				r.meta[m[1]] = m[2]
			}
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		t.Fatal("no rules")
	}
	return out
}

// metaForms are the metadata that every rule carries, and nothing else.
var metaForms = map[string]*regexp.Regexp{
	"id":              regexp.MustCompile(`^MG-Y-\d{4}$`),
	"author":          regexp.MustCompile(`^meetguard$`),
	"date":            regexp.MustCompile(`^\d{4}-\d\d-\d\d$`),
	"description":     regexp.MustCompile(`^[A-Z].{20,200}[^.]$`),
	"reference":       regexp.MustCompile(`^.{10,}$`),
	"severity":        regexp.MustCompile(`^(info|low|medium|high|critical)$`),
	"technique":       regexp.MustCompile(`^T\d{4}(\.\d{3})?$`),
	"false_positives": regexp.MustCompile(`^.{5,}$`),
	"family":          regexp.MustCompile(`^(generic|[A-G]\d{0,2}(,[A-G]\d{0,2})*)$`),
}

func TestRuleMetadata(t *testing.T) {
	ids, names := map[string]string{}, map[string]bool{}
	for _, r := range readRules(t) {
		for key, form := range metaForms {
			if !form.MatchString(r.meta[key]) {
				t.Errorf("%s: meta %s is %q, want %s", r.name, key, r.meta[key], form)
			}
		}
		for key := range r.meta {
			if metaForms[key] == nil {
				t.Errorf("%s: meta %s is not known", r.name, key)
			}
		}
		if _, err := time.Parse(time.DateOnly, r.meta["date"]); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
		if other := ids[r.meta["id"]]; other != "" {
			t.Errorf("%s and %s share the id %s", other, r.name, r.meta["id"])
		}
		if names[r.name] {
			t.Errorf("%s stands there twice", r.name)
		}
		ids[r.meta["id"]], names[r.name] = r.name, true
		if !regexp.MustCompile(`^MG(_[A-Z][A-Za-z]+){2}$`).MatchString(r.name) {
			t.Errorf("%s is not named MG_<Family>_<What>", r.name)
		}
	}
}

// Modules cost every file of a set time, so only the sets whose files they can
// read may have them; what this build of libyara lacks may not be used at all.
func TestRuleModules(t *testing.T) {
	files, err := Rules()
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string][]string{"pe": {"pe"}, "macho": {"macho"}}
	for _, f := range files {
		for _, m := range imported.FindAllStringSubmatch(f.Text, -1) {
			if !slices.Contains(allowed[f.Set], m[1]) {
				t.Errorf("%s imports %s, which the set %s may not", f.Name, m[1], f.Set)
			}
		}
		if included.MatchString(f.Text) {
			t.Errorf("%s includes another file: a set is compiled from memory", f.Name)
		}
		for _, gone := range []string{"pe.signatures", "pe.number_of_signatures", "pe.is_signed"} {
			if strings.Contains(f.Text, gone) {
				t.Errorf("%s uses %s, which is built without", f.Name, gone)
			}
		}
	}
}

// An unbounded repetition of "any character" can cost a whole file for one hit.
var unbounded = regexp.MustCompile(`(\.|\])[*+]|\{\d+,\}`)

func TestRuleExpressionsAreBounded(t *testing.T) {
	regexLine := regexp.MustCompile(`^\s*\$[a-z0-9_]+ = /(.*)/`)
	for _, r := range readRules(t) {
		for line := range strings.Lines(r.body) {
			m := regexLine.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			for _, hit := range unbounded.FindAllString(m[1], -1) {
				if !strings.HasPrefix(hit, "]") || !shortClassRepeat(m[1]) {
					t.Errorf("%s: %q in %s has no upper bound", r.name, hit, strings.TrimSpace(line))
				}
			}
		}
	}
}

// shortClassRepeat allows a run of blanks: "[ \t]*" ends at the next sign.
func shortClassRepeat(expr string) bool {
	return !unbounded.MatchString(strings.ReplaceAll(expr, `[ \t]*`, ""))
}

// variables are the external variables of a scan, with their types.
var variables = map[string]any{
	"mg_name": "", "mg_ext": "", "mg_origin": "", "mg_signature": "", "mg_language": "", "mg_traits": "",
	"mg_size": 0, "mg_blank_run": 0, "mg_concat": 0, "mg_layers": 0, "mg_fetches": 0, "mg_pretexts": 0,
	"mg_code_after": false, "mg_fetch_run": false, "mg_cradles": "",
}

func TestRuleVariables(t *testing.T) {
	used := regexp.MustCompile(`\bmg_[a-z_]+\b`)
	for _, r := range readRules(t) {
		for _, v := range used.FindAllString(r.body, -1) {
			if _, ok := variables[v]; !ok {
				t.Errorf("%s uses %s, which no scan defines", r.name, v)
			}
		}
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
		if e.IsDir() && e.Name() != "fuzz" && !folders[e.Name()] {
			t.Errorf("testdata/%s belongs to no rule", e.Name())
		}
	}
}

// Specimens are inert: they are small, and the hosts in them do not exist or
// are a maker's own, as a decoy.
func TestSpecimensAreInert(t *testing.T) {
	links := regexp.MustCompile(`(?i)https?://([a-z0-9.-]+)`)
	own := []string{"zoom.us", "learn.microsoft.com", "support.zoom.com", "statics.teams.cdn.office.net", "www.apple.com"}
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
