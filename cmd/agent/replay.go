package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"meetguard"
	"meetguard/internal/agent"
	"meetguard/internal/config"
)

func (a *app) replayCommand() *cobra.Command {
	var asJSON bool
	var configFile string
	var without []string
	c := &cobra.Command{
		Use:   "replay EVENTS.jsonl",
		Short: "Judge recorded launches of any operating system",
		Long: `Judges recorded process launches, one JSON object a line, in order. Ancestry is
rebuilt from pid and ppid; a pid that comes again is a new process. Keys:
os (windows, darwin, linux), pid and exe; and, as far as they are known, time,
ppid, args or command_line, cwd, user, signature, origin_host. What is missing
is unknown and accuses nobody. No path of the events is touched.

A line that is no event ends the command with exit code 2, once the others are
judged. "-" reads from standard input.`,
		Example: "  meetguard replay events.jsonl\n  journal-to-jsonl | meetguard replay --json - | jq .story",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("name one file of recorded launches, or - for standard input")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return a.replay(c.InOrStdin(), args[0], asJSON, configFile, without)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON Lines, one object per launch that is not clean")
	c.Flags().StringVar(&configFile, "config", "", "configuration file")
	c.Flags().StringSliceVar(&without, "without", nil, "ids of rules that do not count")
	return c
}

func (a *app) replay(stdin io.Reader, name string, asJSON bool, configFile string, without []string) error {
	events := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("%w: check the path", err)
		}
		defer f.Close()
		events = f
	}
	cfg, err := config.Load(configFile)
	if err != nil {
		return err
	}
	in, err := a.inspector(cfg, 1)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := in.Without(a.ctx, without); err != nil {
		return err
	}
	found, told := 0, map[string]bool{}
	n, err := in.Replay(a.ctx, events, func(u agent.LaunchUnit) error {
		found++
		text := string(u.JSON()) + "\n"
		if !asJSON {
			text = launchBlock(u, told[u.Chain])
			told[u.Chain] = true
		}
		_, err := io.WriteString(a.out, text)
		return err
	})
	switch {
	case err != nil:
		return err
	case n.Broken > 0:
		return fmt.Errorf("%d of %d lines could not be read, the first is %s: mend or remove it", n.Broken, n.Broken+n.Launches, n.First)
	}
	if !asJSON {
		fmt.Fprintf(a.errOut, "%d launches judged: %d found in %d chains\n", n.Launches, found, len(told))
	}
	if found > 0 {
		return errFound
	}
	return nil
}

// launchBlock tells one launch to a person; of a chain that was told before,
// only what is new.
func launchBlock(u agent.LaunchUnit, again bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s (pid %d)", strings.ToUpper(string(u.Level)), u.Path, u.PID)
	if again {
		b.WriteString(", further in a chain told above")
	}
	b.WriteByte('\n')
	for _, f := range u.Findings {
		fmt.Fprintf(&b, "  - %s [%s, %s]\n", f.Evidence, f.Rule, f.Technique)
	}
	if !again {
		for _, s := range u.Story {
			fmt.Fprintf(&b, "    %s %s (pid %d)%s\n", s.Time.UTC().Format("15:04:05"), s.Exe, s.PID, deeds(s))
		}
		b.WriteString("  What to do: ask the person at the machine what they were told to do, and by whom; see what the programs above left behind.\n\n")
	}
	return b.String()
}

// deeds are the deeds of a step in words.
func deeds(s meetguard.Step) string {
	var out []string
	for _, d := range s.Deeds {
		if d.Kind == meetguard.DeedRun && d.What == "program" {
			continue
		}
		text := d.Kind
		for _, more := range []string{d.What, d.Host, d.File} {
			if more != "" {
				text += " " + more
			}
		}
		out = append(out, text)
	}
	if len(out) == 0 {
		return ""
	}
	return ": " + strings.Join(out, "; ")
}
