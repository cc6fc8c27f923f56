//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"meetguard/testdata/hostile"
)

// What one hostile file may cost. The agent gives a request 45 s; a file that
// changes is read once more.
const (
	hostileBudget = 46 * time.Second
	hostileWait   = 3 * time.Minute // after which a lure counts as missed
	maxMainRSS    = 60 << 10        // KiB, the goal for the agent itself
	maxWorkerAnon = 768 << 10       // KiB, what the inspection may allocate
)

// hostileResult is what a run with hostile files found.
type hostileResult struct {
	Name     string                    `json:"name"`
	Seed     uint64                    `json:"seed"`
	Items    int                       `json:"items"`
	Lures    int                       `json:"lures_found"`
	Missed   []string                  `json:"lures_missed"`
	Late     []string                  `json:"over_time"`      // a lure was found later than the budget after the item
	Silent   []string                  `json:"silently_clean"` // beyond what is read, and no word of it
	Verdicts map[string]map[string]int `json:"verdicts"`       // kind of item ─► level ─► items
	Reasons  map[string]int            `json:"why_incomplete"`
	Died     []string                  `json:"worker_died_of"` // items that cost a worker its life, and how it ended
	Restarts int                       `json:"worker_restarts"`
	Ended    bool                      `json:"agent_ended"` // it should not have

	MainKiB       int           `json:"main_rss_peak_kib"`
	WorkerKiB     int           `json:"worker_rss_peak_kib"`      // with the pages of mapped files
	WorkerAnonKiB int           `json:"worker_memory_peak_kib"`   // without them
	WorkerIdleKiB int           `json:"worker_memory_median_kib"` // after an item, of all items
	Slowest       []string      `json:"slowest"`
	Took          time.Duration `json:"took_ns"`
}

func (r hostileResult) failed() bool {
	return r.Ended || len(r.Missed)+len(r.Silent) > 0 || r.Lures < r.Items || r.Lures == 0
}

// victim is the agent under attack.
type victim struct {
	cmd     *exec.Cmd
	dir     string
	state   string
	ended   chan error
	mu      sync.Mutex
	levels  map[string]string // folder of an item or lure ─► the worst level told
	reasons map[string]string
	told    map[string]time.Time // of a folder: the alert that was told last
	deaths  []string             // what the agent's log said of workers that ended by themselves, since the last item
	workers map[int]bool
	peaks   [3]int // main, worker, worker's memory
	news    chan struct{}
}

var (
	itemFolder = regexp.MustCompile(`/(h\d{4}(?:-lure)?)(?:/|"| |$)`)
	logField   = regexp.MustCompile(`\b(time|level|path|why)=("(?:[^"\\]|\\.)*"|\S*)`)
)

