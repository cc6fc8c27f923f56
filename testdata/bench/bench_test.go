//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestSeries(t *testing.T) {
	s := series{5, 1, 3, 2, 4}
	if s.median() != 3 || s.min() != 1 || s.max() != 5 || s[0] != 5 {
		t.Errorf("median %g, %g…%g of %v", s.median(), s.min(), s.max(), s)
	}
	if (series{}).median() != 0 {
		t.Error("a series of nothing has a median")
	}
	if !atMost("x", s, 3, "").passed || atMost("x", s, 2.9, "").passed {
		t.Error("the bar is not compared with the median")
	}
}

func TestField(t *testing.T) {
	data := []byte("Rss:    100 kB\nPss:     42 kB\nPss_Anon: 7 kB\n")
	if got := field(data, "Pss:"); got != 42 {
		t.Errorf("Pss is %d", got)
	}
	if got := field(data, "Swap:"); got != 0 {
		t.Errorf("a line that is not there gave %d", got)
	}
	if procField(os.Getpid(), "status", "VmRSS:") == 0 || wakeups(os.Getpid()) == 0 {
		t.Error("nothing was read of this process")
	}
}

// TestFollow has the follower see a line that is written while it waits.
func TestFollow(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	f, err := follow(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(log, []byte("{\"path\":\"a.scpt\"}\n"), 0o644) }()
	seen, err := f.wait("a.scpt", 10*time.Second)
	if err != nil || seen.IsZero() {
		t.Fatalf("not seen: %v", err)
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if seen, _ := f.wait("a.scpt", time.Millisecond); !seen.IsZero() {
		t.Error("one line was seen twice")
	}
}

func TestLuresDiffer(t *testing.T) {
	if string(lure("a")) == string(lure("b")) {
		t.Error("two lures are the same: they would make one alert")
	}
}

func TestScriptsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scripts(100, zippedSize) {
		if len(s.Data) != zippedSize || seen[string(s.Data)] {
			t.Fatalf("%s has %d bytes, or is there twice", s.Name, len(s.Data))
		}
		seen[string(s.Data)] = true
	}
}
