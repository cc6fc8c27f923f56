//go:build linux

package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets this program be what the runs start of themselves.
func TestMain(m *testing.M) {
	if child(os.Args) {
		return
	}
	os.Exit(m.Run())
}

// A leak must show through the noise of a heap that is collected in steps, and
// the noise alone must not.
func TestSlopes(t *testing.T) {
	series := func(leak, noise, step float64) (minutes, values []float64) {
		rng := rand.New(rand.NewPCG(1, 1))
		for n := range 720 {
			m := float64(n) / 12
			minutes = append(minutes, m)
			values = append(values, 30e6+leak*m+noise*rng.NormFloat64()+step*float64(n%97)/97)
		}
		return minutes, values
	}
	for _, c := range []struct {
		name              string
		leak, noise, step float64
		zero              bool
	}{
		{"nothing", 0, 0, 0, true},
		{"noise", 0, 1e6, 0, true},
		{"steps", 0, 1e5, 4e6, true},
		{"a leak without noise", 1024, 0, 0, false},
		{"a leak of 64 KiB a minute", 64 << 10, 1e6, 0, false},
		{"a leak in steps", 256 << 10, 1e5, 4e6, false},
		{"it gives back", -256 << 10, 1e5, 4e6, false},
	} {
		s := slopeOf(series(c.leak, c.noise, c.step))
		if s.holdsZero() != c.zero || c.leak < s.Low-1e-6 || c.leak > s.High+1e-6 {
			t.Errorf("%s: %+v", c.name, s)
		}
	}
}

func TestLeaksAreTold(t *testing.T) {
	for _, c := range []struct {
		name string
		rise float64
		want string
	}{
		{"agent descriptors", 0.01, ""}, {"agent descriptors", 0.03, "agent descriptors"}, {"agent goroutines", -0.03, "agent goroutines"},
		{"agent live heap", 1000, ""}, {"agent live heap", 2000, "agent live heap"}, {"agent live heap", -2000, ""}, {"agent RSS", 1e6, ""},
	} {
		var all []sample
		for n := range 100 {
			all = append(all, sample{"minutes": float64(n), c.name: 100 + c.rise*float64(n)})
		}
		var r soakResult
		r.Slopes = map[string]slope{}
		r.judge(all)
		if got := strings.Join(r.Leaks, " "); got != c.want {
			t.Errorf("%s rises by %g a minute: told %q", c.name, c.rise, got)
		}
	}
}

// The files of one seed are the same again, no two lures are, and each lands
// where it is said to.
func TestLander(t *testing.T) {
	run := func() (all []string) {
		dir := t.TempDir()
		l, err := newLander(filepath.Join(dir, "in"), filepath.Join(dir, "out"), 7)
		if err != nil {
			t.Fatal(err)
		}
		files := &badOnes{lures: map[string]string{}, clean: map[string]bool{}}
		for n := range 200 {
			way, err := l.one(n, n%10 == 0, files)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, way)
		}
		if len(files.lures) != 20 || len(files.clean) != 180 {
			t.Fatalf("%d lures and %d others", len(files.lures), len(files.clean))
		}
		for sum, path := range files.lures {
			files.clean[path] = true
			all = append(all, sum[:0])
		}
		for path := range files.clean {
			if _, err := os.Stat(path); err != nil {
				t.Error(err)
			}
		}
		return all
	}
	if a, b := fmt.Sprint(run()), fmt.Sprint(run()); a != b {
		t.Errorf("one seed gives %s and %s", a, b)
	}
}

// A wire that was cut swallows what comes over it, and tells nobody.
func TestWire(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "here") })}
	go srv.Serve(ln)
	defer srv.Close()
	w, err := newWire(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	resp, err := http.Get("http://" + w.addr())
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(body) != "here" || w.passed() < 10 {
		t.Errorf("%q came over the wire, %d bytes passed", body, w.passed())
	}
	w.cut()
	before := w.passed()
	answered := make(chan error, 1)
	go func() {
		_, err := http.Get("http://" + w.addr())
		answered <- err
	}()
	for w.passed() == before { // until it was heard
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-answered:
		t.Errorf("somebody answered over a cut wire: %v", err)
	default:
	}
}

