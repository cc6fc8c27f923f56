package collect

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"meetguard/internal/store"
)

// maxClient is the most bytes of a User-Agent that is kept.
const maxClient = 200

// The states of a log-in.
const (
	loginDone = "in"
	loginTOTP = "totp"
)

type loginRequest struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

// loginResponse tells what comes next: nothing, or a code.
type loginResponse struct {
	State  string    `json:"state"` // "in", or "totp": send the ticket and a code
	Ticket string    `json:"ticket,omitempty"`
	User   *userView `json:"user,omitempty"`
}

// errLogin is the one answer to every log-in that fails: it does not tell which
// accounts there are.
var errLogin = refuse(http.StatusUnauthorized, "the name or the password is wrong")

// errPlainLogin keeps passwords and cookies from travelling in the clear.
var errPlainLogin = refuse(http.StatusForbidden, "log in by https: see the line that the collector printed at its start")

func (s *Server) postLogin(w http.ResponseWriter, r *http.Request) {
	var q loginRequest
	err := readBody(r, &q)
	var res loginResponse
	if err == nil {
		res, err = s.login(w, r, q)
	}
	s.finish(w, r, res, err)
}

// finish answers a step of a log-in.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, v any, err error) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, v)
}

// login checks name and password. A log-in that is complete sets the cookie.
func (s *Server) login(w http.ResponseWriter, r *http.Request, q loginRequest) (loginResponse, error) {
	if r.TLS == nil {
		return loginResponse{}, errPlainLogin
	}
	if err := s.throttle.allow(q.Name, addressOf(r), s.now()); err != nil {
		return loginResponse{}, err
	}
	u, err := s.checkLogin(r, q)
	if errors.Is(err, errLogin) {
		return loginResponse{}, s.failedLogin(r, q.Name, "password")
	}
	if err != nil {
		return loginResponse{}, err
	}
	if len(u.TOTP) > 0 {
		sealed, err := s.seal("totp log-in", ticket{UserID: u.ID, Print: hashSecret(u.PasswordHash), Expires: s.now().Add(ticketLife)})
		return loginResponse{State: loginTOTP, Ticket: sealed}, err
	}
	return s.welcome(w, r, u)
}

// checkLogin returns the account if the password is right. It takes as long for
// accounts that do not exist.
func (s *Server) checkLogin(r *http.Request, q loginRequest) (store.User, error) {
	u := store.User{}
	err := error(store.ErrNotFound)
	if validName(q.Name) && len(q.Password) <= maxPassword {
		u, err = s.store.UserByName(r.Context(), q.Name)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return u, err
	}
	right, err := s.passwords.check(r.Context(), u.PasswordHash, q.Password)
	if err == nil && (!right || u.Disabled) {
		err = errLogin
	}
	return u, err
}

// failedLogin counts the failure, writes it down and answers.
func (s *Server) failedLogin(r *http.Request, name, step string) error {
	s.throttle.failed(name, addressOf(r), s.now())
	if !validName(name) {
		name = "?" // perhaps a password in the wrong field
	}
	if err := s.recordAs(r, name, "login.failed", name, step); err != nil {
		return err
	}
	return errLogin
}

type totpLoginRequest struct {
	Ticket string `json:"ticket"`
	Code   string `json:"code"` // of the app, or a recovery code
}

func (s *Server) postLoginTOTP(w http.ResponseWriter, r *http.Request) {
	var q totpLoginRequest
	err := readBody(r, &q)
	var res loginResponse
	if err == nil {
		res, err = s.loginTOTP(w, r, q)
	}
	s.finish(w, r, res, err)
}

// loginTOTP checks the code that follows a right password.
func (s *Server) loginTOTP(w http.ResponseWriter, r *http.Request, q totpLoginRequest) (loginResponse, error) {
	if r.TLS == nil {
		return loginResponse{}, errPlainLogin
	}
	u, _, err := s.ticketUser(r, "totp log-in", q.Ticket)
	if err != nil {
		return loginResponse{}, err
	}
	if err := s.throttle.allow(u.Name, addressOf(r), s.now()); err != nil {
		return loginResponse{}, err
	}
	right, err := s.checkCode(r.Context(), u, q.Code)
	if err != nil {
		return loginResponse{}, err
	}
	if !right {
		return loginResponse{}, s.failedLogin(r, u.Name, "code")
	}
	if u, err = s.store.User(r.Context(), u.ID); err != nil { // a recovery code was taken from it
		return loginResponse{}, err
	}
	return s.welcome(w, r, u)
}

// ticketUser returns the account that a ticket is about, as it is now.
func (s *Server) ticketUser(r *http.Request, purpose, sealed string) (store.User, ticket, error) {
	var t ticket
	if s.unseal(purpose, sealed, &t) != nil || !s.now().Before(t.Expires) {
		return store.User{}, t, errTicket
	}
	u, err := s.store.User(r.Context(), t.UserID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return u, t, errTicket
	case err == nil && (u.Disabled || hashSecret(u.PasswordHash) != t.Print):
		return u, t, errTicket
	}
	return u, t, err
}

var errTicket = refuse(http.StatusUnauthorized, "this step took too long: begin again")

// welcome makes the session of somebody who has shown everything.
func (s *Server) welcome(w http.ResponseWriter, r *http.Request, u store.User) (loginResponse, error) {
	if err := s.closeOpen(r.Context()); err != nil {
		return loginResponse{}, err
	}
	if err := s.newSession(w, r, u); err != nil {
		return loginResponse{}, err
	}
	u.LastLogin = s.now().UTC()
	if err := s.store.UpdateUser(r.Context(), u); err != nil {
		return loginResponse{}, err
	}
	s.throttle.succeeded(u.Name, addressOf(r))
	view := viewUser(u)
	return loginResponse{State: loginDone, User: &view}, s.recordAs(r, u.Name, "login", u.Name, "")
}

// newSession stores a session and sets its cookie.
func (s *Server) newSession(w http.ResponseWriter, r *http.Request, u store.User) error {
	now := s.now().UTC()
	secret := randomLetters(secretSize)
	err := s.store.CreateSession(r.Context(), store.Session{
		Hash: hashSecret(secret), UserID: u.ID, Kind: kindLogin, CreatedAt: now, ExpiresAt: now.Add(sessionLife), SeenAt: now,
		Address: addressOf(r), Client: column(r.UserAgent(), maxClient),
	})
	if err == nil {
		http.SetCookie(w, cookie(secret, int(sessionLife/time.Second)))
	}
	return err
}

// cookie is the cookie of a log-in; a negative age ends it.
func cookie(secret string, age int) *http.Cookie {
	return &http.Cookie{Name: cookieName, Value: secret, Path: "/", MaxAge: age, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

func (s *Server) postLogout(w http.ResponseWriter, r *http.Request) {
	if err := s.logout(w, r); err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// logout ends the session that the request shows.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	c := callerOf(r)
	if c.Kind != human {
		return errNoAccount
	}
	if err := s.store.EndSession(r.Context(), c.Session.Hash); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	http.SetCookie(w, cookie("", -1))
	return s.record(r, "logout", c.Name, c.Session.Kind)
}

// safeNext returns where to go after a log-in: a path of ours, or the front page.
func safeNext(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}
