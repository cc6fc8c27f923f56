package store

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Record adds an entry. One without an ID gets one.
func (d *db) Record(ctx context.Context, e AuditEntry) error {
	add := addAudit(e)
	if _, err := d.exec(ctx, d.write, add.query, add.args...); err != nil {
		return fmt.Errorf("record audit entry: %w", err)
	}
	return nil
}

func addAudit(e AuditEntry) statement {
	if e.ID == "" {
		e.ID = NewID()
	}
	return statement{
		query: `INSERT INTO audit (id, at, who, action, target, detail, address) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		args:  []any{e.ID, toMillis(e.At), e.Who, e.Action, e.Target, e.Detail, e.Address},
	}
}

// AuditLog returns a page of entries, newest first.
func (d *db) AuditLog(ctx context.Context, f AuditFilter) ([]AuditEntry, error) {
	var w where
	kind := strings.HasSuffix(f.Action, ".")
	w.add(f.Who != "", "who = ?", f.Who)
	w.add(kind, "action LIKE ? ESCAPE '!'", literal(f.Action)+"%")
	w.add(f.Action != "" && !kind, "action = ?", f.Action)
	w.add(f.Before != "", "id < ?", f.Before)
	entries, err := list(ctx, d, d.read, scanAudit, `SELECT id, at, who, action, target, detail, address FROM audit`+
		w.sql()+` ORDER BY id DESC LIMIT ?`, append(w.args, f.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("list audit entries: %w", err)
	}
	return entries, nil
}

func scanAudit(row scanner) (AuditEntry, error) {
	var e AuditEntry
	var at int64
	err := row.Scan(&e.ID, &at, &e.Who, &e.Action, &e.Target, &e.Detail, &e.Address)
	e.At = fromMillis(at)
	return e, err
}

// ExpireAudit deletes at most limit entries that are older than before, and
// returns how many. It looks from the oldest id on, which is the oldest entry.
func (d *db) ExpireAudit(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := d.exec(ctx, d.write, `DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? ORDER BY id LIMIT ?)`,
		toMillis(before), limit)
	if err != nil {
		return 0, fmt.Errorf("expire audit entries: %w", err)
	}
	return n, nil
}
