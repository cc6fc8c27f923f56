package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"meetguard"
	"meetguard/internal/agent"
	"meetguard/internal/alert"
)

// testLaunchLife is how long a test launch lives if nobody ends it: long enough
// for a source that lists the processes every few seconds.
const testLaunchLife = time.Minute

// testLaunchCommand is what the test launch runs: it does nothing.
func testLaunchCommand() *cobra.Command {
	return &cobra.Command{Use: agent.TestLaunch, Hidden: true, Args: cobra.ArbitraryArgs, RunE: func(c *cobra.Command, _ []string) error {
		select {
		case <-c.Context().Done():
		case <-time.After(testLaunchLife):
		}
		return nil
	}}
}

func (a *app) selftestCommand() *cobra.Command {
	var state, dir string
	var timeout time.Duration
	var asJSON bool
	c := &cobra.Command{
		Use:   "selftest",
		Short: "Prove that alerts come: drop a harmless test lure and make a test launch",
		Long: `Drops a text file that is known as the test lure into a watched folder, starts a
program that does nothing and carries the mark of the test, and waits for both
alerts in the log and, if there is a collector, for their delivery. It says where
the chain broke, and removes its file. Analysts see both as "Test lure".

Exit code 1: the chain is broken.`,
		Example: "  sudo meetguard selftest\n  meetguard selftest --timeout 1m --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			folder, err := stateFolder(state)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(a.ctx, timeout)
			defer cancel()
			t := &selftest{ctx: ctx, state: folder, dir: dir, began: time.Now().Truncate(time.Millisecond), timeout: timeout}
			if err := t.run(); err != nil {
				return err
			}
			return a.tellSelftest(t.steps, asJSON)
		},
	}
	c.Flags().StringVar(&state, "state", "", "state folder of the agent")
	c.Flags().StringVar(&dir, "dir", "", "drop the test lure into this watched folder (default: the first that can be written to)")
	c.Flags().DurationVar(&timeout, "timeout", 30*time.Second, "how long to wait for everything")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// testStep is one link of the chain.
