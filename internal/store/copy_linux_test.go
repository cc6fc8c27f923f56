package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"
)

// engines open empty stores of each engine.
var engines = map[string]func(t *testing.T) Store{
	"sqlite":   func(t *testing.T) Store { return openTemp(t) },
	"postgres": func(t *testing.T) Store { return openPostgres(t, newDatabase(t)) },
}

// fill puts something into every table, and more than a page into the largest.
func fill(t *testing.T, s Store) {
	t.Helper()
	ctx := t.Context()
	must(t, s.CreateToken(ctx, Token{ID: "t1", Group: "g", CreatedAt: arrival, ExpiresAt: arrival.Add(time.Hour)}, "hash-of-t1"))
	err := s.Enrol(ctx, newcomer("hash-of-t1", Agent{UID: "a", Hostname: "host?'\u00e9"}, "m", Credential{Hash: "c1", Kind: "bearer"}), arrival)
	must(t, err)
	must(t, s.CreateException(ctx, Exception{ID: "e1", Rule: "hidden", CreatedAt: arrival, ExpiresAt: arrival.Add(time.Hour)}))
	var records []Record
	for i := range 2*pageRows + 7 {
		records = append(records, sample(fmt.Sprint("r", i), about("x", "zoom", "R1")))
	}
	records = append(records, sample("h", about("x", "zoom", "hidden")), sample("r0", with("forged")),
		sample("", refused("x"), func(r *Record) { r.Raw = []byte{0, 255, '\n'} }))
	b := batchOf("a", records...)
	beat := beatOf("a", arrival)
	b.Beat = &beat
	save(t, s, b)
	triage(t, s, Change{Status: text(StatusClosed), Note: "x"}, "r1", "r2")
	_, err = s.Expire(ctx, arrival.Add(time.Hour), time.Time{}, 1)
	must(t, err)
	must(t, s.CreateUser(ctx, User{ID: "u1", Name: "ana", Role: "admin", TOTP: []byte{1, 0, 2}, CreatedAt: arrival}))
	must(t, s.CreateUser(ctx, User{ID: "u2", Name: "bob", Role: "viewer", CreatedAt: arrival})) // TOTP is NULL
	must(t, s.CreateSession(ctx, Session{Hash: "s1", UserID: "u1", Kind: "login", CreatedAt: arrival, ExpiresAt: arrival.Add(time.Hour)}))
	_, err = s.Lease(ctx, "l", "o", arrival, arrival.Add(time.Hour))
	must(t, err)
	must(t, s.SetCursor(ctx, Cursor{Name: "siem", Seq: 5, UpdatedAt: arrival}))
	must(t, s.CreateJob(ctx, Job{ID: "j1", Params: []byte(`{}`), State: "queued", CreatedAt: arrival, UpdatedAt: arrival}))
	must(t, s.SetSetting(ctx, "ca", "secret"))
	must(t, s.ChangeTries(ctx, []string{"k"}, func([]Tries) []Tries { return []Tries{{N: 1, Last: arrival}} }))
	must(t, s.Record(ctx, AuditEntry{ID: NewID(), At: arrival, Who: "ana", Action: "x"}))
}

