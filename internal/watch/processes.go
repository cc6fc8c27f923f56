package watch

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/shirou/gopsutil/v3/process"

	"meetguard"
)

// processes lists what runs. Tests feed their own.
type processes interface {
	pids(ctx context.Context) ([]int, error)
	started(ctx context.Context, pid int) (time.Time, error)
	describe(ctx context.Context, pid int) (meetguard.Process, error)
}

// systemProcesses are those of this machine, from gopsutil.
type systemProcesses struct{}

func (systemProcesses) pids(ctx context.Context) ([]int, error) {
	all, err := process.PidsWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	pids := make([]int, len(all))
	for i, pid := range all {
		pids[i] = int(pid)
	}
	return pids, nil
}

// started tells one process from a later one of the same number.
func (systemProcesses) started(ctx context.Context, pid int) (time.Time, error) {
	ms, err := (&process.Process{Pid: int32(pid)}).CreateTimeWithContext(ctx)
	return time.UnixMilli(ms), err
}

// describe reads what it can: a process of another user, or of the system,
// does not tell everything. A process that tells nothing is an error.
func (s systemProcesses) describe(ctx context.Context, pid int) (meetguard.Process, error) {
	p := &process.Process{Pid: int32(pid)}
	d := meetguard.Process{PID: pid, OS: runtime.GOOS}
	started, err := s.started(ctx, pid)
	if err != nil {
		return d, fmt.Errorf("describe process %d: %w", pid, err)
	}
	d.Started = started
	if parent, err := p.PpidWithContext(ctx); err == nil {
		d.PPID = int(parent)
	}
	d.Exe, _ = p.ExeWithContext(ctx)
	if runtime.GOOS == "windows" { // of whose one text gopsutil makes arguments at every blank
		d.CommandLine, _ = p.CmdlineWithContext(ctx)
		d.Args = splitCommandLine(d.CommandLine)
	} else {
		d.Args, _ = p.CmdlineSliceWithContext(ctx)
	}
	d.Cwd, _ = p.CwdWithContext(ctx)
	d.User, _ = p.UsernameWithContext(ctx)
	return d, nil
}
