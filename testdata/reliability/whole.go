//go:build linux

package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"meetguard/internal/alert"
)

// whole is the whole agent as a process: sources, workers, log and delivery.
type whole struct {
	program string
	dir     string   // of its state and of what it says
	watch   []string // folders
	config  string   // YAML, "" for none
	more    []string // flags

	cmd  *exec.Cmd
	said int64 // length of its log when it was started
}

// newWhole prepares one below dir, with a program of its own, so that its
// processes are told from others, and one watched folder.
func newWhole(program, dir string) (*whole, error) {
	w := &whole{program: filepath.Join(dir, "meetguard"), dir: dir, watch: []string{filepath.Join(dir, "Downloads")}}
	data, err := os.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("the agent is not built, run make build: %w", err)
	}
	return w, errors.Join(os.MkdirAll(w.state(), 0o700), os.MkdirAll(w.watch[0], 0o755), writeProgram(w.program, data))
}

// writeProgram writes a program that can be started at once: another child of this
// process that is made meanwhile would inherit the open file until it has started
// itself, and the kernel starts nothing that is open for writing (ETXTBSY).
func writeProgram(name string, data []byte) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(name, data, 0o755)
}

func (w *whole) state() string   { return filepath.Join(w.dir, "state") }
func (w *whole) logFile() string { return filepath.Join(w.dir, "agent.log") }

// begin starts it and does not wait until it watches.
func (w *whole) begin() error {
	if err := os.MkdirAll(w.state(), 0o700); err != nil {
		return err
	}
	args := []string{"run", "--state", w.state()}
	for _, dir := range w.watch {
		args = append(args, "--watch", dir)
	}
	if w.config != "" {
		file := filepath.Join(w.dir, "config.yaml")
		if err := os.WriteFile(file, []byte(w.config), 0o600); err != nil {
			return err
		}
		args = append(args, "--config", file)
	}
	log, err := os.OpenFile(w.logFile(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	if w.said, err = log.Seek(0, 2); err != nil {
		return err
	}
	w.cmd = exec.Command(w.program, append(args, w.more...)...)
	w.cmd.Stdout, w.cmd.Stderr = log, log
	return w.cmd.Start()
}

// start starts it and waits until it watches.
func (w *whole) start() error {
	if err := w.begin(); err != nil {
		return err
	}
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		said, err := w.says()
		if err != nil {
			return err
		}
		if bytes.Contains(said, []byte("msg=Watching")) {
			return nil
		}
		if !w.lives() || time.Now().After(end) {
			w.kill()
			return fmt.Errorf("the agent does not watch: %s", said)
		}
	}
}

// says is what it said since it was started.
func (w *whole) says() ([]byte, error) {
	all, err := os.ReadFile(w.logFile())
	if err != nil {
		return nil, err
	}
	return all[min(int(w.said), len(all)):], nil
}

// lives tells whether the process is there and has not ended.
func (w *whole) lives() bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.cmd.Process.Pid))
	if err != nil {
		return false
	}
	_, rest, _ := bytes.Cut(data, []byte(") "))
	return len(rest) > 0 && rest[0] != 'Z'
}

// kill ends it as no program can prevent, and waits until it is gone.
func (w *whole) kill() {
	_ = w.cmd.Process.Kill() // it may have ended
	_ = w.cmd.Wait()         // killed
}

// stop ends it as a service manager does.
func (w *whole) stop() error {
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return errors.Join(fmt.Errorf("the agent had ended: %w", err), w.cmd.Wait())
	}
	late := time.AfterFunc(5*time.Minute, func() { _ = w.cmd.Process.Kill() })
	defer late.Stop()
	return w.cmd.Wait()
}

// suspend and resume have the kernel not run it, and run it again.
func (w *whole) suspend() error { return w.cmd.Process.Signal(syscall.SIGSTOP) }
func (w *whole) resume() error  { return w.cmd.Process.Signal(syscall.SIGCONT) }

// enrol gives it an identity at a collector.
func (w *whole) enrol(s *server) error {
	token, err := s.token()
	if err != nil {
		return err
	}
	return w.enrolAt(s.url(), token)
}

func (w *whole) enrolAt(url, token string) error {
	if out, err := exec.Command(w.program, "enroll", url, token, "--state", w.state()).CombinedOutput(); err != nil {
		return fmt.Errorf("enrol: %w: %s", err, out)
	}
	return nil
}

// record is what is looked at of an alert.
type record struct {
	path   string
	line   string // of a launch
	sha256 string
	size   int
}

// alerts reads the log of the agent, which may be writing to it.
func (w *whole) alerts() ([]record, error) {
	out, _, err := w.readLog()
	return out, err
}

// readLog gives the alerts of the log, and its length in bytes.
func (w *whole) readLog() (out []record, size int64, err error) {
	files, err := filepath.Glob(filepath.Join(w.state(), "alerts*.jsonl"))
	if err != nil {
		return nil, 0, err
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, 0, err
		}
		data = data[:bytes.LastIndexByte(data, '\n')+1] // what follows is being written
		size += int64(len(data))
		for line := range bytes.Lines(data) {
			var r struct {
				Unmapped alert.Unmapped `json:"unmapped"`
			}
			if json.Unmarshal(line, &r) != nil {
				continue
			}
			out = append(out, record{r.Unmapped.Path, r.Unmapped.CommandLine, r.Unmapped.SHA256, len(line)})
		}
	}
	return out, size, nil
}

