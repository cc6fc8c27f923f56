package signatures

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"
)

// Lint says what is wrong with a rule file of this program, beyond what the
// compiler says: one line for each problem, as "file:line: text". A file of
// somebody else follows other customs.
func Lint(f RuleFile) []string {
	l := &lint{file: f}
	l.modules()
	for _, r := range split(f) {
		l.metadata(r)
		l.expressions(r)
		l.variables(r)
	}
	sort.SliceStable(l.found, func(a, b int) bool { return l.found[a].line < l.found[b].line })
	var out []string
	for _, p := range l.found {
		out = append(out, fmt.Sprintf("%s:%d: %s", f.Name, p.line, p.text))
	}
	return out
}

type lint struct {
	file  RuleFile
	found []problem
}

type problem struct {
	line int
	text string
}

func (l *lint) say(line int, format string, args ...any) {
	l.found = append(l.found, problem{line, fmt.Sprintf(format, args...)})
}

// rule is what the lint reads of one YARA rule.
type rule struct {
	set, file, name string
	line            int // of its head
	meta            map[string]string
	body            string // from strings: on
	bodyLine        int
}

var (
	ruleHead = regexp.MustCompile(`(?m)^(?:private |global )*rule ([A-Za-z0-9_]+)`)
	metaLine = regexp.MustCompile(`(?m)^ {8}([a-z_]+) = "((?:[^"\\]|\\.)*)"$`)
	imported = regexp.MustCompile(`(?m)^[ \t]*import[ \t]+"([a-z]+)"`)
	included = regexp.MustCompile(`(?m)^[ \t]*include\s`)
)

func split(f RuleFile) []rule {
	var out []rule
	heads := ruleHead.FindAllStringSubmatchIndex(f.Text, -1)
	for i, h := range heads {
		end := len(f.Text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		meta, body, _ := strings.Cut(f.Text[h[0]:end], "    strings:\n")
		r := rule{set: f.Set, file: f.Name, name: f.Text[h[2]:h[3]], line: lineAt(f.Text, h[0]), meta: map[string]string{}, body: body}
		r.bodyLine = r.line + strings.Count(meta, "\n") + 1
		for _, m := range metaLine.FindAllStringSubmatch(meta, -1) {
			r.meta[m[1]] = m[2]
		}
		out = append(out, r)
	}
	return out
}

func lineAt(text string, at int) int { return 1 + strings.Count(text[:at], "\n") }

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

var nameForm = regexp.MustCompile(`^MG(_[A-Z][A-Za-z]+){2}$`)

func (l *lint) metadata(r rule) {
	for key, form := range metaForms {
		if !form.MatchString(r.meta[key]) {
			l.say(r.line, "rule %s: meta %s is %q, want %s", r.name, key, r.meta[key], form)
		}
	}
	for key := range r.meta {
		if metaForms[key] == nil {
			l.say(r.line, "rule %s: meta %s is not known", r.name, key)
		}
	}
	if _, err := time.Parse(time.DateOnly, r.meta["date"]); err != nil {
		l.say(r.line, "rule %s: %v", r.name, err)
	}
	if !nameForm.MatchString(r.name) {
		l.say(r.line, "rule %s is not named MG_<Family>_<What>", r.name)
	}
}

// modules holds a file to what its set can read: a module costs every file of
// the set time, and what this build of libyara lacks may not be used at all.
func (l *lint) modules() {
	allowed := map[string]string{"pe": "pe", "macho": "macho"}[l.file.Set]
	for _, m := range imported.FindAllStringSubmatchIndex(l.file.Text, -1) {
		if name := l.file.Text[m[2]:m[3]]; name != allowed {
			l.say(lineAt(l.file.Text, m[0]), "it imports %s, which files of the set %s are not read with", name, l.file.Set)
		}
	}
	if m := included.FindStringIndex(l.file.Text); m != nil {
		l.say(lineAt(l.file.Text, m[0]), "it includes another file: a set is compiled from memory")
	}
	for _, gone := range []string{"pe.signatures", "pe.number_of_signatures", "pe.is_signed"} {
		if at := strings.Index(l.file.Text, gone); at >= 0 {
			l.say(lineAt(l.file.Text, at), "it uses %s, which is built without", gone)
		}
	}
}

var (
	regexLine = regexp.MustCompile(`^\s*\$[a-z0-9_]+ = /(.*)/`)
	// unbounded is a repetition of "any character" without end: it can cost a
	// whole file for one hit.
	unbounded = regexp.MustCompile(`(\.|\])[*+]|\{\d+,\}`)
)

func (l *lint) expressions(r rule) {
	n := r.bodyLine
	for line := range strings.Lines(r.body) {
		if m := regexLine.FindStringSubmatch(line); m != nil {
			for _, hit := range unbounded.FindAllString(m[1], -1) {
				if !strings.HasPrefix(hit, "]") || !shortClassRepeat(m[1]) {
					l.say(n, "rule %s: %q in %s has no upper bound", r.name, hit, strings.TrimSpace(line))
				}
			}
		}
		n++
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

var variableName = regexp.MustCompile(`\bmg_[a-z_]+\b`)

func (l *lint) variables(r rule) {
	for _, at := range variableName.FindAllStringIndex(r.body, -1) {
		if v := r.body[at[0]:at[1]]; !known(v) {
			l.say(r.bodyLine+strings.Count(r.body[:at[0]], "\n"), "rule %s uses %s, which no scan defines", r.name, v)
		}
	}
}

func known(variable string) bool {
	_, ok := variables[variable]
	return ok
}

// LintAll is Lint over every embedded file, and what only shows between them.
func LintAll(files []RuleFile) []string {
	var out []string
	ids, names := map[string]string{}, map[string]bool{}
	for _, f := range files {
		out = append(out, Lint(f)...)
		for _, r := range split(f) {
			if other := ids[r.meta["id"]]; other != "" {
				out = append(out, fmt.Sprintf("%s:%d: %s and %s share the id %s", f.Name, r.line, r.name, other, r.meta["id"]))
			}
			if names[r.name] {
				out = append(out, fmt.Sprintf("%s:%d: %s stands there twice", f.Name, r.line, r.name))
			}
			ids[r.meta["id"]], names[r.name] = r.name, true
		}
		if !slices.Contains(sets, f.Set) {
			out = append(out, fmt.Sprintf("%s:1: %s is no set", f.Name, f.Set))
		}
	}
	return out
}
