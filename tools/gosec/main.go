// Command gosec holds every rule of gosec against the packages that are named, as
// this system compiles them, and against the files that only other systems do. It
// prints what is no exception of exceptions.go and exits with 1 if that is anything.
//
// gosec's own command loads each folder by itself, with all that it imports, and
// does not know the build tags meanwhile: here it did not end within 25 minutes.
// Loaded together, with what they import taken from the compiler's own output, the
// same packages take seconds.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/securego/gosec/v2"
	"github.com/securego/gosec/v2/analyzers"
	"github.com/securego/gosec/v2/issue"
	"github.com/securego/gosec/v2/rules"
	"golang.org/x/tools/go/packages"
)

func main() {
	tags := flag.String("tags", "", "build tags of this system's programs")
	flag.Parse()
	found, err := check(*tags, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "gosec:", err)
		os.Exit(2)
	}
	for _, f := range found {
		fmt.Println(f)
	}
	if len(found) > 0 {
		fmt.Println("gosec: mend it; or, if it is no fault, say why: by #nosec RULE -- why in its line, by tools/gosec/exceptions.go where it is one of a kind")
		os.Exit(1)
	}
}

// scan is what was looked at so far.
type scan struct {
	top   string
	seen  map[string]bool // files
	lines map[string][]string
	used  []bool // exceptions
	found []string
}

// check looks at the packages on this system, and at what the others add.
func check(tags string, patterns []string) ([]string, error) {
	top, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	s := &scan{top: top, seen: map[string]bool{}, lines: map[string][]string{}, used: make([]bool, len(exceptions))}
	if err := s.system(nil, []string{"-tags", tags}, patterns); err != nil {
		return nil, err
	}
	for _, other := range []string{"linux", "windows", "darwin"} {
		if other == runtime.GOOS {
			continue
		}
		if err := s.system([]string{"GOOS=" + other, "CGO_ENABLED=0"}, nil, []string{"./..."}); err != nil {
			return nil, fmt.Errorf("%s: %w", other, err)
		}
	}
	for i, e := range exceptions {
		if !s.used[i] {
			s.found = append(s.found, fmt.Sprintf("tools/gosec/exceptions.go: %s %s excepts nothing: remove it (%s)", e.rules, e.where, e.why))
		}
	}
	slices.Sort(s.found)
	return slices.Compact(s.found), nil
}

// system loads packages as one system compiles them. What they import comes from
// the compiler's cache.
func (s *scan) system(env, flags, patterns []string) error {
	all, err := packages.Load(&packages.Config{Mode: gosec.LoadMode, Env: append(os.Environ(), env...), BuildFlags: flags}, patterns...)
	if err != nil {
		return err
	}
	trouble := &troubles{}
	a := gosec.NewAnalyzer(gosec.NewConfig(), false, true, false, runtime.NumCPU(), log.New(trouble, "", 0))
	a.LoadRules(rules.Generate(false).RulesInfo())
	a.LoadAnalyzers(analyzers.Generate(false).AnalyzersInfo())
	for _, p := range all {
		if len(p.Errors) > 0 {
			return p.Errors[0]
		}
		if !s.unseen(p) {
			continue
		}
		a.CheckRules(p)
		a.CheckAnalyzers(p)
	}
	if len(trouble.said) > 0 {
		return fmt.Errorf("not everything was looked at: %s", trouble.said[0])
	}
	issues, _, _ := a.Report()
	for _, i := range issues {
		if err := s.take(i); err != nil {
			return err
		}
	}
	return nil
}

// unseen notes the files of a package and tells whether any of them is new.
func (s *scan) unseen(p *packages.Package) (fresh bool) {
	for _, f := range p.GoFiles {
		fresh = fresh || !s.seen[f]
		s.seen[f] = true
	}
	return fresh
}

// take notes what a rule names unless it is an exception.
func (s *scan) take(i *issue.Issue) error {
	path, err := filepath.Rel(s.top, i.File)
	if err != nil {
		return err
	}
	path = filepath.ToSlash(path)
	first, _, _ := strings.Cut(i.Line, "-")
	n, err := strconv.Atoi(first)
	if err != nil {
		return fmt.Errorf("%s: line %q", path, i.Line)
	}
	source, err := s.line(i.File, n)
	if err != nil {
		return err
	}
	excepted := false
	for k, e := range exceptions {
		if e.covers(i.RuleID, path, i.What+"\n"+source) {
			s.used[k], excepted = true, true
		}
	}
	if !excepted {
		s.found = append(s.found, fmt.Sprintf("%s:%d: %s: %s (severity %s): %s", path, n, i.RuleID, i.What, strings.ToLower(i.Severity.String()), strings.TrimSpace(source)))
	}
	return nil
}

// line is one line of a file, numbered from 1.
func (s *scan) line(file string, n int) (string, error) {
	if s.lines[file] == nil {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		s.lines[file] = strings.Split(string(data), "\n")
	}
	return s.lines[file][min(max(n, 1), len(s.lines[file]))-1], nil
}

// troubles keeps of gosec's log what it could not do. It goes on then, and says
// nothing in its report.
type troubles struct{ said []string }

func (t *troubles) Write(p []byte) (int, error) {
	line := strings.TrimSpace(string(p))
	bad := strings.HasPrefix(line, "Panic") || strings.HasPrefix(line, "Rule error") || strings.HasPrefix(line, "Error")
	// G407 gives this for every package that encrypts nothing.
	if bad && !strings.Contains(line, "no tracked functions found") {
		t.said = append(t.said, line)
	}
	return len(p), nil
}
