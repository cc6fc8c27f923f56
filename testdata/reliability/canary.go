//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Opens of the canary.
const (
	canaryFiles = 400
	canaryTurn  = 1500 * time.Millisecond
	canaryBar   = 1.05
)

// canary opens files as ordinary programs do, while others storm.
type canary struct {
	agent  string
	rounds int
	seed   uint64
}

// turn is what one turn of opening showed.
type turn struct {
	wall, cpu []float64 // µs of each open, read and close
	blocked   int64     // times that the kernel made the thread wait
}

// kept are the turns under one condition.
type kept struct {
	Opens   int     `json:"opens"`
	Wall99  float64 `json:"wall_p99_us"` // medians of the p99 of the turns
	Wall50  float64 `json:"wall_p50_us"`
	CPU99   float64 `json:"cpu_p99_us"` // of the thread alone: what others do to the machine is not in it
	CPU50   float64 `json:"cpu_p50_us"`
	Watched float64 `json:"cpu_p50_us_watched"` // of the files in the watched folder
	Others  float64 `json:"cpu_p50_us_others"`
	Blocked float64 `json:"waits_per_1000_opens"`

	wall99, wall50, cpu99, cpu50, watched, others []float64
	blocked                                       int64
}

// canaryResult compares them.
type canaryResult struct {
	Name     string           `json:"name"`
	Seed     uint64           `json:"seed"`
	Rounds   int              `json:"rounds"`
	Turns    map[string]*kept `json:"turns"`
	Running  float64          `json:"running_to_absent"` // p99 of CPU time, median of the rounds' ratios
	Stopped  float64          `json:"stopped_to_absent"`
	WallRun  float64          `json:"running_to_absent_wall"`
	WallStop float64          `json:"stopped_to_absent_wall"`
	Fanotify int              `json:"fanotify_marks"` // that the agent holds, of any kind
	LSM      int              `json:"lsm_programs"`   // eBPF programs that could refuse
	Inotify  int              `json:"inotify_watches"`
	Bar      float64          `json:"bar"`
	Load     string           `json:"load"`
}

func (r canaryResult) failed() bool {
	return r.Fanotify+r.LSM > 0 || r.Inotify == 0 || r.Running > r.Bar || r.Stopped > r.Bar
}

func (c *canary) run() (r canaryResult, err error) {
	r = canaryResult{Name: "canary", Seed: c.seed, Turns: map[string]*kept{"running": {}, "stopped": {}, "absent": {}}, Bar: canaryBar}
	dir, err := os.MkdirTemp("", "meetguard-canary")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	w, err := newWhole(c.agent, filepath.Join(dir, "agent"))
	if err != nil {
		return r, err
	}
	files, err := c.files(w.watch[0], filepath.Join(dir, "elsewhere"))
	if err != nil {
		return r, err
	}
	storm := exec.Command("/proc/self/exe", "stormer", w.watch[0])
	if err := storm.Start(); err != nil {
		return r, err
	}
	defer func() { _, _ = storm.Process.Kill(), storm.Wait() }()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var ratios [4][]float64
	for r.Rounds < c.rounds {
		turns, err := c.round(w, files, r.Rounds, &r)
		if err != nil {
			return r, err
		}
		for name, t := range turns {
			r.Turns[name].add(t)
		}
		q := func(name string, of func(turn) []float64) float64 { return quantile(of(turns[name]), 0.99) }
		cpu, wall := func(t turn) []float64 { return t.cpu }, func(t turn) []float64 { return t.wall }
		ratios[0] = append(ratios[0], q("running", cpu)/q("absent", cpu))
		ratios[1] = append(ratios[1], q("stopped", cpu)/q("absent", cpu))
		ratios[2] = append(ratios[2], q("running", wall)/q("absent", wall))
		ratios[3] = append(ratios[3], q("stopped", wall)/q("absent", wall))
		r.Rounds++
	}
	for i, to := range []*float64{&r.Running, &r.Stopped, &r.WallRun, &r.WallStop} {
		*to = quantile(ratios[i], 0.5)
	}
	for _, k := range r.Turns {
		k.sum()
	}
	r.Load = load()
	return r, nil
}

// files are ordinary ones, half of them in the watched folder.
func (c *canary) files(watched, elsewhere string) ([]string, error) {
	var out []string
	if err := os.MkdirAll(elsewhere, 0o755); err != nil {
		return nil, err
	}
	for n := range canaryFiles {
		path := filepath.Join([]string{watched, elsewhere}[n%2], fmt.Sprintf("ordinary-%d.txt", n))
		if err := os.WriteFile(path, bytes.Repeat([]byte("an ordinary line\n"), 200), 0o644); err != nil {
			return nil, err
		}
		out = append(out, path)
	}
	return out, nil
}

