//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"meetguard/internal/watch"
)

// What a machine in an office does in an hour, and how much of that the soak is.
const (
	normalFiles    = 600  // that land in watched folders
	normalLaunches = 4000 // programs that are started
	soakTimes      = 50

	soakFill    = 20000            // files that land first, so that whatever the agent remembers of files is full
	soakJournal = 1 << 17          // paths that its journal knows before
	soakWarm    = 5 * time.Minute  // at the rate of the soak, not sampled
	soakEvery   = 5 * time.Second  // between two samples
	soakKeep    = 400              // files that lie in the folder at a time
	fileLure    = 100              // one file of so many is a lure
	lineLure    = 1000             // one launch of so many is one
	trips       = 50               // each time so many files have landed, a folder comes and goes
	heapLeak    = 1024             // bytes a minute that the heap may grow at most, at the upper end of the interval
	handLeak    = 0.02             // descriptors, goroutines and threads a minute
	soakPause   = 60 * time.Second // for the last alerts to be written and delivered
)

// soak is the run.
type soak struct {
	server
	agent   string // the program
	length  time.Duration
	seed    uint64
	samples string // file for the samples, "" for none
}

// soakResult is what it showed.
type soakResult struct {
	Name     string           `json:"name"`
	Seed     uint64           `json:"seed"`
	Minutes  float64          `json:"minutes"`
	Samples  int              `json:"samples"`
	Files    int              `json:"files"` // that landed while it was sampled
	Launches int              `json:"launches"`
	Heard    int64            `json:"launches_heard"` // others launch programs on this machine too
	Lures    int              `json:"lures"`          // files and launches, from the beginning on
	Missed   int              `json:"missed"`
	Twice    int              `json:"twice"`
	False    int              `json:"false"`
	Foreign  int              `json:"foreign"`     // alerts about launches of others on this machine
	Stored   int              `json:"stored"`      // alerts that the collector has
	LogBytes int64            `json:"log_bytes"`   // that the alert log grew by
	Lines    int64            `json:"lines_bytes"` // the length of the alerts' lines of that time
	Slopes   map[string]slope `json:"slopes"`
	Leaks    []string         `json:"leaks"`
	Counters map[string]int64 `json:"counters"` // of the agent, at the end
	Load     string           `json:"load"`     // of the machine, at the end
}

func (r soakResult) failed() bool {
	return r.Missed+r.Twice+r.False+len(r.Leaks) > 0 || r.LogBytes != r.Lines || r.Samples < slopeBlocks
}

// sample is one look at agent and collector.
type sample map[string]float64

func (s *soak) run() (r soakResult, err error) {
	r = soakResult{Name: "soak", Seed: s.seed, Slopes: map[string]slope{}, Leaks: []string{}}
	metrics, err := freePort()
	if err != nil {
		return r, err
	}
	end, err := s.begin("soak", s.seed, "--metrics", metrics)
	if err != nil {
		return r, err
	}
	defer end()
	w := &whole{program: s.agent, dir: filepath.Join(s.dir, "agent"), watch: []string{filepath.Join(s.dir, "Downloads")}, more: []string{"--service"}}
	l, err := newLander(w.watch[0], filepath.Join(s.dir, "elsewhere"), s.seed)
	if err != nil {
		return r, err
	}
	work, err := newWork(s.dir, l)
	if err != nil {
		return r, err
	}
	defer work.launcher.stop()
	if err := errors.Join(fillJournal(w.state()), w.enrol(&s.server), w.start()); err != nil {
		return r, err
	}
	defer w.kill()
	if err := s.sampled(w, work, metrics, &r); err != nil {
		return r, err
	}
	time.Sleep(min(soakPause, s.length))
	if err := r.count(w, work); err != nil {
		return r, err
	}
	if err := w.stop(); err != nil {
		return r, fmt.Errorf("stop the agent: %w", err)
	}
	return r, s.arrived(&r)
}

// fillJournal leaves a journal as months of use leave it: at its bound.
func fillJournal(state string) error {
	j, err := watch.OpenJournal(state)
	if err != nil {
		return err
	}
	for n := range soakJournal {
		if err := j.Record(fmt.Sprint("/home/somebody/Downloads/", n), watch.Identity{Ino: uint64(n), Size: 1}); err != nil {
			return errors.Join(err, j.Close())
		}
	}
	return j.Close()
}

