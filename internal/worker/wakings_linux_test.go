package worker

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestOneWakingForOneRequest: a worker that sleeps is woken by a request and by
// nothing else.
func TestOneWakingForOneRequest(t *testing.T) {
	p := pool(t, Config{})
	pid := do(t, p, "pid")
	const n = 200
	before := wakings(t, pid)
	for range n {
		do(t, p, "echo")
		time.Sleep(time.Millisecond) // so that it sleeps
	}
	if got := wakings(t, pid) - before; got > n*3/2 {
		t.Errorf("the worker slept %d times for %d requests", got, n)
	}
}

// wakings is how often the thread of a process has slept that waits for requests,
// once it does.
func wakings(t *testing.T, pid string) int {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%s/task/*", pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, thread := range threads {
			if n, waits := asleep(thread); waits {
				return n
			}
		}
	}
	t.Fatal("no thread waits for requests")
	return 0
}

// asleep says whether a thread waits for requests, and how often it has slept.
func asleep(thread string) (times int, waits bool) {
	call, _ := os.ReadFile(filepath.Join(thread, "syscall")) // of a thread that may have ended
	number, _, _ := bytes.Cut(call, []byte(" "))
	if n, _ := strconv.Atoi(string(number)); n != unix.SYS_PPOLL && n != unix.SYS_RECVMSG {
		return 0, false
	}
	status, _ := os.ReadFile(filepath.Join(thread, "status"))
	_, rest, _ := bytes.Cut(status, []byte("\nvoluntary_ctxt_switches:\t"))
	word, _, _ := bytes.Cut(rest, []byte("\n"))
	times, err := strconv.Atoi(string(word))
	return times, err == nil
}
