package watch

import (
	"context"
	"errors"
	"os/user"
	"slices"
	"time"

	"meetguard"
)

// reconcileEvery is the least time between two lists of the processes that
// make good what was lost.
const reconcileEvery = time.Second

// hub hears one source after the other, remembers the processes, and emits
// launches. Whoever uses it holds the lock of the source that is heard.
type hub struct {
	l     *Launches
	table *table
	out   launchOut
	begun bool          // a source has been heard
	gaps  chan struct{} // holds a token when launches were lost
	last  time.Time     // when the processes were last listed for that
	late  map[int]*node // launches that emit had no room for, by process
}

// lateMost bounds the launches that are offered again.
const lateMost = 4096

// ErrBusy is what emit returns if it has no room for a launch. It is counted as
// lost, and offered again if it still runs when the processes are listed for
// that, a second later at most.
var ErrBusy = errors.New("no room for a launch")

func newHub(l *Launches, emit func(context.Context, meetguard.Event) error) *hub {
	h := &hub{l: l, out: launchOut{emit: emit, users: map[string]string{}, failed: make(chan struct{})}, gaps: make(chan struct{}, 1), late: map[int]*node{}}
	h.table = newTable(func(pid int) (meetguard.Process, error) { return l.system.describe(context.Background(), pid) })
	return h
}

// follow hears a source until ctx ends, it fails, or a better one is found,
// which it returns.
func (h *hub) follow(ctx context.Context, r *running, found <-chan *running) (*running, error) {
	r.mu.Lock()
	h.adopt(ctx, r)
	r.mu.Unlock()
	gaps, due := h.gaps, (<-chan time.Time)(nil)
	for {
		select {
		case <-ctx.Done():
			return nil, nil
		case <-h.out.failed:
			return nil, h.out.err
		case err := <-r.ended:
			return nil, err
		case better := <-found:
			return better, nil
		case <-gaps:
			gaps, due = nil, time.After(time.Until(h.last.Add(reconcileEvery)))
		case <-due:
			gaps, due = h.gaps, nil
			r.mu.Lock()
			h.reconcile(ctx)
			r.mu.Unlock()
		}
	}
}

// adopt takes in what runs already, and what a source told before it was heard.
// With a second source, what started since the first was heard is emitted, but
// what both have told only once.
func (h *hub) adopt(ctx context.Context, r *running) {
	second := h.begun
	h.begun = true
	if second {
		h.reconcile(ctx)
	} else {
		h.seed(ctx)
	}
	for _, t := range r.early {
		if !second || t.kind != launched || !h.table.holds(t.proc) {
			h.hear(ctx, t, r.name)
		}
	}
	r.early = nil
	r.hear = func(t told) { h.hear(ctx, t, r.name) }
}

// hear acts on what a source tells.
func (h *hub) hear(ctx context.Context, t told, source string) {
	switch t.kind {
	case forked:
		h.table.fork(t.proc.PID, t.proc.PPID, t.proc.Started)
		h.forget(ctx, t.proc.Started)
	case ended:
		h.table.end(t.proc.PID, t.proc.Started)
	case lost:
		h.lose(t.count)
	case launched:
		h.launch(ctx, t.proc, source, t.seen)
		h.forget(ctx, t.seen)
	}
}

// forget drops processes that ended, of which not every source tells.
func (h *hub) forget(ctx context.Context, now time.Time) {
	h.table.forgetEnded(now, func() ([]int, error) { return h.l.system.pids(ctx) })
}

// launch emits a launch, unless this process made it or nothing is known of it.
func (h *hub) launch(ctx context.Context, proc meetguard.Process, source string, seen time.Time) {
	h.l.events.Add(1)
	n := h.table.exec(proc)
	if proc.Exe == "" && len(proc.Args) == 0 {
		h.l.unread.Add(1)
		return
	}
	if n.proc.PPID == h.l.self {
		return
	}
	if h.out.send(ctx, n, proc, source, seen) {
		return
	}
	h.lose(1)
	h.remember(n)
}

// remember has a launch offered again.
func (h *hub) remember(n *node) {
	if len(h.late) < lateMost {
		h.late[n.proc.PID] = n
	}
}

// offer emits again what emit had no room for, if it runs the same program still.
func (h *hub) offer(ctx context.Context) {
	late := h.late
	h.late = map[int]*node{}
	for pid, n := range late {
		if h.table.live[pid] == n && !h.out.send(ctx, n, n.proc, sourcePoll, h.last) {
			h.remember(n)
			h.relist()
		}
	}
}

// lose counts launches and sees to it that the processes are listed.
func (h *hub) lose(count int64) {
	h.l.lost.Add(count)
	if h.relist() {
		h.l.log.Warn("Launches lost, listing the processes", "count", count)
	}
}

// relist has the processes listed soon, and tells whether that is news.
func (h *hub) relist() bool {
	select {
	case h.gaps <- struct{}{}:
		return true
	default:
		return false
	}
}

// seed takes in what runs already.
func (h *hub) seed(ctx context.Context) {
	pids, err := h.l.system.pids(ctx)
	if err != nil {
		h.l.log.Warn("Processes not listed", "reason", err)
	}
	for _, pid := range pids {
		h.table.find(pid, 0)
	}
}

// reconcile emits what has been launched unheard and still runs, and drops what
// ended.
func (h *hub) reconcile(ctx context.Context) {
	h.last = time.Now()
	pids, err := h.l.system.pids(ctx)
	if err != nil {
		h.l.log.Warn("Processes not listed", "reason", err)
		return
	}
	slices.Sort(pids) // parents mostly before their children
	h.table.keep(pids)
	h.offer(ctx)
	for _, pid := range pids {
		proc, err := h.l.system.describe(ctx, pid)
		if err != nil || proc.Exe == "" || !h.table.missed(proc) {
			continue
		}
		h.launch(ctx, proc, sourcePoll, h.last)
	}
}

// launchOut makes events of nodes.
type launchOut struct {
	emit   func(context.Context, meetguard.Event) error
	users  map[string]string
	failed chan struct{} // closed after an error of emit
	err    error         // that error

	// The ancestors of the launch before: in a storm, siblings share them.
	parent *node
	above  []meetguard.Process
}

// usersMost bounds the names kept.
const usersMost = 1024

// send emits one launch, unless one could not be emitted before, and tells
// whether there was room for it. The node may hold less of the arguments than
// the process that was told.
func (o *launchOut) send(ctx context.Context, n *node, told meetguard.Process, source string, seen time.Time) (room bool) {
	if o.err != nil {
		return true
	}
	p := n.launch(source, o.user)
	if n.parent == nil || n.parent != o.parent {
		o.parent, o.above = n.parent, n.above(o.user)
	}
	p.Ancestors = o.above
	p.Args, p.CommandLine = told.Args, told.CommandLine
	err := o.emit(ctx, meetguard.Event{Time: seen, Kind: meetguard.ProcessStarted, Path: p.Exe, Source: source, Process: p})
	if errors.Is(err, ErrBusy) {
		return false
	}
	if o.err = err; err != nil {
		close(o.failed)
	}
	return true
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
