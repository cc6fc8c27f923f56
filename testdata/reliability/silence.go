//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"meetguard/internal/alert"
	"meetguard/internal/device"
	"meetguard/internal/store"
)

// Times of the watch for silence.
const (
	agentInterval = time.Minute // between two heartbeats; no agent obeys a collector that wants them sooner
	silentRule    = fleetAlarm + "SILENT"
	silenceBar    = 2*agentInterval + 10*time.Second
	stubFails     = 5 // one request of so many fails
	cleanStops    = 4 // of each wave
)

// silence ends agents in ways that they cannot tell of, and looks whether the
// collector does.
type silence struct {
	server
	agent  string
	ends   int // a third of them each by kill, suspension and a cut of the wire
	stubs  int
	length time.Duration // that the stubs work at least
	seed   uint64
}

// silenceResult is what the collector said.
type silenceResult struct {
	Name     string         `json:"name"`
	Seed     uint64         `json:"seed"`
	Ended    map[string]int `json:"ended"`
	Told     int            `json:"told"`
	Late     int            `json:"late"` // of those, after more than the bar
	Slowest  float64        `json:"slowest_s"`
	Median   float64        `json:"median_s"`
	Stopped  int            `json:"stopped_cleanly"`
	Accused  int            `json:"stopped_and_accused"`
	Stubs    int            `json:"agents_with_failing_requests"`
	Minutes  float64        `json:"minutes"`
	Requests int64          `json:"requests"`
	Failed   int64          `json:"requests_failed"`
	False    int            `json:"false_alarms"`
	Load     string         `json:"load"`
}

func (r silenceResult) failed() bool {
	all := 0
	for _, n := range r.Ended {
		all += n
	}
	return r.Told != all || r.Late+r.Accused+r.False > 0
}

func (s *silence) run() (r silenceResult, err error) {
	r = silenceResult{Name: "silence", Seed: s.seed, Ended: map[string]int{}}
	end, err := s.begin("silence", s.seed)
	if err != nil {
		return r, err
	}
	defer end()
	crowd, err := s.crowd()
	if err != nil {
		return r, err
	}
	var ended []*quiet
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	begin := time.Now()
	done := make(chan error, 1)
	go func() { done <- crowd.run(ctx) }()
	for i, way := range []string{"killed", "suspended", "cut off"} {
		wave, err := s.wave(way, (s.ends+2-i)/3)
		ended = append(ended, wave...)
		if err != nil {
			return r, err
		}
		fmt.Fprintf(os.Stderr, "%s, load %s\n", way, load())
	}
	if left := s.length - time.Since(begin); left > 0 {
		time.Sleep(left)
	}
	r.Minutes, r.Load = time.Since(begin).Minutes(), load()
	r.Stubs, r.Requests, r.Failed = s.stubs, crowd.requests(), crowd.failures()
	err = s.judge(ended, &r)
	stop()
	return r, errors.Join(err, <-done)
}

// quiet is an agent that was ended.
type quiet struct {
	whole *whole
	uid   string
	way   string
	at    time.Time
	wire  *wire
}

// wave starts agents, ends them all in one way but for some that are stopped
// cleanly, and waits until the bar is over.
func (s *silence) wave(way string, n int) ([]*quiet, error) {
	var all []*quiet
	defer func() {
		for _, q := range all {
			_ = q.whole.resume() // else it cannot even be killed by all means
			q.whole.kill()
			q.wire.close()
		}
	}()
	for i := range n + cleanStops {
		q, err := s.one(filepath.Join(s.dir, fmt.Sprint(way, i)))
		if err != nil {
			return nil, err
		}
		all = append(all, q)
	}
	for _, q := range all {
		if err := q.heard(); err != nil {
			return nil, err
		}
	}
	for i, q := range all {
		q.way, q.at = way, time.Now()
		var err error
		switch {
		case i >= n:
			q.way = "stopped"
			err = q.whole.stop()
		case way == "killed":
			q.whole.kill()
		case way == "suspended":
			err = q.whole.suspend()
		default:
			q.wire.cut()
		}
		if err != nil {
			return nil, err
		}
	}
	time.Sleep(silenceBar + 15*time.Second)
	return all, nil
}

// one starts an agent that delivers over a wire of its own.
func (s *silence) one(dir string) (*quiet, error) {
	w, err := newWhole(s.agent, dir)
	if err != nil {
		return nil, err
	}
	w.config = "launches: \"off\"\n"
	q := &quiet{whole: w}
	if q.wire, err = newWire(s.addr); err != nil {
		return nil, err
	}
	token, err := s.token()
	if err != nil {
		return nil, err
	}
	if err := w.enrolAt("https://"+q.wire.addr(), token); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(w.state(), "device.json"))
	if err != nil {
		return nil, err
	}
	var identity struct {
		UID string `json:"agent_uid"`
	}
	if err := json.Unmarshal(data, &identity); err != nil || identity.UID == "" {
		return nil, fmt.Errorf("the identity cannot be read: %w", err)
	}
	q.uid = identity.UID
	return q, w.start()
}

// heard waits until the collector has answered.
func (q *quiet) heard() error {
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if q.wire.passed() > 4096 { // a handshake and an answer are more
			return nil
		}
	}
	return errors.New("an agent did not report")
}

