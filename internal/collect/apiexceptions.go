package collect

import (
	"net/http"
	"time"

	"meetguard/internal/store"
)

// Bounds of an exception.
const (
	maxExceptionLife = 366 * 24 * time.Hour
	previewPeriod    = 30 * 24 * time.Hour // how far back a preview looks
	maxPreview       = 20                  // alerts that a preview shows
	maxWhy           = 1000                // bytes
)

type exceptionsResponse struct {
	Exceptions []store.Exception `json:"exceptions"`
}

func (s *Server) getExceptions(r *http.Request) (any, error) {
	if err := noQuery(r); err != nil {
		return nil, err
	}
	all, err := s.store.Exceptions(r.Context(), callerOf(r).Scope)
	return exceptionsResponse{all}, err
}

func (s *Server) getException(r *http.Request) (any, error) {
	if err := noQuery(r); err != nil {
		return nil, err
	}
	return s.store.Exception(r.Context(), callerOf(r).Scope, pathID(r, "id"))
}

// exceptionRequest asks for an exception: at least one condition, for a group
// or, if it is empty, for all.
type exceptionRequest struct {
	Group     string    `json:"group"`
	SHA256    string    `json:"sha256"`
	Rule      string    `json:"rule"`
	Brand     string    `json:"brand"`
	Signer    string    `json:"signer"`
	Host      string    `json:"source_host"`
	Path      string    `json:"path"` // beginning of the path
	Hostname  string    `json:"hostname"`
	Why       string    `json:"why"`
	ExpiresAt time.Time `json:"expires_at"`
}

// exception checks the conditions, which a preview has too.
func (s *Server) exception(r *http.Request, q exceptionRequest) (store.Exception, error) {
	e := store.Exception{
		ID: store.NewID(), Group: q.Group, SHA256: q.SHA256, Rule: q.Rule, Brand: q.Brand, Signer: q.Signer, Host: q.Host,
		Path: q.Path, Hostname: q.Hostname, Why: q.Why, Who: callerOf(r).Name, CreatedAt: s.now().UTC(), ExpiresAt: q.ExpiresAt.UTC(),
	}
	for _, text := range []string{q.SHA256, q.Rule, q.Brand, q.Signer, q.Host, q.Hostname} {
		if !isPlain(text, maxLabel) {
			return e, refuse(http.StatusBadRequest, "a condition must be plain text of at most 256 bytes")
		}
	}
	switch {
	case !isPlain(q.Path, maxPath):
		return e, refuse(http.StatusBadRequest, "the path must be plain text of at most 4096 bytes")
	case e.Conditions() == 0:
		return e, refuse(http.StatusBadRequest, "give at least one condition")
	case q.Group == "" && !callerOf(r).Scope.All:
		return e, refuse(http.StatusForbidden, "your account is limited to groups: name one")
	case q.Group != "":
		return e, checkGroup(r, q.Group)
	}
	return e, nil
}

func (s *Server) postException(r *http.Request) (any, error) {
	var q exceptionRequest
	if err := readBody(r, &q); err != nil {
		return nil, err
	}
	return s.createException(r, q)
}

func (s *Server) createException(r *http.Request, q exceptionRequest) (store.Exception, error) {
	e, err := s.exception(r, q)
	if err != nil {
		return e, err
	}
	if err := checkReason(q, s.now()); err != nil {
		return e, err
	}
	if err := s.store.CreateException(r.Context(), e); err != nil {
		return e, err
	}
	return e, s.record(r, "exception.create", e.ID, e.Why)
}

func checkReason(q exceptionRequest, now time.Time) error {
	switch {
	case q.Why == "" || !isProse(q.Why, maxWhy):
		return refuse(http.StatusBadRequest, "why must tell in at most 1000 bytes why this is no danger")
	case !q.ExpiresAt.After(now) || q.ExpiresAt.After(now.Add(maxExceptionLife)):
		return refuse(http.StatusBadRequest, "expires_at must be a time in the next 366 days")
	}
	return nil
}

// previewResponse is what an exception would have hidden in the last 30 days.
type previewResponse struct {
	Since  time.Time     `json:"since"`
	Hidden int           `json:"hidden"`
	Alerts []store.Alert `json:"alerts"` // the newest of them
}

func (s *Server) postExceptionPreview(r *http.Request) (any, error) {
	var q exceptionRequest
	if err := readBody(r, &q); err != nil {
		return nil, err
	}
	return s.previewException(r, q)
}

func (s *Server) previewException(r *http.Request, q exceptionRequest) (previewResponse, error) {
	e, err := s.exception(r, q)
	if err != nil {
		return previewResponse{}, err
	}
	since := s.now().Add(-previewPeriod).UTC()
	n, alerts, err := s.store.Hidden(r.Context(), callerOf(r).Scope, e, since, maxPreview)
	if alerts == nil {
		alerts = []store.Alert{}
	}
	return previewResponse{Since: since, Hidden: n, Alerts: alerts}, err
}

func (s *Server) postExceptionEnd(r *http.Request) (any, error) {
	if err := noQuery(r); err != nil {
		return nil, err
	}
	c, id := callerOf(r), pathID(r, "id")
	e, err := s.store.Exception(r.Context(), c.Scope, id)
	switch {
	case err != nil:
		return nil, err
	case e.Group == "" && !c.Scope.All:
		return nil, refuse(http.StatusForbidden, "your account is limited to groups, and this is for all")
	case !e.EndedAt.IsZero():
		return e, nil
	}
	if err := s.store.EndException(r.Context(), c.Scope, id, c.Name, s.now()); err != nil {
		return nil, err
	}
	if err := s.record(r, "exception.end", id, e.Why); err != nil {
		return nil, err
	}
	return s.store.Exception(r.Context(), c.Scope, id)
}
