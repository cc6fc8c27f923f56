package collect

import (
	"net/http"
	"time"

	"meetguard/internal/store"
)

type auditResponse struct {
	Entries    []store.AuditEntry `json:"entries"`
	NextCursor string             `json:"next_cursor"` // "" on the last page
}

func (s *Server) getAudit(r *http.Request) (any, error) {
	q := readQuery(r.URL.RawQuery, "limit", "cursor", "who", "action")
	f := store.AuditFilter{Who: q.text("who"), Action: q.text("action"), Before: q.keyCursor(), Limit: q.limit()}
	if q.err != nil {
		return nil, q.err
	}
	return s.auditPage(r, f)
}

// auditPage asks for one more than the page holds, to know whether one follows.
func (s *Server) auditPage(r *http.Request, f store.AuditFilter) (auditResponse, error) {
	limit := f.Limit
	f.Limit++
	entries, err := s.store.AuditLog(r.Context(), f)
	res := auditResponse{Entries: entries}
	if len(entries) > limit {
		res.Entries, res.NextCursor = entries[:limit], entries[limit-1].ID
	}
	return res, err
}

// settingsResponse is how the collector is set up. It is changed by its
// command line, not here.
type settingsResponse struct {
	Version   string    `json:"version"`
	Engine    string    `json:"engine"`
	PublicURL string    `json:"public_url"`
	Pin       string    `json:"pin"`
	Interval  int       `json:"interval_s"`
	OIDC      bool      `json:"oidc"`
	Open      bool      `json:"open"`     // whoever is on its machine may do everything
	Enrolled  int       `json:"enrolled"` // agents that came by a token
	Time      time.Time `json:"time"`     // of its clock
}

func (s *Server) getSettings(r *http.Request) (any, error) {
	if err := noQuery(r); err != nil {
		return nil, err
	}
	return s.settings(r)
}

func (s *Server) settings(r *http.Request) (settingsResponse, error) {
	res := settingsResponse{
		Version: s.cfg.Version, Engine: s.store.Engine(), PublicURL: s.cfg.PublicURL, Pin: s.pin(),
		Interval: int(s.cfg.Interval.Seconds()), OIDC: s.oidc != nil, Time: s.now().UTC(),
	}
	var err error
	if res.Enrolled, err = s.store.Enrolled(r.Context()); err != nil {
		return res, err
	}
	if s.cfg.Loopback {
		res.Open, err = s.unused(r.Context())
	}
	return res, err
}

// pin is what devices know the certificate authority by.
func (s *Server) pin() string {
	if s.authority == nil {
		return ""
	}
	return s.authority.Pin()
}

// exitView is how far an exit to a SIEM has come.
type exitView struct {
	store.Cursor
	Lag int64 `json:"lag"` // numbers between it and the newest alert
}

type exitsResponse struct {
	Exits []exitView `json:"exits"`
}

func (s *Server) getExits(r *http.Request) (any, error) {
	if err := noQuery(r); err != nil {
		return nil, err
	}
	return s.exitStates(r)
}

func (s *Server) exitStates(r *http.Request) (exitsResponse, error) {
	res := exitsResponse{[]exitView{}}
	last, err := s.store.LastSeq(r.Context())
	if err != nil {
		return res, err
	}
	cursors, err := s.store.Cursors(r.Context())
	for _, c := range cursors {
		res.Exits = append(res.Exits, exitView{c, max(last-c.Seq, 0)})
	}
	return res, err
}
