package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// beatChunk is the number of heartbeats in one transaction. Between two of them
// batches of alerts get their turn.
const beatChunk = 500

// beat takes heartbeats in chunks, ordered by agent as all locks of agents are.
// attempt runs the transaction of a chunk, perhaps more than once.
func (d *db) beat(ctx context.Context, beats []Beat, attempt func(context.Context, func(context.Context) error) error) error {
	sorted := slices.SortedFunc(slices.Values(beats), func(a, b Beat) int { return cmp.Compare(a.Agent.UID, b.Agent.UID) })
	for chunk := range slices.Chunk(sorted, beatChunk) {
		var all []statement
		if d.dialect.lazy != "" {
			all = append(all, statement{query: d.dialect.lazy})
		}
		for _, b := range chunk {
			all = append(all, beatStatement(b))
		}
		err := attempt(ctx, func(ctx context.Context) error {
			return d.batched(ctx, func(run runner) error { return run(ctx, all) })
		})
		if err != nil {
			return fmt.Errorf("save heartbeats: %w", err)
		}
	}
	return nil
}

// beatStatement writes a heartbeat, unless the agent has been heard since: two
// collectors may bring its heartbeats in the wrong order.
func beatStatement(b Beat) statement {
	at, stopped := toMillis(b.At), int64(0)
	if b.Stopping {
		stopped = at
	}
	var got sql.NullInt64
	var digest sql.NullString
	if b.Log != nil {
		got, digest = sql.NullInt64{Int64: toSeq(b.Log.Received), Valid: true}, sql.NullString{String: b.Log.Digest, Valid: true}
	}
	return statement{
		query: `UPDATE agents SET hostname = coalesce(nullif(?, ''), hostname), os = coalesce(nullif(?, ''), os),
			version = coalesce(nullif(?, ''), version), rules_version = coalesce(nullif(?, ''), rules_version),
			boot_id = coalesce(nullif(?, ''), boot_id), machine_id = CASE WHEN machine_id = '' THEN ? ELSE machine_id END,
			first_seen = CASE WHEN first_seen = 0 THEN ? ELSE first_seen END, last_seen = ?,
			interval_ms = ?, stopped_at = ?, silent_since = 0, trouble = ?, heartbeat = coalesce(?, heartbeat),
			log_seq = ?, log_head = ?,
			got_seq = coalesce(?, got_seq), got_digest = coalesce(?, got_digest) WHERE agent_uid = ? AND last_seen <= ?`,
		args: []any{b.Agent.Hostname, b.Agent.OS, b.Agent.Version, b.Agent.RulesVersion, b.BootID, b.MachineID,
			at, at, b.Interval.Milliseconds(), stopped, b.Trouble, nullText(b.Body), toSeq(b.Seq), b.Head, got, digest, b.Agent.UID, at},
	}
}
