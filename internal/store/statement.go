package store

import (
	"context"
	"database/sql"
)

// statement is one statement of a transaction. Statements that do not depend on
// each other's answers are run together, which is one round trip on PostgreSQL.
type statement struct {
	query   string // with ? for arguments
	args    []any
	row     func(scanner) error // takes each row; nil if the statement returns none
	changed *int64              // takes the number of rows changed, unless nil
}

// runner runs statements in order, within one transaction.
type runner func(ctx context.Context, all []statement) error

// transact runs do in a transaction that writes, and commits if it returns nil.
type transact func(ctx context.Context, do func(run runner) error) error

// inSQL is transact over database/sql, one statement after the other.
func (d *db) inSQL(ctx context.Context, do func(run runner) error) error {
	return d.inTx(ctx, func(tx *sql.Tx) error {
		return do(func(ctx context.Context, all []statement) error {
			for i := range all {
				if err := d.runSQL(ctx, tx, &all[i]); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (d *db) runSQL(ctx context.Context, tx *sql.Tx, st *statement) error {
	if st.row != nil {
		_, err := list(ctx, d, tx, func(s scanner) (struct{}, error) { return struct{}{}, st.row(s) }, st.query, st.args...)
		return err
	}
	n, err := d.exec(ctx, tx, st.query, st.args...)
	if st.changed != nil {
		*st.changed = int64(n)
	}
	return err
}