// round takes a turn under each condition, now in this order and now in that.
func (c *canary) round(w *whole, files []string, n int, r *canaryResult) (map[string]turn, error) {
	turns := map[string]turn{}
	absent := func() (err error) {
		turns["absent"], err = opening(files)
		return err
	}
	present := func() error {
		if err := w.start(); err != nil {
			return err
		}
		defer w.kill()
		r.look(w)
		order := []string{"running", "stopped"}
		if n/2%2 == 1 {
			order[0], order[1] = order[1], order[0]
		}
		for _, name := range order {
			if name == "stopped" {
				if err := w.suspend(); err != nil {
					return err
				}
			}
			t, err := opening(files)
			turns[name] = t
			if err := errors.Join(err, w.resume()); err != nil {
				return err
			}
		}
		return nil
	}
	parts := []func() error{absent, present}
	if n%2 == 1 {
		parts[0], parts[1] = present, absent
	}
	for _, part := range parts {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return turns, nil
}

// opening opens, reads and closes the files one after the other, for a turn.
func opening(files []string) (t turn, err error) {
	buf := make([]byte, 8<<10)
	once := func(path string) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		if _, err := f.Read(buf); err != nil && err != io.EOF {
			f.Close()
			return err
		}
		return f.Close()
	}
	for _, path := range files { // into the page cache
		if err := once(path); err != nil {
			return t, err
		}
	}
	var before, after unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &before); err != nil {
		return t, err
	}
	begin := time.Now()
	for n := 0; time.Since(begin) < canaryTurn; n++ {
		wall, cpu := time.Now(), threadTime()
		if err := once(files[n%len(files)]); err != nil {
			return t, err
		}
		t.cpu = append(t.cpu, float64(threadTime()-cpu)/1e3)
		t.wall = append(t.wall, float64(time.Since(wall))/1e3)
	}
	err = unix.Getrusage(unix.RUSAGE_THREAD, &after)
	t.blocked = after.Nvcsw - before.Nvcsw
	return t, err
}

// threadTime is the CPU time of this thread.
func threadTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

func (k *kept) add(t turn) {
	k.Opens += len(t.cpu)
	k.blocked += t.blocked
	k.wall99, k.wall50 = append(k.wall99, quantile(t.wall, 0.99)), append(k.wall50, quantile(t.wall, 0.5))
	k.cpu99, k.cpu50 = append(k.cpu99, quantile(t.cpu, 0.99)), append(k.cpu50, quantile(t.cpu, 0.5))
	var half [2][]float64
	for n, v := range t.cpu { // see files
		half[n%2] = append(half[n%2], v)
	}
	k.watched, k.others = append(k.watched, quantile(half[0], 0.5)), append(k.others, quantile(half[1], 0.5))
}

func (k *kept) sum() {
	k.Wall99, k.Wall50, k.CPU99, k.CPU50 = quantile(k.wall99, 0.5), quantile(k.wall50, 0.5), quantile(k.cpu99, 0.5), quantile(k.cpu50, 0.5)
	k.Watched, k.Others = quantile(k.watched, 0.5), quantile(k.others, 0.5)
	k.Blocked = 1000 * float64(k.blocked) / float64(max(k.Opens, 1))
}

// bpfLSM is BPF_PROG_TYPE_LSM of include/uapi/linux/bpf.h.
const bpfLSM = 29

// look counts what could hold up an open(): /proc/PID/fdinfo tells the marks of
// fanotify, the watches of inotify and the types of eBPF programs.
func (r *canaryResult) look(w *whole) {
	fanotify, inotify, lsm := 0, 0, 0
	for _, pid := range family(w.cmd.Process.Pid) {
		infos, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
		for _, info := range infos {
			data, _ := os.ReadFile(info) // closed is closed
			for line := range strings.Lines(string(data)) {
				switch kind, rest, _ := strings.Cut(line, " "); {
				case kind == "fanotify":
					fanotify++
				case kind == "inotify":
					inotify++
				case strings.HasPrefix(line, "prog_type:"):
					if n, _ := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(kind+rest, "prog_type:"))); n == bpfLSM {
						lsm++
					}
				}
			}
		}
	}
	r.Fanotify, r.Inotify, r.LSM = max(r.Fanotify, fanotify), max(r.Inotify, inotify), max(r.LSM, lsm)
}

// stormWidth is how many files of the storm lie there at a time.
const stormWidth = 2000

// stormer writes files into a folder as fast as it can, until it is killed.
func stormer(dir string) {
	for n := 0; ; n++ {
		path := filepath.Join(dir, fmt.Sprintf("storm-%d.txt", n%stormWidth))
		if err := os.WriteFile(path, fmt.Appendf(nil, "no. %d: nothing to see\n", n), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
