package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
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
	level, brand, rule, path, user, since, until, status string
	limit                                                int
}

func (f *filterFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.level, "level", "", "only this level: suspicious or malicious")
	c.Flags().StringVar(&f.brand, "brand", "", "only this brand, by its catalogue id")
	c.Flags().StringVar(&f.rule, "rule", "", "only alerts that this rule led to, by its id")
	c.Flags().StringVar(&f.path, "path", "", "only paths that hold this text")
	c.Flags().StringVar(&f.user, "user", "", "only launches by this account")
	c.Flags().StringVar(&f.since, "since", "", "only alerts since then: a time (2026-11-22T10:00:00Z), a date, or a span like 24h or 7d")
	c.Flags().StringVar(&f.until, "until", "", "only alerts before then, as for --since")
	c.Flags().StringVar(&f.status, "status", "", "only this local state: "+strings.Join(alert.AckStates(), ", "))
	c.Flags().IntVar(&f.limit, "limit", 0, "at most so many, 0 for all")
}

func (f *filterFlags) filter() (alert.Filter, error) {
	out := alert.Filter{Level: meetguard.Level(f.level), Brand: f.brand, Rule: f.rule, Path: f.path, User: f.user, State: f.status, Limit: f.limit, NewestFirst: true}
	known := []string{"", string(meetguard.Suspicious), string(meetguard.Malicious)}
	if !slices.Contains(known, f.level) {
		return out, fmt.Errorf("--level %q is neither suspicious nor malicious", f.level)
	}
	if f.status != "" && !slices.Contains(alert.AckStates(), f.status) {
		return out, fmt.Errorf("--status %q is none of %s", f.status, strings.Join(alert.AckStates(), ", "))
	}
	now := time.Now()
	var err1, err2 error
	if f.since != "" {
		out.Since, err1 = parseMoment("--since", f.since, now)
	}
	if f.until != "" {
		out.Until, err2 = parseMoment("--until", f.until, now)
	}
	return out, errors.Join(err1, err2)
}

// parseMoment reads a time, a date, or a span before now.
func parseMoment(flag, s string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n < 36500 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s %q is no time: write 24h, 7d, 2026-11-22 or 2026-11-22T10:00:00Z", flag, s)
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
	var asJSON, group bool
	c := &cobra.Command{
		Use:     "list",
		Short:   "List alerts, newest first",
		Example: "  meetguard alerts list --since 24h --level malicious\n  meetguard alerts list --group --path Downloads\n  meetguard alerts list --status new --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			switch {
			case group:
				return a.listGroups(*state, &flags, asJSON)
			case asJSON:
				return a.each(*state, &flags, a.rawLine)
			}
			w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
			err := a.each(*state, &flags, func(e alert.Entry) error {
				u := e.Record.Unmapped
				_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", e.Record.Metadata.UID[:8], when(e), u.Level, u.Brand, noted(e.Ack), e.Record.Message)
				return err
			})
			if err != nil {
				return err
			}
			return w.Flush()
		},
	}
	flags.add(c)
	c.Flags().BoolVar(&group, "group", false, "one line for each finding, however often it was told")
	c.Flags().BoolVar(&asJSON, "json", false, "print the records, or with --group the findings, as JSON Lines")
	return c
}

