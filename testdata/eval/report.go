package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"meetguard/testdata/specimens"
)

// report is everything that one evaluation learned.
type report struct {
	Lures      int     `json:"lures"`
	Found      int     `json:"found"`
	Malicious  int     `json:"malicious"`
	Incomplete int     `json:"incomplete"`
	Recall     float64 `json:"recall"`
	Unseen     float64 `json:"recall_unseen"`
	// HeldOut counts lures that were never used to mend a rule. They are in no
	// other figure.
	HeldOut      int              `json:"held_out"`
	HeldOutFound int              `json:"held_out_found"`
	By           map[string][]row `json:"by"` // family, platform, wrapper, obfuscation, language
	Missed       []miss           `json:"missed"`
	Rules        []ruleUse        `json:"rules"`
	LeftOut      []leftOut        `json:"left_out"`
	Trees        []tree           `json:"clean"`
	Chains       *chainReport     `json:"chains,omitempty"`
	Passed       bool             `json:"passed"`

	lures []outcome // for what is measured on them again
	rules []ruleInfo
}

// row is one line of a table of recall.
type row struct {
	Name       string `json:"name"`
	N          int    `json:"n"`
	Found      int    `json:"found"`
	Malicious  int    `json:"malicious"`
	Incomplete int    `json:"incomplete"`
}

// miss is a lure that nobody was warned of.
type miss struct {
	Family      string   `json:"family"`
	Name        string   `json:"name"`
	Obfuscation string   `json:"obfuscation"`
	Wrapper     string   `json:"wrapper"`
	Language    string   `json:"language"`
	Level       string   `json:"level"`
	Score       int      `json:"score"`
	Rules       []string `json:"rules"`
	Folder      string   `json:"folder"`
}

// ruleUse is what one rule contributes.
type ruleUse struct {
	Rule   string   `json:"rule"`
	Fires  int      `json:"fires"`
	Alone  int      `json:"alone"` // lures that only it catches: without its weight nobody is warned
	Only   []string `json:"only,omitempty"`
	Honest int      `json:"honest"` // honest specimens on which it fired, whether or not they alarmed
	// Questioned says that it catches nothing alone.
	Questioned bool `json:"questioned,omitempty"`
}

// outcome is the strongest unit of one specimen.
type outcome struct {
	specimens.Specimen
	folder string
	unit   unit
	seen   bool
}

// heldOut is how the families begin that were never used to mend a rule: what is
// found of them says what is found of lures that nobody has shown the product.
const heldOut = "fresh-again-"

// holdOut counts the held-out lures apart and returns the others.
func (r *report) holdOut(list []outcome) []outcome {
	var rest []outcome
	for _, o := range list {
		switch {
		case !strings.HasPrefix(o.Family, heldOut):
			rest = append(rest, o)
		case o.unit.found():
			r.HeldOutFound++
			fallthrough
		default:
			r.HeldOut++
		}
	}
	return rest
}

// shownFamily is a family, or the batch of a story: those are many.
func shownFamily(family string) string {
	if strings.HasPrefix(family, "fresh-") {
		return "fresh"
	}
	return family
}

// place is the folder of specimen i: names may repeat, folders do not.
func place(i int) string { return fmt.Sprintf("%04d", i) }

// specimensReport writes all specimens below dir, scans and counts them.
func specimensReport(agent, dir string) (*report, error) {
	lures, err := scanSpecimens(agent, filepath.Join(dir, "lures"), specimens.Lures())
	if err != nil {
		return nil, err
	}
	honest, err := scanSpecimens(agent, filepath.Join(dir, "benign"), specimens.Benign())
	if err != nil {
		return nil, err
	}
	rules, err := ruleList(agent)
	if err != nil {
		return nil, err
	}
	r := &report{By: map[string][]row{}}
	lures = r.holdOut(lures)
	r.countLures(lures)
	r.countHonest(honest)
	r.countRules(lures, honest, rules)
	r.lures, r.rules = lures, rules
	return r, nil
}

