package collect

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// roles are the four fixed roles, the least first.
var roles = []string{string(people.Viewer), string(people.Analyst), string(people.FleetAdmin), string(people.Admin)}

func actionsOf(c caller) []string {
	all := []string{}
	for _, a := range people.Actions() {
		if c.may(a) {
			all = append(all, string(a))
		}
	}
	return all
}

// maxName is the most bytes of the name of an account.
const maxName = 64

// validName takes names that look the same to everybody: lower-case letters,
// digits and . _ @ + -, not first the marks.
func validName(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	for i, b := range []byte(name) {
		letter := b >= 'a' && b <= 'z' || b >= '0' && b <= '9'
		if !letter && (i == 0 || !slices.Contains([]byte("._@+-"), b)) {
			return false
		}
	}
	return true
}

// userView is an account as it is written.
type userView struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Role       string    `json:"role"`
	Groups     []string  `json:"groups"`
	Subject    string    `json:"subject"`
	Disabled   bool      `json:"disabled"`
	MustChange bool      `json:"must_change"`
	TOTP       bool      `json:"totp"`
	CreatedAt  time.Time `json:"created_at,omitzero"`
	LastLogin  time.Time `json:"last_login,omitzero"`
}

func viewUser(u store.User) userView {
	groups := u.Groups
	if groups == nil {
		groups = []string{}
	}
	return userView{u.ID, u.Name, u.Role, groups, u.Subject, u.Disabled, u.MustChange, len(u.TOTP) > 0, u.CreatedAt, u.LastLogin}
}

type usersResponse struct {
	Users []userView `json:"users"`
}

func (s *Server) getUsers(r *http.Request) (any, error) {
	if err := noQuery(r); err != nil {
		return nil, err
	}
	users, err := s.store.Users(r.Context())
	res := usersResponse{[]userView{}}
	for _, u := range users {
		res.Users = append(res.Users, viewUser(u))
	}
	return res, err
}

func (s *Server) userOf(r *http.Request) (store.User, error) {
	if err := noQuery(r); err != nil {
		return store.User{}, err
	}
	return s.store.User(r.Context(), pathID(r, "id"))
}

func (s *Server) getUser(r *http.Request) (any, error) {
	u, err := s.userOf(r)
	return viewUser(u), err
}

type userRequest struct {
	Name   string   `json:"name"`
	Role   string   `json:"role"`
	Groups []string `json:"groups"`
}

// newUserResponse tells the first password: only now, its hash is kept.
type newUserResponse struct {
	userView
	Password string `json:"password"`
}

func (s *Server) postUser(r *http.Request) (any, error) {
	var q userRequest
	if err := readBody(r, &q); err != nil {
		return nil, err
	}
	return s.createUser(r, q)
}

func (s *Server) createUser(r *http.Request, q userRequest) (newUserResponse, error) {
	if !validName(q.Name) {
		return newUserResponse{}, refuse(http.StatusBadRequest, "the name must have 1 to 64 lower-case letters, digits or . _ @ + -")
	}
	if err := checkRights(q.Role, q.Groups); err != nil {
		return newUserResponse{}, err
	}
	u, password, err := s.makeUser(r.Context(), q)
	if err != nil {
		return newUserResponse{}, err
	}
	return newUserResponse{viewUser(u), password}, s.record(r, "user.create", u.Name, u.Role)
}

func checkRights(role string, groups []string) error {
	if !slices.Contains(roles, role) {
		return refuse(http.StatusBadRequest, "role must be viewer, analyst, fleet-admin or admin")
	}
	if len(groups) > 100 {
		return refuse(http.StatusBadRequest, "at most 100 groups")
	}
	for _, g := range groups {
		if !validGroup(g) {
			return refuse(http.StatusBadRequest, "a group must have 1 to 64 letters, digits, spaces or . _ - /")
		}
	}
	return nil
}

// makeUser stores an account with a password that has to be changed.
func (s *Server) makeUser(ctx context.Context, q userRequest) (store.User, string, error) {
	password := firstPassword()
	hash, err := s.hasher.Hash(ctx, password)
	if err != nil {
		return store.User{}, "", err
	}
	u := store.User{
		ID: store.NewID(), Name: q.Name, Role: q.Role, Groups: q.Groups, PasswordHash: hash, MustChange: true, CreatedAt: s.now().UTC(),
	}
	return u, password, s.store.CreateUser(ctx, u)
}

// firstPassword is 24 random letters in groups: 120 bits.
func firstPassword() string {
	p := strings.ToLower(rand.Text()) // 26 letters of base32
	return p[:6] + "-" + p[6:12] + "-" + p[12:18] + "-" + p[18:24]
}

