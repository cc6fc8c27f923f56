package agent

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"meetguard"
	"meetguard/internal/sigma"
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
	setForeign     = "any"   // an operator's rules: raw bytes of every file, and the normalised text of scripts
)

var setNames = []string{setScript, setAppleScript, setPE, setMachO, setMSI, setOther, setForeign}

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

// loadRules collects the embedded rules and those of an operator's folder, see
// homeOf.
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
		set := homeOf(p, text)
		r.sources[set] = append(r.sources[set], yarascan.Source{Name: p, Text: string(text)})
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

// imports are the modules that a rule file names. Each costs every file that is
// scanned with it, whatever the file is.
var imports = regexp.MustCompile(`(?m)^[ \t]*import[ \t]+"(\w+)"`)

// moduleSet are the sets of the files that a module can read.
var moduleSet = map[string]string{"pe": setPE, "dotnet": setPE, "macho": setMachO}

// homeOf chooses the set of an operator's rule file: that of its folder's name,
// else that of the files which its modules read, else every file.
func homeOf(p string, text []byte) string {
	if parent := filepath.Base(filepath.Dir(p)); contains(setNames, parent) {
		return parent
	}
	for _, m := range imports.FindAllSubmatch(text, -1) {
		if set := moduleSet[string(m[1])]; set != "" {
			return set
		}
	}
	return setForeign
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

// has says whether there is any rule in a set.
func (r *ruleSets) has(name string) bool { return len(r.sources[name]) > 0 }

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
	"filename": "", "extension": "", // as many public rules want them
}

// externals are the facts that rules may ask for.
func externals(f *meetguard.Facts, name string, from meetguard.Origin) yarascan.Externals {
	v := yarascan.Externals{"filename": name, "extension": strings.ToLower(path.Ext(name)), "mg_name": strings.ToLower(name), "mg_ext": nameExt(name), "mg_origin": from.Host,
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

// RuleCheck is what is to say of rule files.
type RuleCheck struct {
	Files    int      `json:"files"`
	Usable   int      `json:"usable"`   // files without a problem
	Rules    int      `json:"rules"`    // in usable files
	Problems []string `json:"problems"` // "file:line: text": what cannot be used, and why
	Warnings []string `json:"warnings"` // "file:line: text": what is slow
	Narrowed []string `json:"narrowed"` // files that see one kind of content only, because of a module; Sigma rules about something else than launches
}

// VerifyRules compiles each file alone. Without paths the rules inside the
// program are held to their own laws as well.
func VerifyRules(paths []string) (RuleCheck, error) {
	var c RuleCheck
	if len(paths) == 0 {
		return c, c.embedded()
	}
	var launches []sigma.Source
	for _, root := range paths {
		found, err := sigmaFiles(root)
		if err != nil {
			return c, fmt.Errorf("read rules: %w", err)
		}
		launches = append(launches, found...)
		err = filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if ext := strings.ToLower(filepath.Ext(p)); d.IsDir() || isSigma(p) || p != root && ext != ".yar" && ext != ".yara" {
				return nil
			}
			text, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			if home := homeOf(p, text); home != setForeign && filepath.Base(filepath.Dir(p)) != home {
				c.Narrowed = append(c.Narrowed, fmt.Sprintf("%s: it imports a module that reads %s files, so it sees no others", p, home))
			}
			return c.file(yarascan.Source{Name: p, Text: string(text)})
		})
		if err != nil {
			return c, fmt.Errorf("read rules: %w", err)
		}
	}
	c.launches(launches)
	return c, nil
}

func (c *RuleCheck) embedded() error {
	files, err := signatures.Rules()
	if err != nil {
		return fmt.Errorf("read the rules inside: %w", err)
	}
	for _, f := range files {
		if err := c.file(yarascan.Source{Name: f.Name, Text: f.Text}); err != nil {
			return err
		}
	}
	c.Problems = append(c.Problems, signatures.LintAll(files)...)
	launches, err := signatures.LaunchRules()
	if err != nil {
		return fmt.Errorf("read the rules inside: %w", err)
	}
	c.launches(sigmaSources(launches))
	c.Problems = append(c.Problems, signatures.LintLaunchRules(launches)...)
	return nil
}

func (c *RuleCheck) file(src yarascan.Source) error {
	c.Files++
	rules, warned, err := yarascan.Check(src, declared)
	c.Warnings = append(c.Warnings, warned...)
	var ce *yarascan.CompileError
	if errors.As(err, &ce) {
		c.Problems = append(c.Problems, ce.Problems...)
		return nil
	}
	if err != nil {
		return err
	}
	c.Usable++
	c.Rules += rules
	return nil
}
