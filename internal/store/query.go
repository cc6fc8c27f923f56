package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// alertColumns are the columns of an Alert without its record; see scanAlert.
const alertColumns = `seq, id, agent_uid, record_uid, group_name, hostname, received_at, time, level, brand, rule, score,
	severity, path, sha256, user_name, host, signer, finding_id, finding_key, digest, status, disposition, assignee,
	closed_at, exception`

const (
	selectAlerts = `SELECT ` + alertColumns + `, record FROM alerts`
	selectBare   = `SELECT ` + alertColumns + `, '' FROM alerts` // without the record
)

func scanAlert(row scanner) (Alert, error) {
	var a Alert
	var received, happened, closed int64
	var record string
	err := row.Scan(&a.Seq, &a.ID, &a.AgentUID, &a.RecordUID, &a.Group, &a.Hostname, &received, &happened, &a.Level, &a.Brand,
		&a.Rule, &a.Score, &a.Severity, &a.Path, &a.SHA256, &a.User, &a.Host, &a.Signer, &a.FindingID, &a.Key, &a.Digest,
		&a.Status, &a.Disposition, &a.Assignee, &closed, &a.Exception, &record)
	a.ReceivedAt, a.Time, a.ClosedAt = fromMillis(received), fromMillis(happened), fromMillis(closed)
	if record != "" {
		a.Record = json.RawMessage(record)
	}
	return a, err
}

// chosen turns a scope and a filter into conditions. Before is not among them:
// it means something else to findings.
func chosen(s Scope, f Filter) *where {
	w := &where{}
	w.scope("group_name", s)
	w.in("id", f.IDs)
	w.in("level", f.Levels)
	w.in("status", f.Statuses)
	for _, c := range []struct{ column, value string }{
		{"brand", f.Brand}, {"rule", f.Rule}, {"hostname", f.Hostname}, {"agent_uid", f.AgentUID}, {"group_name", f.Group},
		{"user_name", f.User}, {"finding_key", f.Key}, {"disposition", f.Disposition}, {"exception", f.Exception},
	} {
		w.add(c.value != "", c.column+" = ?", c.value)
	}
	w.add(f.Host != "", "host = ? AND host <> ''", f.Host)                      // the index holds no ''
	w.add(f.SHA256 != "", "finding_key = ? AND sha256 = finding_key", f.SHA256) // the key is the hash, where there is one
	w.add(f.Assignee == "-", "assignee = ''")
	w.add(f.Assignee != "" && f.Assignee != "-", "assignee = ?", f.Assignee)
	w.contains(f.Text, "path", "hostname", "rule", "user_name", "host")
	w.add(!f.Since.IsZero(), "received_at >= ?", toMillis(f.Since))
	w.add(!f.Until.IsZero(), "received_at < ?", toMillis(f.Until))
	w.add(f.MinScore > 0, "score >= ?", f.MinScore)
	return w
}

// Alerts returns a page of alerts that pass the filter.
func (d *db) Alerts(ctx context.Context, s Scope, f Filter) (Page, error) {
	w := chosen(s, f)
	w.add(f.Before > 0, "seq < ?", f.Before)
	all, err := list(ctx, d, d.read, scanAlert, selectAlerts+w.sql()+` ORDER BY seq DESC LIMIT ?`, append(w.args, f.Limit+1)...)
	if err != nil {
		return Page{}, fmt.Errorf("list alerts: %w", err)
	}
	if len(all) <= f.Limit {
		return Page{Alerts: all}, nil
	}
	return Page{Alerts: all[:f.Limit], Next: all[f.Limit-1].Seq}, nil
}

// Alert returns one alert, or ErrNotFound.
func (d *db) Alert(ctx context.Context, s Scope, id string) (Alert, error) {
	w := &where{}
	w.add(true, "id = ?", id)
	w.scope("group_name", s)
	a, err := one(ctx, d, d.read, scanAlert, selectAlerts+w.sql(), w.args...)
	if err != nil {
		return Alert{}, fmt.Errorf("read alert: %w", err)
	}
	return a, nil
}

