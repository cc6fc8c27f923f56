package store

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
)

//go:embed migrations/citus.sql
var citusSchema string

// Errors of distribution.
var (
	errNoCitus     = errors.New("the database has no Citus; run CREATE EXTENSION citus on every node, and name the nodes with citus_add_node")
	errDistributed = errors.New("the tables are distributed already")
)

// DistributeCitus spreads the tables that grow with the fleet over the nodes of
// a Citus cluster, see migrations/citus.sql. No collector may be running; rows
// that are there are moved to their nodes.
func (p *Postgres) DistributeCitus(ctx context.Context) error {
	err := p.distribute(ctx)
	if err != nil {
		return fmt.Errorf("distribute: %w", err)
	}
	return nil
}

func (p *Postgres) distribute(ctx context.Context) error {
	var citus bool
	err := p.queryRow(ctx, p.write, `SELECT EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'create_distributed_table')`).Scan(&citus)
	switch {
	case err != nil:
		return err
	case !citus:
		return errNoCitus
	case p.ordered:
		return errDistributed
	}
	if _, err := p.pool.Exec(ctx, citusSchema); err != nil { // one transaction
		return err
	}
	return p.heedCitus(ctx)
}

// orderLock is the advisory lock that keeps the order of numbers on Citus.
const orderLock = migrationLock + 1

// heedCitus finds out whether the tables are distributed, and does then what
// numbers in the order of commits take.
//
// A transaction on several nodes is visible on its coordinator, and the counter
// free for the next, a moment before it is on all nodes: the next one could
// overtake it. An advisory lock is given back later, when every node has
// committed. So whoever takes numbers holds it, and whoever reads by number waits
// for it once: up to the number that it finds then, everything is to be seen. A
// node that dies between its two phases of a commit is the exception: what it
// holds appears, in the place of its number, when Citus has recovered it.
func (p *Postgres) heedCitus(ctx context.Context) error {
	var known bool
	if err := p.queryRow(ctx, p.read, `SELECT to_regclass('pg_dist_partition') IS NOT NULL`).Scan(&known); err != nil || !known {
		return err
	}
	err := p.queryRow(ctx, p.read, `SELECT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'alerts'::regclass)`).Scan(&p.ordered)
	if err == nil && p.ordered {
		p.fence = p.settledSeq
	}
	return err
}

// settledSeq returns a number up to which every node has committed.
func (p *Postgres) settledSeq(ctx context.Context) (seq int64, err error) {
	err = p.batched(ctx, func(run runner) error {
		return run(ctx, []statement{
			{query: `SELECT pg_advisory_xact_lock_shared(?)`, args: []any{int64(orderLock)}, row: func(scanner) error { return nil }},
			{query: `SELECT value FROM counter WHERE name = 'alerts'`, row: func(row scanner) error { return row.Scan(&seq) }},
		})
	})
	return seq, err
}

// keepOrder is the statement before numbers are taken.
func keepOrder() statement {
	return statement{
		query: `SELECT pg_advisory_xact_lock(?)`,
		args:  []any{int64(orderLock)},
		row:   func(scanner) error { return nil },
	}
}
