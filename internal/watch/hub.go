package watch

import (
	"context"
	"os/user"
	"slices"
	"time"

	"meetguard"
)

// reconcileEvery is the least time between two lists of the processes that
// make good what was lost.
const reconcileEvery = time.Second

// hub hears one source after the other, remembers the processes, and emits
// launches. It belongs to one goroutine.
type hub struct {
	l     *Launches
	table *table
	out   launchOut
	begun bool             // a source has been heard
	due   <-chan time.Time // when to list the processes because launches were lost
	last  time.Time        // when that was done before
}

func newHub(l *Launches, emit func(context.Context, meetguard.Event) error) *hub {
	h := &hub{l: l, out: launchOut{emit: emit, users: map[string]string{}}}
	h.table = newTable(func(pid int) (meetguard.Process, error) { return l.system.describe(context.Background(), pid) })
	return h
}

// follow hears a source until ctx ends, it fails, or a better one is found,
// which it returns.
func (h *hub) follow(ctx context.Context, r *running, found <-chan *running) (*running, error) {
	if err := h.adopt(ctx, r); err != nil {
		return nil, err
	}
	for {
		select {
		case <-ctx.Done():
			return nil, nil
		case err := <-r.ended:
			return nil, err
		case better := <-found:
			return better, nil
		case <-h.due:
			if err := h.reconcile(ctx); err != nil {
				return nil, err
			}
		case t := <-r.told:
			if err := h.hear(ctx, t, r.name); err != nil {
				return nil, err
			}
		}
	}
}

// adopt takes in what runs already, and what a source told before it was heard.
// With a second source, what started since the first was heard is emitted, but
// what both have told only once.
func (h *hub) adopt(ctx context.Context, r *running) error {
	second := h.begun
	h.begun = true
	if second {
		if err := h.reconcile(ctx); err != nil {
			return err
		}
	} else {
		h.seed(ctx)
	}
	for _, t := range r.early {
		if second && t.kind == launched && h.table.holds(t.proc) {
			continue
		}
		if err := h.hear(ctx, t, r.name); err != nil {
			return err
		}
	}
	r.early = nil
	return nil
}

// rest hears what a source told before it was stopped.
func (h *hub) rest(ctx context.Context, r *running) error {
	for len(r.told) > 0 {
		if err := h.hear(ctx, <-r.told, r.name); err != nil {
			return err
		}
	}
	return nil
}

// hear acts on what a source tells.
func (h *hub) hear(ctx context.Context, t told, source string) error {
	switch t.kind {
	case forked:
		h.table.fork(t.proc.PID, t.proc.PPID, t.proc.Started)
		h.table.forgetEnded(t.proc.Started, func() ([]int, error) { return h.l.system.pids(ctx) })
	case ended:
		h.table.end(t.proc.PID, t.proc.Started)
	case lost:
		h.lose(t.count)
	case launched:
		return h.launch(ctx, t.proc, source, t.seen)
	}
	return nil
}

// launch emits a launch, unless this process made it or nothing is known of it.
func (h *hub) launch(ctx context.Context, proc meetguard.Process, source string, seen time.Time) error {
	h.l.events.Add(1)
	n := h.table.exec(proc)
	if proc.Exe == "" && len(proc.Args) == 0 {
		h.l.unread.Add(1)
		return nil
	}
	if n.proc.PPID == h.l.self {
		return nil
	}
	return h.out.send(ctx, n, proc.Args, source, seen)
}

// lose counts launches and sees to it that the processes are listed.
func (h *hub) lose(count int64) {
	h.l.lost.Add(count)
	if h.due == nil {
		h.l.log.Warn("Launches lost, listing the processes", "count", count)
		h.due = time.After(time.Until(h.last.Add(reconcileEvery)))
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
func (h *hub) reconcile(ctx context.Context) error {
	h.due, h.last = nil, time.Now()
	pids, err := h.l.system.pids(ctx)
	if err != nil {
		h.l.log.Warn("Processes not listed", "reason", err)
		return nil
	}
	slices.Sort(pids) // parents mostly before their children
	h.table.keep(pids)
	for _, pid := range pids {
		proc, err := h.l.system.describe(ctx, pid)
		if err != nil || proc.Exe == "" || !h.table.missed(proc) {
			continue
		}
		if err := h.launch(ctx, proc, sourcePoll, h.last); err != nil {
			return err
		}
	}
	return nil
}

// launchOut makes events of nodes. It belongs to one goroutine.
type launchOut struct {
	emit  func(context.Context, meetguard.Event) error
	users map[string]string
	err   error // of emit
}

// usersMost bounds the names kept.
const usersMost = 1024

// send emits one launch. The node may hold less of the arguments.
func (o *launchOut) send(ctx context.Context, n *node, args []string, source string, seen time.Time) error {
	p := n.launch(source, o.user)
	p.Args = args
	o.err = o.emit(ctx, meetguard.Event{Time: seen, Kind: meetguard.ProcessStarted, Path: p.Exe, Source: source, Process: p})
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
