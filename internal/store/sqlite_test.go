package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func TestSQLiteStore(t *testing.T) {
	testStore(t, func(t *testing.T) Store { return openTemp(t) })
}

func openTemp(t *testing.T) *SQLite {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.db")
	if err := os.WriteFile(path, migratedFile(t), 0o600); err != nil {
		t.Fatal(err)
	}
	return openAt(t, path)
}

// migrated is an empty store, made by the first test that needs one: to migrate a
// new one takes longer than most tests.
var migrated struct {
	sync.Once
	file []byte
}

func migratedFile(t *testing.T) []byte {
	migrated.Do(func() {
		path := filepath.Join(t.TempDir(), "migrated.db")
		s, err := OpenSQLite(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if migrated.file, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	})
	if migrated.file == nil {
		t.Fatal("no store was made, see the first test that failed")
	}
	return migrated.file
}

func openAt(t *testing.T, path string) *SQLite {
	t.Helper()
	s, err := OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func count(t *testing.T, s *SQLite, query string) (n int) {
	t.Helper()
	if err := s.read.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSQLiteFlushesEveryCommit(t *testing.T) {
	s := openTemp(t)
	var mode string
	var sync int
	if err := s.write.QueryRow(`SELECT (SELECT journal_mode FROM pragma_journal_mode), (SELECT synchronous FROM pragma_synchronous)`).Scan(&mode, &sync); err != nil {
		t.Fatal(err)
	}
	if mode != "wal" || sync != 2 {
		t.Errorf("journal_mode %s, synchronous %d, want wal and 2 (FULL)", mode, sync)
	}
}

// Batches that wait together are committed together, up to the bounds of a group.
func TestSQLiteGroups(t *testing.T) {
	s := openTemp(t)
	records := make([]Record, maxGroup/2)
	for range 5 {
		s.queue = append(s.queue, &pendingSave{batch: Batch{Records: records}})
	}
	large := Record{Raw: make([]byte, maxGroupBytes/2)}
	for range 3 {
		s.queue = append(s.queue, &pendingSave{batch: Batch{Records: []Record{large}}})
	}
	s.queue = append(s.queue, &pendingSave{batch: Batch{Records: make([]Record, maxGroup+1)}})
	var sizes []int
	for len(s.queue) > 0 {
		sizes = append(sizes, len(s.take()))
	}
	if got := fmt.Sprint(sizes); got != "[2 2 3 1 1]" {
		t.Errorf("groups of %s, want [2 2 3 1 1]", got)
	}
}

func TestSQLiteReopens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a ? b#c%41.db") // every character with a meaning in a URI
	s, err := OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	admit(t, s, "g", "a")
	save(t, s, batchOf("a", sample("r1")))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, path)
	wantResults(t, save(t, s, batchOf("a", sample("r1"))), "r1 duplicate")
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || !strings.HasPrefix(entries[0].Name(), "a ? b#c%41.db") {
		t.Errorf("the file has another name: %v, %v", entries, err)
	}
}

func TestSQLiteIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // access is by the folder's list there
	}
	path := filepath.Join(t.TempDir(), "store.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, path)
	admit(t, s, "g", "a")
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) < 2 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", e.Name(), info.Mode(), err)
		}
	}
}

// foreignFiles are files that must be refused, and left as they are.
var foreignFiles = map[string]struct {
	make func(t *testing.T, path string)
	want error
}{
	"text": {func(t *testing.T, path string) { write(t, path, []byte("not a database, but notes\n")) }, errNotSQLite},
	"database of another": {func(t *testing.T, path string) {
		execute(t, path, `CREATE TABLE books (title TEXT); INSERT INTO books VALUES ('x')`)
	}, errForeign},
	"marked by another": {func(t *testing.T, path string) { execute(t, path, `PRAGMA application_id = 7`) }, errForeign},
	"header torn":       {func(t *testing.T, path string) { damage(t, path, 0, 100) }, errNotSQLite},
	"pages torn":        {func(t *testing.T, path string) { damage(t, path, 4096, 4*4096) }, errNotSQLite},
	"cut":               {func(t *testing.T, path string) { makeOurs(t, path); truncate(t, path, 2*4096) }, errNotSQLite},
}

