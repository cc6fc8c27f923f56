package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"meetguard"
	"meetguard/internal/alert"
)

func (a *app) alertsCommand() *cobra.Command {
	c := &cobra.Command{Use: "alerts", Short: "List, show, acknowledge and export the alerts of this machine", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	var state string
	c.PersistentFlags().StringVar(&state, "state", "", "state folder of the agent")
	c.AddCommand(a.alertsList(&state), a.alertsShow(&state), a.alertsAck(&state), a.alertsExport(&state), a.alertsVerify(&state))
	return c
}

// filterFlags adds the flags that choose alerts.
type filterFlags struct {
	level, brand, since, status string
	limit                       int
}

func (f *filterFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.level, "level", "", "only this level: suspicious or malicious")
	c.Flags().StringVar(&f.brand, "brand", "", "only this brand, by its catalogue id")
	c.Flags().StringVar(&f.since, "since", "", "only alerts since then: a time (2026-11-22T10:00:00Z), a date, or a span like 24h")
	c.Flags().StringVar(&f.status, "status", "", "only this local state: "+strings.Join(alert.AckStates(), ", "))
	c.Flags().IntVar(&f.limit, "limit", 0, "at most so many, 0 for all")
}

func (f *filterFlags) filter() (alert.Filter, error) {
	out := alert.Filter{Level: meetguard.Level(f.level), Brand: f.brand, State: f.status, Limit: f.limit, NewestFirst: true}
	if f.since == "" {
		return out, nil
	}
	var err error
	out.Since, err = parseSince(f.since, time.Now())
	return out, err
}

func parseSince(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--since %q is no time: write 24h, 2026-11-22 or 2026-11-22T10:00:00Z", s)
}

// each calls tell for every alert that the flags choose.
func (a *app) each(state string, flags *filterFlags, tell func(alert.Entry) error) error {
	dir, err := stateFolder(state)
	if err != nil {
		return err
	}
	filter, err := flags.filter()
	if err != nil {
		return err
	}
	for e, err := range alert.Read(dir, filter) {
		if err != nil {
			return err
		}
		if err := tell(e); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) alertsList(state *string) *cobra.Command {
	var flags filterFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List alerts, newest first",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return a.each(*state, &flags, a.rawLine)
			}
			w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
			err := a.each(*state, &flags, func(e alert.Entry) error {
				u := e.Record.Unmapped
				_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", e.Record.Metadata.UID[:8], when(e), u.Level, u.Brand, e.Ack.State, e.Record.Message)
				return err
			})
			if err != nil {
				return err
			}
			return w.Flush()
		},
	}
	flags.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print the records as JSON Lines")
	return c
}

func (a *app) rawLine(e alert.Entry) error {
	_, err := fmt.Fprintf(a.out, "%s\n", e.Raw)
	return err
}

func when(e alert.Entry) string { return time.UnixMilli(e.Record.Time).Format(time.DateTime) }

// one finds the alert whose uid begins with prefix.
func (a *app) one(state, prefix string) (alert.Entry, error) {
	dir, err := stateFolder(state)
	if err != nil {
		return alert.Entry{}, err
	}
	var found []alert.Entry
	for e, err := range alert.Read(dir, alert.Filter{UID: prefix, Limit: 2}) {
		if err != nil {
			return alert.Entry{}, err
		}
		found = append(found, e)
	}
	switch len(found) {
	case 0:
		return alert.Entry{}, fmt.Errorf("no alert begins with %q: see `meetguard alerts list`", prefix)
	case 1:
		return found[0], nil
	}
	return alert.Entry{}, fmt.Errorf("more than one alert begins with %q: give more of it", prefix)
}

func (a *app) alertsShow(state *string) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show UID",
		Short: "Tell the whole story of one alert; the beginning of its uid is enough",
		Args:  needArgs("name an alert by the beginning of its uid, see `meetguard alerts list`"),
		RunE: func(_ *cobra.Command, args []string) error {
			e, err := a.one(*state, args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return a.rawLine(e)
			}
			_, err = io.WriteString(a.out, story(e))
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the record as JSON")
	return c
}

