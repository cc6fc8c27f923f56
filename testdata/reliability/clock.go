//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// clockResult is what an agent did whose wall clock jumped.
type clockResult struct {
	Name      string            `json:"name"`
	Jumps     int               `json:"jumps"`
	Again     times             `json:"detecting_again"`
	Twice     int               `json:"twice"`
	Lost      int               `json:"lost"`        // promised, and not at the collector when the clock was right again
	Disorder  int               `json:"disorder"`    // lines of the log out of the order of their numbers
	Attempts  int               `json:"refused"`     // deliveries that failed while a clock was wrong
	Storm     int               `json:"storm"`       // more of them within a jump than the delays allow
	Unhealthy []string          `json:"unexplained"` // jumps that broke the delivery and that status gives no word about the clock for
	Why       map[string]string `json:"why"`
	Load      string            `json:"load"`
}

func (r clockResult) failed() bool {
	return r.Again.Late+r.Again.Never+r.Twice+r.Lost+r.Disorder+r.Storm+len(r.Unhealthy) > 0 || r.Jumps == 0
}

// jumps are how far the clock is off, one after another.
var jumps = []struct {
	name string
	off  time.Duration
}{
	{"+1 s", time.Second}, {"-1 s", -time.Second}, {"+1 h", time.Hour}, {"-1 h", -time.Hour}, {"+1 d", 24 * time.Hour}, {"-1 d", -24 * time.Hour},
	{"+1 y", 8760 * time.Hour}, {"-1 y", -8760 * time.Hour}, {"+10 y", 87600 * time.Hour}, {"-10 y", -87600 * time.Hour},
}

// calm is how long a wrong clock stays, and stormy how many deliveries may fail
// then: the delays between them double from one second on.
const (
	calm   = 12 * time.Second
	stormy = 8
)

// runClock lets the wall clock of an enrolled agent jump, forth and back, also over
// a restart. program is made by testdata/reliability/clock/build.sh.
func runClock(program, collector string) (r clockResult, err error) {
	r = clockResult{Name: "clock", Why: map[string]string{}}
	dir, hub, end, err := scratchHub("clock", collector)
	if err != nil {
		return r, err
	}
	defer func() { end(r) }()
	s, err := newSubject(program, dir)
	if err != nil {
		return r, err
	}
	skew := filepath.Join(dir, "skew")
	if err := os.Setenv("SKEW_OF_CLOCK", skew); err != nil {
		return r, err
	}
	set := func(off time.Duration) error {
		return os.WriteFile(skew, fmt.Appendf(nil, "%d\n", int64(off/time.Second)), 0o600)
	}
	if err := set(0); err != nil {
		return r, err
	}
	if err := s.liveIn(hub, filepath.Join(dir, "began")); err != nil {
		return r, err
	}
	if err := s.start(); err != nil {
		return r, err
	}
	defer s.stop()
	for i, j := range jumps {
		failed := strings.Count(s.said(), "Could not deliver")
		if err := set(j.off); err != nil {
			return r, err
		}
		if i%2 == 1 { // over a start as well
			if err := s.restart(); err != nil {
				return r, err
			}
		}
		r.Jumps++
		name, err := s.drop()
		if err != nil {
			return r, err
		}
		took, found := s.await(name)
		r.Again.add(took, found)
		time.Sleep(calm)
		tries := strings.Count(s.said(), "Could not deliver") - failed
		if r.Attempts += tries; tries > stormy {
			r.Storm++
		}
		if said := s.ask("status"); tries > 0 && !strings.Contains(said, "clock") {
			r.Unhealthy = append(r.Unhealthy, j.name)
			fmt.Fprintln(os.Stderr, j.name, said)
		} else if tries > 0 {
			r.Why[j.name] = sentence(said, "clock")
		}
		if s.logged(name) > 1 {
			r.Twice++
		}
	}
	if err := set(0); err != nil {
		return r, err
	}
	return r, r.settle(s)
}

// settle waits until everything is delivered, and reads the log.
func (r *clockResult) settle(s *subject) error {
	for begin := time.Now(); !strings.Contains(s.ask("status", "--json"), `"pending":0`); time.Sleep(500 * time.Millisecond) {
		if time.Since(begin) > 3*time.Minute {
			r.Lost++
			break
		}
	}
	files, err := filepath.Glob(filepath.Join(s.state, "alerts-*.jsonl"))
	if err != nil {
		return err
	}
	slices.Sort(files)
	last := 0
	for _, path := range append(files, filepath.Join(s.state, "alerts.jsonl")) {
		for line := range strings.Lines(read(path)) {
			var rec struct {
				Unmapped struct {
					Seq int `json:"mg_seq"`
				} `json:"unmapped"`
			}
			if json.Unmarshal([]byte(line), &rec) != nil || rec.Unmapped.Seq <= last {
				r.Disorder++
			}
			last = rec.Unmapped.Seq
		}
	}
	r.Load = load()
	return nil
}
