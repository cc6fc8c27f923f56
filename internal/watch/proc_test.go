package watch

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
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

func sameUser(id string) string { return id }

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
	p, ancestors := n.launch("test", sameUser), n.above(sameUser)
	var above []string
	for _, a := range ancestors {
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
	table.forgetEnded(time.Now(), func() ([]int, error) { return []int{1000, 2000}, nil })
	if len(table.live) != 1 {
		t.Errorf("%d processes are kept, 1 runs", len(table.live))
	}
	if got := table.live[1000].above(sameUser); len(got) != ancestorsMost {
		t.Errorf("%d ancestors in an event", len(got))
	}
}

func TestTableAndReusedNumbers(t *testing.T) {
	table := newTable(noProcess)
	now := time.Now()
	first := meetguard.Process{PID: 20, Exe: "/bin/first", Started: now}
	table.exec(first)
	table.end(20, now.Add(time.Hour)) // of a later process of that number
	if table.live[20] == nil {
		t.Fatal("the end of another process has ended this one")
	}
	if table.missed(first) || !table.missed(meetguard.Process{PID: 20, Exe: "/bin/first", Started: now.Add(time.Hour)}) {
		t.Error("a later process of the same number is taken for the earlier one, or the same for another")
	}
	table.fork(30, 20, now)
	table.end(20, now)
	table.fork(20, 30, now.Add(time.Minute)) // the number is given again, below its own former child
	n := table.exec(meetguard.Process{PID: 20, PPID: 30, Exe: "/bin/second", Started: now.Add(time.Minute)})
	if a := n.above(sameUser); len(a) != 2 || a[0].PID != 30 || a[1].PID != 20 || a[1].Exe != "/bin/first" {
		t.Errorf("ancestors %+v", a)
	}
}

func TestTableForgetsWithTime(t *testing.T) {
	table := newTable(noProcess)
	start := time.Now()
	for pid := 1; pid <= tableFew; pid++ {
		table.fork(pid, 0, start)
	}
	running := func() ([]int, error) { return []int{1}, nil }
	table.pruned = start
	table.forgetEnded(start.Add(tableAge/2), running)
	if len(table.live) != tableFew {
		t.Errorf("%d processes are left too soon", len(table.live))
	}
	table.forgetEnded(start.Add(tableAge), running)
	if len(table.live) != 1 {
		t.Errorf("%d processes are kept, 1 runs", len(table.live))
	}
}

