//go:build cgo && yara

package yarascan

import (
	"bytes"
	"fmt"
	"time"

	yara "github.com/hillu/go-yara/v4"

	"meetguard"
)

// Rules is one compiled set. It is safe for concurrent use.
type Rules struct {
	rules *yara.Rules
	count int
	meta  map[string]map[string]string // of namespace and name, see judged
}

// judged are the metadata that a verdict is made of. Matches carry no others:
// they travel between processes.
var judged = [...]string{"id", "description", "severity", "score", "technique"}

// Compile compiles the files of one set. externals names every external
// variable that the rules may use, with a value of its type. Each file is its
// own namespace. On failure the error is a *CompileError naming file and line.
func Compile(files []Source, externals Externals) (*Rules, error) {
	c, err := compiler(externals)
	if err != nil {
		return nil, err
	}
	defer c.Destroy()
	var problems []string
	for _, f := range files {
		// after a failed file libyara refuses further work with the same compiler
		if err := c.AddString(f.Text, f.Name); err != nil {
			problems = append(problems, fileProblems(f.Name, c, err)...)
			break
		}
	}
	if len(problems) > 0 {
		return nil, &CompileError{problems}
	}
	r, err := c.GetRules()
	if err != nil {
		return nil, fmt.Errorf("link the rules: %w", err)
	}
	if r, err = packed(r); err != nil {
		return nil, err
	}
	all := r.GetRules()
	meta := make(map[string]map[string]string, len(all))
	for i := range all {
		full, kept := metaStrings(all[i].Metas()), map[string]string{}
		for _, key := range judged {
			if v, ok := full[key]; ok {
				kept[key] = v
			}
		}
		meta[all[i].Namespace()+"\x00"+all[i].Identifier()] = kept
	}
	return &Rules{rules: r, count: len(all), meta: meta}, nil
}

// compiler starts a compiler that knows the external variables. Rule files may
// not include others: they come from one place.
func compiler(externals Externals) (*yara.Compiler, error) {
	c, err := yara.NewCompiler()
	if err != nil {
		return nil, fmt.Errorf("start the YARA compiler: %w", err)
	}
	c.DisableIncludes()
	for name, value := range externals {
		if err := c.DefineVariable(name, value); err != nil {
			c.Destroy()
			return nil, fmt.Errorf("define %s: %w", name, err)
		}
	}
	return c, nil
}

// packed writes and reads compiled rules: fresh from the compiler they hold
// about ten buffers of a mebibyte each (YR_NUM_SECTIONS in libyara's arena.c),
// nearly empty; as read they have the size they need.
func packed(r *yara.Rules) (*yara.Rules, error) {
	defer r.Destroy()
	var buf bytes.Buffer
	if err := r.Write(&buf); err != nil {
		return nil, fmt.Errorf("pack the rules: %w", err)
	}
	out, err := yara.ReadRules(&buf)
	if err != nil {
		return nil, fmt.Errorf("unpack the rules: %w", err)
	}
	return out, nil
}

func fileProblems(name string, c *yara.Compiler, err error) []string {
	var out []string
	for _, e := range c.Errors {
		out = append(out, fmt.Sprintf("%s:%d: %s", name, e.Line, explained(oneLine(e.Text))))
	}
	if len(out) == 0 {
		out = append(out, fmt.Sprintf("%s: %s", name, oneLine(err.Error())))
	}
	return out
}

// Check compiles one file alone. It returns how many rules the file has and the
// compiler's warnings as "file:line: text": slow strings, mostly. What does not
// compile is a *CompileError with every problem, each with what to do where that
// is not plain.
func Check(f Source, externals Externals) (rules int, warnings []string, err error) {
	c, err := compiler(externals)
	if err != nil {
		return 0, nil, err
	}
	defer c.Destroy()
	err = c.AddString(f.Text, f.Name)
	for _, w := range c.Warnings {
		warnings = append(warnings, fmt.Sprintf("%s:%d: %s", f.Name, w.Line, oneLine(w.Text)))
	}
	if err != nil {
		return 0, warnings, &CompileError{fileProblems(f.Name, c, err)}
	}
	r, err := c.GetRules()
	if err != nil {
		return 0, warnings, fmt.Errorf("link the rules of %s: %w", f.Name, err)
	}
	defer r.Destroy()
	return len(r.GetRules()), warnings, nil
}

// Count is the number of rules in the set.
func (r *Rules) Count() int { return r.count }

// Info is what `rules list` shows of one rule.
type Info struct {
	Name string            `json:"name"`
	Meta map[string]string `json:"meta"`
}

// List names the rules of the set with their metadata.
func (r *Rules) List() []Info {
	var out []Info
	for _, rule := range r.rules.GetRules() {
		out = append(out, Info{rule.Identifier(), metaStrings(rule.Metas())})
	}
	return out
}

// Scanner runs one set with its own external variables. It is not safe for
// concurrent use; it may be used for many scans.
type Scanner struct {
	scanner   *yara.Scanner
	rules     *Rules
	externals Externals // as they were defined last
}

// NewScanner makes a scanner of the set. timeout is rounded up to whole
// seconds, at least one: libyara takes 0 for none at all.
func (r *Rules) NewScanner(timeout time.Duration) (*Scanner, error) {
	s, err := yara.NewScanner(r.rules)
	if err != nil {
		return nil, fmt.Errorf("make a YARA scanner: %w", err)
	}
	whole := (timeout + time.Second - 1).Truncate(time.Second)
	s.SetTimeout(max(whole, time.Second))
	return &Scanner{scanner: s, rules: r, externals: Externals{}}, nil
}

// Scan returns the rules that match data with the external variables given.
// Variables keep their values from one scan to the next; only those that change
// are handed over, because each costs a call into C.
func (s *Scanner) Scan(data []byte, externals Externals) ([]meetguard.Match, error) {
	for name, value := range externals {
		if old, ok := s.externals[name]; ok && old == value {
			continue
		}
		if err := s.scanner.DefineVariable(name, value); err != nil {
			return nil, fmt.Errorf("define %s: %w", name, err)
		}
		s.externals[name] = value
	}
	found := matches{meta: s.rules.meta}
	if err := s.scanner.SetCallback(&found).ScanMem(data); err != nil {
		return nil, fmt.Errorf("scan with YARA: %w", err)
	}
	return found.list, nil
}

// matches collects the rules that match. Their metadata was read once: reading
// it again from C would cost more than the scan of a small script.
type matches struct {
	meta map[string]map[string]string
	list []meetguard.Match
}

// RuleMatching is called by libyara during a scan.
func (m *matches) RuleMatching(_ *yara.ScanContext, r *yara.Rule) (abort bool, err error) {
	name := r.Identifier()
	m.list = append(m.list, meetguard.Match{Rule: name, Meta: m.meta[r.Namespace()+"\x00"+name]})
	return false, nil
}

func metaStrings(metas []yara.Meta) map[string]string {
	out := make(map[string]string, len(metas))
	for _, m := range metas {
		out[m.Identifier] = fmt.Sprint(m.Value)
	}
	return out
}
