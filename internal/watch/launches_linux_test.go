package watch

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"meetguard"
)

// runLaunches runs Launches until the test ends.
func runLaunches(t *testing.T, cfg LaunchesConfig) (*Launches, *seen) {
	t.Helper()
	l, err := NewLaunches(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := &seen{count: map[string]int{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx, s.emit) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	select {
	case <-l.Ready():
	case <-time.After(patience):
		t.Fatalf("not ready: %+v", l.Status())
	}
	return l, s
}

// launched returns the launches of the test binary with this first argument.
func (s *seen) launched(first string) []*meetguard.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*meetguard.Process
	for _, e := range s.events {
		if p := e.Process; p != nil && len(p.Args) > 1 && strings.HasPrefix(p.Args[1], first) && p.Exe == ownPath() {
			found = append(found, p)
		}
	}
	return found
}

// await waits until count launches with this first argument were seen.
func (s *seen) await(t *testing.T, l *Launches, first string, count int) []*meetguard.Process {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		found := s.launched(first)
		if len(found) >= count {
			return found
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d launches of %q seen, counters %+v", len(found), count, first, l.Counters())
		}
	}
}

// kernelTells says whether a source of the kernel has to work here. Without
// the rights only the fall-back can be tested, which is what it does then.
func kernelTells(t *testing.T, name string) bool {
	t.Helper()
	missing := ""
	switch {
	case os.Geteuid() != 0:
		missing = "root"
	case name == sourceEBPF && !mayLoad(t):
		missing = "a kernel with type information, CAP_BPF and CAP_PERFMON, or the first namespace of processes"
	default:
		return true
	}
	l, _ := runLaunches(t, LaunchesConfig{})
	if s := l.Status(); !strings.Contains(s.Detail, name+":") {
		t.Errorf("without %s: %+v", missing, s)
	}
	t.Logf("REDUCED: NO %s, SO THAT %q ITSELF WAS NOT TESTED, only the fall-back", strings.ToUpper(missing), name)
	return false
}

// mayLoad tells whether programs can be loaded into this kernel.
func mayLoad(t *testing.T) bool {
	t.Helper()
	const admin, perfmon, bpf = 1 << 21, 1 << 38, 1 << 39 // see capability.h
	const firstPIDs = "pid:[4026531836]"                  // PROC_PID_INIT_INO of the kernel
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\nCapEff:\t")
	held, _, _ := strings.Cut(rest, "\n")
	caps, err := strconv.ParseUint(held, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	pids, _ := os.Readlink("/proc/self/ns/pid")
	_, err = os.Stat("/sys/kernel/btf/vmlinux")
	return err == nil && pids == firstPIDs && (caps&admin != 0 || caps&(perfmon|bpf) == perfmon|bpf)
}

// forKernelSources runs a test with each source that the kernel has.
func forKernelSources(t *testing.T, test func(t *testing.T, name string)) {
	for _, s := range kernelSources() {
		t.Run(s.name, func(t *testing.T) {
			if kernelTells(t, s.name) {
				test(t, s.name)
			}
		})
	}
}

func TestEveryLaunchIsSeen(t *testing.T) {
	forKernelSources(t, func(t *testing.T, name string) {
		l, s := runLaunches(t, LaunchesConfig{Source: name})
		if status := l.Status(); status.State != meetguard.SourceOK || !strings.HasPrefix(status.Detail, name) {
			t.Fatalf("status %+v", status)
		}
		const children = 200
		sh := exec.Command("sh", "-c", `"$0" 200 <&3; :`, ownPath()) // not the test's own child
		sh.Env = append(os.Environ(), roleVariable+"=parent")
		endSeen(t, s, sh, "child-")
		parent := s.await(t, l, "200", 1)[0]
		seenArgs := map[string]bool{}
		cwd, _ := os.Getwd()
		for _, p := range s.await(t, l, "child-", children) {
			seenArgs[p.Args[1]] = true
			if p.PPID != parent.PID || len(p.Ancestors) < 2 || p.Ancestors[0].PID != parent.PID || p.Ancestors[1].PID != sh.Process.Pid {
				t.Fatalf("parent of %+v is not %d", p, parent.PID)
			}
			if shell := p.Ancestors[1]; len(shell.Args) == 0 || shell.Args[0] != "sh" || !strings.HasPrefix(shell.Exe, "/") {
				t.Fatalf("the shell above is %+v", shell)
			}
			if !slices.Equal(p.Args[2:], []string{"two words", ""}) || p.User == "" || p.Cwd != cwd || p.OS != "linux" ||
				time.Since(p.Started).Abs() > 5*time.Minute || p.Source != name {
				t.Fatalf("launch %+v", p)
			}
		}
		if len(seenArgs) != children {
			t.Errorf("%d of %d children", len(seenArgs), children)
		}
		if own := s.launched("-c"); len(own) != 0 {
			t.Errorf("a launch of this process came: %+v", own[0])
		}
		if c := l.Counters(); c.ExecLost != 0 || c.ExecCut != 0 || c.ExecEvents < children+2 {
			t.Errorf("counters %+v", c)
		}
	})
}

// endSeen runs a shell until all that it launched is over. Launches with this first
// argument live until they were seen, or until the third file of the shell ends, which
// is when the test gives up.
func endSeen(t *testing.T, s *seen, sh *exec.Cmd, first string) {
	t.Helper()
	held, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	sh.ExtraFiles = []*os.File{held}
	var said bytes.Buffer
	sh.Stdout, sh.Stderr = &said, &said
	if err := sh.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- sh.Wait() }()
	giveUp := time.AfterFunc(patience, func() { hold.Close() })
	ended := map[int]bool{}
	for {
		select {
		case err := <-over:
			if giveUp.Stop() {
				hold.Close()
			}
			if err != nil {
				t.Fatalf("%v: %s", err, said.Bytes())
			}
			return
		case <-time.After(time.Millisecond):
		}
		for _, p := range s.launched(first) {
			if !ended[p.PID] {
				ended[p.PID] = true
				_ = unix.Kill(p.PID, unix.SIGTERM)
			}
		}
	}
}

