package agent

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"meetguard"
	"meetguard/internal/worker"
)

// TestShortOfMemoryIsTold by what a control group of either version says of itself.
func TestShortOfMemoryIsTold(t *testing.T) {
	const mib = "000000"
	for name, tc := range map[string]struct {
		v2, v1 map[string]string
		want   string
	}{
		"none":              {nil, nil, ""},
		"no limit":          {map[string]string{"memory.current": "500" + mib, "memory.max": "max", "memory.high": "max"}, nil, ""},
		"room":              {map[string]string{"memory.current": "300" + mib, "memory.max": "512" + mib, "memory.high": "384" + mib}, nil, ""},
		"throttled":         {map[string]string{"memory.current": "380" + mib, "memory.max": "512" + mib, "memory.high": "384" + mib, "memory.stat": "anon 380" + mib + "\nfile 0\ninactive_file 0\nactive_file 0\n"}, nil, "memory.high"},
		"full of the cache": {map[string]string{"memory.current": "384" + mib, "memory.high": "384" + mib, "memory.stat": "anon 80" + mib + "\ninactive_file 300" + mib + "\nactive_file 4" + mib + "\n"}, nil, ""},
		"waiting":           {map[string]string{"memory.pressure": "some avg10=90.00 avg60=80.00 avg300=1.00 total=1\nfull avg10=40.00 avg60=25.50 avg300=0.10 total=1\n"}, nil, "waits 26 % of the time for memory"},
		"waited":            {map[string]string{"memory.pressure": "some avg10=90.00 avg60=80.00 avg300=1.00 total=1\nfull avg10=0.00 avg60=2.50 avg300=9.10 total=1\n"}, nil, ""},
		"first version":     {nil, map[string]string{"memory.usage_in_bytes": "8388608\n", "memory.limit_in_bytes": "8388608\n", "memory.stat": "cache 0\ntotal_inactive_file 4096\ntotal_active_file 0\n"}, "8 MiB of the 8 MiB of memory"},
		"its largest limit": {nil, map[string]string{"memory.usage_in_bytes": "8388608", "memory.limit_in_bytes": "9223372036854771712"}, ""},
	} {
		read := func(files map[string]string) func(string) string {
			return func(file string) string { return files[file] }
		}
		if got := shortOfMemory(read(tc.v2), read(tc.v1)); (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// TestKilledWorkersAreTold: those killed lately degrade, those of long ago and
// those that a file was to blame for are told.
func TestKilledWorkersAreTold(t *testing.T) {
	now := time.Now()
	for name, tc := range map[string]struct {
		d     worker.Deaths
		state meetguard.SourceState
		word  string
	}{
		"none":     {worker.Deaths{Crashed: 3, Slow: 2}, "", ""},
		"lately":   {worker.Deaths{Killed: 2, LastKilled: now.Add(-time.Minute)}, meetguard.SourceDegraded, "2 inspection processes were killed"},
		"long ago": {worker.Deaths{Killed: 2, LastKilled: now.Add(-time.Hour)}, meetguard.SourceOK, "want of memory"},
		"a file":   {worker.Deaths{Memory: 1, LastMemory: now}, meetguard.SourceOK, "1 needed more memory"},
	} {
		got := shortMemory(tc.d, now)
		if len(got) == 0 && tc.word == "" {
			continue
		}
		if len(got) != 1 || got[0].State != tc.state || !strings.Contains(got[0].Detail, tc.word) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestEndWithoutAWordIsTold by the next agent, and one that was asked for is not.
func TestEndWithoutAWordIsTold(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, statusFile)
	for name, tc := range map[string]struct {
		was  any
		told bool
	}{
		"killed":  {Status{PID: 1, Updated: time.Now()}, true},
		"ended":   {Status{PID: 1, Updated: time.Now(), Ended: true}, false},
		"rubbish": {[]int{1}, false},
	} {
		if err := writeJSON(path, tc.was); err != nil {
			t.Fatal(err)
		}
		if got := endedUnasked(dir); (len(got) == 1) != tc.told {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := endedUnasked(t.TempDir()); got != nil {
		t.Errorf("the first agent of all: %+v", got)
	}
}
