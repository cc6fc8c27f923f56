package watch

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"meetguard"
)

// fakeListener tells what a test feeds.
type fakeListener struct {
	feed chan told // closing it ends the source
	once sync.Once
	over chan struct{}
}

func (f *fakeListener) listen(ctx context.Context, tell func(told)) error {
	for {
		select {
		case t, open := <-f.feed:
			if !open {
				return errors.New("broke")
			}
			tell(t)
		case <-f.over:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

func (f *fakeListener) close() { f.once.Do(func() { close(f.over) }) }

// fakeSource works once it has failed that often.
func fakeSource(name string, failures int) (source, chan told) {
	feed := make(chan told, 100)
	return source{name: name, state: meetguard.SourceOK, detail: "works", proven: true, open: func(context.Context, *Launches) (listener, error) {
		if failures--; failures >= 0 {
			return nil, errors.New("refused")
		}
		return &fakeListener{feed: feed, over: make(chan struct{})}, nil
	}}, feed
}

// fakeLaunches runs over processes and sources that a test feeds.
func fakeLaunches(t *testing.T, system processes, all ...source) (*Launches, chan meetguard.Event, func() error) {
	t.Helper()
	l, err := NewLaunches(LaunchesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	l.system, l.all, l.again = system, all, 10*time.Millisecond
	out := make(chan meetguard.Event, 100)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- l.Run(ctx, func(_ context.Context, e meetguard.Event) error {
			out <- e
			return nil
		})
	}()
	t.Cleanup(cancel)
	return l, out, func() error { cancel(); return <-done }
}

// nextIs waits for an event of that program from that source.
func nextIs(t *testing.T, l *Launches, out chan meetguard.Event, exe, source string) {
	t.Helper()
	select {
	case e := <-out:
		if e.Path != exe || e.Source != source {
			t.Fatalf("%s of %s came, want %s of %s", e.Path, e.Source, exe, source)
		}
	case <-time.After(patience):
		t.Fatalf("%s did not come: %+v", exe, l.Status())
	}
}

// statusIs waits for a source to be the one in use.
func statusIs(t *testing.T, l *Launches, name string) {
	t.Helper()
	for end := time.Now().Add(patience); !strings.HasPrefix(l.Status().Detail, name+":"); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("status %+v, want %s", l.Status(), name)
		}
	}
}

func launchOf(pid int, exe string) told {
	return told{kind: launched, proc: meetguard.Process{PID: pid, PPID: 1, Exe: exe, Started: time.Unix(1e9, 0)}}
}

func TestNextSourceIsUsed(t *testing.T) {
	best, bestFeed := fakeSource("best", 0)
	next, nextFeed := fakeSource("next", 0)
	best.open = onceOnly(best.open)
	l, out, stop := fakeLaunches(t, fed{}, best, next)
	statusIs(t, l, "best")
	bestFeed <- launchOf(10, "/a")
	nextIs(t, l, out, "/a", "best")
	bestFeed <- launchOf(11, "/b")
	close(bestFeed)
	nextIs(t, l, out, "/b", "best") // told before the source broke
	statusIs(t, l, "next")
	if s := l.Status(); !strings.Contains(s.Detail, "broke") {
		t.Errorf("status does not say why: %+v", s)
	}
	nextFeed <- launchOf(12, "/c")
	nextIs(t, l, out, "/c", "next")
	close(nextFeed)
	for end := time.Now().Add(patience); l.Status().State != meetguard.SourceFailed; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("status %+v, want failed", l.Status())
		}
	}
	if err := stop(); err == nil && l.Status().Detail != "stopped" {
		t.Errorf("no source is left: %v, %+v", err, l.Status())
	}
}

// onceOnly refuses to open a source again.
func onceOnly(open func(context.Context, *Launches) (listener, error)) func(context.Context, *Launches) (listener, error) {
	opened := false
	return func(ctx context.Context, l *Launches) (listener, error) {
		if opened {
			return nil, errors.New("refused")
		}
		opened = true
		return open(ctx, l)
	}
}

