package agent

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"meetguard/internal/config"
)

func TestWorkersAreBoxed(t *testing.T) {
	in := inspector(t, workerArg)
	if err := in.Check(context.Background()); err != nil {
		t.Fatal(err)
	}
	level := in.Box()
	t.Log(level)
	if runtime.GOOS == "linux" && !level.Full() {
		t.Errorf("%s", level)
	}
	if f, v := verdict(t, in, put(t, filepath.Join(t.TempDir(), "note.txt"), []byte(TestLure))); len(v.Findings) != 1 || v.Findings[0].Rule != RuleTest {
		t.Errorf("the test lure in the box: %+v of %+v", v, f)
	}
}

// A box that no worker lives in must not blind the agent, and must be told.
func TestWorkerWithoutItsBox(t *testing.T) {
	in, err := NewInspector(InspectorConfig{Command: []string{os.Args[0], crashingArg}, Unboxed: Unboxed([]string{os.Args[0], workerArg}), Workers: 1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := prepareInspector(context.Background(), in, config.Config{}, &Agent{log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if level := in.Box(); level.Full() || !strings.HasPrefix(level.String(), "not boxed; missing: every part (the inspection does not work in it") {
		t.Errorf("told as %q", level)
	}
	if _, v := verdict(t, in, put(t, filepath.Join(t.TempDir(), "note.txt"), []byte(TestLure))); len(v.Findings) != 1 {
		t.Errorf("the test lure: %+v", v)
	}
}

func TestWorkerThatNeverWorks(t *testing.T) {
	argv := []string{os.Args[0], crashingArg}
	in, err := NewInspector(InspectorConfig{Command: argv, Unboxed: argv, Workers: 1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := in.Check(context.Background()); err == nil {
		t.Error("a worker that dies of everything was taken for one that works")
	}
}

// BenchmarkBox inspects the same files with and without a box, in turn, and
// tells the median of the difference.
func BenchmarkBox(b *testing.B) {
	boxed, free := inspector(b, workerArg), inspector(b, workerArg, unboxed)
	for name, data := range map[string][]byte{
		"a script.sh":           []byte("#!/bin/sh\n# Zoom update\n" + rehearsal + "\n"),
		"a file by descriptor":  bytes.Repeat([]byte("inert "), 20000), // more than goes with the request
		"a file that is mapped": bytes.Repeat([]byte("inert "), 200000),
	} {
		path := put(b, filepath.Join(b.TempDir(), strings.ReplaceAll(name, " ", "-")), data)
		b.Run(name, func(b *testing.B) {
			look := func(in *Inspector) time.Duration {
				began := time.Now()
				if f, _, err := in.Inspect(context.Background(), path); err != nil || f.SHA256 == "" {
					b.Fatal(err, f.Gaps)
				}
				return time.Since(began)
			}
			look(boxed)
			look(free)
			var without, more []time.Duration
			for b.Loop() {
				x, y := look(free), look(boxed)
				without, more = append(without, x), append(more, y-x)
			}
			slices.Sort(without)
			slices.Sort(more)
			b.ReportMetric(float64(without[len(without)/2].Microseconds()), "µs-unboxed")
			b.ReportMetric(float64(more[len(more)/2].Microseconds()), "µs-more-boxed")
		})
	}
}
