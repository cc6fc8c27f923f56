package collect

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSQLiteStore(t *testing.T) {
	testStore(t, func(t *testing.T) Store { return openTemp(t) })
}

func openTemp(t *testing.T) *SQLite {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "alerts.db"))
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

func TestSQLiteKeepsWhatItRefuses(t *testing.T) {
	s := openTemp(t)
	large := record("big", `"x":"`+strings.Repeat("y", MaxRecord)+`"`)
	b := batchOf("a", []byte(`42`), large, record("r1", ""), record("r1", `"x":1`))
	save(t, s, b)
	save(t, s, b)
	var size, kept int
	err := s.read.QueryRow(`SELECT size, length(record) FROM dead_letters WHERE record_uid = 'big' AND reason = ?`, reasonTooLarge).Scan(&size, &kept)
	if err != nil || size != len(large) || kept != MaxRecord {
		t.Errorf("large record: size %d, kept %d, %v", size, kept, err)
	}
	if n := count(t, s, `SELECT count(*) FROM dead_letters`); n != 2 {
		t.Errorf("%d dead letters, want 2: the same one is kept once", n)
	}
	if n := count(t, s, `SELECT count(*) FROM conflicts WHERE record_uid = 'r1'`); n != 1 {
		t.Errorf("%d conflicts, want 1", n)
	}
}

func TestSQLiteBoundsWhatItRefuses(t *testing.T) {
	s := openTemp(t)
	save(t, s, batchOf("a", record("r1", "")))
	var raws [][]byte
	for i := range maxKept + 20 {
		raws = append(raws, fmt.Append(nil, i), record("r1", fmt.Sprintf(`"x":%d`, i)))
	}
	save(t, s, batchOf("a", raws...))
	save(t, s, batchOf("b", []byte(`1`)))
	for query, want := range map[string]int{
		`SELECT count(*) FROM dead_letters WHERE agent_uid = 'a'`: maxKept,
		`SELECT count(*) FROM dead_letters WHERE agent_uid = 'b'`: 1,
		`SELECT count(*) FROM conflicts`:                          maxKept,
		`SELECT conflicts FROM agents WHERE uid = 'a'`:            maxKept + 20,
		`SELECT rejected FROM agents WHERE uid = 'a'`:             2 * (maxKept + 20),
	} {
		if got := count(t, s, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}

// Batches that wait together are committed together, up to maxGroup records.
func TestSQLiteGroups(t *testing.T) {
	s := openTemp(t)
	records := make([]Record, maxGroup/2)
	for range 5 {
		s.queue = append(s.queue, &pendingSave{batch: Batch{Records: records}})
	}
	s.queue = append(s.queue, &pendingSave{batch: Batch{Records: make([]Record, maxGroup+1)}})
	var sizes []int
	for len(s.queue) > 0 {
		sizes = append(sizes, len(s.takeGroup()))
	}
	if got := fmt.Sprint(sizes); got != "[2 2 1 1]" {
		t.Errorf("groups of %s, want [2 2 1 1]", got)
	}
}

func TestSQLiteReopens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a ? b#c%41.db") // every character with a meaning in a URI
	s, err := OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	save(t, s, batchOf("a", record("r1", "")))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, path)
	wantResults(t, save(t, s, batchOf("a", record("r1", ""))), Result{UID: "r1", Status: Duplicate})
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || !strings.HasPrefix(entries[0].Name(), "a ? b#c%41.db") {
		t.Errorf("the file has another name: %v, %v", entries, err)
	}
}

func TestSQLiteIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // access is by the folder's list there
	}
	path := filepath.Join(t.TempDir(), "alerts.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, path)
	save(t, s, batchOf("a", record("r1", "")))
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
	save(t, openAt(t, path), batchOf("a", record("r1", "")))
}

func TestSQLiteFailedSaveStoresNothing(t *testing.T) {
	s := openTemp(t)
	if _, err := s.write.Exec(`CREATE TRIGGER full BEFORE INSERT ON alerts WHEN new.record_uid = 'r2' BEGIN SELECT raise(ABORT, 'disk full'); END`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(t.Context(), batchOf("a", record("r1", ""), record("r2", ""))); err == nil {
		t.Fatal("a failed commit was answered as stored")
	}
	if n := count(t, s, `SELECT (SELECT count(*) FROM alerts) + (SELECT count(*) FROM agents)`); n != 0 {
		t.Errorf("%d rows of a failed batch", n)
	}
	save(t, s, batchOf("a", record("r1", "")))
}

func TestOpenStore(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, nil)
	for url, want := range map[string]string{
		"postgres://ana:secret@db/x":         "SQLite only",
		"postgresql://ana:secret@db/x":       "SQLite only",
		"":                                   "sqlite:PATH",
		"sqlite:":                            "sqlite:PATH",
		"alerts.db":                          "sqlite:PATH",
		"mysql:x":                            "sqlite:PATH",
		"sqlite:" + dir:                      "directory",
		"sqlite:" + dir + "/none/x.db":       "open store",
		"sqlite:" + filepath.Join(file, "x"): "open store",
	} {
		s, err := OpenStore(context.Background(), url)
		if err == nil {
			s.Close()
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
	var raws [][]byte
	for i := range 100 {
		raws = append(raws, record(fmt.Sprint("r", i), `"x":"`+strings.Repeat("y", 2000)+`"`))
	}
	save(t, s, batchOf("a", raws...))
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