func runHostile(agent string, seed uint64, most int, kinds string) (hostileResult, error) {
	r := hostileResult{Name: "hostile", Seed: seed, Verdicts: map[string]map[string]int{}, Reasons: map[string]int{}}
	fmt.Fprintln(os.Stderr, "seed", seed)
	v, err := attack(agent)
	if err != nil {
		return r, err
	}
	defer v.end()
	begin := time.Now()
	items := slices.DeleteFunc(hostile.Items(seed), func(it hostile.Item) bool { return kinds != "" && !strings.Contains(kinds, it.Kind) })
	if most > 0 && most < len(items) {
		items = items[:most]
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go v.sample(ctx)
	var idle []int
	var slow []took
	for i, it := range items {
		what := it.Kind + ": " + it.What
		d, err := v.one(i, it, &r)
		if err != nil {
			r.Ended = true
			return r, fmt.Errorf("%s: %w", what, err)
		}
		slow = append(slow, took{d, what})
		idle = append(idle, v.memory())
		r.Items++
		if i%50 == 49 {
			fmt.Fprintf(os.Stderr, "%d of %d items, %d lures found, %v\n", i+1, len(items), r.Lures, time.Since(begin).Round(time.Second))
		}
	}
	r.Took = time.Since(begin)
	r.Slowest, r.WorkerIdleKiB = slowest(slow, 12), median(idle)
	v.mu.Lock()
	defer v.mu.Unlock()
	r.Restarts = max(len(v.workers)-1, 0)
	r.MainKiB, r.WorkerKiB, r.WorkerAnonKiB = v.peaks[0], v.peaks[1], v.peaks[2]
	return r, nil
}

// attack starts the agent on a folder of its own and waits until it watches.
func attack(agent string) (*victim, error) {
	base, err := os.MkdirTemp("", "meetguard-hostile")
	if err != nil {
		return nil, err
	}
	v := &victim{dir: filepath.Join(base, "watched"), state: filepath.Join(base, "state"), ended: make(chan error, 1), levels: map[string]string{}, reasons: map[string]string{}, told: map[string]time.Time{},
		workers: map[int]bool{}, news: make(chan struct{}, 1)}
	config := filepath.Join(base, "config.yaml")
	err = errors.Join(os.Mkdir(v.dir, 0o755), os.Mkdir(v.state, 0o700), os.WriteFile(config, []byte("launches: \"off\"\nnotify: {enabled: false}\n"), 0o600))
	if err != nil {
		return nil, err
	}
	v.cmd = exec.Command(agent, "run", "--config", config, "--watch", v.dir, "--state", v.state)
	log, err := v.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := v.cmd.Start(); err != nil {
		return nil, err
	}
	watching := make(chan struct{})
	go v.listen(bufio.NewReader(log), watching)
	select {
	case <-watching:
		return v, nil
	case err := <-v.ended:
		return nil, fmt.Errorf("the agent did not start: %w", err)
	case <-time.After(hostileWait):
		v.end()
		return nil, errors.New("the agent does not watch")
	}
}

// listen reads the agent's log: what is an alert, and what it could not judge.
func (v *victim) listen(log *bufio.Reader, watching chan struct{}) {
	var once sync.Once
	for {
		line, err := log.ReadString('\n')
		if err != nil {
			v.ended <- v.cmd.Wait()
			return
		}
		fields := map[string]string{}
		for _, m := range logField.FindAllStringSubmatch(line, -1) {
			fields[m[1]] = m[2] // the last level is that of the alert, not of the line
		}
		switch {
		case strings.Contains(line, "msg=Watching"):
			once.Do(func() { close(watching) })
		case strings.Contains(line, "msg=Alert "):
			v.note(fields["path"], fields["level"], "")
			v.date(fields["path"], fields["time"])
		case strings.Contains(line, `msg="Trying again with a new worker"`):
			v.mu.Lock()
			_, how, _ := strings.Cut(line, "reason=")
			v.deaths = append(v.deaths, strings.TrimSpace(how))
			v.mu.Unlock()
		case strings.Contains(line, `msg="Could not judge"`):
			v.note(fields["path"], "incomplete", strings.Trim(fields["why"], `"`))
		}
	}
}

// ranks order the levels.
var ranks = map[string]int{"": 0, "clean": 1, "incomplete": 2, "suspicious": 3, "malicious": 4}

func (v *victim) note(path, level, why string) {
	m := itemFolder.FindStringSubmatch(path)
	if m == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if ranks[level] > ranks[v.levels[m[1]]] {
		v.levels[m[1]] = level
	}
	if why != "" {
		v.reasons[m[1]] = why
	}
	select {
	case v.news <- struct{}{}:
	default:
	}
}

// date notes when an alert was told.
func (v *victim) date(path, at string) {
	m := itemFolder.FindStringSubmatch(path)
	t, err := time.Parse(time.RFC3339, at)
	if m == nil || err != nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.told[m[1]] = t
}

func (v *victim) toldAt(folder string) time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.told[folder]
}

func (v *victim) level(folder string) (level, why string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.levels[folder], v.reasons[folder]
}

// one drops an item and then a lure, and waits for the lure's alert and until
// nothing is pending. The folders are removed then. It fails if the agent ended.
func (v *victim) one(n int, it hostile.Item, r *hostileResult) (time.Duration, error) {
	folder := fmt.Sprintf("h%04d", n)
	item, lure := filepath.Join(v.dir, folder), filepath.Join(v.dir, folder+"-lure")
	if err := errors.Join(os.Mkdir(item, 0o755), os.Mkdir(lure, 0o755)); err != nil {
		return 0, err
	}
	defer os.RemoveAll(lure)
	defer os.RemoveAll(item)
	if err := it.Place(item); err != nil {
		return 0, err
	}
	placed := time.Now()
	if err := os.WriteFile(filepath.Join(lure, hostile.LureName), hostile.Lure(n), 0o644); err != nil {
		return 0, err
	}
	what := it.Kind + ": " + it.What
	found, err := v.await(hostileWait, func() bool { level, _ := v.level(folder + "-lure"); return level == "malicious" })
	if err != nil {
		return 0, err
	}
	d := time.Since(placed)
	switch {
	case !found:
		r.Missed = append(r.Missed, what)
	case d > hostileBudget:
		r.Late = append(r.Late, fmt.Sprintf("%s: %.1f s", what, d.Seconds()))
		fallthrough
	default:
		r.Lures++
	}
	since := v.toldAt(folder + "-lure") // the status is written a moment after that
	if _, err := v.await(hostileWait, func() bool { return v.quiet(since) }); err != nil {
		return d, err
	}
	r.count(v, folder, it)
	return d, nil
}

