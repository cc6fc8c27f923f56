package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"meetguard"
)

// pollSource lists the processes again and again. What starts and ends between
// two lists is not seen, which its state says.
func pollSource(every time.Duration) source {
	return source{
		name: sourcePoll, state: meetguard.SourceDegraded, proven: true,
		detail: fmt.Sprintf("polling every %v: short-lived processes are missed", every),
		open: func(ctx context.Context, l *Launches) (listener, error) {
			p := &poller{l: l, system: newProcesses(), every: every}
			return p, p.begin(ctx)
		},
	}
}

// poller belongs to the goroutine that listens.
type poller struct {
	l      *Launches
	system processes
	every  time.Duration
	known  map[int]time.Time // process ─► start
}

// begin takes in what runs. The list proves itself by this very process.
func (p *poller) begin(ctx context.Context) error {
	all, err := p.fresh(ctx)
	if err != nil {
		return err
	}
	for _, proc := range all {
		if proc.PID == os.Getpid() && len(proc.Args) > 0 {
			return nil
		}
	}
	return errors.New("the list of processes lacks this very process")
}

func (p *poller) close() {}

func (p *poller) listen(ctx context.Context, tell func(told)) error {
	ticker := time.NewTicker(p.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			p.once(ctx, tell)
		}
	}
}

// once tells what is new since the last list.
func (p *poller) once(ctx context.Context, tell func(told)) {
	fresh, err := p.fresh(ctx)
	if err != nil && ctx.Err() == nil {
		p.l.log.Warn("Processes not listed", "reason", err)
		tell(told{kind: lost, count: 1})
	}
	now := time.Now()
	for _, proc := range fresh {
		if proc.Exe != "" || len(proc.Args) > 0 { // else a thread of the kernel
			tell(told{kind: launched, proc: proc, seen: now})
		}
	}
}

// fresh returns the processes that the last list did not hold, in the order in
// which they started.
func (p *poller) fresh(ctx context.Context) ([]meetguard.Process, error) {
	pids, err := p.system.pids(ctx)
	if err != nil {
		return nil, err
	}
	var fresh []meetguard.Process
	known := make(map[int]time.Time, len(pids))
	for _, pid := range pids {
		before, held := p.known[pid]
		started, err := p.system.started(ctx, pid)
		if held && (err != nil || sameStart(started, before)) {
			known[pid] = before
			continue
		}
		if proc, err := p.system.describe(ctx, pid); err == nil {
			known[pid] = proc.Started
			fresh = append(fresh, proc)
		}
	}
	p.known = known
	slices.SortStableFunc(fresh, func(a, b meetguard.Process) int { return a.Started.Compare(b.Started) })
	return fresh, nil
}
