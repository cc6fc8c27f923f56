//go:build unix

package agent

import (
	"context"
	"errors"
	"testing"

	"meetguard"
)

// TestJudgingThatBreaksEndsNothing: what is wrong with the judging of one file or
// launch costs that its verdict, and is counted as such.
func TestJudgingThatBreaksEndsNothing(t *testing.T) {
	a := slowLaunches(t)
	wrong := errors.New("the log is full")
	for i, tc := range []struct {
		ev    meetguard.Event
		judge func() error
		want  error
	}{
		{started(10, 1, absent+"sh"), func() error { panic("wrong") }, nil},
		{land("/a/file"), func() error { return (*Agent)(nil).openPrivate() }, nil},
		{land("/a/file"), func() error { return wrong }, wrong},
	} {
		if err := a.unbroken(context.Background(), tc.ev, tc.judge); !errors.Is(err, tc.want) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if n := a.counts.incomplete.Load(); n != 2 {
		t.Errorf("%d could not be judged, want two", n)
	}
}

// TestBytesThatAreNoText: a command line may hold any bytes, and places in it are
// places in it. Found by FuzzTracker.
func TestBytesThatAreNoText(t *testing.T) {
	a := slowLaunches(t)
	for i, arg := range []string{"\xfa\xf7https://files.invalid", "-oProxyCommand=\xfa\xf7", "cu\xf7rl \xfa\xfa\xfahttps://files.invalid|sh"} {
		for j, program := range []string{"sh", "curl", "ssh", "git", "cmd"} {
			if err := a.launchEvent(context.Background(), started(100*i+j+10, 1, absent+program, "-c", arg, arg)); err != nil {
				t.Fatal(err)
			}
		}
	}
	until(t, func() bool { return a.counts.launchesJudged.Load() == 15 })
	if n := a.counts.incomplete.Load(); n != 0 {
		t.Errorf("%d could not be judged", n)
	}
}
