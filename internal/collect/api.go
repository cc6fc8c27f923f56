package collect

import (
	_ "embed"
	"errors"
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

//go:embed openapi.yaml
var openAPI []byte

// Sizes of a page of results.
const (
	defaultLimit = 50
	maxLimit     = 200
)

// levels are the values of the filter "level", the gravest first.
var levels = []string{
	string(meetguard.Malicious), string(meetguard.Suspicious), string(meetguard.Incomplete), string(meetguard.Clean),
}

// apiRoutes are what programs and the console call.
func (s *Server) apiRoutes() []route {
	return []route{
		{"GET", "/v1/alerts", person(people.AlertRead), 0, s.getAlerts},
		{"GET", "/v1/alerts/{id}", person(people.AlertRead), 0, s.getAlert},
		{"GET", "/v1/agents", person(people.AgentRead), 0, s.getAgents},
	}
}

type alertsResponse struct {
	Alerts     []store.Alert `json:"alerts"`
	NextCursor string        `json:"next_cursor"` // "" on the last page
}

type agentsResponse struct {
	Agents     []store.AgentStatus `json:"agents"`
	NextCursor string              `json:"next_cursor"` // "" on the last page
}

func (s *Server) getAlerts(w http.ResponseWriter, r *http.Request) {
	f, err := parseFilter(r.URL.RawQuery)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	page, err := s.store.Alerts(r.Context(), callerOf(r).Scope, f)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, alertsResponse{Alerts: page.Alerts, NextCursor: cursor(page.Next)})
}

func (s *Server) getAlert(w http.ResponseWriter, r *http.Request) {
	a, err := s.store.Alert(r.Context(), callerOf(r).Scope, r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, a)
}

func (s *Server) getAgents(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r.URL.RawQuery, "limit", "cursor")
	if err != nil {
		s.fail(w, r, err)
		return
	}
	limit, err := parseLimit(q.Get("limit"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	agents, err := s.store.Agents(r.Context(), callerOf(r).Scope, store.AgentFilter{After: q.Get("cursor"), Limit: limit + 1, Now: s.now()})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	res := agentsResponse{Agents: agents}
	if len(agents) > limit {
		res.Agents, res.NextCursor = agents[:limit], agents[limit-1].UID
	}
	writeJSON(w, res)
}

// parseFilter reads the filter of a list of alerts from a query.
func parseFilter(rawQuery string) (store.Filter, error) {
	q, err := parseQuery(rawQuery, "limit", "cursor", "level", "brand", "rule", "host", "since")
	if err != nil {
		return store.Filter{}, err
	}
	f := store.Filter{Levels: words(q.Get("level")), Brand: q.Get("brand"), Rule: q.Get("rule"), Hostname: q.Get("host")}
	for _, level := range f.Levels {
		if !slices.Contains(levels, level) {
			return store.Filter{}, refuse(http.StatusBadRequest, "level must be one of "+strings.Join(levels, ", "))
		}
	}
	var limitErr, cursorErr, sinceErr error
	f.Limit, limitErr = parseLimit(q.Get("limit"))
	f.Before, cursorErr = parseCursor(q.Get("cursor"))
	f.Since, sinceErr = parseSince(q.Get("since"))
	return f, errors.Join(limitErr, cursorErr, sinceErr)
}

// parseQuery reads a query of known keys. A key that is not known is an error:
// an ignored filter would show what was not asked for.
func parseQuery(raw string, known ...string) (url.Values, error) {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the query cannot be read")
	}
	for key, values := range q {
		if !slices.Contains(known, key) || len(values) > 1 {
			return nil, refuse(http.StatusBadRequest, "each query key must be given once and be one of "+strings.Join(known, ", "))
		}
	}
	return q, nil
}

func parseLimit(s string) (int, error) {
	if s == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxLimit {
		return 0, refuse(http.StatusBadRequest, "limit must be 1 to "+strconv.Itoa(maxLimit))
	}
	return n, nil
}

func parseSince(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, refuse(http.StatusBadRequest, "since must be a time as in 2026-11-22T15:04:05Z")
	}
	return t, nil
}

// cursor writes Page.Next for a client, to whom it means nothing.
func cursor(next int64) string {
	if next == 0 {
		return ""
	}
	return strconv.FormatInt(next, 36)
}

func parseCursor(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 36, 64)
	if err != nil || n < 1 {
		return 0, refuse(http.StatusBadRequest, "cursor must be the next_cursor of a page")
	}
	return n, nil
}

// words splits a list of a query: members stand between commas.
func words(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}
