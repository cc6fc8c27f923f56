package collect

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

const selectAlerts = `SELECT seq, id, agent_uid, hostname, received_at, time,
	level, brand, rule, score, path, sha256, digest, record FROM alerts`

// Alerts returns one page, newest first.
func (s *SQLite) Alerts(ctx context.Context, f Filter) (Page, error) {
	where, args := conditions(f)
	rows, err := s.read.QueryContext(ctx, selectAlerts+where+` ORDER BY seq DESC LIMIT ?`, append(args, f.Limit+1)...)
	if err != nil {
		return Page{}, fmt.Errorf("list alerts: %w", err)
	}
	alerts, err := collectRows(rows, scanAlert)
	if err != nil {
		return Page{}, fmt.Errorf("list alerts: %w", err)
	}
	if len(alerts) <= f.Limit {
		return Page{Alerts: alerts}, nil
	}
	alerts = alerts[:f.Limit]
	return Page{Alerts: alerts, Next: alerts[f.Limit-1].Seq}, nil
}

// conditions turns the filter into SQL; values are always arguments.
func conditions(f Filter) (where string, args []any) {
	var terms []string
	add := func(used bool, term string, value any) {
		if used {
			terms = append(terms, term)
			args = append(args, value)
		}
	}
	add(f.Level != "", "level = ?", f.Level)
	add(f.Brand != "", "brand = ?", f.Brand)
	add(f.Rule != "", "rule = ?", f.Rule)
	add(f.Hostname != "", "hostname = ?", f.Hostname)
	add(!f.Since.IsZero(), "received_at >= ?", f.Since.UnixMilli())
	add(f.Before > 0, "seq < ?", f.Before)
	if len(terms) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(terms, " AND "), args
}

// Alert returns the alert with the id.
func (s *SQLite) Alert(ctx context.Context, id string) (Alert, error) {
	a, err := scanAlert(s.read.QueryRowContext(ctx, selectAlerts+` WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Alert{}, ErrNotFound
	}
	if err != nil {
		return Alert{}, fmt.Errorf("read alert: %w", err)
	}
	return a, nil
}

// Agents returns agents ordered by uid.
func (s *SQLite) Agents(ctx context.Context, after string, limit int) ([]AgentStatus, error) {
	rows, err := s.read.QueryContext(ctx, `
		SELECT uid, hostname, os, version, rules_version, first_seen, last_seen, heartbeat, alerts, rejected, conflicts
		FROM agents WHERE uid > ? ORDER BY uid LIMIT ?`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list agents: %w", err)
	}
	agents, err := collectRows(rows, scanAgent)
	if err != nil {
		return nil, fmt.Errorf("list agents: %w", err)
	}
	return agents, nil
}

// scanner is one row of sql.Row or sql.Rows.
type scanner interface{ Scan(dest ...any) error }

func scanAlert(row scanner) (Alert, error) {
	var a Alert
	var received, happened int64
	var record string
	err := row.Scan(&a.Seq, &a.ID, &a.AgentUID, &a.Hostname, &received, &happened,
		&a.Level, &a.Brand, &a.Rule, &a.Score, &a.Path, &a.SHA256, &a.Digest, &record)
	a.ReceivedAt, a.Time, a.Record = fromMillis(received), fromMillis(happened), json.RawMessage(record)
	return a, err
}

func scanAgent(row scanner) (AgentStatus, error) {
	var a AgentStatus
	var first, last int64
	var heartbeat sql.NullString
	err := row.Scan(&a.UID, &a.Hostname, &a.OS, &a.Version, &a.RulesVersion, &first, &last, &heartbeat,
		&a.Alerts, &a.Rejected, &a.Conflicts)
	a.FirstSeen, a.LastSeen = fromMillis(first), fromMillis(last)
	if heartbeat.Valid {
		a.Heartbeat = json.RawMessage(heartbeat.String)
	}
	return a, err
}

// collectRows reads all rows and closes them. The slice is never nil, so that
// it is written as an array.
func collectRows[T any](rows *sql.Rows, scan func(scanner) (T, error)) ([]T, error) {
	defer rows.Close()
	all := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
