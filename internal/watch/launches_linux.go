package watch

import (
	"context"
	"time"

	"meetguard"
)

// kernelSources are the sources that see every launch, best first.
func kernelSources() []source {
	return []source{
		{name: sourceEBPF, state: meetguard.SourceOK, open: openEBPF, hint: "as in a container",
			detail: "every launch is told by the kernel with its arguments"},
		{name: sourceConnector, state: meetguard.SourceOK, open: openConnector, hint: "as in a container",
			detail: "every launch is told by the kernel; the arguments of those that end at once are missed"},
	}
}

// newProcesses reads /proc by itself, to be fast and to tell starts as the
// kernel does; the list comes from gopsutil. It belongs to one goroutine.
func newProcesses() processes {
	p, err := newProcfs()
	if err != nil {
		return systemProcesses{}
	}
	return linuxProcesses{procs: p}
}

type linuxProcesses struct {
	systemProcesses
	procs *procfs
}

func (l linuxProcesses) started(_ context.Context, pid int) (time.Time, error) {
	return l.procs.started(pid)
}

func (l linuxProcesses) describe(_ context.Context, pid int) (meetguard.Process, error) {
	return l.procs.describe(pid)
}

// startJitter is how far two tellings of one start may be apart: a tick, and
// what passes between the start of a process and the kernel's telling of it.
const startJitter = 500 * time.Millisecond

// proofProgram waits for its input to end. Its last argument is the word.
func proofProgram(word string) []string { return []string{"/bin/sh", "-c", "read line", word} }
