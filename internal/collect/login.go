package collect

import (
	"context"
	"errors"
	"net/http"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// The states of a log-in.
const (
	loginDone = "in"
	loginTOTP = "totp"
)

// loginRequest may hold the one-time code at once: then whoever shows the right
// one does not wait for what others did to the account.
type loginRequest struct {
	Name     string `json:"name"`
	Password string `json:"password"`
	Code     string `json:"code"`
}

// loginResponse tells what comes next: nothing, or a code.
type loginResponse struct {
	State  string    `json:"state"` // "in", or "totp": send the ticket and a code
	Ticket string    `json:"ticket,omitempty"`
	User   *userView `json:"user,omitempty"`
}

// errLogin is the one answer to every log-in that fails: it does not tell which
// accounts there are.
var errLogin = refuse(http.StatusUnauthorized, "the name, the password or the code is wrong")

// errPlainLogin keeps passwords and cookies from travelling in the clear.
var errPlainLogin = refuse(http.StatusForbidden, "log in by https")

// errTicket is the answer to a step that does not follow another.
var errTicket = refuse(http.StatusUnauthorized, "this step took too long, or the account was changed: begin again")

// What tickets are for: one cannot be shown as another.
const (
	ticketLogin  = "second step of a log-in"
	ticketTOTP   = "set-up of one-time codes"
	ticketDevice = "device that is known"
	ticketLife   = 5 * time.Minute
)

// step is what the client carries from one step to the next.
type step struct {
	UserID string `json:"user"`
	Print  string `json:"print"` // of the password then: a change ends all tickets
	Secret []byte `json:"secret,omitempty"`
}

// knownDevice is what a device cookie holds.
type knownDevice struct {
	UserID string `json:"user"`
	ID     string `json:"id"`
}

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
	u, err := s.accountByName(r.Context(), q.Name)
	if err != nil {
		return loginResponse{}, err
	}
	codeStep, codeRight := s.matchCode(u, q.Code)
	try := people.Attempt{Account: q.Name, Address: addressOf(r), Device: s.device(r, u), Code: codeRight}
	if err := s.begin(r.Context(), try); err != nil {
		return loginResponse{}, err
	}
	right, err := s.checkPassword(r.Context(), &u, q.Password)
	if err != nil {
		return loginResponse{}, err
	}
	if !right {
		return loginResponse{}, s.failedLogin(r, q.Name, "password")
	}
	if len(u.TOTP) > 0 && q.Code == "" {
		sealed, err := s.stepTicket(ticketLogin, u, nil)
		return loginResponse{State: loginTOTP, Ticket: sealed}, err
	}
	if len(u.TOTP) > 0 {
		if codeRight {
			codeRight, err = s.store.UseTOTP(r.Context(), u.ID, codeStep)
		}
		if err != nil {
			return loginResponse{}, err
		}
		if !codeRight {
			return loginResponse{}, s.failedLogin(r, q.Name, "code")
		}
	}
	return s.welcome(w, r, u, try)
}

// begin counts a try, and refuses one that comes too soon after others.
func (s *Server) begin(ctx context.Context, try people.Attempt) error {
	wait, err := s.throttle.Begin(ctx, try, s.now())
	if err == nil && wait > 0 {
		err = &tooMany{after: wait}
	}
	return err
}

// accountByName returns the account, or an empty one if there is none that could
// log in.
func (s *Server) accountByName(ctx context.Context, name string) (store.User, error) {
	if !validName(name) {
		return store.User{}, nil
	}
	u, err := s.store.UserByName(ctx, name)
	if errors.Is(err, store.ErrNotFound) || err == nil && u.Disabled {
		return store.User{}, nil
	}
	return u, err
}

// checkPassword takes as long for accounts that do not exist. A hash that costs
// less than today's is made anew.
func (s *Server) checkPassword(ctx context.Context, u *store.User, password string) (bool, error) {
	if len(password) > maxPassword {
		return false, nil
	}
	if u.PasswordHash == "" {
		return false, s.busy(s.hasher.VerifyNobody(ctx, password))
	}
	right, stale, err := s.hasher.Verify(ctx, u.PasswordHash, password)
	if err != nil || !right || !stale {
		return right, s.busy(err)
	}
	if u.PasswordHash, err = s.hasher.Hash(ctx, password); err != nil {
		return true, s.busy(err)
	}
	if err = s.store.UpdateUser(ctx, *u); err == nil {
		*u, err = s.store.User(ctx, u.ID)
	}
	return true, err
}

// maxPassword is the most bytes of a password that is looked at.
const maxPassword = 256

// busy tells that many log in at once as what it is.
func (s *Server) busy(err error) error {
	if errors.Is(err, people.ErrBusy) {
		return &tooMany{after: time.Second}
	}
	return err
}

// matchCode tells whether the code is one of the account's app, without using it.
func (s *Server) matchCode(u store.User, code string) (codeStep int64, right bool) {
	if len(u.TOTP) == 0 || code == "" {
		return 0, false
	}
	secret, err := s.sealer.Open(totpUse(u), u.TOTP)
	if err != nil {
		s.log.Error("One-time codes cannot be read", "account", u.Name, "error", err)
		return 0, false
	}
	return people.MatchTOTP(secret, code, s.now())
}