// findings are the alerts of one finding.
type findings struct {
	Finding string    `json:"finding_uid"`
	Count   int       `json:"count"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Level   string    `json:"level"`
	Brand   string    `json:"brand"`
	Rule    string    `json:"rule"`
	Status  string    `json:"status,omitempty"` // of the newest alert
	Message string    `json:"message"`          // of the newest alert
	Alerts  []string  `json:"alerts"`           // uids, newest first
}

// listGroups joins the alerts of one finding, the finding with the newest alert
// first.
func (a *app) listGroups(state string, flags *filterFlags, asJSON bool) error {
	byID := map[string]*findings{}
	var order []*findings
	err := a.each(state, flags, func(e alert.Entry) error {
		r, at := e.Record, time.UnixMilli(e.Record.Time).UTC()
		f := byID[r.FindingInfo.UID]
		if f == nil {
			f = &findings{Finding: r.FindingInfo.UID, Last: at, Level: r.Unmapped.Level, Brand: r.Unmapped.Brand, Rule: r.Unmapped.Rule, Status: noted(e.Ack), Message: r.Message}
			byID[f.Finding], order = f, append(order, f)
		}
		f.Count++
		f.First = at
		f.Alerts = append(f.Alerts, r.Metadata.UID)
		return nil
	})
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	for _, f := range order {
		if asJSON {
			err = a.printJSON(f)
		} else {
			_, err = fmt.Fprintf(w, "%s\t%d×\t%s\t%s\t%s\t%s\t%s\n", f.Alerts[0][:8], f.Count, f.Last.Local().Format(time.DateTime), f.Level, f.Brand, f.Status, f.Message)
		}
		if err != nil {
			return err
		}
	}
	return w.Flush()
}

// noted is what was noted of an alert here, in a word or two.
func noted(k alert.Acknowledgement) string {
	if k.Disposition == "" {
		return k.State
	}
	return k.State + "/" + k.Disposition
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
		Use:     "show UID",
		Short:   "Tell the whole story of one alert; the beginning of its uid is enough",
		Example: "  meetguard alerts show 3c0e",
		Args:    needArgs("name an alert by the beginning of its uid, see `meetguard alerts list`"),
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

func (a *app) alertsAck(state *string) *cobra.Command {
	var status, disposition, note string
	c := &cobra.Command{
		Use:   "ack UID",
		Short: "Note what became of an alert",
		Long: `Notes what became of an alert; the beginning of its uid is enough. The note stands
beside the log, which stays as it was written, and only the newest one counts.
Where this machine has a collector, the note goes there with the next heartbeat, in
the name of "local:" and the account that made it.`,
		Example: "  meetguard alerts ack 3c0e12ab --disposition testing --note \"self-test after the roll-out\"\n  meetguard alerts ack 77a4 --status in_progress",
		Args:    needArgs("name an alert by the beginning of its uid, see `meetguard alerts list`"),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := stateFolder(*state)
			if err != nil {
				return err
			}
			for _, arg := range args {
				e, err := a.one(*state, arg)
				if err != nil {
					return err
				}
				if err := alert.Ack(dir, e.Record.Metadata.UID, status, disposition, note); err != nil {
					return err
				}
				fmt.Fprintf(a.out, "%s: %s\n", e.Record.Metadata.UID, noted(alert.Acknowledgement{State: status, Disposition: disposition}))
			}
			return nil
		},
	}
	c.Flags().StringVar(&status, "status", "resolved", "one of "+strings.Join(alert.AckStates(), ", "))
	c.Flags().StringVar(&disposition, "disposition", "", "what it turned out to be: "+strings.Join(alert.Dispositions(), ", "))
	c.Flags().StringVar(&note, "note", "", "a remark")
	return c
}

func (a *app) alertsExport(state *string) *cobra.Command {
	var flags filterFlags
	var format string
	c := &cobra.Command{
		Use:   "export",
		Short: "Write alerts as JSON Lines or CSV",
		Long: `Writes the chosen alerts, newest first: JSON Lines with the records as they stand in
the log, or CSV in which no cell can be read as a formula.`,
		Example: "  meetguard alerts export --since 30d --format csv >alerts.csv",
		Args:    cobra.NoArgs,
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
	if err := w.Write([]string{"time", "uid", "level", "brand", "score", "rule", "path", "sha256", "signer", "source_host", "user", "status", "disposition", "note", "message"}); err != nil {
		return err
	}
	err := a.each(state, flags, func(e alert.Entry) error {
		u := e.Record.Unmapped
		row := []string{time.UnixMilli(e.Record.Time).UTC().Format(time.RFC3339), e.Record.Metadata.UID, u.Level, u.Brand, fmt.Sprint(u.Score), u.Rule, u.Path, u.SHA256, u.Signer, u.SourceHost, u.User, e.Ack.State, e.Ack.Disposition, e.Ack.Note, e.Record.Message}
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
		Use:     "verify",
		Short:   "Check the chain of the alert log: was a line changed, cut out or put in?",
		Example: "  meetguard alerts verify",
		Args:    cobra.NoArgs,
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
