package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"meetguard"
)

// The sources of launches.
const (
	sourceEBPF      = "ebpf"
	sourceConnector = "proc-connector"
	sourceETW       = "etw"
	sourceSysmon    = "sysmon"
	sourceAudit     = "security-log"
	sourceESLogger  = "eslogger"
	sourcePoll      = "poll"
)

const (
	pollEvery   = 2 * time.Second  // between two lists of processes
	betterAfter = 10 * time.Minute // until the sources that did not work are tried again
)

// LaunchesConfig says how launches are seen.
type LaunchesConfig struct {
	Log *slog.Logger
	// Source is "ebpf" or "proc-connector" (both Linux, as root), "etw",
	// "sysmon" or "security-log" (Windows, as SYSTEM or administrator),
	// "eslogger" (macOS, as root), or "poll"; "" is the best one that works.
	Source string
	// Poll is the time between two lists of processes, where they are polled;
	// 0 is 2 s.
	Poll time.Duration
	// Paced leaves it to whoever calls Retry when better sources are tried again.
	Paced bool
}

// LaunchCounters is what Launches has counted since it was made.
type LaunchCounters struct {
	ExecEvents int64 // launches that the source told of, those of this process too
	ExecLost   int64 // launches that the kernel could not queue, or emit had no room for; a source that cannot count them counts each time as one. Those that still ran were found again
	ExecUnread int64 // launches that were over before they could be read: nothing is known but their number
	ExecCut    int64 // launches whose arguments, or path, are known in part: they are long, and the process was over too soon
}

// Launches sees the programs that are launched. Launches by this very process
// are left out: they are the agent's own workers.
type Launches struct {
	cfg    LaunchesConfig
	log    *slog.Logger
	system processes
	self   int
	again  time.Duration // betterAfter
	due    chan struct{} // holds a token when Retry was called
	all    []source      // best first
	ready  chan struct{}
	once   sync.Once

	events, lost, unread, cut atomic.Int64

	mu     sync.Mutex
	status meetguard.SourceStatus
}

// NewLaunches checks the configuration. It starts nothing.
func NewLaunches(cfg LaunchesConfig) (*Launches, error) {
	if cfg.Poll <= 0 {
		cfg.Poll = pollEvery
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	l := &Launches{cfg: cfg, log: cfg.Log, system: newProcesses(), self: os.Getpid(), again: betterAfter, due: make(chan struct{}, 1), ready: make(chan struct{})}
	l.all = chosen(cfg.Source, append(kernelSources(), pollSource(cfg.Poll)))
	if len(l.all) == 0 {
		return nil, fmt.Errorf("choose launch source: %q is none of this system", cfg.Source)
	}
	l.set(meetguard.SourceFailed, "not started")
	return l, nil
}

// chosen are the sources that the configuration allows.
func chosen(name string, all []source) []source {
	if name == "" {
		return all
	}
	for _, s := range all {
		if s.name == name {
			return []source{s}
		}
	}
	return nil
}

// Ready is closed when launches are seen, by whatever source.
func (l *Launches) Ready() <-chan struct{} { return l.ready }

// Retry has the sources tried again that are better than the one in use, if there
// are any. It never waits and may be called at any time.
func (l *Launches) Retry() {
	select {
	case l.due <- struct{}{}:
	default:
	}
}

// Status is one line, named "launches". It may be called at any time.
func (l *Launches) Status() meetguard.SourceStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// Counters may be called at any time.
func (l *Launches) Counters() LaunchCounters {
	return LaunchCounters{ExecEvents: l.events.Load(), ExecLost: l.lost.Load(), ExecUnread: l.unread.Load(), ExecCut: l.cut.Load()}
}

func (l *Launches) set(state meetguard.SourceState, detail string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = meetguard.SourceStatus{Name: "launches", State: state, Detail: detail}
}

// live notes that a source works, and why no better one does.
func (l *Launches) live(s source, why error) {
	detail := s.name + ": " + s.detail
	if why != nil {
		detail += " (" + strings.ReplaceAll(why.Error(), "\n", "; ") + ")"
	}
	l.set(s.state, detail)
	l.log.Info("Launches are seen", "source", s.name, "state", s.state, "detail", s.detail, "instead", why)
	l.once.Do(func() { close(l.ready) })
}

// Run watches until ctx ends, then returns nil. It calls emit once at a time,
// and while it waits for emit nothing is heard. An error of emit ends Run, but
// for ErrBusy. The best source that proves itself is used; if it stops working
// the next one is, and better ones are tried again every ten minutes, or as Paced
// says. Run is called once.
func (l *Launches) Run(ctx context.Context, emit func(context.Context, meetguard.Event) error) error {
	defer l.set(meetguard.SourceFailed, "stopped")
	h := newHub(l, emit)
	err := l.watch(ctx, h)
	switch {
	case ctx.Err() != nil:
		return nil
	case h.out.err != nil:
		return fmt.Errorf("hand over launch: %w", h.out.err)
	default:
		return fmt.Errorf("watch launches: %w", err)
	}
}

// watch goes from source to source, until none works or ctx ends.
func (l *Launches) watch(ctx context.Context, h *hub) error {
	var failed error
	for from := 0; from < len(l.all); {
		r, err := l.best(ctx, l.all[from:])
		if failed = errors.Join(failed, err); r == nil {
			break
		}
		for r != nil {
			l.live(r.source, failed)
			from = l.place(r) + 1
			if r, err = l.follow(ctx, h, r); ctx.Err() != nil || h.out.err != nil {
				return err
			}
			failed = err
		}
		l.log.Warn("A source of launches has failed", "reason", failed)
		l.set(meetguard.SourceFailed, failed.Error())
	}
	return failed
}

// follow hears a source until it ends, and returns a better one if that is why.
func (l *Launches) follow(ctx context.Context, h *hub, r *running) (*running, error) {
	retry, stop := context.WithCancel(ctx)
	found := make(chan *running, 1)
	var wg sync.WaitGroup
	wg.Go(func() { l.retry(ctx, retry, l.all[:l.place(r)], found) })
	better, err := h.follow(ctx, r, found)
	r.stop()
	stop()
	wg.Wait()
	if better == nil && len(found) > 0 {
		better = <-found
	}
	if better != nil && (ctx.Err() != nil || h.out.err != nil) {
		better.stop()
		better = nil
	}
	return better, err
}

// place is where a source stands among all.
func (l *Launches) place(r *running) int {
	for i, s := range l.all {
		if s.name == r.name {
			return i
		}
	}
	return len(l.all)
}

// retry tries the better sources now and then. A source found runs as long as
// ctx does; the search ends with stop.
func (l *Launches) retry(ctx, stop context.Context, better []source, found chan<- *running) {
	select {
	case <-l.due: // asked for while there was nothing better
	default:
	}
	for len(better) > 0 {
		var later <-chan time.Time
		if !l.cfg.Paced {
			later = time.After(l.again)
		}
		select {
		case <-stop.Done():
			return
		case <-l.due:
		case <-later:
		}
		if r, _ := l.best(ctx, better); r != nil {
			found <- r
			return
		}
	}
}
