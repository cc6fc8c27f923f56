package collect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// many stores n alerts of one agent in the group and returns their ids.
func (a *apiSite) many(n int, agent, group string) []string {
	a.t.Helper()
	who := store.Agent{UID: agent, Hostname: "h"}
	if err := a.store.Admit(a.t.Context(), who, group, a.clock()); err != nil {
		a.t.Fatal(err)
	}
	b := store.Batch{Agent: who, ReceivedAt: a.clock()}
	var ids []string
	for i := range n {
		uid := fmt.Sprint("many", i)
		b.Records = append(b.Records, ParseRecord(record(uid, lure("suspicious", "zoom", "MG-1", fmt.Sprint(i)))))
		ids = append(ids, store.AlertID(agent, uid))
	}
	if _, err := a.store.Save(a.t.Context(), b); err != nil {
		a.t.Fatal(err)
	}
	return ids
}

func (a *apiSite) countStatus(status string) int {
	a.t.Helper()
	counts, err := a.store.Counts(a.t.Context(), store.Everything, store.Filter{Statuses: []string{status}, Limit: 10}, "status", 10)
	if err != nil {
		a.t.Fatal(err)
	}
	if len(counts) == 0 {
		return 0
	}
	return counts[0].N
}

func TestJobByFilter(t *testing.T) {
	a := newAPISite(t)
	a.many(2*jobChunk+7, "a1", "sales")
	a.many(5, "a2", "lab")
	a.pass(time.Second)
	ana := a.someone(people.Analyst, "sales")
	var j jobView
	ana.want(201, "POST", "/v1/jobs", map[string]any{"kind": jobTriage, "filter": "brand=zoom&status=new", "triage": map[string]any{"status": "closed", "disposition": "testing", "note": "our test"}}, &j)
	if j.State != jobQueued || j.Total != 2*jobChunk+7 {
		t.Errorf("%+v", j)
	}
	a.pass(time.Second)
	late := a.alert("a1", "sales", "late", lure("malicious", "zoom", "MG-1", "zz"))
	if err := a.srv.doJobs(t.Context()); err != nil {
		t.Fatal(err)
	}
	ana.want(200, "GET", "/v1/jobs/"+j.ID, nil, &j)
	if j.State != jobDone || j.Done != j.Total || j.Changed != j.Total || a.countStatus(store.StatusClosed) != j.Total || a.countStatus(store.StatusNew) != 6 {
		t.Errorf("%+v, closed %d, new %d", j, a.countStatus(store.StatusClosed), a.countStatus(store.StatusNew))
	}
	var got store.Alert
	ana.want(200, "GET", "/v1/alerts/"+late, nil, &got)
	if got.Status != store.StatusNew {
		t.Error("an alert that came later was closed")
	}
	a.someone(people.Analyst, "lab").want(404, "GET", "/v1/jobs/"+j.ID, nil, nil)
	var list jobsResponse
	a.someone(people.Analyst, "lab").want(200, "GET", "/v1/jobs", nil, &list)
	if len(list.Jobs) != 0 {
		t.Errorf("%+v", list)
	}
	a.someone(people.Analyst).want(200, "GET", "/v1/jobs", nil, &list)
	if len(list.Jobs) != 1 {
		t.Errorf("%+v", list)
	}
}

// failing fails the n-th triage and every one after it, as a store that is lost.
type failing struct {
	store.Store
	left int
}

var errLostStore = errors.New("the store is lost")

func (f *failing) Triage(ctx context.Context, s store.Scope, ids []string, c store.Change) (int, error) {
	if f.left--; f.left < 0 {
		return 0, errLostStore
	}
	return f.Store.Triage(ctx, s, ids, c)
}

// A collector that dies in the middle of a job leaves it to another, which goes
// on once the lease is over, and does nothing twice.
func TestJobGoesOnAfterCrash(t *testing.T) {
	for name, ask := range map[string]func(ids []string) map[string]any{
		"filter": func([]string) map[string]any { return map[string]any{"filter": "rule=MG-1"} },
		"ids":    func(ids []string) map[string]any { return map[string]any{"ids": ids} },
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPISite(t)
			ids := a.many(3*jobChunk, "a1", "sales")
			a.pass(time.Second)
			body := ask(ids)
			body["kind"], body["triage"] = jobTriage, map[string]any{"note": "seen"}
			var j jobView
			a.someone(people.Analyst).want(201, "POST", "/v1/jobs", body, &j)

			dying, err := NewServer(Config{Store: &failing{a.store, 2}, Now: a.clock, Secret: make([]byte, secretSize)})
			if err != nil {
				t.Fatal(err)
			}
			if err := dying.doJobs(t.Context()); !errors.Is(err, errLostStore) {
				t.Fatalf("%v", err)
			}
			left, err := a.store.Job(t.Context(), j.ID)
			if err != nil || left.State != jobRunning || left.Done != 2*jobChunk {
				t.Fatalf("%+v, %v", left, err)
			}
			if err := a.srv.doJobs(t.Context()); err != nil {
				t.Fatal(err)
			}
			if now, _ := a.store.Job(t.Context(), j.ID); now.Done != 2*jobChunk {
				t.Error("it was taken while the other one had the lease")
			}
			a.pass(jobLease + time.Second)
			if err := a.srv.doJobs(t.Context()); err != nil {
				t.Fatal(err)
			}
			done, err := a.store.Job(t.Context(), j.ID)
			if err != nil || done.State != jobDone || done.Done != 3*jobChunk || done.Changed != 3*jobChunk {
				t.Errorf("%+v, %v", done, err)
			}
			for _, id := range []string{ids[0], ids[jobChunk], ids[3*jobChunk-1]} {
				events, err := a.store.History(t.Context(), store.Everything, id)
				if err != nil || len(events) != 1 {
					t.Errorf("%s: %+v, %v", id, events, err)
				}
			}
		})
	}
}

