package collect

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// errNoOIDC says that people log in here only.
var errNoOIDC = refuse(http.StatusNotFound, "log-in by a provider is not set up")

func (s *Server) getOIDCStart(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r.URL.RawQuery, "next")
	next := q.text("next")
	err := q.err
	switch {
	case err != nil:
	case r.TLS == nil:
		err = errPlainLogin
	case s.oidc == nil:
		err = errNoOIDC
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	location, cookie, err := s.oidc.Begin(r.Context(), next, s.now())
	if err != nil {
		s.failProvider(w, r, err)
		return
	}
	cookies.Set(w, people.FlowCookie, cookie, people.FlowLimit)
	http.Redirect(w, r, location, http.StatusSeeOther) // #nosec G710 -- the provider that the settings name; next stands in the sealed cookie
}

// failProvider answers an error of the provider, which is told in the log only.
func (s *Server) failProvider(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, people.ErrFlow):
		writeProblem(w, http.StatusUnauthorized, people.ErrFlow.Error())
	case errors.Is(err, people.ErrNoRole):
		writeProblem(w, http.StatusForbidden, people.ErrNoRole.Error())
	case r.Context().Err() != nil:
	default:
		s.log.Warn("Log-in by the provider went wrong", "error", visible(err.Error()))
		writeProblem(w, http.StatusBadGateway, "the log-in by the provider went wrong: the collector's log tells why")
	}
}

// onward is a page that goes on by itself: a browser that followed a redirect
// from another site would not send the cookie that was just set.
var onward = template.Must(template.New("").Parse(
	`<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={{.}}"><title>Logged in</title></head><body><p><a href="{{.}}">Go on</a></p></body></html>` + "\n"))

// getOIDCCallback ends a log-in by the provider. What stands in the query is the
// provider's, so keys that are not known are let be.
func (s *Server) getOIDCCallback(w http.ResponseWriter, r *http.Request) {
	if s.oidc == nil || r.TLS == nil {
		s.fail(w, r, errNoOIDC)
		return
	}
	if len(r.URL.RawQuery) > maxPath {
		s.fail(w, r, refuse(http.StatusBadRequest, "the query is too long"))
		return
	}
	who, err := s.oidc.Finish(r.Context(), r.URL.Query(), cookies.Get(r, people.FlowCookie), s.now())
	cookies.Clear(w, people.FlowCookie)
	if err == nil {
		err = s.useFlow(r)
	}
	if err != nil {
		if err := s.recordAs(r, "?", "login.failed", column(who.Subject, maxLabel), "provider"); err != nil {
			s.fail(w, r, err)
			return
		}
		s.failProvider(w, r, err)
		return
	}
	u, err := s.accountOf(r.Context(), who)
	if err == nil {
		_, err = s.welcome(w, r, u, people.Attempt{Account: u.Name, Address: addressOf(r)})
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := onward.Execute(w, who.Next); err != nil {
		s.log.Debug("Log-in page not written", "error", err)
	}
}

// useFlow refuses a log-in that was ended before, by whichever collector. Its
// state is known to belong to the cookie.
func (s *Server) useFlow(r *http.Request) error {
	first, err := s.once(r.Context(), "flow "+r.URL.Query().Get("state"), s.now())
	if err == nil && !first {
		err = people.ErrFlow
	}
	return err
}

// accountOf returns the account of the person, and makes it at the first log-in.
// The provider's groups decide about role and groups at each.
func (s *Server) accountOf(ctx context.Context, who people.Identity) (store.User, error) {
	u, err := s.store.UserBySubject(ctx, who.Subject)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return s.newAccount(ctx, who)
	case err != nil:
		return u, err
	case u.Disabled:
		return u, refuse(http.StatusForbidden, "this account is disabled")
	}
	if u.Role == string(who.Role) && slices.Equal(u.Groups, who.Groups) {
		return u, nil
	}
	u.Role, u.Groups = string(who.Role), who.Groups
	if err := s.store.UpdateUser(ctx, u); err != nil {
		return u, err
	}
	return s.store.User(ctx, u.ID)
}

// nameTries is how many names are tried for somebody whose name is taken.
const nameTries = 20

// newAccount makes an account with a name like the one that the provider tells.
func (s *Server) newAccount(ctx context.Context, who people.Identity) (store.User, error) {
	base := accountName(who.Name)
	for i := range nameTries {
		u := store.User{ID: store.NewID(), Name: base, Role: string(who.Role), Groups: who.Groups, Subject: who.Subject, CreatedAt: s.now().UTC()}
		if i > 0 {
			u.Name = fmt.Sprintf("%s-%d", base, i+1)
		}
		switch err := s.store.CreateUser(ctx, u); {
		case errors.Is(err, store.ErrTaken):
		case err != nil:
			return u, err
		default:
			return s.store.User(ctx, u.ID)
		}
	}
	return store.User{}, store.ErrTaken
}

// accountName brings a name into the form that accounts have.
func accountName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 0x80 && validName("a"+string(r)) {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	name = strings.TrimLeft(cut(name, maxName-4), "._@+-")
	if name == "" {
		return "person"
	}
	return name
}
