package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// ruleInfo is one line of `meetguard rules list --json`.
type ruleInfo struct {
	ID       string   `json:"id"`
	Weight   int      `json:"weight"`
	Families []string `json:"families"`
	// Reference is the report that a YARA rule names.
	Reference string `json:"reference"`
}

// written tells in which family's report a reference of a YARA rule speaks.
var written = map[string]string{
	"Microsoft, Dissecting": "A1",
	"P. Berba":              "A3",
	"SentinelLABS":          "A4",
	"Field Effect":          "A6",
	"Kaspersky":             "A7",
	"dmpdump":               "B",
	"Sekoia":                "C",
	"The DFIR Report":       "E",
	"Cado":                  "F",
	"Microsoft, BATLOADER":  "G",
}

// reference is the family on whose report the rule was written, or "".
func (r ruleInfo) reference() string {
	for begin, family := range written {
		if strings.HasPrefix(r.Reference, begin) {
			return family
		}
	}
	if len(r.Families) == 0 {
		return ""
	}
	return r.Families[0]
}

func ruleList(agent string) ([]ruleInfo, error) {
	out, err := exec.Command(agent, "rules", "list", "--json").Output()
	if err != nil {
		return nil, fmt.Errorf("list the rules: %w", err)
	}
	var list []ruleInfo
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var r ruleInfo
		if err := dec.Decode(&r); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the list of rules: %w", err)
		}
		list = append(list, r)
	}
}

// leftOut tells what is found of a family without the rules that were made from
// its reports.
type leftOut struct {
	Family   string `json:"family"`
	Lures    int    `json:"lures"`
	Before   int    `json:"found_before"` // with all rules
	Off      int    `json:"rules_off"`    // rules whose reference is the family
	Found    int    `json:"found"`        // without them
	Naming   int    `json:"rules_naming"` // rules that name the family, also beside their reference
	Strictly int    `json:"found_strictly"`
}

func (l leftOut) recall() float64 { return ratio(l.Found, l.Lures) }

// reported are the families of the reports, the whole cluster A first.
var reported = []string{"A", "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "B", "C", "D", "E", "F", "G"}

// reports names the families in whose reports lures of our own kinds were seen.
// Kinds that are not here are of no report.
var reports = map[string]string{
	"E/G":              "E,G",
	"wsh":              "A7,D,G",
	"hta":              "A8,C",
	"pe-name":          "D,F,G",
	"pe-version":       "D,F,G",
	"macho":            "A7,F",
	"applet":           "A1,A3",
	"theft":            "A1,A4,F",
	"password":         "A1,A7,F",
	"double-extension": "A3",
}

// isOf says whether lures of a kind stand for a family.
func isOf(kind, family string) bool {
	list := reports[kind]
	if list == "" {
		list = kind
	}
	return slices.ContainsFunc(strings.Split(list, ","), func(f string) bool { return slices.Contains(reported, f) && within(f, family) })
}

// within says whether f is the family, or a part of it: A1 of A.
func within(f, family string) bool {
	return f == family || len(family) == 1 && strings.HasPrefix(f, family)
}

// refers says whether the reference of the rule is the family, or the whole
// cluster that it belongs to.
func (r ruleInfo) refers(family string) bool {
	f := r.reference()
	return f != "" && (within(f, family) || within(family, f))
}

// names says whether any of the families that had a part in the rule is.
func (r ruleInfo) names(family string) bool {
	return slices.ContainsFunc(r.Families, func(f string) bool { return within(f, family) || within(family, f) })
}

// leaveOut scans the lures of each family again, without its rules.
func leaveOut(agent, dir string, lures []outcome, rules []ruleInfo) ([]leftOut, error) {
	var out []leftOut
	for _, family := range reported {
		l := leftOut{Family: family}
		var folders []string
		for _, o := range lures {
			if isOf(o.Family, family) {
				folders = append(folders, filepath.Join(dir, o.folder))
				l.Lures++
				if o.unit.found() {
					l.Before++
				}
			}
		}
		if l.Lures == 0 {
			continue
		}
		var off, naming []string
		for _, r := range rules {
			if r.refers(family) {
				off = append(off, r.ID)
			}
			if r.refers(family) || r.names(family) {
				naming = append(naming, r.ID)
			}
		}
		l.Off, l.Naming = len(off), len(naming)
		var err error
		if l.Found, err = foundWithout(agent, dir, folders, off); err == nil {
			l.Strictly, err = foundWithout(agent, dir, folders, naming)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// foundWithout counts in how many folders something is found without rules.
func foundWithout(agent, dir string, folders, rules []string) (int, error) {
	found := map[string]bool{}
	for part := range slices.Chunk(folders, batch) {
		err := watchSpecimens(agent, dir, part, []string{"--without=" + strings.Join(rules, ",")}, func(folder string, u unit) error {
			found[folder] = found[folder] || u.found()
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	n := 0
	for _, f := range found {
		if f {
			n++
		}
	}
	return n, nil
}
