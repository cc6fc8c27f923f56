package collect

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"meetguard"
	"meetguard/internal/store"
)

// Bounds of a report.
const (
	reportRows   = 50    // most rows of a table
	reportDelays = 20000 // most alerts whose delay is looked at
	reportCare   = 100   // most machines that need care
)

// report is a week of one group, or of all that the caller sees.
type report struct {
	Week          string        `json:"week"` // ISO 8601, as 2026-W47
	Group         string        `json:"group"`
	Since         time.Time     `json:"since"`
	Until         time.Time     `json:"until"`
	Alerts        int           `json:"alerts"`
	ByBrand       []store.Count `json:"by_brand"`
	ByLevel       []store.Count `json:"by_level"`
	ByDisposition []store.Count `json:"by_disposition"`
	ByGroup       []store.Count `json:"by_group"`
	ByDay         []store.Count `json:"by_day"`
	Delay         delay         `json:"delay"`
	Care          []care        `json:"care"`
}

// delay is the time from the landing of a file to its alert here.
type delay struct {
	Known int     `json:"known"` // alerts that tell when their file landed
	P50   float64 `json:"p50_s"`
	P90   float64 `json:"p90_s"`
}

// care is a machine that somebody should look at.
type care struct {
	UID      string   `json:"uid"`
	Hostname string   `json:"hostname"`
	Group    string   `json:"group"`
	Why      []string `json:"why"`
}

func (s *Server) getReport(r *http.Request) (any, error) {
	week, group, err := s.reportQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	if c := callerOf(r); group != "" && !c.Scope.Sees(group) {
		return nil, store.ErrNotFound
	}
	return s.report(r.Context(), callerOf(r).Scope, group, week)
}

// reportQuery reads which week and group are asked for: the last whole week if
// none is named.
func (s *Server) reportQuery(rawQuery string) (since time.Time, group string, err error) {
	q := readQuery(rawQuery, "week", "group")
	group = q.text("group")
	since = monday(s.now().UTC().AddDate(0, 0, -7))
	if text := q.text("week"); text != "" {
		var ok bool
		if since, ok = parseWeek(text); !ok {
			q.fail("week must be a week as in 2026-W47")
		}
	}
	return since, group, q.err
}

// monday is the beginning of the week of t.
func monday(t time.Time) time.Time {
	days := (int(t.Weekday()) + 6) % 7
	return time.Date(t.Year(), t.Month(), t.Day()-days, 0, 0, 0, 0, time.UTC)
}

// parseWeek reads a week of ISO 8601, whose first one holds the 4th of January.
func parseWeek(text string) (time.Time, bool) {
	var year, week int
	if n, err := fmt.Sscanf(text, "%4d-W%2d", &year, &week); n != 2 || err != nil || year < 1970 || week < 1 {
		return time.Time{}, false
	}
	since := monday(time.Date(year, time.January, 4, 0, 0, 0, 0, time.UTC)).AddDate(0, 0, 7*(week-1))
	return since, weekText(since) == text
}

func weekText(t time.Time) string {
	year, week := t.ISOWeek()
	return fmt.Sprintf("%04d-W%02d", year, week)
}

// report sums up a week.
func (s *Server) report(ctx context.Context, scope store.Scope, group string, since time.Time) (report, error) {
	rep := report{Week: weekText(since), Group: group, Since: since, Until: since.AddDate(0, 0, 7)}
	f := store.Filter{Group: group, Since: rep.Since, Until: rep.Until, Limit: reportRows}
	for column, into := range map[string]*[]store.Count{
		"brand": &rep.ByBrand, "level": &rep.ByLevel, "disposition": &rep.ByDisposition, "group": &rep.ByGroup, "day": &rep.ByDay,
	} {
		counts, err := s.store.Counts(ctx, scope, f, column, reportRows)
		if err != nil {
			return rep, err
		}
		*into = counts
	}
	for _, c := range rep.ByLevel {
		rep.Alerts += c.N
	}
	delays, err := s.store.Delays(ctx, scope, f, reportDelays)
	if err != nil {
		return rep, err
	}
	rep.Delay = delayOf(delays)
	rep.Care, err = s.needCare(ctx, scope, group)
	return rep, err
}

// delayOf returns quantiles by the nearest rank.
func delayOf(all []time.Duration) delay {
	if len(all) == 0 {
		return delay{}
	}
	slices.Sort(all)
	rank := func(percent int) float64 { return all[(len(all)*percent+99)/100-1].Seconds() }
	return delay{Known: len(all), P50: rank(50), P90: rank(90)}
}

// needCare lists the machines that somebody should look at now: those that are
// silent, whose sources are not well, that were cloned or suspended, and those
// with a malicious alert that is not closed.
func (s *Server) needCare(ctx context.Context, scope store.Scope, group string) ([]care, error) {
	found := &careList{all: []care{}, at: map[string]int{}}
	now := s.now()
	for _, f := range []store.AgentFilter{
		{Group: group, Silent: true}, {Group: group, Trouble: true},
		{Group: group, State: store.AgentCloned}, {Group: group, State: store.AgentSuspended},
	} {
		f.Now, f.Limit = now, reportCare
		agents, err := s.store.Agents(ctx, scope, f)
		if err != nil {
			return nil, err
		}
		for _, a := range agents {
			found.add(a.UID, a.Hostname, a.Group, whyCare(f, a)...)
		}
	}
	page, err := s.store.Alerts(ctx, scope, store.Filter{
		Group: group, Levels: []string{string(meetguard.Malicious)}, Statuses: []string{store.StatusNew, store.StatusInProgress}, Limit: reportCare,
	})
	for _, a := range page.Alerts {
		found.add(a.AgentUID, a.Hostname, a.Group, "a malicious alert is not closed")
	}
	return found.all, err
}

func whyCare(f store.AgentFilter, a store.AgentStatus) []string {
	switch {
	case f.Silent:
		return []string{"silent since " + stamp(a.LastSeen)}
	case f.Trouble:
		return []string{a.Trouble}
	}
	return []string{a.State}
}

// careList gathers machines, each once with all of its reasons.
type careList struct {
	all []care
	at  map[string]int // uid -> place
}

func (l *careList) add(uid, hostname, group string, why ...string) {
	i, known := l.at[uid]
	if !known {
		if len(l.all) == reportCare {
			return
		}
		i = len(l.all)
		l.at[uid] = i
		l.all = append(l.all, care{UID: uid, Hostname: hostname, Group: group})
	}
	for _, text := range why {
		if text != "" && !slices.Contains(l.all[i].Why, text) {
			l.all[i].Why = append(l.all[i].Why, text)
		}
	}
}
