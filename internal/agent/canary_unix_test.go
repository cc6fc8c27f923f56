//go:build unix

package agent

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"meetguard"
)

const fullVolume = syscall.ENOSPC

// TestCanaryLaunchIsNoAlert: neither while it is expected nor when it comes too
// late, and the test launch of a person is one.
func TestCanaryLaunchIsNoAlert(t *testing.T) {
	a := launchAgent(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for word, alerts := range map[string]uint64{canaryWord + "00ff": 0, "x1": 1} {
		before := a.alerts.Counters().Created
		ev := meetguard.Event{Time: time.Now(), Kind: meetguard.ProcessStarted, Process: &meetguard.Process{PID: 1, Exe: self,
			Args: []string{self, TestLaunch, TestMark, word}, Started: time.Now()}}
		if test, err := a.judgeTest(context.Background(), ev); !test || err != nil {
			t.Errorf("%s: %v, %v", word, test, err)
		}
		if got := a.alerts.Counters().Created - before; got != alerts {
			t.Errorf("%s: %d alerts, want %d", word, got, alerts)
		}
	}
}
