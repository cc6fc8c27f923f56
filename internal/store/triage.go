package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// triageChunk is the number of alerts in one transaction of triage or expiry.
const triageChunk = 500

// triaged is an alert under triage: its key, and what a person decides about it.
type triaged struct {
	agent, record                 string
	status, disposition, assignee string
	found                         bool // still there when its row was locked
}

// Triage applies a change to alerts and writes their history.
func (d *db) Triage(ctx context.Context, s Scope, ids []string, c Change) (int, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	n := 0
	for chunk := range slices.Chunk(ids, triageChunk) {
		changed, err := d.triageSome(ctx, s, chunk, c)
		if err != nil {
			return n, fmt.Errorf("change alerts: %w", err)
		}
		n += changed
	}
	return n, nil
}

// triageSome finds the keys first, then locks row by row in the order of keys: a
// distributed PostgreSQL locks rows only where the agent is named.
func (d *db) triageSome(ctx context.Context, s Scope, ids []string, c Change) (n int, err error) {
	alerts, err := d.findTriaged(ctx, s, ids)
	if err != nil || len(alerts) == 0 {
		return 0, err
	}
	err = d.batched(ctx, func(run runner) error {
		n = 0
		if err := run(ctx, d.lockTriaged(s, alerts)); err != nil {
			return err
		}
		var all []statement
		for _, a := range alerts {
			if action := a.apply(c); a.found && action != "" {
				n++
				all = append(all, a.update(c), a.event(c, action))
			}
		}
		if len(all) == 0 {
			return nil
		}
		return run(ctx, all)
	})
	return n, err
}

func (d *db) findTriaged(ctx context.Context, s Scope, ids []string) ([]*triaged, error) {
	w := &where{}
	w.in("id", ids)
	w.scope("group_name", s)
	return list(ctx, d, d.read, func(row scanner) (*triaged, error) {
		a := &triaged{}
		return a, row.Scan(&a.agent, &a.record)
	}, `SELECT agent_uid, record_uid FROM alerts`+w.sql()+` ORDER BY agent_uid, record_uid`, w.args...)
}

// lockTriaged looks again whether the alerts are within the scope: one may have
// been moved meanwhile.
func (d *db) lockTriaged(s Scope, alerts []*triaged) (all []statement) {
	for _, a := range alerts {
		w := &where{}
		w.add(true, "agent_uid = ? AND record_uid = ?", a.agent, a.record)
		w.scope("group_name", s)
		all = append(all, statement{
			query: `SELECT status, disposition, assignee FROM alerts` + w.sql() + d.dialect.lock,
			args:  w.args,
			row: func(row scanner) error {
				a.found = true
				return row.Scan(&a.status, &a.disposition, &a.assignee)
			},
		})
	}
	return all
}

// apply changes the alert and returns what was done in words, "" for nothing. An
// alert that is not closed has no disposition.
func (a *triaged) apply(c Change) string {
	before := *a
	set(&a.status, c.Status)
	set(&a.disposition, c.Disposition)
	set(&a.assignee, c.Assignee)
	if a.status != StatusClosed {
		a.disposition = ""
	}
	var done []string
	add := func(did bool, what string) {
		if did {
			done = append(done, what)
		}
	}
	decided := a.status == StatusClosed && a.disposition != before.disposition
	add(a.status != before.status || decided, a.stateInWords(before))
	add(a.assignee != before.assignee, assignment(a.assignee, c.Who))
	add(len(done) == 0 && c.Note != "", "note")
	return strings.Join(done, ", ")
}

func set(to *string, value *string) {
	if value != nil {
		*to = *value
	}
}

// stateInWords tells how the alert came from the state before to that of now.
func (a *triaged) stateInWords(before triaged) string {
	switch {
	case a.status == StatusClosed && a.disposition != "":
		return "closed as " + strings.ReplaceAll(a.disposition, "_", " ")
	case a.status == StatusClosed:
		return "closed"
	case a.status == StatusSuppressed:
		return "suppressed"
	case before.status == StatusClosed || before.status == StatusSuppressed:
		return "reopened"
	case a.status == StatusInProgress:
		return "started work"
	}
	return "set to " + strings.ReplaceAll(a.status, "_", " ")
}

