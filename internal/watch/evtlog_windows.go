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

// From winevt.h and winerror.h.
const (
	evtFuture    = 1 // EvtSubscribeToFutureEvents
	evtRenderXML = 1 // EvtRenderEventXml
	evtBatch     = 16
	evtSizeMost  = 1 << 20 // bytes of an event

	errChannel = windows.Errno(15007) // ERROR_EVT_CHANNEL_NOT_FOUND
	errStale   = windows.Errno(15011) // ERROR_EVT_QUERY_RESULT_STALE: the reader was too slow for the log
)

// sysmonSource hears Sysmon, where it is installed.
func sysmonSource() source {
	return evtSource(sourceSysmon, "Microsoft-Windows-Sysmon/Operational", evtSysmon,
		"every launch is told by Sysmon with its command line",
		"Sysmon does not log the creation of processes (event 1): see its configuration")
}

// auditSource hears the Security log, where the audit policy fills it.
func auditSource() source {
	return evtSource(sourceAudit, "Security", evtAudit,
		"every launch is told by the Security log with its command line",
		"turn on the policies Audit Process Creation, and Include command line in process creation events")
}

func evtSource(name, channel string, id int, detail, hint string) source {
	return source{name: name, state: meetguard.SourceOK, patience: 5 * time.Second, detail: detail, hint: hint,
		open: func(context.Context, *Launches) (listener, error) { return subscribe(channel, id) }}
}

// evtListener is a subscription to one log.
type evtListener struct {
	subscription windows.Handle
	ready, stop  windows.Handle
	once         sync.Once
	buf          []uint16
}

func subscribe(channel string, id int) (_ *evtListener, err error) {
	e := &evtListener{buf: make([]uint16, 8<<10)}
	if e.ready, err = windows.CreateEvent(nil, 1, 1, nil); err != nil {
		return nil, fmt.Errorf("make event: %w", err)
	}
	if e.stop, err = windows.CreateEvent(nil, 1, 0, nil); err != nil {
		e.free()
		return nil, fmt.Errorf("make event: %w", err)
	}
	if err = e.subscribe(channel, fmt.Sprintf("*[System[(EventID=%d)]]", id)); err != nil {
		e.free()
		return nil, err
	}
	return e, nil
}

func (e *evtListener) subscribe(channel, query string) error {
	where, err := windows.UTF16PtrFromString(channel)
	if err != nil {
		return err
	}
	what, err := windows.UTF16PtrFromString(query)
	if err != nil {
		return err
	}
	h, err := evtCall("EvtSubscribe", 0, uintptr(e.ready), uintptr(unsafe.Pointer(where)), uintptr(unsafe.Pointer(what)), 0, 0, 0, evtFuture)
	switch {
	case errors.Is(err, errChannel):
		return errors.New("there is no such log here")
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return errors.New("it needs SYSTEM or an administrator")
	case err != nil:
		return fmt.Errorf("subscribe to log %s: %w", channel, err)
	}
	e.subscription = windows.Handle(h)
	return nil
}

// evtCall calls a function that returns 0 for an error.
func evtCall(name string, args ...uintptr) (uintptr, error) {
	proc := api("wevtapi.dll", name)
	if err := proc.Find(); err != nil {
		return 0, err
	}
	result, _, err := proc.Call(args...)
	if result == 0 {
		return 0, err
	}
	return result, nil
}

func evtClose(h windows.Handle) {
	if h != 0 {
		_, _ = evtCall("EvtClose", uintptr(h))
	}
}

// close tells listen to stop, which frees what it uses.
func (e *evtListener) close() { e.once.Do(func() { _ = windows.SetEvent(e.stop) }) }

func (e *evtListener) free() {
	evtClose(e.subscription)
	for _, h := range []windows.Handle{e.ready, e.stop} {
		if h != 0 {
			windows.CloseHandle(h)
		}
	}
}

// listen waits for the log. It frees everything at its end: close may come
// before, but the handle it needs is then only marked.
func (e *evtListener) listen(ctx context.Context, tell func(told)) error {
	defer func() {
		e.close()
		e.free()
	}()
	for {
		which, err := windows.WaitForMultipleObjects([]windows.Handle{e.stop, e.ready}, false, windows.INFINITE)
		if err != nil {
			return fmt.Errorf("wait for log: %w", err)
		}
		if which == windows.WAIT_OBJECT_0 || ctx.Err() != nil {
			return nil
		}
		if err := e.drain(tell); err != nil {
			return err
		}
	}
}

// drain tells what is there.
func (e *evtListener) drain(tell func(told)) error {
	for {
		var batch [evtBatch]windows.Handle
		var count uint32
		_, err := evtCall("EvtNext", uintptr(e.subscription), evtBatch, uintptr(unsafe.Pointer(&batch)), 0, 0, uintptr(unsafe.Pointer(&count)))
		switch {
		case errors.Is(err, windows.ERROR_NO_MORE_ITEMS):
			return windows.ResetEvent(e.ready)
		case errors.Is(err, errStale):
			tell(told{kind: lost, count: 1})
			return windows.ResetEvent(e.ready)
		case err != nil:
			return fmt.Errorf("read log: %w", err)
		}
		for _, event := range batch[:min(count, evtBatch)] {
			e.hear(event, tell)
			evtClose(event)
		}
	}
}

// hear acts on one event. One that cannot be read is a launch that is lost.
func (e *evtListener) hear(event windows.Handle, tell func(told)) {
	text, err := e.render(event)
	if err == nil {
		var proc meetguard.Process
		if proc, err = parseEventXML(text); err == nil {
			tell(told{kind: launched, proc: proc, seen: time.Now()})
			return
		}
	}
	tell(told{kind: lost, count: 1})
}

// render prints an event as XML.
func (e *evtListener) render(event windows.Handle) ([]byte, error) {
	for {
		var used, properties uint32
		_, err := evtCall("EvtRender", 0, uintptr(event), evtRenderXML, uintptr(len(e.buf)*2), uintptr(unsafe.Pointer(&e.buf[0])),
			uintptr(unsafe.Pointer(&used)), uintptr(unsafe.Pointer(&properties)))
		if errors.Is(err, windows.ERROR_INSUFFICIENT_BUFFER) && used > uint32(len(e.buf)*2) && used <= evtSizeMost {
			e.buf = make([]uint16, used/2+1)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("print event: %w", err)
		}
		return []byte(windows.UTF16ToString(e.buf[:min(int(used/2), len(e.buf))])), nil
	}
}
