package store

import (
	"context"
	"encoding/json"
	"time"
)

// People keeps accounts and sessions.
type People interface {
	// CreateUser stores an account; ErrTaken if the name, without regard to
	// case (ASCII), or the subject is in use.
	CreateUser(ctx context.Context, u User) error

	// UpdateUser replaces everything but ID, Name, CreatedAt and LastLogin.
	// ErrChanged if the account is not as it was when u was read (see
	// User.Change), so that nobody undoes what he has not seen.
	UpdateUser(ctx context.Context, u User) error

	// LoggedIn notes a log-in.
	LoggedIn(ctx context.Context, id string, at time.Time) error

	// DeleteUser deletes an account and ends its sessions.
	DeleteUser(ctx context.Context, id string) error

	// User and UserByName and UserBySubject return one, or ErrNotFound.
	User(ctx context.Context, id string) (User, error)
	UserByName(ctx context.Context, name string) (User, error)
	UserBySubject(ctx context.Context, subject string) (User, error)

	// Users returns all accounts by name.
	Users(ctx context.Context) ([]User, error)

	// UseTOTP notes the time step of a code; false if a code of that step or a
	// later one was used before.
	UseTOTP(ctx context.Context, id string, step int64) (bool, error)

	// UseRecovery takes the hash of a recovery code from the account; false if
	// it has none like it, or it was used before.
	UseRecovery(ctx context.Context, id, hash string) (bool, error)

	// CreateSession, Session, TouchSession and EndSession keep log-ins; a session
	// is named by the SHA-256 of its secret. Session is ErrNotFound also for one
	// that has expired and for one of an account that is disabled.
	CreateSession(ctx context.Context, s Session) error
	Session(ctx context.Context, hash string, now time.Time) (Session, User, error)
	TouchSession(ctx context.Context, hash string, now time.Time) error
	EndSession(ctx context.Context, hash string) error
	Sessions(ctx context.Context, userID string, now time.Time) ([]Session, error)
	EndSessions(ctx context.Context, userID string) (int, error)
}

// User is an account. Its secrets are hashes, but for the TOTP secret, which is
// sealed by the caller.
type User struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	Role         string    `json:"role"`    // viewer, analyst, fleet-admin or admin
	Groups       []string  `json:"groups"`  // empty: all groups
	PasswordHash string    `json:"-"`       // argon2id, "" if there is none
	TOTP         []byte    `json:"-"`       // sealed secret, nil if not set up
	Recovery     []string  `json:"-"`       // hashes of the recovery codes that are left
	Subject      string    `json:"subject"` // issuer and subject of OIDC, "" if local
	Disabled     bool      `json:"disabled"`
	MustChange   bool      `json:"must_change"` // of the password
	CreatedAt    time.Time `json:"created_at"`
	LastLogin    time.Time `json:"last_login,omitzero"`
	Change       int       `json:"change"` // counts the changes of the account
}

// Scope is what the person may see.
func (u User) Scope() Scope { return Scope{All: len(u.Groups) == 0, Groups: u.Groups} }

// Session is a log-in, or a personal API token (Kind "token").
type Session struct {
	Hash      string    `json:"id"`
	UserID    string    `json:"user_id"`
	Kind      string    `json:"kind"` // "login" or "token"
	Note      string    `json:"note"` // name of an API token
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	SeenAt    time.Time `json:"seen_at"`
	Address   string    `json:"address"`
	Client    string    `json:"client"` // User-Agent, cut
}

// Exceptions keeps what people have decided not to be told of again.
type Exceptions interface {
	// CreateException stores one; it must have conditions and an end.
	CreateException(ctx context.Context, e Exception) error

	// Exceptions returns those of groups within the scope and those for all
	// groups, newest first, also those that have ended.
	Exceptions(ctx context.Context, s Scope) ([]Exception, error)
	Exception(ctx context.Context, s Scope, id string) (Exception, error)

	// EndException ends one; alerts that it hid stay as they are. One for all
	// groups is ended by a scope of everything only, others are ErrRefused.
	EndException(ctx context.Context, s Scope, id, who string, now time.Time) error

	// Hidden returns the alerts that an exception like this would have hidden
	// since a time: how many, and the newest of them.
	Hidden(ctx context.Context, s Scope, e Exception, since time.Time, limit int) (int, []Alert, error)
}

