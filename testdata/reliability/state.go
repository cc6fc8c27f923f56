//go:build linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// stateResult is what damage to the files of the state showed.
type stateResult struct {
	Name    string   `json:"name"`
	Seed    uint64   `json:"seed"`
	Files   int      `json:"files"`
	Cases   int      `json:"cases"`
	Again   times    `json:"detecting_again"`
	Silent  []string `json:"silent"`  // something was lost or refused, and neither status nor doctor says so
	Escapes []string `json:"escapes"` // a file outside the state folder was changed through a link
	Twice   int      `json:"twice"`   // alerts that the log has more than once
	Load    string   `json:"load"`
}

func (r stateResult) failed() bool {
	return r.Again.Late+r.Again.Never+r.Twice+len(r.Silent)+len(r.Escapes) > 0 || r.Cases == 0
}

// damages are what is done to a file of the state. outside is a file that links
// lead to.
var damages = []struct {
	name string
	do   func(path, outside string, rng *rand.Rand) error
}{
	{"deleted", func(path, _ string, _ *rand.Rand) error { return os.RemoveAll(path) }},
	{"empty", func(path, _ string, _ *rand.Rand) error { return replaceBy(path, nil) }},
	{"zeroed", func(path, _ string, _ *rand.Rand) error { return replaceBy(path, make([]byte, sizeOf(path))) }},
	{"rubbish", func(path, _ string, rng *rand.Rand) error {
		data := make([]byte, max(sizeOf(path), 100))
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		return replaceBy(path, data)
	}},
	{"a folder", func(path, _ string, _ *rand.Rand) error {
		return errors.Join(os.RemoveAll(path), os.MkdirAll(filepath.Join(path, "with", "something"), 0o700))
	}},
	{"a link", func(path, outside string, _ *rand.Rand) error {
		return errors.Join(os.RemoveAll(path), os.Symlink(outside, path))
	}},
	{"a dangling link", func(path, outside string, _ *rand.Rand) error {
		return errors.Join(os.RemoveAll(path), os.Symlink(outside+".none", path))
	}},
	{"a pipe", func(path, _ string, _ *rand.Rand) error {
		return errors.Join(os.RemoveAll(path), sh("mkfifo", "-m", "600", path))
	}},
}

func sizeOf(path string) int64 {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return 100
	}
	return info.Size()
}

// replaceBy makes path a file with that content.
func replaceBy(path string, data []byte) error {
	return errors.Join(os.RemoveAll(path), os.WriteFile(path, data, 0o600))
}

// loses says for which damage something is gone that status or doctor has to name,
// and the word it is named by. What is not here is made anew without a loss.
func loses(file, damage string) string {
	if slices.Contains([]string{"a folder", "a link", "a dangling link", "a pipe"}, damage) {
		return file // whatever stands there instead is set aside, and that is told
	}
	switch {
	case file == "device.json":
		return "enroll"
	case file == "host.json":
		return "host.json"
	case strings.HasSuffix(file, ".jsonl") && strings.HasPrefix(file, "alerts"):
		return "alert log"
	case file == "cursor.json":
		return "cursor.json"
	case file == "acks.jsonl":
		return "acks.jsonl"
	case file == "journal":
		return "journal"
	}
	return ""
}

// runState lets an agent start on a state in which one file is damaged, each in
// each way; every step-th of the cases.
func runState(program, collector string, seed uint64, step int) (r stateResult, err error) {
	r = stateResult{Name: "state", Seed: seed}
	dir, hub, end, err := scratchHub("state", collector)
	if err != nil {
		return r, err
	}
	defer func() { end(r) }()
	s, err := newSubject(program, dir)
	if err != nil {
		return r, err
	}
	defer s.stop()
	began := filepath.Join(dir, "began")
	if err := s.liveIn(hub, began); err != nil {
		return r, fmt.Errorf("prepare a state: %w", err)
	}
	files, err := stateFiles(began)
	if err != nil {
		return r, err
	}
	r.Files = len(files)
	rng := rand.New(rand.NewPCG(seed, 4))
	n := 0
	for _, file := range files {
		for _, d := range damages {
			if n++; n%step != 0 {
				continue
			}
			outside := filepath.Join(dir, "outside")
			if err := errors.Join(os.WriteFile(outside, []byte("not the agent's"), 0o600), restore(began, s.state)); err != nil {
				return r, err
			}
			if err := d.do(filepath.Join(s.state, file), outside, rng); err != nil {
				return r, fmt.Errorf("damage %s: %w", file, err)
			}
			if err := r.look(s, file, d.name, outside); err != nil {
				return r, err
			}
		}
	}
	r.Load = load()
	return r, nil
}

