package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Traits are the columns of an alert that exceptions look at.
type Traits struct {
	Group, SHA256, Rule, Brand, Signer, Host, Path, Hostname string
}

// Hides tells whether the exception hides an alert with these traits, apart
// from whether it is in force. Hashes and host names are compared without
// regard to case (ASCII), so are paths that look like those of Windows.
func (e Exception) Hides(t Traits) bool {
	return e.Conditions() > 0 &&
		(e.Group == "" || e.Group == t.Group) &&
		(e.Rule == "" || e.Rule == t.Rule) &&
		(e.Brand == "" || e.Brand == t.Brand) &&
		(e.Signer == "" || e.Signer == t.Signer) &&
		(e.SHA256 == "" || lowerASCII(e.SHA256) == lowerASCII(t.SHA256)) &&
		(e.Host == "" || lowerASCII(e.Host) == lowerASCII(t.Host)) &&
		(e.Hostname == "" || lowerASCII(e.Hostname) == lowerASCII(t.Hostname)) &&
		(e.Path == "" || startsPath(t.Path, e.Path))
}

// InForce tells whether the exception hides anything at the time.
func (e Exception) InForce(now time.Time) bool {
	return e.EndedAt.IsZero() && now.Before(e.ExpiresAt)
}

// startsPath tells whether the path begins with the beginning.
func startsPath(path, beginning string) bool {
	if windowsPath(path) {
		path, beginning = lowerASCII(path), lowerASCII(beginning)
	}
	return len(path) >= len(beginning) && path[:len(beginning)] == beginning
}

// windowsPath tells whether a path begins with a drive or with two backslashes.
func windowsPath(path string) bool {
	return len(path) >= 2 && (path[1] == ':' || path[:2] == `\\`)
}