func TestAncestorsSurvive(t *testing.T) {
	forKernelSources(t, func(t *testing.T, name string) {
		l, s := runLaunches(t, LaunchesConfig{Source: name})
		// The sub-shell in the background ends before the program that it started
		// launches the next one.
		sh := exec.Command("sh", "-c", `( ( sleep 0.3; `+roleVariable+`=orphaner "$0" maker <&3 & ) & ) 3<&0; exec sleep 0.01`, ownPath())
		in, err := sh.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := sh.Start(); err != nil {
			t.Fatal(err)
		}
		orphan := s.await(t, l, "orphan", 1)[0]
		in.Close()
		sh.Wait()
		var pids []int
		for _, a := range orphan.Ancestors {
			pids = append(pids, a.PID)
			// The first process of a virtual machine may have no file, and
			// the connector is too late for a shell on a machine that is busy.
			if name == sourceEBPF && a.PID != 1 && (a.Exe == "" || len(a.Args) == 0) {
				t.Errorf("ancestor %+v tells nothing", a)
			}
		}
		if !slices.Contains(pids, sh.Process.Pid) || orphan.PPID == 1 {
			t.Errorf("ancestors %v of %d lack the shell %d that ended", pids, orphan.PID, sh.Process.Pid)
		}
	})
}

