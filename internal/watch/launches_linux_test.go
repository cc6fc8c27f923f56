package watch

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"meetguard"
)

// runLaunches runs Launches until the test ends.
func runLaunches(t *testing.T, cfg LaunchesConfig) (*Launches, *seen) {
	t.Helper()
	l, err := NewLaunches(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := &seen{count: map[string]int{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx, s.emit) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	select {
	case <-l.Ready():
	case <-time.After(patience):
		t.Fatalf("not ready: %+v", l.Status())
	}
	return l, s
}

// launched returns the launches of the test binary with this first argument.
func (s *seen) launched(first string) []*meetguard.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*meetguard.Process
	for _, e := range s.events {
		if p := e.Process; p != nil && len(p.Args) > 1 && strings.HasPrefix(p.Args[1], first) && p.Exe == ownPath() {
			found = append(found, p)
		}
	}
	return found
}

// await waits until count launches with this first argument were seen.
func (s *seen) await(t *testing.T, l *Launches, first string, count int) []*meetguard.Process {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		found := s.launched(first)
		if len(found) >= count {
			return found
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d launches of %q seen, counters %+v", len(found), count, first, l.Counters())
		}
	}
}

// needConnector says whether the proc connector can be tested. Without root
// only the fall-back can be.
func needConnector(t *testing.T) bool {
	if os.Geteuid() == 0 {
		return true
	}
	l, _ := runLaunches(t, LaunchesConfig{})
	if s := l.Status(); s.State != meetguard.SourceDegraded || !strings.Contains(s.Detail, "root") {
		t.Errorf("without root: %+v", s)
	}
	t.Log("REDUCED: NOT ROOT, SO THAT THE PROC CONNECTOR ITSELF WAS NOT TESTED, only the fall-back to polling")
	return false
}

func TestConnectorSeesEveryLaunch(t *testing.T) {
	if !needConnector(t) {
		return
	}
	l, s := runLaunches(t, LaunchesConfig{Source: sourceConnector})
	if status := l.Status(); status.State != meetguard.SourceOK {
		t.Fatalf("status %+v", status)
	}
	const children = 200
	sh := exec.Command("sh", "-c", `"$0" 200; :`, ownPath()) // not the test's own child
	sh.Env = append(os.Environ(), roleVariable+"=parent")
	if out, err := sh.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	parent := s.await(t, l, "200", 1)[0]
	seenArgs := map[string]bool{}
	for _, p := range s.await(t, l, "child-", children) {
		seenArgs[p.Args[1]] = true
		if p.PPID != parent.PID || len(p.Ancestors) < 2 || p.Ancestors[0].PID != parent.PID || p.Ancestors[1].PID != sh.Process.Pid {
			t.Fatalf("parent of %+v is not %d", p, parent.PID)
		}
		if !slices.Equal(p.Args[2:], []string{"two words", ""}) || p.User == "" || p.Cwd == "" || p.OS != "linux" ||
			time.Since(p.Started).Abs() > 5*time.Minute || p.Source != sourceConnector {
			t.Fatalf("launch %+v", p)
		}
	}
	if len(seenArgs) != children {
		t.Errorf("%d of %d children", len(seenArgs), children)
	}
	if own := s.launched("-c"); len(own) != 0 {
		t.Errorf("a launch of this process came: %+v", own[0])
	}
	if c := l.Counters(); c.ExecLost != 0 || c.ExecEvents < children+2 {
		t.Errorf("counters %+v", c)
	}
}

func TestAncestorsSurvive(t *testing.T) {
	if !needConnector(t) {
		return
	}
	l, s := runLaunches(t, LaunchesConfig{Source: sourceConnector})
	// The sub-shell in the background ends before the program that it started
	// launches the next one.
	sh := exec.Command("sh", "-c", `( ( sleep 0.3; `+roleVariable+`=orphaner "$0" maker <&3 & ) & ) 3<&0; exec sleep 0.01`, ownPath())
	in, err := sh.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := sh.Start(); err != nil {
		t.Fatal(err)
	}
	orphan := s.await(t, l, "orphan", 1)[0]
	in.Close()
	sh.Wait()
	var pids []int
	for _, a := range orphan.Ancestors {
		pids = append(pids, a.PID)
	}
	if !slices.Contains(pids, sh.Process.Pid) || orphan.PPID == 1 {
		t.Errorf("ancestors %v of %d lack the shell %d that ended", pids, orphan.PID, sh.Process.Pid)
	}
}

func TestReconcileAfterLoss(t *testing.T) {
	if !needConnector(t) {
		return
	}
	l, err := NewLaunches(LaunchesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := openConnector(l, false)
	if err != nil {
		t.Fatal(err)
	}
	defer c.file.Close()
	l.self = 0 // the test's own children count here
	c.seed(t.Context())
	cmd := roleCommand("waiting", "missed")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	c.lost(t.Context())
	if l.Counters().ExecLost != 1 {
		t.Errorf("counters %+v", l.Counters())
	}
	for len(c.out) > 0 {
		if s := <-c.out; s.node.proc.PID == cmd.Process.Pid {
			return
		}
	}
	t.Error("a launch that was lost was not found again")
}

func TestPollSeesLongLivedChild(t *testing.T) {
	l, s := runLaunches(t, LaunchesConfig{Source: sourcePoll, Poll: 50 * time.Millisecond})
	if status := l.Status(); status.State != meetguard.SourceDegraded || !strings.Contains(status.Detail, "short-lived") {
		t.Errorf("status %+v", status)
	}
	sh := exec.Command("sh", "-c", roleVariable+`=waiting "$0" long-lived; :`, ownPath())
	in, err := sh.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := sh.Start(); err != nil {
		t.Fatal(err)
	}
	p := s.await(t, l, "long-lived", 1)[0]
	if p.PPID != sh.Process.Pid || len(p.Ancestors) == 0 || p.Ancestors[0].PID != sh.Process.Pid {
		t.Errorf("launch %+v, want parent %d", p, sh.Process.Pid)
	}
	in.Close()
	sh.Wait()
}