func TestSQLiteRefuses(t *testing.T) {
	for name, c := range foreignFiles {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			c.make(t, path)
			before, _ := os.ReadFile(path)
			s, err := OpenSQLite(t.Context(), path)
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("not one line: %q", err)
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the refused file was changed")
			}
		})
	}
}

func TestSQLiteRefusesNewerSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	makeOurs(t, path)
	execute(t, path, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`)
	s, err := OpenSQLite(t.Context(), path)
	if err == nil {
		s.Close()
		t.Fatal("a newer schema was opened")
	}
	if !strings.Contains(err.Error(), "newer version") {
		t.Error(err)
	}
}

// A start that was cut short before the first migration leaves a file that the
// next start must take.
func TestSQLiteTakesUnfinishedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	execute(t, path, `CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now'))); INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1)`)
	admit(t, openAt(t, path), "g", "a")
}

func TestSQLiteFailedSaveStoresNothing(t *testing.T) {
	s := openTemp(t)
	admit(t, s, "g", "a")
	if _, err := s.write.Exec(`CREATE TRIGGER full BEFORE INSERT ON alerts WHEN new.record_uid = 'r2' BEGIN SELECT raise(ABORT, 'disk full'); END`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), batchOf("a", sample("r1"), sample("", refused("x")), sample("r2"))); err == nil {
		t.Fatal("a failed commit was answered as stored")
	}
	if n := count(t, s, `SELECT (SELECT count(*) FROM alerts) + (SELECT count(*) FROM alert_keys) + (SELECT count(*) FROM dead_letters)
		+ (SELECT value FROM counter) + (SELECT rejected FROM agents)`); n != 0 {
		t.Errorf("%d rows of a failed batch", n)
	}
	wantResults(t, save(t, s, batchOf("a", sample("r1"))), "r1 stored")
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, nil)
	for url, want := range map[string]string{
		"":                                   "sqlite:PATH",
		"sqlite:":                            "sqlite:PATH",
		"store.db":                           "sqlite:PATH",
		"mysql:x":                            "sqlite:PATH",
		"sqlite:" + dir:                      "directory",
		"sqlite:" + dir + "/none/x.db":       "open store",
		"sqlite:" + filepath.Join(file, "x"): "open store",
	} {
		s, err := Open(context.Background(), url)
		if s != nil || err == nil {
			t.Errorf("%s: opened", url)
			continue
		}
		if msg := err.Error(); !strings.Contains(msg, want) || strings.ContainsAny(msg, "\r\n") || strings.Contains(msg, "secret") {
			t.Errorf("%s: %s", url, msg)
		}
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func execute(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

// makeOurs makes a store of some pages.
func makeOurs(t *testing.T, path string) {
	t.Helper()
	s, err := OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	admit(t, s, "g", "a")
	var records []Record
	for i := range 100 {
		records = append(records, sample(fmt.Sprint("r", i), with(strings.Repeat("y", 2000))))
	}
	save(t, s, batchOf("a", records...))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// damage makes a store and overwrites the bytes from…to.
func damage(t *testing.T, path string, from, to int) {
	t.Helper()
	makeOurs(t, path)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := from; i < to; i++ {
		data[i] ^= 0xa5
	}
	write(t, path, data)
}

func truncate(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

// TestNewFileOfSeveral: a command beside a collector that is starting opens the
// same new file, and each finds what the other has made of it.
func TestNewFileOfSeveral(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new.db")
	opened := make(chan error)
	const many = 6
	for range many {
		go func() {
			s, err := OpenSQLite(context.Background(), path)
			if err == nil {
				err = s.Close()
			}
			opened <- err
		}()
	}
	for range many {
		if err := <-opened; err != nil {
			t.Error(err)
		}
	}
}
