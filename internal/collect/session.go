package collect

import (
	"context"
	"net/http"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// The kinds of sessions.
const (
	kindLogin = "login"
	kindToken = "token"
)

// cookies are the names of those of people: they come by TLS only.
var cookies = people.Cookies{}

// shownSecret is what a request shows of a person.
type shownSecret struct {
	text string
	kind string // kindLogin or kindToken
}

// sessionSecret returns what the request shows: a header before a cookie. A
// header with anything else counts as shown, and does not hold.
func sessionSecret(r *http.Request) (secret shownSecret, shown bool) {
	if r.Header.Get("Authorization") != "" {
		return shownSecret{people.BearerToken(r), kindToken}, true
	}
	if text := cookies.Get(r, people.SessionCookie); text != "" {
		return shownSecret{text, kindLogin}, true
	}
	return shownSecret{}, false
}

// session returns the session of the secret and its account, or ErrNotFound if
// it does not hold any more.
func (s *Server) session(ctx context.Context, secret shownSecret) (store.Session, store.User, error) {
	if secret.text == "" {
		return store.Session{}, store.User{}, store.ErrNotFound
	}
	now := s.now()
	session, user, err := s.store.Session(ctx, people.HashSecret(secret.text), now)
	switch {
	case err != nil:
		return session, user, err
	case user.Disabled, secret.kind != session.Kind, isOver(session, s):
		return session, user, store.ErrNotFound
	}
	if people.TouchDue(session.SeenAt, now) {
		err = s.store.TouchSession(ctx, session.Hash, now)
	}
	return session, user, err
}

// isOver tells whether a log-in has come to its end; an API token has a time of
// its own.
func isOver(one store.Session, s *Server) bool {
	return one.Kind == kindLogin && people.SessionOver(one.CreatedAt, one.SeenAt, s.now())
}

// newSession stores a session and sets its cookie.
func (s *Server) newSession(w http.ResponseWriter, r *http.Request, u store.User) error {
	now := s.now().UTC()
	secret, hash := people.NewSecret()
	err := s.store.CreateSession(r.Context(), store.Session{
		Hash: hash, UserID: u.ID, Kind: kindLogin, CreatedAt: now, ExpiresAt: now.Add(people.SessionLimit), SeenAt: now,
		Address: addressOf(r), Client: column(r.UserAgent(), maxClient),
	})
	if err == nil {
		cookies.Set(w, people.SessionCookie, secret, people.SessionLimit)
	}
	return err
}

// maxClient is the most bytes of a User-Agent that is kept.
const maxClient = 200
