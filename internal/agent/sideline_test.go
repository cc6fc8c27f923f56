//go:build unix

package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"meetguard"
	"meetguard/internal/config"
	"meetguard/internal/watch"
)

// slowJudge judges a file when it is released, others at once, and notes the order.
type slowJudge struct {
	mu     sync.Mutex
	order  []string
	broken int // off, because others waited
	gates  map[string]chan error
}

func (j *slowJudge) judge(ctx context.Context, ev meetguard.Event) error {
	j.mu.Lock()
	gate := j.gates[ev.Path]
	j.mu.Unlock()
	var err error
	if gate != nil {
		select {
		case err = <-gate:
		case <-ctx.Done():
			j.mu.Lock()
			defer j.mu.Unlock()
			j.broken++
			return ctx.Err()
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.order = append(j.order, ev.Path)
	return err
}

// open has a file judged at once from now on.
func (j *slowJudge) open(path string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.gates, path)
}

func (j *slowJudge) done() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.order)
}

// sidelined runs a sideline over files that wait for their gate.
func sidelined(t *testing.T, j *slowJudge, gates ...string) *sideline[meetguard.Event] {
	t.Helper()
	j.gates = map[string]chan error{}
	for _, path := range gates {
		j.gates[path] = make(chan error, 1)
	}
	s := fileSideline(j.judge, func() bool { return true }, func(path string) string { return path[:2] })
	s.hasty, s.patience = 5*time.Millisecond, 5*time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return s
}

func land(path string) meetguard.Event { return meetguard.Event{Path: path} }

// TestSlowFileHoldsUpNobody: while one file is slow and others that are slow wait
// for its place, what is quick is judged as it lands; then the slow ones, one of
// each root in turn.
func TestSlowFileHoldsUpNobody(t *testing.T) {
	j := &slowJudge{}
	slow := []string{"/a/1", "/a/2", "/a/3", "/b/1"}
	s := sidelined(t, j, slow...)
	var want []string
	for i, path := range slow {
		for _, path := range []string{path, fmt.Sprint("/b/quick", i)} {
			if _, err := s.first(context.Background(), land(path)); err != nil {
				t.Fatal(err)
			}
			until(t, s.busy.Load) // the first slow one has the place, whoever was quicker
		}
		want = append(want, fmt.Sprint("/b/quick", i))
	}
	if got := j.done(); !slices.Equal(got, want) {
		t.Errorf("judged %v, want %v", got, want)
	}
	if n := s.waiting(); n != len(slow) {
		t.Errorf("%d wait or are under way, want %d", n, len(slow))
	}
	src := meetguard.SourceStatus{State: meetguard.SourceOK}
	if s.over(&src); src.State != meetguard.SourceDegraded || !strings.Contains(src.Detail, "/a/1 has been inspected for") || !strings.Contains(src.Detail, "3 more files") {
		t.Errorf("status says %+v", src)
	}
	for _, path := range slow {
		j.gates[path] <- nil
	}
	until(t, func() bool { return s.waiting() == 0 })
	if got := j.done()[len(want):]; !slices.Equal(got, []string{"/a/1", "/a/2", "/b/1", "/a/3"}) {
		t.Errorf("the slow ones were judged in the order %v", got)
	}
}

// TestSlowFileThatCannotBeJudged comes back, and what is known to wait is not put
// there twice.
func TestSlowFileThatCannotBeJudged(t *testing.T) {
	j := &slowJudge{}
	path := put(t, filepath.Join(t.TempDir(), "slow"), nil)
	s := sidelined(t, j, path)
	if _, err := s.first(context.Background(), land(path)); err != nil {
		t.Fatal(err)
	}
	j.gates[path] <- watch.ErrLater
	until(t, func() bool { return len(j.done()) == 1 })
	j.open(path) // it comes back after sideRest, if this takes that long
	for range 3 {
		if err := s.wait(land("/a/again")); err != nil {
			t.Fatal(err)
		}
	}
	until(t, func() bool { return s.waiting() == 0 })
	again := slices.DeleteFunc(j.done(), func(judged string) bool { return judged == path })
	if n := len(again); n < 1 || n > 3 {
		t.Errorf("judged %d times", n)
	}
}

// TestSlowFileIsCountedAtAnyTime: also in the moment in which it is taken out of
// those that wait, or is handed over.
func TestSlowFileIsCountedAtAnyTime(t *testing.T) {
	s := fileSideline(nil, nil, func(string) string { return "" })
	if err := s.wait(land("/a/1")); err != nil {
		t.Fatal(err)
	}
	if ev, ok := s.next(); !ok || ev.Path != "/a/1" || s.waiting() != 1 {
		t.Errorf("%v %v, %d wait or are under way", ev, ok, s.waiting())
	}
	if s.handOver(handed[meetguard.Event]{it: land("/a/2")}) {
		t.Error("a place that is taken was given away")
	}
	s.end()
	if _, ok := s.next(); ok || s.waiting() != 0 {
		t.Errorf("another one is under way: %v, %d", ok, s.waiting())
	}
	if !s.handOver(handed[meetguard.Event]{it: land("/a/3")}) || s.waiting() != 1 || s.handOver(handed[meetguard.Event]{it: land("/a/4")}) {
		t.Errorf("%d wait or are under way", s.waiting())
	}
	if err := s.wait(land("/a/5")); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.next(); ok || s.waiting() != 2 {
		t.Errorf("what was handed over was put behind another: %v, %d", ok, s.waiting())
	}
}

// TestSidelineIsBounded: what finds no room is offered again by the source.
func TestSidelineIsBounded(t *testing.T) {
	s := fileSideline(nil, nil, func(string) string { return "" })
	for i := range sideWaiting {
		if err := s.wait(land(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.wait(land("one more")); !errors.Is(err, watch.ErrLater) {
		t.Errorf("%v", err)
	}
	if err := s.wait(land("0")); err != nil && !errors.Is(err, watch.ErrLater) {
		t.Errorf("%v", err)
	}
}

// bear sets the patience of a sideline that may run.
func (s *sideline[T]) bear(patience time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.patience = patience
}

// TestLureBesideSlowFiles: a whole agent finds a lure that lands beside files whose
// inspection has no end yet, and these when they have one.
func TestLureBesideSlowFiles(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	cfg := config.Default()
	cfg.State, cfg.Watch, cfg.Launches = state, []string{dir}, "off"
	ctx, cancel := context.WithCancel(context.Background())
	a, err := New(ctx, Options{Config: cfg, Fixed: true, Worker: []string{os.Args[0], slowArg}, Version: "1.0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	a.sideline.hasty = 50 * time.Millisecond
	a.sideline.bear(500 * time.Millisecond)
	done := make(chan error)
	go func() { done <- a.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	<-a.live
	gate := filepath.Join(t.TempDir(), "gate")
	for i := range 3 {
		put(t, filepath.Join(dir, fmt.Sprintf("slow-%d.txt", i)), []byte(gate))
	}
	until(t, func() bool { return a.sideline.waiting() == 2 })
	a.sideline.bear(sidePatience)       // the lure is quick, and not put aside on a busy machine
	const name = "Zoom SDK Update.scpt" // it lands at once: what is still to be told of it would count as another file that waits
	if err := os.Rename(put(t, filepath.Join(t.TempDir(), name), lureText()), filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return a.alerts.Counters().Created == 1 })
	if n := a.counts.judged.Load(); n != 1 {
		t.Errorf("%d files judged, want the lure alone", n)
	}
	put(t, gate, nil)
	until(t, func() bool { return a.counts.judged.Load() == 4 && a.status().Counters["files_pending"] == 0 })
}
