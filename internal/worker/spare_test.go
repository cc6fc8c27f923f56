package worker

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestSlowRequestGivesItsPlaceAway: behind one slow request others are answered;
// behind a second one they wait until one of both is over.
func TestSlowRequestGivesItsPlaceAway(t *testing.T) {
	p := pool(t, Config{Patience: 20 * time.Millisecond, Spare: 1})
	hang := func() (*Underway, func()) {
		ctx, cancel := context.WithCancel(context.Background())
		u, err := p.Begin(ctx, [][]byte{[]byte("hang")})
		if err != nil {
			t.Fatal(err)
		}
		return u, cancel
	}
	first, endFirst := hang()
	if got := do(t, p, "echo beside"); got != "beside" {
		t.Errorf("%q", got)
	}
	second, endSecond := hang()
	short, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, err := p.Do(short, [][]byte{[]byte("echo")}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a third worker was started: %v", err)
	}
	endFirst()
	if _, err := first.Wait(); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if got := do(t, p, "echo again"); got != "again" {
		t.Errorf("%q", got)
	}
	endSecond()
	_, _ = second.Wait()
	p.Close()
	if n := len(p.slots) + len(p.spares); n != 0 {
		t.Errorf("%d places are left of a closed pool", n)
	}
}

// TestDeathsAreCounted by what ended the worker.
func TestDeathsAreCounted(t *testing.T) {
	p := pool(t, Config{Timeout: 5 * time.Minute})
	for _, request := range []string{"crash", "eat", "flood", "echo on"} {
		_, _ = p.Do(context.Background(), [][]byte{[]byte(request)})
	}
	d := p.Deaths()
	if d.Crashed != 3 || d.Memory != 1 || d.Killed != 0 || d.Slow != 0 || d.LastMemory.IsZero() || !d.LastKilled.IsZero() { // a crash is tried twice
		t.Errorf("%+v", d)
	}
	hangs := pool(t, Config{Timeout: 200 * time.Millisecond})
	_, err := hangs.Do(context.Background(), [][]byte{[]byte("hang")})
	if d := hangs.Deaths(); d.Slow != 1 || err == nil || !strings.Contains(err.Error(), "took longer") {
		t.Errorf("%+v, %v", d, err)
	}
}
