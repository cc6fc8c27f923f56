package collect

import (
	"context"
	"encoding/csv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"meetguard"
	"meetguard/internal/people"
	"meetguard/internal/store"
)

// reportPages are the weekly summary as page and as CSV.
func (s *Server) reportPages() []route {
	read := person(people.ReportRead)
	return []route{
		{"GET", "/reports", read, 0, s.page(s.showReport)},
		{"GET", "/reports/week.csv", read, 0, s.page(s.reportCSV)},
	}
}

// trendWeeks is how far back the trend of a report goes.
const trendWeeks = 12

// barsShown is how many bars a chart of a report has.
const barsShown = 10

// reportPage is what report.html shows.
type reportPage struct {
	frame
	Report   report
	Groups   []store.Count
	Weeks    []string // that can be chosen, newest first
	Previous int      // alerts of the week before
	Trend    columnChart
	Charts   []barChart
	Days     columnChart
	Old      []store.AgentStatus // agents behind the version that most have
	Usual    string              // that version
	Open     int                 // alerts of the week that nobody has closed
	CSV      string
	Last     time.Time // last day of the week
}

func (s *Server) showReport(w http.ResponseWriter, r *http.Request) error {
	page, err := s.weekly(w, r)
	if err != nil {
		return err
	}
	return s.render(w, http.StatusOK, "report.html", page)
}

func (s *Server) weekly(w http.ResponseWriter, r *http.Request) (reportPage, error) {
	since, group, err := s.reportQuery(withoutEmpty(r.URL))
	page := reportPage{frame: s.frame(w, r, "reports", "Weekly report")}
	scope := page.caller.Scope
	if err != nil {
		return page, err
	}
	if group != "" && !scope.Sees(group) {
		return page, store.ErrNotFound
	}
	if page.Report, err = s.report(r.Context(), scope, group, since); err != nil {
		return page, err
	}
	page.Last = page.Report.Until.AddDate(0, 0, -1)
	page.CSV = "/reports/week.csv?" + url.Values{"week": {page.Report.Week}, "group": {group}}.Encode()
	for i := range trendWeeks + 1 {
		page.Weeks = append(page.Weeks, weekText(s.now().UTC().AddDate(0, 0, -7*i)))
	}
	if !slices.Contains(page.Weeks, page.Report.Week) {
		page.Weeks = append(page.Weeks, page.Report.Week)
	}
	if page.Groups, err = s.store.AgentGroups(r.Context(), scope); err != nil {
		return page, err
	}
	week := store.Filter{Group: group, Since: page.Report.Since, Until: page.Report.Until, Statuses: []string{store.StatusNew, store.StatusInProgress}}
	if page.Open, err = s.countAlerts(r.Context(), scope, week); err != nil {
		return page, err
	}
	if err := s.trend(r.Context(), scope, &page); err != nil {
		return page, err
	}
	if page.Old, page.Usual, err = s.oldVersions(r.Context(), scope, group); err != nil {
		return page, err
	}
	page.charts()
	return page, nil
}

func (p *reportPage) charts() {
	rep := p.Report
	brands := slices.Clone(rep.ByBrand)
	for i := range brands {
		brands[i].Value = brandName(brands[i].Value)
	}
	p.Charts = []barChart{
		newBarChart("brand", "Lures by brand they claim", "Brand", "no brand", brands, barsShown),
		newBarChart("group", "By group", "Group", "no group", rep.ByGroup, barsShown),
		newBarChart("level", "By level", "Level", "no level", rep.ByLevel, barsShown),
		newBarChart("disposition", "By disposition", "Closed as", "not closed", spokenCounts(rep.ByDisposition), barsShown),
	}
}

func spokenCounts(counts []store.Count) []store.Count {
	all := slices.Clone(counts)
	for i := range all {
		all[i].Value = spoken(all[i].Value)
	}
	return all
}

// trendLevels are the series of the trend, as they are stacked.
var trendLevels = []string{string(meetguard.Malicious), string(meetguard.Suspicious), string(meetguard.Incomplete)}

