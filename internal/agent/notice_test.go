package agent

import (
	"log/slog"
	"slices"
	"testing"

	"meetguard"
	"meetguard/internal/config"
	"meetguard/internal/desktop"
)

func testNotices(t *testing.T, cfg config.Config) *notices {
	t.Helper()
	n := newNotices(nil, t.TempDir(), slog.New(slog.DiscardHandler))
	if err := n.configure(cfg); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestOffer: tests of the chain are not told; what waits is bounded.
func TestOffer(t *testing.T) {
	n := testNotices(t, config.Default())
	v := meetguard.Verdict{Level: meetguard.Malicious, Brand: "zoom", Findings: []meetguard.Finding{{Rule: RuleTest}}}
	n.offer(meetguard.Event{Kind: meetguard.FileLanded}, meetguard.Facts{Path: "/home/ana/Downloads/test"}, v, "f1")
	if len(n.queue) != 0 {
		t.Error("a test is told")
	}
	v.Findings = append(v.Findings, meetguard.Finding{Rule: "MG-0101"}) // a lure that carries the mark of the test
	n.offer(meetguard.Event{Kind: meetguard.FileLanded}, meetguard.Facts{Path: `C:\Users\ana\Downloads\Zoom` + "\u202e" + `gpj.exe`}, v, "f2")
	if got := (<-n.queue).finding; got.ID != "f2" || got.File != `Zoom\u{202e}gpj.exe` || !got.Sure || got.Ran {
		t.Errorf("%+v", got)
	}
	v.Level = meetguard.Suspicious
	for range noticeQueue + 3 {
		n.offer(meetguard.Event{Kind: meetguard.ProcessStarted, Process: &meetguard.Process{User: "1000"}}, meetguard.Facts{Path: "/bin/sh"}, v, "f3")
	}
	if got := (<-n.queue).finding; got.Sure || !got.Ran || n.failed.Load() != 3 {
		t.Errorf("%+v, %d failed", got, n.failed.Load())
	}
}

// TestPersons: a launch concerns whoever made it, or had it made.
func TestPersons(t *testing.T) {
	n := testNotices(t, config.Default())
	n.whose = func(path string) desktop.Person { return desktop.Person("owner of " + path) }
	root, ana := "0", "54321"
	if systemName == "windows" {
		root, ana = "S-1-5-18", "S-1-5-21-1-2-3-1001"
	}
	for name, tc := range map[string]struct {
		note notice
		want desktop.Person
	}{
		"file":   {notice{path: "/x"}, "owner of /x"},
		"launch": {notice{path: "/x", process: &meetguard.Process{User: ana}}, desktop.Person(ana)},
		"sudo":   {notice{path: "/x", process: &meetguard.Process{User: root, Ancestors: []meetguard.Process{{User: root}, {User: ana}}}}, desktop.Person(ana)},
		"system": {notice{path: "/x", process: &meetguard.Process{User: root}}, "owner of /x"},
	} {
		if got := n.persons(t.Context(), tc.note); !slices.Equal(got, []desktop.Person{tc.want}) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestSwitchedOff: the switch of the administrator counts, also while it runs.
func TestSwitchedOff(t *testing.T) {
	cfg := config.Default()
	n := testNotices(t, cfg)
	if n.writer == nil || n.brands["zoom"].Name != "Zoom" {
		t.Error("on by default")
	}
	cfg.Notify.Enabled = false
	if err := n.configure(cfg); err != nil || n.writer != nil {
		t.Errorf("switched off: %v, %v", n.writer, err)
	}
	l, err := TestLetter(cfg, true)
	if err != nil || len(l.Texts) != 7 || l.Urgent {
		t.Errorf("a test is shown all the same: %+v, %v", l, err)
	}
}