// stormOf launches a program that ends at once, again and again, each time with
// another argument.
func stormOf(t *testing.T, launches int) {
	t.Helper()
	storm := roleCommand("storm", strconv.Itoa(launches))
	if out, err := storm.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// stormArgs waits until the storm is over and returns how many of its launches
// were seen with their arguments.
func (s *seen) stormArgs(t *testing.T, l *Launches) int {
	t.Helper()
	stormEnd := roleCommand("parent", "0") // not a child of this process below
	sh := exec.Command("sh", "-c", `"$0" 0; :`, ownPath())
	sh.Env = stormEnd.Env
	if err := sh.Run(); err != nil {
		t.Fatal(err)
	}
	s.await(t, l, "0", 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]bool{}
	for _, e := range s.events {
		if args := e.Process.Args; len(args) == 2 && strings.HasPrefix(args[1], "storm-") {
			found[args[1]] = true
		}
	}
	return len(found)
}

func TestStormIsReadWhole(t *testing.T) {
	if !kernelTells(t, sourceEBPF) {
		return
	}
	l, s := runLaunches(t, LaunchesConfig{Source: sourceEBPF})
	const launches = 1000
	stormOf(t, launches)
	if got := s.stormArgs(t, l); got != launches {
		t.Errorf("%d of %d launches came with their arguments", got, launches)
	}
	if c := l.Counters(); c.ExecLost != 0 || c.ExecUnread != 0 || c.ExecCut != 0 {
		t.Errorf("counters %+v", c)
	}
}

func TestLongArgumentsAreCompleted(t *testing.T) {
	if !kernelTells(t, sourceEBPF) {
		return
	}
	l, s := runLaunches(t, LaunchesConfig{Source: sourceEBPF})
	sh := exec.Command("sh", "-c", roleVariable+`=waiting "$0" long "$1"; :`, ownPath(), strings.Repeat("x", 20_000))
	in, err := sh.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := sh.Start(); err != nil {
		t.Fatal(err)
	}
	p := s.await(t, l, "long", 1)[0]
	in.Close()
	sh.Wait()
	if len(p.Args) != 3 || len(p.Args[2]) != 20_000 || l.Counters().ExecCut != 0 {
		t.Errorf("%d arguments, counters %+v", len(p.Args), l.Counters())
	}
	if held := p.Ancestors[0].Args; len(held) != 4 && len(held) != 3 {
		t.Errorf("the shell above has %d arguments", len(held))
	}
}

func TestFullRingIsCounted(t *testing.T) {
	if !kernelTells(t, sourceEBPF) {
		return
	}
	l, err := NewLaunches(LaunchesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ears, err := openRing(l, os.Getpagesize())
	if err != nil {
		t.Fatal(err)
	}
	const launches = 100
	stormOf(t, launches)                 // while nobody reads
	all, seen, dropped := 0, 0, int64(0) // the machine launches other things, too
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- ears.listen(ctx, func(e told) {
			if e.kind == launched {
				all++
			}
			if args := e.proc.Args; len(args) == 2 && strings.HasPrefix(args[1], "storm-") {
				seen++
			}
			if e.kind == lost {
				dropped += e.count
				cancel()
			}
		})
	}()
	select {
	case <-ctx.Done():
	case <-time.After(patience):
		t.Error("the loss is not told")
	}
	cancel()
	ears.close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if all == 0 || seen >= launches || dropped < int64(launches-seen) {
		t.Errorf("%d launches seen, %d told as lost, of %d", seen, dropped, launches)
	}
}

func TestFullSocketIsCounted(t *testing.T) {
	if !kernelTells(t, sourceConnector) {
		return
	}
	l, err := NewLaunches(LaunchesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ears, err := openConnector(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	c := ears.(*connector)
	if err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1); err != nil { // the least that there is
		t.Fatal(err)
	}
	stormOf(t, 100) // while nobody reads
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- c.listen(ctx, func(e told) {
			if e.kind == lost {
				cancel()
			}
		})
	}()
	select {
	case <-ctx.Done():
	case <-time.After(patience):
		t.Error("the loss is not told")
	}
	cancel()
	c.close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestPollSeesLongLivedChild(t *testing.T) {
	l, s := runLaunches(t, LaunchesConfig{Source: sourcePoll, Poll: 50 * time.Millisecond})
	if status := l.Status(); status.State != meetguard.SourceDegraded || !strings.Contains(status.Detail, "short-lived") {
		t.Errorf("status %+v", status)
	}
	sh := exec.Command("sh", "-c", roleVariable+`=waiting "$0" long-lived; :`, ownPath())
	in, err := sh.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := sh.Start(); err != nil {
		t.Fatal(err)
	}
	p := s.await(t, l, "long-lived", 1)[0]
	if p.PPID != sh.Process.Pid || len(p.Ancestors) == 0 || p.Ancestors[0].PID != sh.Process.Pid {
		t.Errorf("launch %+v, want parent %d", p, sh.Process.Pid)
	}
	in.Close()
	sh.Wait()
}

// TestWhatRings: in a storm a launch wakes the reader if its program is none of
// the system's own, or if its arguments hold an address.
func TestWhatRings(t *testing.T) {
	if !kernelTells(t, sourceEBPF) {
		return
	}
	l, err := NewLaunches(LaunchesConfig{Source: sourceEBPF})
	if err != nil {
		t.Fatal(err)
	}
	ears, err := openRing(l, ringSize)
	if err != nil {
		t.Fatal(err)
	}
	defer ears.close()
	e := ears.(*ebpfListener)
	address := "https://" + strings.Repeat("a", 20) + ".invalid/"
	for i, tc := range []struct {
		name string
		bell uint64
		args []string
		rang bool
	}{
		{"each", ringAll, []string{"/bin/true", "x"}, true},
		{"of the system", ringSome, []string{"/bin/true", "x"}, false},
		{"without arguments but the word", ringSome, []string{"/bin/true"}, false},
		{"almost an address", ringSome, []string{"/bin/true", "a:/b", "c:", "//d"}, false},
		{"an address", ringSome, []string{"/bin/true", address}, true},
		{"an address far behind", ringSome, []string{"/bin/true", strings.Repeat("a", 400), address}, true},
		{"an address too far behind", ringSome, []string{"/bin/true", strings.Repeat("a", linkMost), address}, false},
		{"not of the system", ringSome, []string{ownPath(), "x"}, true},
		{"none", ringNever, []string{ownPath(), address}, false},
	} {
		if err := e.ring(tc.bell); err != nil {
			t.Fatal(err)
		}
		word := "what-rings-" + strconv.Itoa(i)
		cmd := exec.Command(tc.args[0], append(tc.args[1:], word)...)
		cmd.Env = append(os.Environ(), roleVariable+"=waiting")
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		if rang, found := e.ringing(word); !found || rang != tc.rang {
			t.Errorf("%s: it rang: %v (told: %v), want %v", tc.name, rang, found, tc.rang)
		}
	}
}

// ringing says whether the launch with that last argument woke the reader.
func (e *ebpfListener) ringing(word string) (rang, found bool) {
	for b, err := e.waiting.next(); b != nil && err == nil; b, err = e.waiting.next() {
		if t, _, ok := e.records.parse(b); ok && t.kind == launched && len(t.proc.Args) > 0 && t.proc.Args[len(t.proc.Args)-1] == word {
			rang, found = binary.NativeEndian.Uint32(b[recordFlags:])&recordRang != 0, true
		}
	}
	return rang, found
}
