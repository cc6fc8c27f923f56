package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"meetguard"
	"meetguard/internal/agent"
	"meetguard/internal/config"
)

func (a *app) scanCommand() *cobra.Command {
	var asJSON bool
	var configFile string
	var without []string
	c := &cobra.Command{
		Use:   "scan PATH…",
		Short: "Inspect files and folders",
		Long: `Inspects files, and folders recursively; an .app or .scptd bundle is one unit.
Nothing is executed, extracted to disk, changed or sent. Links are not followed.`,
		Example: "  meetguard scan ~/Downloads\n  meetguard scan --json ZoomInstaller.exe | jq .findings",
		Args:    needArgs("name a file or folder to scan"),
		RunE: func(_ *cobra.Command, paths []string) error {
			return a.scan(paths, asJSON, configFile, without)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON Lines, one object per inspected unit")
	c.Flags().StringVar(&configFile, "config", "", "configuration file")
	c.Flags().StringSliceVar(&without, "without", nil, "ids of rules that do not count")
	return c
}

// needArgs is cobra.MinimumNArgs(1) with a message that says what to do.
func needArgs(hint string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return errors.New(hint)
		}
		return nil
	}
}

func (a *app) scan(paths []string, asJSON bool, configFile string, without []string) error {
	for _, p := range paths {
		if _, err := os.Lstat(p); err != nil {
			return fmt.Errorf("%w: check the path", err)
		}
		if err := readable(p); err != nil {
			return fmt.Errorf("%w: check the path and who may read it", err)
		}
	}
	cfg, err := config.Load(configFile)
	if err != nil {
		return err
	}
	workers := min(2, runtime.NumCPU())
	in, err := a.inspector(cfg, workers)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := in.Without(a.ctx, without); err != nil {
		return err
	}
	t := &teller{app: a, json: asJSON, progress: progressOf(a.errOut), started: time.Now()}
	if err := in.Scan(a.ctx, paths, workers, t.tell); err != nil {
		return err
	}
	t.finish()
	if t.found > 0 || t.incomplete > 0 {
		return errFound
	}
	return nil
}

// readable says early that a file named on the command line cannot be read;
// one met inside a folder is told as incomplete instead.
func readable(path string) error {
	fi, err := os.Lstat(path)
	if err != nil || !(fi.Mode().IsRegular() || fi.IsDir()) {
		return err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return err
	}
	if err == nil {
		f.Close()
	}
	return nil
}

// inspector starts the inspection and makes sure that it works.
func (a *app) inspector(cfg config.Config, workers int) (*agent.Inspector, error) {
	argv, err := workerArgs(cfg)
	if err != nil {
		return nil, err
	}
	in, err := agent.NewInspector(agent.InspectorConfig{Command: argv, Unboxed: agent.Unboxed(argv), Workers: workers, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	err = in.Configure(cfg, slog.New(slog.NewTextHandler(a.errOut, nil)))
	if err == nil {
		err = in.Check(a.ctx)
	}
	if err != nil {
		in.Close()
		return nil, err
	}
	return in, nil
}

// teller prints units as they come, in one write for those that come together.
type teller struct {
	*app
	json              bool
	progress          io.Writer // nil if stderr is no terminal
	started, shown    time.Time
	units             int
	found, incomplete int
	text              bytes.Buffer
}

func (t *teller) tell(units []agent.Unit) error {
	t.text.Reset()
	for _, u := range units {
		t.units++
		switch u.Level {
		case meetguard.Suspicious, meetguard.Malicious:
			t.found++
		case meetguard.Incomplete:
			t.incomplete++
		}
		switch {
		case t.json:
			t.text.Write(u.JSON())
			t.text.WriteByte('\n')
		case u.Level != meetguard.Clean:
			t.text.WriteString(block(u))
		}
	}
	t.showProgress()
	if t.text.Len() == 0 {
		return nil
	}
	t.clearProgress()
	_, err := t.out.Write(t.text.Bytes())
	return err
}

// block tells one unit to a person: what, why, and what to do.
func block(u agent.Unit) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", strings.ToUpper(string(u.Level)), u.Path)
	if u.Inner != "" {
		fmt.Fprintf(&b, " (inside: %s)", u.Inner)
	}
	b.WriteByte('\n')
	for _, f := range u.Findings {
		fmt.Fprintf(&b, "  - %s [%s, %s]\n", f.Evidence, f.Rule, f.Technique)
	}
	if u.Level == meetguard.Incomplete {
		for _, g := range u.Gaps {
			fmt.Fprintf(&b, "  - not learned: %s: %s\n", g.Fact, g.Reason)
		}
		b.WriteString("  What to do: treat it as unknown. Look at it on a machine that you can lose, or ask who sent it.\n\n")
		return b.String()
	}
	if u.SHA256 != "" {
		fmt.Fprintf(&b, "  SHA-256 %s, %s, signature %s", u.SHA256, u.Format, u.Signature.Status)
		if u.Signature.Subject != "" {
			fmt.Fprintf(&b, " (%s)", u.Signature.Subject)
		}
		b.WriteByte('\n')
	}
	b.WriteString("  What to do: do not open it. Call the person who sent it over a channel you know, and get the program from its maker's own site.\n\n")
	return b.String()
}

// progressOf gives stderr if it is a terminal.
func progressOf(w io.Writer) io.Writer {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	fi, err := f.Stat()
	if err != nil || fi.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return w
}

func (t *teller) showProgress() {
	if t.progress == nil || time.Since(t.shown) < 200*time.Millisecond {
		return
	}
	t.shown = time.Now()
	fmt.Fprintf(t.progress, "\r\x1b[K%d files, %d found, %d incomplete", t.units, t.found, t.incomplete)
}

func (t *teller) clearProgress() {
	if t.progress != nil {
		_, _ = io.WriteString(t.progress, "\r\x1b[K")
	}
}

func (t *teller) finish() {
	t.clearProgress()
	if !t.json {
		fmt.Fprintf(t.errOut, "%d inspected in %s: %d found, %d incomplete\n", t.units, time.Since(t.started).Round(10*time.Millisecond), t.found, t.incomplete)
	}
}
