package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The test program is its own worker: with this argument it serves.
const childArg = "serve-as-worker"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childArg {
		if err := Serve(misbehave, nil); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

var (
	kept [][]byte
	spun int
)

// misbehave does what a hostile file could make a parser do.
func misbehave(request []byte, files []*os.File) []byte {
	var f *os.File
	if len(files) > 0 {
		f = files[0]
	}
	switch verb, rest, _ := strings.Cut(string(request), " "); verb {
	case "read":
		data, err := io.ReadAll(f)
		if err != nil {
			return []byte("error: " + err.Error())
		}
		return data
	case "write":
		_, err := f.Write([]byte("x"))
		return fmt.Append(nil, err != nil)
	case "readall":
		var all []byte
		for _, f := range files {
			data, _ := io.ReadAll(f)
			all = append(all, data...)
		}
		return all
	case "crash":
		var p *int
		*p = 1
	case "hang":
		for n := 0; ; n++ {
			spun = n
		}
	case "eat":
		for {
			block := make([]byte, 16<<20)
			for i := 0; i < len(block); i += 4096 {
				block[i] = 1
			}
			kept = append(kept, block)
		}
	case "exit":
		os.Exit(3)
	case "flood":
		return make([]byte, maxReply+1)
	case "env":
		return []byte(strings.Join(os.Environ(), "\n"))
	case "pid":
		return fmt.Append(nil, os.Getpid())
	default:
		return []byte(rest)
	}
	return nil
}

func pool(t testing.TB, cfg Config) *Pool {
	t.Helper()
	cfg.Command = []string{os.Args[0], childArg}
	cfg.Log = slog.New(slog.DiscardHandler)
	p := NewPool(cfg)
	t.Cleanup(p.Close)
	return p
}

func do(t *testing.T, p *Pool, request string, files ...*os.File) string {
	t.Helper()
	reply, err := p.Do(context.Background(), [][]byte{[]byte(request)}, files...)
	if err != nil {
		t.Fatalf("%s: %v", request, err)
	}
	return string(reply)
}

func TestFileTravels(t *testing.T) {
	p := pool(t, Config{})
	want := bytes.Repeat([]byte("inert "), 20000)
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := do(t, p, "read", f); got != string(want) {
			t.Fatalf("round %d: %d bytes came back, want %d", i, len(got), len(want))
		}
		f.Seek(0, io.SeekStart) // the offset is shared with the worker's descriptor
		if got := do(t, p, "write", f); got != "true" {
			t.Fatal("the worker could write to a file opened for reading")
		}
		f.Close()
	}
}

