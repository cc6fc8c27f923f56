package collect

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// readers is the most queries that read at the same time.
const readers = 4

// SQLite is the Store in one SQLite file. One connection writes; WAL lets the
// others read meanwhile.
type SQLite struct {
	write *sql.DB
	read  *sql.DB

	schema int64 // version of the newest migration

	queueMu  sync.Mutex
	queue    []*pendingSave // batches that wait for a commit
	commitMu sync.Mutex     // held by the one who commits
}

// OpenSQLite opens or creates the store in the file path, and brings its schema
// up to date. A file that is damaged or belongs to another program is refused
// and left as it is. The file is readable by its owner only.
func OpenSQLite(ctx context.Context, path string) (*SQLite, error) {
	s, err := openSQLite(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open store %q: %w", path, err)
	}
	return s, nil
}

func openSQLite(ctx context.Context, path string) (*SQLite, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := createPrivate(abs); err != nil {
		return nil, err
	}
	if err := checkFile(ctx, abs); err != nil {
		return nil, err
	}
	if err := os.Chmod(abs, 0o600); err != nil {
		return nil, reason(err)
	}
	s := &SQLite{}
	if err := s.connect(ctx, abs); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// createPrivate makes an empty file for its owner only if there is none. SQLite
// gives its journals the mode of the file they belong to.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return reason(err)
	}
	return f.Close()
}

// reason takes the path out of an error that will name the path anyway.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// connect opens both sides and migrates. synchronous=FULL: a commit in WAL mode
// is on disk when it returns, without it the last commits can be lost with the
// power (https://www.sqlite.org/pragma.html#pragma_synchronous).
func (s *SQLite) connect(ctx context.Context, path string) error {
	var err error
	if s.write, err = sql.Open("sqlite", dsn(path,
		"_busy_timeout=10000", "_journal_mode=WAL", "_synchronous=FULL", "_foreign_keys=on", "_txlock=immediate")); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if s.schema, err = migrate(ctx, s.write); err != nil {
		return err
	}
	if s.read, err = sql.Open("sqlite", dsn(path, "_busy_timeout=10000", "_query_only=on")); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	return s.Ready(ctx)
}

// dsn names the file in the form in which no character of the path has a
// meaning of its own.
func dsn(abs string, options ...string) string {
	p := filepath.ToSlash(abs)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // a Windows drive: file:///C:/…
	}
	u := url.URL{Scheme: "file", Path: p, RawQuery: strings.Join(options, "&")}
	return u.String()
}

// migrate runs the migrations that are missing and returns the newest version.
func migrate(ctx context.Context, db *sql.DB) (int64, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return 0, err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir,
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

// Ready tells whether the file answers and its schema is the one of this program.
func (s *SQLite) Ready(ctx context.Context) error {
	var version int64
	err := s.read.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&version)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if version != s.schema {
		return fmt.Errorf("schema is version %d, this version knows %d", version, s.schema)
	}
	return nil
}

// Close closes the file.
func (s *SQLite) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.read, s.write} { // the writer last: it folds the journal back
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}