type testStep struct {
	Name   string `json:"name"` // agent, file, launch or delivery
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

func (a *app) tellSelftest(steps []testStep, asJSON bool) error {
	good := true
	for _, s := range steps {
		good = good && s.OK
	}
	if asJSON {
		if err := a.printJSON(map[string]any{"ok": good, "steps": steps}); err != nil {
			return err
		}
	} else {
		w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
		for _, s := range steps {
			fmt.Fprintf(w, "%s\t%s\t%s\n", map[bool]string{true: "ok", false: "BROKEN"}[s.OK], s.Name, s.Detail)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if !good {
		return errFound
	}
	return nil
}

// selftest is one run of the test.
type selftest struct {
	ctx     context.Context
	state   string
	dir     string
	began   time.Time
	timeout time.Duration
	steps   []testStep
	last    uint64 // number of the newest of its alerts
}

func (t *selftest) add(name string, ok bool, format string, args ...any) {
	t.steps = append(t.steps, testStep{name, ok, fmt.Sprintf(format, args...)})
}

// run goes along the chain. Its error is that the test could not be made.
func (t *selftest) run() error {
	s, err := agent.ReadStatus(t.state)
	if err != nil {
		return err
	}
	if s.Silent != "" {
		t.add("agent", false, "%s: start it", s.Silent)
		return nil
	}
	t.add("agent", true, "runs as process %d", s.PID)
	if err := t.file(s); err != nil {
		return err
	}
	if err := t.launch(s); err != nil {
		return err
	}
	t.delivery(s)
	return nil
}

// file drops the test lure as browsers do: under a temporary name, then renamed.
func (t *selftest) file(s agent.Status) error {
	folders := []string{t.dir}
	if t.dir == "" {
		folders = nil
		for _, f := range s.Folders {
			if f.State == meetguard.SourceOK {
				folders = append(folders, f.Path)
			}
		}
	}
	path, err := drop(folders, "MeetGuard test lure "+t.began.UTC().Format("20060102T150405.000")+".txt")
	if err != nil {
		if src, ok := sourceOf(s, "files"); ok && src.State == meetguard.SourceFailed {
			t.add("file", false, "no folder is watched: %s", src.Detail)
			return nil
		}
		return err
	}
	defer os.Remove(path)
	shown, _ := alert.SafeText(path)
	t.await("file", shown, func(e alert.Entry) bool { return e.Record.Unmapped.Path == shown && e.Record.Unmapped.PID == 0 })
	return nil
}

// drop writes the test lure into the first folder that takes it.
func drop(folders []string, name string) (string, error) {
	err := errors.New("no watched folder can be read: see `meetguard doctor`")
	for _, dir := range folders {
		var f *os.File
		tmp := filepath.Join(dir, "."+name+".part")
		if f, err = os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644); err != nil {
			err = fmt.Errorf("drop the test lure: %w; name a watched folder that you may write to with --dir", err)
			continue
		}
		_, err = f.WriteString(agent.TestLure)
		path := filepath.Join(dir, name)
		if err = errors.Join(err, f.Close()); err == nil {
			err = os.Rename(tmp, path)
		}
		if err == nil {
			return path, nil
		}
		_ = os.Remove(tmp) // its error would hide why
	}
	return "", err
}

// launch starts a program that does nothing, and ends it again.
func (t *selftest) launch(s agent.Status) error {
	src, ok := sourceOf(s, "launches")
	if !ok || src.State == meetguard.SourceFailed || s.LaunchesOff {
		t.add("launch", false, "launches are not seen: %s", src.Detail)
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program's own file: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), testLaunchLife)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, agent.TestLaunch, agent.TestMark, strconv.FormatInt(t.began.UnixNano(), 36))
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("make the test launch: %w", err)
	}
	pid := cmd.Process.Pid
	defer func() {
		cancel()
		_ = cmd.Wait() // it was killed, and says so
	}()
	t.await("launch", "process "+strconv.Itoa(pid), func(e alert.Entry) bool { return e.Record.Unmapped.PID == pid })
	return nil
}

func sourceOf(s agent.Status, name string) (agent.Source, bool) {
	for _, src := range s.Sources {
		if src.Name == name {
			return src, true
		}
	}
	return agent.Source{}, false
}

// look is how often the log is looked at.
const look = 100 * time.Millisecond

// await waits for the alert of the test rule that is chosen.
func (t *selftest) await(name, what string, chosen func(alert.Entry) bool) {
	for {
		for e, err := range alert.Read(t.state, alert.Filter{Rule: agent.RuleTest, Since: t.began.Add(-time.Second), NewestFirst: true}) {
			if err != nil {
				t.add(name, false, "the alert log cannot be read: %v", err)
				return
			}
			if chosen(e) {
				t.last = max(t.last, e.Record.Unmapped.Seq)
				t.add(name, true, "%s: alert %s after %s", what, e.Record.Metadata.UID[:8], time.Since(t.began).Round(look))
				return
			}
		}
		select {
		case <-t.ctx.Done():
			t.add(name, false, "%s: no alert within %s; see `meetguard doctor`", what, t.timeout)
			return
		case <-time.After(look):
		}
	}
}

// delivery waits until the collector has what the test made.
func (t *selftest) delivery(s agent.Status) {
	if _, ok := sourceOf(s, "collector"); !ok || t.last == 0 {
		return
	}
	for {
		settled, err := alert.Settled(t.state)
		if err == nil && settled >= t.last {
			t.add("delivery", true, "the collector has record %d and all before it", t.last)
			return
		}
		select {
		case <-t.ctx.Done():
			detail := ""
			if now, err := agent.ReadStatus(t.state); err == nil {
				src, _ := sourceOf(now, "collector")
				detail = prefixed(": ", src.Detail)
			}
			t.add("delivery", false, "the collector has not acknowledged record %d within %s%s", t.last, t.timeout, detail)
			return
		case <-time.After(look):
		}
	}
}