// trend counts alerts by level for the weeks up to that of the report, and by
// day within it.
func (s *Server) trend(ctx context.Context, scope store.Scope, p *reportPage) error {
	rep := p.Report
	first := rep.Since.AddDate(0, 0, -7*(trendWeeks-1))
	weeks := make([]chartColumn, trendWeeks)
	for i := range weeks {
		start := first.AddDate(0, 0, 7*i)
		weeks[i] = chartColumn{Name: weekText(start), Short: weekText(start)[5:], N: make([]int, len(trendLevels))}
	}
	days := make([]chartColumn, 7)
	for i := range days {
		day := rep.Since.AddDate(0, 0, i)
		days[i] = chartColumn{Name: day.Format("Monday, 2006-01-02"), Short: day.Format("Mon"), N: make([]int, len(trendLevels))}
	}
	for i, level := range trendLevels {
		counts, err := s.store.Counts(ctx, scope, store.Filter{Group: rep.Group, Since: first, Until: rep.Until, Levels: []string{level}}, "day", 7*trendWeeks)
		if err != nil {
			return err
		}
		for _, c := range counts {
			day, err := time.Parse(time.DateOnly, c.Value)
			if at := int(day.Sub(first).Hours() / (24 * 7)); err == nil && at >= 0 && at < trendWeeks {
				weeks[at].N[i] += c.N
			}
			if at := int(day.Sub(rep.Since).Hours() / 24); err == nil && !day.Before(rep.Since) && at < 7 {
				days[at].N[i] += c.N
			}
		}
	}
	p.Previous = weeks[trendWeeks-2].Sum()
	p.Trend = newColumnChart("trend", "Alerts of the last 12 weeks", trendLevels, weeks)
	p.Days = newColumnChart("days", "Alerts by day", trendLevels, days)
	return nil
}

// oldShown is how many agents of another version a report lists.
const oldShown = 100

// oldVersions lists agents whose version is not the one that most have.
func (s *Server) oldVersions(ctx context.Context, scope store.Scope, group string) (old []store.AgentStatus, usual string, err error) {
	versions, err := s.store.AgentCounts(ctx, scope, group, "version")
	if err != nil || len(versions) == 0 {
		return nil, "", err
	}
	for _, v := range versions[1:] {
		if v.Value == "" || len(old) >= oldShown { // one that has not told its version has never been heard
			continue
		}
		agents, err := s.store.Agents(ctx, scope, store.AgentFilter{Group: group, State: store.AgentActive, Version: v.Value, Now: s.now(), Limit: oldShown - len(old)})
		if err != nil {
			return nil, "", err
		}
		old = append(old, agents...)
	}
	return old, versions[0].Value, nil
}

// reportCSV is the report as rows of section, name and number.
func (s *Server) reportCSV(w http.ResponseWriter, r *http.Request) error {
	page, err := s.weekly(w, r)
	if err != nil {
		return err
	}
	if err := s.record(r, "report.export", page.Report.Week, page.Report.Group); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", `attachment; filename="meetguard-`+page.Report.Week+`.csv"`)
	out := csv.NewWriter(w)
	out.UseCRLF = true // RFC 4180
	for _, row := range page.rows() {
		for i := range row {
			row[i] = safeCell(row[i])
		}
		_ = out.Write(row) // see below
	}
	out.Flush()
	return nil // what is half written cannot be told otherwise: the client left
}

func (p reportPage) rows() [][]string {
	rep := p.Report
	rows := [][]string{{"section", "name", "value"}, {"week", rep.Week, ""}, {"group", firstOf(rep.Group, "all"), ""},
		{"alerts", "this week", strconv.Itoa(rep.Alerts)}, {"alerts", "week before", strconv.Itoa(p.Previous)}, {"alerts", "not closed", strconv.Itoa(p.Open)}}
	for _, part := range []struct {
		name   string
		counts []store.Count
	}{{"brand", rep.ByBrand}, {"group", rep.ByGroup}, {"level", rep.ByLevel}, {"disposition", rep.ByDisposition}, {"day", rep.ByDay}} {
		for _, c := range part.counts {
			rows = append(rows, []string{part.name, c.Value, strconv.Itoa(c.N)})
		}
	}
	for _, q := range []struct {
		name  string
		value float64
	}{{"p50 seconds", rep.Delay.P50}, {"p90 seconds", rep.Delay.P90}, {"known", float64(rep.Delay.Known)}} {
		rows = append(rows, []string{"landing to alert", q.name, strconv.FormatFloat(q.value, 'f', -1, 64)})
	}
	for _, week := range p.Trend.Columns {
		rows = append(rows, []string{"trend", week.Name, strconv.Itoa(week.Sum())})
	}
	for _, c := range rep.Care {
		rows = append(rows, []string{"needs care", c.Hostname, strings.Join(c.Why, "; ")})
	}
	for _, a := range p.Old {
		rows = append(rows, []string{"other version", a.Hostname, a.Version})
	}
	return rows
}
