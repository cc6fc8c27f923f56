package collect

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// pageKeys are what the address of the list may say beyond the filter of the
// interface for programs: how to show it, and "any" and "open" as a status.
var pageKeys = append([]string{"view"}, filterKeys...)

// listQuery is what the address of the list of alerts asks for.
type listQuery struct {
	values url.Values // as the address has them
	Flat   bool       // each alert for itself, not grouped by finding
	Filter store.Filter
}

// readList reads the address of the list. Without a status it shows what is open.
func readList(rawQuery string) (listQuery, error) {
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return listQuery{}, refuse(http.StatusBadRequest, "the query cannot be read")
	}
	for key, all := range values {
		if !slices.Contains(pageKeys, key) || len(all) > 1 {
			return listQuery{}, refuse(http.StatusBadRequest, "the address has a part that is not known: "+visible(cut(key, 40)))
		}
		if all[0] == "" { // forms send empty fields
			values.Del(key)
		}
	}
	view := values.Get("view")
	if view != "" && view != "alerts" {
		return listQuery{}, refuse(http.StatusBadRequest, "view must be alerts or absent")
	}
	l := listQuery{values: values, Flat: view == "alerts"}
	l.Filter, err = parseFilter(l.programQuery())
	return l, err
}

// programQuery is the same choice as a query of the interface for programs,
// without a place in it.
func (l listQuery) programQuery() string {
	q := url.Values{}
	for key, all := range l.values {
		q[key] = slices.Clone(all)
	}
	q.Del("view")
	switch q.Get("status") {
	case "", "open":
		q.Set("status", store.StatusNew+","+store.StatusInProgress)
	case "any":
		q.Del("status")
	}
	for key, days := range map[string]int{"since": 0, "until": 1} { // until a day is until its end
		if t, err := time.Parse(time.DateOnly, q.Get(key)); err == nil {
			q.Set(key, t.AddDate(0, 0, days).Format(time.RFC3339))
		}
	}
	return q.Encode()
}

// with is the address of the list with other values for some keys: "" takes a
// key out. It begins at the first page.
func (l listQuery) with(pairs ...string) string {
	q := url.Values{}
	for key, all := range l.values {
		q[key] = slices.Clone(all)
	}
	q.Del("cursor")
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		}
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

// Get is a value of the address, for the fields of the form.
func (l listQuery) Get(key string) string { return l.values.Get(key) }

// More tells whether a filter is set that the form hides at first.
func (l listQuery) More() bool {
	for _, key := range []string{"rule", "sha256", "user", "source_host", "agent", "finding", "exception", "min_score", "since", "until", "disposition"} {
		if l.values.Get(key) != "" {
			return true
		}
	}
	return false
}

// Filtered tells whether the address chooses anything.
func (l listQuery) Filtered() bool {
	for key := range l.values {
		if key != "view" && key != "cursor" && key != "limit" {
			return true
		}
	}
	return false
}

// choice is a link of a row of choices.
type choice struct {
	Text, URL string
	Current   bool
}

// alertsPage is what alerts.html shows.
type alertsPage struct {
	frame
	List    listQuery
	Rows    []alertRow
	Total   int // alerts that pass the filter
	Views   []choice
	Modes   []choice
	Older   string // link to the next page, or ""
	Newest  string // link to the first page, or "" on it
	Here    string // this address
	Program string // query of the interface for programs, for exports
	Choice  string // the same for the form: without what comes in after this page
	Levels  []string
	Groups  []store.Count
	Closing []string // dispositions
}

// alertRow is one line: a finding or one alert.
type alertRow struct {
	alertView
	Item   string // what a form names it by
	Alerts int
	Hosts  int
	Open   int
	Last   time.Time
	URL    string
}

// Export is the address of an export of what the list shows, all pages of it.
func (p alertsPage) Export(format string) string {
	return "/v1/export/alerts?" + strings.TrimSuffix("format="+format+"&"+p.Program, "&")
}

func (s *Server) showAlerts(w http.ResponseWriter, r *http.Request) error {
	l, err := readList(r.URL.RawQuery)
	if err != nil {
		return err
	}
	page := alertsPage{frame: s.frame(w, r, "alerts", "Alerts"), List: l, Here: r.URL.RequestURI(), Program: l.forExport(), Choice: l.until(s.now()),
		Levels: levels, Closing: dispositions}
	var next int64
	if l.Flat {
		page.Rows, next, err = s.flatRows(r.Context(), page.caller.Scope, l)
	} else {
		page.Rows, next, err = s.findingRows(r.Context(), page.caller.Scope, l)
	}
	if err != nil {
		return err
	}
	if page.Total, err = s.countAlerts(r.Context(), page.caller.Scope, l.Filter); err != nil {
		return err
	}
	if page.Groups, err = s.store.AgentGroups(r.Context(), page.caller.Scope); err != nil {
		return err
	}
	page.links(next)
	return s.render(w, http.StatusOK, "alerts.html", page)
}

