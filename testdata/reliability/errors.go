//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"meetguard/internal/alert"
)

// errorResult is what refused system calls showed.
type errorResult struct {
	Name       string         `json:"name"`
	Seed       uint64         `json:"seed"`
	Points     map[string]int `json:"points"` // lives in which a call of that name failed
	Short      int            `json:"short"`  // lives whose writes were cut short
	Promised   int            `json:"promised"`
	Lost       int            `json:"lost"`
	Unreadable int            `json:"unreadable"` // logs that could not be opened, are damaged or do not balance
	Agent      agentErrors    `json:"agent"`
}

// agentErrors is what they showed of the whole agent.
type agentErrors struct {
	Faults int    `json:"faults"`
	Again  times  `json:"detecting_again"`
	Kept   times  `json:"kept"` // what landed while calls failed, from the end of that on
	Twice  int    `json:"twice"`
	Broken int    `json:"broken"` // logs that `alerts verify` found damaged
	Load   string `json:"load"`
}

func (r errorResult) failed() bool {
	a := r.Agent
	return r.Lost+r.Unreadable+a.Again.Never+a.Again.Late+a.Kept.Never+a.Twice+a.Broken > 0 || r.Promised == 0
}

// shortest is how long a file may grow at least, in bytes: one line must find room,
// or nothing could ever be promised.
const shortest = 6000

// refusals are the errors that a call fails with.
var refusals = []string{"EIO", "ENOSPC", "EDQUOT", "EINTR"}

// runErrors lets the k-th call of a kind fail in a life of the agent's log, once
// and with the next ones, with one error after another; every step-th k. Then it
// does the same to a whole agent.
func runErrors(program string, seed uint64, step int) (r errorResult, err error) {
	r = errorResult{Name: "errors", Seed: seed, Points: map[string]int{}}
	dir, remove, err := scratch("errors")
	if err != nil {
		return r, err
	}
	defer func() { remove(r) }()
	began, before, err := prepare(dir)
	if err != nil {
		return r, fmt.Errorf("prepare a log: %w", err)
	}
	rng := rand.New(rand.NewPCG(seed, 6))
	for i, call := range calls {
		for k := 1 + i%step; k <= maxPoints; k += step {
			when := strconv.Itoa(k)
			if k/step%2 == 1 {
				when = fmt.Sprintf("%d..%d", k, k+2) // so that the new file fails too
			}
			trace := append([]string{"strace", "-f", "-qq", "-o", filepath.Join(dir, "trace"), "-e", "trace=" + call,
				"-e", fmt.Sprintf("inject=%s:error=%s:when=%s", call, refusals[k/step%len(refusals)], when)}, only(filepath.Join(dir, "state"))...)
			more, err := r.endure(dir, began, before, call+" "+when, trace, 0)
			if err != nil {
				return r, fmt.Errorf("%s %d: %w", call, k, err)
			}
			if !more {
				break
			}
			r.Points[call]++
		}
		fmt.Fprintf(os.Stderr, "%s: %d points, %d lost, %d unreadable\n", call, r.Points[call], r.Lost, r.Unreadable)
	}
	for range 60 / step {
		if _, err := r.endure(dir, began, before, "short", nil, shortest+rng.IntN(45000)); err != nil {
			return r, err
		}
		r.Short++
	}
	return r, r.Agent.run(program, filepath.Join(dir, "agent"))
}

// cyclesOfLife is how often such a life appends and delivers.
const cyclesOfLife = 6

// endure lets a life go to its end although calls fail, and looks at what it left.
// more is true if a call of that number was there to fail.
func (r *errorResult) endure(dir, began string, before map[string]bool, name string, trace []string, short int) (more bool, err error) {
	state := filepath.Join(dir, "state")
	if err := restore(began, state); err != nil {
		return false, err
	}
	c, err := startStub()
	if err != nil {
		return false, err
	}
	defer c.close()
	self, err := os.Executable()
	if err != nil {
		return false, err
	}
	argv := append(trace[:len(trace):len(trace)], self, "endure", strings.Join([]string{state, c.url, "new", strconv.Itoa(cyclesOfLife), strconv.Itoa(short)}, " "))
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return false, err
	}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	promised := map[string]bool{}
	said := listen(out, promised, func() {})
	_ = cmd.Wait() // what it said tells
	if !said.done {
		return false, errors.Join(fmt.Errorf("%s: it ended early", name), said.fault)
	}
	for uid := range before {
		promised[uid] = true
	}
	if err := autopsy(state, c.url); err != nil && !onlyRefused(state) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		r.Unreadable++
	}
	r.Promised += len(promised)
	r.Lost += c.lacks(promised)
	return strings.Contains(read(filepath.Join(dir, "trace")), "(INJECTED)"), nil
}

