package watch

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"meetguard"
)

// connectorDatagram is a message of the proc connector.
func connectorDatagram(what uint32, data ...uint32) []byte {
	ne := binary.NativeEndian
	event := ne.AppendUint32(nil, what)
	event = append(event, make([]byte, 12)...)
	for _, v := range data {
		event = ne.AppendUint32(event, v)
	}
	b := listenMessage(false)[:netlinkHeader+connectorHeader]
	ne.PutUint32(b, uint32(len(b)+len(event)))
	ne.PutUint16(b[netlinkHeader+16:], uint16(len(event)))
	return append(b, event...)
}

func TestParseConnector(t *testing.T) {
	cases := []struct {
		name string
		raw  []byte
		want []procEvent
	}{
		{"launch", connectorDatagram(procEventExec, 7, 7), []procEvent{{kind: procEventExec, pid: 7}}},
		{"fork", connectorDatagram(procEventFork, 5, 4, 7, 7), []procEvent{{kind: procEventFork, pid: 7, parent: 4}}},
		{"new thread", connectorDatagram(procEventFork, 5, 4, 8, 7), nil},
		{"end", connectorDatagram(0x80000000, 7, 7, 0, 0), nil},
		{"acknowledgement", connectorDatagram(0, 0), nil},
		{"two", slices.Concat(connectorDatagram(procEventExec, 7, 7), connectorDatagram(procEventExec, 8, 8)),
			[]procEvent{{kind: procEventExec, pid: 7}, {kind: procEventExec, pid: 8}}},
		{"cut short", connectorDatagram(procEventExec, 7), nil},
		{"nothing", nil, nil},
		{"own question", listenMessage(true), nil},
	}
	for _, c := range cases {
		var got []procEvent
		parseConnector(c.raw, func(e procEvent) { got = append(got, e) })
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func FuzzParseConnector(f *testing.F) {
	f.Add(connectorDatagram(procEventExec, 7, 7))
	f.Add(connectorDatagram(procEventFork, 5, 4, 7, 7))
	f.Add(listenMessage(true))
	f.Fuzz(func(t *testing.T, raw []byte) {
		events := 0
		parseConnector(raw, func(e procEvent) {
			events++
			if e.kind != procEventExec && e.kind != procEventFork {
				t.Fatalf("event %+v", e)
			}
		})
		if events > len(raw)/(netlinkHeader+connectorHeader) {
			t.Fatalf("%d events in %d bytes", events, len(raw))
		}
	})
}

func noProcess(pid int) (meetguard.Process, error) {
	return meetguard.Process{}, fmt.Errorf("process %d: %w", pid, os.ErrNotExist)
}

func TestTableKeepsAncestors(t *testing.T) {
	table := newTable(noProcess)
	now := time.Now()
	exec := func(pid, parent int, exe string) *node {
		return table.exec(meetguard.Process{PID: pid, PPID: parent, Exe: exe, Started: now})
	}
	exec(10, 1, "/bin/browser")
	table.fork(11, 10, now)
	exec(11, 10, "/bin/sh")
	table.fork(12, 11, now)
	table.keep([]int{12})            // the others have ended
	n := exec(12, 1, "/tmp/payload") // the system gives it a new parent
	table.fork(13, 12, now)
	p := n.launch("test", func(u string) string { return u })
	var above []string
	for _, a := range p.Ancestors {
		above = append(above, fmt.Sprint(a.PID, a.Exe))
	}
	if want := []string{"11/bin/sh", "10/bin/browser"}; p.PPID != 11 || !slices.Equal(above, want) {
		t.Errorf("parent %d, ancestors %q, want %q", p.PPID, above, want)
	}
	if forked := table.live[13].proc; forked.Exe != "/tmp/payload" || forked.PID != 13 || forked.PPID != 12 {
		t.Errorf("forked process %+v", forked)
	}
	later := table.exec(meetguard.Process{PID: 12, PPID: 99, Exe: "/bin/other", Started: now.Add(time.Hour)})
	if later.parent != nil || later.proc.PPID != 99 {
		t.Errorf("a later process of the same number has the ancestors of the earlier one: %+v", later)
	}
}

func TestTableIsBounded(t *testing.T) {
	table := newTable(noProcess)
	for pid := 1; pid < 1000; pid++ { // each forks the next and ends
		table.fork(pid+1, pid, time.Now())
	}
	length := 0
	for n := table.live[1000]; n != nil; n = n.parent {
		length++
	}
	if length > chainMost+1 || length < ancestorsMost {
		t.Errorf("%d ancestors are kept", length)
	}
	table.prune = 100
	table.forgetEnded(func() ([]int, error) { return []int{1000, 2000}, nil })
	if len(table.live) != 1 {
		t.Errorf("%d processes are kept, 1 runs", len(table.live))
	}
	if got := table.live[1000].launch("test", func(u string) string { return u }); len(got.Ancestors) != ancestorsMost {
		t.Errorf("%d ancestors in an event", len(got.Ancestors))
	}
}

// fed are processes that a test feeds.
type fed map[int]meetguard.Process

func (f fed) pids(context.Context) (pids []int, err error) {
	for pid := range f {
		pids = append(pids, pid)
	}
	return pids, nil
}

func (f fed) started(_ context.Context, pid int) (time.Time, error) { return f[pid].Started, nil }

func (f fed) describe(_ context.Context, pid int) (meetguard.Process, error) {
	if p, ok := f[pid]; ok {
		return p, nil
	}
	return noProcess(pid)
}

func TestPollTellsWhatIsNew(t *testing.T) {
	l, err := NewLaunches(LaunchesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	system := fed{1: {PID: 1, Exe: "/init", Started: start}, 2: {PID: 2, PPID: 1, Exe: "/sh", Started: start}}
	l.system = system
	table := newTable(func(pid int) (meetguard.Process, error) { return system.describe(t.Context(), pid) })
	if _, err := l.fresh(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	var got []string
	out := &launchOut{emit: func(_ context.Context, e meetguard.Event) error {
		got = append(got, fmt.Sprint(e.Path, len(e.Process.Ancestors)))
		return nil
	}}
	poll := func(want ...string) {
		t.Helper()
		got = nil
		if err := l.pollOnce(t.Context(), table, out); err != nil {
			t.Fatal(err)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	poll()
	system[3] = meetguard.Process{PID: 3, PPID: 2, Exe: "/new", Started: start}
	system[4] = meetguard.Process{PID: 4, PPID: l.self, Exe: "/worker", Started: start}
	system[5] = meetguard.Process{PID: 5, PPID: 1, Started: start} // tells nothing
	poll("/new2")
	system[2] = meetguard.Process{PID: 2, PPID: 1, Exe: "/reused", Started: start.Add(time.Hour)}
	poll("/reused1")
	delete(system, 3)
	poll()
	out.emit = func(context.Context, meetguard.Event) error { return errors.New("full") }
	system[6] = meetguard.Process{PID: 6, PPID: 1, Exe: "/x", Started: start}
	if err := l.pollOnce(t.Context(), table, out); err == nil {
		t.Error("the error of emit is lost")
	}
}

func TestLaunchSourceIsChecked(t *testing.T) {
	if _, err := NewLaunches(LaunchesConfig{Source: "none"}); err == nil {
		t.Error("an unknown source is taken")
	}
}
