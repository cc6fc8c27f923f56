//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// burst lets far more happen at once than the kernel's queues hold.
type burst struct {
	agent string
	files int
	seed  uint64
}

// burstResult is what was found of it.
type burstResult struct {
	Name  string `json:"name"`
	Seed  uint64 `json:"seed"`
	Files int    `json:"files"`

	Stalled stalledResult `json:"stalled"`
	Flood   floodResult   `json:"flood"`
	Storm   stormResult   `json:"storm"`
	Load    string        `json:"load"`
}

func (r burstResult) failed() bool {
	return r.Stalled.Missed > 0 || r.Stalled.Overflows == 0 || r.Stalled.Relists == 0 || r.Stalled.CPUPer100000 > relistBar.Seconds() ||
		!r.Flood.HisFound || !r.Flood.HersFound || r.Flood.BeforeHers > fairBar || r.Flood.Told == "" || !r.Storm.Found
}

const (
	relistBar = 2 * time.Second // CPU time for each 100,000 files that are listed again
	// fairBar is how many of the flood's files may be judged between the landing of
	// a lure in another's folder and its alert.
	fairBar = 3000
	// markEvery is how many files of the flood have one lure among them. The order of
	// the alerts in the log tells what was judged before what, however late anybody
	// looks.
	markEvery = 250
)

// stalledResult: files land while the agent is stopped, and what it must list
// again is more than the kernel has told it of.
type stalledResult struct {
	Lures        int     `json:"lures"`
	Missed       int     `json:"missed"`
	Overflows    int64   `json:"overflows"`
	Relists      int64   `json:"relists"`
	Races        int     `json:"races"`                   // renames, moves and deletions of files and folders meanwhile
	Seconds      float64 `json:"seconds"`                 // from its going on until the last lure was told
	CPUPer100000 float64 `json:"relist_cpu_s_per_100000"` // of the agent, of files that it knows
}

// floodResult: one user fills his folder to hide a lure in it, and a lure lands
// in the folder of another.
type floodResult struct {
	HisFound   bool    `json:"his_found"`
	HisAfter   float64 `json:"his_after_s"`
	HersFound  bool    `json:"hers_found"`
	HersAfter  float64 `json:"hers_after_s"`
	BeforeHers int64   `json:"judged_before_hers"` // of his files, since hers landed, by the marks among them
	Waited     int64   `json:"waited"`             // files that waited when hers landed
	Told       string  `json:"told"`               // by the status meanwhile
}

// stormResult: a lure among launches that come as fast as they can.
type stormResult struct {
	Launches int     `json:"launches"`
	Seconds  float64 `json:"seconds"`
	Lost     int64   `json:"lost"`
	Found    bool    `json:"found"`
}