func TestSeveralFilesTravel(t *testing.T) {
	p := pool(t, Config{})
	dir, want := t.TempDir(), ""
	var files []*os.File
	for i := range MaxFiles {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, fmt.Append(nil, i, ";"), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files, want = append(files, f), want+fmt.Sprint(i)+";"
	}
	if got := do(t, p, "readall", files...); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAnswersOfManySizes(t *testing.T) {
	p := pool(t, Config{})
	for _, n := range []int{0, 1, 1000, 65536, 200000} {
		if got := do(t, p, "echo "+strings.Repeat("x", n)); len(got) != n {
			t.Errorf("%d bytes came back, want %d", len(got), n)
		}
	}
}

func TestMisbehaviourEndsTheWorkerOnly(t *testing.T) {
	p := pool(t, Config{Timeout: 5 * time.Minute})
	hangs := pool(t, Config{Timeout: 500 * time.Millisecond})
	for request, want := range map[string]string{
		"crash": "crashed", "exit": "crashed", "hang": "took longer", "eat": "more memory", "flood": "crashed",
	} {
		p := p
		if request == "hang" {
			p = hangs
		}
		_, err := p.Do(context.Background(), [][]byte{[]byte(request)})
		var f *Failure
		if !errors.As(err, &f) || !strings.Contains(f.Reason, want) {
			t.Errorf("%s: %v, want a failure that says %q", request, err, want)
		}
		p.cfg.Timeout = 5 * time.Minute // also for one that has to be started first
		if got := do(t, p, "echo still here"); got != "still here" {
			t.Errorf("after %s: %q", request, got)
		}
	}
}

func TestEnvironmentStaysHere(t *testing.T) {
	t.Setenv("MEETGUARD_TEST_SECRET", "hunter2")
	if got := do(t, pool(t, Config{}), "env"); strings.Contains(got, "hunter2") {
		t.Error("the worker has the agent's environment")
	}
}

// TestAnswerIsFetchedLater: between the question and the answer the asker does
// what it likes, and whatever became of the worker meanwhile is told with the
// answer, and costs the pool nothing.
func TestAnswerIsFetchedLater(t *testing.T) {
	p := pool(t, Config{Timeout: 5 * time.Minute})
	for _, request := range []string{"echo later", "crash"} {
		u, err := p.Begin(context.Background(), [][]byte{[]byte(request)})
		if err != nil {
			t.Fatal(err)
		}
		others, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := p.Begin(others, [][]byte{[]byte("echo")}); !errors.Is(err, context.Canceled) {
			t.Errorf("the only worker was given away before its answer was fetched: %v", err)
		}
		got, err := u.Wait()
		var failure *Failure
		if request == "crash" && !errors.As(err, &failure) || request != "crash" && (err != nil || string(got) != "later") {
			t.Errorf("%s: %q, %v", request, got, err)
		}
	}
	if got, err := p.Do(context.Background(), [][]byte{[]byte("echo again")}); err != nil || string(got) != "again" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestCancelledRequest(t *testing.T) {
	p := pool(t, Config{})
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err := p.Do(ctx, [][]byte{[]byte("hang")}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if got := do(t, p, "echo on"); got != "on" {
		t.Errorf("%q", got)
	}
}

func TestOneWarmWorkerServesOneAfterAnother(t *testing.T) {
	p := pool(t, Config{Count: 4})
	first := do(t, p, "pid")
	for range 20 {
		if again := do(t, p, "pid"); again != first {
			t.Fatalf("another worker (%s, not %s) although the first was free", again, first)
		}
	}
}

// TestKilledWorkerIsReplaced holds that a request is not blamed for a worker that
// was killed: by hand, or because the system lacked memory.
func TestKilledWorkerIsReplaced(t *testing.T) {
	p := pool(t, Config{})
	for range 5 {
		pid, err := strconv.Atoi(do(t, p, "pid"))
		if err != nil {
			t.Fatal(err)
		}
		victim, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		if err := victim.Kill(); err != nil {
			t.Fatal(err)
		}
		if got := do(t, p, "echo on"); got != "on" {
			t.Errorf("%q", got)
		}
	}
}

func TestRecycle(t *testing.T) {
	p := pool(t, Config{Recycle: 3})
	pids := map[string]int{}
	for range 9 {
		pids[do(t, p, "pid")]++
	}
	if len(pids) != 3 {
		t.Errorf("%d workers for 9 requests of 3 each", len(pids))
	}
}

func TestConcurrentUse(t *testing.T) {
	p := pool(t, Config{Count: 2})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 50 {
				want := fmt.Sprint(i, k)
				if reply, err := p.Do(context.Background(), [][]byte{[]byte("echo "), []byte(want)}); err != nil || string(reply) != want {
					t.Errorf("got %q, %v; want %q", reply, err, want)
				}
			}
		})
	}
	wg.Wait()
}

func TestClosedPool(t *testing.T) {
	p := pool(t, Config{})
	p.Close()
	p.Close()
	if _, err := p.Do(context.Background(), [][]byte{[]byte("echo")}); err == nil {
		t.Error("a closed pool took a request")
	}
}

func TestRequestLimit(t *testing.T) {
	if _, err := pool(t, Config{}).Do(context.Background(), [][]byte{make([]byte, maxRequest), {0}}); err == nil {
		t.Error("an oversized request was taken")
	}
}
