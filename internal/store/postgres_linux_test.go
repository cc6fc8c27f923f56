package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestPostgresStore(t *testing.T) {
	testStore(t, func(t *testing.T) Store { return openPostgres(t, newDatabase(t)) })
}

// TestPostgresManyStart: collectors that start at once on an empty database.
func TestPostgresManyStart(t *testing.T) {
	s := cluster(t)
	name := fmt.Sprint("started", shared.databases.Add(1))
	if err := s.exec("postgres", "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			p, err := OpenPostgres(t.Context(), s.url(name))
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(p.Ready(t.Context()), p.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestPostgresTwoCollectors: whoever reads by number misses nothing, whichever
// collectors write meanwhile. The numbers have no gaps, so a number that is seen
// before its predecessor shows.
func TestPostgresTwoCollectors(t *testing.T) {
	url := newDatabase(t)
	stores := []*Postgres{openPostgres(t, url), openPostgres(t, url)}
	const senders, batches, records = 8, 12, 3
	for n := range senders {
		admit(t, stores[0], "g", fmt.Sprint("a", n))
	}
	var wg sync.WaitGroup
	for i, s := range stores {
		for n := range senders {
			wg.Go(func() { // every agent sends to both collectors
				for j := range batches {
					b := batchOf(fmt.Sprint("a", n))
					for k := range records {
						b.Records = append(b.Records, sample(fmt.Sprint("s", i, "b", j, "r", k)))
					}
					save(t, s, b)
				}
			})
		}
	}
	var seen int64
	for seen < 2*senders*batches*records {
		all, err := stores[1].Since(t.Context(), Everything, seen, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			if a.Seq != seen+1 {
				t.Fatalf("alert %d was seen after %d", a.Seq, seen)
			}
			seen = a.Seq
		}
	}
	wg.Wait()
}

// TestPostgresFailover kills a primary under load, whose synchronous standby was
// cut off before, and promotes the standby: no record that was acknowledged is
// missing, and none is there twice.
func TestPostgresFailover(t *testing.T) {
	primary, standby := replicated(t)
	url := fmt.Sprintf("postgres://postgres@%s:%d,%s:%d/mg?sslmode=disable", primary.host, primary.port, standby.host, standby.port)
	s := openPostgres(t, url)
	const senders, before, after = 6, 20, 10
	var acked [senders]atomic.Int64
	var promoted atomic.Bool
	var wg sync.WaitGroup
	for n := range senders {
		admit(t, s, "g", fmt.Sprint("a", n))
		wg.Go(func() {
			for end := int64(-1); end < 0 || acked[n].Load() < end; {
				if end < 0 && promoted.Load() {
					end = acked[n].Load() + after
				}
				b := batchOf(fmt.Sprint("a", n), sample(fmt.Sprint("r", acked[n].Load())))
				if _, err := s.Save(t.Context(), b); err == nil {
					acked[n].Add(1)
				} else if t.Context().Err() != nil {
					return
				}
			}
		})
	}
	for n := range senders {
		for acked[n].Load() < before {
			time.Sleep(10 * time.Millisecond)
		}
	}
	// The standby is away for a moment: what is acknowledged now would be lost.
	must(t, standby.kill())
	time.Sleep(300 * time.Millisecond)
	must(t, primary.kill())
	must(t, standby.restart())
	must(t, standby.exec("postgres", "SELECT pg_promote()"))
	promoted.Store(true)
	wg.Wait()

	want := map[string]int{}
	for n := range senders {
		for i := range acked[n].Load() {
			want[fmt.Sprint("a", n, " r", i)] = 1
		}
	}
	got := map[string]int{}
	for _, a := range alertsOf(t, s, Filter{Limit: 1000}) {
		got[a.AgentUID+" "+a.RecordUID]++
	}
	if !maps.Equal(got, want) {
		t.Errorf("%d alerts are there, %d were acknowledged", len(got), len(want))
	}
}

// TestPostgresTerminated ends the sessions of a collector again and again: it
// goes on, and stores each record once.
func TestPostgresTerminated(t *testing.T) {
	url := newDatabase(t)
	s, operator := openPostgres(t, url), openPostgres(t, newDatabase(t))
	admit(t, s, "g", "a", "b", "c")
	name := url[strings.LastIndex(url, "/")+1 : strings.Index(url, "?")]
	var sessions atomic.Int64
	terminate := func() {
		var n int64
		err := operator.queryRow(t.Context(), operator.read, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = ?`, name).Scan(&n)
		if err != nil {
			t.Error(err)
		}
		sessions.Add(n)
	}
	var wg sync.WaitGroup
	for _, uid := range []string{"a", "b", "c"} {
		wg.Go(func() {
			for i := range 20 {
				if i%4 == 0 {
					wg.Go(terminate)
				}
				if _, err := s.Save(t.Context(), batchOf(uid, sample(fmt.Sprint("r", i)))); err != nil {
					t.Error(err)
				}
				if err := s.Beat(t.Context(), []Beat{beatOf(uid, arrival)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if sessions.Load() == 0 {
		t.Error("no session was ended")
	}
	if n := len(alertsOf(t, s, Filter{})); n != 60 {
		t.Errorf("%d alerts, want 60", n)
	}
}

// replicated starts a primary with a database mg, and a standby that each commit
// waits for.
func replicated(t *testing.T) (primary, standby *server) {
	t.Helper()
	start := func(prepare func(s *server) error) *server {
		s, err := newServer()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.stop)
		if err := prepare(s); err != nil {
			t.Fatal(err)
		}
		if err := s.start(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	primary = start((*server).initialise)
	if err := primary.exec("postgres", "CREATE DATABASE mg"); err != nil {
		t.Fatal(err)
	}
	standby = start(func(s *server) error {
		return postgresTool("pg_basebackup", "-D", s.data(), "-h", primary.host, "-p", fmt.Sprint(primary.port), "-U", "postgres", "-R", "-c", "fast", "--no-sync")
	})
	if err := primary.exec("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), primary.url("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for state := ""; state != "sync"; time.Sleep(50 * time.Millisecond) {
		if err := conn.QueryRow(t.Context(), `SELECT coalesce(max(sync_state), '') FROM pg_stat_replication`).Scan(&state); err != nil {
			t.Fatal(err)
		}
	}
	return primary, standby
}

// TestPostgresCollation: every text compares as in SQLite. The default of the
// test's cluster is another one.
func TestPostgresCollation(t *testing.T) {
	p := openPostgres(t, newDatabase(t))
	other, err := list(t.Context(), &p.db, p.read, func(row scanner) (name string, err error) { return name, row.Scan(&name) },
		`SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = 'public' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'`)
	must(t, err)
	if len(other) > 0 {
		t.Errorf("not in the collation C: %v", other)
	}
}

// TestPostgresRefusesLazyCommit: a server that acknowledges before the disk has
// it cannot keep the promise of Save.
func TestPostgresRefusesLazyCommit(t *testing.T) {
	url := newDatabase(t)
	name := url[strings.LastIndex(url, "/")+1 : strings.Index(url, "?")]
	if err := cluster(t).exec("postgres", "ALTER DATABASE "+name+" SET synchronous_commit = off"); err != nil {
		t.Fatal(err)
	}
	p, err := OpenPostgres(t.Context(), url)
	if err == nil {
		p.Close()
	}
	if !errors.Is(err, errLazyCommit) {
		t.Errorf("got %v", err)
	}
}

// TestPostgresErrorsAreDiscreet: one line, and nothing of a password, wherever it
// came from.
func TestPostgresErrorsAreDiscreet(t *testing.T) {
	s := cluster(t)
	passfile := filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(passfile, []byte("*:*:*:*:hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	nobody := fmt.Sprintf("postgres://ana:hunter2@%s:%d/nowhere?sslmode=disable", s.host, s.port)
	for _, url := range []string{
		nobody,
		strings.Replace(nobody, ":hunter2@", "@", 1) + "&passfile=" + passfile,
		"postgres://ana:hunter2@127.0.0.1:1,127.0.0.1:2/x?sslmode=disable",
		"postgres://ana:hunter2@127.0.0.1:notaport/x",
		"postgres://ana:hunter2@127.0.0.1/x?connect_timeout=soon",
		"postgres://ana:hunter2@[::1/x", "postgres://ana:hunter2@h/x?sslmode=hunter2",
	} {
		s, err := Open(t.Context(), url)
		if err == nil {
			s.Close()
			t.Errorf("%s was opened", url)
			continue
		}
		if text := err.Error(); strings.ContainsAny(text, "\r\n") || strings.Contains(text, "hunter2") || strings.Contains(text, "postgres://ana") {
			t.Errorf("not discreet: %q", text)
		}
	}
}
