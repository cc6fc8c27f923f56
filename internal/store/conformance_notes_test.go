package store

import (
	"fmt"
	"testing"
	"time"
)

// noteOn is a record that tells of another one.
func noteOn(uid, about, status, disposition, remark string) Record {
	return sample(uid, func(r *Record) {
		r.Note = &Note{About: about, Change: Change{Who: "local:ana", At: arrival.Add(time.Minute), Note: remark}}
		if status != "" {
			r.Note.Status = &status
		}
		if disposition != "" {
			r.Note.Disposition = &disposition
		}
	})
}

// storeNotes: what was noted on the machine is told by the alert, once, and does
// not overrule anybody.
func storeNotes(t *testing.T, s Store) {
	admit(t, s, "g", "a", "b")
	save(t, s, batchOf("b", sample("r1")))
	wantResults(t, save(t, s, batchOf("a",
		noteOn("n1", "r1", StatusInProgress, "", "looking"), sample("r1"), sample("r2"), sample("r3"),
		noteOn("n2", "r1", StatusClosed, Testing, "a drill"), noteOn("n3", "gone", StatusClosed, "", ""))), "n1 stored", "r1 stored", "r2 stored", "r3 stored", "n2 stored", "n3 stored")
	triage(t, s, Change{Assignee: text("bob")}, "r2")
	batch := batchOf("a", noteOn("n4", "r2", StatusClosed, FalsePositive, "ours"), noteOn("n5", "r1", StatusInProgress, "", ""), noteOn("n6", "r3", "", "", "seen"))
	wantResults(t, save(t, s, batch), "n4 stored", "n5 stored", "n6 stored")
	batch.Records[0] = sample("n4", with("in another line"), func(r *Record) { r.Note = batch.Records[0].Note })
	wantResults(t, save(t, s, batch), "n4 duplicate", "n5 duplicate", "n6 duplicate")
	for uid, want := range map[string]struct{ state, history string }{
		"r1": {"closed/testing", "local:ana: started work (looking), local:ana: closed as testing (a drill), local:ana: noted on the machine: started work ()"},
		"r2": {"new/", "local:ana: noted on the machine: closed as false positive (ours), ana: assigned to bob ()"},
		"r3": {"new/", "local:ana: note (seen)"},
	} {
		a, err := s.Alert(t.Context(), Everything, idOf(uid))
		if got := a.Status + "/" + a.Disposition; err != nil || got != want.state {
			t.Errorf("%s: %s, %v", uid, got, err)
		}
		if got := historyOf(t, s, uid); got != want.history {
			t.Errorf("%s: %s\nwant %s", uid, got, want.history)
		}
	}
	if n := len(alertsOf(t, s, Filter{})); n != 4 {
		t.Errorf("%d alerts", n)
	}
	if n := agentNow(t, s, "a").Alerts; n != 3 {
		t.Errorf("the agent has %d alerts", n)
	}
}

func historyOf(t *testing.T, s Store, uid string) (all string) {
	t.Helper()
	events, err := s.History(t.Context(), Everything, idOf(uid))
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		if i > 0 {
			all += ", "
		}
		all += fmt.Sprintf("%s: %s (%s)", e.Who, e.Action, e.Note)
	}
	return all
}