func assignment(assignee, who string) string {
	switch assignee {
	case "":
		return "gave it back"
	case who:
		return "took it"
	}
	return "assigned to " + assignee
}

func (a *triaged) update(c Change) statement {
	at := int64(0)
	if a.status == StatusClosed {
		at = toMillis(c.At)
	}
	return statement{
		query: `UPDATE alerts SET status = ?, disposition = ?, assignee = ?,
			closed_at = CASE WHEN status = 'closed' AND closed_at > 0 AND CAST(? AS BIGINT) > 0 THEN closed_at ELSE ? END
			WHERE agent_uid = ? AND record_uid = ?`,
		args: []any{a.status, a.disposition, a.assignee, at, at, a.agent, a.record},
	}
}

func (a *triaged) event(c Change, action string) statement {
	return statement{
		query: `INSERT INTO alert_events (agent_uid, record_uid, id, at, who, action, note) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		args:  []any{a.agent, a.record, NewID(), toMillis(c.At), c.Who, action, c.Note},
	}
}

// History returns what was done with an alert, oldest first.
func (d *db) History(ctx context.Context, s Scope, id string) ([]Event, error) {
	a, err := d.Alert(ctx, s, id)
	if err != nil {
		return nil, err
	}
	all, err := list(ctx, d, d.read, func(row scanner) (Event, error) {
		var e Event
		var at int64
		err := row.Scan(&e.ID, &at, &e.Who, &e.Action, &e.Note)
		e.At = fromMillis(at)
		return e, err
	}, `SELECT id, at, who, action, note FROM alert_events WHERE agent_uid = ? AND record_uid = ? ORDER BY at, id`, a.AgentUID, a.RecordUID)
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	return all, nil
}

// Expire deletes old alerts. Each state is asked for by itself, oldest first:
// the index of states and times finds them without reading what stays.
func (d *db) Expire(ctx context.Context, before, openBefore time.Time, limit int) (int, error) {
	n := 0
	for _, old := range []struct {
		status string
		before time.Time
	}{{StatusClosed, before}, {StatusSuppressed, before}, {StatusNew, openBefore}, {StatusInProgress, openBefore}} {
		for !old.before.IsZero() && n < limit {
			found, deleted, err := d.expireSome(ctx, old.status, old.before, min(limit-n, triageChunk))
			n += deleted
			if err != nil {
				return n, fmt.Errorf("expire alerts: %w", err)
			}
			if found == 0 || deleted == 0 {
				break
			}
		}
	}
	return n, nil
}

// expireSome deletes at most limit alerts, by key: a distributed PostgreSQL
// deletes a chunk only where the agent is named. An alert that was reopened since
// it was found stays.
func (d *db) expireSome(ctx context.Context, status string, before time.Time, limit int) (found, deleted int, err error) {
	alerts, err := list(ctx, d, d.read, func(row scanner) (*triaged, error) {
		a := &triaged{}
		return a, row.Scan(&a.agent, &a.record)
	}, `SELECT agent_uid, record_uid FROM alerts WHERE status = ? AND received_at < ? ORDER BY received_at LIMIT ?`, status, toMillis(before), limit)
	if err != nil || len(alerts) == 0 {
		return 0, 0, err
	}
	slices.SortFunc(alerts, func(a, b *triaged) int {
		return cmp.Or(cmp.Compare(a.agent, b.agent), cmp.Compare(a.record, b.record))
	})
	err = d.batched(ctx, func(run runner) error {
		deleted = 0
		gone := make([]int64, len(alerts))
		var all []statement
		for i, a := range alerts {
			all = append(all, statement{
				query:   `DELETE FROM alerts WHERE agent_uid = ? AND record_uid = ? AND status = ?`,
				args:    []any{a.agent, a.record, status},
				changed: &gone[i],
			})
		}
		if err := run(ctx, all); err != nil {
			return err
		}
		all = nil
		for i, a := range alerts {
			if deleted += int(gone[i]); gone[i] > 0 {
				all = append(all, statement{
					query: `DELETE FROM alert_events WHERE agent_uid = ? AND record_uid = ?`,
					args:  []any{a.agent, a.record},
				})
			}
		}
		if len(all) == 0 {
			return nil
		}
		return run(ctx, all)
	})
	return len(alerts), deleted, err
}