// sampled works, and samples what comes of it.
func (s *soak) sampled(w *whole, work *work, metrics string, r *soakResult) error {
	begin := time.Now()
	for work.files < soakFill*int(min(s.length, time.Hour)/time.Second)/3600 {
		if err := work.file(); err != nil {
			return err
		}
	}
	if err := errors.Join(w.rest(10*time.Minute), work.tidy()); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d files in %v, warming\n", work.files, time.Since(begin).Round(time.Second))
	if err := work.keep(min(soakWarm, s.length/4), func() error { return nil }); err != nil {
		return err
	}
	files, launches := work.files, work.launches
	before, err := w.status()
	if err != nil {
		return err
	}
	size, lines, err := w.lines()
	if err != nil {
		return err
	}
	var all []sample
	begin = time.Now()
	err = work.keep(s.length, func() error {
		one, err := s.look(w, metrics)
		one["minutes"] = time.Since(begin).Minutes()
		all = append(all, one)
		if len(all)%60 == 1 {
			fmt.Fprintf(os.Stderr, "%.0f min, %d files, %d launches, heap %.0f, %.0f descriptors, %.0f goroutines\n",
				one["minutes"], work.files, work.launches, one["agent live heap"], one["agent descriptors"], one["agent goroutines"])
		}
		return errors.Join(err, s.keepSample(one))
	})
	if err != nil {
		return err
	}
	after, err := w.status()
	if err != nil {
		return err
	}
	size2, lines2, err := w.lines()
	r.LogBytes, r.Lines = size2-size, lines2-lines
	r.Minutes, r.Samples = time.Since(begin).Minutes(), len(all)
	r.Files, r.Launches, r.Heard = work.files-files, work.launches-launches, after.Counters["exec_events"]-before.Counters["exec_events"]
	r.Load = load()
	r.judge(all)
	return err
}

// look takes one sample.
func (s *soak) look(w *whole, metrics string) (sample, error) {
	out := sample{}
	st, err := w.status()
	if err != nil {
		return out, err
	}
	out["agent heap"], out["agent live heap"], out["agent goroutines"] = float64(st.Process.HeapBytes), float64(st.Process.LiveBytes), float64(st.Process.Goroutines)
	pid := w.cmd.Process.Pid
	if !w.lives() {
		said, _ := w.says()
		return out, fmt.Errorf("the agent has ended: %s", said[max(0, len(said)-4096):])
	}
	lookAt(out, "agent ", pid)
	for _, child := range family(pid)[1:] {
		lookAt(out, "workers ", child)
	}
	lookAt(out, "collector ", s.cmd.Process.Pid)
	out["log bytes"] = float64(w.logSize())
	if fi, err := os.Stat(w.logFile()); err == nil {
		out["journal of the service"] = float64(fi.Size())
	}
	return out, scrape(out, "http://"+metrics+"/metrics")
}

// lookAt adds what a process has.
func lookAt(out sample, prefix string, pid int) {
	out[prefix+"RSS"] += float64(procField(pid, "status", "VmRSS:") << 10)
	out[prefix+"PSS"] += float64(procField(pid, "smaps_rollup", "Pss:") << 10)
	out[prefix+"private"] += float64((procField(pid, "smaps_rollup", "Private_Clean:") + procField(pid, "smaps_rollup", "Private_Dirty:")) << 10)
	out[prefix+"threads"] += float64(procField(pid, "status", "Threads:"))
	out[prefix+"descriptors"] += float64(descriptors(pid))
}

// scrape adds what the collector tells of itself.
func scrape(out sample, url string) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	for line := range bytes.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		v, _ := strconv.ParseFloat(value, 64)
		switch name {
		case "go_goroutines":
			out["collector goroutines"] = v
		case "go_memstats_heap_inuse_bytes":
			out["collector heap"] = v
		}
	}
	return err
}

func (s *soak) keepSample(one sample) error {
	if s.samples == "" {
		return nil
	}
	f, err := os.OpenFile(s.samples, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(json.NewEncoder(f).Encode(one), f.Close())
}

// judge lays lines through the samples. Heaps, descriptors and goroutines must
// not rise; what the kernel counts as theirs is told beside.
func (r *soakResult) judge(all []sample) {
	if len(all) < slopeBlocks {
		return
	}
	series := func(name string) (out []float64) {
		for _, one := range all {
			out = append(out, one[name])
		}
		return out
	}
	minutes := series("minutes")
	for name := range all[0] {
		if name == "minutes" {
			continue
		}
		line := slopeOf(minutes, series(name))
		r.Slopes[name] = line
		leaks := false
		switch {
		case strings.HasSuffix(name, "heap"):
			leaks = !line.holdsZero() && line.High > heapLeak
		case strings.HasSuffix(name, "descriptors"), strings.HasSuffix(name, "goroutines"):
			leaks = max(line.PerMinute, -line.PerMinute) >= handLeak
		}
		if leaks {
			r.Leaks = append(r.Leaks, name)
		}
	}
}

// count compares what was done with what the agent wrote.
func (r *soakResult) count(w *whole, work *work) error {
	alerts, err := w.alerts()
	if err != nil {
		return err
	}
	st, err := w.status()
	if err != nil {
		return err
	}
	r.Counters = st.Counters
	found := map[string]int{}
	for _, a := range alerts {
		mark := work.markOf(a)
		switch {
		case mark != "":
			found[mark]++
		case strings.HasPrefix(a.path, w.watch[0]):
			r.False++
			fmt.Fprintf(os.Stderr, "false: %q\n", a.path)
		default:
			r.Foreign++
		}
	}
	r.Lures = len(work.lures)
	for mark := range work.lures {
		switch found[mark] {
		case 0:
			r.Missed++
			fmt.Fprintln(os.Stderr, "missed:", mark)
		case 1:
		default:
			r.Twice++
		}
	}
	return nil
}

// arrived counts what the collector has.
func (s *soak) arrived(r *soakResult) error {
	s.kill()
	have, err := s.storedUIDs()
	r.Stored = len(have)
	return err
}
