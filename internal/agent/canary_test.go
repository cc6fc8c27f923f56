package agent

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"meetguard"
	"meetguard/internal/config"
)

// canaryAgent runs an agent with a canary until the test ends. What it proved
// and why it failed come out of the channels.
func canaryAgent(t *testing.T, worker, state string, limit time.Duration) (a *Agent, proved, failed chan string) {
	t.Helper()
	proved, failed = make(chan string, 100), make(chan string, 100)
	cfg := config.Default()
	cfg.State, cfg.Watch, cfg.Launches = state, []string{t.TempDir()}, "off"
	c := Canary{Every: time.Hour, Limit: limit, Proved: func(how string) { proved <- how }, Failed: func(why string) { failed <- why }}
	ctx, cancel := context.WithCancel(context.Background())
	a, err := New(ctx, Options{Config: cfg, Fixed: true, Worker: []string{os.Args[0], worker}, Version: "1.0", Canary: c, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return a, proved, failed
}

// TestCanaryProves: the file comes back through the source and the worker, no
// alert and no file is left, and what an earlier agent left is no alert either.
func TestCanaryProves(t *testing.T) {
	state := t.TempDir()
	put(t, filepath.Join(state, canaryFolder, "canary-0000.txt"), []byte(TestLure))
	a, proved, failed := canaryAgent(t, workerArg, state, time.Minute)
	select {
	case how := <-proved:
		if !strings.Contains(how, "a file came back") || !strings.Contains(how, "launches were not tried") {
			t.Errorf("proved by %q", how)
		}
	case why := <-failed:
		t.Fatal(why)
	}
	if n := a.alerts.Counters().Created; n != 0 {
		t.Errorf("%d alerts of a canary", n)
	}
	st := a.status()
	if got := st.Counters["files_judged"]; got != 0 {
		t.Errorf("%d files judged", got)
	}
	for _, s := range st.Sources {
		switch {
		case s.Name == "canary" && s.State != meetguard.SourceOK, s.Name == "files" && !strings.Contains(s.Detail, "1 folders below 1 roots"):
			t.Errorf("%+v", s)
		}
	}
	left, err := os.ReadDir(filepath.Join(state, canaryFolder))
	if err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// TestCanaryFindsAHang: a worker that says nothing of files any more is found
// out, and status says so.
func TestCanaryFindsAHang(t *testing.T) {
	state := t.TempDir()
	a, proved, failed := canaryAgent(t, silentArg, state, 300*time.Millisecond)
	select {
	case why := <-failed:
		if !strings.Contains(why, "a file that was dropped for a test did not come back") {
			t.Error(why)
		}
	case how := <-proved:
		t.Fatalf("proved by %s", how)
	}
	until(t, func() bool { // it is written beside, see canarySave
		st, err := ReadStatus(state)
		return err == nil && st.Failed()
	})
	if n := a.alerts.Counters().Created; n != 0 {
		t.Errorf("%d alerts of a canary", n)
	}
}

// TestCanaryOnlyHidesItself: in the canary's folder, too, what is more than the
// test lure is a finding, and elsewhere the test lure is one.
func TestCanaryOnlyHidesItself(t *testing.T) {
	c := &canary{dir: filepath.Join("state", canaryFolder)}
	test := meetguard.Finding{Rule: RuleTest}
	for name, tc := range map[string]struct {
		path     string
		findings []meetguard.Finding
		want     bool
	}{
		"its own":      {filepath.Join(c.dir, "canary-1.txt"), []meetguard.Finding{test}, true},
		"a lure there": {filepath.Join(c.dir, "zoom.sh"), []meetguard.Finding{{Rule: "MG-SCRIPT-CRADLE"}}, false},
		"both":         {filepath.Join(c.dir, "canary-1.txt"), []meetguard.Finding{test, {Rule: "MG-SCRIPT-CRADLE"}}, false},
		"clean":        {filepath.Join(c.dir, "canary-1.txt"), nil, false},
		"elsewhere":    {filepath.Join("home", "canary-1.txt"), []meetguard.Finding{test}, false},
		"below":        {filepath.Join(c.dir, "sub", "canary-1.txt"), []meetguard.Finding{test}, false},
	} {
		if got := c.owns(tc.path) && c.landed(tc.path, meetguard.Verdict{Findings: tc.findings}); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	var none *canary
	if none.owns("x") || none.launched("x") || none.sources() != nil {
		t.Error("no canary is one")
	}
}

// TestCanaryLaunch: the word of the proof under way is taken once it is under
// way, and no other.
func TestCanaryLaunch(t *testing.T) {
	c := &canary{}
	p, err := newFlight()
	if err != nil {
		t.Fatal(err)
	}
	if c.launched(p.word) {
		t.Error("taken before it was made")
	}
	c.begin(p)
	if c.launched("canary-other") || !c.launched(p.word) || !c.launched(p.word) || !done(p.launch) || done(p.file) {
		t.Error("the launch was not taken for what it is")
	}
	c.begin(nil)
	if c.launched(p.word) {
		t.Error("taken after its proof")
	}
}

// TestCanaryWaitsBehindABurst: as long as files are judged, a proof that waits
// behind them has not failed; when nothing moves, it has.
func TestCanaryWaitsBehindABurst(t *testing.T) {
	a, turns := &Agent{}, 0
	a.canary = &canary{Canary: Canary{Limit: time.Millisecond, Proved: func(string) { turns++ }}}
	p, err := newFlight()
	if err != nil {
		t.Fatal(err)
	}
	close(p.launch)
	burst := waited{context.Background(), func() {
		if turns < 3 {
			a.counts.read.Add(1)
		}
	}}
	if err := a.await(burst, p); err == nil || turns != 3 {
		t.Errorf("%d turns, %v", turns, err)
	}
}

// waited is a context in which something happens whenever somebody waits for its end.
type waited struct {
	context.Context
	happens func()
}

func (w waited) Done() <-chan struct{} {
	w.happens()
	return w.Context.Done()
}

// TestCanaryFullVolume: a full volume is told and ends nothing.
func TestCanaryFullVolume(t *testing.T) {
	for err, want := range map[error]bool{fullVolume: true, fs.ErrPermission: false} {
		if got := volumeRefuses(&fs.PathError{Op: "write", Err: err}); got != want {
			t.Errorf("%v: %v", err, got)
		}
	}
}
