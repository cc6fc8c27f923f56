package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Lease makes owner the only one who does the named work until then. It is one
// statement: of two who come when it is free, the second finds it taken.
func (d *db) Lease(ctx context.Context, name, owner string, now, until time.Time) (bool, error) {
	n, err := d.exec(ctx, d.write, `INSERT INTO leases (name, owner, until) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
		WHERE leases.owner = excluded.owner OR leases.until <= ?`, name, owner, toMillis(until), toMillis(now))
	if err != nil {
		return false, fmt.Errorf("lease work: %w", err)
	}
	return n == 1, nil
}

const selectCursors = `SELECT name, seq, sent, updated_at, error, failed_at FROM cursors`

func scanCursor(row scanner) (Cursor, error) {
	var c Cursor
	var updated, failed int64
	err := row.Scan(&c.Name, &c.Seq, &c.Sent, &updated, &c.Error, &failed)
	c.UpdatedAt, c.FailedAt = fromMillis(updated), fromMillis(failed)
	return c, err
}

// Cursor returns how far an exit has come.
func (d *db) Cursor(ctx context.Context, name string) (Cursor, bool, error) {
	c, err := one(ctx, d, d.read, scanCursor, selectCursors+` WHERE name = ?`, name)
	switch {
	case errors.Is(err, ErrNotFound):
		return Cursor{Name: name}, false, nil
	case err != nil:
		return Cursor{}, false, fmt.Errorf("read cursor: %w", err)
	}
	return c, true, nil
}

// SetCursor keeps how far an exit has come.
func (d *db) SetCursor(ctx context.Context, c Cursor) error {
	_, err := d.exec(ctx, d.write, `INSERT INTO cursors (name, seq, sent, updated_at, error, failed_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, sent = excluded.sent, updated_at = excluded.updated_at,
			error = excluded.error, failed_at = excluded.failed_at`,
		c.Name, c.Seq, c.Sent, toMillis(c.UpdatedAt), c.Error, toMillis(c.FailedAt))
	if err != nil {
		return fmt.Errorf("set cursor: %w", err)
	}
	return nil
}

// Cursors returns all cursors by name.
func (d *db) Cursors(ctx context.Context) ([]Cursor, error) {
	cursors, err := list(ctx, d, d.read, scanCursor, selectCursors+` ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("list cursors: %w", err)
	}
	return cursors, nil
}

const selectJobs = `SELECT id, kind, who, params, state, total, done, changed, error, created_at, updated_at FROM jobs`

func scanJob(row scanner) (Job, error) {
	var j Job
	var params string
	var created, updated int64
	err := row.Scan(&j.ID, &j.Kind, &j.Who, &params, &j.State, &j.Total, &j.Done, &j.Changed, &j.Error, &created, &updated)
	j.Params, j.CreatedAt, j.UpdatedAt = json.RawMessage(params), fromMillis(created), fromMillis(updated)
	return j, err
}

// CreateJob stores a bulk action.
func (d *db) CreateJob(ctx context.Context, j Job) error {
	if j.Params == nil {
		j.Params = json.RawMessage("null")
	}
	n, err := d.exec(ctx, d.write, `INSERT INTO jobs (id, kind, who, params, state, total, done, changed, error, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		j.ID, j.Kind, j.Who, string(j.Params), j.State, j.Total, j.Done, j.Changed, j.Error, toMillis(j.CreatedAt), toMillis(j.UpdatedAt))
	if err := taken(n, err); err != nil {
		return fmt.Errorf("create job: %w", err)
	}
	return nil
}

// Job returns one bulk action.
func (d *db) Job(ctx context.Context, id string) (Job, error) {
	j, err := one(ctx, d, d.read, scanJob, selectJobs+` WHERE id = ?`, id)
	if err != nil {
		return Job{}, fmt.Errorf("read job: %w", err)
	}
	return j, nil
}

// Jobs returns bulk actions, newest first.
func (d *db) Jobs(ctx context.Context, limit int) ([]Job, error) {
	jobs, err := list(ctx, d, d.read, scanJob, selectJobs+` ORDER BY created_at DESC, id DESC LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	return jobs, nil
}

// UpdateJob keeps how far a bulk action has come. Params change too: they hold
// where it goes on.
func (d *db) UpdateJob(ctx context.Context, j Job) error {
	n, err := d.exec(ctx, d.write, `UPDATE jobs SET params = ?, state = ?, total = ?, done = ?, changed = ?, error = ?, updated_at = ? WHERE id = ?`,
		string(j.Params), j.State, j.Total, j.Done, j.Changed, j.Error, toMillis(j.UpdatedAt), j.ID)
	if err := found(n, err); err != nil {
		return fmt.Errorf("update job: %w", err)
	}
	return nil
}

// Setting returns a small value.
func (d *db) Setting(ctx context.Context, name string) (string, bool, error) {
	return d.setting(ctx, d.read, name)
}

func (d *db) setting(ctx context.Context, q querier, name string) (string, bool, error) {
	var value string
	err := d.queryRow(ctx, q, `SELECT value FROM settings WHERE name = ?`, name).Scan(&value)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("read setting: %w", err)
	}
	return value, true, nil
}

// SetSetting stores a small value.
func (d *db) SetSetting(ctx context.Context, name, value string) error {
	_, err := d.exec(ctx, d.write, `INSERT INTO settings (name, value) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	if err != nil {
		return fmt.Errorf("set setting: %w", err)
	}
	return nil
}

// SetSettingOnce stores the value unless there is one, and returns what is
// there. An insert that meets another one under way waits for its commit.
func (d *db) SetSettingOnce(ctx context.Context, name, value string) (string, error) {
	_, err := d.exec(ctx, d.write, `INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING`, name, value)
	if err != nil {
		return "", fmt.Errorf("set setting: %w", err)
	}
	value, known, err := d.setting(ctx, d.write, name)
	if err == nil && !known {
		err = fmt.Errorf("read setting: %w", ErrNotFound)
	}
	return value, err
}
