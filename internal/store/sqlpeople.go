package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// CreateUser stores an account.
func (d *db) CreateUser(ctx context.Context, u User) error {
	n, err := d.exec(ctx, d.write, `INSERT INTO users
		(id, name, role, groups, password_hash, totp, recovery, subject, disabled, must_change, created_at, last_login)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		u.ID, u.Name, u.Role, listText(u.Groups), u.PasswordHash, u.TOTP, listText(u.Recovery), u.Subject,
		toFlag(u.Disabled), toFlag(u.MustChange), toMillis(u.CreatedAt), toMillis(u.LastLogin))
	if err := taken(n, err); err != nil {
		return fmt.Errorf("create account: %w", err)
	}
	return nil
}

// listText is a list of texts as it stands in a column.
func listText(values []string) string {
	if len(values) == 0 {
		return "[]"
	}
	text, _ := json.Marshal(values) // texts can always be written
	return string(text)
}

// UpdateUser replaces an account that nobody has changed since it was read.
func (d *db) UpdateUser(ctx context.Context, u User) error {
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		if err := d.subjectFree(ctx, tx, u); err != nil {
			return err
		}
		n, err := d.exec(ctx, tx, `UPDATE users SET role = ?, groups = ?, password_hash = ?, totp = ?, recovery = ?,
			subject = ?, disabled = ?, must_change = ?, change = change + 1 WHERE id = ? AND change = ?`,
			u.Role, listText(u.Groups), u.PasswordHash, u.TOTP, listText(u.Recovery),
			u.Subject, toFlag(u.Disabled), toFlag(u.MustChange), u.ID, u.Change)
		if err != nil || n == 1 {
			return err
		}
		if _, err := one(ctx, d, tx, scanUser, selectUsers+` WHERE u.id = ?`, u.ID); err != nil {
			return err
		}
		return ErrChanged
	})
	if err != nil {
		return fmt.Errorf("update account: %w", err)
	}
	return nil
}

func (d *db) subjectFree(ctx context.Context, tx *sql.Tx, u User) error {
	if u.Subject == "" {
		return nil
	}
	var others int
	err := d.queryRow(ctx, tx, `SELECT count(*) FROM users WHERE subject = ? AND id <> ?`, u.Subject, u.ID).Scan(&others)
	if err == nil && others > 0 {
		return ErrTaken
	}
	return err
}

// LoggedIn notes a log-in.
func (d *db) LoggedIn(ctx context.Context, id string, at time.Time) error {
	n, err := d.exec(ctx, d.write, `UPDATE users SET last_login = ? WHERE id = ?`, toMillis(at), id)
	if err := found(n, err); err != nil {
		return fmt.Errorf("note log-in: %w", err)
	}
	return nil
}

// DeleteUser deletes an account and ends its sessions.
func (d *db) DeleteUser(ctx context.Context, id string) error {
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		n, err := d.exec(ctx, tx, `DELETE FROM users WHERE id = ?`, id)
		if err := found(n, err); err != nil {
			return err
		}
		_, err = d.exec(ctx, tx, `DELETE FROM sessions WHERE user_id = ?`, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete account: %w", err)
	}
	return nil
}

// User returns the account with the id.
func (d *db) User(ctx context.Context, id string) (User, error) {
	return d.user(ctx, `u.id = ?`, id)
}

// UserByName returns the account with the name, without regard to case (ASCII).
func (d *db) UserByName(ctx context.Context, name string) (User, error) {
	return d.user(ctx, `lower(u.name) = lower(?)`, name)
}

// UserBySubject returns the account of an OIDC subject.
func (d *db) UserBySubject(ctx context.Context, subject string) (User, error) {
	return d.user(ctx, `u.subject = ? AND u.subject <> ''`, subject)
}

func (d *db) user(ctx context.Context, term, value string) (User, error) {
	u, err := one(ctx, d, d.read, scanUser, selectUsers+` WHERE `+term, value)
	if err != nil {
		return User{}, fmt.Errorf("read account: %w", err)
	}
	return u, nil
}

// Users returns all accounts by name.
func (d *db) Users(ctx context.Context) ([]User, error) {
	users, err := list(ctx, d, d.read, scanUser, selectUsers+` ORDER BY lower(u.name)`)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	return users, nil
}

const (
	userColumns = `u.id, u.name, u.role, u.groups, u.password_hash, u.totp, u.recovery, u.subject,
	u.disabled, u.must_change, u.created_at, u.last_login, u.change`
	selectUsers = `SELECT ` + userColumns + ` FROM users AS u`
)

// userRow takes the columns of userColumns that are of another type in Go.
type userRow struct {
	u                    User
	groups, recovery     string
	disabled, mustChange int64
	created, loggedIn    int64
}

func (r *userRow) dest() []any {
	u := &r.u
	return []any{&u.ID, &u.Name, &u.Role, &r.groups, &u.PasswordHash, &u.TOTP, &r.recovery, &u.Subject,
		&r.disabled, &r.mustChange, &r.created, &r.loggedIn, &u.Change}
}

func (r *userRow) user() (User, error) {
	u := r.u
	u.Disabled, u.MustChange = r.disabled != 0, r.mustChange != 0
	u.CreatedAt, u.LastLogin = fromMillis(r.created), fromMillis(r.loggedIn)
	if len(u.TOTP) == 0 {
		u.TOTP = nil
	}
	return u, errors.Join(json.Unmarshal([]byte(r.groups), &u.Groups), json.Unmarshal([]byte(r.recovery), &u.Recovery))
}

func scanUser(row scanner) (User, error) {
	var r userRow
	if err := row.Scan(r.dest()...); err != nil {
		return User{}, err
	}
	return r.user()
}

// UseTOTP notes the time step of a code. It is one statement: of two who show
// the same code at once, one is refused.
func (d *db) UseTOTP(ctx context.Context, id string, step int64) (bool, error) {
	n, err := d.exec(ctx, d.write, `UPDATE users SET totp_step = ? WHERE id = ? AND totp_step < ?`, step, id, step)
	if err != nil {
		return false, fmt.Errorf("note the step of a code: %w", err)
	}
	return n == 1, nil
}

// UseRecovery takes a recovery code from the account. It tries again if the
// account changes meanwhile, so that two codes can be used at once and one code
// cannot be used twice.
func (d *db) UseRecovery(ctx context.Context, id, hash string) (bool, error) {
	for {
		u, err := d.User(ctx, id)
		if err != nil {
			return false, fmt.Errorf("use recovery code: %w", err)
		}
		i := slices.Index(u.Recovery, hash)
		if i < 0 {
			return false, nil
		}
		left := listText(slices.Delete(u.Recovery, i, i+1))
		n, err := d.exec(ctx, d.write, `UPDATE users SET recovery = ?, change = change + 1 WHERE id = ? AND change = ?`, left, id, u.Change)
		if err != nil {
			return false, fmt.Errorf("use recovery code: %w", err)
		}
		if n == 1 {
			return true, nil
		}
	}
}

// CreateSession stores a session and drops those of the account that are over.
func (d *db) CreateSession(ctx context.Context, s Session) error {
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := d.exec(ctx, tx, `DELETE FROM sessions WHERE user_id = ? AND expires_at <= ?`, s.UserID, toMillis(s.CreatedAt)); err != nil {
			return err
		}
		n, err := d.exec(ctx, tx, `INSERT INTO sessions (hash, user_id, kind, note, created_at, expires_at, seen_at, address, client)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, s.Hash, s.UserID, s.Kind, s.Note,
			toMillis(s.CreatedAt), toMillis(s.ExpiresAt), toMillis(s.SeenAt), s.Address, s.Client)
		return taken(n, err)
	})
	if err != nil {
		return fmt.Errorf("create session: %w", err)
	}
	return nil
}

