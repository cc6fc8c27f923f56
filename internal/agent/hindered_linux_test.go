package agent

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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

// TestRefusedMemoryIsTold: a control group that is full of pages of files lacks
// memory if it is refused more just now, and only then.
func TestRefusedMemoryIsTold(t *testing.T) {
	t.Parallel()
	const mib = "000000"
	cached := map[string]string{"memory.current": "384" + mib, "memory.high": "384" + mib, "memory.max": "max",
		"memory.usage_in_bytes": "384" + mib, "memory.limit_in_bytes": "384" + mib,
		"memory.stat": "anon 80" + mib + "\ninactive_file 300" + mib + "\nactive_file 4" + mib + "\ntotal_inactive_file 300" + mib + "\ntotal_active_file 4" + mib + "\n"}
	for name, tc := range map[string]struct {
		first    bool // version of control groups
		file     string
		counters [2]string // at one look and the next
		want     string
	}{
		"held back":          {false, "memory.events", [2]string{"low 0\nhigh 5\nmax 0\noom 0\n", "low 0\nhigh 9\nmax 0\noom 0\n"}, "(memory.high)"},
		"refused":            {false, "memory.events", [2]string{"low 0\nhigh 0\nmax 3\noom 0\n", "low 0\nhigh 0\nmax 4\noom 0\n"}, "(memory.high)"},
		"refused before":     {false, "memory.events", [2]string{"low 0\nhigh 7\nmax 3\noom 0\n", "low 0\nhigh 7\nmax 3\noom 0\n"}, ""},
		"first version":      {true, "memory.failcnt", [2]string{"17\n", "18\n"}, "(memory.limit_in_bytes)"},
		"first, long before": {true, "memory.failcnt", [2]string{"17\n", "17\n"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			looks := 0
			v2 := func(file string) string {
				if file != tc.file {
					return cached[file]
				}
				looks++
				return tc.counters[min(looks, 2)-1]
			}
			none := func(string) string { return "" }
			v1 := none
			if tc.first {
				v1, v2 = v2, none
			}
			if got := shortOfMemory(v2, v1); (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// TestLackOfMemoryIsSeenFromOutside of a real process: in a control group that is
// too small for what it reads, and under a limit of its own (setrlimit) that it has
// nearly reached.
func TestLackOfMemoryIsSeenFromOutside(t *testing.T) {
	t.Parallel()
	for name, resource := range map[string]int{"RLIMIT_AS": unix.RLIMIT_AS, "RLIMIT_DATA": unix.RLIMIT_DATA} {
		cmd := exec.Command("sh", "-c", "echo ready; read forever")
		out, err := cmd.StdoutPipe()
		if _, in := cmd.StdinPipe(); err != nil || in != nil {
			t.Fatal(err, in)
		}
		pid := running(t, cmd)
		if _, err := out.Read(make([]byte, 8)); err != nil { // it needs no more memory now
			t.Fatal(err)
		}
		held := map[int]string{unix.RLIMIT_AS: "VmSize", unix.RLIMIT_DATA: "VmData"}[resource]
		_, rest, _ := strings.Cut(procText(pid, "status"), "\n"+held+":")
		used := uint64(1024 * number(strings.Fields(rest)[0]))
		for _, tc := range []struct {
			limit uint64
			want  string
		}{{2 * used, ""}, {used + used/50, "(" + name + ")"}} {
			if err := unix.Prlimit(pid, resource, &unix.Rlimit{Cur: tc.limit, Max: unix.RLIM_INFINITY}, nil); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(hindrances(pid, t.TempDir()), "; "); strings.Contains(got, name) != (tc.want != "") || !strings.Contains(got, tc.want) {
				t.Errorf("%s, %d of %d bytes: %q", name, used, tc.limit, got)
			}
		}
	}

	group := memoryGroup(t)
	if group == "" {
		return
	}
	holes := put(t, filepath.Join(t.TempDir(), "holes"), nil) // read, they take as much memory as anything
	if err := os.Truncate(holes, 64<<20); err != nil {
		t.Fatal(err)
	}
	pid := running(t, exec.Command("sh", "-c", `echo $$ > "$1"/cgroup.procs; while :; do cat "$2" > /dev/null; done`, "sh", group, holes))
	until(t, func() bool {
		return strings.Contains(strings.Join(hindrances(pid, t.TempDir()), "; "), "of the 8 MiB of memory that it may have")
	})
}

// running starts a program that is ended with the test.
func running(t *testing.T, cmd *exec.Cmd) (pid int) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

// memoryGroup makes a control group of either version that may hold 8 MiB, "" where
// this user may not, or where memory is not controlled.
func memoryGroup(t *testing.T) string {
	t.Helper()
	for _, v := range []struct{ controller, limit string }{{"memory", "memory.limit_in_bytes"}, {"", "memory.max"}} {
		for line := range strings.Lines(procText(os.Getpid(), "cgroup")) {
			parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
			if len(parts) != 3 || parts[1] != v.controller {
				continue
			}
			dir := filepath.Join("/sys/fs/cgroup", v.controller, parts[2], fmt.Sprintf("meetguard-test-%d", os.Getpid()))
			if os.Mkdir(dir, 0o755) != nil {
				continue
			}
			t.Cleanup(func() { until(t, func() bool { return os.Remove(dir) == nil }) })
			if os.WriteFile(filepath.Join(dir, v.limit), []byte("8388608"), 0o644) == nil {
				return dir
			}
		}
	}
	t.Log("MEMORY OF A CONTROL GROUP NOT TESTED: none can be made here, which takes root and control of memory")
	return ""
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
