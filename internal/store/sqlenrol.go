package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// CreateToken stores a token.
func (d *db) CreateToken(ctx context.Context, t Token, secretHash string) error {
	n, err := d.exec(ctx, d.write, `INSERT INTO tokens
		(id, secret_hash, group_name, note, created_by, created_at, expires_at, max_uses)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		t.ID, secretHash, t.Group, t.Note, t.CreatedBy, toMillis(t.CreatedAt), toMillis(t.ExpiresAt), t.MaxUses)
	if err := taken(n, err); err != nil {
		return fmt.Errorf("create token: %w", err)
	}
	return nil
}

// taken is ErrTaken if an insert that yields to what is there added no row.
func taken(rows int, err error) error {
	if err == nil && rows == 0 {
		return ErrTaken
	}
	return err
}

// Tokens returns all tokens within the scope, newest first.
func (d *db) Tokens(ctx context.Context, s Scope) ([]Token, error) {
	var w where
	w.scope("group_name", s)
	tokens, err := list(ctx, d, d.read, scanToken, selectTokens+w.sql()+` ORDER BY created_at DESC, id DESC`, w.args...)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return tokens, nil
}

const selectTokens = `SELECT id, group_name, note, created_by, created_at, expires_at, max_uses, uses, last_used, last_by, revoked_at
	FROM tokens`

func scanToken(row scanner) (Token, error) {
	var t Token
	var created, expires, used, revoked int64
	err := row.Scan(&t.ID, &t.Group, &t.Note, &t.CreatedBy, &created, &expires, &t.MaxUses, &t.Uses, &used, &t.LastBy, &revoked)
	t.CreatedAt, t.ExpiresAt, t.LastUsed, t.RevokedAt = fromMillis(created), fromMillis(expires), fromMillis(used), fromMillis(revoked)
	return t, err
}

// RevokeToken ends a token; one that has ended stays as it is.
func (d *db) RevokeToken(ctx context.Context, s Scope, id string, now time.Time) error {
	var w where
	w.add(true, "id = ?", id)
	w.scope("group_name", s)
	n, err := d.exec(ctx, d.write, `UPDATE tokens SET revoked_at = CASE WHEN revoked_at = 0 THEN ? ELSE revoked_at END`+w.sql(),
		append([]any{toMillis(now)}, w.args...)...)
	if err := found(n, err); err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	return nil
}

// found is ErrNotFound if a statement met no row.
func found(rows int, err error) error {
	if err == nil && rows == 0 {
		return ErrNotFound
	}
	return err
}

// Enrol spends one use of the token and makes the agent.
func (d *db) Enrol(ctx context.Context, n NewAgent, now time.Time) error {
	err := d.batched(ctx, func(run runner) error {
		var group string
		if err := run(ctx, []statement{spend(n, now, &group)}); err != nil {
			return err
		}
		if group == "" {
			return ErrRefused
		}
		var added int64
		all := []statement{addAgent(agentRecord{n.Agent, group, n.MachineID, n.Interval, now, now}, &added)}
		all = append(append(all, addCredentials(n.UID, n.Credentials)...), addAudit(n.Audit))
		err := run(ctx, all)
		return taken(int(added), err)
	})
	if err != nil {
		return fmt.Errorf("enrol agent: %w", err)
	}
	return nil
}

// spend counts one use of the token and tells its group, which is never "". Two
// who come for the last use meet on its row: the second one finds it spent.
func spend(n NewAgent, now time.Time, group *string) statement {
	return statement{
		query: `UPDATE tokens SET uses = uses + 1, last_used = ?, last_by = ?
			WHERE secret_hash = ? AND revoked_at = 0 AND expires_at > ? AND (max_uses = 0 OR uses < max_uses)
			RETURNING group_name`,
		args: []any{toMillis(now), n.Hostname, n.Secret, toMillis(now)},
		row:  func(row scanner) error { return row.Scan(group) },
	}
}

// agentRecord is an agent that comes into being. One that did not enrol has no
// time of it.
type agentRecord struct {
	Agent
	group     string
	machineID string
	interval  time.Duration
	enrolled  time.Time
	seen      time.Time
}

// addAgent stores an agent unless there is one of the uid.
func addAgent(a agentRecord, added *int64) statement {
	return statement{
		query: `INSERT INTO agents
			(agent_uid, hostname, os, version, rules_version, group_name, state, machine_id, interval_ms, enrolled_at, first_seen, last_seen)
			VALUES (?, ?, ?, ?, ?, ?, 'active', ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		args: []any{a.UID, a.Hostname, a.OS, a.Version, a.RulesVersion, a.group, a.machineID, a.interval.Milliseconds(),
			toMillis(a.enrolled), toMillis(a.seen), toMillis(a.seen)},
		changed: added,
	}
}

// addCredentials fails if one is there: they are made of random numbers.
func addCredentials(uid string, added []Credential) (all []statement) {
	for _, c := range added {
		all = append(all, statement{
			query: `INSERT INTO credentials (agent_uid, hash, kind, issued_at, expires_at) VALUES (?, ?, ?, ?, ?)`,
			args:  []any{uid, c.Hash, c.Kind, toMillis(c.IssuedAt), toMillis(c.ExpiresAt)},
		})
	}
	return all
}

// Admit makes an agent without a token unless there is one. It looks first,
// because a collector that is open asks for every batch.
func (d *db) Admit(ctx context.Context, a Agent, group string, now time.Time) error {
	var known int
	err := d.queryRow(ctx, d.read, `SELECT 1 FROM agents WHERE agent_uid = ?`, a.UID).Scan(&known)
	if errors.Is(err, sql.ErrNoRows) {
		add := addAgent(agentRecord{Agent: a, group: group, seen: now}, nil)
		_, err = d.exec(ctx, d.write, add.query, add.args...)
	}
	if err != nil {
		return fmt.Errorf("admit agent: %w", err)
	}
	return nil
}

// Renew adds credentials to an agent that is active. The agent's row is locked:
// one that is revoked meanwhile loses these credentials too.
func (d *db) Renew(ctx context.Context, uid string, audit AuditEntry, added ...Credential) error {
	err := d.batched(ctx, func(run runner) error {
		var state string
		err := run(ctx, []statement{{
			query: `SELECT state FROM agents WHERE agent_uid = ?` + d.dialect.lock,
			args:  []any{uid},
			row:   func(row scanner) error { return row.Scan(&state) },
		}})
		if err != nil {
			return err
		}
		if state != AgentActive {
			return ErrRefused
		}
		return run(ctx, append(addCredentials(uid, added), addAudit(audit)))
	})
	if err != nil {
		return fmt.Errorf("renew: %w", err)
	}
	return nil
}

// Credential returns a credential and its agent: two short looks, because where
// PostgreSQL is distributed the one lies with the coordinator and the other with
// the agent's node.
func (d *db) Credential(ctx context.Context, hash string) (Credential, AgentStatus, error) {
	c, err := one(ctx, d, d.read, scanCredential,
		`SELECT agent_uid, hash, kind, issued_at, expires_at, revoked_at FROM credentials WHERE hash = ?`, hash)
	if err != nil {
		return Credential{}, AgentStatus{}, fmt.Errorf("read credential: %w", err)
	}
	a, err := one(ctx, d, d.read, scanStanding, selectStanding, c.AgentUID)
	if err != nil {
		return Credential{}, AgentStatus{}, fmt.Errorf("read credential: %w", err)
	}
	return c, a, nil
}

func scanCredential(row scanner) (Credential, error) {
	var c Credential
	var issued, expires, revoked int64
	err := row.Scan(&c.AgentUID, &c.Hash, &c.Kind, &issued, &expires, &revoked)
	c.IssuedAt, c.ExpiresAt, c.RevokedAt = fromMillis(issued), fromMillis(expires), fromMillis(revoked)
	return c, err
}

// Enrolled counts agents that came by a token.
func (d *db) Enrolled(ctx context.Context) (int, error) {
	var n int
	if err := d.queryRow(ctx, d.read, `SELECT count(*) FROM agents WHERE enrolled_at > 0`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count enrolled agents: %w", err)
	}
	return n, nil
}
