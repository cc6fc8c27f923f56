//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// usage is what a command took, with every descendant that it waited for.
type usage struct {
	cpu, wall float64 // seconds
	memory    float64 // bytes, the peak of the largest process
}

// run runs a command to its end and gives its usage (the rusage of wait4). Exit
// code 1 of a scan means that something was found.
func run(name string, args ...string) (usage, error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	started := time.Now()
	err := cmd.Run()
	wall := time.Since(started).Seconds()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil
	}
	if err != nil {
		return usage{}, fmt.Errorf("run %s: %w", filepath.Base(name), err)
	}
	state := cmd.ProcessState
	return usage{cpu: (state.UserTime() + state.SystemTime()).Seconds(), wall: wall, memory: float64(state.SysUsage().(*syscall.Rusage).Maxrss) * 1024}, nil
}

func (e *env) scan(path string, more ...string) (usage, error) {
	return run(e.agent, append(append([]string{"scan", "--json"}, more...), path)...)
}

func (e *env) hash(path string) (float64, error) {
	u, err := run(e.self, "floor", "sha", path)
	return u.cpu, err
}

// ratios measures work against the hash floor over the same path in turns. What
// both programs cost to start is in both.
func (e *env) ratios(path string, work func() (usage, error)) (ratio series, took []usage, err error) {
	if _, err := e.hash(path); err != nil { // fills the page cache
		return nil, nil, err
	}
	for range e.rounds {
		floor, err := e.hash(path)
		if err != nil {
			return nil, nil, err
		}
		u, err := work()
		if err != nil {
			return nil, nil, err
		}
		ratio, took = append(ratio, u.cpu/floor), append(took, u)
	}
	return ratio, took, nil
}

// each takes one figure out of all usages.
func each(list []usage, figure func(usage) float64) series {
	var out series
	for _, u := range list {
		out = append(out, figure(u))
	}
	return out
}

func measureTree(e *env) ([]result, error) {
	n := 20000
	if e.short {
		n = 600
	}
	dir, err := e.tree(n)
	if err != nil {
		return nil, err
	}
	ratio, took, err := e.ratios(dir, func() (usage, error) { return e.scan(dir) })
	if err != nil {
		return nil, err
	}
	cpu := each(took, func(u usage) float64 { return u.cpu })
	return []result{atMost(fmt.Sprintf("CPU of a scan of %d real files / SHA-256 of them", n), ratio, 4, "×"), told("CPU of that scan", cpu, " s")}, nil
}

func measureBig(e *env) ([]result, error) {
	dir, err := e.big()
	if err != nil {
		return nil, err
	}
	ratio, _, err := e.ratios(dir, func() (usage, error) { return e.scan(dir) })
	if err != nil {
		return nil, err
	}
	var anon series
	for range e.rounds {
		peak, err := e.peakAnon(dir)
		if err != nil {
			return nil, err
		}
		anon = append(anon, float64(peak)/bigSize)
	}
	return []result{atMost("CPU of a scan of a 200 MB file / SHA-256 of it", ratio, 5.3, "×"),
		atMost("peak private memory of that scan, all processes / size of the file", anon, 0.2, "×")}, nil
}

// peakAnon scans path and gives the highest sum of anonymous memory of the
// agent and its workers. Pages of the mapped file do not count: the system
// takes them back when it needs them.
func (e *env) peakAnon(path string) (int64, error) {
	cmd := exec.Command(e.agent, "scan", "--json", path)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	var peak int64
	for {
		select {
		case err := <-done:
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.ExitCode() == 1 {
				err = nil
			}
			if err == nil && peak == 0 {
				err = errors.New("the scan ended before it was looked at")
			}
			return peak, err
		case <-time.After(2 * time.Millisecond):
			var sum int64
			for _, pid := range family(cmd.Process.Pid) {
				sum += procField(pid, "status", "RssAnon:") << 10
			}
			peak = max(peak, sum)
		}
	}
}

// measureSmall compares what one small text costs with and without fifty more
// rules for programs. What a start costs is taken off both.
func measureSmall(e *env) ([]result, error) {
	n := 2000
	dir, err := e.small(n)
	if err != nil {
		return nil, err
	}
	config, err := e.peRules()
	if err != nil {
		return nil, err
	}
	one := filepath.Join(dir, "0.txt")
	var ratio, floorRatio, perFile series
	for range e.rounds {
		floor, err := e.hash(dir)
		if err != nil {
			return nil, err
		}
		plain, err := e.perFile(dir, one, n)
		if err != nil {
			return nil, err
		}
		more, err := e.perFile(dir, one, n, "--config", config)
		if err != nil {
			return nil, err
		}
		ratio, floorRatio, perFile = append(ratio, more/plain), append(floorRatio, plain*float64(n)/floor), append(perFile, plain*1e6)
	}
	return []result{atMost("CPU per small text with 50 more rules for programs / without", ratio, 1.1, "×"),
		told("CPU of 2,000 small texts / SHA-256 of them", floorRatio, "×"), told("CPU per small text", perFile, " µs")}, nil
}

func (e *env) perFile(dir, one string, n int, more ...string) (float64, error) {
	all, err := e.scan(dir, more...)
	if err != nil {
		return 0, err
	}
	var start series
	for range 3 {
		u, err := e.scan(one, more...)
		if err != nil {
			return 0, err
		}
		start = append(start, u.cpu)
	}
	return (all.cpu - start.median()) / float64(n-1), nil
}

func measureStart(e *env) ([]result, error) {
	dir, err := e.small(2000)
	if err != nil {
		return nil, err
	}
	var wall series
	for range 20 {
		u, err := e.scan(filepath.Join(dir, "0.txt"))
		if err != nil {
			return nil, err
		}
		wall = append(wall, u.wall)
	}
	return []result{atMost("start to first verdict", wall, 0.1, " s")}, nil
}
