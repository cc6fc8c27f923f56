//go:build linux

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"meetguard"
	"meetguard/internal/alert"
)

// overloadResult is what a log did with more than it may hold.
type overloadResult struct {
	Name       string            `json:"name"`
	Seed       uint64            `json:"seed"`
	Bound      int64             `json:"bound"` // bytes of the log
	Offered    int64             `json:"offered"`
	Most       int64             `json:"most"` // bytes of its files, in any sample; the reserve is not counted
	Samples    int               `json:"samples"`
	Unbalanced int               `json:"unbalanced"` // samples in which created was not acknowledged + pending + dropped
	Malicious  int               `json:"malicious"`  // offered while other levels were dropped
	Refused    int               `json:"malicious_refused"`
	Written    int               `json:"malicious_on_a_full_disk"`
	Dropped    map[string]uint64 `json:"dropped"`
}

func (r overloadResult) failed() bool {
	return r.Most > r.Bound+r.Bound/4 || r.Unbalanced > 0 || r.Refused > 0 || r.Samples == 0 || r.Written == 0
}

// overloadBound is that of the log, in bytes.
const overloadBound = 2 << 20

// runOverload offers ten times what the log may hold while nobody takes it, and
// malicious findings as long as room is kept for them; then it fills the disk.
func runOverload(seed uint64) (r overloadResult, err error) {
	r = overloadResult{Name: "overload", Seed: seed, Bound: overloadBound}
	dir, remove, err := scratch("overload")
	if err != nil {
		return r, err
	}
	defer func() { remove(r) }()
	if err := sh("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", dir); err != nil {
		return r, fmt.Errorf("mount, which root may do: %w", err)
	}
	defer func() { err = errors.Join(err, sh("umount", "-l", dir)) }()
	state := filepath.Join(dir, "agent")
	l, err := alert.Open(state, alert.Options{MaxTotal: overloadBound})
	if err != nil {
		return r, err
	}
	defer l.Close()
	rng := rand.New(rand.NewPCG(seed, 9))
	room := int64(overloadBound / 16) // kept for malicious findings
	for n := 0; r.Offered < 10*overloadBound; n++ {
		level := meetguard.Suspicious
		if rng.IntN(50) == 0 && room > 16<<10 {
			level = meetguard.Malicious
		}
		before := sizeOfLog(state)
		ok, err := offer(l, n, level)
		if level == meetguard.Malicious {
			if r.Malicious++; err != nil || !ok {
				r.Refused++
			}
			room -= sizeOfLog(state) - before
		} else if err != nil {
			return r, err
		}
		r.Offered += 3 << 10 // about one line
		r.sample(l, state)
	}
	if err := r.fill(l, dir, state); err != nil {
		return r, err
	}
	r.Dropped = l.Counters().Dropped
	return r, nil
}

// fill takes the rest of the disk and offers malicious findings as long as the
// reserve holds, in a log of their own.
func (r *overloadResult) fill(_ *alert.Log, dir, _ string) error {
	state := filepath.Join(dir, "full")
	l, err := alert.Open(state, alert.Options{MaxTotal: overloadBound})
	if err != nil {
		return err
	}
	defer l.Close()
	filler, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		return err
	}
	defer filler.Close()
	for block := make([]byte, 4096); ; {
		if _, err := filler.Write(block); err != nil {
			break
		}
	}
	held := 0
	for n := range 32 { // some three quarters of what the reserve holds
		ok, err := offer(l, n, meetguard.Suspicious)
		if held++; err == nil && ok {
			held--
		}
		if ok, err := offer(l, 1_000_000+n, meetguard.Malicious); err != nil || !ok {
			r.Refused++
			fmt.Fprintln(os.Stderr, "on a full disk:", n, err)
		} else {
			r.Written++
		}
		r.sample(l, state)
	}
	if held == 0 {
		return errors.New("the disk was not full")
	}
	return nil
}

func offer(l *alert.Log, n int, level meetguard.Level) (bool, error) {
	a := madeAlert("overload", n)
	a.Verdict.Level = level
	return l.Append(alert.NewRecord(testHost, alert.Product{Version: "overload"}, a))
}

func (r *overloadResult) sample(l *alert.Log, state string) {
	c := l.Counters()
	if r.Samples++; c.Created != c.Acked+c.Pending+sum(c.Dropped) {
		r.Unbalanced++
	}
	r.Most = max(r.Most, sizeOfLog(state))
}

// sizeOfLog is what its files take, without the reserve.
func sizeOfLog(state string) (n int64) {
	entries, _ := os.ReadDir(state) // what cannot be listed has no size, and the sample shows it
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasPrefix(e.Name(), "alerts") && strings.HasSuffix(e.Name(), ".jsonl") {
			n += info.Size()
		}
	}
	return n
}
