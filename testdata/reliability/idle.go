//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// idleMoment is how long a canary or a heartbeat takes with all that follows: what
// an agent does within so many seconds around the moment at which it wrote its
// status belongs to that.
const (
	idleBefore = 2 * time.Second
	idleAfter  = 3 * time.Second
	idleWarm   = 20 * time.Second // after the start, not counted
)

// Bars of one process between two moments, a minute. The runtime's own watcher wakes
// once a minute and sleeps twice.
const (
	idleSleeps = 3.0
	idleCPU    = 0.5 // milliseconds
)

// idle is the run: an agent at rest alone, and one with a collector. Launches are
// off, as the kernel tells of those of the whole machine.
type idle struct {
	server
	agent  string
	length time.Duration
}

// restful is what one process did.
type restful struct {
	Minutes float64 `json:"minutes"` // between the moments
	Sleeps  float64 `json:"sleeps_a_minute"`
	CPU     float64 `json:"cpu_ms_a_minute"`
	All     float64 `json:"cpu_ms_a_minute_with_moments"`
	RSS     int64   `json:"rss"`
	PSS     int64   `json:"pss"`
}

// idleResult is what it showed.
type idleResult struct {
	Name    string                         `json:"name"`
	Moments map[string]int                 `json:"moments"`
	Rest    map[string]map[string]*restful `json:"rest"` // of each agent, of each process
	Load    string                         `json:"load"`
}

func (r idleResult) failed() bool {
	for _, processes := range r.Rest {
		for _, p := range processes {
			if p.Sleeps > idleSleeps || p.CPU > idleCPU || p.Minutes == 0 {
				return true
			}
		}
	}
	return len(r.Rest) == 0
}

func (s *idle) run() (r idleResult, err error) {
	r = idleResult{Name: "idle", Moments: map[string]int{}, Rest: map[string]map[string]*restful{}}
	if s.dir, err = os.MkdirTemp("", "meetguard-idle"); err != nil {
		return r, err
	}
	defer os.RemoveAll(s.dir)
	if s.addr, err = freePort(); err != nil {
		return r, err
	}
	if err := s.start(); err != nil {
		return r, err
	}
	defer s.kill()
	agents := map[string]*whole{}
	for _, name := range []string{"alone", "with a collector"} {
		w, err := newWhole(s.agent, filepath.Join(s.dir, name))
		if err != nil {
			return r, err
		}
		w.more, w.config = []string{"--service"}, "launches: off\n"
		if name != "alone" {
			err = w.enrol(&s.server)
		}
		if err = errors.Join(err, w.start()); err != nil {
			return r, err
		}
		defer w.kill()
		agents[name] = w
	}
	time.Sleep(idleWarm)
	return r, s.watch(agents, &r)
}

// watch looks once a second, and takes a second for rest if no status was written
// around it.
func (s *idle) watch(agents map[string]*whole, r *idleResult) error {
	type second struct {
		at  time.Time
		did map[string]activity
	}
	seconds, moments, before := map[string][]second{}, map[string][]time.Time{}, map[string]map[string]activity{}
	for end := time.Now().Add(s.length); time.Now().Before(end); time.Sleep(time.Second) {
		for name, w := range agents {
			fi, err := os.Stat(filepath.Join(w.state(), "status.json"))
			if err != nil {
				return err
			}
			if m := moments[name]; len(m) == 0 || !m[len(m)-1].Equal(fi.ModTime()) {
				moments[name] = append(m, fi.ModTime())
			}
			now := map[string]activity{}
			for i, pid := range family(w.cmd.Process.Pid) {
				now[idleProcess(i)] = active(pid)
			}
			if b := before[name]; b != nil {
				did := map[string]activity{}
				for p := range now {
					did[p] = activity{now[p].sleeps - b[p].sleeps, now[p].nanoseconds - b[p].nanoseconds}
				}
				seconds[name] = append(seconds[name], second{time.Now(), did})
			}
			before[name] = now
		}
	}
	for name, w := range agents {
		r.Moments[name], r.Rest[name] = len(moments[name]), map[string]*restful{}
		for i, pid := range family(w.cmd.Process.Pid) {
			p := &restful{RSS: int64(procField(pid, "status", "VmRSS:")) << 10, PSS: int64(procField(pid, "smaps_rollup", "Pss:")) << 10}
			var all, rest activity
			quiet := 0
			for _, sec := range seconds[name] {
				did := sec.did[idleProcess(i)]
				all.nanoseconds += did.nanoseconds
				if nearMoment(sec.at, moments[name]) {
					continue
				}
				quiet++
				rest.sleeps, rest.nanoseconds = rest.sleeps+did.sleeps, rest.nanoseconds+did.nanoseconds
			}
			if quiet > 0 {
				p.Minutes = float64(quiet) / 60
				p.Sleeps, p.CPU = float64(rest.sleeps)/p.Minutes, float64(rest.nanoseconds)/1e6/p.Minutes
				p.All = float64(all.nanoseconds) / 1e6 / s.length.Minutes()
			}
			r.Rest[name][idleProcess(i)] = p
		}
	}
	r.Load = load()
	return nil
}

func idleProcess(i int) string {
	if i == 0 {
		return "agent"
	}
	return fmt.Sprint("inspection ", i)
}

func nearMoment(at time.Time, moments []time.Time) bool {
	for _, m := range moments {
		if d := at.Sub(m); d > -idleBefore && d < idleAfter {
			return true
		}
	}
	return false
}

// activity is what the threads of a process did since they were started.
type activity struct{ sleeps, nanoseconds int64 }

// active counts how often a thread began to wait, and the time that they ran.
func active(pid int) (a activity) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid)) // of a process that has ended there are none
	for _, thread := range threads {
		_, rest, _ := strings.Cut(read(filepath.Join(thread, "status")), "\nvoluntary_ctxt_switches:\t")
		word, _, _ := strings.Cut(rest, "\n")
		n, _ := strconv.ParseInt(word, 10, 64)
		a.sleeps += n
		word, _, _ = strings.Cut(read(filepath.Join(thread, "schedstat")), " ")
		n, _ = strconv.ParseInt(word, 10, 64)
		a.nanoseconds += n
	}
	return a
}
