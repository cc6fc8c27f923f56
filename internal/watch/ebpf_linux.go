package watch

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"meetguard"
)

// ebpfListener reads what the programs in the kernel tell.
type ebpfListener struct {
	l       *Launches
	procs   *procfs
	records *recordReader
	loaded  *ebpf.Collection
	links   []link.Link
	waiting *ring
	bell    *bell
	state   *ebpf.Memory // of mapState
	dropped uint64       // as told
}

// openEBPF loads the programs and attaches them. That needs a kernel since 5.8
// with its type information, and root or CAP_BPF and CAP_PERFMON.
func openEBPF(_ context.Context, l *Launches) (listener, error) { return openRing(l, ringSize) }

// openRing takes the bytes of the ring: pages, and a power of two.
func openRing(l *Launches, ring int) (listener, error) {
	procs, err := newProcfs()
	if err != nil {
		return nil, err
	}
	if err := allowed(); err != nil {
		return nil, err
	}
	e := &ebpfListener{l: l, procs: procs, records: newRecordReader(procs.boot)}
	if err = e.load(ring); err == nil {
		err = e.attach()
	}
	debug.FreeOSMemory() // the type information of a kernel is large, and not needed again
	if err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

// allowed asks the kernel before its type information is read, which takes a
// tenth of a second.
func allowed() error {
	// Kernels before 5.11 charge maps to the limit of locked memory, which
	// only root may lift; on others it does not matter.
	_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
	m, err := ebpf.NewMap(&ebpf.MapSpec{Name: mapScratch, Type: ebpf.PerCPUArray, KeySize: 4, ValueSize: scratchSize, MaxEntries: 1})
	if err != nil {
		return fmt.Errorf("ask the kernel for a map: %w", err)
	}
	return m.Close()
}

func (e *ebpfListener) load(ring int) error {
	types := btf.NewCache()
	kernel, err := types.Kernel()
	if err != nil {
		return fmt.Errorf("read the kernel's types: %w", err)
	}
	where, err := readLayout(kernel)
	if err != nil {
		return err
	}
	e.loaded, err = ebpf.NewCollectionWithOptions(programs(where, ring), ebpf.CollectionOptions{Cache: types})
	if err != nil {
		return fmt.Errorf("load programs into the kernel: %w", err)
	}
	return nil
}

// attach begins to listen. The program that tells of launches comes last: then
// its ancestors are known.
func (e *ebpfListener) attach() (err error) {
	if e.waiting, err = openRingMap(e.loaded.Maps[mapRing].FD(), int(e.loaded.Maps[mapRing].MaxEntries())); err != nil {
		return err
	}
	if e.bell, err = newBell(e.loaded.Maps[mapRing].FD()); err != nil {
		return fmt.Errorf("wait for launches: %w", err)
	}
	if e.state, err = e.loaded.Maps[mapState].Memory(); err != nil {
		return fmt.Errorf("open what is shared with the kernel: %w", err)
	}
	for _, name := range []string{"fork", "exit", "exec"} {
		l, err := link.AttachTracing(link.TracingOptions{Program: e.loaded.Programs[name], AttachType: ebpf.AttachTraceRawTp})
		if err != nil {
			return fmt.Errorf("attach to %s of processes: %w", name, err)
		}
		e.links = append(e.links, l)
	}
	return nil
}

// close may be called while another goroutine listens.
func (e *ebpfListener) close() {
	for _, l := range e.links {
		l.Close()
	}
	if e.bell != nil {
		e.bell.file.Close()
	}
	if e.waiting != nil {
		e.waiting.close()
	}
	if e.loaded != nil {
		e.loaded.Close()
	}
}

func (e *ebpfListener) listen(ctx context.Context, tell func(told)) error {
	var s storm
	for ctx.Err() == nil {
		launches, rang, err := e.wait(ctx, s, tell)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if was := s.bell; s.heard(launches, rang, time.Now()) != was {
			if err := e.ring(s.bell); err != nil {
				return err
			}
		}
	}
	return nil
}

// wait tells what is in the ring, when somebody rang or it is time to look. Out
// of a storm it looks first, because what came unheard must not wait.
func (e *ebpfListener) wait(ctx context.Context, s storm, tell func(told)) (launches int, rang bool, err error) {
	var until time.Time
	if s.nap > 0 {
		until = time.Now().Add(s.nap)
	}
	if err := e.bell.file.SetReadDeadline(until); err != nil {
		return 0, false, fmt.Errorf("wait for launches: %w", err)
	}
	woken := s.bell == ringAll
	closed := e.bell.wait.Read(func(uintptr) bool {
		if woken {
			launches, err = e.drain(tell)
		}
		woken = true
		return launches > 0 || err != nil || ctx.Err() != nil
	})
	if err != nil || ctx.Err() != nil || closed == nil {
		return launches, true, err
	}
	if errors.Is(closed, os.ErrDeadlineExceeded) {
		launches, err = e.drain(tell)
		return launches, false, err
	}
	return 0, false, fmt.Errorf("wait for launches: %w", closed)
}

// ring says which launches wake the reader from now on.
func (e *ebpfListener) ring(bell uint64) error {
	var raw [8]byte
	binary.NativeEndian.PutUint64(raw[:], bell)
	if _, err := e.state.WriteAt(raw[:], stateBell); err != nil {
		return fmt.Errorf("tell the kernel which launches to wake for: %w", err)
	}
	return nil
}

// drain tells what is in the ring, and how many launches that was.
func (e *ebpfListener) drain(tell func(told)) (launches int, err error) {
	booted := bootMoment()
	for {
		record, err := e.waiting.next()
		if err != nil {
			return launches, err
		}
		if record == nil {
			return launches, e.tellDropped(tell)
		}
		t, cut, ok := e.records.parse(record)
		if !ok {
			continue
		}
		if t.kind == launched {
			launches++
			t.seen = booted.Add(time.Duration(binary.NativeEndian.Uint64(record[recordAt:])))
			e.complete(&t.proc, cut)
		}
		tell(t)
	}
}

// bootMoment is when the clock began that the kernel tells moments of, on the
// clock of this process: the time of day may have been set since.
func bootMoment() time.Time {
	var up unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &up) // it was there when procfs asked
	return time.Now().Add(-time.Duration(up.Nano()))
}

// complete reads from /proc what did not fit into the record, if the process
// still runs the same program.
func (e *ebpfListener) complete(p *meetguard.Process, cut cuts) {
	if cut == (cuts{}) {
		return
	}
	d, err := e.procs.describe(p.PID)
	if err != nil || !sameStart(d.Started, p.Started) || (!cut.exe && d.Exe != p.Exe) {
		e.l.cut.Add(1)
		return
	}
	if cut.exe {
		p.Exe = d.Exe
	}
	if cut.cwd {
		p.Cwd = d.Cwd
	}
	if cut.args {
		p.Args = d.Args
	}
}

// tellDropped tells of launches that found no room. The ring was full then, so
// that it is enough to look when it has been read.
func (e *ebpfListener) tellDropped(tell func(told)) error {
	var raw [8]byte
	if _, err := e.state.ReadAt(raw[:], stateDropped); err != nil {
		return fmt.Errorf("read the count of lost launches: %w", err)
	}
	count := binary.NativeEndian.Uint64(raw[:])
	if count != e.dropped {
		tell(told{kind: lost, count: int64(count - e.dropped)})
		e.dropped = count
	}
	return nil
}
