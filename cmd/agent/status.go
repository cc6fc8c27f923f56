package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"meetguard"
	"meetguard/internal/agent"
	"meetguard/internal/config"
	"meetguard/signatures"
)

// printJSON prints one value on one line.
func (a *app) printJSON(v any) error {
	out, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s\n", out)
	return err
}

// stateFolder is the flag's value or that of the configuration.
func stateFolder(flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	cfg, err := config.Load("")
	return cfg.State, err
}

func (a *app) statusCommand() *cobra.Command {
	var state string
	var asJSON bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Tell what the running agent sees and what it does not",
		Long: `Shows every source with its state, since when, why, and what to do: files and each
watched folder, launches, signatures, rules, the collector and the identity.
Exit code 1: a source has failed, or the agent does not run.`,
		Example: "  meetguard status\n  meetguard status --json --state /var/lib/meetguard",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			dir, err := stateFolder(state)
			if err != nil {
				return err
			}
			s, err := agent.ReadStatus(dir)
			if err != nil {
				return err
			}
			if asJSON {
				err = a.printJSON(s)
			} else {
				err = a.printStatus(s)
			}
			if err == nil && s.Failed() {
				err = errFound
			}
			return err
		},
	}
	c.Flags().StringVar(&state, "state", "", "state folder of the agent")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (a *app) printStatus(s agent.Status) error {
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	for _, src := range s.Sources {
		fmt.Fprintf(w, "%s\t%s\t%s%s\n", src.Name, src.State, src.Detail, sinceText(src.Since))
		if src.Do != "" {
			fmt.Fprintf(w, "\t\t→ %s\n", src.Do)
		}
	}
	for _, f := range s.Folders {
		fmt.Fprintf(w, "folder\t%s\t%s%s%s%s\n", f.State, f.Path, prefixed(", of ", f.User), prefixed(": ", f.Why), sinceText(f.Since))
		if f.Do != "" {
			fmt.Fprintf(w, "\t\t→ %s\n", f.Do)
		}
	}
	fmt.Fprintf(w, "delivery\t\t%d pending, %d acknowledged, %d dropped\n", s.Spool.Pending, s.Spool.Acked, s.Spool.Dropped)
	names := make([]string, 0, len(s.Counters))
	for name := range s.Counters {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(w, "%s\t%d\t\n", name, s.Counters[name])
	}
	fmt.Fprintf(w, "agent\t\t%s, process %d, told %s ago\n", s.Version, s.PID, time.Since(s.Updated).Round(time.Second))
	return w.Flush()
}

// prefixed is text behind a prefix, or nothing.
func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

func sinceText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ", since " + t.Local().Format(time.DateTime)
}

func (a *app) checkCommand() *cobra.Command {
	var asJSON bool
	var configFile string
	c := &cobra.Command{
		Use:   "check URL|HOST|TEXT…",
		Short: "Is this meeting or download link the brand's own?",
		Long: `Judges the names of the hosts that links lead to, and the form of the links.
Takes what people paste: links, hosts, lines of an invitation, links inside
links, and addresses that somebody wrote as hxxp://example[.]com. A lone - reads
from standard input. No network traffic.`,
		Example: "  meetguard check https://us02web.zoom.us/j/123 us02webzoom.us\n  meetguard check - <invitation.txt",
		Args:    needArgs("name a link or a host to check"),
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := config.Load(configFile)
			if err != nil {
				return err
			}
			judge, err := agent.NewJudge(cfg)
			if err != nil {
				return err
			}
			found := false
			for _, arg := range args {
				if arg == "-" {
					if arg, err = readPasted(os.Stdin); err != nil {
						return err
					}
				}
				verdicts := judge.Links(arg)
				if len(verdicts) == 0 {
					return fmt.Errorf("%s holds neither a link nor a host", short(arg))
				}
				for _, v := range verdicts {
					found = found || v.Level != meetguard.Clean
					if err := a.printHost(v, asJSON); err != nil {
						return err
					}
				}
			}
			if found {
				return errFound
			}
			return nil
		},
	}
	c.Flags().StringVar(&configFile, "config", "", "configuration file, for brands of your own")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON Lines")
	return c
}

func (a *app) printHost(v agent.HostVerdict, asJSON bool) error {
	if asJSON {
		return a.printJSON(v)
	}
	_, err := fmt.Fprintf(a.out, "%s: %s\n", v.Level, v.Evidence)
	return err
}

// maxPasted is how much of standard input is looked at, in bytes: more than any
// invitation, and what the judge reads of one text.
const maxPasted = 64 << 10

func readPasted(r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxPasted+1))
	if err != nil {
		return "", fmt.Errorf("read standard input: %w", err)
	}
	if len(text) > maxPasted {
		return "", fmt.Errorf("standard input holds more than %d KiB: give it in pieces", maxPasted>>10)
	}
	return string(text), nil
}

// short quotes the beginning of an argument for one line of an error.
func short(arg string) string {
	if rs := []rune(arg); len(rs) > 60 {
		arg = string(rs[:60]) + "…"
	}
	return fmt.Sprintf("%+q", arg)
}

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of the program and of its rules",
		Example: "  meetguard version --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return a.printJSON(map[string]string{"version": version, "commit": revision, "rules": signatures.Version()})
			}
			_, err := fmt.Fprintln(a.out, "meetguard", versionText())
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func versionText() string {
	return fmt.Sprintf("%s%s, rules %s", version, builtFrom(), signatures.Version())
}

// builtFrom names the commit, where the build told it.
func builtFrom() string {
	if revision == "" {
		return ""
	}
	return " (" + revision + ")"
}
