package collect

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"
)

// arrival is when the batches of the store tests arrive.
var arrival = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// testStore is what every Store must pass. open makes an empty store that lives
// as long as the test.
func testStore(t *testing.T, open func(t *testing.T) Store) {
	for name, test := range map[string]func(*testing.T, Store){
		"ready":                 storeReady,
		"once":                  storeOnce,
		"conflict":              storeConflict,
		"same uid in one batch": storeTwiceInBatch,
		"keys are per agent":    storeKeysPerAgent,
		"refused among good":    storeRefused,
		"columns":               storeColumns,
		"filter":                storeFilter,
		"paging":                storePaging,
		"not found":             storeNotFound,
		"agents":                storeAgents,
		"many at once":          storeConcurrent,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// record is a record in the form of the alert log.
func record(uid, fields string) []byte {
	if fields != "" {
		fields = "," + fields
	}
	return fmt.Appendf(nil, `{"class_uid":2004,"metadata":{"uid":%q}%s}`, uid, fields)
}

func batchOf(agent string, raws ...[]byte) Batch {
	b := Batch{Agent: Agent{UID: agent, Hostname: "host-of-" + agent}, ReceivedAt: arrival}
	for _, raw := range raws {
		b.Records = append(b.Records, ParseRecord(raw))
	}
	return b
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

func wantResults(t *testing.T, got []Result, want ...Result) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("results\n got %v\nwant %v", got, want)
	}
}

// list returns every alert that passes the filter, page by page.
func list(t *testing.T, s Store, f Filter) []Alert {
	t.Helper()
	if f.Limit == 0 {
		f.Limit = 100
	}
	var all []Alert
	for {
		page, err := s.Alerts(t.Context(), f)
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

func agent(t *testing.T, s Store, uid string) AgentStatus {
	t.Helper()
	agents, err := s.Agents(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range agents {
		if a.UID == uid {
			return a
		}
	}
	t.Fatalf("no agent %q among %d", uid, len(agents))
	return AgentStatus{}
}

func storeReady(t *testing.T, s Store) {
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := list(t, s, Filter{}); len(got) != 0 {
		t.Fatalf("an empty store has %d alerts", len(got))
	}
}

func storeOnce(t *testing.T, s Store) {
	b := batchOf("a", record("r1", `"score":1`), record("r2", ""))
	wantResults(t, save(t, s, b), Result{UID: "r1", Status: Stored}, Result{UID: "r2", Status: Stored})
	wantResults(t, save(t, s, b), Result{UID: "r1", Status: Duplicate}, Result{UID: "r2", Status: Duplicate})
	spaced := batchOf("a", []byte("{ \"class_uid\" : 2004,\n \"metadata\": {\"uid\":\"r2\"} }"))
	wantResults(t, save(t, s, spaced), Result{UID: "r2", Status: Duplicate})
	if got := list(t, s, Filter{}); len(got) != 2 {
		t.Fatalf("%d alerts, want 2", len(got))
	}
	if a := agent(t, s, "a"); a.Alerts != 2 || a.Rejected != 0 {
		t.Fatalf("counters %+v", a)
	}
}

func storeConflict(t *testing.T, s Store) {
	save(t, s, batchOf("a", record("r1", `"score":1`)))
	forged := batchOf("a", record("r1", `"score":2`))
	want := Result{UID: "r1", Status: Rejected, Reason: ReasonConflict}
	wantResults(t, save(t, s, forged), want)
	wantResults(t, save(t, s, forged), want)
	got := list(t, s, Filter{})
	if len(got) != 1 || string(got[0].Record) != string(record("r1", `"score":1`)) {
		t.Fatalf("the first record must stay: %s", got[0].Record)
	}
	if a := agent(t, s, "a"); a.Alerts != 1 || a.Conflicts != 2 || a.Rejected != 2 {
		t.Fatalf("counters %+v", a)
	}
}

func storeTwiceInBatch(t *testing.T, s Store) {
	b := batchOf("a", record("r1", ""), record("r1", ""), record("r1", `"x":1`))
	wantResults(t, save(t, s, b), Result{UID: "r1", Status: Stored}, Result{UID: "r1", Status: Duplicate},
		Result{UID: "r1", Status: Rejected, Reason: ReasonConflict})
}

func storeKeysPerAgent(t *testing.T, s Store) {
	wantResults(t, save(t, s, batchOf("a", record("r1", ""))), Result{UID: "r1", Status: Stored})
	wantResults(t, save(t, s, batchOf("b", record("r1", ""))), Result{UID: "r1", Status: Stored})
	got := list(t, s, Filter{})
	if len(got) != 2 || got[0].ID == got[1].ID {
		t.Fatalf("two agents, one uid: %d alerts", len(got))
	}
}

func storeRefused(t *testing.T, s Store) {
	b := batchOf("a", []byte(`42`), record("r1", ""), []byte(`{"class_uid":2004}`), []byte("{\"a\":\"\xff\"}"), record("r2", ""))
	wantResults(t, save(t, s, b),
		Result{Status: Rejected, Reason: reasonNotObject},
		Result{UID: "r1", Status: Stored},
		Result{Status: Rejected, Reason: reasonNoUID},
		Result{Status: Rejected, Reason: reasonNotUTF8},
		Result{UID: "r2", Status: Stored})
	if got := list(t, s, Filter{}); len(got) != 2 {
		t.Fatalf("%d alerts, want 2", len(got))
	}
	if a := agent(t, s, "a"); a.Alerts != 2 || a.Rejected != 3 || a.Conflicts != 0 {
		t.Fatalf("counters %+v", a)
	}
}

func storeColumns(t *testing.T, s Store) {
	raw := record("r1", `"time":1795354200123,"device":{"hostname":"LT-0042"},"unmapped":{"mg_level":"malicious",`+
		`"mg_brand":"zoom","mg_rule":"MG-0101","mg_score":88,"mg_path":"C:\\Users\\ana\\Zoom.exe","mg_sha256":"9f86"}`)
	save(t, s, batchOf("a", raw))
	got := list(t, s, Filter{})[0]
	rec := ParseRecord(raw)
	want := Alert{
		Seq: got.Seq, ID: alertID("a", "r1"), AgentUID: "a", Hostname: "LT-0042", ReceivedAt: arrival,
		Time: time.UnixMilli(1795354200123).UTC(), Level: "malicious", Brand: "zoom", Rule: "MG-0101",
		Score: 88, Path: `C:\Users\ana\Zoom.exe`, SHA256: "9f86", Digest: rec.Digest, Record: raw,
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("\n got %+v\nwant %+v", got, want)
	}
	one, err := s.Alert(t.Context(), got.ID)
	if err != nil || !reflect.DeepEqual(one, want) {
		t.Fatalf("read by id: %+v, %v", one, err)
	}
}

func storeFilter(t *testing.T, s Store) {
	flat := func(level, brand, rule string) string {
		return fmt.Sprintf(`"unmapped":{"mg_level":%q,"mg_brand":%q,"mg_rule":%q}`, level, brand, rule)
	}
	save(t, s, batchOf("a", record("r1", flat("malicious", "zoom", "R1")), record("r2", flat("suspicious", "zoom", "R2"))))
	late := batchOf("b", record("r3", flat("malicious", "webex", "R1")), record("r4", flat("malicious", "zoom", "x' OR '1'='1")))
	late.ReceivedAt = arrival.Add(time.Hour)
	save(t, s, late)
	for name, c := range map[string]struct {
		filter Filter
		want   string
	}{
		"all":           {Filter{}, "r4 r3 r2 r1 "},
		"level":         {Filter{Level: "malicious"}, "r4 r3 r1 "},
		"brand":         {Filter{Brand: "zoom"}, "r4 r2 r1 "},
		"rule":          {Filter{Rule: "R1"}, "r3 r1 "},
		"host":          {Filter{Hostname: "host-of-a"}, "r2 r1 "},
		"since":         {Filter{Since: arrival.Add(time.Hour)}, "r4 r3 "},
		"since later":   {Filter{Since: arrival.Add(time.Hour + time.Millisecond)}, ""},
		"together":      {Filter{Level: "malicious", Brand: "zoom", Hostname: "host-of-a", Since: arrival}, "r1 "},
		"not injected":  {Filter{Brand: "x' OR '1'='1"}, ""},
		"quotes as is":  {Filter{Rule: "x' OR '1'='1"}, "r4 "},
		"no such brand": {Filter{Brand: "zoo"}, ""},
	} {
		got := ""
		for _, a := range list(t, s, c.filter) {
			got += decodeUID(a) + " "
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func decodeUID(a Alert) string {
	doc, _ := decodeObject(a.Record)
	return doc.text("metadata", "uid")
}

func storePaging(t *testing.T, s Store) {
	for i := range 23 {
		save(t, s, batchOf("a", record(fmt.Sprint("r", i), "")))
	}
	for _, limit := range []int{1, 5, 22, 23, 24} {
		all := list(t, s, Filter{Limit: limit})
		if len(all) != 23 {
			t.Fatalf("limit %d: %d alerts, want 23", limit, len(all))
		}
		for i, a := range all {
			if want := fmt.Sprint("r", 22-i); decodeUID(a) != want {
				t.Fatalf("limit %d: alert %d is %s, want %s", limit, i, decodeUID(a), want)
			}
		}
	}
}

func storeNotFound(t *testing.T, s Store) {
	for _, id := range []string{"", "x", alertID("a", "r1"), "' OR 1=1 --"} {
		if _, err := s.Alert(t.Context(), id); !errors.Is(err, ErrNotFound) {
			t.Errorf("id %q: %v, want ErrNotFound", id, err)
		}
	}
}

func storeAgents(t *testing.T, s Store) {
	b := batchOf("b")
	b.Agent = Agent{UID: "b", Hostname: "h", OS: "linux", Version: "1.0", RulesVersion: "7"}
	b.Heartbeat = []byte(`{"pending":3}`)
	save(t, s, b)
	b.Agent.Version, b.Heartbeat, b.ReceivedAt = "1.1", nil, arrival.Add(time.Minute)
	save(t, s, b)
	save(t, s, batchOf("a"))
	save(t, s, batchOf("c"))
	got := agent(t, s, "b")
	want := AgentStatus{Agent: b.Agent, FirstSeen: arrival, LastSeen: arrival.Add(time.Minute), Heartbeat: []byte(`{"pending":3}`)}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("\n got %+v\nwant %+v", got, want)
	}
	page, err := s.Agents(t.Context(), "a", 1)
	if err != nil || len(page) != 1 || page[0].UID != "b" {
		t.Fatalf("the page after a: %+v, %v", page, err)
	}
}

// storeConcurrent sends every record twice from many goroutines, some of which
// leave before the answer.
func storeConcurrent(t *testing.T, s Store) {
	const senders, batches = 8, 20
	var wg sync.WaitGroup
	for n := range 2 * senders {
		wg.Go(func() {
			for i := range batches {
				ctx, cancel := context.WithCancel(t.Context())
				if i%3 == 0 {
					cancel()
				}
				sender := fmt.Sprint("a", n%senders)
				if _, err := s.Save(ctx, batchOf(sender, record(fmt.Sprint("r", i), ""))); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	for n := range senders { // what was given up is sent again, as an agent would
		for i := range batches {
			save(t, s, batchOf(fmt.Sprint("a", n), record(fmt.Sprint("r", i), "")))
		}
		if a := agent(t, s, fmt.Sprint("a", n)); a.Alerts != batches || a.Rejected != 0 {
			t.Errorf("agent %d: %+v", n, a)
		}
	}
	if got := len(list(t, s, Filter{})); got != senders*batches {
		t.Errorf("%d alerts, want %d", got, senders*batches)
	}
}
