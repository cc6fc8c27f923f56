package signatures

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// launchRule is what the lint reads of a Sigma rule of this program. Keys that
// are not here are none of ours.
type launchRule struct {
	Title          string
	ID             string
	Name           string
	Status         string
	Description    string
	References     []string
	Author         string
	Date           string
	Tags           []string
	Logsource      map[string]string
	Detection      map[string]any
	FalsePositives []string `yaml:"falsepositives"`
	Level          string
	Custom         struct{ Family string }
}

// launchForms are the metadata that every rule over launches carries.
var launchForms = []struct {
	key  string
	form *regexp.Regexp
	of   func(launchRule) string
}{
	{"title", regexp.MustCompile(`^[A-Z].{9,70}[^.]$`), func(r launchRule) string { return r.Title }},
	{"id", regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`), func(r launchRule) string { return r.ID }},
	{"name", regexp.MustCompile(`^MG-L-0[1-4]\d\d$`), func(r launchRule) string { return r.Name }},
	{"status", regexp.MustCompile(`^(stable|test|experimental)$`), func(r launchRule) string { return r.Status }},
	{"description", metaForms["description"], func(r launchRule) string { return r.Description }},
	{"references", metaForms["reference"], func(r launchRule) string { return strings.Join(r.References, " ") }},
	{"author", metaForms["author"], func(r launchRule) string { return r.Author }},
	{"date", metaForms["date"], func(r launchRule) string { return r.Date }},
	{"tags", regexp.MustCompile(`^attack\.t\d{4}(\.\d{3})?$`), func(r launchRule) string { return strings.Join(r.Tags, " ") }},
	{"falsepositives", metaForms["false_positives"], func(r launchRule) string { return strings.Join(r.FalsePositives, ", ") }},
	{"level", regexp.MustCompile(`^(informational|low|medium|high|critical)$`), func(r launchRule) string { return r.Level }},
	{"custom family", metaForms["family"], func(r launchRule) string { return r.Custom.Family }},
}

// productOf is the product that the first digits of a name stand for, and what
// the name of its file begins with.
var productOf = map[string][2]string{"01": {"windows", "win_"}, "02": {"macos", "mac_"}, "03": {"linux", "linux_"}, "04": {"", "any_"}}

// LintLaunchRules says what is wrong with Sigma rules of this program, beyond
// what loading them says: "file:line: text", the line that of a whole rule.
func LintLaunchRules(files []RuleFile) []string {
	var out []string
	ids, names := map[string]string{}, map[string]string{}
	for _, f := range files {
		var r launchRule
		dec := yaml.NewDecoder(strings.NewReader(f.Text))
		dec.KnownFields(true)
		if err := dec.Decode(&r); err != nil {
			out = append(out, fmt.Sprintf("%s:1: %v", f.Name, err))
			continue
		}
		for _, text := range append(r.lint(f.Name), twice(ids, r.ID, f.Name), twice(names, r.Name, f.Name)) {
			if text != "" {
				out = append(out, fmt.Sprintf("%s:1: %s", f.Name, text))
			}
		}
	}
	return out
}

func twice(seen map[string]string, key, file string) string {
	if other, ok := seen[key]; ok {
		return fmt.Sprintf("%s has the same name or id: %s", other, key)
	}
	seen[key] = file
	return ""
}

func (r launchRule) lint(file string) []string {
	var out []string
	for _, m := range launchForms {
		if v := m.of(r); !m.form.MatchString(v) {
			out = append(out, fmt.Sprintf("%s is %q, want %s", m.key, v, m.form))
		}
	}
	if _, err := time.Parse(time.DateOnly, r.Date); err != nil {
		out = append(out, err.Error())
	}
	if len(r.Name) == len("MG-L-0000") {
		want := productOf[r.Name[5:7]]
		if r.Logsource["product"] != want[0] || !strings.HasPrefix(strings.TrimPrefix(file, "process/"), want[1]) {
			out = append(out, fmt.Sprintf("name %s is for product %q in a file %s…, this is product %q", r.Name, want[0], want[1], r.Logsource["product"]))
		}
	}
	if slices.Contains([]string{"high", "critical"}, r.Level) && !strings.HasPrefix(strings.Join(r.FalsePositives, ""), "none known") {
		out = append(out, "a rule that names false positives is medium at most")
	}
	return out
}
