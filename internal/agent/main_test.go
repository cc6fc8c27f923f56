package agent

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"meetguard"
	"meetguard/internal/worker"
)

// The test program is its own worker.
const (
	workerArg   = "inspection-worker-under-test"
	crashingArg = "crashing-worker-under-test" // dies of every request
	silentArg   = "silent-worker-under-test"   // never answers for the canary
	slowArg     = "slow-worker-under-test"     // takes its time for some files, see serveSlowly
	noticeArg   = "notice-under-test"          // shows a notice, or is the desktop that shows it
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case workerArg:
			args, unboxed := CutUnboxed(os.Args[2:])
			cfg := trusting(args)
			cfg.Unboxed = unboxed
			if err := ServeWorker(cfg); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(2)
			}
			os.Exit(0)
		case crashingArg:
			_ = worker.Serve(func([]byte, []*os.File) []byte { panic("a parser failed") }, nil)
			os.Exit(2)
		case silentArg:
			os.Exit(serveSilently())
		case slowArg:
			os.Exit(serveSlowly())
		case noticeArg:
			os.Exit(noticeMain(os.Args[2:]))
		}
	}
	goleak.VerifyTestMain(m)
}

// serveSilently is a worker that hangs over the file of the canary.
func serveSilently() int {
	return serveLate(func(name string, _ []byte) {
		if strings.HasPrefix(name, "canary-") {
			time.Sleep(time.Hour)
		}
	})
}

// serveSlowly is a worker that has an answer for a file whose name begins with
// slow- when the file is there that its last word names.
func serveSlowly() int {
	return serveLate(func(name string, contents []byte) {
		gate := contents[bytes.LastIndexByte(contents, ' ')+1:]
		for strings.HasPrefix(name, "slow-") && !exists(string(gate)) {
			time.Sleep(10 * time.Millisecond)
		}
	})
}

// serveLate is a worker that waits before it answers.
func serveLate(wait func(name string, contents []byte)) int {
	ex, err := NewExaminer(ExaminerConfig{})
	if err != nil {
		return 2
	}
	_ = worker.Serve(func(raw []byte, files []*os.File) []byte {
		req, contents, err := unseal(raw)
		if err != nil {
			return encode(reply{Failed: err.Error()})
		}
		wait(string(req.Name), contents)
		return encode(ex.answer(req, contents, files))
	}, nil)
	return 0
}

// trusting is the configuration of a worker that is given a folder: it trusts
// the anchors there and knows the abused certificates there.
func trusting(folder []string) ExaminerConfig {
	if len(folder) == 0 {
		return ExaminerConfig{}
	}
	return ExaminerConfig{Anchors: folder[0], Abused: filepath.Join(folder[0], "abused.csv")}
}

func inspector(t testing.TB, args ...string) *Inspector {
	t.Helper()
	if len(args) == 0 {
		t.Fatal("without an argument the worker would be these tests again, and so on")
	}
	in, err := NewInspector(InspectorConfig{Command: append([]string{os.Args[0]}, args...), Workers: 2, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	return in
}

func verdict(t testing.TB, in *Inspector, path string) (meetguard.Facts, meetguard.Verdict) {
	t.Helper()
	f, _, err := in.Inspect(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	return f, in.Judge(f)
}

func until(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come")
		}
	}
}

func put(t testing.TB, path string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