const sessionColumns = `s.hash, s.user_id, s.kind, s.note, s.created_at, s.expires_at, s.seen_at, s.address, s.client`

// sessionRow takes the columns of sessionColumns.
type sessionRow struct {
	s                      Session
	created, expires, seen int64
}

func (r *sessionRow) dest() []any {
	s := &r.s
	return []any{&s.Hash, &s.UserID, &s.Kind, &s.Note, &r.created, &r.expires, &r.seen, &s.Address, &s.Client}
}

func (r *sessionRow) session() Session {
	s := r.s
	s.CreatedAt, s.ExpiresAt, s.SeenAt = fromMillis(r.created), fromMillis(r.expires), fromMillis(r.seen)
	return s
}

func scanSession(row scanner) (Session, error) {
	var r sessionRow
	err := row.Scan(r.dest()...)
	return r.session(), err
}

// Session returns a session that counts, and its account.
func (d *db) Session(ctx context.Context, hash string, now time.Time) (Session, User, error) {
	var s sessionRow
	var u userRow
	err := d.queryRow(ctx, d.read, `SELECT `+sessionColumns+`, `+userColumns+` FROM sessions AS s JOIN users AS u ON u.id = s.user_id
		WHERE s.hash = ? AND s.expires_at > ? AND u.disabled = 0`, hash, toMillis(now)).Scan(append(s.dest(), u.dest()...)...)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return Session{}, User{}, fmt.Errorf("read session: %w", err)
	}
	user, err := u.user()
	if err != nil {
		return Session{}, User{}, fmt.Errorf("read session: %w", err)
	}
	return s.session(), user, nil
}

// TouchSession notes that a session was used.
func (d *db) TouchSession(ctx context.Context, hash string, now time.Time) error {
	ms := toMillis(now)
	if _, err := d.exec(ctx, d.write, `UPDATE sessions SET seen_at = ? WHERE hash = ? AND seen_at < ?`, ms, hash, ms); err != nil {
		return fmt.Errorf("touch session: %w", err)
	}
	return nil
}

// EndSession ends a session.
func (d *db) EndSession(ctx context.Context, hash string) error {
	n, err := d.exec(ctx, d.write, `DELETE FROM sessions WHERE hash = ?`, hash)
	if err := found(n, err); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// Sessions returns the sessions of an account that are not over, newest first.
func (d *db) Sessions(ctx context.Context, userID string, now time.Time) ([]Session, error) {
	sessions, err := list(ctx, d, d.read, scanSession, `SELECT `+sessionColumns+` FROM sessions AS s
		WHERE s.user_id = ? AND s.expires_at > ? ORDER BY s.created_at DESC, s.hash`, userID, toMillis(now))
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return sessions, nil
}

// EndSessions ends all sessions of an account and returns how many there were.
func (d *db) EndSessions(ctx context.Context, userID string) (int, error) {
	n, err := d.exec(ctx, d.write, `DELETE FROM sessions WHERE user_id = ?`, userID)
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	return n, nil
}