// story tells one alert: what, why, what is known, what to do.
func story(e alert.Entry) string {
	var b strings.Builder
	r, u := e.Record, e.Record.Unmapped
	fmt.Fprintf(&b, "%s\n%s, score %d, %s, on %s\n\nWhy\n", r.Message, u.Level, u.Score, when(e), r.Device.Hostname)
	for _, why := range u.Reasons {
		fmt.Fprintf(&b, "  - %s\n", why)
	}
	b.WriteString("\nWhat is known\n")
	for _, fact := range [][2]string{
		{"path", u.Path}, {"SHA-256", u.SHA256}, {"format", u.Format}, {"claims to be", u.Brand}, {"signature", u.Signature}, {"signed by", u.Signer},
		{"Team ID", u.TeamID}, {"downloaded from", u.SourceHost}, {"user", u.User}, {"rule", u.Rule}, {"uid", r.Metadata.UID},
	} {
		if fact[1] != "" {
			fmt.Fprintf(&b, "  %-15s %s\n", fact[0], fact[1])
		}
	}
	if e.Ack.State != "" {
		fmt.Fprintf(&b, "  %-15s %s %s\n", "noted here", e.Ack.State, e.Ack.Note)
	}
	fmt.Fprintf(&b, "\nWhat to do\n  %s\n", r.Remediation.Desc)
	return b.String()
}

func (a *app) alertsAck(state *string) *cobra.Command {
	var status, note string
	c := &cobra.Command{
		Use:   "ack UID",
		Short: "Note what became of an alert",
		Args:  needArgs("name an alert by the beginning of its uid, see `meetguard alerts list`"),
		RunE: func(_ *cobra.Command, args []string) error {
			e, err := a.one(*state, args[0])
			if err != nil {
				return err
			}
			dir, err := stateFolder(*state)
			if err != nil {
				return err
			}
			if err := alert.Ack(dir, e.Record.Metadata.UID, status, note); err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.out, "%s: %s\n", e.Record.Metadata.UID, status)
			return err
		},
	}
	c.Flags().StringVar(&status, "status", "resolved", "one of "+strings.Join(alert.AckStates(), ", "))
	c.Flags().StringVar(&note, "note", "", "a remark")
	return c
}

func (a *app) alertsExport(state *string) *cobra.Command {
	var flags filterFlags
	var format string
	c := &cobra.Command{
		Use:   "export",
		Short: "Write alerts as JSON Lines or CSV",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			switch format {
			case "jsonl":
				return a.each(*state, &flags, a.rawLine)
			case "csv":
				return a.exportCSV(*state, &flags)
			}
			return fmt.Errorf("--format %q is neither jsonl nor csv", format)
		},
	}
	flags.add(c)
	c.Flags().StringVar(&format, "format", "jsonl", "jsonl or csv")
	return c
}

func (a *app) exportCSV(state string, flags *filterFlags) error {
	w := csv.NewWriter(a.out)
	if err := w.Write([]string{"time", "uid", "level", "brand", "score", "rule", "path", "sha256", "signer", "source_host", "status", "message"}); err != nil {
		return err
	}
	err := a.each(state, flags, func(e alert.Entry) error {
		u := e.Record.Unmapped
		row := []string{time.UnixMilli(e.Record.Time).UTC().Format(time.RFC3339), e.Record.Metadata.UID, u.Level, u.Brand, fmt.Sprint(u.Score), u.Rule, u.Path, u.SHA256, u.Signer, u.SourceHost, e.Ack.State, e.Record.Message}
		for i := range row {
			row[i] = noFormula(row[i])
		}
		return w.Write(row)
	})
	w.Flush()
	return errors.Join(err, w.Error())
}

// noFormula keeps a spreadsheet from reading a hostile name as a formula.
func noFormula(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func (a *app) alertsVerify(state *string) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "verify",
		Short: "Check the chain of the alert log: was a line changed, cut out or put in?",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			dir, err := stateFolder(*state)
			if err != nil {
				return err
			}
			if _, err := os.Stat(dir); err != nil {
				return fmt.Errorf("%w: name the state folder with --state", err)
			}
			rep, err := alert.Verify(dir)
			if err != nil {
				return err
			}
			if asJSON {
				err = a.printJSON(rep)
			} else {
				for _, issue := range rep.Issues {
					fmt.Fprintln(a.out, issue)
				}
				_, err = fmt.Fprintf(a.out, "%d records in %d files, %d problems\n", rep.Records, rep.Files, len(rep.Issues))
			}
			if err == nil && !rep.OK() {
				err = errFound
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
