package agent

import (
	"context"
	"sync/atomic"
	"time"

	"meetguard"
	"meetguard/internal/chain"
)

// Launches are judged one after the other, in the order of starting. One whose
// files take longer than hastyLaunch to read has its place in its chain at once,
// goes on beside the others and has its verdict when they are read. There is one
// such place, as there is for files: see sideline. Each user has his turn.
const (
	hastyLaunch = 250 * time.Millisecond
	slowRoom    = 4 << 20 // bytes that may wait, about; beyond them the others wait, as far as there is room in the queue
	slowLaunch  = 4 << 10 // bytes that a launch takes at least, with its ancestors
)

// gathering is a launch whose facts are being gathered.
type gathering struct {
	ev    meetguard.Event
	facts meetguard.Facts // when that is over
	line  atomic.Pointer[meetguard.Facts]
	aside bool         // others were judged meanwhile
	place *chain.Place // in its chain, if so
}

// early is what is known before any file was read.
func (g *gathering) early() meetguard.Facts {
	f := meetguard.Facts{Path: g.ev.Path, Process: g.ev.Process}
	runs(&f, g.line.Load(), nil)
	return f
}

// launchSideline is the place of slow launches. What it has gathered goes to done.
func (a *Agent) launchSideline(done chan<- *gathering) *sideline[*gathering] {
	exe := func(g *gathering) string { return g.ev.Process.Exe }
	s := newSideline(sideWork[*gathering]{what: "launches", judge: a.gather, path: exe,
		ended: func(ctx context.Context, g *gathering, _ error) {
			select {
			case done <- g:
			case <-ctx.Done():
			}
		},
		others: func() bool { return len(a.queue) > 0 },
		lane:   func(g *gathering) string { return g.ev.Process.User },
		slow:   a.readsLong,
		same:   func(x, y *gathering) bool { return x == y },
		size:   func(g *gathering) int64 { return slowLaunch + launchSize(g.ev.Process) }, room: slowRoom, stay: true})
	s.hasty = hastyLaunch
	return s
}

// gather reads what a launch runs.
func (a *Agent) gather(ctx context.Context, g *gathering) error {
	a.judging.RLock()
	defer a.judging.RUnlock()
	g.facts = meetguard.Facts{Path: g.ev.Path, Process: g.ev.Process}
	if err := a.unbroken(ctx, g.ev, func() error {
		g.facts = a.insp.launch(ctx, g.ev.Process, g.line.Store)
		return nil
	}); err != nil {
		return err
	}
	return ctx.Err()
}

// recall does it without reading anything, if nothing is new.
func (a *Agent) recall(g *gathering) (all bool) {
	a.judging.RLock()
	defer a.judging.RUnlock()
	g.facts, all = a.insp.recalled(g.ev.Process)
	return all
}

// readsLong says whether a launch is of a program that is not known and large, or
// that is being read for another launch.
func (a *Agent) readsLong(g *gathering) bool {
	a.judging.RLock()
	defer a.judging.RUnlock()
	real := where(g.ev.Process.Exe)
	if _, _, known := a.insp.remembered(real); known {
		return false
	}
	return large(real) || a.slow.has(g.ev.Process.Exe)
}
