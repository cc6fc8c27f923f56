package agent

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// timers are all places in the agent's own packages that wait for a time. An agent
// at rest sleeps from one pulse to the next, or to the heartbeat for its collector:
// whatever else is here must belong to work that somebody caused and that ends.
// A new line here is a decision: say what ends it.
var timers = map[string]string{
	"agent/pulse.go: time.After":          "THE pulse: canary, upkeep and status at one moment, every ten minutes",
	"alert/sender.go: time.NewTimer":      "the heartbeat, as the collector asks for it",
	"agent/agent.go: time.After":          "a source that broke is started again",
	"agent/ask.go: time.Sleep":            "another process waits for the answer to its question",
	"agent/canary.go: time.After":         "the status of a canary that failed",
	"agent/canary.go: time.AfterFunc":     "the test launch is told to end",
	"agent/canary.go: time.NewTimer":      "the canary is under way",
	"agent/hindered_linux.go: time.Sleep": "another process asks for the status",
	"agent/sideline.go: time.AfterFunc":   "a file that could not be judged for want of something",
	"agent/sideline.go: time.NewTimer":    "a file is being judged",
	"agent/scan.go: time.After":           "a scan that somebody asked for",
	"agent/status.go: time.After":         "news are gathered before they are written",
	"alert/review.go: time.After":         "once after the start",
	"watch/files.go: time.NewTimer":       "files that settle; without Paced, which the agent sets, upkeep",
	"watch/hub.go: time.After":            "launches were lost",
	"watch/journal.go: time.AfterFunc":    "a record is to be written",
	"watch/launches.go: time.After":       "without Paced, which the agent sets",
	"watch/poll.go: time.NewTicker":       "launches can only be listed: status says degraded",
	"watch/source.go: time.NewTimer":      "a source proves itself",
	"worker/worker.go: time.AfterFunc":    "a request is under way; a second worker is kept for a while",
}

// TestTimers: no package of the agent begins to wait for a time without somebody
// having thought about an agent at rest.
func TestTimers(t *testing.T) {
	re := regexp.MustCompile(`\btime\.(NewTicker|Tick|AfterFunc|NewTimer|After|Sleep)\(`)
	found := map[string]bool{}
	for _, pkg := range []string{"agent", "alert", "box", "chain", "config", "desktop", "detect", "device", "health", "inspect", "opinion", "owner", "script", "sigma", "sign", "unpack", "watch", "worker", "yarascan"} {
		files, err := filepath.Glob(filepath.Join("..", pkg, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no source of %s: %v", pkg, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range re.FindAllStringSubmatch(string(text), -1) {
				found[pkg+"/"+filepath.Base(file)+": time."+m[1]] = true
			}
		}
	}
	for place := range found {
		if timers[place] == "" {
			t.Errorf("%s: what does it cost an agent at rest?", place)
		}
	}
	for place := range timers {
		if !found[place] {
			t.Errorf("%s is not there any more", place)
		}
	}
}

// TestAsk: an agent at rest says how it is when it is asked, and a question is no
// file that it judges. One that hangs does not answer.
func TestAsk(t *testing.T) {
	state := t.TempDir()
	a, proved, failed := canaryAgent(t, workerArg, state, time.Minute)
	select {
	case <-proved:
	case why := <-failed:
		t.Fatal(why)
	}
	before, err := lastStatus(state)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s := before
		if !ask(state, &s, false) || !s.Updated.After(before.Updated) {
			t.Fatalf("no answer: told at %s, asked after %s", s.Updated, before.Updated)
		}
		before = s
	}
	if n := a.status().Counters["files_judged"]; n != 0 {
		t.Errorf("%d files judged", n)
	}
	if left, err := os.ReadDir(a.private); err != nil || slices.ContainsFunc(left, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), askWord) }) {
		t.Errorf("left %v, %v", left, err)
	}
	a.statusMu.Lock() // it hangs
	s := before
	if !ask(state, &s, true) || s.Updated.After(before.Updated) {
		t.Errorf("one that hangs answered at %s", s.Updated)
	}
	a.statusMu.Unlock()
}

// TestSilence: what is thought of an agent whose status is old.
func TestSilence(t *testing.T) {
	for _, tc := range []struct {
		age         time.Duration
		asked, want bool
	}{
		{time.Second, false, false}, {time.Minute, true, false}, {4 * time.Minute, true, true},
		{11 * time.Minute, false, false}, // it rests, and the volume takes no question
		{16 * time.Minute, false, true},
	} {
		if got := hangs(tc.age, tc.asked); got != tc.want {
			t.Errorf("%v old, asked %v: %v", tc.age, tc.asked, got)
		}
	}
	if longest := pulseEvery + time.Minute; hangs(longest, false) {
		t.Errorf("between two pulses an agent is said to hang")
	}
}