// forExport is programQuery without a place.
func (l listQuery) forExport() string {
	q, _ := url.ParseQuery(l.programQuery())
	q.Del("cursor")
	q.Del("limit")
	return q.Encode()
}

// until is forExport without what is received later: a form acts on what its page
// could show.
func (l listQuery) until(now time.Time) string {
	q, _ := url.ParseQuery(l.forExport())
	if l.Filter.Until.IsZero() || l.Filter.Until.After(now) {
		q.Set("until", now.UTC().Add(time.Millisecond).Format(time.RFC3339Nano))
	}
	return q.Encode()
}

func (p *alertsPage) links(next int64) {
	l := p.List
	status, assignee := l.Get("status"), l.Get("assignee")
	me := p.caller.Name
	p.Views = []choice{
		{"Open", l.with("status", "", "assignee", ""), (status == "" || status == "open") && assignee == ""},
		{"Mine", l.with("status", "", "assignee", me), status == "" && assignee == me},
		{"Not taken", l.with("status", "", "assignee", "-"), status == "" && assignee == "-"},
		{"Closed", l.with("status", store.StatusClosed, "assignee", ""), status == store.StatusClosed},
		{"Suppressed", l.with("status", store.StatusSuppressed, "assignee", ""), status == store.StatusSuppressed},
		{"All", l.with("status", "any", "assignee", ""), status == "any" && assignee == ""},
	}
	p.Modes = []choice{{"By finding", l.with("view", ""), !l.Flat}, {"Each alert", l.with("view", "alerts"), l.Flat}}
	if next != 0 {
		p.Older = l.with("cursor", cursor(next))
	}
	if l.Get("cursor") != "" {
		p.Newest = l.with()
	}
}

// countAlerts counts what passes the filter.
func (s *Server) countAlerts(ctx context.Context, scope store.Scope, f store.Filter) (int, error) {
	f.Before = 0
	counts, err := s.store.Counts(ctx, scope, f, "status", maxLimit)
	n := 0
	for _, c := range counts {
		n += c.N
	}
	return n, err
}

func (s *Server) flatRows(ctx context.Context, scope store.Scope, l listQuery) ([]alertRow, int64, error) {
	page, err := s.store.Alerts(ctx, scope, l.Filter)
	rows := make([]alertRow, 0, len(page.Alerts))
	for _, a := range page.Alerts {
		v := newAlertView(a)
		rows = append(rows, alertRow{alertView: v, Item: a.ID, Alerts: 1, Hosts: 1, Last: a.ReceivedAt, URL: "/alerts/" + a.ID})
	}
	return rows, page.Next, err
}

// findingRows shows each finding by its newest alert. The records of these are
// asked for at once.
func (s *Server) findingRows(ctx context.Context, scope store.Scope, l listQuery) ([]alertRow, int64, error) {
	page, err := s.store.Groups(ctx, scope, l.Filter)
	if err != nil || len(page.Groups) == 0 {
		return nil, 0, err
	}
	ids := make([]string, 0, len(page.Groups))
	for _, g := range page.Groups {
		ids = append(ids, g.Newest.ID)
	}
	full, err := s.store.Alerts(ctx, scope, store.Filter{IDs: ids, Limit: len(ids)})
	if err != nil {
		return nil, 0, err
	}
	records := map[string]store.Alert{}
	for _, a := range full.Alerts {
		records[a.ID] = a
	}
	var rows []alertRow
	for _, g := range page.Groups {
		a := g.Newest
		a.Record = records[a.ID].Record
		row := alertRow{alertView: newAlertView(a), Item: g.Key, Alerts: g.Alerts, Hosts: g.Agents, Open: g.Open, Last: g.Last}
		row.URL = "/alerts/" + a.ID
		rows = append(rows, row)
	}
	return rows, page.Next, nil
}

// Many tells whether the row stands for more than one alert.
func (r alertRow) Many() bool { return r.Alerts > 1 }

// syncLimit is the most alerts that a form changes before it is answered; more
// become jobs.
const syncLimit = 2000