func scanSpecimens(agent, dir string, list []specimens.Specimen) ([]outcome, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	out := make([]outcome, len(list))
	byFolder := map[string]*outcome{}
	for i, s := range list {
		out[i] = outcome{Specimen: s, folder: place(i)}
		byFolder[place(i)] = &out[i]
		if err := s.Write(filepath.Join(dir, place(i))); err != nil {
			return nil, err
		}
	}
	err := watchSpecimens(agent, dir, []string{dir}, nil, func(folder string, u unit) error {
		o := byFolder[folder]
		if o == nil {
			return fmt.Errorf("the agent told of %s, which is no specimen", u.Path)
		}
		if !o.seen || rank(u) > rank(o.unit) {
			o.unit, o.seen = u, true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, o := range out {
		if !o.seen {
			return nil, fmt.Errorf("the agent told nothing of %s in %s", o.Name, o.folder)
		}
	}
	return out, nil
}

// watchSpecimens scans paths below dir and hands on each unit with the folder
// of its specimen.
func watchSpecimens(agent, dir string, paths, flags []string, tell func(folder string, u unit) error) error {
	var bad error
	err := scan(agent, paths, func(u unit) {
		rel, err := filepath.Rel(dir, u.path())
		if err == nil {
			err = tell(strings.SplitN(filepath.ToSlash(rel), "/", 2)[0], u)
		}
		if bad == nil {
			bad = err
		}
	}, flags...)
	if err != nil {
		return err
	}
	return bad
}

// rank orders units: the strongest speaks for its specimen.
func rank(u unit) int {
	levels := map[string]int{"clean": 0, "incomplete": 1, "suspicious": 2, "malicious": 3}
	return levels[u.Level]*1000 + u.Score
}

func (r *report) countLures(list []outcome) {
	keys := map[string]func(outcome) string{
		"family":      func(o outcome) string { return shownFamily(o.Family) },
		"platform":    func(o outcome) string { return o.Platform },
		"wrapper":     func(o outcome) string { return o.Wrapper },
		"obfuscation": func(o outcome) string { return o.Obfuscation },
		"language":    func(o outcome) string { return o.Language },
	}
	for name, key := range keys {
		r.By[name] = rows(list, key)
	}
	unseen, unseenFound := 0, 0
	for _, o := range list {
		r.Lures++
		if strings.HasPrefix(o.Family, "unseen-") {
			unseen++
			if o.unit.found() {
				unseenFound++
			}
		}
		switch o.unit.Level {
		case "malicious":
			r.Malicious++
		case "incomplete":
			r.Incomplete++
		}
		if o.unit.found() {
			r.Found++
			continue
		}
		r.Missed = append(r.Missed, miss{o.Family, o.Name, o.Obfuscation, o.Wrapper, o.Language, o.unit.Level, o.unit.Score, o.unit.rules(), o.folder})
	}
	r.Recall = ratio(r.Found, r.Lures)
	r.Unseen = ratio(unseenFound, unseen)
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func rows(list []outcome, key func(outcome) string) []row {
	at := map[string]*row{}
	for _, o := range list {
		k := key(o)
		if at[k] == nil {
			at[k] = &row{Name: k}
		}
		w := at[k]
		w.N++
		switch o.unit.Level {
		case "malicious":
			w.Malicious++
		case "incomplete":
			w.Incomplete++
		}
		if o.unit.found() {
			w.Found++
		}
	}
	var out []row
	for _, w := range at {
		out = append(out, *w)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

func (r *report) countHonest(list []outcome) {
	t := tree{Name: "honest specimens"}
	for _, o := range list {
		t.add(o.unit)
	}
	r.Trees = append(r.Trees, t)
}

// suspiciousFrom is the score from which somebody is warned.
const suspiciousFrom = 40

func (r *report) countRules(lures, honest []outcome, list []ruleInfo) {
	at, weights := map[string]*ruleUse{}, map[string]int{}
	for _, info := range list {
		weights[info.ID] = info.Weight
		at[info.ID] = &ruleUse{Rule: info.ID}
	}
	use := func(rule string) *ruleUse {
		if at[rule] == nil {
			at[rule] = &ruleUse{Rule: rule}
		}
		return at[rule]
	}
	for _, o := range lures {
		rules := distinct(o.unit.rules())
		sum := 0
		for _, rule := range rules {
			sum += weights[rule]
		}
		for _, rule := range rules {
			u := use(rule)
			u.Fires++
			if o.unit.found() && sum-weights[rule] < suspiciousFrom {
				u.Alone++
				u.Only = append(u.Only, o.folder+"/"+o.Name)
			}
		}
	}
	for _, o := range honest {
		for _, rule := range distinct(o.unit.rules()) {
			use(rule).Honest++
		}
	}
	for _, u := range at {
		u.Questioned = u.Alone == 0
		r.Rules = append(r.Rules, *u)
	}
	sort.Slice(r.Rules, func(i, j int) bool { return r.Rules[i].Rule < r.Rules[j].Rule })
}

func distinct(list []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

func (r *report) falseAlerts() int {
	n := 0
	for _, t := range r.Trees {
		n += len(t.Alerts)
	}
	return n
}

func (r *report) cleanFiles() int {
	n := 0
	for _, t := range r.Trees {
		n += t.Units
	}
	return n
}

func (r *report) leastLeftOut() float64 {
	least := 1.0
	for _, l := range r.LeftOut {
		least = min(least, l.recall())
	}
	return least
}

// judge holds the report against the bars.
func (r *report) judge() {
	r.Passed = r.Recall >= minRecall && r.falseAlerts() <= maxFalseAlerts
	for _, l := range r.LeftOut {
		r.Passed = r.Passed && l.recall() >= minLeftOut
	}
	if c := r.Chains; c != nil {
		r.Passed = r.Passed && c.passed()
	}
}
