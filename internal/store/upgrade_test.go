package store

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// firstStore makes a store as the first version left it, with the rows.
func firstStore(t *testing.T, rows ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "first.db")
	schema, err := migrations.ReadFile("migrations/sqlite/00001_first.sql")
	must(t, err)
	execute(t, path, `CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')));
		INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1);`+string(schema)+strings.Join(rows, ";\n"))
	return path
}

// firstAlert is a row of the first version with a record.
func firstAlert(seq int, uid, record string) string {
	return fmt.Sprintf(`INSERT INTO alerts VALUES (%d, '%s', 'a', '%s', '%s', %d, 5, 'LT-1', 'malicious', 'zoom', 'R1', 88, '/tmp/x', '', '%s')`,
		seq, AlertID("a", uid), uid, sample(uid).Digest, arrival.UnixMilli(), strings.ReplaceAll(record, "'", "''"))
}

// TestSQLiteUpgrade: what the first version kept is all there, and is known when
// an agent sends it again.
func TestSQLiteUpgrade(t *testing.T) {
	path := firstStore(t,
		fmt.Sprintf(`INSERT INTO agents VALUES ('a', 'LT-1', 'linux', '1.0', '7', %d, %d, '{"pending":3}', 3, 2, 1)`, arrival.UnixMilli(), arrival.UnixMilli()+5),
		firstAlert(1, "r1", `{"severity_id":5,"finding_info":{"uid":"f-1"},"unmapped":{"mg_user":"Zoë","mg_source_host":"zoom.invalid","mg_signer":"Evil '' Ltd"}}`),
		firstAlert(4, "r2", `{}`),
		`INSERT INTO conflicts VALUES ('a', 'r1', 'dd', 7, '{"x":1}')`,
		`INSERT INTO dead_letters VALUES ('a', 'ee', '', 'not an object', 8, 2, x'ff00')`)
	s := openAt(t, path)
	a := agentOf(t, s, "a")
	want := AgentStatus{Agent: Agent{UID: "a", Hostname: "LT-1", OS: "linux", Version: "1.0", RulesVersion: "7"}, Group: "default", State: AgentActive,
		FirstSeen: arrival, LastSeen: arrival.Add(5 * time.Millisecond), Alerts: 3, Rejected: 2, Conflicts: 1, Heartbeat: []byte(`{"pending":3}`)}
	same(t, "agent", a, want)
	first, err := s.Alert(t.Context(), Everything, AlertID("a", "r1"))
	must(t, err)
	same(t, "alert", first, Alert{Seq: 1, ID: AlertID("a", "r1"), AgentUID: "a", RecordUID: "r1", Group: "default", Hostname: "LT-1", ReceivedAt: arrival,
		Time: time.UnixMilli(5).UTC(), Level: "malicious", Brand: "zoom", Rule: "R1", Score: 88, Severity: 5, Path: "/tmp/x", User: "Zoë", Host: "zoom.invalid",
		Signer: "Evil '' Ltd", FindingID: "f-1", Key: "rule:R1", Digest: sample("r1").Digest, Status: StatusNew, Record: first.Record})
	letters := deadLetters(t, s)
	same(t, "dead letters", letters, []DeadLetter{{AgentUID: "a", Hostname: "LT-1", Digest: "ee", Reason: "not an object",
		ReceivedAt: time.UnixMilli(8).UTC(), Size: 2, Record: []byte{255, 0}}})
	same(t, "conflicts", count(t, s, `SELECT count(*) FROM conflicts WHERE digest = 'dd'`), 1)
	wantResults(t, save(t, s, batchOf("a", sample("r1"), sample("r2", with("forged")), sample("r3"))),
		"r1 duplicate", "r2 rejected conflict", "r3 stored")
	newest := alertsOf(t, s, Filter{Limit: 1})[0]
	same(t, "seq after an upgrade", newest.Seq, int64(5))
	same(t, "old tables", count(t, s, `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name GLOB '*_1'`), 0)
}

// TestSQLiteUpgradeHostile: records were written by agents. None of them keeps
// the store from being upgraded, or forges a column.
func TestSQLiteUpgradeHostile(t *testing.T) {
	rows := []string{`INSERT INTO agents VALUES ('a', '', '', '', '', 1, 1, NULL, 0, 0, 0)`}
	for i, record := range []string{
		`no JSON at all`, `[]`, `"x"`, `{"severity_id":"5","unmapped":7}`, `{"severity_id":4.5}`, `{"severity_id":1e99}`,
		`{"severity_id":99999999999999999999,"unmapped":{"mg_user":5,"mg_signer":null,"mg_source_host":["x"]}}`,
		`{"severity_id":{"a":1},"finding_info":{"uid":{"a":1}},"unmapped":{"mg_user":true}}`,
		`{"unmapped":{"mg_user":"a\u001b[2J","mg_source_host":"x\u202ey","mg_signer":"u\u0000b"},"finding_info":{"uid":"\u0085"}}`,
		`{"unmapped":{"mg_user":"` + strings.Repeat("u", 300) + `"}}`,
		strings.Repeat(`[`, 1500) + strings.Repeat(`]`, 1500),
	} {
		rows = append(rows, firstAlert(i+1, fmt.Sprint("r", i), record))
	}
	s := openAt(t, firstStore(t, rows...))
	all := alertsOf(t, s, Filter{})
	if len(all) != len(rows)-1 {
		t.Fatalf("%d alerts, want %d", len(all), len(rows)-1)
	}
	for _, a := range all {
		text := a.User + a.Host + a.Signer + a.FindingID
		if a.Severity < 0 || a.Severity > 6 || strings.Trim(text, "u") != "" || len(text) > 256 {
			t.Errorf("%s: severity %d, %q", a.RecordUID, a.Severity, text)
		}
	}
}

// TestSQLiteUpgradeIsWhole: an upgrade that is cut short leaves the first
// version's store.
func TestSQLiteUpgradeIsWhole(t *testing.T) {
	path := firstStore(t, `INSERT INTO agents VALUES ('a', '', '', '', '', 1, 1, NULL, 0, 0, 0)`, firstAlert(1, "r1", `{}`),
		`CREATE TABLE counter (x)`) // in the way of the second version
	if s, err := OpenSQLite(t.Context(), path); err == nil {
		s.Close()
		t.Fatal("the store was opened")
	}
	execute(t, path, `DROP TABLE counter`)
	s := openAt(t, path)
	if got := recordsIn(alertsOf(t, s, Filter{})); got != "r1" {
		t.Errorf("alerts %q", got)
	}
}
