package desktop

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestDiary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notices.json")
	d := OpenDiary(path)
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	tell := func(p Person, f Finding, at time.Time, want bool) {
		t.Helper()
		if got := d.May(p, f, at); got != want {
			t.Errorf("%s at %s about %s: %v", p, at.Format(time.TimeOnly), f.ID, got)
		} else if got {
			if err := d.Told(p, f, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	tell("1000", Finding{ID: "a"}, now, true)
	tell("1000", Finding{ID: "a"}, now.Add(23*time.Hour), false)
	tell("1001", Finding{ID: "a"}, now, true) // another person
	d = OpenDiary(path)                       // the agent was started again
	tell("1000", Finding{ID: "a"}, now.Add(time.Minute), false)
	for i := range perHour - 1 {
		tell("1000", Finding{ID: fmt.Sprint("b", i)}, now.Add(time.Minute), true)
	}
	tell("1000", Finding{ID: "c"}, now.Add(2*time.Minute), false)           // too many in an hour
	tell("1000", Finding{ID: "c", Ran: true}, now.Add(2*time.Minute), true) // which hides nothing that ran
	tell("1000", Finding{ID: "d"}, now.Add(time.Hour), true)
	tell("1000", Finding{ID: "a"}, now.Add(silence), true) // a day later

	if err := os.WriteFile(path, []byte("[{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if d := OpenDiary(path); !d.May("1000", Finding{ID: "a"}, now) {
		t.Error("a diary that is torn silences")
	}
}

func TestDiaryIsBounded(t *testing.T) {
	d := OpenDiary(filepath.Join(t.TempDir(), "notices.json"))
	now := time.Now()
	for i := range maxTold {
		d.told = append(d.told, entry{now, "1000", fmt.Sprint(i), false})
	}
	if err := d.Told("1000", Finding{ID: "new"}, now); err != nil || len(d.told) != maxTold || d.told[maxTold-1].Finding != "new" {
		t.Errorf("%d entries, %v", len(d.told), err)
	}
	if err := d.Told("1000", Finding{ID: "next day"}, now.Add(silence)); err != nil || len(d.told) != 1 {
		t.Errorf("%d entries a day later, %v", len(d.told), err)
	}
}
