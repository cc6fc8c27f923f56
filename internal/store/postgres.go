package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// Bounds of the connections to PostgreSQL, where the URL sets none.
const (
	poolSize       = 16
	connectTimeout = 5 * time.Second // of each host in the URL
	pingTimeout    = 5 * time.Second // of a connection that was idle
)

// migrationLock is the advisory lock under which one collector migrates while
// others that start at the same time wait: "MGC1" as a number.
const migrationLock = applicationID

// Postgres is the Store in PostgreSQL. Batches of alerts and heartbeats go to it
// as pipelines, everything else through database/sql over the same pool.
type Postgres struct {
	db
	groupCommit
	pool *pgxpool.Pool
}

// OpenPostgres opens the store at a PostgreSQL URL and brings its schema up to
// date. The URL may name several hosts: the one that takes writes is used, also
// after a failover. A pooler in between must pool sessions and not transactions,
// because sessions are set up, see setUp. The password may stand in the URL, in
// the file that passfile= or PGPASSFILE names, or in PGPASSWORD. The error is one
// line without the URL and the password.
func OpenPostgres(ctx context.Context, url string) (*Postgres, error) {
	cfg, err := poolConfig(url)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	p, err := openPool(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", discreet(err, cfg))
	}
	return p, nil
}

func openPool(ctx context.Context, cfg *pgxpool.Config) (*Postgres, error) {
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	p := &Postgres{db: db{dialect: dialectPostgres}, pool: pool}
	p.read = stdlib.OpenDBFromPool(pool)
	p.write = p.read
	p.batched, p.looked = p.inPipeline, p.readPipeline
	if err := p.prepare(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// poolConfig reads the URL. What is wrong with it is not told: the parser's
// errors repeat parts of it.
func poolConfig(url string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the address must be a URL as postgres://USER@HOST:PORT,HOST:PORT/DATABASE?sslmode=verify-full")
	}
	if !strings.Contains(url, "pool_max_conns=") {
		cfg.MaxConns = poolSize
	}
	cfg.MaxConns = max(cfg.MaxConns, 2) // one migrates while another holds the lock
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	if cfg.ConnConfig.ValidateConnect == nil {
		cfg.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "meetguard-collector"
	}
	cfg.PingTimeout = pingTimeout
	cfg.AfterConnect = setUp
	return cfg, nil
}

// errLazyCommit refuses a server that would acknowledge what a crash can take.
var errLazyCommit = errors.New("synchronous_commit is off: alerts could be lost after they were acknowledged; set it to on")

// setUp makes a session fit for the promise of Save.
//
// A COMMIT that waits for a standby and is cancelled by a statement_timeout
// reports success, with a warning. A collector that vanishes in a transaction
// would keep the counter locked, and one that waits for a lock for ever would use
// up the connections: both have an end
// (https://www.postgresql.org/docs/15/runtime-config-client.html).
func setUp(ctx context.Context, conn *pgx.Conn) error {
	var mode string
	err := conn.QueryRow(ctx, `SELECT current_setting('synchronous_commit') FROM (SELECT
		set_config('statement_timeout', '0', false), set_config('lock_timeout', '10s', false),
		set_config('idle_in_transaction_session_timeout', '30s', false)) AS s`).Scan(&mode)
	if err == nil && mode == "off" {
		return errLazyCommit
	}
	return err
}

// discreet makes the error one line, and takes out the password should it be there.
func discreet(err error, cfg *pgxpool.Config) error {
	if errors.Is(err, errLazyCommit) {
		return errLazyCommit
	}
	text := strings.Join(strings.Fields(err.Error()), " ")
	if password := cfg.ConnConfig.Password; password != "" {
		text = strings.ReplaceAll(text, password, "…")
	}
	return errors.New(text)
}

// prepare migrates, one collector at a time. The lock is held by a transaction
// that does nothing else, so that a pooler between us and the server is no harm.
func (p *Postgres) prepare(ctx context.Context) error {
	tx, err := p.pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) // it wrote nothing, and gives back the lock
	for _, query := range []string{
		`SET LOCAL lock_timeout = 0`,
		`SET LOCAL idle_in_transaction_session_timeout = 0`,
		fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, migrationLock),
	} {
		if _, err := tx.Exec(ctx, query); err != nil {
			return err
		}
	}
	if p.schema, err = migrate(ctx, p.write, p.dialect); err != nil {
		return err
	}
	if err := p.checkSchema(ctx); err != nil {
		return err
	}
	return p.heedCitus(ctx)
}

// Close closes all connections.
func (p *Postgres) Close() error {
	err := p.db.Close()
	p.pool.Close()
	return err
}

// Save commits the batch with those that wait, and tries again if the server
// fails over meanwhile: a record that was committed before its answer came is a
// duplicate then.
func (p *Postgres) Save(ctx context.Context, b Batch) ([]Result, error) {
	return p.save(ctx, b, func(ctx context.Context, group []*pendingSave) error {
		return p.again(ctx, func(ctx context.Context) error { return p.saveGroup(ctx, group) })
	})
}

// Beat takes heartbeats.
func (p *Postgres) Beat(ctx context.Context, beats []Beat) error { return p.beat(ctx, beats, p.again) }
