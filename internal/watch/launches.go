package watch

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"sync"
	"sync/atomic"
	"time"

	"meetguard"
)

// The sources of launches.
const (
	sourceConnector = "proc-connector"
	sourcePoll      = "poll"
)

// pollEvery is the default time between two lists of processes.
const pollEvery = 2 * time.Second

// LaunchesConfig says how launches are seen.
type LaunchesConfig struct {
	Log *slog.Logger
	// Source is "proc-connector" (Linux, as root) or "poll"; "" is the best
	// one that works.
	Source string
	// Poll is the time between two lists of processes, where they are polled;
	// 0 is 2 s.
	Poll time.Duration
}

// LaunchCounters is what Launches has counted since it was made.
type LaunchCounters struct {
	ExecEvents int64 // launches that the source told of, those of this process too
	ExecLost   int64 // times that launches were lost, each made good as far as they still ran, and launches without room
	ExecUnread int64 // launches that were over before they could be read: nothing is known but their number
}

// Launches sees the programs that are launched. Launches by this very process
// are left out: they are the agent's own workers.
type Launches struct {
	cfg    LaunchesConfig
	log    *slog.Logger
	system processes
	self   int
	ready  chan struct{}
	once   sync.Once

	events, lost, unread atomic.Int64

	mu     sync.Mutex
	status meetguard.SourceStatus
}

// NewLaunches checks the configuration. It starts nothing.
func NewLaunches(cfg LaunchesConfig) (*Launches, error) {
	switch cfg.Source {
	case "", sourceConnector, sourcePoll:
	default:
		return nil, fmt.Errorf("choose launch source: %q is none of proc-connector, poll", cfg.Source)
	}
	if cfg.Poll <= 0 {
		cfg.Poll = pollEvery
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	l := &Launches{cfg: cfg, log: cfg.Log, system: systemProcesses{}, self: os.Getpid(), ready: make(chan struct{})}
	l.set(meetguard.SourceFailed, "not started")
	return l, nil
}

// Ready is closed when launches are seen, by whatever source.
func (l *Launches) Ready() <-chan struct{} { return l.ready }

// Status is one line, named "launches". It may be called at any time.
func (l *Launches) Status() meetguard.SourceStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// Counters may be called at any time.
func (l *Launches) Counters() LaunchCounters {
	return LaunchCounters{ExecEvents: l.events.Load(), ExecLost: l.lost.Load(), ExecUnread: l.unread.Load()}
}

func (l *Launches) set(state meetguard.SourceState, detail string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = meetguard.SourceStatus{Name: "launches", State: state, Detail: detail}
}

// live notes that the source works.
func (l *Launches) live(state meetguard.SourceState, detail string) {
	l.set(state, detail)
	l.once.Do(func() { close(l.ready) })
}

// Run watches until ctx ends, then returns nil. It calls emit from one
// goroutine. An error of emit ends Run. If the best source does not work, or
// stops working, the processes are polled. Run is called once.
func (l *Launches) Run(ctx context.Context, emit func(context.Context, meetguard.Event) error) error {
	out := &launchOut{emit: emit, users: map[string]string{}}
	err := errUnwanted
	if l.cfg.Source != sourcePoll {
		err = runBest(ctx, l, out)
	}
	switch {
	case out.err != nil && ctx.Err() == nil:
		err = fmt.Errorf("hand over launch: %w", out.err)
	case ctx.Err() != nil:
		err = nil
	case l.cfg.Source == sourceConnector:
		err = fmt.Errorf("watch launches: %w", err)
	default:
		return l.poll(ctx, out, err)
	}
	l.set(meetguard.SourceFailed, "stopped")
	return err
}

// launchOut makes events of nodes. It belongs to one goroutine.
type launchOut struct {
	emit  func(context.Context, meetguard.Event) error
	users map[string]string
	err   error // of emit
}

// usersMost bounds the names kept.
const usersMost = 1024

// send emits one launch.
func (o *launchOut) send(ctx context.Context, n *node, source string, seen time.Time) error {
	o.err = o.emit(ctx, meetguard.Event{
		Time: seen, Kind: meetguard.ProcessStarted, Path: n.proc.Exe, Source: source, Process: n.launch(source, o.user),
	})
	return o.err
}

// user returns the name of a numeric user; a name is returned as it is.
func (o *launchOut) user(id string) string {
	if id == "" || id[0] < '0' || id[0] > '9' {
		return id
	}
	name, known := o.users[id]
	if !known {
		name = id
		if u, err := user.LookupId(id); err == nil {
			name = u.Username
		}
		if len(o.users) < usersMost {
			o.users[id] = name
		}
	}
	return name
}