func TestBetterSourceIsTriedAgain(t *testing.T) {
	best, bestFeed := fakeSource("best", 3)
	next, nextFeed := fakeSource("next", 0)
	system := fed{}
	nextFeed <- launchOf(10, "/a")
	l, out, stop := fakeLaunches(t, system, best, next)
	nextIs(t, l, out, "/a", "next")
	statusIs(t, l, "best")
	bestFeed <- launchOf(11, "/b")
	nextIs(t, l, out, "/b", "best")
	if s := l.Status(); strings.Contains(s.Detail, "refused") {
		t.Errorf("a reason is left: %+v", s)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestBetterSourceIsTriedEveryTenMinutes(t *testing.T) {
	l, err := NewLaunches(LaunchesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if l.again != 10*time.Minute {
		t.Errorf("better sources are tried again after %v", l.again)
	}
}

// TestLossLeadsToAList: what a source has lost is found by a list, while it goes
// on; and so is what it loses afterwards.
func TestLossLeadsToAList(t *testing.T) {
	s, feed := fakeSource("lossy", 0)
	system := &growing{all: fed{}}
	l, out, stop := fakeLaunches(t, system, s)
	statusIs(t, l, "lossy")
	for i, exe := range []string{"/first", "/second"} {
		system.add(meetguard.Process{PID: 20 + i, PPID: 1, Exe: exe, Started: time.Unix(1e9, 0)})
		feed <- told{kind: lost, count: 3}
		nextIs(t, l, out, exe, sourcePoll)
		if got := l.Counters().ExecLost; got != int64(3*(i+1)) {
			t.Errorf("%d launches lost, want %d", got, 3*(i+1))
		}
	}
	feed <- launchOf(30, "/heard")
	nextIs(t, l, out, "/heard", "lossy")
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// growing are processes that a test adds to while they are listed.
type growing struct {
	mu  sync.Mutex
	all fed
}

func (g *growing) add(p meetguard.Process) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all[p.PID] = p
}

func (g *growing) pids(ctx context.Context) ([]int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.all.pids(ctx)
}

func (g *growing) started(ctx context.Context, pid int) (time.Time, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.all.started(ctx, pid)
}

func (g *growing) describe(ctx context.Context, pid int) (meetguard.Process, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.all.describe(ctx, pid)
}

func TestAdoptTellsOnce(t *testing.T) {
	start := time.Unix(1e9, 0)
	system := fed{}
	h, got := fedHub(t, system)
	hear := func(early ...told) {
		t.Helper()
		h.adopt(t.Context(), &running{source: source{name: "test"}, early: early})
	}
	system[9] = meetguard.Process{PID: 9, PPID: 1, Exe: "/before", Started: start}
	hear(launchOf(10, "/a"))
	system[10] = meetguard.Process{PID: 10, PPID: 1, Exe: "/a", Started: start}
	system[11] = meetguard.Process{PID: 11, PPID: 1, Exe: "/between", Started: start}
	hear(launchOf(10, "/a"), launchOf(12, "/c")) // both have told of the first
	if want := []string{"/a0", "/between0", "/c0"}; !slices.Equal(*got, want) {
		t.Errorf("got %q, want %q", *got, want)
	}
}

func TestMuteSourceIsNotUsed(t *testing.T) {
	mute, feed := fakeSource("mute", 0)
	mute.proven = false
	feed <- launchOf(os.Getpid(), "/other") // of something else
	next, _ := fakeSource("next", 0)
	l, _, stop := fakeLaunches(t, fed{}, mute, next)
	statusIs(t, l, "next")
	if s := l.Status(); !strings.Contains(s.Detail, errNoProof.Error()) {
		t.Errorf("status %+v", s)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestEarlyIsBounded(t *testing.T) {
	var r running
	for range earlyMost + 10 {
		r.keep(launchOf(1, "/a"))
	}
	if last := r.early[len(r.early)-1]; len(r.early) != earlyMost || last.kind != lost || last.count != 10 {
		t.Errorf("%d kept, the last is %+v", len(r.early), last)
	}
}
