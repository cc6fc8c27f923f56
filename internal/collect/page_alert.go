package collect

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// alertPage is what alert.html shows.
type alertPage struct {
	frame
	Alert      alertView
	Prevalence store.Prevalence
	Similar    []alertView
	History    []store.Event
	People     []string // who it can be given to
	Closing    []string
	Except     string // address of a new exception like this
	Here       string
}

// similarShown is how many similar alerts stand beside one.
const similarShown = 8

func (s *Server) showAlert(w http.ResponseWriter, r *http.Request) error {
	a, err := s.alertOf(r)
	if err != nil {
		return err
	}
	v := newAlertView(a)
	page := alertPage{frame: s.frame(w, r, "alerts", v.Title), Alert: v, Closing: dispositions, Except: exceptURL(a), Here: "/alerts/" + a.ID}
	scope := page.caller.Scope
	if page.Prevalence, err = s.store.Prevalence(r.Context(), scope, a.Key); err != nil {
		return err
	}
	if page.History, err = s.store.History(r.Context(), scope, a.ID); err != nil {
		return err
	}
	similar, err := s.store.Similar(r.Context(), scope, a, similarShown)
	if err != nil {
		return err
	}
	for _, other := range similar {
		page.Similar = append(page.Similar, newAlertView(other))
	}
	if page.People, err = s.assignees(r.Context(), page.caller, a.Group); err != nil {
		return err
	}
	return s.render(w, http.StatusOK, "alert.html", page)
}

// assignees are the people who may triage alerts of the group.
func (s *Server) assignees(ctx context.Context, c caller, group string) ([]string, error) {
	if !c.may(people.AlertTriage) || c.Kind == open {
		return nil, nil
	}
	users, err := s.store.Users(ctx)
	var names []string
	for _, u := range users {
		if !u.Disabled && people.Role(u.Role).May(people.AlertTriage) && u.Scope().Sees(group) {
			names = append(names, u.Name)
		}
	}
	return names, err
}

// exceptURL begins an exception from what is certain about an alert: the file, or
// else the rule on this machine.
func exceptURL(a store.Alert) string {
	q := url.Values{"from": {a.ID}}
	if a.Group != "" {
		q.Set("group", a.Group)
	}
	if a.SHA256 != "" {
		q.Set("sha256", a.SHA256)
	} else {
		q.Set("rule", a.Rule)
		q.Set("hostname", a.Hostname)
	}
	return "/exceptions/new?" + q.Encode()
}

// doTriage changes one alert.
func (s *Server) doTriage(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(r)
	if err != nil {
		return err
	}
	q, done, err := bulkTriage(form, callerOf(r).Name)
	if err != nil {
		return err
	}
	a, err := s.triageOne(r, q)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err != nil {
		return store.ErrNotFound
	}
	setFlash(w, r, done, 1)
	return lead(w, r, "/alerts/"+a.ID)
}
