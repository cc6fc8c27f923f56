package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"meetguard"
	"meetguard/internal/box"
	"meetguard/internal/worker"
)

// settleTries is how many workers have to die in their box before it is blamed.
const settleTries = 3

// settle makes sure that workers can work in their box. One that dies of a
// harmless request there, because its system is unlike any that was thought of,
// is better in a milder box, and in the end without one, than the machine without a
// guard: settle then starts them again so, and Box tells that for as long as they
// run. It is called before the first file, so that no file can bring that about,
// and takes no single death for a reason.
func (in *Inspector) settle(ctx context.Context, harmless request, about ...*opened) error {
	died, err := in.rehearse(ctx, harmless, about...)
	for died != nil && in.starter.Milder() {
		in.pool.Close()
		in.pool = newPool(in.cfg, in.cfg.Command, in.starter.Start)
		died, err = in.rehearse(ctx, harmless, about...)
	}
	if died == nil || len(in.cfg.Unboxed) == 0 {
		return err
	}
	in.pool.Close()
	in.pool = newPool(in.cfg, in.cfg.Unboxed, nil)
	if _, second := in.ask(ctx, harmless, about...); second != nil {
		return second
	}
	in.box.Store(&box.Level{Missing: []string{"every part (the inspection does not work in it: " + died.Reason + ")"}})
	return nil
}

// rehearse asks until a worker answers, or settleTries of them have died.
func (in *Inspector) rehearse(ctx context.Context, harmless request, about ...*opened) (died *worker.Failure, err error) {
	for range settleTries {
		if _, err = in.ask(ctx, harmless, about...); !errors.As(err, &died) {
			return nil, err
		}
	}
	return died, err
}

// unboxed is the last argument of a worker that keeps its rights.
const unboxed = "unboxed"

// Unboxed is the argv of a worker that keeps its rights.
func Unboxed(argv []string) []string { return append(slices.Clip(argv), unboxed) }

// CutUnboxed takes off the arguments of a worker what Unboxed added.
func CutUnboxed(args []string) (rest []string, found bool) {
	if n := len(args); n > 0 && args[n-1] == unboxed {
		return args[:n-1], true
	}
	return args, false
}

// Box says how the worker that loaded its rules last is shut in.
func (in *Inspector) Box() box.Level {
	if l := in.box.Load(); l != nil {
		return *l
	}
	return box.Level{}
}

// boxed tells how the inspection is shut in: a worker without its box sees as
// much and protects the machine less.
func (a *Agent) boxed() meetguard.SourceStatus {
	a.judging.RLock()
	level := a.insp.Box()
	a.judging.RUnlock()
	s := meetguard.SourceStatus{Name: "inspection", State: meetguard.SourceOK, Detail: fmt.Sprint(level)}
	if !level.Full() {
		s.State = meetguard.SourceDegraded
	}
	return s
}

// deathsRecent is how long ago a process was killed that status still warns of.
const deathsRecent = 15 * time.Minute

// deaths are those of all inspection processes since the agent began.
func (a *Agent) deaths() worker.Deaths {
	a.judging.RLock()
	defer a.judging.RUnlock()
	return a.spent.Plus(a.insp.pool.Deaths())
}

// shortMemory tells of inspection processes that ended for want of memory. One that
// needed more than it may have tells of its file, which is incomplete; one that was
// killed from outside tells of this machine.
func shortMemory(d worker.Deaths, now time.Time) []meetguard.SourceStatus {
	if d.Killed+d.Memory == 0 {
		return nil
	}
	s := meetguard.SourceStatus{Name: "memory", State: meetguard.SourceOK}
	if now.Sub(d.LastKilled) < deathsRecent {
		s.State = meetguard.SourceDegraded
	}
	var parts []string
	if d.Killed > 0 {
		parts = append(parts, fmt.Sprintf("%d inspection processes were killed from outside, the last at %s: by the kernel for want of memory, or by somebody", d.Killed, d.LastKilled.UTC().Format(time.RFC3339)))
	}
	if d.Memory > 0 {
		parts = append(parts, fmt.Sprintf("%d needed more memory than one may have, the last at %s", d.Memory, d.LastMemory.UTC().Format(time.RFC3339)))
	}
	s.Detail = strings.Join(parts, "; ")
	return []meetguard.SourceStatus{s}
}