// logSize is that of the alert log, in bytes.
func (w *whole) logSize() (size int64) {
	files, _ := filepath.Glob(filepath.Join(w.state(), "alerts*.jsonl")) // the pattern is good
	for _, name := range files {
		if fi, err := os.Stat(name); err == nil {
			size += fi.Size()
		}
	}
	return size
}

// lines gives the bytes of the alert log, and those of its alerts.
func (w *whole) lines() (size, lines int64, err error) {
	alerts, size, err := w.readLog()
	for _, a := range alerts {
		lines += int64(a.size)
	}
	return size, lines, err
}

// hashes are those of the contents that alerts are about, with their paths.
func (w *whole) hashes() (map[string]string, error) {
	alerts, err := w.alerts()
	out := map[string]string{}
	for _, a := range alerts {
		out[a.sha256] = a.path
	}
	return out, err
}

// agentStatus is what is looked at of the status.
type agentStatus struct {
	Sources []struct {
		Name, State, Detail string
	} `json:"sources"`
	Counters map[string]int64 `json:"counters"`
	Process  struct {
		Goroutines int64 `json:"goroutines"`
		HeapBytes  int64 `json:"heap_bytes"`
		LiveBytes  int64 `json:"heap_live_bytes"`
	} `json:"process"`
	Spool   struct{ Pending, Acked, Dropped int64 } `json:"spool"`
	Updated time.Time                               `json:"updated"`
}

func (w *whole) status() (s agentStatus, err error) {
	w.ask()
	data, err := os.ReadFile(filepath.Join(w.state(), "status.json"))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(data, &s)
}

// ask has the agent write its status now, as the program's own status does. One
// that is stopped or busy answers later.
func (w *whole) ask() {
	path := filepath.Join(w.state(), "status.json")
	before, err := os.Stat(path)
	if err != nil {
		return // it has written none yet
	}
	name := filepath.Join(w.state(), "canary", "ask-"+rand.Text())
	if err := os.WriteFile(name, []byte("?"), 0o600); err != nil {
		return
	}
	defer os.Remove(name)
	for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if now, err := os.Stat(path); err == nil && !os.SameFile(before, now) {
			return
		}
	}
}

// rest waits until nothing waits to be looked at and nothing new was judged for a
// while, at most for d.
func (w *whole) rest(d time.Duration) error {
	var before int64 = -1
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(2500 * time.Millisecond) {
		s, err := w.status()
		if err != nil {
			return err
		}
		if s.Counters["files_pending"] == 0 && s.Counters["files_judged"] == before {
			return nil
		}
		before = s.Counters["files_judged"]
	}
	return fmt.Errorf("the agent did not come to rest within %s", d)
}

// delivered waits until the collector has every alert of the log, at most for d. A
// status in which nothing waits may be older than the newest of them: they are
// counted.
func (w *whole) delivered(d time.Duration) error {
	alerts, err := w.alerts()
	if err != nil {
		return err
	}
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second) {
		if s, err := w.status(); err != nil || s.Spool.Acked >= int64(len(alerts)) {
			return err
		}
	}
	return fmt.Errorf("the collector has not every alert after %s", d)
}

// tells waits until each of these contents has an alert, at most for d, and gives
// those that have none, with their paths.
func (w *whole) tells(contents map[string]string, d time.Duration) (map[string]string, error) {
	for end := time.Now().Add(d); ; time.Sleep(200 * time.Millisecond) {
		told, err := w.hashes()
		if err != nil {
			return nil, err
		}
		if missing := without(contents, told); len(missing) == 0 || time.Now().After(end) {
			return missing, nil
		}
	}
}

// family is a process and its descendants, as far as they live.
func family(pid int) []int {
	out := []int{pid}
	for i := 0; i < len(out); i++ {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", out[i]))
		for _, t := range tasks {
			data, _ := os.ReadFile(t) // gone is gone
			for _, f := range strings.Fields(string(data)) {
				if child, err := strconv.Atoi(f); err == nil {
					out = append(out, child)
				}
			}
		}
	}
	return out
}

// procField is the first number behind key in a file of /proc/PID, 0 if the
// process is gone.
func procField(pid int, file, key string) int64 {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), key); ok {
			if f := strings.Fields(rest); len(f) > 0 {
				n, _ := strconv.ParseInt(f[0], 10, 64)
				return n
			}
		}
	}
	return 0
}

// descriptors counts those that a process has open.
func descriptors(pid int) int64 {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return int64(len(entries))
}

// cpuOf is the CPU time of a process and its descendants, as far as they live.
func cpuOf(pid int) time.Duration {
	var ns int64
	for _, p := range family(pid) {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p))
		for _, t := range tasks {
			data, _ := os.ReadFile(t) // the first number, see the kernel's sched-stats.rst
			if f := strings.Fields(string(data)); len(f) > 0 {
				n, _ := strconv.ParseInt(f[0], 10, 64)
				ns += n
			}
		}
	}
	return time.Duration(ns)
}