// count notes what became of an item.
func (r *hostileResult) count(v *victim, folder string, it hostile.Item) {
	level, why := v.level(folder)
	for _, how := range v.died() {
		r.Died = append(r.Died, it.Kind+": "+it.What+": "+how)
	}
	switch {
	case level == "" && it.Kind == hostile.Special:
		level = "not opened"
	case level == "":
		level = "clean"
	}
	if r.Verdicts[it.Kind] == nil {
		r.Verdicts[it.Kind] = map[string]int{}
	}
	r.Verdicts[it.Kind][level]++
	if level == "incomplete" {
		r.Reasons[reasonClass(why)]++
		if strings.Contains(why, "crashed") || strings.Contains(why, "was ended") {
			r.Died = append(r.Died, it.Kind+": "+it.What+": "+why)
		}
	}
	if it.Over && level == "clean" {
		r.Silent = append(r.Silent, it.Kind+": "+it.What)
	}
}

// died gives what was said of workers since it was asked last.
func (v *victim) died() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := v.deaths
	v.deaths = nil
	return out
}

// reasonClass is a reason without what names the file.
func reasonClass(why string) string {
	for _, class := range []string{"crashed", "the parser failed", "took longer than 45s", "unpacking took longer", "more memory", "more than 4 deep", "times its size", "more entries",
		"larger than what is unpacked", "more than what is unpacked", "more than the limit", "changed while", "larger or deeper", "cannot be read", "not opened", "permission", "encrypted"} {
		if strings.Contains(why, class) {
			return class
		}
	}
	return "other"
}

// await waits until ok or the time is over. It fails if the agent ends.
func (v *victim) await(most time.Duration, ok func() bool) (bool, error) {
	end := time.After(most)
	for !ok() {
		select {
		case err := <-v.ended:
			return false, fmt.Errorf("the agent ended: %w", err)
		case <-end:
			return false, nil
		case <-v.news:
		case <-time.After(50 * time.Millisecond):
		}
	}
	return true, nil
}

// quiet says whether the agent has told, since then, that nothing waits and nothing
// is looked at.
func (v *victim) quiet(since time.Time) bool {
	var s struct {
		Counters map[string]uint64 `json:"counters"`
		Updated  time.Time         `json:"updated"`
	}
	data, err := os.ReadFile(filepath.Join(v.state, "status.json"))
	if err != nil || json.Unmarshal(data, &s) != nil {
		return false
	}
	return s.Counters["files_pending"] == 0 && s.Updated.After(since) && time.Since(s.Updated) > 400*time.Millisecond
}

// sample notes the peaks of memory and who works.
func (v *victim) sample(ctx context.Context) {
	for ctx.Err() == nil {
		main := statusField(v.cmd.Process.Pid, "VmHWM")
		worker := v.worker()
		hwm, anon := statusField(worker, "VmHWM"), statusField(worker, "RssAnon")
		v.mu.Lock()
		if worker > 0 {
			v.workers[worker] = true
		}
		v.peaks = [3]int{max(v.peaks[0], main), max(v.peaks[1], hwm), max(v.peaks[2], anon)}
		v.mu.Unlock()
		time.Sleep(50 * time.Millisecond)
	}
}

func (v *victim) memory() int { return statusField(v.worker(), "RssAnon") }

// worker is the process that inspects, 0 if there is none just now.
func (v *victim) worker() int {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", v.cmd.Process.Pid))
	for _, list := range lists {
		data, _ := os.ReadFile(list) // a thread that has ended has none
		for _, word := range strings.Fields(string(data)) {
			if pid, err := strconv.Atoi(word); err == nil {
				return pid
			}
		}
	}
	return 0
}

// statusField is a field of /proc/PID/status in KiB, 0 without the process.
func statusField(pid int, name string) int {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), name+":")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(fields[0])
	return n
}

// end ends the agent and removes its folders.
func (v *victim) end() {
	_ = v.cmd.Process.Kill()
	<-v.ended
	os.RemoveAll(filepath.Dir(v.dir))
}