// dump reads all rows of all tables but those that a copy adds.
func dump(t *testing.T, s Store) map[string][]row {
	t.Helper()
	all := map[string][]row{}
	err := base(t, s).snapshot(t.Context(), func(snap snapshot) error {
		for _, tab := range tables {
			columns, err := snap.columns(t.Context(), tab)
			if err != nil {
				return err
			}
			slices.Sort(columns)
			err = snap.each(t.Context(), tab, columns, nil, func(rows []row) error {
				all[tab.name] = append(all[tab.name], rows...)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	must(t, err)
	all["settings"] = slices.DeleteFunc(all["settings"], func(r row) bool { return r[0] == idSetting })
	return all
}

func wantSame(t *testing.T, from, to Store) {
	t.Helper()
	want, got := dump(t, from), dump(t, to)
	for _, tab := range tables {
		if len(want[tab.name]) == 0 {
			t.Errorf("the test has no row of %s", tab.name)
		}
		if !reflect.DeepEqual(got[tab.name], want[tab.name]) {
			t.Errorf("%s differs: %d rows, want %d", tab.name, len(got[tab.name]), len(want[tab.name]))
		}
	}
	must(t, to.Ready(t.Context()))
}

// TestTablesAreAll: a table that a migration adds must be copied too, by its key.
func TestTablesAreAll(t *testing.T) {
	t.Parallel()
	var want []string
	for _, tab := range tables {
		want = append(want, fmt.Sprint(tab.name, " ", tab.key))
	}
	slices.Sort(want)
	for engine, query := range map[string]string{
		"sqlite": `SELECT m.name, p.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS p WHERE m.type = 'table' AND p.pk > 0 ORDER BY m.name, p.pk`,
		"postgres": `SELECT k.table_name, k.column_name FROM information_schema.table_constraints c JOIN information_schema.key_column_usage k
			USING (constraint_name, table_name, table_schema) WHERE c.constraint_type = 'PRIMARY KEY' AND table_schema = 'public' ORDER BY k.table_name, k.ordinal_position`,
	} {
		keys := map[string][]string{}
		rows, err := base(t, engines[engine](t)).read.QueryContext(t.Context(), query)
		must(t, err)
		for rows.Next() {
			var name, column string
			must(t, rows.Scan(&name, &column))
			keys[name] = append(keys[name], column)
		}
		must(t, rows.Close())
		delete(keys, "goose_db_version")
		delete(keys, "sqlite_sequence")
		var got []string
		for name, key := range keys {
			got = append(got, fmt.Sprint(name, " ", key))
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s\n has %q\ncopied %q", engine, got, want)
		}
	}
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	for from, openFrom := range engines {
		s := openFrom(t)
		fill(t, s)
		var archive bytes.Buffer
		must(t, Backup(t.Context(), s, &archive, arrival))
		for to, openTo := range engines {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				into := openTo(t)
				must(t, Restore(t.Context(), into, bytes.NewReader(archive.Bytes()), nil))
				wantSame(t, s, into)
				if err := Restore(t.Context(), into, bytes.NewReader(archive.Bytes()), nil); !errors.Is(err, ErrNotEmpty) {
					t.Errorf("into a store that is in use: %v", err)
				}
				wantResults(t, save(t, into, batchOf("a", sample("r5", about("x", "zoom", "R1")), sample("new"))), "r5 duplicate", "new stored")
			})
		}
	}
}

func TestMove(t *testing.T) {
	t.Parallel()
	for from, openFrom := range engines {
		for to, openTo := range engines {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				s, into := openFrom(t), openTo(t)
				fill(t, s)
				var last string
				must(t, Move(t.Context(), s, into, func(table string, done, total int64) {
					if last = fmt.Sprint(table, done, total); done > total {
						t.Error(last)
					}
				}))
				if last != "counter1 1" {
					t.Errorf("the last progress was %s", last)
				}
				wantSame(t, s, into)
				if err := Move(t.Context(), s, into, nil); !errors.Is(err, ErrNotEmpty) {
					t.Errorf("into a store that is in use: %v", err)
				}
			})
		}
	}
}

// TestMoveGoesOn breaks a move off after every page in turn.
func TestMoveGoesOn(t *testing.T) {
	t.Parallel()
	s, into := openTemp(t), engines["postgres"](t)
	fill(t, s)
	for stop := 3; ; stop += 3 {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		err := Move(ctx, s, into, func(string, int64, int64) {
			if n++; n == stop {
				cancel()
			}
		})
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(into.Ready(t.Context()), ErrLoading) {
			t.Fatal("half a store is ready")
		}
		if err := Backup(t.Context(), into, io.Discard, arrival); !errors.Is(err, ErrLoading) {
			t.Fatalf("half a store is backed up: %v", err)
		}
	}
	wantSame(t, s, into)
}

// TestMoveFromAnother: what was begun with one source does not go on with another.
func TestMoveFromAnother(t *testing.T) {
	t.Parallel()
	s, other, into := openTemp(t), openTemp(t), openTemp(t)
	fill(t, s)
	fill(t, other)
	ctx, cancel := context.WithCancel(t.Context())
	if err := Move(ctx, s, into, func(string, int64, int64) { cancel() }); err == nil {
		t.Fatal("a move that was broken off is done")
	}
	if err := Move(t.Context(), other, into, nil); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("got %v", err)
	}
	save(t, s, batchOf("a", sample("late"))) // the collector was not stopped
	must(t, Move(t.Context(), s, into, nil))
	wantSame(t, s, into)
}