// judge compares the collector's alarms with what was done.
func (s *silence) judge(ended []*quiet, r *silenceResult) error {
	alarms := map[string]time.Time{}
	err := s.stored(func(a store.Alert) {
		if _, twice := alarms[a.AgentUID]; a.Rule == silentRule && !twice {
			alarms[a.AgentUID] = a.ReceivedAt
		}
	})
	var took []float64
	for _, q := range ended {
		at, told := alarms[q.uid]
		delete(alarms, q.uid)
		if q.way == "stopped" {
			r.Stopped++
			if told {
				r.Accused++
			}
			continue
		}
		r.Ended[q.way]++
		if !told {
			fmt.Fprintln(os.Stderr, "not told:", q.way, q.uid)
			continue
		}
		r.Told++
		took = append(took, at.Sub(q.at).Seconds())
		if at.Sub(q.at) > silenceBar {
			r.Late++
		}
	}
	r.False = len(alarms)
	r.Slowest, r.Median = quantile(took, 1), quantile(took, 0.5)
	return err
}

// wire passes bytes on between an agent and the collector until it is cut: then
// nothing comes through, and nobody is told.
type wire struct {
	ln net.Listener
	to string

	mu    sync.Mutex
	dead  bool
	bytes int64
	conns []net.Conn
}

func newWire(to string) (*wire, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &wire{ln: ln, to: to}
	go w.accept()
	return w, nil
}

func (w *wire) addr() string { return w.ln.Addr().String() }

func (w *wire) accept() {
	for {
		in, err := w.ln.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", w.to)
		if err != nil {
			in.Close()
			continue
		}
		w.mu.Lock()
		w.conns = append(w.conns, in, out)
		w.mu.Unlock()
		go w.pass(in, out)
		go w.pass(out, in)
	}
}

// pass copies until one side ends. What comes over a cut wire is dropped.
func (w *wire) pass(from, to net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		w.mu.Lock()
		dead := w.dead
		w.bytes += int64(n)
		w.mu.Unlock()
		if dead {
			if err != nil {
				return
			}
			continue
		}
		if _, failed := to.Write(buf[:n]); failed != nil || err != nil {
			from.Close()
			to.Close()
			return
		}
	}
}

func (w *wire) passed() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
}

func (w *wire) close() {
	w.ln.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		c.Close()
	}
}

// crowd is many agents' own logs, identities and senders in this process, whose
// requests fail now and then.
type crowd struct {
	senders []*alert.Sender
	wires   []*flaky
}

func (s *silence) crowd() (*crowd, error) {
	c := &crowd{}
	for n := range s.stubs {
		dir := filepath.Join(s.dir, fmt.Sprint("stub-", n))
		l, err := alert.Open(dir, alert.Options{MaxTotal: 1 << 20})
		if err != nil {
			return nil, err
		}
		host := testHost
		host.UID, host.Name = fmt.Sprint("stub-", n), fmt.Sprint("stub-", n)
		d, err := device.New(device.Config{State: dir, Collector: s.url(), Labels: device.Labels{UID: host.UID, Hostname: host.Name, OS: host.OS}, Machine: device.Machine{ID: fmt.Sprintf("%064x", n+1)}})
		if err != nil {
			return nil, err
		}
		token, err := s.token()
		if err != nil {
			return nil, err
		}
		if err := d.Enrol(context.Background(), token); err != nil {
			return nil, err
		}
		client := d.Client()
		f := &flaky{next: client.Transport, rng: rand.New(rand.NewPCG(s.seed, uint64(n)))}
		client.Transport = f
		sender, err := alert.NewSender(alert.SenderConfig{URL: s.url(), Log: l, Host: host, Client: client, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return nil, err
		}
		c.senders, c.wires = append(c.senders, sender), append(c.wires, f)
	}
	fmt.Fprintln(os.Stderr, s.stubs, "agents enrolled")
	return c, nil
}

func (c *crowd) run(ctx context.Context) error {
	var wait sync.WaitGroup
	faults := make(chan error, len(c.senders))
	for _, s := range c.senders {
		wait.Go(func() { faults <- s.Run(ctx) })
	}
	wait.Wait()
	close(faults)
	var all error
	for err := range faults {
		all = errors.Join(all, err)
	}
	return all
}

func (c *crowd) requests() (n int64) {
	for _, f := range c.wires {
		n += f.count(func() int64 { return f.all })
	}
	return n
}

func (c *crowd) failures() (n int64) {
	for _, f := range c.wires {
		n += f.count(func() int64 { return f.failed })
	}
	return n
}

// flaky fails one request of five: half of them are never sent, of the others the
// answer is lost.
type flaky struct {
	next http.RoundTripper

	mu          sync.Mutex
	rng         *rand.Rand
	all, failed int64
}

func (f *flaky) count(of func() int64) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return of()
}

var errFlaky = errors.New("the request failed for a test")

// RoundTrip implements http.RoundTripper.
func (f *flaky) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.all++
	k := f.rng.IntN(2 * stubFails)
	if k < 2 {
		f.failed++
	}
	f.mu.Unlock()
	if k == 0 {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, errFlaky
	}
	resp, err := f.next.RoundTrip(r)
	if k == 1 && err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		return nil, errFlaky
	}
	return resp, err
}