// totpUse binds the sealed secret to its account.
func totpUse(u store.User) string { return "totp of " + u.ID }

// failedLogin writes the failure down and answers.
func (s *Server) failedLogin(r *http.Request, name, what string) error {
	if !validName(name) {
		name = "?" // perhaps a password in the wrong field
	}
	if err := s.recordAs(r, name, "login.failed", name, what); err != nil {
		return err
	}
	return errLogin
}

// device names the device that the account has logged in from before, or "".
func (s *Server) device(r *http.Request, u store.User) string {
	var d knownDevice
	text := cookies.Get(r, people.DeviceCookie)
	if text == "" || u.ID == "" || s.sealer.OpenTicket(ticketDevice, text, s.now(), &d) != nil || d.UserID != u.ID {
		return ""
	}
	return d.ID
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

// loginTOTP checks the code that follows a right password. These tries are
// counted apart: only who knows the password can make them.
func (s *Server) loginTOTP(w http.ResponseWriter, r *http.Request, q totpLoginRequest) (loginResponse, error) {
	if r.TLS == nil {
		return loginResponse{}, errPlainLogin
	}
	u, _, err := s.stepUser(r.Context(), ticketLogin, q.Ticket)
	if err != nil {
		return loginResponse{}, err
	}
	try := people.Attempt{Account: "code of " + u.Name, Address: addressOf(r)}
	if err := s.begin(r.Context(), try); err != nil {
		return loginResponse{}, err
	}
	right, err := s.useCode(r.Context(), u, q.Code)
	if err != nil {
		return loginResponse{}, err
	}
	if !right {
		return loginResponse{}, s.failedLogin(r, u.Name, "code")
	}
	first := people.Attempt{Account: u.Name, Address: addressOf(r), Device: s.device(r, u)}
	if err := s.throttle.Passed(r.Context(), first, s.now()); err != nil {
		return loginResponse{}, err
	}
	return s.welcome(w, r, u, try)
}

// useCode takes a code of the app or a recovery code, each once.
func (s *Server) useCode(ctx context.Context, u store.User, code string) (bool, error) {
	if codeStep, right := s.matchCode(u, code); right {
		return s.store.UseTOTP(ctx, u.ID, codeStep)
	}
	if len(code) > maxLabel {
		return false, nil
	}
	return s.store.UseRecovery(ctx, u.ID, people.HashRecoveryCode(code))
}

// stepTicket is what the client shows at the next step.
func (s *Server) stepTicket(use string, u store.User, secret []byte) (string, error) {
	return s.sealer.SealTicket(use, step{u.ID, people.HashSecret(u.PasswordHash), secret}, s.now().Add(ticketLife))
}

// stepUser returns the account that a ticket is about, as it is now.
func (s *Server) stepUser(ctx context.Context, use, sealed string) (store.User, step, error) {
	var t step
	if s.sealer.OpenTicket(use, sealed, s.now(), &t) != nil {
		return store.User{}, t, errTicket
	}
	u, err := s.store.User(ctx, t.UserID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return u, t, errTicket
	case err == nil && (u.Disabled || people.HashSecret(u.PasswordHash) != t.Print):
		return u, t, errTicket
	}
	return u, t, err
}

// welcome makes the session of somebody who has shown everything.
func (s *Server) welcome(w http.ResponseWriter, r *http.Request, u store.User, try people.Attempt) (loginResponse, error) {
	if err := s.closeOpen(r.Context()); err != nil {
		return loginResponse{}, err
	}
	if err := s.newSession(w, r, u); err != nil {
		return loginResponse{}, err
	}
	if err := s.store.LoggedIn(r.Context(), u.ID, s.now()); err != nil {
		return loginResponse{}, err
	}
	if err := s.throttle.Passed(r.Context(), try, s.now()); err != nil {
		return loginResponse{}, err
	}
	if err := s.rememberDevice(w, r, u); err != nil {
		return loginResponse{}, err
	}
	view := viewUser(u)
	return loginResponse{State: loginDone, User: &view}, s.recordAs(r, u.Name, "login", u.Name, "")
}

// rememberDevice lets the owner go on from here while strangers try the account.
func (s *Server) rememberDevice(w http.ResponseWriter, r *http.Request, u store.User) error {
	id := s.device(r, u)
	if id == "" {
		id = store.NewID()
	}
	text, err := s.sealer.SealTicket(ticketDevice, knownDevice{u.ID, id}, s.now().Add(people.DeviceLimit))
	if err == nil {
		cookies.Set(w, people.DeviceCookie, text, people.DeviceLimit)
	}
	return err
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
	if err := noQuery(r); err != nil {
		return err
	}
	c := callerOf(r)
	if c.Kind != human {
		return errNoAccount
	}
	if err := s.store.EndSession(r.Context(), c.Session.Hash); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	cookies.Clear(w, people.SessionCookie)
	return s.record(r, "logout", c.Name, c.Session.Kind)
}