func (b *burst) run() (r burstResult, err error) {
	r = burstResult{Name: "burst", Seed: b.seed, Files: b.files}
	fmt.Fprintln(os.Stderr, "seed", b.seed)
	dir, err := os.MkdirTemp("", "meetguard-burst")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	for _, part := range []struct {
		name string
		run  func(dir string, r *burstResult) error
	}{{"stalled", b.stalled}, {"flood", b.flood}, {"storm", b.storm}} {
		if err := part.run(filepath.Join(dir, part.name), &r); err != nil {
			return r, fmt.Errorf("%s: %w", part.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s: %+v, load %s\n", part.name, r, load())
	}
	r.Load = load()
	return r, nil
}

// stalled fills the folder while the agent is stopped.
func (b *burst) stalled(dir string, r *burstResult) error {
	w, err := newWhole(b.agent, dir)
	if err != nil {
		return err
	}
	w.config = "launches: \"off\"\n"
	if err := w.start(); err != nil {
		return err
	}
	defer w.kill()
	if err := w.suspend(); err != nil {
		return err
	}
	lures, err := b.fill(w.watch[0], filepath.Join(dir, "elsewhere"), &r.Stalled)
	if err != nil {
		return errors.Join(err, w.resume())
	}
	r.Stalled.Lures = len(lures)
	begin := time.Now()
	if err := w.resume(); err != nil {
		return err
	}
	missing, err := w.tells(lures, 30*time.Minute)
	if err != nil {
		return err
	}
	r.Stalled.Missed = len(missing)
	r.Stalled.Seconds = time.Since(begin).Seconds()
	if err := w.rest(30 * time.Minute); err != nil {
		return err
	}
	if err := b.again(w, r); err != nil {
		return err
	}
	st, err := w.status()
	r.Stalled.Overflows, r.Stalled.Relists = st.Counters["overflows"], st.Counters["relists"]
	return errors.Join(err, w.stop())
}

// without gives the lures that were not told.
func without(lures, told map[string]string) map[string]string {
	out := map[string]string{}
	for sum, path := range lures {
		if _, ok := told[sum]; !ok {
			out[sum] = path
		}
	}
	return out
}

// fill makes the files, with races among them. It gives the lures by their
// hashes.
func (b *burst) fill(dir, outside string, r *stalledResult) (map[string]string, error) {
	l, err := newLander(dir, outside, b.seed)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(b.seed, 7))
	lures := map[string]string{}
	put := func(path string, data []byte, bad bool) error {
		if bad {
			sum := sha256.Sum256(data)
			lures[hex.EncodeToString(sum[:])] = path
		}
		return os.WriteFile(path, data, 0o644)
	}
	for n := range b.files {
		name := fmt.Sprintf("%05d.txt", n)
		path, data := filepath.Join(dir, name), []byte(fmt.Sprintf("no. %d: nothing to see\n", n))
		bad := n%(b.files/10) == b.files/20 || n == b.files-1
		if bad {
			path, data = filepath.Join(dir, fmt.Sprintf("Zoom update %d.scpt", n)), lure(name)
		}
		if err := put(path, data, bad); err != nil {
			return nil, err
		}
		if n%100 != 0 && !bad {
			continue
		}
		r.Races++
		aside := filepath.Join(l.outside, filepath.Base(path))
		folder := filepath.Join(dir, fmt.Sprint("folder-", n))
		switch k := rng.IntN(4); {
		case k == 0: // renamed
			err = os.Rename(path, path+".renamed.scpt")
		case k == 1: // out and in again
			err = errors.Join(os.Rename(path, aside), os.Rename(aside, path))
		case k == 2: // into a folder that is moved then
			err = errors.Join(os.Mkdir(folder, 0o755), os.Rename(path, filepath.Join(folder, filepath.Base(path))), os.Rename(folder, folder+" moved"))
		case !bad:
			err = os.Remove(path)
		}
		if err != nil {
			return nil, err
		}
	}
	return lures, nil
}

// again has the agent list once more what it knows, as after any overflow, and
// measures what that costs it.
func (b *burst) again(w *whole, r *burstResult) error {
	if err := w.suspend(); err != nil {
		return err
	}
	before := cpuOf(w.cmd.Process.Pid)
	filler := filepath.Join(w.watch[0], "filler")
	queue, err := kernelQueue()
	for n := 0; n < queue+100 && err == nil; n++ { // two names in turn, so that the kernel cannot merge the events
		err = os.WriteFile(fmt.Sprint(filler, n%2), nil, 0o644)
	}
	st, statusErr := w.status()
	if err := errors.Join(err, statusErr, w.resume()); err != nil {
		return err
	}
	for end := time.Now().Add(10 * time.Minute); ; time.Sleep(time.Second) {
		now, err := w.status()
		if err != nil {
			return err
		}
		if now.Counters["relists"] > st.Counters["relists"] {
			break
		}
		if time.Now().After(end) {
			return errors.New("there was no second listing")
		}
	}
	if err := w.rest(10 * time.Minute); err != nil {
		return err
	}
	r.Stalled.CPUPer100000 = (cpuOf(w.cmd.Process.Pid) - before).Seconds() * 100000 / float64(b.files)
	return nil
}

func kernelQueue() (n int, err error) {
	raw, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscan(string(raw), &n)
	return n, err
}

// flood lets one user fill his folder.
func (b *burst) flood(dir string, r *burstResult) error {
	w, err := newWhole(b.agent, dir)
	if err != nil {
		return err
	}
	his, hers := filepath.Join(dir, "eve"), filepath.Join(dir, "ana")
	if err := errors.Join(os.Mkdir(his, 0o755), os.Mkdir(hers, 0o755)); err != nil {
		return err
	}
	w.watch, w.config = []string{his, hers}, "launches: \"off\"\n"
	if err := w.start(); err != nil {
		return err
	}
	defer w.kill()
	l, err := newLander(his, filepath.Join(dir, "elsewhere"), b.seed)
	if err != nil {
		return err
	}
	hisLure, hersLure := filepath.Join(his, "Zoom update.scpt"), filepath.Join(hers, "Zoom update.scpt")
	var landed, herLanding time.Time
	before := 0
	for n := range b.files {
		data, ext := l.heap(n)
		name := fmt.Sprintf("%06d%s", n, ext)
		if n%markEvery == 0 {
			name = markOfFlood + fmt.Sprintf("%06d.scpt", n)
			data = lure(name)
		}
		if err := os.WriteFile(filepath.Join(his, name), data, 0o644); err != nil {
			return err
		}
		switch n {
		case b.files / 2:
			landed = time.Now()
			err = os.WriteFile(hisLure, lure("his"), 0o644)
		case b.files - 1:
			st, statusErr := w.status()
			alerts, alertsErr := w.alerts()
			before, r.Flood.Waited = marks(alerts), st.Counters["files_pending"]
			herLanding = time.Now()
			err = errors.Join(statusErr, alertsErr, os.WriteFile(hersLure, lure("hers"), 0o644))
		}
		if err != nil {
			return err
		}
	}
	r.Flood.await(w, hisLure, hersLure, landed, herLanding, before)
	return w.stop()
}

// markOfFlood begins the names of the lures that mark how far the flood was judged.
const markOfFlood = "Zoom mark "

// marks counts them among alerts.
func marks(alerts []record) (n int) {
	for _, a := range alerts {
		if strings.HasPrefix(filepath.Base(a.path), markOfFlood) {
			n++
		}
	}
	return n
}

// await looks until both lures are told. before is how many marks were when hers
// landed.
func (r *floodResult) await(w *whole, his, hers string, landed, herLanding time.Time, before int) {
	for end := time.Now().Add(40 * time.Minute); time.Now().Before(end) && !(r.HisFound && r.HersFound); time.Sleep(100 * time.Millisecond) {
		alerts, err := w.alerts()
		if err != nil {
			return
		}
		st, err := w.status()
		if err != nil {
			continue
		}
		for _, src := range st.Sources {
			if src.Name == "files" && strings.Contains(src.Detail, "wait to be looked at") {
				r.Told = src.Detail
			}
		}
		for i, a := range alerts {
			if a.path == his && !r.HisFound {
				r.HisFound, r.HisAfter = true, time.Since(landed).Seconds()
			}
			if a.path == hers && !r.HersFound {
				r.HersFound, r.HersAfter = true, time.Since(herLanding).Seconds()
				r.BeforeHers = int64(marks(alerts[:i])-before) * markEvery
			}
		}
	}
}

// heap makes what a flood is made of: mostly small files, some big, some
// archives. No two are the same.
func (l *lander) heap(n int) (data []byte, ext string) {
	switch {
	case n%500 == 0:
		return append(bytes.Repeat([]byte("padding "), 128<<10), fmt.Sprint(n)...), ".dat"
	case n%50 == 0:
		return l.archive(n, "x"), ".zip"
	}
	return fmt.Appendf(nil, "no. %d: nothing to see\n", n), ".txt"
}

// stormLaunchers launch at the same time.
const stormLaunchers = 4

// storm launches as fast as it can.
func (b *burst) storm(dir string, r *burstResult) error {
	w, err := newWhole(b.agent, dir)
	if err != nil {
		return err
	}
	if err := w.start(); err != nil {
		return err
	}
	defer w.kill()
	before, err := w.status()
	if err != nil {
		return err
	}
	r.Storm.Launches = b.files / 5
	begin := time.Now()
	var wait sync.WaitGroup
	faults := make(chan error, stormLaunchers)
	for at := range stormLaunchers {
		wait.Go(func() {
			faults <- b.launches(filepath.Join(dir, fmt.Sprint("launcher-", at)), at, r.Storm.Launches/stormLaunchers)
		})
	}
	wait.Wait()
	for range stormLaunchers {
		err = errors.Join(err, <-faults)
	}
	r.Storm.Seconds = time.Since(begin).Seconds()
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end) && err == nil && !r.Storm.Found; time.Sleep(time.Second) {
		var alerts []record
		alerts, err = w.alerts()
		for _, a := range alerts {
			r.Storm.Found = r.Storm.Found || strings.Contains(a.line, "zoom-fix-storm.invalid")
		}
	}
	time.Sleep(3 * time.Second) // for the status
	after, statusErr := w.status()
	r.Storm.Lost = after.Counters["exec_lost"] - before.Counters["exec_lost"]
	return errors.Join(err, statusErr, w.stop())
}

func (b *burst) launches(dir string, at, count int) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	l, err := newLauncher(dir)
	if err != nil {
		return err
	}
	defer l.stop()
	for n := range count {
		if at == 0 && n == count/2 {
			err = l.shell(lureLine("storm"))
		} else {
			err = l.launch("true", fmt.Sprint("storm-", at, "-", n))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
