package watch

import (
	"testing"
	"time"
)

// TestStorm: launches ring until the alarms are spent, then they are read in
// gulps, in which only what may matter rings, and when nothing comes any more
// every launch rings again, with one look more.
func TestStorm(t *testing.T) {
	var s storm
	now := time.Unix(1e9, 0)
	step := func(launches int, rang bool, bell uint64, nap time.Duration) {
		t.Helper()
		if got := s.heard(launches, rang, now); got != bell || s.nap != nap {
			t.Fatalf("%d launches, rang %v: bell %d and nap %s, want %d and %s", launches, rang, got, s.nap, bell, nap)
		}
	}
	for range alarms {
		step(1, true, ringAll, 0)
	}
	step(1, true, ringSome, gulp)
	step(9, false, ringSome, 2*gulp)
	for range alarms - 1 {
		step(1, true, ringSome, 2*gulp) // what may matter, in the storm
	}
	step(1, true, ringNever, 2*gulp)
	step(9, false, ringNever, 4*gulp)
	now = now.Add(alarmAgain)
	step(9, false, ringSome, gulpMost)
	step(1, true, ringNever, gulpMost) // the alarm that came back
	step(0, false, ringAll, gulpMost)
	step(1, false, ringAll, gulpMost) // it came as the bell was set
	step(0, false, ringAll, 0)
}

func TestPace(t *testing.T) {
	var p pace
	now := time.Unix(1e9, 0)
	for range 3 {
		for i := range alarms {
			if !p.alarm(now) {
				t.Fatalf("no alarm is left after %d", i)
			}
		}
		if p.alarm(now) || p.alarm(now.Add(alarmAgain-1)) {
			t.Fatal("a storm does not end the alarms")
		}
		if now = now.Add(alarmAgain); !p.alarm(now) || p.alarm(now) {
			t.Fatal("not exactly one alarm comes back")
		}
		now = now.Add(time.Hour)
	}
}
