package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"meetguard/installer"
)

// TestEaseTimers: threads that there were and threads that come have late timers.
func TestEaseTimers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: only root may ease the timers of other threads")
	}
	if err := easeTimers(); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		done := make(chan bool)
		go func() { // in a thread of its own, which ends with it
			runtime.LockOSThread()
			close(done)
		}()
		<-done
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil || len(threads) < 3 {
		t.Fatalf("%d threads, %v", len(threads), err)
	}
	for _, thread := range threads {
		got, err := os.ReadFile("/proc/" + thread.Name() + "/timerslack_ns")
		if err == nil && strings.TrimSpace(string(got)) != strconv.Itoa(lateTimers) {
			t.Errorf("thread %s: %s", thread.Name(), got)
		}
	}
}

// TestUnitEasesTimers: the account of the unit may not do it by itself.
func TestUnitEasesTimers(t *testing.T) {
	if line := "TimerSlackNSec=" + strconv.Itoa(lateTimers/1_000_000) + "ms\n"; !strings.Contains(installer.Unit, line) {
		t.Errorf("the unit lacks %s", line)
	}
}