// countTransport answers everything.
type countTransport struct{ n int }

func (c *countTransport) RoundTrip(*http.Request) (*http.Response, error) {
	c.n++
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

func TestOneRequestInFiveFails(t *testing.T) {
	arrived := &countTransport{}
	f := &flaky{next: arrived, rng: rand.New(rand.NewPCG(1, 1))}
	failed := 0
	const requests = 10000
	for range requests {
		if _, err := f.RoundTrip(&http.Request{}); err != nil {
			failed++
		}
	}
	if int(f.failed) != failed || failed < requests/6 || failed > requests/4 {
		t.Errorf("%d of %d failed, %d in the accounts", failed, requests, f.failed)
	}
	if unsent := requests - arrived.n; unsent < failed/3 || unsent > 2*failed/3 {
		t.Errorf("%d of %d failures were never sent", unsent, failed)
	}
}

// TestBrief is the short form of the long runs, for every change: events are
// counted and nothing is measured, so that a busy machine changes no outcome. It
// wants the programs that make build made. What only root can do is named when it
// is left out.
func TestBrief(t *testing.T) {
	if os.Getenv("MEETGUARD_LONG") == "" {
		t.Log("the agent is not killed and flooded here: make test does it by itself, with MEETGUARD_LONG=1")
		return
	}
	os.Unsetenv("MEETGUARD_LONG") // the agent takes it for a key of its configuration
	agent, collector := program(t, "meetguard"), program(t, "meetguard-collector")
	root := os.Getuid() == 0
	t.Run("crash", func(t *testing.T) {
		c := crash{server: server{collector: collector}, kills: 20, alerts: 200, seed: 1}
		if r, err := c.run(); err != nil || r.failed() {
			t.Errorf("%+v, %v", r, err)
		}
	})
	t.Run("landed", func(t *testing.T) {
		l := landed{server: server{collector: collector}, agent: agent, kills: 8, bad: 32, clean: 320, seed: 1}
		if r, err := l.run(); err != nil || r.failed() {
			t.Errorf("%+v, %v", r, err)
		}
	})
	t.Run("burst", func(t *testing.T) {
		b := burst{agent: agent, files: 10000, seed: 1}
		r, err := b.run()
		if err != nil || r.Stalled.Missed > 0 || r.Stalled.Overflows == 0 || r.Stalled.Relists == 0 || !r.Flood.HisFound || !r.Flood.HersFound || r.Flood.BeforeHers > fairBar {
			t.Errorf("%+v, %v", r, err)
		}
		if root && !r.Storm.Found {
			t.Errorf("a lure among launches was not found: %+v", r.Storm)
		}
	})
	t.Run("canary", func(t *testing.T) {
		c := canary{agent: agent, rounds: 1, seed: 1}
		if r, err := c.run(); err != nil || r.Fanotify+r.LSM > 0 || r.Inotify == 0 {
			t.Errorf("%+v, %v", r, err)
		}
	})
	t.Run("tamper", func(t *testing.T) {
		if r, err := runTamper(collector, 2*len(changes), 1); err != nil || r.failed() {
			t.Errorf("%+v, %v", r, err)
		}
	})
	t.Run("selfheal", func(t *testing.T) {
		r, err := runSelfHeal(agent, 6, 1)
		if err != nil || r.Again.Never+r.Twice > 0 || r.Corrupt {
			t.Errorf("%+v, %v", r, err)
		}
	})
	if !root {
		t.Log("NOT TESTED: power cuts and a lure in a storm of launches. Only root can mount a disk and see every launch")
		return
	}
	t.Run("cuts", func(t *testing.T) {
		r, err := runCuts(6, 1)
		if err != nil && (strings.Contains(err.Error(), "make a disk") || strings.Contains(err.Error(), "mount, which root may do")) {
			t.Logf("NOT TESTED: power cuts. There is no disk to be had here: %v", err)
			return
		}
		if err != nil || r.Lost+r.Unreadable > 0 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func program(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "bin", name))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("run make build: %v", err)
	}
	return path
}