// doBulk takes, closes or gives back what is selected, or all that passes the
// filter.
func (s *Server) doBulk(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	q, done, err := bulkTriage(form, callerOf(r).Name)
	if err != nil {
		return err
	}
	filters, ids, err := bulkTargets(form)
	if err != nil {
		return err
	}
	n, later, err := s.triageMany(r, q, filters, ids)
	switch {
	case err != nil:
		return err
	case later > 0:
		setFlash(w, r, "job", later)
	case n == 0:
		setFlash(w, r, "none", 0)
	default:
		setFlash(w, r, done, n)
	}
	return lead(w, r, "/")
}

// bulkTriage is what a form asks to be done, and the code of its flash.
func bulkTriage(form url.Values, me string) (q triageRequest, done string, err error) {
	set := func(text string) *string { return &text }
	q.Note = strings.TrimSpace(strings.ReplaceAll(form.Get("note"), "\r\n", "\n"))
	done = form.Get("do")
	switch done {
	case "take":
		q.Status, q.Assignee = set(store.StatusInProgress), &me
	case "close":
		q.Status, q.Disposition = set(store.StatusClosed), set(form.Get("disposition"))
	case "reopen":
		q.Status = set(store.StatusNew)
	case "release":
		q.Status, q.Assignee = set(store.StatusNew), set("")
	case "note":
		if q.Note == "" {
			return q, done, refuse(http.StatusBadRequest, "the note is empty")
		}
	case "assign":
		done = "take"
		q.Assignee = set(strings.TrimSpace(form.Get("assignee")))
	default:
		return q, done, refuse(http.StatusBadRequest, "the form does not say what to do")
	}
	return q, done, nil
}

// bulkTargets is what a form is about: filters in the form of the interface for
// programs, and ids.
func bulkTargets(form url.Values) (filters, ids []string, err error) {
	items := form["item"]
	base, err := url.ParseQuery(form.Get("filter"))
	if err != nil {
		return nil, nil, refuse(http.StatusBadRequest, "the filter cannot be read")
	}
	switch {
	case form.Get("all") == "1":
		return []string{base.Encode()}, nil, nil
	case len(items) == 0:
		return nil, nil, refuse(http.StatusBadRequest, "nothing is selected: tick the lines that you mean")
	case len(items) > maxLimit:
		return nil, nil, refuse(http.StatusBadRequest, "too many lines are selected")
	case form.Get("view") == "alerts":
		return nil, items, nil
	}
	for _, key := range items {
		base.Set("finding", key)
		filters = append(filters, base.Encode())
	}
	return filters, nil, nil
}

// triageMany changes what is named: at once if it is little, or else by jobs, of
// which it returns how many there are.
func (s *Server) triageMany(r *http.Request, q triageRequest, filters, ids []string) (changed, jobs int, err error) {
	c, err := s.change(r, q)
	if err != nil {
		return 0, 0, err
	}
	for _, text := range filters {
		f, err := parseFilter(text)
		if err != nil {
			return 0, 0, err
		}
		found, err := s.idsOf(r.Context(), callerOf(r).Scope, f, syncLimit-len(ids))
		if errors.Is(err, errMany) {
			return s.triageByJobs(r, q, filters)
		}
		if err != nil {
			return 0, 0, err
		}
		ids = append(ids, found...)
	}
	for part := range slices.Chunk(ids, jobChunk) {
		n, err := s.store.Triage(r.Context(), callerOf(r).Scope, part, c)
		if err != nil {
			return changed, 0, err
		}
		changed += n
	}
	if changed > 0 {
		err = s.record(r, "alert.triage", strconv.Itoa(changed)+" alerts", changeText(c))
	}
	return changed, 0, err
}

// errMany says that there are more alerts than are changed at once.
var errMany = errors.New("too many to be changed at once")

func (s *Server) idsOf(ctx context.Context, scope store.Scope, f store.Filter, most int) ([]string, error) {
	var ids []string
	f.Before, f.Limit = 0, maxLimit
	for {
		page, err := s.store.Alerts(ctx, scope, f)
		if err != nil {
			return nil, err
		}
		for _, a := range page.Alerts {
			ids = append(ids, a.ID)
		}
		if len(ids) > most {
			return nil, errMany
		}
		if page.Next == 0 {
			return ids, nil
		}
		f.Before = page.Next
	}
}

func (s *Server) triageByJobs(r *http.Request, q triageRequest, filters []string) (changed, jobs int, err error) {
	if !callerOf(r).may(people.JobCreate) {
		return 0, 0, refuse(http.StatusForbidden, "your role does not allow this")
	}
	for _, text := range filters {
		if _, err := s.createJob(r, jobRequest{Kind: jobTriage, Filter: &text, Triage: &q}); err != nil {
			return 0, jobs, err
		}
		jobs++
	}
	return 0, jobs, nil
}
