package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Bounds of work that is tried again. A failover takes seconds; agents keep what
// was not answered, so nothing is lost by giving up.
const (
	tryFor     = 15 * time.Second // one attempt
	keepTrying = 20 * time.Second // all of them
	waitMost   = time.Second      // between two
)

// outage is an error of the connection and not of the statement.
type outage struct{ error }

func (o outage) Unwrap() error { return o.error }

// isOutage tells whether an error says that the engine cannot be used at all, so
// that other work would fail as well.
func isOutage(err error) bool {
	var o outage
	return errors.As(err, &o) || errors.Is(err, context.DeadlineExceeded)
}

// inPipeline is transact with pipelines.
func (p *Postgres) inPipeline(ctx context.Context, do func(run runner) error) error {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return outage{err}
	}
	defer conn.Release()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return do(p.runner(tx)) })
	if err != nil && conn.Conn().IsClosed() {
		return outage{err}
	}
	return err
}

func (p *Postgres) runner(tx pgx.Tx) runner {
	return func(ctx context.Context, all []statement) error {
		var batch pgx.Batch
		for i := range all {
			p.queue(&batch, &all[i])
		}
		return tx.SendBatch(ctx, &batch).Close()
	}
}

// readPipeline runs statements that read as one pipeline, each for itself.
func (p *Postgres) readPipeline(ctx context.Context, all []statement) error {
	var batch pgx.Batch
	for i := range all {
		p.queue(&batch, &all[i])
	}
	return p.pool.SendBatch(ctx, &batch).Close()
}

func (p *Postgres) queue(batch *pgx.Batch, st *statement) {
	q := batch.Queue(p.dialect.bind(st.query), cleaned(st.args)...)
	if st.row == nil {
		q.Exec(func(tag pgconn.CommandTag) error {
			if st.changed != nil {
				*st.changed = tag.RowsAffected()
			}
			return nil
		})
		return
	}
	q.Query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := st.row(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// again does work that does no harm when it is done twice, until it succeeds,
// fails for good, or has been tried long enough.
func (p *Postgres) again(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, keepTrying)
	defer cancel()
	for wait := waitMost / 16; ; wait = min(2*wait, waitMost) {
		err := once(ctx, do)
		if err == nil || !p.passes(err) {
			return err
		}
		select {
		case <-time.After(wait/2 + rand.N(wait)):
		case <-ctx.Done():
			return outage{err}
		}
	}
}

func once(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	return do(ctx)
}

// passes tells whether an error may be gone at the next attempt. If the server
// takes no writes any more, all connections are made anew.
func (p *Postgres) passes(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return isOutage(err)
	}
	switch e.Code {
	case "25006": // read_only_sql_transaction: this is a standby now
		p.pool.Reset()
		return true
	case "40001", "40P01", "55P03": // serialization_failure, deadlock_detected, lock_not_available
		return true
	case "53300", "57P01", "57P02", "57P03": // too many connections; the server stops, crashed or starts
		return true
	}
	return isOutage(err)
}