// onlyRefused says that the log is whole and balances, and that what was dropped
// was refused at the bound before it was written: a file that could not be deleted
// takes room.
func onlyRefused(state string) bool {
	l, err := alert.Open(state, lifeOptions)
	if err != nil {
		return false
	}
	defer l.Close()
	c := l.Counters()
	rep, err := alert.Verify(state)
	for reason := range c.Dropped {
		if !strings.HasPrefix(reason, "full/") {
			return false
		}
	}
	return err == nil && rep.OK() && c.Created == c.Acked+c.Pending+sum(c.Dropped) && l.Recovered() == (alert.Recovery{})
}

// endureOn is a life that goes on whatever its disk says: it opens the log until it
// opens, and appends each alert until it is promised. spec is "STATE URL ROUND
// CYCLES SHORT"; a SHORT above zero is how long a file may grow.
func endureOn(spec string) {
	runtime.LockOSThread()
	if err := endureOf(strings.Fields(spec)); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("done")
}

func endureOf(spec []string) error {
	state, url, round := spec[0], spec[1], spec[2]
	cycles, err1 := strconv.Atoi(spec[3])
	short, err2 := strconv.ParseUint(spec[4], 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if short > 0 {
		signal.Ignore(syscall.SIGXFSZ)
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: short, Max: unix.RLIM_INFINITY}); err != nil {
			return err
		}
	}
	faults := 0
	l, err := insist(&faults, func() (*alert.Log, error) { return alert.Open(state, lifeOptions) })
	if err != nil {
		return err
	}
	for n := range cycles * lifeAppends {
		if _, err := insist(&faults, func() (bool, error) { return true, appendSome(l, round, n, 1, os.Stdout) }); err != nil {
			return err
		}
		if n%lifeAppends == 0 && deliverAll(l, url) != nil {
			faults++
		}
	}
	if c := l.Counters(); c.Created != c.Acked+c.Pending+sum(c.Dropped) {
		return fmt.Errorf("the accounts are wrong: %+v", c)
	}
	_ = l.Close() // its last save may be the one that fails
	return nil
}

func sum(dropped map[string]uint64) (n uint64) {
	for _, d := range dropped {
		n += d
	}
	return n
}

// only are the arguments that keep strace to the files of a state folder: the
// runtime of Go does not live on without its own calls.
func only(state string) (argv []string) {
	names := []string{"", "alerts.jsonl", "alerts.lock", "cursor.json", "cursor.json.tmp", "journal", "journal.new", "alerts.uids", "alerts.reserve", "status.json", "status.json.tmp"}
	for n := range 60 { // whatever its lives call a rotated file
		names = append(names, fmt.Sprintf("alerts-%012d.jsonl", n+100))
	}
	for _, name := range names {
		argv = append(argv, "-P", filepath.Join(state, name))
	}
	return argv
}

// insist does something until it works.
func insist[T any](faults *int, do func() (T, error)) (v T, err error) {
	for range 20 {
		if v, err = do(); err == nil {
			return v, nil
		}
		*faults++
	}
	return v, err
}

// faultOf are the calls that fail in a whole agent.
var faultOf = []string{"fsync", "renameat", "pwrite64", "ftruncate", "unlinkat", "fallocate", "write", "openat"}

// run lets every second call of a kind fail in a running agent for a while.
func (a *agentErrors) run(program, dir string) error {
	s, err := newSubject(program, dir)
	if err != nil {
		return err
	}
	if err := s.start(); err != nil {
		return err
	}
	defer s.stop()
	if _, found, err := s.detects(); err != nil || !found {
		return fmt.Errorf("the agent does not work: %s: %w", s.said(), err)
	}
	for i, call := range faultOf {
		if err := a.disturb(s, call, refusals[i%2]); err != nil {
			return err
		}
		if !ok(s.program, "alerts", "verify", "--state", s.state) {
			a.Broken++
			fmt.Fprintln(os.Stderr, call, s.ask("alerts", "verify"))
		}
	}
	a.Load = load()
	return nil
}

func (a *agentErrors) disturb(s *subject, call, refusal string) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	argv := append([]string{"-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:error=%s:when=1+2", call, refusal)}, only(s.state)...)
	strace := exec.CommandContext(ctx, "strace", append(argv, "-p", strconv.Itoa(s.pid()))...)
	strace.Cancel = func() error { return strace.Process.Signal(os.Interrupt) } // it lets go of the agent
	strace.Stderr, strace.Stdout = io.Discard, io.Discard
	if err := strace.Start(); err != nil {
		return err
	}
	time.Sleep(500 * time.Millisecond) // until it holds the agent
	var meanwhile []string
	for range 4 {
		name, err := s.drop()
		if err != nil {
			return err
		}
		meanwhile = append(meanwhile, name)
		time.Sleep(700 * time.Millisecond)
	}
	stop()
	_ = strace.Wait() // interrupted
	a.Faults++
	took, found, err := s.detects()
	if err != nil {
		return err
	}
	if !a.Again.add(took, found) {
		fmt.Fprintf(os.Stderr, "%s: found %v after %v: %s\n", call, found, took, lastLine(s.said()))
	}
	for _, name := range meanwhile {
		took, found := s.await(name)
		a.Kept.add(took, found)
		if s.logged(name) > 1 {
			a.Twice++
		}
	}
	return nil
}
