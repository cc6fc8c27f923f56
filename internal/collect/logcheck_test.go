package collect

import (
	"fmt"
	"strings"
	"testing"

	"meetguard/internal/store"
)

// line is a record of an agent's log whose digest is its number in words.
func line(seq uint64) store.Record {
	return store.Record{UID: fmt.Sprint(seq), Seq: seq, Digest: digestOf(seq), Prev: digestOf(seq - 1)}
}

func digestOf(seq uint64) string { return fmt.Sprint("digest of ", seq) }

func at(received uint64) store.LogState {
	return store.LogState{Seq: received, Head: digestOf(received), Received: received, Digest: digestOf(received)}
}

func beatAt(seq uint64) *store.Beat { return &store.Beat{Seq: seq, Head: digestOf(seq)} }

func TestFollowLog(t *testing.T) {
	changed := line(5)
	changed.Prev = "another line"
	refused := store.Record{Refused: "class_uid is not 2004"}
	otherHead := beatAt(4)
	otherHead.Head = "another head"
	for name, c := range map[string]struct {
		known   store.LogState
		records []store.Record
		beat    *store.Beat
		want    string // rules, in order
		end     uint64 // the newest line that arrived
	}{
		"in order":              {at(4), []store.Record{line(5), line(6)}, beatAt(6), "", 6},
		"first contact":         {store.LogState{}, []store.Record{line(40), line(41)}, beatAt(41), "", 41},
		"first contact, no log": {store.LogState{}, nil, beatAt(0), "", 0},
		"sent again":            {at(4), []store.Record{line(3), line(4), line(5)}, beatAt(5), "", 5},
		"more to come":          {at(4), []store.Record{line(5)}, beatAt(90), "", 5},
		"a line cut out":        {at(4), []store.Record{line(6)}, beatAt(6), "MG-FLEET-GAP", 6},
		"within the batch":      {at(4), []store.Record{line(5), line(8)}, beatAt(8), "MG-FLEET-GAP", 8},
		"changed line":          {at(4), []store.Record{changed}, nil, "MG-FLEET-CHANGED", 5},
		"refused one between":   {at(4), []store.Record{refused, line(6)}, beatAt(6), "", 6},
		"one refused, two gone": {at(4), []store.Record{refused, line(7)}, beatAt(7), "MG-FLEET-GAP", 7},
		"log cut back":          {at(4), nil, beatAt(2), "MG-FLEET-RESET", 2},
		"log begun anew":        {at(4), nil, beatAt(0), "MG-FLEET-RESET", 0},
		"newest line changed":   {at(4), nil, otherHead, "MG-FLEET-CHANGED", 4},
		"no sequence":           {at(4), []store.Record{{UID: "x"}}, beatAt(4), "", 4},
	} {
		t.Run(name, func(t *testing.T) {
			end, found := followLog(c.known, c.records, c.beat)
			got := ""
			for _, b := range found {
				got += b.rule
			}
			if got != c.want || end.Received != c.end {
				t.Errorf("%q at %d, want %q at %d: %+v", got, end.Received, c.want, c.end, found)
			}
		})
	}
}

// After an alarm the log is followed from where it is: one act is one alarm.
func TestFollowLogGoesOn(t *testing.T) {
	end, found := followLog(at(9), nil, beatAt(3))
	if len(found) != 1 {
		t.Fatalf("%+v", found)
	}
	if end, found = followLog(end, []store.Record{line(4), line(5)}, beatAt(5)); len(found) != 0 || end.Received != 5 {
		t.Errorf("after the reset: %+v at %d", found, end.Received)
	}
	if _, found = followLog(end, nil, beatAt(5)); len(found) != 0 {
		t.Errorf("the same heartbeat again: %+v", found)
	}
}

// A log that was rewritten between two heartbeats, before any of it arrived.
func TestFollowLogWithoutDelivery(t *testing.T) {
	known := store.LogState{Seq: 7, Head: digestOf(7)}
	other := beatAt(7)
	other.Head = "rewritten"
	if _, found := followLog(known, nil, other); len(found) != 1 || found[0].rule != ruleChanged {
		t.Errorf("%+v", found)
	}
}

// What an agent found damaged in its own log is a breach, though everything it
// delivers follows. The same damage has the same key, more of it another one.
func TestDamageIsABreach(t *testing.T) {
	keys := map[string]string{}
	for _, c := range []struct {
		name, damage string
		want         string // in the detail, "" for no breach
	}{
		{"none", ``, ""},
		{"none, in words", `"damage":{"places":0,"missing":0},`, ""},
		{"places", `"damage":{"places":2},`, "2 places"},
		{"places again", `"damage":{"missing":0,"places":2},`, "2 places"},
		{"one more", `"damage":{"places":3},`, "3 places"},
		{"lines gone", `"damage":{"missing":7},`, "7 lines gone"},
		{"both", `"damage":{"places":1,"missing":7},`, "1 places"},
		{"no numbers", `"damage":{"places":"many","missing":-1},`, ""},
		{"no object", `"damage":"none",`, ""},
	} {
		b, err := parseBeat(fmt.Appendf(nil, `{%s"seq":4,"head":%q}`, c.damage, digestOf(4)))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		end, found := followLog(at(4), nil, b)
		switch {
		case end != at(4):
			t.Errorf("%s: the log stands at %+v", c.name, end)
		case c.want == "" && len(found) > 0, c.want != "" && (len(found) != 1 || found[0].rule != ruleChanged || !strings.Contains(found[0].detail, c.want)):
			t.Errorf("%s: %+v", c.name, found)
		case c.want != "":
			if detail, ok := keys[found[0].key]; ok && detail != found[0].detail {
				t.Errorf("%s: one key for %q and %q", c.name, detail, found[0].detail)
			}
			keys[found[0].key] = found[0].detail
		}
	}
	if len(keys) != 4 {
		t.Errorf("%d kinds of damage, want 4: %v", len(keys), keys)
	}
}

func TestCloneWatch(t *testing.T) {
	c := newCloneWatch()
	for i, step := range []struct {
		boot string
		want bool
	}{{"a", false}, {"a", false}, {"b", false}, {"", false}, {"b", false}, {"a", true}, {"b", true}, {"c", false}} {
		if got := c.seen("agent", step.boot); got != step.want {
			t.Errorf("step %d, boot %q: %v", i, step.boot, got)
		}
	}
	if c.seen("other", "a") {
		t.Error("agents are mixed up")
	}
}

// A fleet that is larger than one collector carries is asked to come later, and
// sooner again when it shrinks.
func TestPace(t *testing.T) {
	p := newPace(DefaultInterval)
	for range 300 {
		p.heard(200)
	}
	if p.interval() != DefaultInterval {
		t.Errorf("a fleet of 12,000: %v", p.interval())
	}
	const agents = 400_000
	for range 600 {
		p.heard(int(agents / p.interval().Seconds()))
	}
	if rate := agents / p.interval().Seconds(); rate > 1.1*targetBeats || rate < 0.9*targetBeats {
		t.Errorf("a fleet of %d is asked for %v: %.0f heartbeats a second", agents, p.interval(), rate)
	}
	for range 600 {
		p.heard(10)
	}
	if p.interval() != DefaultInterval {
		t.Errorf("a small fleet again: %v", p.interval())
	}
}
