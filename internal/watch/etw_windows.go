package watch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"meetguard"
)

// etwSession is the name of the session. There is one at a time on a machine: a
// session outlives its program, so that one that is left over is ended first.
const etwSession = "meetguard-proc"

// kernelProcess is the provider Microsoft-Windows-Kernel-Process.
var kernelProcess = windows.GUID{Data1: 0x22fb2cd6, Data2: 0x0e7b, Data3: 0x422b, Data4: [8]byte{0xa0, 0xc7, 0x2f, 0xad, 0x1f, 0xd0, 0xe7, 0x16}}

const (
	etwStart       = 1    // ProcessStart
	etwStop        = 2    // ProcessStop
	keywordProcess = 0x10 // WINEVENT_KEYWORD_PROCESS: start and end, nothing of threads and images

	etwBufferKiB = 64
	etwBuffers   = 64 // 4 MiB in all
	etwFlush     = 50 // milliseconds; the later, the more processes have ended before their command line is read
)

// etwSource hears the kernel's provider of processes. It needs an administrator
// or SYSTEM.
func etwSource() source {
	calls := &etwCalls{}
	return source{
		name: sourceETW, state: meetguard.SourceOK, patience: 5 * time.Second, open: calls.open,
		detail: "every launch is told by the kernel; the command lines of those that end at once are missed",
		hint:   "another program may have ended the trace session " + etwSession,
	}
}

// etwCalls are the functions that Windows calls. It can hold few of them and
// forgets none, so that they are made once and serve the listener of the time.
type etwCalls struct {
	once          sync.Once
	event, buffer uintptr
	mu            sync.Mutex
	now           *etwListener
}

func (c *etwCalls) make() {
	c.event = windows.NewCallback(func(r *etwRecord) uintptr {
		if e := c.listener(); e != nil {
			e.hear(r)
		}
		return 0
	})
	c.buffer = windows.NewCallback(func(*etwLogfile) uintptr {
		if e := c.listener(); e != nil {
			e.tellLost()
		}
		return 1 // go on
	})
}

func (c *etwCalls) listener() *etwListener {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *etwCalls) serve(e *etwListener) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = e
}

// open starts the session.
func (c *etwCalls) open(_ context.Context, l *Launches) (listener, error) {
	c.once.Do(c.make)
	e := &etwListener{l: l, calls: c, procs: newWindowsProcesses()}
	if err := e.start(); err != nil {
		return nil, err
	}
	if err := e.enable(); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

// etwListener is one session.
type etwListener struct {
	l       *Launches
	calls   *etwCalls
	procs   *windowsProcesses
	session uint64
	trace   uint64
	once    sync.Once
	tell    func(told)
	lost    int64 // as told
}

func (e *etwListener) start() error {
	err := startTrace(&e.session, etwSession)
	if errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
		_ = controlTrace(0, etwSession, controlStop, newETWProperties())
		err = startTrace(&e.session, etwSession)
	}
	switch {
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return errors.New("it needs SYSTEM or an administrator")
	case errors.Is(err, windows.ERROR_NO_SYSTEM_RESOURCES):
		return errors.New("Windows runs as many trace sessions as it can: end one of them (logman query -ets)")
	case err != nil:
		return fmt.Errorf("start trace session: %w", err)
	}
	return nil
}

func (e *etwListener) enable() error {
	const enable, informational = 1, 4
	if err := enableTrace(e.session, &kernelProcess, enable, informational, keywordProcess); err != nil {
		return fmt.Errorf("enable the kernel's provider of processes: %w", err)
	}
	trace, err := openTrace(etwSession, e.calls.event, e.calls.buffer)
	if err != nil {
		return fmt.Errorf("open trace session: %w", err)
	}
	e.trace = trace
	return nil
}

// close ends the session, and with it listen.
func (e *etwListener) close() {
	e.once.Do(func() { _ = controlTrace(e.session, "", controlStop, newETWProperties()) })
}

// listen returns when the session has ended. Windows calls hear in between, on
// the thread of this goroutine.
func (e *etwListener) listen(ctx context.Context, tell func(told)) error {
	e.tell = tell
	e.calls.serve(e)
	err := processTrace(e.trace)
	e.calls.serve(nil)
	closeTrace(e.trace)
	e.close()
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("read trace session: %w", err)
	default:
		return errors.New("somebody has ended the trace session " + etwSession)
	}
}

// hear acts on one event.
func (e *etwListener) hear(r *etwRecord) {
	h := &r.Header
	if h.Provider != kernelProcess || r.Data == nil {
		return
	}
	data := unsafe.Slice((*byte)(r.Data), r.DataSize)
	switch h.ID {
	case etwStart:
		if p, ok := parseETWStart(h.Version, data); ok {
			e.tell(told{kind: launched, proc: e.describe(p), seen: time.Now()})
			return
		}
		e.tell(told{kind: lost, count: 1})
	case etwStop:
		if p, ok := parseETWStop(h.Version, data); ok {
			e.tell(told{kind: ended, proc: meetguard.Process{PID: p.pid, Started: p.created}})
		}
	}
}

// describe reads what the event does not say, if the process still runs.
func (e *etwListener) describe(p etwProcess) meetguard.Process {
	d := meetguard.Process{PID: p.pid, PPID: p.parent, OS: "windows", Exe: e.procs.path(p.image), Started: p.created}
	if err := e.procs.complete(&d); err != nil {
		e.l.cut.Add(1)
	}
	return d
}

// tellLost tells of events that found no room, and of buffers that came too
// late: of these nobody knows how many events they held.
func (e *etwListener) tellLost() {
	p := newETWProperties()
	if controlTrace(e.session, "", controlQuery, p) != nil {
		return
	}
	if lostNow := int64(p.EventsLost) + int64(p.RealTimeBuffersLost); lostNow != e.lost {
		e.tell(told{kind: lost, count: lostNow - e.lost})
		e.lost = lostNow
	}
}
