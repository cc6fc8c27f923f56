//go:build unix

package watch

import (
	"bufio"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// heardFrom runs a shell script in the place of eslogger and returns what is
// told until it ends.
func heardFrom(t *testing.T, script string) (all []told, err error) {
	t.Helper()
	l, err := NewLaunches(LaunchesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := openESLogger(l, "/bin/sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	err = e.listen(t.Context(), func(t told) { all = append(all, t) })
	return all, err
}

func TestESLoggerIsHeard(t *testing.T) {
	all, err := heardFrom(t, catRecorded(t)+`; echo; echo no json; exit 3`)
	var launches, missing int64
	for _, heard := range all {
		switch heard.kind {
		case launched:
			launches++
		case lost:
			missing += heard.count
		}
	}
	if launches != 7 || missing != 2+1 { // a gap of two numbers, and a line that is no message
		t.Errorf("%d launches, %d lost", launches, missing)
	}
	if err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("the end is %v", err)
	}
}

// catRecorded prints the recorded lines from a script that runs in /.
func catRecorded(t *testing.T) string {
	t.Helper()
	return "cat '" + recordedPath(t) + "'"
}

func TestESLoggerWithoutFullDiskAccess(t *testing.T) {
	_, err := heardFrom(t, `echo "Failed to create ES client: (ES_NEW_CLIENT_RESULT_ERR_NOT_PERMITTED)" >&2; exit 1`)
	if err == nil || !strings.Contains(err.Error(), "no Full Disk Access: allow it in") {
		t.Errorf("it is reported as %v", err)
	}
	_, err = heardFrom(t, `printf 'odd \033[2J words' >&2; exit 1`)
	if err == nil || !strings.Contains(err.Error(), "odd") || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("unknown words are reported as %q", err)
	}
}

// The status of a machine without Full Disk Access says so, and launches are
// polled.
func TestMissingAccessIsInTheStatus(t *testing.T) {
	refused := esloggerSource("/bin/sh", "-c", "echo ES_NEW_CLIENT_RESULT_ERR_NOT_PERMITTED >&2; exit 1")
	next, _ := fakeSource("next", 0)
	l, _, stop := fakeLaunches(t, fed{}, refused, next)
	statusIs(t, l, "next")
	if s := l.Status(); !strings.Contains(s.Detail, "Full Disk Access") {
		t.Errorf("status %+v", s)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// A program that prints the launch of the proof, as eslogger does, is used; it
// hears launches late, so that the first one made to test it is missed.
func TestESLoggerProvesItself(t *testing.T) {
	l, err := NewLaunches(LaunchesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	l.system = fed{}
	script := `sleep 0.2; while :; do w=$(ps -eo args= | grep -o 'meetguard-self-test-[A-Z0-9]*$' | head -1)
[ -n "$w" ] && echo '{"event":{"exec":{"target":{"audit_token":{"pid":9},"executable":{"path":"/bin/sh"}},"args":["sh","'$w'"]}}}' && break; sleep 0.05; done; exec sleep 60`
	s := esloggerSource("/bin/sh", "-c", script)
	s.patience = patience
	r, err := l.start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	r.stop()
	if err := <-r.ended; err != nil {
		t.Errorf("stopped: %v", err)
	}
}

func TestESLoggerIsEnded(t *testing.T) {
	l, err := NewLaunches(LaunchesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := openESLogger(l, "/bin/sh", "-c", `sleep 1000 & env; wait`)
	if err != nil {
		t.Fatal(err)
	}
	if group, err := syscall.Getpgid(e.child.Process.Pid); err != nil || group == syscall.Getpgrp() {
		t.Errorf("it is in the group of this process: %d %v", group, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.listen(ctx, func(told) {}) }()
	cancel()
	e.close()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("it goes on")
	}
}

func TestESLoggerGetsNoEnvironment(t *testing.T) {
	t.Setenv("MEETGUARD_TEST_SECRET", "hunter2")
	_, err := heardFrom(t, "env >&2")
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "PATH=") {
		t.Errorf("its environment is %v", err)
	}
}

func TestReadLine(t *testing.T) {
	r := bufio.NewReaderSize(strings.NewReader("short\n"+strings.Repeat("x", 1000)+"\nlast"), 16)
	want := []struct {
		size  int
		whole bool
		err   error
	}{{6, true, nil}, {100, false, nil}, {4, true, io.EOF}}
	for i, w := range want {
		line, whole, err := readLine(r, 100)
		if len(line) != w.size || whole != w.whole || !errors.Is(err, w.err) {
			t.Errorf("line %d: %d bytes, whole %v, %v", i, len(line), whole, err)
		}
	}
}

func TestCutPathIsCounted(t *testing.T) {
	l, err := NewLaunches(LaunchesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	e := &esListener{l: l}
	line := []byte(`{"event":{"exec":{"target":{"audit_token":{"pid":9},"executable":{"path":"/x","path_truncated":true}}}}}`)
	var got []told
	e.hear(line, true, func(t told) { got = append(got, t) })
	e.hear(line, false, func(t told) { got = append(got, t) })
	if len(got) != 2 || got[0].proc.Exe != "/x" || got[1].kind != lost || l.Counters() != (LaunchCounters{ExecCut: 1}) {
		t.Errorf("told %+v, counters %+v", got, l.Counters())
	}
}

func recordedPath(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("testdata/eslogger.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return path
}