// FirstAccount makes the account "admin" if there is no account yet, and returns
// its password, which has to be changed at the first log-in. The password is ""
// if there are accounts; of collectors that start at once one makes it.
func (s *Server) FirstAccount(ctx context.Context) (name, password string, err error) {
	users, err := s.store.Users(ctx)
	if err != nil || len(users) > 0 {
		return "", "", err
	}
	u, password, err := s.makeUser(ctx, userRequest{Name: "admin", Role: string(people.Admin)})
	if errors.Is(err, store.ErrTaken) {
		return "", "", nil
	}
	if err != nil {
		return "", "", err
	}
	return u.Name, password, s.store.Record(ctx, store.AuditEntry{
		ID: store.NewID(), At: s.now(), Who: "collector", Action: "user.create", Target: u.Name, Detail: "the first account",
	})
}

// userPatch changes an account; what is absent stays.
type userPatch struct {
	Role     *string   `json:"role"`
	Groups   *[]string `json:"groups"`
	Disabled *bool     `json:"disabled"`
}

func (s *Server) patchUser(r *http.Request) (any, error) {
	var q userPatch
	if err := readBody(r, &q); err != nil {
		return nil, err
	}
	return s.changeUser(r, q)
}

func (s *Server) changeUser(r *http.Request, q userPatch) (userView, error) {
	u, err := s.userOf(r)
	if err != nil {
		return userView{}, err
	}
	was := u
	if q.Role != nil {
		u.Role = *q.Role
	}
	if q.Groups != nil {
		u.Groups = *q.Groups
	}
	if q.Disabled != nil {
		u.Disabled = *q.Disabled
	}
	if err := checkRights(u.Role, u.Groups); err != nil {
		return userView{}, err
	}
	if err := s.keepAdmin(r.Context(), was, u); err != nil {
		return userView{}, err
	}
	if err := s.store.UpdateUser(r.Context(), u); err != nil {
		return userView{}, err
	}
	u.Change++
	if u.Disabled {
		if _, err := s.store.EndSessions(r.Context(), u.ID); err != nil {
			return userView{}, err
		}
	}
	return viewUser(u), s.record(r, "user.change", u.Name, patchText(q))
}

func patchText(q userPatch) string {
	text := ""
	if q.Role != nil {
		text += "role " + *q.Role + " "
	}
	if q.Groups != nil {
		text += "groups "
	}
	if q.Disabled != nil && *q.Disabled {
		text += "disabled "
	} else if q.Disabled != nil {
		text += "enabled "
	}
	return text
}

// isChief tells whether the account can manage accounts.
func isChief(u store.User) bool {
	return u.Role == string(people.Admin) && len(u.Groups) == 0 && !u.Disabled
}

// keepAdmin refuses a change after which nobody could manage accounts.
func (s *Server) keepAdmin(ctx context.Context, was, will store.User) error {
	if !isChief(was) || isChief(will) {
		return nil
	}
	users, err := s.store.Users(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		if u.ID != was.ID && isChief(u) {
			return nil
		}
	}
	return refuse(http.StatusConflict, "this is the last account that can manage accounts")
}

func (s *Server) deleteUser(r *http.Request) error {
	u, err := s.userOf(r)
	if err != nil {
		return err
	}
	if err := s.keepAdmin(r.Context(), u, store.User{}); err != nil {
		return err
	}
	if err := s.store.DeleteUser(r.Context(), u.ID); err != nil {
		return err
	}
	return s.record(r, "user.delete", u.Name, "")
}

// postUserReset gives an account a new first password, takes its second factor
// and ends its sessions: for somebody who has lost them.
func (s *Server) postUserReset(r *http.Request) (any, error) {
	u, err := s.userOf(r)
	if err != nil {
		return nil, err
	}
	if u.Subject != "" {
		return nil, refuse(http.StatusConflict, "this account logs in elsewhere and has no password here")
	}
	password := firstPassword()
	if u.PasswordHash, err = s.hasher.Hash(r.Context(), password); err != nil {
		return nil, err
	}
	u.TOTP, u.Recovery, u.MustChange = nil, nil, true
	if err := s.store.UpdateUser(r.Context(), u); err != nil {
		return nil, err
	}
	if _, err := s.store.EndSessions(r.Context(), u.ID); err != nil {
		return nil, err
	}
	return newUserResponse{viewUser(u), password}, s.record(r, "user.reset", u.Name, "")
}

func (s *Server) getUserSessions(r *http.Request) (any, error) {
	u, err := s.userOf(r)
	if err != nil {
		return nil, err
	}
	all, err := s.store.Sessions(r.Context(), u.ID, s.now())
	return sessionsResponse{all}, err
}

type endedResponse struct {
	Ended int `json:"ended"`
}

func (s *Server) deleteUserSessions(r *http.Request) (any, error) {
	u, err := s.userOf(r)
	if err != nil {
		return nil, err
	}
	n, err := s.store.EndSessions(r.Context(), u.ID)
	if err != nil {
		return nil, err
	}
	return endedResponse{n}, s.record(r, "session.end", u.Name, "all")
}

func (s *Server) deleteUserSession(r *http.Request) error {
	u, err := s.userOf(r)
	if err != nil {
		return err
	}
	return s.endSession(r, u.ID, pathID(r, "session"))
}
