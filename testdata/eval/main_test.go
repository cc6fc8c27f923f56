package main

import (
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