// Since returns alerts with a greater Seq, in the order of Seq.
func (d *db) Since(ctx context.Context, s Scope, seq int64, limit int) ([]Alert, error) {
	w := &where{}
	w.add(true, "seq > ?", seq)
	w.scope("group_name", s)
	if d.fence != nil {
		last, err := d.fence(ctx)
		if err != nil {
			return nil, fmt.Errorf("list new alerts: %w", err)
		}
		w.add(true, "seq <= ?", last)
	}
	all, err := list(ctx, d, d.read, scanAlert, selectAlerts+w.sql()+` ORDER BY seq LIMIT ?`, append(w.args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("list new alerts: %w", err)
	}
	return all, nil
}

// LastSeq is the greatest Seq that is committed.
func (d *db) LastSeq(ctx context.Context) (int64, error) {
	if d.fence != nil {
		return d.fence(ctx)
	}
	var n int64
	if err := d.queryRow(ctx, d.read, `SELECT value FROM counter WHERE name = 'alerts'`).Scan(&n); err != nil {
		return 0, fmt.Errorf("read counter: %w", err)
	}
	return n, nil
}

// Similar returns other alerts with something in common, newest first. Each fact
// is asked for by itself, so that each has its index.
func (d *db) Similar(ctx context.Context, s Scope, a Alert, limit int) ([]Alert, error) {
	found := map[int64]Alert{}
	for column, value := range map[string]string{"finding_key": a.SHA256, "host": a.Host, "signer": a.Signer} {
		if err := d.addSimilar(ctx, found, s, a, limit, column+` = ? AND `+column+` <> ''`, value); err != nil {
			return nil, err
		}
	}
	if len(found) == 0 && a.Rule != "" {
		if err := d.addSimilar(ctx, found, s, a, limit, `rule = ? AND brand = ?`, a.Rule, a.Brand); err != nil {
			return nil, err
		}
	}
	all := make([]Alert, 0, len(found))
	for _, one := range found {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Alert) int { return cmp.Compare(b.Seq, a.Seq) })
	return all[:min(limit, len(all))], nil
}

// addSimilar adds alerts that pass the condition, whose first argument is not "".
func (d *db) addSimilar(ctx context.Context, found map[int64]Alert, s Scope, a Alert, limit int, term string, args ...any) error {
	if args[0] == "" {
		return nil
	}
	w := &where{}
	w.add(true, term, args...)
	w.add(true, "id <> ?", a.ID)
	w.scope("group_name", s)
	all, err := list(ctx, d, d.read, scanAlert, selectBare+w.sql()+` ORDER BY seq DESC LIMIT ?`, append(w.args, limit)...)
	if err != nil {
		return fmt.Errorf("list similar alerts: %w", err)
	}
	for _, one := range all {
		found[one.Seq] = one
	}
	return nil
}

// DeadLetters returns refused records, newest first.
func (d *db) DeadLetters(ctx context.Context, s Scope, limit int) ([]DeadLetter, error) {
	w := &where{}
	w.scope("a.group_name", s)
	all, err := list(ctx, d, d.read, scanDeadLetter, `
		SELECT l.agent_uid, a.hostname, l.record_uid, l.digest, l.reason, l.received_at, l.size, l.record
		FROM dead_letters l JOIN agents a ON a.agent_uid = l.agent_uid`+w.sql()+`
		ORDER BY l.received_at DESC, l.agent_uid, l.digest LIMIT ?`, append(w.args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	return all, nil
}

func scanDeadLetter(row scanner) (DeadLetter, error) {
	var l DeadLetter
	var received int64
	err := row.Scan(&l.AgentUID, &l.Hostname, &l.RecordUID, &l.Digest, &l.Reason, &received, &l.Size, &l.Record)
	l.ReceivedAt = fromMillis(received)
	return l, err
}
