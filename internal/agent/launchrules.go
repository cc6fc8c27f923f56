package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"meetguard"
	"meetguard/internal/detect"
	"meetguard/internal/sigma"
	"meetguard/signatures"
)

// launchRules are the Sigma rules over launches: those inside the program and
// those of an operator. They are loaded when the first launch, or somebody who
// wants to know whether they can be, asks for them: a scan of files needs none.
type launchRules struct {
	load func() (*sigma.Rules, error)
}

func newLaunchRules(dir string) *launchRules {
	return &launchRules{sync.OnceValues(func() (*sigma.Rules, error) { return loadLaunchRules(dir) })}
}

// Match gives the rules that match a launch. Rules that cannot be loaded match
// nothing; the agent does not start with such.
func (r *launchRules) Match(f meetguard.Facts) []meetguard.Match {
	rules, _ := r.load() // told by list, before the first launch
	return rules.Match(f)
}

func (r *launchRules) list() ([]Rule, error) {
	rules, err := r.load()
	if err != nil {
		return nil, err
	}
	var out []Rule
	for _, info := range rules.List() {
		out = append(out, Rule{ID: info.ID, Kind: "sigma", Weight: detect.MatchWeight(info.Meta), Technique: info.Meta["technique"],
			Description: info.Meta["description"], Families: detect.Families(info.Meta["family"]), Reference: info.Meta["reference"]})
	}
	return out, nil
}

// loadLaunchRules compiles the embedded rules and those of a folder or file.
// Rules about something else than launches are passed over, because collections
// hold many; one that is broken is an error, as in YARA.
func loadLaunchRules(dir string) (*sigma.Rules, error) {
	own, err := signatures.LaunchRules()
	if err != nil {
		return nil, fmt.Errorf("load the rules over launches: %w", err)
	}
	sources := sigmaSources(own)
	if dir != "" {
		theirs, err := sigmaFiles(dir)
		if err != nil {
			return nil, fmt.Errorf("load rules over launches: %w", err)
		}
		if len(theirs) == 0 {
			return nil, fmt.Errorf("load rules over launches: no *.yml file in %s", dir)
		}
		sources = append(sources, theirs...)
	}
	rules, problems := sigma.Load(sources)
	var all []error
	for _, p := range problems {
		if !p.Other {
			all = append(all, errors.New(p.String()))
		}
	}
	if len(all) > maxToldProblems {
		all = append(all[:maxToldProblems], fmt.Errorf("and %d more: see `meetguard rules verify %s`", len(all)-maxToldProblems, dir))
	}
	if len(all) > 0 {
		return nil, fmt.Errorf("load rules over launches: %w", errors.Join(all...))
	}
	return rules, nil
}

// maxToldProblems is how many broken rules one message names.
const maxToldProblems = 8

func sigmaSources(files []signatures.RuleFile) []sigma.Source {
	var out []sigma.Source
	for _, f := range files {
		out = append(out, sigma.Source{Name: f.Name, Text: f.Text})
	}
	return out
}

// sigmaFiles reads the rule files of a folder and its sub-folders, or one file.
func sigmaFiles(root string) ([]sigma.Source, error) {
	var out []sigma.Source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !isSigma(p) {
			return err
		}
		text, err := os.ReadFile(p)
		if err == nil {
			out = append(out, sigma.Source{Name: p, Text: string(text)})
		}
		return err
	})
	return out, err
}

func isSigma(p string) bool {
	ext := strings.ToLower(filepath.Ext(p))
	return ext == ".yml" || ext == ".yaml"
}

// launches says what is to say of Sigma rule files. Each is verified beside the
// others, because an id may be used once only.
func (c *RuleCheck) launches(files []sigma.Source) {
	rules, problems := sigma.Load(files)
	broken := map[string]bool{}
	for _, p := range problems {
		broken[p.File] = true
		if p.Other {
			c.Narrowed = append(c.Narrowed, p.String())
		} else {
			c.Problems = append(c.Problems, p.String())
		}
	}
	c.Files += len(files)
	c.Usable += len(files) - len(broken)
	c.Rules += len(rules.List())
}