func TestJobsOnAgents(t *testing.T) {
	a := newAPISite(t)
	a.many(1, "a1", "sales")
	a.many(1, "a2", "sales")
	a.many(1, "a3", "lab")
	fa := a.someone(people.FleetAdmin, "sales", "ops")
	ids := []string{"a1", "a2", "a3", "none"}
	for _, step := range []struct {
		body         map[string]any
		changed      int
		group, state string
		ofForeign    string
	}{
		{map[string]any{"kind": jobMove, "ids": ids, "group": "ops"}, 2, "ops", "active", "lab"},
		{map[string]any{"kind": jobSuspend, "ids": ids}, 2, "ops", "suspended", "lab"},
		{map[string]any{"kind": jobRestore, "ids": ids}, 2, "ops", "active", "lab"},
		{map[string]any{"kind": jobRevoke, "ids": ids[:1]}, 1, "ops", "revoked", "lab"},
		{map[string]any{"kind": jobRestore, "ids": ids}, 0, "ops", "revoked", "lab"},
	} {
		var j jobView
		fa.want(201, "POST", "/v1/jobs", step.body, &j)
		if err := a.srv.doJobs(t.Context()); err != nil {
			t.Fatal(err)
		}
		fa.want(200, "GET", "/v1/jobs/"+j.ID, nil, &j)
		one, err := a.store.Agent(t.Context(), store.Everything, "a1")
		if err != nil {
			t.Fatal(err)
		}
		three, err := a.store.Agent(t.Context(), store.Everything, "a3")
		if err != nil {
			t.Fatal(err)
		}
		if j.State != jobDone || j.Changed != step.changed || one.Group != step.group || one.State != step.state || three.Group != step.ofForeign || three.State != "active" {
			t.Errorf("%v: %+v, %s %s", step.body["kind"], j, one.Group, one.State)
		}
	}
	a.someone(people.Analyst).want(403, "POST", "/v1/jobs", map[string]any{"kind": jobRevoke, "ids": ids}, nil)
	fa.want(404, "POST", "/v1/jobs", map[string]any{"kind": jobMove, "ids": ids, "group": "lab"}, nil)
	for _, bad := range []map[string]any{
		{"kind": "delete"}, {"kind": jobTriage}, {"kind": jobTriage, "ids": ids}, {"kind": jobMove, "ids": ids}, {"kind": jobSuspend, "ids": ids, "group": "x"}, {"kind": jobSuspend},
		{"kind": jobTriage, "ids": ids, "filter": "", "triage": map[string]any{"note": "x"}}, {"kind": jobTriage, "filter": "bad=1", "triage": map[string]any{"note": "x"}},
		{"kind": jobTriage, "ids": []string{"a b"}, "triage": map[string]any{"note": "x"}},
		{"kind": jobTriage, "ids": make([]string, maxIDs+1), "triage": map[string]any{"note": "x"}},
	} {
		fa.want(400, "POST", "/v1/jobs", bad, nil)
	}
}

// A job of a kind that this version does not know fails, and holds up no other.
func TestUnknownJobFails(t *testing.T) {
	a := newAPISite(t)
	for _, params := range []string{`{"ids":["x"]}`, `[]`} {
		j := store.Job{ID: store.NewID(), Kind: "later", Who: "x", Params: json.RawMessage(params), State: jobQueued, CreatedAt: a.clock(), UpdatedAt: a.clock()}
		if err := a.store.CreateJob(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		if err := a.srv.doJobs(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := a.store.Job(t.Context(), j.ID); err != nil || got.State != jobFailed || got.Error == "" {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestWorkerIsWoken(t *testing.T) {
	a := newAPISite(t)
	id := a.many(1, "a1", "sales")
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- a.srv.runJobs(ctx) }()
	ana := a.someone(people.Analyst)
	var j jobView
	ana.want(201, "POST", "/v1/jobs", map[string]any{"kind": jobTriage, "ids": id, "triage": map[string]any{"status": "in_progress"}}, &j)
	for j.State != jobDone && t.Context().Err() == nil {
		ana.want(200, "GET", "/v1/jobs/"+j.ID, nil, &j)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
