package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"meetguard"
	"meetguard/internal/yarascan"
	"meetguard/signatures"
)

// The sets of YARA rules, one per kind of content.
const (
	setScript      = "script"      // normalised text of scripts
	setAppleScript = "applescript" // compiled AppleScript, raw
	setPE          = "pe"
	setMachO       = "macho"
	setMSI         = "msi"
	setOther       = "other" // raw bytes of everything else that is no plain text
)

var setNames = []string{setScript, setAppleScript, setPE, setMachO, setMSI, setOther}

// setOf chooses the set for the raw bytes of a file. Plain text and scripts
// have none: the text of a script is matched normalised.
func setOf(f *meetguard.Facts) string {
	switch f.Format {
	case meetguard.FormatPE:
		return setPE
	case meetguard.FormatMachO:
		return setMachO
	case meetguard.FormatMSI:
		return setMSI
	case meetguard.FormatAppleScript:
		return setAppleScript
	case meetguard.FormatHTML, meetguard.FormatShortcut, meetguard.FormatICS, meetguard.FormatPKG, meetguard.FormatDMG, meetguard.FormatISO:
		return setOther
	}
	return ""
}

// ruleSets holds the sources of every set. A set is compiled when the first
// file needs it: most files need none.
type ruleSets struct {
	sources  map[string][]yarascan.Source
	compiled map[string]*yarascan.Rules
	scanners map[string]*yarascan.Scanner
	foreign  bool // some are an operator's
}

// loadRules collects the embedded rules and those of an operator's folder. A
// file in a sub-folder named like a set belongs to it, others to every set.
func loadRules(dir string) (*ruleSets, error) {
	r := &ruleSets{sources: map[string][]yarascan.Source{}, compiled: map[string]*yarascan.Rules{}, scanners: map[string]*yarascan.Scanner{}}
	own, err := signatures.Rules()
	if err != nil {
		return nil, fmt.Errorf("load the rules: %w", err)
	}
	for _, f := range own {
		r.sources[f.Set] = append(r.sources[f.Set], yarascan.Source{Name: f.Name, Text: f.Text})
	}
	if dir == "" {
		return r, nil
	}
	r.foreign = true
	return r, r.addFolder(dir)
}

// ready fails if rules of an operator do not compile: a broken file must not be
// found by the first download that needs its set.
func (r *ruleSets) ready() reply {
	if !r.foreign {
		return reply{} // those inside the program are compiled by its tests
	}
	for _, set := range setNames {
		if _, err := r.set(set); err != nil {
			return reply{Failed: err.Error()}
		}
	}
	return reply{}
}

func (r *ruleSets) addFolder(dir string) error {
	found := 0
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if ext := strings.ToLower(filepath.Ext(p)); d.IsDir() || ext != ".yar" && ext != ".yara" {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		found++
		sets := setNames
		if parent := filepath.Base(filepath.Dir(p)); contains(setNames, parent) {
			sets = []string{parent}
		}
		for _, set := range sets {
			r.sources[set] = append(r.sources[set], yarascan.Source{Name: p, Text: string(text)})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("load rules: %w", err)
	}
	if found == 0 {
		return fmt.Errorf("load rules: no *.yar file in %s", dir)
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func (r *ruleSets) set(name string) (*yarascan.Rules, error) {
	if c := r.compiled[name]; c != nil {
		return c, nil
	}
	c, err := yarascan.Compile(r.sources[name], declared)
	if err != nil {
		return nil, fmt.Errorf("compile the %s rules: %w", name, err)
	}
	r.compiled[name] = c
	return c, nil
}

// scan matches data against one set.
func (r *ruleSets) scan(name string, data []byte, vars yarascan.Externals) ([]meetguard.Match, error) {
	if len(r.sources[name]) == 0 {
		return nil, nil
	}
	s := r.scanners[name]
	if s == nil {
		c, err := r.set(name)
		if err != nil {
			return nil, err
		}
		if s, err = c.NewScanner(yaraTimeout); err != nil {
			return nil, err
		}
		r.scanners[name] = s
	}
	return s.Scan(data, vars)
}

func (r *ruleSets) list() reply {
	var out reply
	for _, set := range setNames {
		c, err := r.set(set)
		if err != nil {
			return reply{Failed: err.Error()}
		}
		for _, info := range c.List() {
			out.Rules = append(out.Rules, RuleInfo{set, info.Name, info.Meta})
		}
	}
	sort.SliceStable(out.Rules, func(a, b int) bool { return out.Rules[a].Set < out.Rules[b].Set })
	return out
}

// declared names every external variable with a value of its type.
var declared = yarascan.Externals{
	"mg_name": "", "mg_ext": "", "mg_origin": "", "mg_signature": "", "mg_size": 0, "mg_language": "", "mg_traits": "",
	"mg_blank_run": 0, "mg_code_after": false, "mg_concat": 0, "mg_layers": 0, "mg_fetches": 0, "mg_fetch_run": false, "mg_cradles": "", "mg_pretexts": 0,
}

// externals are the facts that rules may ask for.
func externals(f *meetguard.Facts, name string, from meetguard.Origin) yarascan.Externals {
	v := yarascan.Externals{"mg_name": strings.ToLower(name), "mg_ext": nameExt(name), "mg_origin": from.Host,
		"mg_signature": string(f.Signature.Status), "mg_size": int(f.Size),
		"mg_language": "", "mg_traits": "", "mg_blank_run": 0, "mg_code_after": false, "mg_concat": 0, "mg_layers": 0,
		"mg_fetches": 0, "mg_fetch_run": false, "mg_cradles": "", "mg_pretexts": 0}
	s := f.Script
	if s == nil {
		return v
	}
	v["mg_language"], v["mg_traits"] = s.Language, " "+strings.Join(s.Traits, " ")+" "
	v["mg_blank_run"], v["mg_code_after"], v["mg_concat"], v["mg_layers"] = s.BlankRun, s.CodeAfter, s.Concat, s.Layers
	v["mg_fetches"], v["mg_pretexts"] = len(s.Fetches), len(s.Pretexts)
	v["mg_cradles"] = cradles(s.Fetches)
	for _, fetch := range s.Fetches {
		if fetch.RunBy != "" {
			v["mg_fetch_run"] = true
		}
	}
	return v
}

// cradles writes down each download as "tool>to>run by", with "!insecure" and
// "!hidden" behind it, so that a rule can ask for a shape that takes a regular
// expression hundreds of steps to find in the text.
func cradles(fetches []meetguard.Fetch) string {
	var b strings.Builder
	for _, f := range fetches {
		b.WriteString(" " + f.Tool + ">" + f.To + ">" + f.RunBy)
		if f.Insecure {
			b.WriteString("!insecure")
		}
		if f.Hidden {
			b.WriteString("!hidden")
		}
	}
	return b.String()
}

// VerifyRules compiles each file alone and returns one line for each problem
// or warning, and how many files there were.
func VerifyRules(paths []string) (problems, warnings []string, files int, err error) {
	for _, root := range paths {
		err := filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if ext := strings.ToLower(filepath.Ext(p)); d.IsDir() || p != root && ext != ".yar" && ext != ".yara" {
				return nil
			}
			text, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			files++
			warned, err := yarascan.Warnings(yarascan.Source{Name: p, Text: string(text)}, declared)
			warnings = append(warnings, warned...)
			var ce *yarascan.CompileError
			if errors.As(err, &ce) {
				problems = append(problems, ce.Problems...)
				return nil
			}
			return err
		})
		if err != nil {
			return nil, nil, 0, fmt.Errorf("read rules: %w", err)
		}
	}
	return problems, warnings, files, nil
}
