package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"meetguard/internal/agent"
	"meetguard/internal/config"
	"meetguard/internal/desktop"
)

// letterTime bounds how long a helper waits for its letter.
const letterTime = 5 * time.Second

// notifyArgs is the command line that shows a notice as the user who runs it.
func notifyArgs(self string) []string { return []string{self, "notify", "--as-user"} }

// notifyFlags are those of `meetguard notify`.
type notifyFlags struct {
	config, language, bus, spool string
	ran, asUser, inbox           bool
}

func (a *app) notifyCommand() *cobra.Command {
	var f notifyFlags
	c := &cobra.Command{
		Use:   "notify",
		Short: "Show a test notice on this desktop, or those that wait for you",
		Long: `Shows what the person at the keyboard is told when something is found: a notice
about a file, or with --ran about one that was started, in your language and with
the words of the configuration. It says that it is a test.

With --inbox it shows the notices that the service has left for you, and ends: the
session runs it whenever there are new ones. See docs/notices.md.

Exit code 1: there is no desktop to show it on.`,
		Example: "  meetguard notify\n  meetguard notify --ran --language ja\n  meetguard notify --config new.yaml",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			err := a.notify(f)
			if errors.Is(err, desktop.ErrNobody) {
				fmt.Fprintln(a.errOut, "meetguard:", oneLine(err.Error()))
				return errFound
			}
			return err
		},
	}
	c.Flags().StringVar(&f.config, "config", "", "configuration file (default "+config.DefaultPath()+", if it exists)")
	c.Flags().BoolVar(&f.ran, "ran", false, "the notice about something that was started")
	c.Flags().StringVar(&f.language, "language", "", "this language: en, de, fr, es, ja, ko or zh (default: yours)")
	c.Flags().BoolVar(&f.inbox, "inbox", false, "show what the service has left for you")
	c.Flags().StringVar(&f.spool, "spool", "", "with --inbox: the folder that it leaves notices in")
	c.Flags().StringVar(&f.bus, "bus", "", "socket of the session bus (default that of your session)")
	c.Flags().BoolVar(&f.asUser, "as-user", false, "show the notice on standard input")
	hide(c, "as-user", "bus", "spool")
	c.MarkFlagsMutuallyExclusive("as-user", "inbox", "ran")
	return c
}

func hide(c *cobra.Command, flags ...string) {
	for _, name := range flags {
		c.Flags().Lookup(name).Hidden = true
	}
}

func (a *app) notify(f notifyFlags) error {
	show := func(ctx context.Context, l desktop.Letter) error {
		return desktop.Show(ctx, desktop.Surroundings{Bus: f.bus}, l)
	}
	switch {
	case f.asUser:
		l, err := letterOf(os.Stdin)
		if err != nil {
			return err
		}
		return show(a.ctx, l)
	case f.inbox:
		seen, err := seenNotices()
		if err != nil {
			return err
		}
		return desktop.Receive(a.ctx, f.spool, seen, show)
	}
	cfg, err := loadWhole(f.config)
	if err != nil {
		return err
	}
	if f.language != "" {
		cfg.Notify.Language = f.language
	}
	l, err := agent.TestLetter(cfg, f.ran)
	if err != nil {
		return err
	}
	return show(a.ctx, l)
}

// letterOf reads a letter that the service writes at once. Whoever does not is
// not the service.
func letterOf(in *os.File) (desktop.Letter, error) {
	_ = in.SetReadDeadline(time.Now().Add(letterTime)) // of a file, which has none, reading ends anyway
	return desktop.ReadLetter(in)
}

// seenNotices is the file that remembers the last notice that was shown.
func seenNotices() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "meetguard", "notices-seen"), nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("remember which notices were shown: %w", err)
	}
	return filepath.Join(dir, "meetguard", "notices-seen"), nil
}
