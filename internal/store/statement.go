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
		p := prepared{d: d, tx: tx, all: map[string]*sql.Stmt{}}
		return do(func(ctx context.Context, all []statement) error {
			for i := range all {
				if err := p.run(ctx, &all[i]); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// prepared keeps the statements of a transaction, most of which come many times:
// SQLite takes as long to compile one as to run it.
type prepared struct {
	d   *db
	tx  *sql.Tx
	all map[string]*sql.Stmt // closed with the transaction
}

func (p *prepared) run(ctx context.Context, st *statement) error {
	stmt := p.all[st.query]
	if stmt == nil {
		var err error
		if stmt, err = p.tx.PrepareContext(ctx, p.d.dialect.bind(st.query)); err != nil {
			return err
		}
		p.all[st.query] = stmt
	}
	if st.row != nil {
		return queryPrepared(ctx, stmt, st)
	}
	res, err := stmt.ExecContext(ctx, cleaned(st.args)...)
	if err != nil || st.changed == nil {
		return err
	}
	*st.changed, err = res.RowsAffected()
	return err
}

func queryPrepared(ctx context.Context, stmt *sql.Stmt, st *statement) error {
	rows, err := stmt.QueryContext(ctx, cleaned(st.args)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := st.row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
