package sigma

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"meetguard"
)

// Bounds of one file. The largest public rule has 22 KiB and some 600 values.
const (
	maxFile      = 256 << 10 // bytes
	maxDocuments = 256
	maxNodes     = 20_000 // of YAML, each use of an alias counted
	maxPatterns  = 20_000 // that the values of one rule expand to
	maxDepth     = 64     // of brackets in a condition
)

// Source is one rule file.
type Source struct {
	Name string // for messages
	Text string
}

// Problem says what of a file cannot be used, and why.
type Problem struct {
	File string
	Line int // from 1, 0 if no line is to blame
	Text string
	// Other is true of a good rule about something else than launches on these
	// systems: collections hold many.
	Other bool
}

// String is the problem as "file:line: text".
func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// Rules are compiled rules, safe for concurrent use. The zero value has none.
type Rules struct {
	rules  []*rule
	fields *fields
	sets   map[string]*index // by the OS of a launch
}

// Load compiles rule files. A rule that cannot be used is a Problem and left
// out; the others are usable. Rules of one id are a Problem too: the first
// stays.
func Load(files []Source) (*Rules, []Problem) {
	rs := &Rules{fields: newFields(), sets: map[string]*index{}}
	var problems []Problem
	seen := map[string]string{}
	for _, src := range files {
		for _, p := range rs.file(src, seen) {
			p.File = src.Name
			problems = append(problems, p)
		}
	}
	for _, r := range rs.rules {
		r.when.cheapFirst()
	}
	for _, os := range []string{"windows", "darwin", "linux"} {
		rs.sets[os] = newIndex(rs.rules, os, rs.fields.count())
	}
	return rs, problems
}

func (rs *Rules) file(src Source, seen map[string]string) (problems []Problem) {
	if len(src.Text) > maxFile {
		return []Problem{{Text: fmt.Sprintf("it has %d bytes, a rule file has at most %d", len(src.Text), maxFile)}}
	}
	dec := yaml.NewDecoder(bytes.NewReader([]byte(src.Text)))
	for n := range maxDocuments + 1 {
		var doc yaml.Node
		err := dec.Decode(&doc)
		switch {
		case errors.Is(err, io.EOF) && n == 0:
			return []Problem{{Text: "it is empty"}}
		case errors.Is(err, io.EOF):
			return problems
		case err != nil:
			return append(problems, yamlProblem(err))
		case n == maxDocuments:
			return append(problems, Problem{Line: doc.Line, Text: fmt.Sprintf("it has more than %d documents", maxDocuments)})
		}
		r, err := rs.compile(&doc)
		if err == nil {
			err = once(seen, r, src.Name)
		}
		if err != nil {
			problems = append(problems, problemOf(err))
			continue
		}
		rs.rules = append(rs.rules, r)
	}
	return problems
}

func once(seen map[string]string, r *rule, file string) error {
	if first, twice := seen[r.info.ID]; twice {
		return at(r.line, "the id %s is used already, in %s", r.info.ID, first)
	}
	seen[r.info.ID] = file
	return nil
}

// fault is an error with its line.
type fault struct {
	line  int
	text  string
	other bool
}

func (f *fault) Error() string { return f.text }

func at(line int, format string, args ...any) error {
	return &fault{line: line, text: fmt.Sprintf(format, args...)}
}

// elsewhere is the fault of a rule that is about something else.
func elsewhere(line int, format string, args ...any) error {
	return &fault{line, fmt.Sprintf(format, args...), true}
}

func problemOf(err error) Problem {
	var f *fault
	if errors.As(err, &f) {
		return Problem{Line: f.line, Text: f.text, Other: f.other}
	}
	return Problem{Text: err.Error()}
}

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

func yamlProblem(err error) Problem {
	text := err.Error()
	m := yamlLine.FindStringSubmatch(text)
	if m == nil {
		return Problem{Line: 1, Text: text}
	}
	line, _ := strconv.Atoi(m[1]) // the expression matches digits only
	return Problem{Line: line, Text: "no YAML: " + text[len(m[0]):]}
}

// Info is what others may know of a rule.
type Info struct {
	ID       string            // its name if it has one, else its id
	Products []string          // the systems whose launches it judges, as in meetguard.Process.OS
	Meta     map[string]string // as in its matches; not to be changed
	Fields   []string          // that it asks for, sorted
}

// List describes every rule, in the order of loading.
func (rs *Rules) List() []Info {
	var out []Info
	if rs == nil {
		return nil
	}
	for _, r := range rs.rules {
		info := r.info
		for _, id := range r.fields() {
			info.Fields = append(info.Fields, rs.fields.name(id))
		}
		slices.Sort(info.Fields)
		out = append(out, info)
	}
	return out
}

// Known says whether launches can have a field of this name. Any other field is
// always null.
func Known(field string) bool {
	return slices.ContainsFunc(taxonomy, func(t term) bool { return t.name == field })
}

// Match gives the rules that match a launch, in the order of loading. Facts
// without a Process match nothing.
func (rs *Rules) Match(f meetguard.Facts) []meetguard.Match {
	if rs == nil || f.Process == nil {
		return nil
	}
	set := rs.sets[systemOf(f.Process)]
	if set == nil {
		return nil
	}
	l := rs.fields.launch(&f)
	var out []meetguard.Match
	for _, r := range set.candidates(l) {
		if r.when.holds(l) {
			out = append(out, meetguard.Match{Rule: r.info.Meta["title"], Meta: r.info.Meta})
		}
	}
	return out
}
