package collect

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// maxGroup is the number of records after which a commit takes no further batch.
const maxGroup = 2000

// maxKept is the most conflicts and the most dead letters kept for one agent. A
// faulty agent cannot fill the disk with them; the counters go on.
const maxKept = 1000

// pendingSave is a batch on its way. Everything but batch is written under
// commitMu.
type pendingSave struct {
	batch   Batch
	done    bool
	results []Result
	err     error
}

// Save commits the batch. Batches that arrive while another commit runs share
// the next one: whoever gets the lock first commits for all that wait, so that
// the cost of a disk flush is shared and no goroutine of our own is needed.
//
// A caller that goes away does not stop the commit: others may share it.
func (s *SQLite) Save(ctx context.Context, b Batch) ([]Result, error) {
	p := &pendingSave{batch: b}
	s.queueMu.Lock()
	s.queue = append(s.queue, p)
	s.queueMu.Unlock()

	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	for !p.done {
		s.commit(context.WithoutCancel(ctx), s.takeGroup())
	}
	return p.results, p.err
}

// takeGroup takes the batches of the next commit from the queue: at least one.
func (s *SQLite) takeGroup() []*pendingSave {
	s.queueMu.Lock()
	defer s.queueMu.Unlock()
	n, records := 0, 0
	for n < len(s.queue) && (n == 0 || records+len(s.queue[n].batch.Records) <= maxGroup) {
		records += len(s.queue[n].batch.Records)
		n++
	}
	group := s.queue[:n:n]
	s.queue = s.queue[n:]
	return group
}

// commit writes the group in one transaction and settles every member.
func (s *SQLite) commit(ctx context.Context, group []*pendingSave) {
	err := s.inTransaction(ctx, func(tx *sql.Tx) error {
		for _, p := range group {
			var err error
			if p.results, err = saveBatch(ctx, tx, p.batch); err != nil {
				return err
			}
		}
		return nil
	})
	for _, p := range group {
		p.done = true
		if err != nil {
			p.results, p.err = nil, fmt.Errorf("save batch: %w", err)
		}
	}
}

func (s *SQLite) inTransaction(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// tally counts the answers of one batch.
type tally struct{ stored, rejected, conflicts int }

func (t *tally) add(r Result) {
	switch {
	case r.Status == Stored:
		t.stored++
	case r.Reason == ReasonConflict:
		t.conflicts++
		t.rejected++
	case r.Status == Rejected:
		t.rejected++
	}
}

func saveBatch(ctx context.Context, tx *sql.Tx, b Batch) ([]Result, error) {
	if err := saveAgent(ctx, tx, b); err != nil {
		return nil, err
	}
	results := make([]Result, 0, len(b.Records))
	var t tally
	for _, r := range b.Records {
		res, err := saveRecord(ctx, tx, b, r)
		if err != nil {
			return nil, err
		}
		t.add(res)
		results = append(results, res)
	}
	return results, saveTally(ctx, tx, b.Agent.UID, t)
}

func saveAgent(ctx context.Context, tx *sql.Tx, b Batch) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO agents (uid, hostname, os, version, rules_version, first_seen, last_seen, heartbeat)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (uid) DO UPDATE SET
			hostname = excluded.hostname, os = excluded.os, version = excluded.version,
			rules_version = excluded.rules_version,
			last_seen = max(agents.last_seen, excluded.last_seen),
			heartbeat = coalesce(excluded.heartbeat, agents.heartbeat)`,
		b.Agent.UID, b.Agent.Hostname, b.Agent.OS, b.Agent.Version, b.Agent.RulesVersion,
		b.ReceivedAt.UnixMilli(), b.ReceivedAt.UnixMilli(), nullText(b.Heartbeat))
	return err
}

func saveTally(ctx context.Context, tx *sql.Tx, agentUID string, t tally) error {
	if t == (tally{}) {
		return nil
	}
	_, err := tx.ExecContext(ctx, `
		UPDATE agents SET alerts = alerts + ?, rejected = rejected + ?, conflicts = conflicts + ? WHERE uid = ?`,
		t.stored, t.rejected, t.conflicts, agentUID)
	return err
}

func saveRecord(ctx context.Context, tx *sql.Tx, b Batch, r Record) (Result, error) {
	if r.Refused != "" {
		return Result{UID: r.UID, Status: Rejected, Reason: r.Refused}, saveDeadLetter(ctx, tx, b, r)
	}
	fresh, err := insertAlert(ctx, tx, b, r)
	if err != nil || fresh {
		return Result{UID: r.UID, Status: Stored}, err
	}
	same, err := isStored(ctx, tx, b.Agent.UID, r)
	if err != nil || same {
		return Result{UID: r.UID, Status: Duplicate}, err
	}
	return Result{UID: r.UID, Status: Rejected, Reason: ReasonConflict}, saveConflict(ctx, tx, b, r)
}

// insertAlert stores the record unless its key is taken.
func insertAlert(ctx context.Context, tx *sql.Tx, b Batch, r Record) (fresh bool, err error) {
	hostname := r.Hostname
	if hostname == "" {
		hostname = b.Agent.Hostname
	}
	res, err := tx.ExecContext(ctx, `
		INSERT INTO alerts (id, agent_uid, record_uid, digest, received_at, time,
			hostname, level, brand, rule, score, path, sha256, record)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`,
		alertID(b.Agent.UID, r.UID), b.Agent.UID, r.UID, r.Digest, b.ReceivedAt.UnixMilli(), toMillis(r.Time),
		hostname, r.Level, r.Brand, r.Rule, r.Score, r.Path, r.SHA256, string(r.Raw))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// isStored says whether the key holds this very record.
func isStored(ctx context.Context, tx *sql.Tx, agentUID string, r Record) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, `
		SELECT count(*) FROM alerts WHERE agent_uid = ? AND record_uid = ? AND digest = ?`,
		agentUID, r.UID, r.Digest).Scan(&n)
	return n == 1, err
}

func saveConflict(ctx context.Context, tx *sql.Tx, b Batch, r Record) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO conflicts (agent_uid, record_uid, digest, received_at, record)
		SELECT ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM conflicts WHERE agent_uid = ?) < ?
		ON CONFLICT DO NOTHING`,
		b.Agent.UID, r.UID, r.Digest, b.ReceivedAt.UnixMilli(), string(r.Raw), b.Agent.UID, maxKept)
	return err
}

func saveDeadLetter(ctx context.Context, tx *sql.Tx, b Batch, r Record) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO dead_letters (agent_uid, digest, record_uid, reason, received_at, size, record)
		SELECT ?, ?, ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM dead_letters WHERE agent_uid = ?) < ?
		ON CONFLICT DO NOTHING`,
		b.Agent.UID, r.Digest, r.UID, r.Refused, b.ReceivedAt.UnixMilli(), r.Size, r.Raw, b.Agent.UID, maxKept)
	return err
}

// toMillis is the time as it stands in a column: 0 for none.
func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func nullText(raw json.RawMessage) sql.NullString {
	return sql.NullString{String: string(raw), Valid: raw != nil}
}
