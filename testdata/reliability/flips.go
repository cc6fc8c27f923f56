//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"meetguard/internal/alert"
)

// flipResult is what one changed byte cost.
type flipResult struct {
	Name    string `json:"name"`
	Records int    `json:"records"`
	Bytes   int    `json:"bytes"`
	Flips   int    `json:"flips"`
	Lost    int    `json:"lost"`    // records more than one for a flip
	False   int    `json:"false"`   // records that nobody wrote
	Silent  int    `json:"silent"`  // flips that Verify did not report, or more than once
	Blamed  int    `json:"blamed"`  // flips that Verify blamed on another record
	Crashes int    `json:"crashes"` // flips that nobody could read the log after
}

func (r flipResult) failed() bool {
	return r.Lost+r.False+r.Silent+r.Blamed+r.Crashes > 0 || r.Flips == 0
}

// runFlips changes every step-th byte of a log of 100 records in turn, as one bit
// and into a newline, and reads the log.
func runFlips(step int) (r flipResult, err error) {
	r = flipResult{Name: "flips", Records: 100}
	dir, remove, err := scratch("flips")
	if err != nil {
		return r, err
	}
	defer func() { remove(r) }()
	whole := filepath.Join(dir, "whole")
	l, err := alert.Open(whole, alert.Options{Standalone: true})
	if err != nil {
		return r, err
	}
	for n := range r.Records {
		if ok, err := offer(l, n, madeAlert("", 0).Verdict.Level); err != nil || !ok {
			return r, fmt.Errorf("append: %v, %w", ok, err)
		}
	}
	if err := l.Close(); err != nil {
		return r, err
	}
	data, err := os.ReadFile(filepath.Join(whole, "alerts.jsonl"))
	if err != nil {
		return r, err
	}
	r.Bytes = len(data)
	written := map[string]bool{}
	for line := range bytes.Lines(data) {
		written[string(bytes.TrimSuffix(line, []byte("\n")))] = true
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	errs := make(chan error, runtime.NumCPU())
	for w := range runtime.NumCPU() {
		wg.Go(func() {
			f := flipper{dir: filepath.Join(dir, fmt.Sprint(w)), data: data, written: written}
			errs <- f.run(w*step, runtime.NumCPU()*step)
			mu.Lock()
			defer mu.Unlock()
			r.add(f.r)
		})
	}
	wg.Wait()
	for range runtime.NumCPU() {
		if err := <-errs; err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r *flipResult) add(o flipResult) {
	r.Flips += o.Flips
	r.Lost += o.Lost
	r.False += o.False
	r.Silent += o.Silent
	r.Blamed += o.Blamed
	r.Crashes += o.Crashes
}

// flipper changes bytes in a state folder of its own, on a copy of the log.
type flipper struct {
	dir     string
	data    []byte
	written map[string]bool
	r       flipResult
}

func (f *flipper) run(from, step int) error {
	if err := os.Mkdir(f.dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(f.dir, "alerts.jsonl")
	if err := os.WriteFile(path, f.data, 0o600); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	for at := from; at < len(f.data); at += step {
		for _, b := range []byte{f.data[at] ^ 1<<(at%8), '\n'} {
			if b == f.data[at] {
				continue
			}
			if _, err := file.WriteAt([]byte{b}, int64(at)); err != nil {
				return err
			}
			f.look(at)
		}
		if _, err := file.WriteAt(f.data[at:at+1], int64(at)); err != nil {
			return err
		}
	}
	return nil
}

// look reads the changed log.
func (f *flipper) look(at int) {
	f.r.Flips++
	have := 0
	for e, err := range alert.Read(f.dir, alert.Filter{}) {
		switch {
		case err != nil:
			f.r.Crashes++
			return
		case !f.written[string(e.Raw)]:
			f.r.False++
		default:
			have++
		}
	}
	if have < len(f.written)-1 {
		f.r.Lost += len(f.written) - 1 - have
	}
	rep, err := alert.Verify(f.dir)
	switch {
	case err != nil:
		f.r.Crashes++
	case len(rep.Issues) != 1 || rep.Issues[0].Kind != alert.LineChanged:
		f.r.Silent++
	case rep.Issues[0].Seq != uint64(bytes.Count(f.data[:at], []byte("\n"))+1):
		f.r.Blamed++
	}
}
