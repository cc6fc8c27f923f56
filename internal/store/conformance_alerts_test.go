package store

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var alertTests = map[string]func(*testing.T, Store){
	"filter":            storeFilter,
	"paging":            storePaging,
	"scope":             storeScope,
	"not found":         storeNotFound,
	"findings":          storeGroups,
	"prevalence":        storePrevalence,
	"similar":           storeSimilar,
	"triage":            storeTriage,
	"triage in words":   storeTriageWords,
	"notes":             storeNotes,
	"counts":            storeCounts,
	"rules":             storeRuleStats,
	"delays":            storeDelays,
	"expiry":            storeExpire,
	"expiry is bounded": storeExpireBounded,
}

// idOf is the id of the alert of a record of agent a.
func idOf(uid string) string { return AlertID("a", uid) }

func text(s string) *string { return &s }

// triage applies a change to records of agent a.
func triage(t *testing.T, s Store, c Change, uids ...string) int {
	t.Helper()
	var ids []string
	for _, uid := range uids {
		ids = append(ids, idOf(uid))
	}
	if c.Who == "" {
		c.Who = "ana"
	}
	if c.At.IsZero() {
		c.At = arrival.Add(time.Hour)
	}
	n, err := s.Triage(t.Context(), Everything, ids, c)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func storeFilter(t *testing.T, s Store) {
	admit(t, s, "sales", "a")
	admit(t, s, "dev", "b")
	save(t, s, batchOf("a",
		sample("r1", about("malicious", "zoom", "R1"), func(r *Record) { r.Path, r.Score, r.SHA256 = `C:\Users\Ana\100%_x!.exe`, 90, "aa" }),
		sample("r2", about("suspicious", "zoom", "R2"), func(r *Record) { r.User, r.Host, r.Score = "Ana", "zoom-us.invalid", 50 })))
	late := batchOf("b", sample("r3", about("malicious", "webex", "R1")), sample("r4", about("malicious", "zoom", "x' OR '1'='1")))
	late.ReceivedAt = arrival.Add(time.Hour)
	save(t, s, late)
	triage(t, s, Change{Status: text(StatusClosed), Disposition: text(FalsePositive), Assignee: text("ana")}, "r2")
	for name, c := range map[string]struct {
		filter Filter
		want   string
	}{
		"all":             {Filter{}, "r4 r3 r2 r1"},
		"level":           {Filter{Levels: []string{"malicious"}}, "r4 r3 r1"},
		"levels":          {Filter{Levels: []string{"malicious", "suspicious"}}, "r4 r3 r2 r1"},
		"brand":           {Filter{Brand: "zoom"}, "r4 r2 r1"},
		"rule":            {Filter{Rule: "R1"}, "r3 r1"},
		"host":            {Filter{Hostname: "host-of-a"}, "r2 r1"},
		"agent":           {Filter{AgentUID: "b"}, "r4 r3"},
		"group":           {Filter{Group: "dev"}, "r4 r3"},
		"hash":            {Filter{SHA256: "aa"}, "r1"},
		"hash, not a key": {Filter{SHA256: "rule:R1"}, ""},
		"key":             {Filter{Key: "rule:R1"}, "r3"},
		"user":            {Filter{User: "Ana"}, "r2"},
		"origin":          {Filter{Host: "zoom-us.invalid"}, "r2"},
		"status":          {Filter{Statuses: []string{StatusNew, StatusInProgress}}, "r4 r3 r1"},
		"disposition":     {Filter{Disposition: FalsePositive}, "r2"},
		"assignee":        {Filter{Assignee: "ana"}, "r2"},
		"nobody":          {Filter{Assignee: "-"}, "r4 r3 r1"},
		"ids":             {Filter{IDs: []string{idOf("r1"), idOf("r4"), AlertID("b", "r4")}}, "r4 r1"},
		"score":           {Filter{MinScore: 51}, "r1"},
		"since":           {Filter{Since: arrival.Add(time.Hour)}, "r4 r3"},
		"since later":     {Filter{Since: arrival.Add(time.Hour + time.Millisecond)}, ""},
		"until":           {Filter{Until: arrival.Add(time.Hour)}, "r2 r1"},
		"together":        {Filter{Levels: []string{"malicious"}, Brand: "zoom", Hostname: "host-of-a", Since: arrival}, "r1"},
		"text":            {Filter{Text: "ANA"}, "r2 r1"},
		"text as is":      {Filter{Text: "100%_X!"}, "r1"},
		"no wildcard":     {Filter{Text: "100%x"}, ""},
		"not injected":    {Filter{Brand: "x' OR '1'='1"}, ""},
		"quotes as is":    {Filter{Rule: "x' OR '1'='1"}, "r4"},
		"question mark":   {Filter{Rule: "?"}, ""},
		"no such brand":   {Filter{Brand: "zoo"}, ""},
	} {
		if got := recordsIn(alertsOf(t, s, c.filter)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func storePaging(t *testing.T, s Store) {
	admit(t, s, "g", "a")
	for i := range 23 {
		save(t, s, batchOf("a", sample(fmt.Sprint("r", i))))
	}
	for _, limit := range []int{1, 5, 22, 23, 24} {
		all := alertsOf(t, s, Filter{Limit: limit})
		if len(all) != 23 {
			t.Fatalf("limit %d: %d alerts, want 23", limit, len(all))
		}
		for i, a := range all {
			if want := fmt.Sprint("r", 22-i); a.RecordUID != want {
				t.Fatalf("limit %d: alert %d is %s, want %s", limit, i, a.RecordUID, want)
			}
		}
	}
}

// storeScope: what is out of scope does not exist, whatever is asked.
func storeScope(t *testing.T, s Store) {
	admit(t, s, "sales", "a")
	admit(t, s, "dev", "b")
	save(t, s, batchOf("a", sample("r1", about("malicious", "zoom", "R1"))))
	save(t, s, batchOf("b", sample("r2", about("malicious", "zoom", "R1"))))
	theirs := AlertID("b", "r2")
	for name, c := range map[string]struct {
		scope Scope
		want  string
	}{
		"all": {Everything, "r2 r1"}, "one": {Scope{Groups: []string{"sales"}}, "r1"}, "both": {Scope{Groups: []string{"sales", "dev"}}, "r2 r1"},
		"none": {Scope{}, ""}, "other": {Scope{Groups: []string{"x"}}, ""},
	} {
		page, err := s.Alerts(t.Context(), c.scope, Filter{Limit: 9})
		if got := recordsIn(page.Alerts); err != nil || got != c.want {
			t.Errorf("%s: got %q, want %q, %v", name, got, c.want, err)
		}
		since, err := s.Since(t.Context(), c.scope, 0, 9)
		if err != nil || len(since) != len(page.Alerts) {
			t.Errorf("%s: %d alerts since the beginning, want %d, %v", name, len(since), len(page.Alerts), err)
		}
	}
	sales := Scope{Groups: []string{"sales"}}
	if _, err := s.Alert(t.Context(), sales, theirs); !errors.Is(err, ErrNotFound) {
		t.Errorf("alert: %v", err)
	}
	if _, err := s.History(t.Context(), sales, theirs); !errors.Is(err, ErrNotFound) {
		t.Errorf("history: %v", err)
	}
	if n, err := s.Triage(t.Context(), sales, []string{theirs}, Change{Status: text(StatusClosed), At: arrival}); n != 0 || err != nil {
		t.Errorf("triage changed %d, %v", n, err)
	}
	if p, err := s.Prevalence(t.Context(), sales, "rule:R1"); p.Alerts != 1 || err != nil {
		t.Errorf("prevalence %+v, %v", p, err)
	}
	if g, err := s.Groups(t.Context(), sales, Filter{Limit: 9}); len(g.Groups) != 1 || g.Groups[0].Alerts != 1 || err != nil {
		t.Errorf("findings %+v, %v", g, err)
	}
	if similar, err := s.Similar(t.Context(), sales, Alert{ID: idOf("r1"), Rule: "R1", Brand: "zoom"}, 9); len(similar) != 0 || err != nil {
		t.Errorf("similar %+v, %v", similar, err)
	}
	if counts, err := s.Counts(t.Context(), sales, Filter{}, "rule", 9); !reflect.DeepEqual(counts, []Count{{"R1", 1}}) || err != nil {
		t.Errorf("counts %+v, %v", counts, err)
	}
}

func storeNotFound(t *testing.T, s Store) {
	for _, id := range []string{"", "x", AlertID("a", "r1"), "' OR 1=1 --"} {
		if _, err := s.Alert(t.Context(), Everything, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("id %q: %v, want ErrNotFound", id, err)
		}
	}
}

func storeGroups(t *testing.T, s Store) {
	admit(t, s, "g", "a", "b")
	severe := func(n int, hash string) func(*Record) {
		return func(r *Record) { r.Severity, r.SHA256, r.Rule = n, hash, "R1" }
	}
	save(t, s, batchOf("a", sample("r1", severe(5, "aa")), sample("r2", severe(4, "bb")), sample("r3", severe(99, "cc")), sample("r4", severe(2, ""))))
	late := batchOf("b", sample("r5", severe(3, "aa")), sample("r6", severe(4, "dd")))
	late.ReceivedAt = arrival.Add(time.Hour)
	save(t, s, late)
	triage(t, s, Change{Status: text(StatusClosed)}, "r1")
	var all []Group
	for f := (Filter{Limit: 2}); ; {
		page, err := s.Groups(t.Context(), Everything, f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Groups...)
		if f.Before = page.Next; f.Before == 0 {
			break
		}
	}
	var got []string
	for _, g := range all {
		got = append(got, fmt.Sprint(g.Key, " ", g.Newest.RecordUID, " ", g.Alerts, g.Agents, g.Open))
		if g.Newest.Record != nil || g.Newest.Seq == 0 {
			t.Errorf("newest of %s: %+v", g.Key, g.Newest)
		}
	}
	want := []string{"aa r5 2 2 1", "dd r6 1 1 1", "bb r2 1 1 1", "rule:R1 r4 1 1 1", "cc r3 1 1 1"}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	if !all[0].First.Equal(arrival) || !all[0].Last.Equal(arrival.Add(time.Hour)) {
		t.Errorf("from %v to %v", all[0].First, all[0].Last)
	}
	open, err := s.Groups(t.Context(), Everything, Filter{Statuses: []string{StatusNew}, SHA256: "aa", Limit: 9})
	if err != nil || len(open.Groups) != 1 || open.Groups[0].Alerts != 1 || open.Next != 0 {
		t.Errorf("filtered: %+v, %v", open, err)
	}
}

func storePrevalence(t *testing.T, s Store) {
	admit(t, s, "g", "a", "b")
	hash := func(r *Record) { r.SHA256 = "aa" }
	save(t, s, batchOf("a", sample("r1", hash), sample("r2", hash), sample("r3")))
	late := batchOf("b", sample("r1", hash))
	late.ReceivedAt = arrival.Add(time.Hour)
	save(t, s, late)
	got, err := s.Prevalence(t.Context(), Everything, "aa")
	if want := (Prevalence{Alerts: 3, Agents: 2, First: arrival, Last: arrival.Add(time.Hour)}); err != nil || got != want {
		t.Errorf("got %+v, want %+v, %v", got, want, err)
	}
	if got, err := s.Prevalence(t.Context(), Everything, "zz"); err != nil || got != (Prevalence{}) {
		t.Errorf("of nothing: %+v, %v", got, err)
	}
}

func storeSimilar(t *testing.T, s Store) {
	admit(t, s, "g", "a", "b")
	r := func(uid, hash, host, signer, rule, brand string) Record {
		return sample(uid, about("x", brand, rule), func(r *Record) { r.SHA256, r.Host, r.Signer = hash, host, signer })
	}
	save(t, s, batchOf("a", r("r1", "aa", "h1", "s1", "R1", "zoom"), r("r2", "aa", "", "", "R2", "zoom"), r("r3", "bb", "h1", "s1", "R1", "zoom"),
		r("r4", "cc", "", "s1", "R1", "zoom"), r("r5", "", "", "", "R1", "zoom"), r("r6", "", "", "", "R1", "webex"), r("r7", "dd", "h9", "", "R1", "zoom")))
	for id, want := range map[string]string{
		"r1": "r4 r3 r2", "r2": "r1", "r5": "r7 r4 r3 r1", "r6": "", "r7": "r5 r4 r3 r1",
	} {
		a, err := s.Alert(t.Context(), Everything, idOf(id))
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Similar(t.Context(), Everything, a, 9)
		if err != nil || recordsIn(got) != want {
			t.Errorf("%s: got %q, want %q, %v", id, recordsIn(got), want, err)
		}
		if got, err := s.Similar(t.Context(), Everything, a, 1); err != nil || len(got) > 1 || !strings.HasPrefix(want, recordsIn(got)) {
			t.Errorf("%s: the newest is %q of %q, %v", id, recordsIn(got), want, err)
		}
	}
}

func storeTriage(t *testing.T, s Store) {
	admit(t, s, "g", "a")
	save(t, s, batchOf("a", sample("r1"), sample("r2"), sample("r3")))
	closing := Change{Status: text(StatusClosed), Disposition: text(TruePositive), Assignee: text("ana"), Note: "a known lure"}
	if n := triage(t, s, closing, "r1", "r2", "r1", "none"); n != 2 {
		t.Errorf("%d changed, want 2", n)
	}
	closing.At, closing.Note = arrival.Add(2*time.Hour), ""
	if n := triage(t, s, closing, "r1", "r2", "r3"); n != 1 {
		t.Errorf("%d changed, want 1: two are closed already", n)
	}
	a, err := s.Alert(t.Context(), Everything, idOf("r1"))
	if err != nil || a.Status != StatusClosed || a.Disposition != TruePositive || a.Assignee != "ana" || !a.ClosedAt.Equal(arrival.Add(time.Hour)) {
		t.Errorf("closed: %+v, %v", a, err)
	}
	triage(t, s, Change{Status: text(StatusInProgress), Who: "bob", At: arrival.Add(3 * time.Hour)}, "r1")
	if a, err = s.Alert(t.Context(), Everything, idOf("r1")); err != nil || a.Disposition != "" || !a.ClosedAt.IsZero() || a.Assignee != "ana" {
		t.Errorf("reopened: %+v, %v", a, err)
	}
	history, err := s.History(t.Context(), Everything, idOf("r1"))
	if err != nil || len(history) != 2 {
		t.Fatalf("history %+v, %v", history, err)
	}
	for i, want := range []Event{
		{At: arrival.Add(time.Hour), Who: "ana", Action: "closed as true positive, took it", Note: "a known lure"},
		{At: arrival.Add(3 * time.Hour), Who: "bob", Action: "reopened"},
	} {
		want.ID = history[i].ID
		if history[i] != want || want.ID == "" {
			t.Errorf("event %d\n got %+v\nwant %+v", i, history[i], want)
		}
	}
}

func storeTriageWords(t *testing.T, s Store) {
	admit(t, s, "g", "a")
	save(t, s, batchOf("a", sample("r1")))
	for i, c := range []struct {
		change Change
		want   string // "" if nothing changes
	}{
		{Change{Assignee: text("ana")}, "took it"},
		{Change{Assignee: text("ana")}, ""},
		{Change{Assignee: text("bob"), Status: text(StatusInProgress)}, "started work, assigned to bob"},
		{Change{Note: "looks bad"}, "note"},
		{Change{Disposition: text(TruePositive)}, ""}, // only what is closed has one
		{Change{Status: text(StatusClosed)}, "closed"},
		{Change{Disposition: text(FalsePositive)}, "closed as false positive"},
		{Change{Disposition: text(FalsePositive), Note: "sure"}, "note"},
		{Change{Status: text(StatusNew), Assignee: text("")}, "reopened, gave it back"},
		{Change{Status: text(StatusSuppressed)}, "suppressed"},
		{Change{Status: text(StatusClosed), Disposition: text(Authorised)}, "closed as authorised"},
		{Change{}, ""},
	} {
		before, err := s.History(t.Context(), Everything, idOf("r1"))
		if err != nil {
			t.Fatal(err)
		}
		c.change.At = arrival.Add(time.Duration(i) * time.Minute)
		n := triage(t, s, c.change, "r1")
		after, err := s.History(t.Context(), Everything, idOf("r1"))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(after) > len(before) {
			got = after[len(after)-1].Action
		}
		if got != c.want || (n == 1) != (c.want != "") || len(after) != len(before)+n {
			t.Errorf("change %d: %d changed, %q, want %q", i, n, got, c.want)
		}
	}
}

func storeCounts(t *testing.T, s Store) {
	admit(t, s, "sales", "a")
	admit(t, s, "dev", "b")
	save(t, s, batchOf("a", sample("r1", about("malicious", "zoom", "R1")), sample("r2", about("suspicious", "zoom", "R2"))))
	late := batchOf("b", sample("r3", about("malicious", "webex", "R1")))
	late.ReceivedAt = arrival.Add(14 * time.Hour) // 00:00 of the next day
	save(t, s, late)
	triage(t, s, Change{Status: text(StatusClosed), Disposition: text(Testing)}, "r1")
	for column, want := range map[string][]Count{
		"level": {{"malicious", 2}, {"suspicious", 1}}, "brand": {{"zoom", 2}, {"webex", 1}}, "rule": {{"R1", 2}, {"R2", 1}},
		"status": {{"new", 2}, {"closed", 1}}, "group": {{"sales", 2}, {"dev", 1}}, "disposition": {{"", 2}, {"testing", 1}},
		"hostname": {{"host-of-a", 2}, {"host-of-b", 1}}, "day": {{"2026-11-22", 2}, {"2026-11-23", 1}},
	} {
		got, err := s.Counts(t.Context(), Everything, Filter{}, column, 9)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v, %v", column, got, want, err)
		}
	}
	got, err := s.Counts(t.Context(), Everything, Filter{Brand: "zoom"}, "rule", 1)
	if err != nil || !slices.Equal(got, []Count{{"R1", 1}}) {
		t.Errorf("filtered and cut: %v, %v", got, err)
	}
	if got, err = s.Counts(t.Context(), Everything, Filter{}, "day", 1); err != nil || !slices.Equal(got, []Count{{"2026-11-23", 1}}) {
		t.Errorf("the newest day: %v, %v", got, err)
	}
	if _, err := s.Counts(t.Context(), Everything, Filter{}, "record; DROP TABLE alerts", 9); err == nil {
		t.Error("a column that there is not was counted")
	}
}

func storeRuleStats(t *testing.T, s Store) {
	admit(t, s, "g", "a", "b")
	save(t, s, batchOf("a", sample("r1", about("x", "zoom", "R1")), sample("r2", about("x", "zoom", "R1")), sample("r3", about("x", "zoom", "R2"))))
	save(t, s, batchOf("b", sample("r1", about("x", "zoom", "R1"))))
	triage(t, s, Change{Status: text(StatusClosed), Disposition: text(FalsePositive)}, "r1")
	triage(t, s, Change{Status: text(StatusClosed), Disposition: text(TruePositive)}, "r2")
	got, err := s.RuleStats(t.Context(), Everything, Filter{})
	want := []RuleStat{
		{Rule: "R1", Alerts: 3, Agents: 2, TruePositives: 1, FalsePositives: 1, Last: arrival},
		{Rule: "R2", Alerts: 1, Agents: 1, Last: arrival},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("\n got %+v\nwant %+v, %v", got, want, err)
	}
}

func storeDelays(t *testing.T, s Store) {
	admit(t, s, "g", "a")
	landed := func(before time.Duration) func(*Record) {
		return func(r *Record) { r.Time, r.Landed = arrival, arrival.Add(-before) }
	}
	save(t, s, batchOf("a", sample("r1", landed(2*time.Second)), sample("r2"), sample("r3", landed(-time.Second)), sample("r4", landed(5*time.Millisecond))))
	got, err := s.Delays(t.Context(), Everything, Filter{}, 9)
	slices.Sort(got)
	if err != nil || !slices.Equal(got, []time.Duration{5 * time.Millisecond, 2 * time.Second}) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err = s.Delays(t.Context(), Everything, Filter{}, 1); err != nil || len(got) != 1 {
		t.Errorf("cut: %v, %v", got, err)
	}
}

func storeExpire(t *testing.T, s Store) {
	admit(t, s, "g", "a")
	at := func(hours int, uid string) {
		b := batchOf("a", sample(uid))
		b.ReceivedAt = arrival.Add(time.Duration(hours) * time.Hour)
		save(t, s, b)
	}
	at(0, "open-oldest")
	at(1, "closed-old")
	at(1, "suppressed-old")
	at(1, "open-old")
	at(1, "working-old")
	at(9, "closed-new")
	triage(t, s, Change{Status: text(StatusClosed), Note: "x"}, "closed-old", "closed-new")
	triage(t, s, Change{Status: text(StatusSuppressed)}, "suppressed-old")
	triage(t, s, Change{Status: text(StatusInProgress)}, "working-old")
	n, err := s.Expire(t.Context(), arrival.Add(5*time.Hour), arrival.Add(30*time.Minute), 100)
	if err != nil || n != 3 {
		t.Errorf("%d expired, want 3, %v", n, err)
	}
	if got := recordsIn(alertsOf(t, s, Filter{})); got != "closed-new working-old open-old" {
		t.Errorf("left: %q", got)
	}
	if _, err := s.History(t.Context(), Everything, idOf("closed-old")); !errors.Is(err, ErrNotFound) {
		t.Errorf("the history of what has expired: %v", err)
	}
	wantResults(t, save(t, s, batchOf("a", sample("closed-old"), sample("open-oldest", with("y")))),
		"closed-old duplicate", "open-oldest rejected conflict")
	if n, err := s.Expire(t.Context(), time.Time{}, time.Time{}, 100); n != 0 || err != nil {
		t.Errorf("without times %d expired, %v", n, err)
	}
	if last, err := s.LastSeq(t.Context()); last != 6 || err != nil {
		t.Errorf("last seq %d, %v", last, err)
	}
}

func storeExpireBounded(t *testing.T, s Store) {
	admit(t, s, "g", "a")
	var records []Record
	for i := range 2*triageChunk + 7 {
		records = append(records, sample(fmt.Sprint("r", i)))
	}
	save(t, s, batchOf("a", records...))
	all := arrival.Add(time.Hour)
	for i, want := range []int{triageChunk + 3, triageChunk + 3, 1, 0} {
		if n, err := s.Expire(t.Context(), all, all, triageChunk+3); n != want || err != nil {
			t.Errorf("expiry %d: %d, want %d, %v", i, n, want, err)
		}
	}
}
