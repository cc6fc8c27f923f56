package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// arrival is when the batches of the store tests arrive.
var arrival = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// testStore is what every Store must pass. open makes an empty store that lives
// as long as the test.
func testStore(t *testing.T, open func(t *testing.T) Store) {
	for _, tests := range []map[string]func(*testing.T, Store){intakeTests, alertTests, peopleTests} {
		for _, name := range slices.Sorted(maps.Keys(tests)) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				tests[name](t, open(t))
			})
		}
	}
}

var intakeTests = map[string]func(*testing.T, Store){
	"ready":                    storeReady,
	"once":                     storeOnce,
	"conflict":                 storeConflict,
	"same uid in one batch":    storeTwiceInBatch,
	"keys are per agent":       storeKeysPerAgent,
	"refused among good":       storeRefused,
	"refused is bounded":       storeBounded,
	"unknown agent":            storeUnknownAgent,
	"columns":                  storeColumns,
	"texts that engines hate":  storeHostileTexts,
	"exceptions hide":          storeHides,
	"labels and counters":      storeCounters,
	"heartbeats":               storeBeats,
	"heartbeat in a batch":     storeBeatInBatch,
	"heartbeats out of order":  storeLateBeat,
	"where the log stands":     storeLogState,
	"many at once":             storeConcurrent,
	"numbers without gap":      storeNumbers,
	"one bad batch of a group": storeApart,
}

// base is what the engines share.
func base(t *testing.T, s Store) *db {
	t.Helper()
	switch s := s.(type) {
	case *SQLite:
		return &s.db
	case *Postgres:
		return &s.db
	}
	t.Fatalf("a store of an unknown engine: %T", s)
	return nil
}

// sample is a record as ParseRecord would cut it.
func sample(uid string, change ...func(*Record)) Record {
	r := Record{UID: uid, Raw: fmt.Appendf(nil, `{"metadata":{"uid":%q}}`, uid)}
	for _, c := range change {
		c(&r)
	}
	sum := sha256.Sum256(r.Raw)
	r.Digest, r.Size = hex.EncodeToString(sum[:]), len(r.Raw)
	return r
}

// with sets the text of the record, so that its digest is another.
func with(text string) func(*Record) {
	return func(r *Record) { r.Raw = fmt.Appendf(nil, `{"metadata":{"uid":%q},"x":%q}`, r.UID, text) }
}

func refused(reason string) func(*Record) { return func(r *Record) { r.Refused = reason } }

func about(level, brand, rule string) func(*Record) {
	return func(r *Record) { r.Level, r.Brand, r.Rule = level, brand, rule }
}

func batchOf(agent string, records ...Record) Batch {
	return Batch{Agent: Agent{UID: agent, Hostname: "host-of-" + agent}, ReceivedAt: arrival, Records: records}
}

// admit makes agents of a group.
func admit(t *testing.T, s Store, group string, uids ...string) {
	t.Helper()
	for _, uid := range uids {
		if err := s.Admit(t.Context(), Agent{UID: uid, Hostname: "host-of-" + uid}, group, arrival); err != nil {
			t.Fatal(err)
		}
	}
}

func save(t *testing.T, s Store, b Batch) []Result {
	t.Helper()
	results, err := s.Save(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != len(b.Records) {
		t.Fatalf("%d results for %d records", len(results), len(b.Records))
	}
	return results
}

// wantResults compares answers written as "r1 stored".
func wantResults(t *testing.T, got []Result, want ...string) {
	t.Helper()
	var words []string
	for _, r := range got {
		words = append(words, strings.TrimSpace(r.UID+" "+string(r.Status)+" "+r.Reason))
	}
	if !slices.Equal(words, want) {
		t.Fatalf("results\n got %q\nwant %q", words, want)
	}
}

// alertsOf returns every alert that passes the filter, page by page.
func alertsOf(t *testing.T, s Store, f Filter) []Alert {
	t.Helper()
	if f.Limit == 0 {
		f.Limit = 100
	}
	var all []Alert
	for {
		page, err := s.Alerts(t.Context(), Everything, f)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Alerts) > f.Limit {
			t.Fatalf("a page of %d, the limit is %d", len(page.Alerts), f.Limit)
		}
		all = append(all, page.Alerts...)
		if page.Next == 0 {
			return all
		}
		f.Before = page.Next
	}
}

