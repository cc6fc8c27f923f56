package watch

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"meetguard"
)

// kernProcesses lists what runs from kern.proc, and reads path and arguments
// from kern.procargs2. It starts no program, as lists made with ps would. The
// working directory is not told, and the arguments of other users only to root.
type kernProcesses struct{}

func (kernProcesses) pids(context.Context) ([]int, error) {
	all, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	pids := make([]int, len(all))
	for i := range all {
		pids[i] = int(all[i].Proc.P_pid)
	}
	return pids, nil
}

func (kernProcesses) started(_ context.Context, pid int) (time.Time, error) {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return time.Time{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	return startOf(info), nil
}

func startOf(info *unix.KinfoProc) time.Time {
	at := info.Proc.P_starttime
	return time.Unix(at.Sec, int64(at.Usec)*int64(time.Microsecond))
}

// describe reads what it may. A process of the kernel has no path.
func (kernProcesses) describe(_ context.Context, pid int) (meetguard.Process, error) {
	d := meetguard.Process{PID: pid, OS: "darwin"}
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return d, fmt.Errorf("describe process %d: %w", pid, err)
	}
	d.PPID, d.Started = int(info.Eproc.Ppid), startOf(info)
	d.User = strconv.FormatUint(uint64(info.Eproc.Pcred.P_ruid), 10)
	if raw, err := unix.SysctlRaw("kern.procargs2", pid); err == nil {
		d.Exe, d.Args, _ = parseProcArgs(raw)
	}
	return d, nil
}
