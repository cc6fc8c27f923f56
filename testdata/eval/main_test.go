package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBars runs the real agent, which `make test` builds before, over every
// lure and every honest specimen.
func TestBars(t *testing.T) {
	agent, err := filepath.Abs("../../bin/meetguard")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(agent); err != nil {
		t.Fatalf("the agent is not built: run make build (%v)", err)
	}
	r, err := specimensReport(agent, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r.judge()
	if r.Recall < minRecall {
		t.Errorf("recall is %.3f, the bar %.2f: %d of %d lures missed", r.Recall, minRecall, len(r.Missed), r.Lures)
		for _, m := range r.Missed {
			t.Logf("missed: %s %q, %s, %s: %s %v", m.Family, m.Name, m.Language, m.Obfuscation, m.Level, m.Rules)
		}
	}
	for _, tree := range r.Trees {
		for _, a := range tree.Alerts {
			t.Errorf("false alert on %q: %s, %v", a.Path, a.Level, a.Rules)
		}
		if tree.Incomplete > 0 {
			t.Errorf("%d honest specimens could not be judged: %v", tree.Incomplete, tree.Reasons)
		}
	}
}

func TestIncompleteIsNotFound(t *testing.T) {
	var r report
	r.By = map[string][]row{}
	r.countLures([]outcome{{unit: unit{Level: "incomplete"}}, {unit: unit{Level: "suspicious"}}, {unit: unit{Level: "malicious"}}, {unit: unit{Level: "clean"}}})
	if r.Lures != 4 || r.Found != 2 || r.Malicious != 1 || r.Incomplete != 1 || len(r.Missed) != 2 || r.Recall != 0.5 {
		t.Errorf("counted %+v", r)
	}
}

func TestUnits(t *testing.T) {
	var got []unit
	lines := `{"path":"a","level":"clean"}` + "\n" + `{"path":"x\\u202e","path_b64":"eOKArg==","level":"malicious","findings":[{"rule":"R1"},{"rule":"R2"}]}`
	if err := units(strings.NewReader(lines), func(u unit) { got = append(got, u) }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].found() || !got[1].found() || got[1].path() != "x\u202e" || len(got[1].rules()) != 2 {
		t.Errorf("read %+v", got)
	}
	if err := units(strings.NewReader("no JSON\n"), func(unit) {}); err == nil {
		t.Error("a line that is no JSON was taken")
	}
}

func TestSample(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for limit, want := range map[int]int{1: 1, 3: 3, 6: 6, 9: 6} {
		got, err := sample(dir, limit)
		if err != nil || len(got) != want {
			t.Errorf("sample of %d: %d files, %v", limit, len(got), err)
		}
	}
}

func TestReferences(t *testing.T) {
	scan := ruleInfo{ID: "Y", Families: []string{"A1", "A3"}, Reference: "P. Berba, MacOS infection vector"}
	for _, c := range []struct {
		rule          ruleInfo
		family        string
		refers, names bool
	}{
		{scan, "A3", true, true}, {scan, "A1", false, true}, {scan, "A", true, true}, {scan, "B", false, false},
		{ruleInfo{Families: []string{"A", "C"}}, "A4", true, true}, // the whole cluster had a part in it
		{ruleInfo{Families: []string{"A", "C"}}, "C", false, true},
		{ruleInfo{Reference: "Shell Link binary file format"}, "A", false, false},
	} {
		if c.rule.refers(c.family) != c.refers || c.rule.names(c.family) != c.names {
			t.Errorf("%+v: refers to %s: %v, names it: %v", c.rule, c.family, c.rule.refers(c.family), c.rule.names(c.family))
		}
	}
	for kind, want := range map[string]bool{"A1": true, "theft": true, "B": false, "unseen-tool": false, "E/G": false} {
		if isOf(kind, "A") != want {
			t.Errorf("%s is of A: %v", kind, !want)
		}
	}
}

// TestOnlyOneRule counts a rule as alone where nobody is warned without it.
func TestOnlyOneRule(t *testing.T) {
	var u unit
	if err := json.Unmarshal([]byte(`{"level":"suspicious","score":55,"findings":[{"rule":"big"},{"rule":"small"}]}`), &u); err != nil {
		t.Fatal(err)
	}
	var r report
	r.countRules([]outcome{{unit: u}}, nil, []ruleInfo{{ID: "big", Weight: 40}, {ID: "small", Weight: 15}, {ID: "silent", Weight: 90}})
	for i, want := range []ruleUse{{Rule: "big", Fires: 1, Alone: 1}, {Rule: "silent", Questioned: true}, {Rule: "small", Fires: 1, Questioned: true}} {
		got := r.Rules[i]
		if got.Rule != want.Rule || got.Fires != want.Fires || got.Alone != want.Alone || got.Questioned != want.Questioned {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func TestReasonsAreCounted(t *testing.T) {
	var tr tree
	for _, line := range []string{`{"level":"incomplete","gaps":[{"fact":"members","reason":"a/b.zip: entry 17 is damaged"}]}`, `{"level":"incomplete","gaps":[{"fact":"signature","reason":"x"},{"fact":"members","reason":"c.zip: entry 4 is damaged"}]}`, `{"level":"incomplete"}`} {
		var u unit
		if err := json.Unmarshal([]byte(line), &u); err != nil {
			t.Fatal(err)
		}
		tr.add(u)
	}
	if tr.Reasons["members: entry N is damaged"] != 2 || tr.Reasons["no reason given"] != 1 {
		t.Errorf("%v", tr.Reasons)
	}
}

// TestTable holds the columns together, also where a cell is wider than its
// head or holds letters of several bytes.
func TestTable(t *testing.T) {
	var b strings.Builder
	table(&b, "T", []string{"n", "name"}, [][]string{{"1", "é"}, {"100", "x"}})
	want := "\n## T\n\n| n   | name |\n|-----|------|\n| 1   | é    |\n| 100 | x    |\n"
	if b.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", b.String(), want)
	}
}

func TestIntoREADME(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(file, []byte("before\n"+readmeBegin+"old\n"+readmeEnd+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := report{Lures: 2, Found: 1, Recall: 0.5, Trees: []tree{{Name: "a|b", Units: 3}}}
	for range 2 { // it can be done again
		if err := r.intoREADME(file); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(got), "before\n"+readmeBegin) || !strings.HasSuffix(string(got), readmeEnd+"after\n") || strings.Contains(string(got), "old") || !strings.Contains(string(got), "| a\\|b") {
		t.Errorf("%v, now\n%s", err, got)
	}
	if err := os.WriteFile(file, []byte("no marks\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.intoREADME(file); err == nil {
		t.Error("a file without the marks was written")
	}
}
