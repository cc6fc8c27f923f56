package collect

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"meetguard/internal/store"
)

// maxNote is the most bytes of a note.
const maxNote = 4000

type alertsResponse struct {
	Alerts     []store.Alert `json:"alerts"`
	NextCursor string        `json:"next_cursor"` // "" on the last page
}

type findingsResponse struct {
	Findings   []store.Group `json:"findings"`
	NextCursor string        `json:"next_cursor"` // "" on the last page
}

func (s *Server) getAlerts(r *http.Request) (any, error) {
	f, err := parseFilter(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	page, err := s.store.Alerts(r.Context(), callerOf(r).Scope, f)
	return alertsResponse{Alerts: page.Alerts, NextCursor: cursor(page.Next)}, err
}

func (s *Server) getFindings(r *http.Request) (any, error) {
	f, err := parseFilter(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	page, err := s.store.Groups(r.Context(), callerOf(r).Scope, f)
	return findingsResponse{Findings: page.Groups, NextCursor: cursor(page.Next)}, err
}

// alertOf returns the alert that the path names, if the caller may see it.
func (s *Server) alertOf(r *http.Request) (store.Alert, error) {
	if err := noQuery(r); err != nil {
		return store.Alert{}, err
	}
	return s.store.Alert(r.Context(), callerOf(r).Scope, pathID(r, "id"))
}

func (s *Server) getAlert(r *http.Request) (any, error) { return s.alertOf(r) }

type historyResponse struct {
	Events []store.Event `json:"events"`
}

func (s *Server) getHistory(r *http.Request) (any, error) {
	a, err := s.alertOf(r)
	if err != nil {
		return nil, err
	}
	events, err := s.store.History(r.Context(), callerOf(r).Scope, a.ID)
	return historyResponse{events}, err
}

// maxSimilar is the most alerts that are shown beside one.
const maxSimilar = 20

type similarResponse struct {
	Alerts []store.Alert `json:"alerts"`
}

func (s *Server) getSimilar(r *http.Request) (any, error) {
	a, err := s.alertOf(r)
	if err != nil {
		return nil, err
	}
	alerts, err := s.store.Similar(r.Context(), callerOf(r).Scope, a, maxSimilar)
	return similarResponse{alerts}, err
}

func (s *Server) getPrevalence(r *http.Request) (any, error) {
	a, err := s.alertOf(r)
	if err != nil {
		return nil, err
	}
	return s.store.Prevalence(r.Context(), callerOf(r).Scope, a.Key)
}

// triageRequest is one act of triage as it is asked for. What is absent stays.
type triageRequest struct {
	Status      *string `json:"status"`      // new, in_progress or closed
	Disposition *string `json:"disposition"` // with closed
	Assignee    *string `json:"assignee"`    // "" for nobody
	Note        string  `json:"note"`
}

// change checks what is asked for. An alert is closed as something, and an open
// one is nothing yet.
func (s *Server) change(r *http.Request, q triageRequest) (store.Change, error) {
	c := store.Change{Who: callerOf(r).Name, At: s.now(), Status: q.Status, Disposition: q.Disposition, Assignee: q.Assignee, Note: q.Note}
	if err := q.check(); err != nil {
		return c, err
	}
	if q.Status != nil && *q.Status != store.StatusClosed {
		c.Disposition = new(string)
	}
	if q.Assignee != nil {
		return c, s.checkAssignee(r, *q.Assignee)
	}
	return c, nil
}

func (q triageRequest) check() error {
	closes := q.Status != nil && *q.Status == store.StatusClosed
	switch {
	case q.Status == nil && q.Disposition == nil && q.Assignee == nil && q.Note == "":
		return refuse(http.StatusBadRequest, "give a status, an assignee or a note")
	case q.Status != nil && !slices.Contains([]string{store.StatusNew, store.StatusInProgress, store.StatusClosed}, *q.Status):
		return refuse(http.StatusBadRequest, "status must be new, in_progress or closed")
	case closes && (q.Disposition == nil || !slices.Contains(dispositions, *q.Disposition)):
		return refuse(http.StatusBadRequest, "closed needs a disposition: true_positive, false_positive, authorised or testing")
	case !closes && q.Disposition != nil:
		return refuse(http.StatusBadRequest, "a disposition goes with the status closed")
	case !isProse(q.Note, maxNote):
		return refuse(http.StatusBadRequest, "the note must be text of at most 4000 bytes")
	}
	return nil
}

// checkAssignee takes nobody, the caller, and accounts that exist.
func (s *Server) checkAssignee(r *http.Request, name string) error {
	if name == "" || name == callerOf(r).Name {
		return nil
	}
	if validName(name) {
		_, err := s.store.UserByName(r.Context(), name)
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return refuse(http.StatusBadRequest, "the assignee is no account")
}

func (s *Server) postTriage(r *http.Request) (any, error) {
	var q triageRequest
	if err := readBody(r, &q); err != nil {
		return nil, err
	}
	return s.triageOne(r, q)
}

// triageOne changes the alert of the path and returns it as it is then.
func (s *Server) triageOne(r *http.Request, q triageRequest) (store.Alert, error) {
	a, err := s.alertOf(r)
	if err != nil {
		return a, err
	}
	c, err := s.change(r, q)
	if err != nil {
		return a, err
	}
	n, err := s.store.Triage(r.Context(), callerOf(r).Scope, []string{a.ID}, c)
	if err != nil {
		return a, err
	}
	if n > 0 {
		if err := s.record(r, "alert.triage", a.ID, changeText(c)); err != nil {
			return a, err
		}
	}
	return s.store.Alert(r.Context(), callerOf(r).Scope, a.ID)
}

// changeText tells a change in words, for the audit. The note stands in the
// history of the alert.
func changeText(c store.Change) string {
	text := ""
	add := func(name string, value *string) {
		if value != nil && *value != "" {
			text += name + " " + *value + " "
		}
	}
	add("status", c.Status)
	add("disposition", c.Disposition)
	add("assignee", c.Assignee)
	if c.Assignee != nil && *c.Assignee == "" {
		text += "assignee nobody "
	}
	if c.Note != "" {
		text += "note "
	}
	return text[:max(len(text)-1, 0)]
}

type noteRequest struct {
	Note string `json:"note"`
}

func (s *Server) postNote(r *http.Request) (any, error) {
	var q noteRequest
	if err := readBody(r, &q); err != nil {
		return nil, err
	}
	if q.Note == "" {
		return nil, refuse(http.StatusBadRequest, "the note is empty")
	}
	return s.triageOne(r, triageRequest{Note: q.Note})
}

// countColumns are what alerts can be counted by.
var countColumns = []string{"level", "brand", "rule", "status", "group", "disposition", "hostname", "day"}

type countsResponse struct {
	Counts []store.Count `json:"counts"`
}

func (s *Server) getCounts(r *http.Request) (any, error) {
	q := readQuery(r.URL.RawQuery, append([]string{"column"}, filterKeys...)...)
	column := q.choice("column", countColumns)
	f, err := filterOf(q)
	if err != nil {
		return nil, err
	}
	if column == "" {
		return nil, refuse(http.StatusBadRequest, "column is missing")
	}
	counts, err := s.store.Counts(r.Context(), callerOf(r).Scope, f, column, f.Limit)
	return countsResponse{counts}, err
}

type rulesResponse struct {
	Rules []store.RuleStat `json:"rules"`
}

// rulesPeriod is how far back rules are judged if nobody says.
const rulesPeriod = 90 * 24 * time.Hour

func (s *Server) getRules(r *http.Request) (any, error) {
	q := readQuery(r.URL.RawQuery, "group", "since", "until")
	f := store.Filter{Group: q.text("group"), Since: q.time("since"), Until: q.time("until"), Limit: maxLimit}
	if q.err != nil {
		return nil, q.err
	}
	if f.Since.IsZero() {
		f.Since = s.now().Add(-rulesPeriod)
	}
	stats, err := s.store.RuleStats(r.Context(), callerOf(r).Scope, f)
	return rulesResponse{stats}, err
}
