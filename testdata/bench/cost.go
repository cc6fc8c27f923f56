//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// run runs a command to its end and gives the CPU seconds of it and of every
// descendant that was waited for (the rusage of wait4). Exit code 1 of a scan
// means that something was found.
func run(name string, args ...string) (cpu, wall float64, err error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	started := time.Now()
	err = cmd.Run()
	wall = time.Since(started).Seconds()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("run %s: %w", filepath.Base(name), err)
	}
	return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), wall, nil
}

func (e *env) scan(path string, more ...string) (cpu, wall float64, err error) {
	return run(e.agent, append(append([]string{"scan", "--json"}, more...), path)...)
}

func (e *env) hash(path string) (cpu float64, err error) {
	cpu, _, err = run(e.self, "floor", "sha", path)
	return cpu, err
}

// ratios measures the agent against the hash floor in turns.
func (e *env) ratios(path string) (ratio, agent series, err error) {
	if _, err := e.hash(path); err != nil { // fills the page cache
		return nil, nil, err
	}
	for range e.rounds {
		floor, err := e.hash(path)
		if err != nil {
			return nil, nil, err
		}
		cpu, _, err := e.scan(path)
		if err != nil {
			return nil, nil, err
		}
		ratio, agent = append(ratio, cpu/floor), append(agent, cpu)
	}
	return ratio, agent, nil
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
	ratio, cpu, err := e.ratios(dir)
	if err != nil {
		return nil, err
	}
	return []result{atMost(fmt.Sprintf("CPU of a scan of %d real files / SHA-256 of them", n), ratio, 4, "×"), told("CPU of that scan", cpu, " s")}, nil
}

func measureBig(e *env) ([]result, error) {
	dir, err := e.big()
	if err != nil {
		return nil, err
	}
	ratio, _, err := e.ratios(dir)
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
	all, _, err := e.scan(dir, more...)
	if err != nil {
		return 0, err
	}
	var start series
	for range 3 {
		cpu, _, err := e.scan(one, more...)
		if err != nil {
			return 0, err
		}
		start = append(start, cpu)
	}
	return (all - start.median()) / float64(n-1), nil
}

func measureStart(e *env) ([]result, error) {
	dir, err := e.small(2000)
	if err != nil {
		return nil, err
	}
	var wall series
	for range 20 {
		_, w, err := e.scan(filepath.Join(dir, "0.txt"))
		if err != nil {
			return nil, err
		}
		wall = append(wall, w)
	}
	return []result{atMost("start to first verdict", wall, 0.1, " s")}, nil
}
