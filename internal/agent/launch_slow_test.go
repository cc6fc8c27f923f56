//go:build unix

package agent

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"meetguard"
	"meetguard/internal/config"
)

// slowLaunches is an agent that is told of launches, whose worker takes its time
// over what is called slow-.
func slowLaunches(t *testing.T) *Agent {
	t.Helper()
	cfg := config.Default()
	cfg.State, cfg.Watch, cfg.Launches = t.TempDir(), []string{t.TempDir()}, "off"
	ctx, cancel := context.WithCancel(context.Background())
	a, err := New(ctx, Options{Config: cfg, Fixed: true, Worker: []string{os.Args[0], slowArg}, Version: "1.0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	a.slow.patience = 300 * time.Millisecond
	done := make(chan error)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-a.live
	return a
}

// slowLure is a lure that cannot be read before its gate is there.
func slowLure(t *testing.T) (path, gate string) {
	t.Helper()
	dir := t.TempDir()
	gate = filepath.Join(dir, "gate")
	return put(t, filepath.Join(dir, "slow-Zoom SDK Update.scpt"), append(lureText(), "\n-- "+gate...)), gate
}

// TestSlowLaunchHoldsUpNobody: the launches behind one that takes long have their
// verdicts before it, also what it has started itself and what is as slow; then it
// has its own, in the chain that was told meanwhile, and nothing is told twice.
func TestSlowLaunchHoldsUpNobody(t *testing.T) {
	a := slowLaunches(t)
	lure, gate := slowLure(t)
	other, _ := slowLure(t)
	put(t, other, append(lureText(), "\n-- "+gate...))
	offer := func(ev meetguard.Event) {
		t.Helper()
		if err := a.launchEvent(context.Background(), ev); err != nil {
			t.Fatal(err)
		}
	}
	offer(started(199, 1, absent+"sh", "/tmp/.sync.sh")) // a hidden file: suspicious
	offer(started(200, 199, absent+"osascript", lure))
	offer(started(201, 200, absent+"git", "diff"))
	offer(started(300, 1, absent+"osascript", other))
	for i := range 100 {
		args := []string{absent + "git", "status"}
		if i%10 == 0 {
			args = []string{absent + "sh", "-c", "echo curl " + fmt.Sprint(i)} // a worker reads it
		}
		offer(started(1000+i, 1, args...))
	}
	until(t, func() bool { return a.counts.launchesJudged.Load() == 102 })
	if n := a.alerts.Counters().Created; n != 1 {
		t.Errorf("%d alerts before the slow launches have their verdicts, want that of the first", n)
	}
	if n := a.status().Counters["exec_pending"]; n != 2 {
		t.Errorf("%d launches wait, want the two slow ones", n)
	}
	offer(started(202, 201, absent+"git", "log"))
	put(t, gate, nil)
	until(t, func() bool { return a.counts.launchesJudged.Load() == 105 })
	if n := a.status().Counters["exec_pending"]; n != 0 {
		t.Errorf("%d launches wait at the end", n)
	}
	got := written(t, a)
	if len(got) != 3 {
		t.Fatalf("%d alerts, want three: %+v", len(got), a.status().Counters)
	}
	first, lured, second := got[0].Unmapped, got[1].Unmapped, got[2].Unmapped
	chain := func(i int) string { return got[i].FindingInfo.UID }
	if lured.Path != lure || lured.PID != 200 || chain(1) != chain(0) || got[1].ActivityName != "Update" || second.Path != other || chain(2) == chain(0) {
		t.Errorf("told of %s in chain %s, %s in %s (%s) and %s in %s", first.Path, chain(0), lured.Path, chain(1), got[1].ActivityName, second.Path, chain(2))
	}
	var pids []string
	for _, line := range lured.Story {
		_, rest, _ := strings.Cut(line, "(")
		pid, _, _ := strings.Cut(rest, ")")
		pids = append(pids, pid)
	}
	if !slices.Equal(pids, []string{"199", "200", "201", "202"}) {
		t.Errorf("the story of the chain is %q", lured.Story)
	}
}

// TestSlowLaunchesAreBounded: what finds no room to wait is judged to its end, and
// others wait in the queue, which tells when it is full.
func TestSlowLaunchesAreBounded(t *testing.T) {
	a := &Agent{queue: make(chan *meetguard.Event, 1)}
	s := a.launchSideline(nil)
	long := strings.Repeat("x", 60<<10)
	room := 0
	for ; ; room++ {
		g := &gathering{ev: started(100+room, 1, absent+"sh", long)}
		if !s.fits(g) {
			break
		}
		if err := s.wait(g); err != nil {
			t.Fatal(err)
		}
	}
	if room > slowRoom/len(long) || room < slowRoom/(len(long)+2*slowLaunch) {
		t.Errorf("%d launches of %d bytes wait", room, len(long))
	}
	gate := make(chan struct{})
	s.judge = func(ctx context.Context, _ *gathering) error {
		select {
		case <-gate:
		case <-ctx.Done():
		}
		return ctx.Err()
	}
	s.hasty, s.patience = time.Millisecond, time.Millisecond
	if err := a.launchEvent(context.Background(), started(1, 1, absent+"sh")); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(3*sideAgain, func() { close(gate) })
	if aside, err := s.first(context.Background(), &gathering{ev: started(2, 1, absent+"sh", long)}); aside || err != nil {
		t.Errorf("put aside %v, %v", aside, err)
	}
	for range room {
		if _, ok := s.next(); !ok {
			t.Fatal("one that waited is gone")
		}
		s.end()
	}
	if s.used != 0 || s.count != 0 {
		t.Errorf("%d bytes of %d launches are taken by nobody", s.used, s.count)
	}
}

// TestKnownLaunchAsksNobody: what was read before is not read again, nor are its
// arguments, and what comes of it is the same.
func TestKnownLaunchAsksNobody(t *testing.T) {
	in := inspector(t, workerArg)
	dir := t.TempDir()
	exe := put(t, filepath.Join(dir, "sh"), []byte("a shell\n"))
	script := put(t, filepath.Join(dir, "hello.sh"), []byte("echo hello\n"))
	p := started(100, 1, exe, script).Process
	if _, all := in.recalled(p); all {
		t.Error("known before it was read")
	}
	want := in.Launch(context.Background(), p)
	got, all := in.recalled(p)
	if !all || got.SHA256 != want.SHA256 || got.Path != exe || got.Process != p || countArguments(&got) != 1 || got.Members[0].SHA256 != want.Members[0].SHA256 || got.Members[0].Path != script {
		t.Errorf("recalled %v: %+v, want %+v", all, got, want)
	}
	if _, all := in.recalled(started(101, 1, exe, "-c", "curl https://files.invalid/a").Process); all {
		t.Error("a command line is known that nobody has read")
	}
	put(t, script, []byte("echo goodbye, all of you\n"))
	if _, all := in.recalled(p); all {
		t.Error("known after it was changed")
	}
}