func TestTableHoldsFewArguments(t *testing.T) {
	long := strings.Repeat("x", argsHeld/2)
	for _, c := range []struct{ args, want int }{{1, 1}, {3, 1}, {0, 0}} {
		if got := holdArgs(slices.Repeat([]string{long}, c.args)); len(got) != c.want {
			t.Errorf("%d of %d long arguments are held, want %d", len(got), c.args, c.want)
		}
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

// fedHub is a hub over processes that a test feeds, and what it emits.
func fedHub(t *testing.T, system processes) (*hub, *[]string) {
	t.Helper()
	l, err := NewLaunches(LaunchesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	l.system = system
	var got []string
	return newHub(l, func(_ context.Context, e meetguard.Event) error {
		got = append(got, fmt.Sprint(e.Path, len(e.Process.Ancestors)))
		return nil
	}), &got
}

func TestPollTellsWhatIsNew(t *testing.T) {
	start := time.Now()
	system := fed{1: {PID: 1, Exe: "/init", Started: start}, 2: {PID: 2, PPID: 1, Exe: "/sh", Started: start}}
	h, got := fedHub(t, system)
	h.seed(t.Context())
	p := &poller{l: h.l, system: system}
	if p.begin(t.Context()) == nil {
		t.Error("a list without this process is taken")
	}
	poll := func(want ...string) {
		t.Helper()
		*got = nil
		p.once(t.Context(), func(e told) { h.hear(t.Context(), e, sourcePoll) })
		if slices.Sort(*got); !slices.Equal(*got, want) {
			t.Errorf("got %q, want %q", *got, want)
		}
	}
	poll()
	system[3] = meetguard.Process{PID: 3, PPID: 2, Exe: "/new", Started: start}
	system[4] = meetguard.Process{PID: 4, PPID: h.l.self, Exe: "/worker", Started: start}
	system[5] = meetguard.Process{PID: 5, PPID: 1, Started: start} // tells nothing
	poll("/new2")
	system[2] = meetguard.Process{PID: 2, PPID: 1, Exe: "/reused", Started: start.Add(time.Hour)}
	poll("/reused1")
	delete(system, 3)
	poll()
}

func TestLossIsMadeGood(t *testing.T) {
	start := time.Now()
	system := fed{1: {PID: 1, Exe: "/init", Started: start}, 2: {PID: 2, PPID: 1, Exe: "/sh", Started: start}}
	h, got := fedHub(t, system)
	h.seed(t.Context())
	system[3] = meetguard.Process{PID: 3, PPID: 2, Exe: "/missed", Started: start}
	system[2] = meetguard.Process{PID: 2, PPID: 1, Exe: "/other", Started: start} // runs another program now
	for range 2 {
		h.hear(t.Context(), told{kind: lost, count: 5}, "test")
	}
	<-h.gaps
	h.reconcile(t.Context())
	if slices.Sort(*got); !slices.Equal(*got, []string{"/missed2", "/other1"}) || h.l.Counters().ExecLost != 10 {
		t.Errorf("got %q, counters %+v", *got, h.l.Counters())
	}
}

// TestNoRoomIsMadeGood: what emit has no room for is offered again while it runs
// the same program.
func TestNoRoomIsMadeGood(t *testing.T) {
	start := time.Now()
	of := func(pid int, exe string) meetguard.Process {
		return meetguard.Process{PID: pid, PPID: 1, Exe: exe, Args: []string{exe, "word"}, Started: start}
	}
	system := fed{1: {PID: 1, Exe: "/init", Started: start}, 2: of(2, "/stays"), 3: of(3, "/becomes"), 5: of(5, "/other")}
	h, got := fedHub(t, system)
	h.seed(t.Context())
	take, full := h.out.emit, true
	h.out.emit = func(ctx context.Context, e meetguard.Event) error {
		if full {
			return ErrBusy
		}
		return take(ctx, e)
	}
	for _, p := range []meetguard.Process{of(2, "/stays"), of(3, "/becomes"), of(4, "/ends")} {
		h.hear(t.Context(), told{kind: launched, proc: p}, "test")
	}
	<-h.gaps
	h.reconcile(t.Context()) // still full
	if lost := h.l.Counters().ExecLost; lost != 3 || len(*got) != 0 || len(h.gaps) != 1 {
		t.Fatalf("%d lost, got %q, %d lists to come", lost, *got, len(h.gaps))
	}
	full = false
	h.hear(t.Context(), told{kind: launched, proc: of(3, "/now")}, "test")
	system[3] = of(3, "/now")
	<-h.gaps
	h.reconcile(t.Context())
	if slices.Sort(*got); !slices.Equal(*got, []string{"/now1", "/stays1"}) || h.l.Counters().ExecLost != 3 || len(h.late) != 0 {
		t.Errorf("got %q, counters %+v", *got, h.l.Counters())
	}
}

func TestErrorOfEmitEnds(t *testing.T) {
	h, _ := fedHub(t, fed{})
	h.out.emit = func(context.Context, meetguard.Event) error { return errors.New("full") }
	r := &running{source: source{name: "test"}, early: []told{{kind: launched, proc: meetguard.Process{PID: 6, PPID: 1, Exe: "/x"}}}}
	if _, err := h.follow(t.Context(), r, nil); err == nil || h.out.err == nil {
		t.Error("the error of emit is lost")
	}
}

func TestLaunchSourceIsChecked(t *testing.T) {
	if _, err := NewLaunches(LaunchesConfig{Source: "none"}); err == nil {
		t.Error("an unknown source is taken")
	}
}
