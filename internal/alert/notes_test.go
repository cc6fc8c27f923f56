package alert

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"meetguard"
)

// pendingNotes returns the notes that are owed to the collector, oldest first.
func pendingNotes(t *testing.T, l *Log) []Record {
	t.Helper()
	items, err := l.pending(maxBatch, maxBatchSize)
	if err != nil {
		t.Fatal(err)
	}
	var out []Record
	for _, it := range items {
		var r Record
		if err := json.Unmarshal(it.raw, &r); err != nil {
			t.Fatal(err)
		}
		if r.isNote() {
			out = append(out, r)
		}
	}
	return out
}

func TestNotesGoIntoTheLogOnce(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir, Options{})
	about := numbered(1)
	mustAppend(t, l, about, numbered(2))
	take := func() {
		t.Helper()
		if err := l.takeNotes(testHost, testProduct); err != nil {
			t.Fatal(err)
		}
	}
	take()
	if err := Ack(dir, about.Metadata.UID, StateResolved, FalsePositive, "ours\u202e"); err != nil {
		t.Fatal(err)
	}
	appendBytes(t, filepath.Join(dir, acksName), []byte("\n{\"uid\":\"half a line"))
	take()
	take()
	notes := pendingNotes(t, l)
	if len(notes) != 1 {
		t.Fatalf("%d notes are owed", len(notes))
	}
	n, u := notes[0], notes[0].Unmapped
	if n.ActivityID != 2 || n.TypeUID != 200402 || n.StatusID != 4 || n.Comment != `ours\u{202e}` || n.FindingInfo.UID != about.FindingInfo.UID ||
		u.About != about.Metadata.UID || u.State != StateResolved || u.Disposition != FalsePositive || u.Level != about.Unmapped.Level {
		t.Errorf("%+v", n)
	}
	if len(readAll(t, dir, Filter{})) != 2 {
		t.Error("a note is read as an alert")
	}
	if err := Ack(dir, about.Metadata.UID, StateInProgress, "", ""); err != nil { // ends the half line
		t.Fatal(err)
	}
	l.Close()
	l = openTest(t, dir, Options{})
	take()
	settleAll(t, l)
	l.Close()
	if err := os.Remove(filepath.Join(dir, cursorName)); err != nil { // nobody knows any more what was taken
		t.Fatal(err)
	}
	l = openTest(t, dir, Options{})
	take()
	if notes := pendingNotes(t, l); len(notes) != 2 || notes[1].StatusID != 2 {
		t.Errorf("%d notes are in the log", len(notes))
	}
	balance(t, l)
	if rep, err := Verify(dir); err != nil || !rep.OK() {
		t.Errorf("Verify = %+v, %v", rep, err)
	}
}

func TestNoteIsAValidRecord(t *testing.T) {
	s := schema(t)
	for _, state := range AckStates() {
		for _, k := range []Acknowledgement{
			{UID: "u", State: state, Time: testTime},
			{UID: "u", State: state, Time: testTime, By: "ana", Note: "seen", Finding: "f", Title: "Fake Zoom", Level: meetguard.Malicious, Rule: "R"},
		} {
			r := noteRecord(testHost, testProduct, k)
			doc := document(t, r)
			if s != nil {
				if err := s.Validate(doc); err != nil {
					t.Errorf("%s: %v", state, err)
				}
			}
			if r.StatusID == 0 || r.Metadata.UID == k.UID || r.Unmapped.Actor != "local:"+k.By {
				t.Errorf("%s: %+v", state, r)
			}
		}
	}
	a := noteRecord(testHost, testProduct, Acknowledgement{UID: "u", State: StateNew, Time: testTime})
	b := noteRecord(testHost, testProduct, Acknowledgement{UID: "u", State: StateNew, Time: testTime.Add(time.Second)})
	if a.Metadata.UID == b.Metadata.UID {
		t.Error("two notes are one")
	}
}

func TestNoteGoesWithTheNextHeartbeat(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := openTest(t, dir, Options{})
		mustAppend(t, l, numbered(1))
		c := newCollector()
		stop := run(t, testSender(t, l, "https://collector.invalid", &http.Client{Transport: inMemory{c}}))
		synctest.Wait()
		if err := Ack(dir, numbered(1).Metadata.UID, StateResolved, Testing, "a drill"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * minCheckin)
		synctest.Wait()
		stop()
		if c := balance(t, l); c.Acked != 2 {
			t.Errorf("%+v", c)
		}
		l.Close()
		h, ok := parseHeader(c.stored[c.order[1]])
		if !ok || h.seq != 2 {
			t.Errorf("the collector has %s", c.order)
		}
	})
}
