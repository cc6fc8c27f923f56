package watch

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestSilentBellDoesNotRing(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	b, err := newBell(int(r.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer b.file.Close()
	rings := func() int {
		n, err := unix.EpollWait(b.epoll, make([]unix.EpollEvent, 1), 0)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	step := func(what string, do func() error, want int) {
		t.Helper()
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if n := rings(); n != want {
			t.Errorf("%s: it rings %d times, want %d", what, n, want)
		}
	}
	write := func() error { _, err := w.Write([]byte{1}); return err }
	step("silent", b.silence, 0)
	step("told while it is silent", write, 0)
	step("heard again", b.heed, 1)
	step("told", write, 1)
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
