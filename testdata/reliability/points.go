//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"meetguard/internal/alert"
)

// calls are the system calls at which a life ends. Whatever changes the state
// folder is among them, and opening besides.
var calls = []string{"write", "pwrite64", "fsync", "renameat", "openat", "unlinkat", "ftruncate", "fallocate"}

// maxPoints bounds the lives that one system call takes.
const maxPoints = 1000

// pointResult is what the deaths at every system call showed.
type pointResult struct {
	Name       string         `json:"name"`
	Points     map[string]int `json:"points"` // deaths at a system call of that name
	Total      int            `json:"total"`
	Promised   int            `json:"promised"`
	Lost       int            `json:"lost"`
	Unreadable int            `json:"unreadable"` // logs that could not be opened, are damaged or do not balance
}

func (r pointResult) failed() bool { return r.Lost > 0 || r.Unreadable > 0 || r.Total == 0 }

// runPoints lets the same life die at its first system call of a kind, then at
// its second, until it lives to its end.
func runPoints() (pointResult, error) {
	r := pointResult{Name: "points", Points: map[string]int{}}
	dir, err := os.MkdirTemp("", "meetguard-points")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	began, before, err := prepare(dir)
	if err != nil {
		return r, fmt.Errorf("prepare a log: %w", err)
	}
	for _, call := range calls {
		for k := 1; k <= maxPoints; k++ {
			done, err := r.die(dir, began, before, call, k)
			if err != nil {
				return r, fmt.Errorf("%s %d: %w", call, k, err)
			}
			if done {
				break
			}
			r.Points[call]++
			r.Total++
		}
		fmt.Fprintf(os.Stderr, "%s: %d points, %d lost, %d unreadable\n", call, r.Points[call], r.Lost, r.Unreadable)
	}
	return r, nil
}

// prepare makes the log that every life begins with: with delivered files to
// delete, with alerts that nobody has, just before a checkpoint, and with half a
// line at its end.
func prepare(dir string) (state string, promised map[string]bool, err error) {
	c, err := startStub()
	if err != nil {
		return "", nil, err
	}
	defer c.close()
	live := filepath.Join(dir, "live")
	l, err := alert.Open(live, lifeOptions)
	if err != nil {
		return "", nil, err
	}
	defer l.Close()
	if err := appendSome(l, "old", 0, 130, io.Discard); err != nil {
		return "", nil, err
	}
	if err := deliverAll(l, c.url); err != nil {
		return "", nil, err
	}
	promised = map[string]bool{}
	out, in := io.Pipe()
	go func() { in.CloseWithError(appendSome(l, "owed", 0, 20, in)) }()
	listen(out, promised, func() {})
	state = filepath.Join(dir, "began")
	if err := os.CopyFS(state, os.DirFS(live)); err != nil {
		return "", nil, err
	}
	f, err := os.OpenFile(filepath.Join(state, "alerts.jsonl"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	_, err = f.WriteString(`{"activity_id":1,"half":"a li`)
	return state, promised, err
}

// die lets a life end at the k-th call and looks at what it left. It answers
// true if the life had no such call.
func (r *pointResult) die(dir, began string, before map[string]bool, call string, k int) (done bool, err error) {
	state := filepath.Join(dir, "state")
	if err := os.RemoveAll(state); err != nil {
		return false, err
	}
	if err := os.CopyFS(state, os.DirFS(began)); err != nil {
		return false, err
	}
	if err := os.Chmod(state, 0o700); err != nil {
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
	cmd := exec.Command("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace="+call,
		"-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call, k), self, "life", strings.Join([]string{state, c.url, "new", "15"}, " "))
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
	_ = cmd.Wait() // how it died is known
	if said.fault != nil {
		return false, said.fault
	}
	for uid := range before {
		promised[uid] = true
	}
	if err := autopsy(state, c.url); err != nil {
		fmt.Fprintf(os.Stderr, "%s %d: %v\n", call, k, err)
		r.Unreadable++
	}
	r.Promised += len(promised)
	r.Lost += c.lacks(promised)
	return said.done, nil
}
