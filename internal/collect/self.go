package collect

import (
	"context"
	"net/http"
	"strings"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// maxAPITokens is the most API tokens of one account.
const maxAPITokens = 20

// errNoAccount is the answer to an open collector's user.
var errNoAccount = refuse(http.StatusForbidden, "this needs an account: log in by https")

// errByPerson is the answer to an API token that would change its owner's secrets.
var errByPerson = refuse(http.StatusForbidden, "an API token may not do this: log in")

// account returns the account of somebody who has logged in by hand.
func account(r *http.Request) (store.User, error) {
	c := callerOf(r)
	switch {
	case c.Kind != human:
		return c.User, errNoAccount
	case c.Session.Kind != kindLogin:
		return c.User, errByPerson
	}
	return c.User, nil
}

// meResponse is who the caller is.
type meResponse struct {
	User    userView `json:"user"`
	Session string   `json:"session"` // "login", "token", or "open": a collector that is not in use yet
	Actions []string `json:"actions"` // what the role may do
}

func (s *Server) getMe(r *http.Request) (any, error) {
	if err := noQuery(r); err != nil {
		return nil, err
	}
	c := callerOf(r)
	res := meResponse{User: viewUser(c.User), Session: c.Session.Kind, Actions: actionsOf(c)}
	if c.Kind == open {
		res.Session = "open"
	}
	return res, nil
}

type passwordRequest struct {
	Old string `json:"old"`
	New string `json:"new"`
}

func (s *Server) postPassword(w http.ResponseWriter, r *http.Request) {
	var q passwordRequest
	err := readBody(r, &q)
	if err == nil {
		err = s.changePassword(w, r, q)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// changePassword sets a new password and ends every session but a new one for
// whoever changed it.
func (s *Server) changePassword(w http.ResponseWriter, r *http.Request, q passwordRequest) error {
	u, err := account(r)
	if err != nil {
		return err
	}
	if err := s.confirm(r, &u, q.Old); err != nil {
		return err
	}
	if q.New == q.Old {
		return refuse(http.StatusBadRequest, "the new password is the old one")
	}
	if err := people.CheckPassword(u.Name, q.New); err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	if u.PasswordHash, err = s.hasher.Hash(r.Context(), q.New); err != nil {
		return s.busy(err)
	}
	u.MustChange = false
	if err := s.store.UpdateUser(r.Context(), u); err != nil {
		return err
	}
	if _, err := s.store.EndSessions(r.Context(), u.ID); err != nil {
		return err
	}
	if err := s.newSession(w, r, u); err != nil {
		return err
	}
	return s.record(r, "password.change", u.Name, "")
}

// confirm has somebody who is logged in show the password again, with tries
// counted as at a log-in, but apart: a stranger cannot make them.
func (s *Server) confirm(r *http.Request, u *store.User, password string) error {
	if u.PasswordHash == "" {
		return refuse(http.StatusConflict, "this account logs in elsewhere and has no password here")
	}
	try := people.Attempt{Account: "self " + u.Name, Address: addressOf(r)}
	if err := s.begin(r.Context(), try); err != nil {
		return err
	}
	right, err := s.checkPassword(r.Context(), u, password)
	if err != nil {
		return err
	}
	if !right {
		return refuse(http.StatusForbidden, "the password is wrong")
	}
	return s.throttle.Passed(r.Context(), try, s.now())
}

type confirmRequest struct {
	Password string `json:"password"`
}

// totpResponse is a TOTP secret to be put into an app. Nothing is kept until the
// app has shown a code.
type totpResponse struct {
	Secret string `json:"secret"` // base32
	URI    string `json:"uri"`    // otpauth://
	Ticket string `json:"ticket"` // for the confirmation
}

func (s *Server) postTOTP(r *http.Request) (any, error) {
	var q confirmRequest
	if err := readBody(r, &q); err != nil {
		return nil, err
	}
	return s.beginTOTP(r, q)
}

func (s *Server) beginTOTP(r *http.Request, q confirmRequest) (totpResponse, error) {
	u, err := account(r)
	if err != nil {
		return totpResponse{}, err
	}
	if err := s.confirm(r, &u, q.Password); err != nil {
		return totpResponse{}, err
	}
	if len(u.TOTP) > 0 {
		return totpResponse{}, refuse(http.StatusConflict, "codes are set up already: remove them first")
	}
	secret := people.NewTOTPSecret()
	sealed, err := s.stepTicket(ticketTOTP, u, secret)
	return totpResponse{Secret: people.TOTPText(secret), URI: people.TOTPURI(totpIssuer, u.Name, secret), Ticket: sealed}, err
}

// totpIssuer is what apps show beside the codes.
const totpIssuer = "meetguard"

// recoveryResponse tells the recovery codes: only now, hashes are kept.
type recoveryResponse struct {
	Codes []string `json:"recovery_codes"`
}

func (s *Server) postTOTPConfirm(r *http.Request) (any, error) {
	var q totpLoginRequest
	if err := readBody(r, &q); err != nil {
		return nil, err
	}
	return s.confirmTOTP(r, q)
}

func (s *Server) confirmTOTP(r *http.Request, q totpLoginRequest) (recoveryResponse, error) {
	u, err := account(r)
	if err != nil {
		return recoveryResponse{}, err
	}
	now, t, err := s.stepUser(r.Context(), ticketTOTP, q.Ticket)
	if err != nil || t.UserID != u.ID {
		return recoveryResponse{}, errTicket
	}
	codeStep, right := people.MatchTOTP(t.Secret, q.Code, s.now())
	if !right {
		return recoveryResponse{}, refuse(http.StatusBadRequest, "the code is wrong: look at the clocks of app and collector")
	}
	codes, hashes := people.NewRecoveryCodes()
	now.TOTP, now.Recovery = s.sealer.Seal(totpUse(u), t.Secret), hashes
	if err := s.store.UpdateUser(r.Context(), now); err != nil {
		return recoveryResponse{}, err
	}
	if _, err := s.store.UseTOTP(r.Context(), u.ID, codeStep); err != nil {
		return recoveryResponse{}, err
	}
	return recoveryResponse{codes}, s.record(r, "totp.set", u.Name, "")
}

func (s *Server) postTOTPRemove(r *http.Request) error {
	var q confirmRequest
	if err := readBody(r, &q); err != nil {
		return err
	}
	return s.removeTOTP(r, q)
}

func (s *Server) removeTOTP(r *http.Request, q confirmRequest) error {
	u, err := account(r)
	if err != nil {
		return err
	}
	if err := s.confirm(r, &u, q.Password); err != nil {
		return err
	}
	u.TOTP, u.Recovery = nil, nil
	if err := s.store.UpdateUser(r.Context(), u); err != nil {
		return err
	}
	return s.record(r, "totp.remove", u.Name, "")
}

type sessionsResponse struct {
	Sessions []store.Session `json:"sessions"`
}

// ownSessions returns log-ins or API tokens of the caller.
func (s *Server) ownSessions(r *http.Request, keep func(store.Session) bool) (sessionsResponse, error) {
	res := sessionsResponse{[]store.Session{}}
	if err := noQuery(r); err != nil {
		return res, err
	}
	c := callerOf(r)
	if c.Kind != human {
		return res, nil
	}
	all, err := s.store.Sessions(r.Context(), c.User.ID, s.now())
	for _, one := range all {
		if keep(one) {
			res.Sessions = append(res.Sessions, one)
		}
	}
	return res, err
}

func isAPIToken(one store.Session) bool { return one.Kind == kindToken }

func (s *Server) getOwnSessions(r *http.Request) (any, error) {
	return s.ownSessions(r, func(one store.Session) bool { return one.Kind == kindLogin })
}

func (s *Server) getAPITokens(r *http.Request) (any, error) { return s.ownSessions(r, isAPIToken) }

func (s *Server) deleteOwnSession(r *http.Request) error {
	if err := noQuery(r); err != nil {
		return err
	}
	c := callerOf(r)
	if c.Kind != human {
		return store.ErrNotFound
	}
	return s.endSession(r, c.User.ID, pathID(r, "id"))
}

// endSession ends a session if it is one of the account.
func (s *Server) endSession(r *http.Request, userID, hash string) error {
	all, err := s.store.Sessions(r.Context(), userID, s.now())
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.Hash == hash {
			if err := s.store.EndSession(r.Context(), hash); err != nil {
				return err
			}
			return s.record(r, "session.end", userID, one.Kind+" "+one.Note)
		}
	}
	return store.ErrNotFound
}

type apiTokenRequest struct {
	Note      string    `json:"note"`
	ExpiresAt time.Time `json:"expires_at"`
}

// apiTokenResponse tells the secret: only now, its hash is kept.
type apiTokenResponse struct {
	store.Session
	Secret string `json:"secret"`
}

func (s *Server) postAPIToken(r *http.Request) (any, error) {
	var q apiTokenRequest
	if err := readBody(r, &q); err != nil {
		return nil, err
	}
	return s.createAPIToken(r, q)
}

func (s *Server) createAPIToken(r *http.Request, q apiTokenRequest) (apiTokenResponse, error) {
	u, err := account(r)
	if err != nil {
		return apiTokenResponse{}, err
	}
	now := s.now().UTC()
	switch {
	case u.MustChange:
		return apiTokenResponse{}, errMustChange
	case strings.TrimSpace(q.Note) == "" || !isPlain(q.Note, maxLabel):
		return apiTokenResponse{}, refuse(http.StatusBadRequest, "the note must name the token in one line of at most 256 bytes")
	case !q.ExpiresAt.After(now) || q.ExpiresAt.After(now.Add(people.TokenLimit)):
		return apiTokenResponse{}, refuse(http.StatusBadRequest, "expires_at must be a time in the next 366 days")
	}
	if err := s.roomForToken(r.Context(), u.ID); err != nil {
		return apiTokenResponse{}, err
	}
	secret, hash := people.NewAPIToken()
	one := store.Session{
		Hash: hash, UserID: u.ID, Kind: kindToken, Note: q.Note, CreatedAt: now, ExpiresAt: q.ExpiresAt.UTC(), SeenAt: now,
		Address: addressOf(r), Client: column(r.UserAgent(), maxClient),
	}
	if err := s.store.CreateSession(r.Context(), one); err != nil {
		return apiTokenResponse{}, err
	}
	return apiTokenResponse{one, secret}, s.record(r, "apitoken.create", u.Name, q.Note)
}

func (s *Server) roomForToken(ctx context.Context, userID string) error {
	all, err := s.store.Sessions(ctx, userID, s.now())
	n := 0
	for _, one := range all {
		if isAPIToken(one) {
			n++
		}
	}
	if err == nil && n >= maxAPITokens {
		err = refuse(http.StatusConflict, "an account may have 20 API tokens: end one first")
	}
	return err
}
