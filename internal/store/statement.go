package store

import (
	"context"
	"database/sql"
	"sync"
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
	p := prepared{d: d, all: map[string]*sql.Stmt{}}
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		p.tx = tx
		return do(func(ctx context.Context, all []statement) error {
			for i := range all {
				if err := p.run(ctx, &all[i]); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err == nil {
		d.compiled.keep(ctx, d, p.fresh)
	}
	return err
}

// prepared keeps the statements of a transaction, most of which come many times:
// SQLite takes as long to compile one as to run it.
type prepared struct {
	d     *db
	tx    *sql.Tx
	all   map[string]*sql.Stmt // closed with the transaction
	fresh []string             // queries that had to be compiled
}

func (p *prepared) run(ctx context.Context, st *statement) error {
	stmt, err := p.stmt(ctx, st.query)
	if err != nil {
		return err
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

func (p *prepared) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	stmt := p.all[query]
	if stmt != nil {
		return stmt, nil
	}
	if kept := p.d.compiled.get(query); kept != nil {
		stmt = p.tx.StmtContext(ctx, kept)
	} else {
		var err error
		if stmt, err = p.tx.PrepareContext(ctx, p.d.dialect.bind(query)); err != nil {
			return nil, err
		}
		p.fresh = append(p.fresh, query)
	}
	p.all[query] = stmt
	return stmt, nil
}

// maxCompiled bounds the statements that are kept between transactions. Those of
// the hot path are some ten.
const maxCompiled = 64

// compiled are statements that are kept compiled between transactions. They are
// closed with the pool.
type compiled struct {
	mu  sync.Mutex
	all map[string]*sql.Stmt
}

func (c *compiled) get(query string) *sql.Stmt {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[query]
}

// keep compiles the queries of a transaction for those that follow. It is done
// between two transactions and without the lock, because there is one connection
// that writes. One that cannot be compiled is compiled in its transaction again.
func (c *compiled) keep(ctx context.Context, d *db, queries []string) {
	for _, query := range queries {
		if !c.wants(query) {
			continue
		}
		if _, err := c.prepare(ctx, d.write, d.dialect.bind(query)); err != nil {
			return
		}
	}
}

// prepare returns the statement, compiled at its first use.
func (c *compiled) prepare(ctx context.Context, pool *sql.DB, query string) (*sql.Stmt, error) {
	if stmt := c.get(query); stmt != nil {
		return stmt, nil
	}
	stmt, err := pool.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return c.put(query, stmt), nil
}

func (c *compiled) wants(query string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[query] == nil && len(c.all) < maxCompiled
}

// put keeps a statement, and returns the one to use: another one if somebody has
// compiled it meanwhile.
func (c *compiled) put(query string, stmt *sql.Stmt) *sql.Stmt {
	c.mu.Lock()
	defer c.mu.Unlock()
	if kept := c.all[query]; kept != nil {
		stmt.Close() // it has run nothing
		return kept
	}
	if c.all == nil {
		c.all = map[string]*sql.Stmt{}
	}
	c.all[query] = stmt
	return stmt
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