// look starts the agent on what is there and judges it.
func (r *stateResult) look(s *subject, file, damage, outside string) error {
	starts := s.starts
	if err := s.start(); err != nil {
		return err
	}
	defer s.stop()
	took, found, err := s.detects()
	if err != nil {
		return err
	}
	r.Cases++
	if !r.Again.add(took, found) {
		fmt.Fprintf(os.Stderr, "%s %s: found %v after %v and %d starts: %s\n", file, damage, found, took, s.starts-starts, lastLine(s.said()))
	}
	if err := os.RemoveAll(s.watched); err != nil { // or each start would judge the lures of all others
		return err
	}
	if err := os.Mkdir(s.watched, 0o755); err != nil {
		return err
	}
	if word := loses(file, damage); word != "" {
		time.Sleep(300 * time.Millisecond) // the status gathers news that long
		if said := s.ask("status") + s.ask("doctor"); !strings.Contains(said, word) {
			fmt.Fprintf(os.Stderr, "%s %s: nothing about %q\n", file, damage, word)
			r.Silent = append(r.Silent, file+" "+damage)
		}
	}
	if data, err := os.ReadFile(outside); err != nil || string(data) != "not the agent's" {
		r.Escapes = append(r.Escapes, file+" "+damage)
	}
	if _, err := os.Lstat(outside + ".none"); err == nil {
		r.Escapes = append(r.Escapes, file+" "+damage)
		return os.Remove(outside + ".none")
	}
	return nil
}

func read(path string) string {
	data, _ := os.ReadFile(path)
	return string(data)
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// liveIn makes a state that has everything: an identity, a rotated log, something
// delivered and something acknowledged. A copy of it is left in began.
func (s *subject) liveIn(hub *server, began string) error {
	token, err := hub.token()
	if err != nil {
		return err
	}
	if out, err := exec.Command(s.program, "enroll", hub.url(), token, "--state", s.state).CombinedOutput(); err != nil {
		return fmt.Errorf("enrol: %w: %s", err, out)
	}
	s.config += "log_mib: 1\n"
	s.flags = append(s.flags, "--service")
	if err := s.start(); err != nil {
		return err
	}
	var last string
	for range 50 {
		if last, err = s.drop(); err != nil {
			return err
		}
	}
	if _, found := s.await(last); !found {
		return fmt.Errorf("no alert: %s", s.said())
	}
	if out := s.ask("alerts", "ack", s.uidOf(last)); !strings.Contains(out, "resolved") {
		return fmt.Errorf("acknowledge: %s", out)
	}
	if err := s.restart(); err != nil { // what was noted goes with the first heartbeat
		return err
	}
	for begin := time.Now(); time.Since(begin) < patience && !strings.Contains(read(filepath.Join(s.state, "cursor.json")), `"notes":`); {
		time.Sleep(100 * time.Millisecond)
	}
	for begin := time.Now(); time.Since(begin) < patience && !strings.Contains(s.ask("status", "--json"), `"pending":0`); {
		time.Sleep(100 * time.Millisecond)
	}
	s.stop()
	return os.CopyFS(began, os.DirFS(s.state))
}

// uidOf is the beginning of the listed uid of the newest alert about a name.
func (s *subject) uidOf(name string) string {
	for line := range strings.Lines(s.ask("alerts", "list", "--json", "--path", name)) {
		if _, rest, ok := strings.Cut(line, `"uid":"`); ok && len(rest) > uidLength {
			return rest[:uidLength]
		}
	}
	return ""
}

// stateFiles lists what may be damaged: each file, each folder, and the names that
// are in use for a moment only.
func stateFiles(state string) ([]string, error) {
	var files []string
	entries, err := os.ReadDir(state)
	for _, e := range entries {
		files = append(files, e.Name())
	}
	for _, extra := range []string{"status.json.tmp", "cursor.json.tmp", "device.json.tmp", "journal.new"} {
		if !slices.Contains(files, extra) {
			files = append(files, extra)
		}
	}
	return files, err
}

// restore makes a folder what it began as.
func restore(began, state string) error {
	if err := os.RemoveAll(state); err != nil {
		return err
	}
	if err := os.CopyFS(state, os.DirFS(began)); err != nil {
		return err
	}
	return filepath.WalkDir(state, func(path string, e fs.DirEntry, err error) error {
		mode := fs.FileMode(0o600)
		if err == nil && e.IsDir() {
			mode = 0o700
		}
		return errors.Join(err, os.Chmod(path, mode))
	})
}
