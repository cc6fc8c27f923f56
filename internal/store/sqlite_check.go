package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// applicationID marks our file, see migrations/00001_first.sql.
const applicationID = 0x4d474331

// Why a file is refused.
var (
	errNotSQLite = errors.New("the file is damaged or not a SQLite database; move it away or name another file")
	errForeign   = errors.New("the file is the database of another program; name another file")
)

// checkFile refuses a file that is damaged or not ours. It opens the file for
// reading only, so that a foreign file is not changed by looking at it.
func checkFile(ctx context.Context, abs string) error {
	db, err := sql.Open("sqlite", dsn(abs, "mode=ro", "_busy_timeout=10000"))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if err := checkOwner(ctx, db); err != nil {
		return err
	}
	return checkPages(ctx, db)
}

// checkOwner accepts our own file, and one without tables but goose's: an empty
// one, or one whose first migration was cut short.
func checkOwner(ctx context.Context, db *sql.DB) error {
	var id, tables int64
	err := db.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id),
		(SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name <> 'goose_db_version')`).
		Scan(&id, &tables)
	switch {
	case err != nil:
		return diagnose(err)
	case id == applicationID, id == 0 && tables == 0:
		return nil
	}
	return errForeign
}

// checkPages reads the whole file once for damage.
func checkPages(ctx context.Context, db *sql.DB) error {
	var answer string
	if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&answer); err != nil {
		return diagnose(err)
	}
	if answer != "ok" {
		return errNotSQLite
	}
	return nil
}

// diagnose tells damage from what may pass, such as a lock of another process.
func diagnose(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff { // the higher bits tell the kind of damage
		case sqlitelib.SQLITE_CORRUPT, sqlitelib.SQLITE_NOTADB:
			return errNotSQLite
		}
	}
	return fmt.Errorf("check the file: %w", err)
}