// Exception hides alerts that match all of its conditions, of which there is at
// least one. It is looked at when an alert arrives.
type Exception struct {
	ID        string    `json:"id"`
	Group     string    `json:"group"` // "" for all
	SHA256    string    `json:"sha256,omitempty"`
	Rule      string    `json:"rule,omitempty"`
	Brand     string    `json:"brand,omitempty"`
	Signer    string    `json:"signer,omitempty"`
	Host      string    `json:"source_host,omitempty"`
	Path      string    `json:"path,omitempty"` // beginning of the path
	Hostname  string    `json:"hostname,omitempty"`
	Why       string    `json:"why"`
	Who       string    `json:"who"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"` // always set
	EndedAt   time.Time `json:"ended_at,omitzero"`
	EndedBy   string    `json:"ended_by,omitempty"`
	Hits      int       `json:"hits"`
}

// Conditions counts the conditions that are set, the group not among them.
func (e Exception) Conditions() int {
	n := 0
	for _, c := range []string{e.SHA256, e.Rule, e.Brand, e.Signer, e.Host, e.Path, e.Hostname} {
		if c != "" {
			n++
		}
	}
	return n
}

// Work keeps what the collectors do in the background and share.
type Work interface {
	// Lease makes owner the only one who does the named work until then; false
	// if somebody else is. The owner may prolong it.
	Lease(ctx context.Context, name, owner string, now, until time.Time) (bool, error)

	// Cursor and SetCursor keep how far an exit has come: a Seq. A cursor that
	// does not exist is 0, false.
	Cursor(ctx context.Context, name string) (Cursor, bool, error)
	SetCursor(ctx context.Context, c Cursor) error
	Cursors(ctx context.Context) ([]Cursor, error)

	// CreateJob, Job, Jobs and UpdateJob keep bulk actions.
	CreateJob(ctx context.Context, j Job) error
	Job(ctx context.Context, id string) (Job, error)
	Jobs(ctx context.Context, limit int) ([]Job, error)
	UpdateJob(ctx context.Context, j Job) error

	// Setting and SetSetting keep small values, as those of the CA.
	Setting(ctx context.Context, name string) (string, bool, error)
	SetSetting(ctx context.Context, name, value string) error

	// SetSettingOnce stores the value unless there is one, and returns what is
	// there: many collectors that start at once agree on it.
	SetSettingOnce(ctx context.Context, name, value string) (string, error)

	// ChangeTries hands what is kept under the keys to change, in their order,
	// and keeps what that returns; nil keeps what is there. Nobody else changes
	// any of the keys meanwhile.
	ChangeTries(ctx context.Context, keys []string, change func([]Tries) []Tries) error

	// ExpireTries deletes at most limit entries that were last changed before,
	// and returns how many.
	ExpireTries(ctx context.Context, before time.Time, limit int) (int, error)
}

// Tries is what is counted under a key: zero if nothing is.
type Tries struct {
	N     int
	Last  time.Time
	Until time.Time
}

// Cursor is how far an exit has come.
type Cursor struct {
	Name      string    `json:"name"`
	Seq       int64     `json:"seq"`
	Sent      int64     `json:"sent"` // alerts
	UpdatedAt time.Time `json:"updated_at"`
	Error     string    `json:"error,omitempty"` // of the last try, "" if it went well
	FailedAt  time.Time `json:"failed_at,omitzero"`
}

// Job is a bulk action on alerts or agents.
type Job struct {
	ID        string          `json:"id"`
	Kind      string          `json:"kind"`
	Who       string          `json:"who"`
	Params    json.RawMessage `json:"params"`
	State     string          `json:"state"` // queued, running, done or failed
	Total     int             `json:"total"`
	Done      int             `json:"done"`
	Changed   int             `json:"changed"`
	Error     string          `json:"error,omitempty"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// Audit keeps who did what. It can be added to and read, and expires.
type Audit interface {
	Record(ctx context.Context, e AuditEntry) error
	AuditLog(ctx context.Context, f AuditFilter) ([]AuditEntry, error)
	ExpireAudit(ctx context.Context, before time.Time, limit int) (int, error)
}

// AuditEntry is one act.
type AuditEntry struct {
	ID      string    `json:"id"` // ordered by time, see NewID
	At      time.Time `json:"at"`
	Who     string    `json:"who"`    // account, "agent:" and uid, or "collector"
	Action  string    `json:"action"` // as in "alert.close", "token.create", "login.failed"
	Target  string    `json:"target"`
	Detail  string    `json:"detail"`
	Address string    `json:"address"`
}

// AuditFilter chooses entries, newest first.
type AuditFilter struct {
	Who    string
	Action string // or its beginning, as in "alert."
	Before string // ID of the last entry of the page before
	Limit  int
}
