package docs_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"meetguard/internal/config"
	"meetguard/internal/detect"
	"meetguard/signatures"
)

var (
	reHeading = regexp.MustCompile(`(?m)^## (\S+)$`)
	reRule    = regexp.MustCompile(`(?ms)^(?:private |global )*rule (\w+).*?^\s*meta:(.*?)^\s*(?:strings|condition):`)
	reMeta    = regexp.MustCompile(`(?m)^\s*(\w+) = "([^"]*)"`)
)

// facets is what every section tells, each in one line of its own.
var facets = []string{"- **Sees:** ", "- **Why:** ", "- **False positives:** ", "- **Do:** "}

// grades gives, for every rule of the product, the line that stands below its
// heading.
func grades(t *testing.T) map[string]string {
	t.Helper()
	want := map[string]string{}
	add := func(id, line string) {
		if want[id] != "" {
			t.Errorf("two rules are called %s", id)
		}
		want[id] = line
	}
	for _, r := range detect.Rules() {
		add(r.ID, fmt.Sprintf("`Weight %d · %s`", r.Weight, r.Technique))
	}
	files, err := signatures.Rules()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		found := reRule.FindAllStringSubmatch(f.Text, -1)
		if n := strings.Count(f.Text, "\nrule "); n != len(found) {
			t.Errorf("%s: %d rules, but %d could be read", f.Name, n, len(found))
		}
		for _, m := range found {
			meta := map[string]string{}
			for _, kv := range reMeta.FindAllStringSubmatch(m[2], -1) {
				meta[kv[1]] = kv[2]
			}
			add(meta["id"], fmt.Sprintf("`Severity %s · %s`", meta["severity"], meta["technique"]))
		}
	}
	return want
}

// sections cuts detections.md at its headings of the second level.
func sections(t *testing.T) map[string]string {
	t.Helper()
	text := read(t, "detections.md")
	at := reHeading.FindAllStringSubmatchIndex(text, -1)
	out := map[string]string{}
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		id := text[m[2]:m[3]]
		if _, twice := out[id]; twice {
			t.Errorf("two sections are called %s", id)
		}
		out[id] = text[m[1]:end]
	}
	return out
}

func TestEveryRuleHasItsSection(t *testing.T) {
	want, have := grades(t), sections(t)
	if len(want) < 50 {
		t.Fatalf("only %d rules were found: this test does not see them", len(want))
	}
	for id, line := range want {
		body, ok := have[id]
		if !ok {
			t.Errorf("%s has no section in detections.md", id)
			continue
		}
		if got, _, _ := strings.Cut(strings.TrimLeft(body, "\n"), "\n"); got != line {
			t.Errorf("%s: the section says %s, the rule %s", id, got, line)
		}
		for _, f := range facets {
			if n := strings.Count(body, "\n"+f); n != 1 {
				t.Errorf("%s: %d lines begin with %q, want 1", id, n, f)
			}
		}
	}
	for id := range have {
		if want[id] == "" {
			t.Errorf("detections.md has a section %s, and no rule is called so", id)
		}
	}
}

// TestLoneWeightsAreTold holds "Alone it never alarms" to the threshold of 40,
// from which a score is suspicious.
func TestLoneWeightsAreTold(t *testing.T) {
	const suspiciousFrom = 40
	have := sections(t)
	for id, line := range grades(t) {
		var weight int
		var severity string
		if _, err := fmt.Sscanf(line, "`Weight %d", &weight); err != nil {
			if _, err := fmt.Sscanf(line, "`Severity %s", &severity); err != nil {
				t.Fatalf("%s: no weight in %s", id, line)
			}
			weight = detect.MatchWeight(map[string]string{"severity": severity})
		}
		if strings.Contains(have[id], "Alone it never alarms") && weight >= suspiciousFrom {
			t.Errorf("%s weighs %d and alarms alone", id, weight)
		}
	}
}

// TestReadmeNamesEveryKey holds the table of the README to the configuration.
func TestReadmeNamesEveryKey(t *testing.T) {
	text, err := config.Default().YAML()
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := yaml.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(read(t, "../README.md"), -1) {
		have = append(have, m[1])
		if _, ok := keys[m[1]]; !ok {
			t.Errorf("README.md has a key %q, the configuration has none", m[1])
		}
	}
	if len(have) != len(keys) {
		t.Errorf("README.md names the keys %v, the configuration has %d", have, len(keys))
	}
}

// TestLinksLeadSomewhere follows every relative link of every document that is
// in the repository.
func TestLinksLeadSomewhere(t *testing.T) {
	reLink := regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)
	checked := 0
	for _, doc := range documents(t) {
		for _, m := range reLink.FindAllStringSubmatch(read(t, doc), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			checked++
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", doc, m[1])
			}
		}
	}
	if checked == 0 {
		t.Error("no relative link was found: this test does not see them")
	}
}

// TestTargetsExist holds every `make target` in the documents to the Makefile.
func TestTargetsExist(t *testing.T) {
	makefile := read(t, "../Makefile")
	reMake := regexp.MustCompile("(?m)(?:`|^)make ([a-z]+)")
	for _, doc := range documents(t) {
		for _, m := range reMake.FindAllStringSubmatch(read(t, doc), -1) {
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s names `make %s`, which the Makefile does not have", doc, m[1])
			}
		}
	}
}

// documents are the Markdown files of the repository, seen from this folder.
func documents(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("git", "-C", "..", "ls-files", "--cached", "--others", "--exclude-standard", "*.md").Output()
	if err != nil {
		t.Fatalf("list the documents: %v", err)
	}
	var docs []string
	for _, name := range strings.Fields(string(out)) {
		docs = append(docs, filepath.Join("..", name))
	}
	if len(docs) < 5 {
		t.Fatalf("only %d documents were found", len(docs))
	}
	return docs
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")))
}
