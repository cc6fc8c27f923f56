package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"meetguard"
)

// errUnwanted is why a source was not tried.
var errUnwanted = errors.New("chosen by configuration")

// poll lists the processes again and again. What starts and ends between two
// lists is not seen, which the state says.
func (l *Launches) poll(ctx context.Context, out *launchOut, why error) error {
	t := newTable(func(pid int) (meetguard.Process, error) { return l.system.describe(ctx, pid) })
	if _, err := l.fresh(ctx, t); err != nil && ctx.Err() == nil {
		l.set(meetguard.SourceFailed, err.Error())
		return err
	}
	detail := fmt.Sprintf("polling every %v: short-lived processes are missed (%v)", l.cfg.Poll, why)
	l.log.Warn("Launches are polled", "every", l.cfg.Poll, "reason", why)
	l.live(meetguard.SourceDegraded, detail)
	defer l.set(meetguard.SourceFailed, "stopped")
	ticker := time.NewTicker(l.cfg.Poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := l.pollOnce(ctx, t, out); err != nil && ctx.Err() == nil {
			return fmt.Errorf("hand over launch: %w", err)
		}
	}
}

// pollOnce emits what is new since the last list.
func (l *Launches) pollOnce(ctx context.Context, t *table, out *launchOut) error {
	found, err := l.fresh(ctx, t)
	if err != nil {
		l.lost.Add(1) // the next list makes good what still runs then
		l.log.Warn("Processes not listed", "reason", err)
		return nil
	}
	now := time.Now()
	for _, n := range found {
		l.events.Add(1)
		if n.proc.PPID == l.self || (n.proc.Exe == "" && len(n.proc.Args) == 0) {
			continue // a worker of the agent, or a thread of the kernel
		}
		if err := out.send(ctx, n, sourcePoll, now); err != nil {
			return err
		}
	}
	return nil
}

// fresh takes the processes into the table that it does not hold, drops those
// that ended, and returns the new ones.
func (l *Launches) fresh(ctx context.Context, t *table) ([]*node, error) {
	pids, err := l.system.pids(ctx)
	if err != nil {
		return nil, err
	}
	t.keep(pids)
	var unknown []int
	for _, pid := range pids {
		if !l.holds(ctx, t, pid) {
			delete(t.live, pid)
			unknown = append(unknown, pid)
		}
	}
	var fresh []*node
	for _, pid := range unknown {
		if n := t.find(pid, 0); n != nil {
			fresh = append(fresh, n)
		}
	}
	return fresh, nil
}

// holds tells whether the table knows this very process, not an earlier one of
// its number.
func (l *Launches) holds(ctx context.Context, t *table, pid int) bool {
	n := t.live[pid]
	if n == nil {
		return false
	}
	started, err := l.system.started(ctx, pid)
	return err != nil || sameStart(started, n.proc.Started)
}