// recordsIn are the record uids of alerts in one text.
func recordsIn(alerts []Alert) string {
	var all []string
	for _, a := range alerts {
		all = append(all, a.RecordUID)
	}
	return strings.Join(all, " ")
}

func agentOf(t *testing.T, s Store, uid string) AgentStatus {
	t.Helper()
	a, err := s.Agent(t.Context(), Everything, uid)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func deadLetters(t *testing.T, s Store) []DeadLetter {
	t.Helper()
	all, err := s.DeadLetters(t.Context(), Everything, 5000)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func storeReady(t *testing.T, s Store) {
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := alertsOf(t, s, Filter{}); len(got) != 0 {
		t.Fatalf("an empty store has %d alerts", len(got))
	}
	if n, err := s.LastSeq(t.Context()); n != 0 || err != nil {
		t.Fatalf("last seq %d, %v", n, err)
	}
}

func storeOnce(t *testing.T, s Store) {
	admit(t, s, "g", "a")
	b := batchOf("a", sample("r1"), sample("r2"))
	wantResults(t, save(t, s, b), "r1 stored", "r2 stored")
	wantResults(t, save(t, s, b), "r1 duplicate", "r2 duplicate")
	if got := recordsIn(alertsOf(t, s, Filter{})); got != "r2 r1" {
		t.Fatalf("alerts %q", got)
	}
	if a := agentOf(t, s, "a"); a.Alerts != 2 || a.Rejected != 0 {
		t.Fatalf("counters %+v", a)
	}
}

func storeConflict(t *testing.T, s Store) {
	admit(t, s, "g", "a")
	save(t, s, batchOf("a", sample("r1")))
	forged := batchOf("a", sample("r1", with("forged")))
	wantResults(t, save(t, s, forged), "r1 rejected conflict")
	wantResults(t, save(t, s, forged), "r1 rejected conflict")
	got := alertsOf(t, s, Filter{})
	if len(got) != 1 || string(got[0].Record) != string(sample("r1").Raw) {
		t.Fatalf("the first record must stay: %s", got[0].Record)
	}
	if a := agentOf(t, s, "a"); a.Alerts != 1 || a.Conflicts != 2 || a.Rejected != 2 {
		t.Fatalf("counters %+v", a)
	}
}

func storeTwiceInBatch(t *testing.T, s Store) {
	admit(t, s, "g", "a")
	b := batchOf("a", sample("r1"), sample("r1"), sample("r1", with("x")))
	wantResults(t, save(t, s, b), "r1 stored", "r1 duplicate", "r1 rejected conflict")
}

func storeKeysPerAgent(t *testing.T, s Store) {
	admit(t, s, "g", "a", "b")
	wantResults(t, save(t, s, batchOf("a", sample("r1"))), "r1 stored")
	wantResults(t, save(t, s, batchOf("b", sample("r1"))), "r1 stored")
	got := alertsOf(t, s, Filter{})
	if len(got) != 2 || got[0].ID == got[1].ID {
		t.Fatalf("two agents, one uid: %d alerts", len(got))
	}
}

func storeRefused(t *testing.T, s Store) {
	admit(t, s, "g", "a")
	admit(t, s, "other", "b")
	broken := sample("", refused("not an object"), func(r *Record) { r.Raw = []byte("\xff\x00") })
	b := batchOf("a", broken, sample("r1"), sample("r9", refused("larger than 64 KiB"), func(r *Record) { r.Raw = nil }), sample("r2"))
	for range 2 {
		save(t, s, b)
	}
	save(t, s, batchOf("b", sample("", refused("not an object"))))
	if got := recordsIn(alertsOf(t, s, Filter{})); got != "r2 r1" {
		t.Fatalf("alerts %q", got)
	}
	if a := agentOf(t, s, "a"); a.Alerts != 2 || a.Rejected != 4 || a.Conflicts != 0 {
		t.Fatalf("counters %+v", a)
	}
	mine, err := s.DeadLetters(t.Context(), Scope{Groups: []string{"g"}}, 10)
	if err != nil || len(mine) != 2 {
		t.Fatalf("%d dead letters of the group, want 2, each kept once: %v", len(mine), err)
	}
	i := slices.IndexFunc(mine, func(l DeadLetter) bool { return l.RecordUID == "" })
	want := DeadLetter{AgentUID: "a", Hostname: "host-of-a", Digest: broken.Digest, Reason: "not an object", ReceivedAt: arrival,
		Size: 2, Record: []byte("\xff\x00")}
	if i < 0 || !reflect.DeepEqual(mine[i], want) {
		t.Fatalf("\n got %+v\nwant %+v", mine, want)
	}
}

func storeBounded(t *testing.T, s Store) {
	admit(t, s, "g", "a", "b")
	save(t, s, batchOf("a", sample("r1")))
	var records []Record
	for i := range maxKept + 20 {
		records = append(records, sample("", refused("x"), with(fmt.Sprint(i))), sample("r1", with(fmt.Sprint(i))))
	}
	save(t, s, batchOf("a", records...))
	save(t, s, batchOf("b", sample("", refused("x"))))
	if n := len(deadLetters(t, s)); n != maxKept+1 {
		t.Errorf("%d dead letters, want %d of a and one of b", n, maxKept)
	}
	if a := agentOf(t, s, "a"); a.Conflicts != maxKept+20 || a.Rejected != 2*(maxKept+20) {
		t.Errorf("counters %+v", a)
	}
}

func storeUnknownAgent(t *testing.T, s Store) {
	if _, err := s.Save(t.Context(), batchOf("stranger", sample("r1"))); !errors.Is(err, ErrNotFound) {
		t.Errorf("a stranger's batch: %v", err)
	}
	if err := s.Beat(t.Context(), []Beat{{Agent: Agent{UID: "stranger"}, At: arrival}}); err != nil {
		t.Errorf("a stranger's heartbeat: %v", err)
	}
	if got := alertsOf(t, s, Filter{}); len(got) != 0 {
		t.Errorf("%d alerts of a stranger", len(got))
	}
	if _, err := s.Agent(t.Context(), Everything, "stranger"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the stranger is known: %v", err)
	}
}

func storeColumns(t *testing.T, s Store) {
	admit(t, s, "sales", "a")
	r := sample("r1", about("malicious", "zoom", "MG-0101"), func(r *Record) {
		r.Time, r.Landed, r.Hostname = time.UnixMilli(1795354200123).UTC(), time.UnixMilli(1795354100000), "LT-0042"
		r.Score, r.Severity, r.Path, r.SHA256 = 88, 5, `C:\Users\ana\Zoom.exe`, "9f86"
		r.User, r.Host, r.Signer, r.FindingID = "ana", "zoom-us.invalid", "Evil Ltd", "f-1"
	})
	save(t, s, batchOf("a", r))
	save(t, s, batchOf("a", sample("r2", about("", "", "MG-0102"))))
	got := alertsOf(t, s, Filter{})
	want := Alert{
		Seq: 1, ID: AlertID("a", "r1"), AgentUID: "a", RecordUID: "r1", Group: "sales", Hostname: "LT-0042", ReceivedAt: arrival,
		Time: r.Time, Level: "malicious", Brand: "zoom", Rule: "MG-0101", Score: 88, Severity: 5, Path: r.Path, SHA256: "9f86",
		User: "ana", Host: "zoom-us.invalid", Signer: "Evil Ltd", FindingID: "f-1", Key: "9f86", Digest: r.Digest, Status: StatusNew,
		Record: r.Raw,
	}
	if !reflect.DeepEqual(got[1], want) {
		t.Fatalf("\n got %+v\nwant %+v", got[1], want)
	}
	one, err := s.Alert(t.Context(), Everything, want.ID)
	if err != nil || !reflect.DeepEqual(one, want) {
		t.Fatalf("read by id: %+v, %v", one, err)
	}
	if got[0].Hostname != "host-of-a" || got[0].Key != "rule:MG-0102" {
		t.Errorf("an alert without hostname and hash: %+v", got[0])
	}
}

// storeHostileTexts: what passed the caller's checks must not refuse a batch.
func storeHostileTexts(t *testing.T, s Store) {
	admit(t, s, "g", "a")
	b := batchOf("a", sample("r1", func(r *Record) {
		r.Path, r.User, r.Seq = "a\x00b", "\xff'; DROP TABLE alerts; --", 1<<63+5
		r.Raw = []byte("{\"x\":\"\\u0000\"}")
	}))
	b.Agent.Hostname = "h\x00"
	b.Beat = &Beat{Agent: b.Agent, At: arrival, Seq: 1<<64 - 1, Head: "\x00", Trouble: "\xc3\x28"}
	wantResults(t, save(t, s, b), "r1 stored")
	if got := alertsOf(t, s, Filter{})[0]; got.Path != "a\ufffdb" || string(got.Record) != string(b.Records[0].Raw) {
		t.Errorf("%q", got.Path)
	}
	if got := alertsOf(t, s, Filter{Text: "\x00\xff"}); len(got) != 0 {
		t.Errorf("%d alerts have a text that is none", len(got))
	}
}

func storeHides(t *testing.T, s Store) {
	admit(t, s, "sales", "a")
	admit(t, s, "dev", "b")
	exception := func(id, group string, change func(*Exception)) {
		e := Exception{ID: id, Group: group, Why: "x", Who: "y", CreatedAt: arrival.Add(-time.Hour), ExpiresAt: arrival.Add(time.Hour)}
		change(&e)
		if err := s.CreateException(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	exception("e1", "dev", func(e *Exception) { e.Rule = "R1" })
	exception("e2", "", func(e *Exception) { e.Path, e.Brand = `/opt/it/`, "zoom" })
	exception("e3", "", func(e *Exception) { e.Rule, e.ExpiresAt = "R2", arrival })
	exception("e4", "", func(e *Exception) { e.Rule = "R3" })
	if err := s.EndException(t.Context(), Everything, "e4", "y", arrival); err != nil {
		t.Fatal(err)
	}
	records := []Record{
		sample("r1", about("x", "webex", "R1")), sample("r2", about("x", "webex", "R2")), sample("r3", about("x", "webex", "R3")),
		sample("r4", about("x", "zoom", "R4"), func(r *Record) { r.Path = "/opt/it/zoom" }),
		sample("r5", about("x", "webex", "R4"), func(r *Record) { r.Path = "/opt/it/zoom" }),
	}
	for range 2 { // a duplicate is no hit
		save(t, s, batchOf("a", records...))
		save(t, s, batchOf("b", records...))
	}
	hidden := map[string]string{}
	for _, a := range alertsOf(t, s, Filter{Statuses: []string{StatusSuppressed}}) {
		hidden[a.AgentUID+" "+a.RecordUID] = a.Exception
	}
	if want := map[string]string{"b r1": "e1", "a r4": "e2", "b r4": "e2"}; !maps.Equal(hidden, want) {
		t.Errorf("hidden %v, want %v", hidden, want)
	}
	for id, want := range map[string]int{"e1": 1, "e2": 2, "e3": 0, "e4": 0} {
		if e, err := s.Exception(t.Context(), Everything, id); err != nil || e.Hits != want {
			t.Errorf("%s has %d hits, want %d: %v", id, e.Hits, want, err)
		}
	}
}

func storeCounters(t *testing.T, s Store) {
	admit(t, s, "g", "a")
	b := batchOf("a", sample("r1"))
	b.Agent = Agent{UID: "a", Hostname: "new-name", OS: "linux", Version: "1.1", RulesVersion: "7"}
	b.ReceivedAt = arrival.Add(time.Minute)
	save(t, s, b)
	b.Agent = Agent{UID: "a"} // says nothing of itself
	b.ReceivedAt = arrival.Add(30 * time.Second)
	save(t, s, b)
	got := agentOf(t, s, "a")
	want := Agent{UID: "a", Hostname: "new-name", OS: "linux", Version: "1.1", RulesVersion: "7"}
	if got.Agent != want || !got.LastSeen.Equal(arrival.Add(time.Minute)) || got.Alerts != 1 {
		t.Errorf("got %+v", got)
	}
}

// beatOf is a full heartbeat.
func beatOf(uid string, at time.Time) Beat {
	return Beat{Agent: Agent{UID: uid, Hostname: "h", OS: "linux", Version: "2", RulesVersion: "8"}, At: at, Interval: time.Minute,
		Seq: 7, Head: "abcd", Trouble: "fanotify degraded", BootID: "boot", MachineID: "machine", Body: []byte(`{"pending":3}`)}
}

func storeBeats(t *testing.T, s Store) {
	admit(t, s, "g", "a", "b", "c")
	at := arrival.Add(time.Minute)
	stopping := beatOf("b", at)
	stopping.Stopping = true
	if err := s.Beat(t.Context(), []Beat{stopping, beatOf("a", at)}); err != nil {
		t.Fatal(err)
	}
	got := agentOf(t, s, "a")
	want := AgentStatus{Agent: beatOf("a", at).Agent, Group: "g", State: AgentActive, FirstSeen: arrival, LastSeen: at, Interval: time.Minute,
		Trouble: "fanotify degraded", MachineID: "machine", BootID: "boot", Log: LogState{Seq: 7, Head: "abcd"}, Heartbeat: []byte(`{"pending":3}`)}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if b := agentOf(t, s, "b"); !b.StoppedAt.Equal(at) {
		t.Errorf("b stopped at %v", b.StoppedAt)
	}
	if c := agentOf(t, s, "c"); !c.LastSeen.Equal(arrival) {
		t.Errorf("c was not heard, but last seen %v", c.LastSeen)
	}
}

func storeBeatInBatch(t *testing.T, s Store) {
	admit(t, s, "g", "a")
	at := arrival.Add(time.Minute)
	b := batchOf("a", sample("r1"))
	beat := beatOf("a", at)
	beat.Stopping = true
	b.ReceivedAt, b.Beat, b.Agent = at, &beat, beat.Agent
	save(t, s, b)
	got := agentOf(t, s, "a")
	if !got.StoppedAt.Equal(at) || got.Log.Seq != 7 || got.Alerts != 1 || got.Interval != time.Minute || string(got.Heartbeat) != `{"pending":3}` {
		t.Errorf("got %+v", got)
	}
	b.ReceivedAt, b.Beat = at.Add(time.Minute), nil
	save(t, s, b)
	if got := agentOf(t, s, "a"); !got.StoppedAt.IsZero() {
		t.Error("an agent that sends again has not stopped")
	}
}

func storeLateBeat(t *testing.T, s Store) {
	admit(t, s, "g", "a")
	newer, older := beatOf("a", arrival.Add(2*time.Minute)), beatOf("a", arrival.Add(time.Minute))
	older.Seq, older.Stopping = 6, true
	if err := errors.Join(s.Beat(t.Context(), []Beat{newer}), s.Beat(t.Context(), []Beat{older})); err != nil {
		t.Fatal(err)
	}
	if got := agentOf(t, s, "a"); got.Log.Seq != 7 || !got.StoppedAt.IsZero() || !got.LastSeen.Equal(newer.At) {
		t.Errorf("an older heartbeat counts: %+v", got)
	}
}

func storeLogState(t *testing.T, s Store) {
	admit(t, s, "g", "a")
	at := func(n uint64) func(*Record) { return func(r *Record) { r.Seq = n } }
	r5 := sample("r5", at(5))
	save(t, s, batchOf("a", sample("r3", at(3)), r5, sample("r4", at(4)), sample("r3", with("forged"), at(9)), sample("", refused("x"), at(10))))
	got, err := s.LogState(t.Context(), "a")
	if want := (LogState{Received: 5, Digest: r5.Digest}); err != nil || got != want {
		t.Errorf("got %+v, want %+v: %v", got, want, err)
	}
}

// storeConcurrent sends every record twice from many goroutines, some of which
// leave before the answer.
func storeConcurrent(t *testing.T, s Store) {
	const senders, batches = 8, 20
	for n := range senders {
		admit(t, s, "g", fmt.Sprint("a", n))
	}
	var wg sync.WaitGroup
	for n := range 2 * senders {
		wg.Go(func() {
			for i := range batches {
				ctx, cancel := context.WithCancel(t.Context())
				if i%3 == 0 {
					cancel()
				}
				sender := fmt.Sprint("a", n%senders)
				if _, err := s.Save(ctx, batchOf(sender, sample(fmt.Sprint("r", i)))); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	for n := range senders { // what was given up is sent again, as an agent would
		for i := range batches {
			save(t, s, batchOf(fmt.Sprint("a", n), sample(fmt.Sprint("r", i))))
		}
		if a := agentOf(t, s, fmt.Sprint("a", n)); a.Alerts != batches || a.Rejected != 0 {
			t.Errorf("agent %d: %+v", n, a)
		}
	}
	if got := len(alertsOf(t, s, Filter{})); got != senders*batches {
		t.Errorf("%d alerts, want %d", got, senders*batches)
	}
}

func storeNumbers(t *testing.T, s Store) {
	admit(t, s, "g", "a")
	save(t, s, batchOf("a", sample("r1"), sample("r2"), sample("r1")))
	save(t, s, batchOf("a", sample("r2"), sample("", refused("x")), sample("r3")))
	var got []int64
	all, err := s.Since(t.Context(), Everything, 0, 10)
	for _, a := range all {
		got = append(got, a.Seq)
	}
	last, lastErr := s.LastSeq(t.Context())
	if err != nil || lastErr != nil || !slices.Equal(got, []int64{1, 2, 3}) || last != 3 || recordsIn(all) != "r1 r2 r3" {
		t.Errorf("numbers %v of %s, last %d, %v %v", got, recordsIn(all), last, err, lastErr)
	}
}

// storeApart: a batch that the engine refuses takes none with it that shares its
// commit.
func storeApart(t *testing.T, s Store) {
	admit(t, s, "g", "a", "b")
	d := base(t, s)
	if _, err := d.write.ExecContext(t.Context(), `CREATE UNIQUE INDEX refuses ON alerts (score)`); err != nil {
		t.Fatal(err)
	}
	score := func(r *Record) { r.Score = 1 }
	good, bad := &pendingSave{batch: batchOf("a", sample("r2"))}, &pendingSave{batch: batchOf("b", sample("r1", score), sample("r3", score))}
	commitApart(t.Context(), []*pendingSave{bad, good}, d.saveGroup)
	if good.err != nil || !good.done {
		t.Errorf("the good batch: %v", good.err)
	}
	if bad.err == nil || !bad.done || bad.results != nil {
		t.Errorf("the bad batch was answered %v", bad.results)
	}
	if got := recordsIn(alertsOf(t, s, Filter{})); got != "r2" {
		t.Errorf("alerts %q", got)
	}
}
