package collect

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"meetguard/internal/store"
)

// atEnd is what ends what tests share, the last started first.
var atEnd []func()

// The folders of tests are in memory where they can be: a killed process loses
// nothing there either, and flushes take no time.
func TestMain(m *testing.M) {
	dir, err := makeInMemory("mgcollect")
	if err == nil {
		os.Setenv("TMPDIR", dir)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		for _, end := range atEnd {
			end()
		}
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// site is a running server over a store of its own, open: on loopback, unused.
type site struct {
	t      *testing.T
	url    string
	path   string // of the store's file
	store  store.Store
	srv    *Server
	client *http.Client
	log    *bytes.Buffer // read only when no request runs
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, path: filepath.Join(t.TempDir(), "alerts.db"), log: &bytes.Buffer{}}
	s.store = openTemp(t, s.path)
	var err error
	s.srv, err = NewServer(Config{Store: s.store, Log: slog.New(slog.NewTextHandler(s.log, nil)), Secret: make([]byte, secretSize), Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	s.srv.hasher = cheapHasher()
	ts := httptest.NewServer(s.srv.Handler())
	t.Cleanup(ts.Close)
	s.url, s.client = ts.URL, ts.Client()
	return s
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
		st, err := store.OpenSQLite(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Close(); err != nil {
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

func openTemp(t *testing.T, path string) store.Store {
	t.Helper()
	if err := os.WriteFile(path, migratedFile(t), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := store.OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return st
}

// sql runs a statement on the store's file beside the store.
func (s *site) sql(query string) (n int) {
	s.t.Helper()
	db, err := sql.Open("sqlite", s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	if !strings.HasPrefix(query, "SELECT") {
		if _, err := db.Exec(query); err != nil {
			s.t.Fatal(err)
		}
		return 0
	}
	if err := db.QueryRow(query).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// record is a record with a uid and more fields.
func record(uid, fields string) []byte {
	if fields != "" {
		fields = "," + fields
	}
	return fmt.Appendf(nil, `{"class_uid":2004,"metadata":{"uid":%q}%s}`, uid, fields)
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   string
}

func (s *site) do(method, path string, body []byte, header ...string) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	res, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

func (s *site) get(path string) answer { s.t.Helper(); return s.do("GET", path, nil) }

func (s *site) post(body []byte, header ...string) answer {
	s.t.Helper()
	return s.do("POST", "/v1/agent/batch", body, append([]string{"Content-Type", "application/json"}, header...)...)
}

// send posts records packed, as an agent does, and returns "uid:status:reason …".
func (s *site) send(agent string, raws ...string) string {
	s.t.Helper()
	a := s.post(pack(envelope(agent, raws...)), "Content-Encoding", "gzip")
	if a.status != http.StatusOK {
		s.t.Fatalf("status %d: %s", a.status, a.body)
	}
	var res batchResponse
	decode(s.t, a.body, &res)
	if res.NextCheckin < 1 {
		s.t.Errorf("next_checkin_s is %d", res.NextCheckin)
	}
	var words []string
	for _, r := range res.Results {
		words = append(words, fmt.Sprintf("%s:%s:%s", r.UID, r.Status, r.Reason))
	}
	return strings.Join(words, " ")
}

func envelope(agent string, raws ...string) []byte {
	return fmt.Appendf(nil, `{"agent":{"uid":%q,"hostname":"LT-0042","os":"linux","version":"1.0","rules_version":"7"},"heartbeat":{"pending":1},"alerts":[%s]}`,
		agent, strings.Join(raws, ","))
}

func pack(data []byte) []byte {
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	zw.Write(data)
	zw.Close()
	return buf.Bytes()
}

func decode(t *testing.T, text string, v any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		t.Fatalf("%v in %.300s", err, text)
	}
}

func wantProblem(t *testing.T, a answer, status int) {
	t.Helper()
	var p problem
	if a.status != status || a.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("status %d %s, want %d: %.300s", a.status, a.header.Get("Content-Type"), status, a.body)
	}
	decode(t, a.body, &p)
	if p.Status != status || p.Title == "" {
		t.Errorf("problem %+v", p)
	}
}

func TestBatchIsIdempotent(t *testing.T) {
	s := newSite(t)
	one, forged := string(record("r1", `"n":1`)), string(record("r1", `"n":2`))
	for i, c := range []struct{ raw, want string }{
		{one, "r1:stored:"}, {one, "r1:duplicate:"}, {" " + one + "\n", "r1:duplicate:"}, {forged, "r1:rejected:conflict"}, {one, "r1:duplicate:"},
	} {
		if got := s.send("a", c.raw); got != c.want {
			t.Errorf("send %d: %s, want %s", i, got, c.want)
		}
	}
	if a := s.post(envelope("a", one)); a.status != 200 || !strings.Contains(a.body, "duplicate") {
		t.Errorf("plain JSON: %d %s", a.status, a.body)
	}
	if n := s.sql(`SELECT count(*) FROM alerts WHERE record_uid = 'r1'`); n != 1 {
		t.Errorf("%d alerts, want 1", n)
	}
	if n := s.sql(`SELECT count(*) FROM conflicts`); n != 1 {
		t.Errorf("%d conflicts, want 1", n)
	}
}

func TestBadRecordsAmongGood(t *testing.T) {
	s := newSite(t)
	secret := "text-of-a-record"
	large := string(record("big", `"x":"`+strings.Repeat(secret, 5000)+`"`))
	got := s.send("a", string(record("r1", "")), `42`, `{"metadata":{"uid":"`+secret+`"}}`, large, `{"class_uid":2004}`, string(record("r2", "")))
	want := "r1:stored: :rejected:" + reasonNotObject + " " + secret + ":rejected:" + reasonClass +
		" big:rejected:" + reasonTooLarge + " :rejected:" + reasonNoUID + " r2:stored:"
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if n := s.sql(`SELECT count(*) FROM dead_letters`); n != 4 {
		t.Errorf("%d dead letters, want 4", n)
	}
	if strings.Contains(s.log.String(), secret) {
		t.Errorf("a record was logged: %s", s.log)
	}
}

// A connection outlives the longest interval between two heartbeats that an agent
// can be asked for: one that ends just then costs a handshake and an answer.
func TestConnectionsOutliveIntervals(t *testing.T) {
	for _, interval := range []time.Duration{0, time.Second, time.Hour} {
		srv, err := NewServer(Config{Store: openTemp(t, filepath.Join(t.TempDir(), "alerts.db")), Secret: make([]byte, secretSize), Interval: interval})
		if err != nil {
			t.Fatal(err)
		}
		srv.pace.heard(1 << 40)
		if asked, kept := srv.pace.interval(), srv.httpServer().IdleTimeout; kept <= asked {
			t.Errorf("%v: kept for %v, asked to come after %v", interval, kept, asked)
		}
	}
}

func TestBatchLimits(t *testing.T) {
	s := newSite(t)
	many := func(n int) []string { return strings.Split(strings.Repeat("0 ", n-1)+"0", " ") }
	zeros := make([]byte, MaxBatch+1)
	for name, c := range map[string]struct {
		body   []byte
		header []string
		status int
	}{
		"empty":              {nil, nil, 400},
		"not JSON":           {[]byte(`{"agent":`), nil, 400},
		"two values":         {[]byte(`{"agent":{"uid":"a"}} {}`), nil, 400},
		"list":               {[]byte(`[]`), nil, 400},
		"no agent":           {[]byte(`{"alerts":[]}`), nil, 400},
		"agent uid spaced":   {[]byte(`{"agent":{"uid":"a b"}}`), nil, 400},
		"agent uid long":     {envelope(strings.Repeat("a", maxUID+1)), nil, 400},
		"alerts an object":   {[]byte(`{"agent":{"uid":"a"},"alerts":{}}`), nil, 400},
		"heartbeat a list":   {[]byte(`{"agent":{"uid":"a"},"heartbeat":[]}`), nil, 400},
		"heartbeat large":    {[]byte(`{"agent":{"uid":"a"},"heartbeat":{"x":"` + strings.Repeat("y", maxHeartbeat) + `"}}`), nil, 413},
		"no alerts":          {[]byte(`{"agent":{"uid":"a"}}`), nil, 200},
		"alerts null":        {[]byte(`{"agent":{"uid":"a"},"alerts":null,"heartbeat":null}`), nil, 200},
		"unknown key":        {[]byte(`{"agent":{"uid":"a"},"new":1}`), nil, 200},
		"most alerts":        {envelope("a", many(MaxAlerts)...), nil, 200},
		"one alert more":     {envelope("a", many(MaxAlerts+1)...), nil, 413},
		"body large":         {zeros[:MaxBody+1], nil, 413},
		"bomb":               {pack(zeros), []string{"Content-Encoding", "gzip"}, 413},
		"many tiny":          {pack([]byte(`{"agent":{"uid":"a"},"alerts":[0` + strings.Repeat(",0", usualBatch/2-64) + `]}`)), []string{"Content-Encoding", "gzip"}, 413},
		"not gzip":           {envelope("a"), []string{"Content-Encoding", "gzip"}, 400},
		"gzip cut":           {pack(envelope("a"))[:40], []string{"Content-Encoding", "gzip"}, 400},
		"other coding":       {envelope("a"), []string{"Content-Encoding", "br"}, 415},
		"coding twice":       {envelope("a"), []string{"Content-Encoding", "gzip, gzip"}, 415},
		"identity":           {envelope("a"), []string{"Content-Encoding", "identity"}, 200},
		"other type":         {envelope("a"), []string{"Content-Type", "text/plain"}, 415},
		"type with charset":  {envelope("a"), []string{"Content-Type", "application/json; charset=utf-8"}, 200},
		"type broken":        {envelope("a"), []string{"Content-Type", ";"}, 415},
		"from another site":  {envelope("a"), []string{"Origin", "https://evil.invalid"}, 403},
		"from another site2": {envelope("a"), []string{"Sec-Fetch-Site", "cross-site"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.post(c.body, c.header...)
			if c.status == http.StatusOK {
				if a.status != http.StatusOK {
					t.Fatalf("status %d: %s", a.status, a.body)
				}
				return
			}
			wantProblem(t, a, c.status)
		})
	}
}

func TestHostMustBeLoopback(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/", "/v1/alerts", "/healthz", "/nothing"} {
		wantProblem(t, s.do("GET", path, nil, "Host", "rebound.invalid"), http.StatusMisdirectedRequest)
	}
	wantProblem(t, s.post(envelope("a"), "Host", "rebound.invalid:80"), http.StatusMisdirectedRequest)
	if a := s.do("GET", "/healthz", nil, "Host", "localhost:1"); a.status != 200 {
		t.Errorf("localhost: %d", a.status)
	}
}

func TestNoRoute(t *testing.T) {
	s := newSite(t)
	wantProblem(t, s.get("/v1/nothing"), 404)
	if a := s.get("/nothing"); a.status != 404 || !strings.Contains(a.body, "There is nothing under this address") || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		t.Errorf("an address of no page: %d %s", a.status, a.body)
	}
	wantProblem(t, s.do("POST", "/nothing", nil), 404)
	wantProblem(t, s.get("/v1/alerts/"+store.AlertID("a", "none")), 404)
	a := s.do("DELETE", "/v1/alerts", nil)
	wantProblem(t, a, 405)
	if a.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("Allow: %q", a.header.Get("Allow"))
	}
}

func TestAlertsFilterAndPages(t *testing.T) {
	s := newSite(t)
	var raws []string
	for i := range 30 {
		brand := []string{"zoom", "webex", "msteams"}[i%3]
		raws = append(raws, string(record(fmt.Sprintf("r%02d", i), fmt.Sprintf(
			`"device":{"hostname":"H%d"},"unmapped":{"mg_level":"malicious","mg_rule":"R%d","mg_brand":%q}`, i%2, i%5, brand))))
	}
	s.send("a", raws...)
	for query, want := range map[string]int{
		"": 30, "level=malicious": 30, "level=clean": 0, "brand=zoom": 10, "host=H1": 15, "rule=R4": 6,
		"brand=zoom&host=H0": 5, "since=2020-01-01T00:00:00Z": 30, "since=2200-01-01T00:00:00Z": 0, "brand=": 30,
	} {
		got := map[string]bool{}
		for path := "/v1/alerts?limit=4&" + query; path != ""; {
			var page alertsResponse
			decode(t, s.get(path).body, &page)
			if len(page.Alerts) > 4 {
				t.Fatalf("a page of %d", len(page.Alerts))
			}
			for _, a := range page.Alerts {
				got[a.ID] = true
			}
			path = ""
			if page.NextCursor != "" {
				path = "/v1/alerts?limit=4&" + query + "&cursor=" + page.NextCursor
			}
		}
		if len(got) != want {
			t.Errorf("%s: %d alerts, want %d", query, len(got), want)
		}
	}
	for _, bad := range []string{"limit=0", "limit=201", "limit=x", "cursor=!", "cursor=-1", "level=bad", "since=yesterday", "sort=time", "brand=a&brand=b", "%zz=1"} {
		wantProblem(t, s.get("/v1/alerts?"+bad), 400)
	}
}

func TestAlertKeepsItsRecord(t *testing.T) {
	s := newSite(t)
	raw := string(record("r1", `"message":"a <b> & c","n":1.50`))
	s.send("a", raw)
	a := s.get("/v1/alerts/" + store.AlertID("a", "r1"))
	var got store.Alert
	decode(t, a.body, &got)
	if string(got.Record) != raw || !strings.Contains(a.body, raw) {
		t.Errorf("record %s", got.Record)
	}
}

func TestAgents(t *testing.T) {
	s := newSite(t)
	for _, uid := range []string{"c", "a", "b"} {
		s.send(uid, string(record("r1", "")), `1`)
	}
	var first, second agentsResponse
	decode(t, s.get("/v1/agents?limit=2").body, &first)
	decode(t, s.get("/v1/agents?limit=2&cursor="+first.NextCursor).body, &second)
	if len(first.Agents) != 2 || len(second.Agents) != 1 || second.Agents[0].UID != "c" || second.NextCursor != "" {
		t.Fatalf("pages %+v %+v", first, second)
	}
	a := first.Agents[0]
	if a.UID != "a" || a.Version != "1.0" || a.Alerts != 1 || a.Rejected != 1 || a.LastSeen.IsZero() || string(a.Heartbeat) != `{"pending":1}` {
		t.Errorf("agent %+v", a)
	}
}

func TestHealth(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if a := s.get(path); a.status != 200 || a.body != `{"status":"ok"}`+"\n" {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	s.sql(`DELETE FROM goose_db_version WHERE version_id > 0`)
	wantProblem(t, s.get("/readyz"), 503)
	if a := s.get("/healthz"); a.status != 200 {
		t.Errorf("/healthz: %d", a.status)
	}
}

// A store that fails is told as a fault to try again, without its words.
func TestStoreFault(t *testing.T) {
	s := newSite(t)
	s.sql(`CREATE TRIGGER full BEFORE INSERT ON alerts BEGIN SELECT raise(ABORT, 'inner words'); END`)
	a := s.post(envelope("a", string(record("r1", ""))))
	wantProblem(t, a, 503)
	if a.header.Get("Retry-After") == "" || strings.Contains(a.body, "inner words") {
		t.Errorf("%v %s", a.header, a.body)
	}
}

func TestManySenders(t *testing.T) {
	const senders, batches, size = 20, 50, 4
	s := newSite(t)
	var wg sync.WaitGroup
	for n := range senders {
		wg.Go(func() {
			for i := range batches {
				var raws []string
				for k := range size {
					raws = append(raws, string(record(fmt.Sprintf("r%d-%d", i, k), "")))
				}
				body := pack(envelope(fmt.Sprint("agent", n), raws...))
				for _, want := range []store.Status{store.Stored, store.Duplicate}[:1+i%2] { // every second batch twice
					a := s.post(body, "Content-Encoding", "gzip")
					if got := strings.Count(a.body, `"`+string(want)+`"`); got != size {
						t.Errorf("%d of %d %s: %s", got, size, want, a.body)
					}
				}
			}
		})
	}
	wg.Wait()
	for query, want := range map[string]int{
		`SELECT count(*) FROM alerts`:                                senders * batches * size,
		`SELECT count(DISTINCT agent_uid || record_uid) FROM alerts`: senders * batches * size,
		`SELECT sum(alerts) FROM agents`:                             senders * batches * size,
		`SELECT sum(rejected) FROM agents`:                           0,
	} {
		if got := s.sql(query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}

func TestRunEndsCleanly(t *testing.T) {
	srv := newSite(t).srv
	ln, err := Listen(t.Context(), "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx, ln) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + ln.Addr().String() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if _, err := ln.Accept(); err == nil {
		t.Error("the listener is open")
	}
	if err := srv.Run(t.Context(), ln); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("a closed listener: %v", err)
	}
}
