package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/pressly/goose/v3"
)

// dialect is what the engines do not agree on.
type dialect struct {
	name     string
	goose    goose.Dialect
	folder   string // of the migrations
	numbered bool   // arguments are $1, $2 … and not ?
	lock     string // ends a SELECT of rows that the transaction will change
	lazy     string // begins a transaction that a crash may take, or ""
}

var (
	dialectSQLite   = dialect{name: "sqlite", goose: goose.DialectSQLite3, folder: "migrations/sqlite"}
	dialectPostgres = dialect{name: "postgres", goose: goose.DialectPostgres, folder: "migrations/postgres", numbered: true, lock: " FOR UPDATE",
		lazy: "SET LOCAL synchronous_commit TO off"}
)

// db holds the SQL that both engines share. On PostgreSQL read and write are
// the same pool.
type db struct {
	dialect  dialect
	read     *sql.DB
	write    *sql.DB
	schema   int64    // version of the newest migration
	batched  transact // transactions of many statements, see statement
	looked   runner   // reads outside of transactions
	compiled compiled // of inSQL
	looks    groupLook

	// Of a distributed PostgreSQL, see heedCitus.
	ordered bool                                 // numbers are taken under a lock of their own
	fence   func(context.Context) (int64, error) // a Seq up to which every query sees everything, or nil
}

// querier is a connection, a pool or a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// bind numbers the arguments of a query for engines that want it. A query holds
// no ? but those of its arguments.
func (d dialect) bind(query string) string {
	if !d.numbered {
		return query
	}
	var b strings.Builder
	n := 0
	for _, part := range strings.SplitAfter(query, "?") {
		head, found := strings.CutSuffix(part, "?")
		b.WriteString(head)
		if found {
			n++
			b.WriteString("$" + strconv.Itoa(n))
		}
	}
	return b.String()
}

// exec runs a statement and returns how many rows it changed.
func (d *db) exec(ctx context.Context, q querier, query string, args ...any) (int, error) {
	res, err := q.ExecContext(ctx, d.dialect.bind(query), cleaned(args)...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

func (d *db) queryRow(ctx context.Context, q querier, query string, args ...any) *sql.Row {
	return q.QueryRowContext(ctx, d.dialect.bind(query), cleaned(args)...)
}

// scanner is one row of sql.Row or sql.Rows.
type scanner interface{ Scan(dest ...any) error }

// list runs a query and scans all of its rows. The slice is never nil, so that
// it is written as an array.
func list[T any](ctx context.Context, d *db, q querier, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, d.dialect.bind(query), cleaned(args)...)
	if err != nil {
		return nil, err
	}
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

// one runs a query for one row; no row is ErrNotFound.
func one[T any](ctx context.Context, d *db, q querier, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	v, err := scan(d.queryRow(ctx, q, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return v, ErrNotFound
	}
	return v, err
}

// inTx runs do in a transaction that writes.
func (d *db) inTx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// where collects conditions; values are always arguments.
type where struct {
	terms []string
	args  []any
}

// add takes a condition if it is used.
func (w *where) add(used bool, term string, args ...any) {
	if used {
		w.terms = append(w.terms, term)
		w.args = append(w.args, args...)
	}
}

// in takes "column is one of the values" if there are any.
func (w *where) in(column string, values []string) {
	if len(values) == 0 {
		return
	}
	w.terms = append(w.terms, column+" IN ("+marks(len(values))+")")
	for _, v := range values {
		w.args = append(w.args, v)
	}
}

// marks is the list of n arguments, at least one.
func marks(n int) string { return "?" + strings.Repeat(", ?", n-1) }

// scope limits to the groups of a Scope; one without groups matches nothing.
func (w *where) scope(column string, s Scope) {
	switch {
	case s.All:
	case len(s.Groups) == 0:
		w.terms = append(w.terms, "1 = 0")
	default:
		w.in(column, s.Groups)
	}
}

// sql is the WHERE clause with a space before it, or "".
func (w *where) sql() string {
	if len(w.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.terms, " AND ")
}

// migrate runs the migrations that are missing and returns the newest version.
func migrate(ctx context.Context, conn *sql.DB, d dialect) (int64, error) {
	dir, err := fs.Sub(migrations, d.folder)
	if err != nil {
		return 0, err
	}
	p, err := goose.NewProvider(d.goose, conn, dir,
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	if current > target {
		return 0, fmt.Errorf("it was written by a newer version (schema %d, this version knows %d)", current, target)
	}
	if _, err := p.Up(ctx); err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	return target, nil
}

// Ready tells whether the engine answers, its schema is the one of this program,
// and nothing is being copied into it.
func (d *db) Ready(ctx context.Context) error {
	if err := d.checkSchema(ctx); err != nil {
		return err
	}
	return d.mustBeWhole(ctx)
}

func (d *db) checkSchema(ctx context.Context) error {
	var version int64
	err := d.read.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&version)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if version != d.schema {
		return fmt.Errorf("schema is version %d, this version knows %d", version, d.schema)
	}
	return nil
}

// Engine is the name of the engine.
func (d *db) Engine() string { return d.dialect.name }

// Close closes the engine, the writer last: SQLite then folds its journal back.
func (d *db) Close() error {
	var errs []error
	if d.read != nil && d.read != d.write {
		errs = append(errs, d.read.Close())
	}
	if d.write != nil {
		errs = append(errs, d.write.Close())
	}
	return errors.Join(errs...)
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

func toFlag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// NewID makes an id that is unique and sorts by the time it was made: UUID
// version 7 (RFC 9562).
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// AlertID is the public id of an alert: 32 hexadecimal digits made from its key.
// It is the same in every store and after every restore, needs no escaping in a
// URL, and cannot be counted through.
func AlertID(agentUID, recordUID string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d:%s%s", len(agentUID), agentUID, recordUID))
	return hex.EncodeToString(sum[:16])
}

// FindingKey is what alerts are grouped by: the file's hash, or the rule.
func FindingKey(sha256, rule string) string {
	if sha256 != "" {
		return sha256
	}
	return "rule:" + rule
}
