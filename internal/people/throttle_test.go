package people

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// kept is a Throttle over a map.
type kept struct{ t *Throttle }

func newKept() kept {
	var mu sync.Mutex
	all := map[string]Tries{}
	return kept{NewThrottle(func(_ context.Context, keys []string, change func([]Tries) []Tries) error {
		mu.Lock()
		defer mu.Unlock()
		known := make([]Tries, len(keys))
		for i, k := range keys {
			known[i] = all[k]
		}
		for i, next := range change(known) {
			all[keys[i]] = next
		}
		return nil
	})}
}

func (k kept) Begin(a Attempt, now time.Time) time.Duration {
	wait, err := k.t.Begin(context.Background(), a, now)
	if err != nil {
		panic(err) // a map does not fail
	}
	return wait
}

func (k kept) Passed(a Attempt, now time.Time) {
	if err := k.t.Passed(context.Background(), a, now); err != nil {
		panic(err)
	}
}

// guess tries every ten seconds for so long and returns how often the password
// was looked at. Every try has an address of its own if there is none.
func guess(tr kept, a Attempt, from time.Time, long time.Duration) int {
	looked := 0
	address := a.Address
	for i := range int(long / (10 * time.Second)) {
		if address == "" {
			a.Address = fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255)
		}
		if tr.Begin(a, from.Add(time.Duration(i)*10*time.Second)) == 0 {
			looked++
		}
	}
	return looked
}

func TestThrottleAccount(t *testing.T) {
	tr := newKept()
	at := start
	try := func(name string, i int) time.Duration {
		return tr.Begin(Attempt{Account: name, Address: fmt.Sprint("192.0.2.", i)}, at)
	}
	for i, delay := range []time.Duration{0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
		if wait := try("Ana", i); wait != 0 {
			t.Fatalf("try %d waits %v", i, wait)
		}
		if delay > 0 {
			if wait := try("aNA", 100+i); wait != delay*time.Second {
				t.Fatalf("after try %d the delay is %v, want %v", i, wait, delay*time.Second)
			}
		}
		at = at.Add(delay * time.Second)
	}
	if n := guess(newKept(), Attempt{Account: "ana"}, start, 24*time.Hour); n > 110 {
		t.Errorf("a net of machines has %d guesses a day", n)
	}
	if wait := tr.Begin(Attempt{Account: "bo", Address: "192.0.4.1"}, at); wait != 0 {
		t.Errorf("another account waits %v", wait)
	}
	if wait := tr.Begin(Attempt{Account: "ana", Address: "192.0.4.1"}, at.Add(25*time.Hour)); wait != 0 {
		t.Errorf("a day later it waits %v", wait)
	}
}

func TestThrottleAddress(t *testing.T) {
	for name, addresses := range map[string][2]string{
		"IPv4":        {"192.0.2.1", "192.0.2.1"},
		"mapped":      {"192.0.2.1", "::ffff:192.0.2.1"},
		"IPv6 of one": {"2001:db8::1", "2001:db8::ffff:2"},
		"no address":  {"@", "@"},
	} {
		tr := newKept()
		looked := 0
		for i := range 100 {
			if tr.Begin(Attempt{Account: fmt.Sprint("user", i), Address: addresses[i%2]}, start) == 0 {
				looked++
			}
		}
		if want := addressLimit().free + 1; looked != want {
			t.Errorf("%s: %d accounts were tried at once, want %d", name, looked, want)
		}
		if wait := tr.Begin(Attempt{Account: "x", Address: "2001:db8:1::1"}, start); wait != 0 {
			t.Errorf("%s: another address waits %v", name, wait)
		}
	}
}

// Strangers who guess without end do not keep the owner out.
func TestThrottleOwner(t *testing.T) {
	tr := newKept()
	guess(tr, Attempt{Account: "ana"}, start, time.Hour)
	now := start.Add(time.Hour)
	if tr.Begin(Attempt{Account: "ana", Address: "192.0.2.1"}, now) == 0 {
		t.Fatal("the account is not slowed down: the test shows nothing")
	}
	known := Attempt{Account: "ana", Address: "10.0.0.0", Device: "d1"}
	if wait := tr.Begin(known, now); wait != 0 {
		t.Errorf("a known device waits %v", wait)
	}
	tr.Passed(known, now)
	if wait := tr.Begin(Attempt{Account: "ana", Address: "192.0.2.1", Code: true}, now); wait != 0 {
		t.Errorf("who has the right code waits %v", wait)
	}
	if tr.Begin(Attempt{Account: "ana", Address: "192.0.2.1"}, now) == 0 {
		t.Error("the known device's log-in freed the strangers")
	}
	if n := guess(tr, known, now, 24*time.Hour); n > 110 {
		t.Errorf("a stolen device cookie is good for %d guesses a day", n)
	}
	code := Attempt{Account: "ana", Address: "192.0.2.9", Code: true}
	if n := guess(tr, code, now, time.Hour); n > 60 {
		t.Errorf("a stolen authenticator is good for %d guesses an hour from one address", n)
	}
}

func TestThrottlePassed(t *testing.T) {
	tr := newKept()
	a := Attempt{Account: "ana", Address: "192.0.2.1"}
	for i := range 500 { // an office comes to work
		a.Account = fmt.Sprint("user", i)
		if wait := tr.Begin(a, start); wait != 0 {
			t.Fatalf("colleague %d waits %v", i, wait)
		}
		tr.Passed(a, start)
	}
	// Somebody with an account of his own logs in between guesses at others.
	looked := 0
	for s := range 3600 {
		now := start.Add(time.Duration(s) * time.Second)
		if tr.Begin(Attempt{Account: fmt.Sprint("victim", s), Address: a.Address}, now) == 0 {
			looked++
		}
		own := Attempt{Account: "own", Address: a.Address}
		if tr.Begin(own, now) == 0 {
			tr.Passed(own, now)
		}
	}
	if looked > 60 {
		t.Errorf("own log-ins bought %d guesses an hour", looked)
	}
}

// A burst is counted before any of its passwords is checked.
func TestThrottleBurst(t *testing.T) {
	tr := newKept()
	var looked atomic.Int64
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			if tr.Begin(Attempt{Account: "ana", Address: fmt.Sprint("192.0.2.", i)}, start) == 0 {
				looked.Add(1)
			}
		})
	}
	wg.Wait()
	if want := int64(accountLimit().free + 1); looked.Load() != want {
		t.Errorf("%d of a burst were looked at, want %d", looked.Load(), want)
	}
}