// lowerASCII lowers the letters A…Z only: what Unicode folds together (the
// Kelvin sign and k) are different names here.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// CreateException stores an exception.
func (d *db) CreateException(ctx context.Context, e Exception) error {
	if e.Conditions() == 0 || e.ExpiresAt.IsZero() {
		return errors.New("create exception: it must have a condition and an end")
	}
	n, err := d.exec(ctx, d.write, `INSERT INTO exceptions
		(id, group_name, sha256, rule, brand, signer, host, path, hostname, why, who, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		e.ID, e.Group, e.SHA256, e.Rule, e.Brand, e.Signer, e.Host, e.Path, e.Hostname, e.Why, e.Who,
		toMillis(e.CreatedAt), toMillis(e.ExpiresAt))
	if err := taken(n, err); err != nil {
		return fmt.Errorf("create exception: %w", err)
	}
	return nil
}

const selectExceptions = `SELECT id, group_name, sha256, rule, brand, signer, host, path, hostname, why, who,
	created_at, expires_at, ended_at, ended_by, hits FROM exceptions`

func scanException(row scanner) (Exception, error) {
	var e Exception
	var created, expires, ended int64
	err := row.Scan(&e.ID, &e.Group, &e.SHA256, &e.Rule, &e.Brand, &e.Signer, &e.Host, &e.Path, &e.Hostname, &e.Why, &e.Who,
		&created, &expires, &ended, &e.EndedBy, &e.Hits)
	e.CreatedAt, e.ExpiresAt, e.EndedAt = fromMillis(created), fromMillis(expires), fromMillis(ended)
	return e, err
}

// orAll limits to the groups of a scope and to what is for all groups.
func (w *where) orAll(s Scope) {
	if !s.All {
		w.in("group_name", append(slices.Clone(s.Groups), ""))
	}
}

// Exceptions returns exceptions, newest first.
func (d *db) Exceptions(ctx context.Context, s Scope) ([]Exception, error) {
	var w where
	w.orAll(s)
	all, err := list(ctx, d, d.read, scanException, selectExceptions+w.sql()+` ORDER BY created_at DESC, id DESC`, w.args...)
	if err != nil {
		return nil, fmt.Errorf("list exceptions: %w", err)
	}
	return all, nil
}

// Exception returns one exception.
func (d *db) Exception(ctx context.Context, s Scope, id string) (Exception, error) {
	var w where
	w.add(true, "id = ?", id)
	w.orAll(s)
	e, err := one(ctx, d, d.read, scanException, selectExceptions+w.sql(), w.args...)
	if err != nil {
		return Exception{}, fmt.Errorf("read exception: %w", err)
	}
	return e, nil
}

// EndException ends an exception; one that has ended stays as it is.
func (d *db) EndException(ctx context.Context, s Scope, id, who string, now time.Time) error {
	e, err := d.Exception(ctx, s, id)
	if err != nil {
		return fmt.Errorf("end exception: %w", err)
	}
	if e.Group == "" && !s.All {
		return fmt.Errorf("end exception: it is for all groups: %w", ErrRefused)
	}
	_, err = d.exec(ctx, d.write, `UPDATE exceptions SET ended_at = ?, ended_by = ? WHERE id = ? AND ended_at = 0`, toMillis(now), who, id)
	if err != nil {
		return fmt.Errorf("end exception: %w", err)
	}
	return nil
}

// Hidden returns the alerts that an exception like this would have hidden. SQL
// chooses those that may be meant, Hides decides, as it does when they arrive.
func (d *db) Hidden(ctx context.Context, s Scope, e Exception, since time.Time, limit int) (int, []Alert, error) {
	if e.Conditions() == 0 {
		return 0, []Alert{}, nil
	}
	n, ids, err := d.hiddenIDs(ctx, s, e, since, limit)
	if err != nil {
		return 0, nil, fmt.Errorf("find what an exception hides: %w", err)
	}
	if len(ids) == 0 {
		return n, []Alert{}, nil
	}
	page, err := d.Alerts(ctx, s, Filter{IDs: ids, Limit: len(ids)})
	if err != nil {
		return 0, nil, fmt.Errorf("find what an exception hides: %w", err)
	}
	return n, page.Alerts, nil
}

func (d *db) hiddenIDs(ctx context.Context, s Scope, e Exception, since time.Time, limit int) (n int, ids []string, err error) {
	w := maybeHidden(s, e, since)
	rows, err := d.read.QueryContext(ctx, d.dialect.bind(`SELECT id, group_name, sha256, rule, brand, signer, host, path, hostname
		FROM alerts`+w.sql()+` ORDER BY seq DESC`), cleaned(w.args)...)
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var t Traits
		if err := rows.Scan(&id, &t.Group, &t.SHA256, &t.Rule, &t.Brand, &t.Signer, &t.Host, &t.Path, &t.Hostname); err != nil {
			return 0, nil, err
		}
		if !e.Hides(t) {
			continue
		}
		if n++; n <= limit {
			ids = append(ids, id)
		}
	}
	return n, ids, rows.Err()
}

// maybeHidden chooses all alerts that the exception hides, and some more.
func maybeHidden(s Scope, e Exception, since time.Time) *where {
	var w where
	w.scope("group_name", s)
	w.add(true, "received_at >= ?", toMillis(since))
	w.add(e.Group != "", "group_name = ?", e.Group)
	w.add(e.Rule != "", "rule = ?", e.Rule)
	w.add(e.Brand != "", "brand = ?", e.Brand)
	w.add(e.Signer != "", "signer = ?", e.Signer)
	w.add(e.SHA256 != "", "lower(sha256) = lower(?)", e.SHA256)
	w.add(e.Host != "", "lower(host) = lower(?)", e.Host)
	w.add(e.Hostname != "", "lower(hostname) = lower(?)", e.Hostname)
	w.add(e.Path != "", "lower(path) LIKE lower(?) ESCAPE '!'", literal(e.Path)+"%")
	return &w
}