func TestRestoreGoesOn(t *testing.T) {
	t.Parallel()
	s, into := openTemp(t), openTemp(t)
	fill(t, s)
	var archive bytes.Buffer
	must(t, Backup(t.Context(), s, &archive, arrival))
	for cut := archive.Len() / 4; cut < archive.Len(); cut += archive.Len()/8 + 1 {
		if err := Restore(t.Context(), into, bytes.NewReader(archive.Bytes()[:cut]), nil); !errors.Is(err, errArchive) {
			t.Fatalf("an archive cut at %d: %v", cut, err)
		}
		if !errors.Is(into.Ready(t.Context()), ErrLoading) {
			t.Fatal("half a store is ready")
		}
	}
	must(t, Restore(t.Context(), into, bytes.NewReader(archive.Bytes()), nil))
	wantSame(t, s, into)
}

// packed is an archive of the lines.
func packed(t *testing.T, lines string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write([]byte(lines))
	must(t, errors.Join(err, w.Close()))
	return out.Bytes()
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	archive := func(lines string) []byte { return packed(t, lines) }
	head := `{"format":"meetguard-store","version":1,"id":"x"}` + "\n"
	for name, raw := range map[string][]byte{
		"nothing":       nil,
		"no gzip":       []byte(head),
		"other form":    archive(`{"format":"other","version":1}`),
		"newer":         archive(`{"format":"meetguard-store","version":2}`),
		"no foot":       archive(head),
		"rows first":    archive(head + `["x"]`),
		"no such table": archive(head + `{"table":"sqlite_schema","columns":["name"]}`),
		"injection":     archive(head + `{"table":"settings","columns":["name","value","name) VALUES (1); --"]}`),
		"no key":        archive(head + `{"table":"settings","columns":["value"]}`),
		"twice":         archive(head + `{"table":"agents","columns":["agent_uid"]}{"table":"agents","columns":["agent_uid"]}`),
		"short row":     archive(head + `{"table":"settings","columns":["name","value"]}["x"]`),
		"fraction":      archive(head + `{"table":"settings","columns":["name","value"]}["x",1.5]`),
		"list":          archive(head + `{"table":"settings","columns":["name","value"]}["x",[]]`),
		"wrong number":  archive(head + `{"table":"settings","columns":["name","value"]}["x","y"]{"rows":{"settings":2}}`),
		"more behind":   archive(head + `{"rows":{}}["x"]`),
	} {
		into := openTemp(t)
		if err := Restore(t.Context(), into, bytes.NewReader(raw), nil); err == nil {
			t.Errorf("%s: restored", name)
		}
	}
}

func TestSQLiteSnapshot(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	fill(t, s)
	path := filepath.Join(t.TempDir(), "it's a copy.db")
	must(t, s.Snapshot(t.Context(), path))
	wantSame(t, s, openAt(t, path))
	if err := s.Snapshot(t.Context(), path); err == nil {
		t.Error("a file that is there was overwritten")
	}
}
