package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"
)

//go:embed migrations
var migrations embed.FS

// readers is the most queries that read at the same time.
const readers = 4

// Of the connection that writes: an alert changes pages all over the file, and
// most of them again soon. So many of them are kept in memory, and gathered in the
// journal before they are written back.
const (
	walPages    = 8000     // of 4 KiB
	writerCache = 16 << 20 // bytes
)

// SQLite is the Store in one SQLite file. One connection writes; WAL lets the
// others read meanwhile.
type SQLite struct {
	db
	groupCommit
	path    string
	reading compiled // of readEach
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
	s := &SQLite{db: db{dialect: dialectSQLite}, path: abs}
	s.batched, s.looked = s.inSQL, s.readEach
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
		"_busy_timeout=10000", "_journal_mode=WAL", "_synchronous=FULL", "_foreign_keys=on", "_txlock=immediate",
		fmt.Sprintf("_pragma=wal_autocheckpoint(%d)", walPages), fmt.Sprintf("_pragma=cache_size(-%d)", writerCache>>10))); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if s.schema, err = s.migrate(ctx); err != nil {
		return err
	}
	if s.read, err = sql.Open("sqlite", dsn(path, "_busy_timeout=10000", "_query_only=on")); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	return s.checkSchema(ctx)
}

// migrateTries is how often a file is migrated that others migrate too: each try
// finds it further, and the last one finds nothing to do.
const migrateTries = 10

// migrate brings the file up to date. Of two processes that open a new one at once,
// such as a collector that starts and a command beside it, both plan the same
// migrations; each of these is one transaction, so the second process fails at the
// first table that is there already, with nothing changed, and looks again what is
// left.
func (s *SQLite) migrate(ctx context.Context) (version int64, err error) {
	for range migrateTries {
		var e *sqlite.Error
		if version, err = migrate(ctx, s.write, s.dialect); !errors.As(err, &e) {
			return version, err
		}
		select {
		case <-ctx.Done():
			return version, err
		case <-time.After(100 * time.Millisecond):
		}
	}
	return version, err
}

// readEach runs statements that read, one after the other.
func (s *SQLite) readEach(ctx context.Context, all []statement) error {
	for i := range all {
		stmt, err := s.reading.prepare(ctx, s.read, all[i].query)
		if err == nil {
			err = queryPrepared(ctx, stmt, &all[i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Save commits the batch with those that wait.
func (s *SQLite) Save(ctx context.Context, b Batch) ([]Result, error) {
	return s.save(ctx, b, s.saveGroup)
}

// Beat takes heartbeats.
func (s *SQLite) Beat(ctx context.Context, beats []Beat) error {
	return s.beat(ctx, beats, func(ctx context.Context, do func(context.Context) error) error { return do(ctx) })
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
