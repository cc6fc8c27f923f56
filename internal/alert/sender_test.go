package alert

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// collector is what the agent delivers to. Each request is first offered to the
// next of the faults; without one it is answered in order.
type collector struct {
	mu       sync.Mutex
	faults   []func(c *collector, w http.ResponseWriter, b received) // answers in the place of the collector
	stored   map[string][]byte
	order    []string
	reject   map[string]bool
	requests []received
	checkin  int
}

type received struct {
	Agent     agentInfo         `json:"agent"`
	Heartbeat *heartbeat        `json:"heartbeat"`
	Alerts    []json.RawMessage `json:"alerts"`
	at        time.Time
}

func newCollector() *collector {
	return &collector{stored: map[string][]byte{}, reject: map[string]bool{}, checkin: 60}
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := receive(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, b)
	if len(c.faults) > 0 {
		fault := c.faults[0]
		c.faults = c.faults[1:]
		fault(c, w, b)
		return
	}
	c.reply(w, c.keep(b))
}

func receive(r *http.Request) (received, error) {
	b := received{at: time.Now()}
	if r.Method != http.MethodPost || r.URL.Path != "/v1/agent/batch" || r.Header.Get("Content-Encoding") != "gzip" {
		return b, fmt.Errorf("%s %s", r.Method, r.URL.Path)
	}
	zip, err := gzip.NewReader(r.Body)
	if err != nil {
		return b, err
	}
	dec := json.NewDecoder(zip)
	dec.DisallowUnknownFields()
	return b, dec.Decode(&b)
}

type result struct {
	UID    string `json:"uid"`
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// keep stores a batch and says what became of each alert.
func (c *collector) keep(b received) []result {
	results := []result{}
	for _, raw := range b.Alerts {
		h, ok := parseHeader(raw)
		_, known := c.stored[h.uid]
		switch {
		case !ok || c.reject[h.uid]:
			results = append(results, result{h.uid, "rejected", "not wanted"})
		case known:
			results = append(results, result{h.uid, "duplicate", ""})
		default:
			c.stored[h.uid] = raw
			c.order = append(c.order, h.uid)
			results = append(results, result{h.uid, "stored", ""})
		}
	}
	return results
}

func (c *collector) reply(w http.ResponseWriter, results []result) {
	json.NewEncoder(w).Encode(map[string]any{"results": results, "next_checkin_s": c.checkin})
}

func (c *collector) tries() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.requests)
}

// alerts returns how many alerts the collector has.
func (c *collector) alerts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.stored)
}

// The faults of a collector.
type fault = func(c *collector, w http.ResponseWriter, b received)

func answerStatus(code int, header ...string) fault {
	return func(_ *collector, w http.ResponseWriter, _ received) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

func answerText(text string) fault {
	return func(_ *collector, w http.ResponseWriter, _ received) { io.WriteString(w, text) }
}

// answerLost stores everything, and the answer goes astray.
func answerLost(c *collector, w http.ResponseWriter, b received) {
	c.keep(b)
	w.WriteHeader(http.StatusBadGateway)
}

// answerPartly stores everything and leaves the last alert out of the answer.
func answerPartly(c *collector, w http.ResponseWriter, b received) {
	results := c.keep(b)
	c.reply(w, results[:max(0, len(results)-1)])
}

func answerOtherUIDs(c *collector, w http.ResponseWriter, b received) {
	results := c.keep(b)
	for i := range results {
		results[i].UID += "x"
	}
	c.reply(w, results)
}

func answerOddStatus(c *collector, w http.ResponseWriter, b received) {
	results := c.keep(b)
	for i := range results {
		results[i].Status = "maybe"
	}
	c.reply(w, results)
}

func everyFault() map[string]fault {
	return map[string]fault{
		"500": answerStatus(500), "503": answerStatus(503), "429": answerStatus(429), "401": answerStatus(401), "413": answerStatus(413),
		"redirect": answerStatus(302, "Location", "http://127.0.0.1:1/elsewhere"), "204": answerStatus(204),
		"empty": answerText(""), "html": answerText("<html>captive portal</html>"), "null": answerText("null"), "object": answerText("{}"),
		"list": answerText("[]"), "cut": answerText(`{"results":[{"uid":"`), "wrong type": answerText(`{"results":"all fine"}`),
		"too long": answerText(`{"results":[],"x":"` + string(bytes.Repeat([]byte("x"), maxAnswer)) + `"}`),
		"lost":     answerLost, "partly": answerPartly, "other uids": answerOtherUIDs, "odd status": answerOddStatus,
	}
}

// inMemory answers requests without a network, so that time can be synthetic.
type inMemory struct{ http.Handler }

func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	return w.Result(), nil
}

func testSender(t *testing.T, l *Log, url string, client *http.Client) *Sender {
	t.Helper()
	s, err := NewSender(SenderConfig{URL: url, Log: l, Host: testHost, Product: testProduct, Client: client, Status: func() any { return map[string]int{"files": 3} }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run starts the sender and returns what ends it.
func run(t *testing.T, s *Sender) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	}
}

// TestEveryFaultIsSurvived: whatever the collector says first, every alert is
// there once in the end, in order, byte by byte, and the accounts balance.
func TestEveryFaultIsSurvived(t *testing.T) {
	for name, f := range everyFault() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				l := openTest(t, dir, Options{})
				for i := range 3 {
					mustAppend(t, l, numbered(i))
				}
				c := newCollector()
				c.faults = []fault{f, f, f}
				c.reject[numbered(1).Metadata.UID] = true
				stop := run(t, testSender(t, l, "https://collector.invalid", &http.Client{Transport: inMemory{c}}))
				synctest.Wait()
				if got := balance(t, l); got.Pending != 3 || got.Acked != 0 {
					t.Errorf("after the first answer: %+v", got)
				}
				time.Sleep(time.Hour)
				mustAppend(t, l, numbered(3))
				synctest.Wait()
				stop()
				got := balance(t, l)
				if got.Acked != 3 || got.Pending != 0 || got.Dropped["rejected"] != 1 || c.alerts() != 3 {
					t.Errorf("%d stored, %+v", c.alerts(), got)
				}
				l.Close()
			})
		})
	}
}

func TestAlertIsSentAtOnceAndUnchanged(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := openTest(t, dir, Options{})
		c := newCollector()
		stop := run(t, testSender(t, l, "https://collector.invalid/", &http.Client{Transport: inMemory{c}}))
		synctest.Wait()
		start := time.Now()
		r := numbered(1)
		r.Message = `<b>&amp;</b> "quoted"`
		mustAppend(t, l, r, NewRecord(testHost, testProduct, oddAlert()))
		synctest.Wait()
		if !time.Now().Equal(start) || c.alerts() != 2 {
			t.Errorf("%d alerts after %v", c.alerts(), time.Since(start))
		}
		stop()
		seq, head, _ := l.chainHead()
		last := c.stored[c.order[1]]
		if seq != 2 || sha256.Sum256(last) != head {
			t.Error("the line did not arrive as it stands in the log")
		}
		if a := c.requests[0].Agent; a.UID != testHost.UID || a.Version != "0.1.0" || a.RulesVersion != "2026.11.22" || a.OS != "windows" {
			t.Errorf("agent = %+v", a)
		}
		l.Close()
	})
}

func TestHeartbeats(t *testing.T) {
	tests := []struct {
		name     string
		checkin  int
		min, max int // heartbeats in an hour
	}{
		{"as asked", 300, 11, 13},
		{"never faster than a minute", 0, 54, 61},
		{"nonsense", -5, 54, 61},
		{"at most a day", 1 << 40, 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				l := openTest(t, dir, Options{})
				c := newCollector()
				c.checkin = tt.checkin
				stop := run(t, testSender(t, l, "https://collector.invalid", &http.Client{Transport: inMemory{c}}))
				time.Sleep(time.Hour)
				stop()
				last := len(c.requests) - 1
				if last < tt.min || last > tt.max {
					t.Errorf("%d heartbeats in an hour, want %d to %d", last, tt.min, tt.max)
				}
				for i, r := range c.requests {
					if r.Heartbeat != nil && r.Heartbeat.Stopping != (i == last) {
						t.Errorf("request %d of %d says stopping: %v", i, last, r.Heartbeat.Stopping)
					}
					if r.Heartbeat == nil || len(r.Alerts) != 0 || r.Heartbeat.Status == nil {
						t.Errorf("request = %+v", r)
					}
				}
				l.Close()
			})
		})
	}
}

// TestHeartbeatTellsTheLog: where the log stands, what of it is settled, which
// machine it is and when the next one follows.
func TestHeartbeatTellsTheLog(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := openTest(t, dir, Options{})
		c := newCollector()
		c.checkin = 300
		s := testSender(t, l, "https://collector.invalid", &http.Client{Transport: inMemory{c}})
		s.cfg.Machine, s.cfg.Boot = "m", "b"
		stop := run(t, s)
		mustAppend(t, l, numbered(1), numbered(2))
		time.Sleep(6 * time.Minute)
		stop()
		h := c.requests[len(c.requests)-1].Heartbeat
		_, head, _ := l.chainHead()
		if h.Seq != 2 || h.Settled != 2 || h.Head != head.String() || h.Interval != 300 || h.MachineID != "m" || h.BootID != "b" || !h.Stopping {
			t.Errorf("%+v", h)
		}
		l.Close()
	})
}

// TestFarewellIsBounded: a collector that hangs does not hold up the end, and one
// that did not answer before is not asked.
func TestFarewellIsBounded(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := openTest(t, dir, Options{})
		for _, tt := range []struct {
			faults []fault
			after  time.Duration
		}{{nil, stopTimeout}, {[]fault{answerStatus(503, "Retry-After", "3600")}, 0}} {
			c := newCollector()
			c.faults = tt.faults
			stop := run(t, testSender(t, l, "https://collector.invalid", &http.Client{Transport: hangsAfter{inMemory{c}, c, 1}}))
			synctest.Wait()
			start := time.Now()
			stop()
			if took := time.Since(start); took != tt.after {
				t.Errorf("the end took %v, want %v", took, tt.after)
			}
		}
		l.Close()
	})
}

// hangsAfter answers n requests, and then none.
type hangsAfter struct {
	http.RoundTripper
	c *collector
	n int
}

func (h hangsAfter) RoundTrip(r *http.Request) (*http.Response, error) {
	if h.c.tries() < h.n {
		return h.RoundTripper.RoundTrip(r)
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestRefusalTellsWhy: what a problem says goes to the status, on one line.
func TestRefusalTellsWhy(t *testing.T) {
	resp := &http.Response{StatusCode: 401, Header: http.Header{}}
	got := refusalOf(resp, []byte(`{"detail":"revoked\nby \u202e\u001b[31m"}`)).Error()
	if !strings.HasPrefix(got, "send alerts: the collector answered 401 Unauthorized: revoked") || strings.ContainsAny(got, "\n\x1b\u202e") {
		t.Errorf("%q", got)
	}
}

// TestBackoff: delays grow, never beyond maxDelay, and a Retry-After is obeyed.
func TestBackoff(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := openTest(t, dir, Options{})
		mustAppend(t, l, numbered(1))
		c := newCollector()
		for range 500 {
			c.faults = append(c.faults, answerStatus(503))
		}
		stop := run(t, testSender(t, l, "https://collector.invalid", &http.Client{Transport: inMemory{c}}))
		time.Sleep(6 * time.Hour)
		stop()
		if n := len(c.requests); n < 300 || n > 460 {
			t.Errorf("%d tries in six hours", n)
		}
		for i := 1; i < len(c.requests); i++ {
			if d := c.requests[i].at.Sub(c.requests[i-1].at); d < minDelay || d > maxDelay {
				t.Errorf("try %d came %v after the one before", i, d)
			}
		}
		c.faults = []fault{answerStatus(503, "Retry-After", "1000")}
		c.requests = nil
		stop = run(t, testSender(t, l, "https://collector.invalid", &http.Client{Transport: inMemory{c}}))
		time.Sleep(999 * time.Second)
		synctest.Wait()
		if n := c.tries(); n != 1 {
			t.Errorf("%d tries within Retry-After", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		stop()
		if got := balance(t, l); got.Acked != 1 {
			t.Errorf("after Retry-After: %+v", got)
		}
		l.Close()
	})
}

func TestRetryAfterIsBounded(t *testing.T) {
	for value, want := range map[string]time.Duration{"": 0, "5": 5 * time.Second, "4000000000": maxRetry, "-1": 0, "soon": 0, "Fri, 31 Dec 1999 23:59:59 GMT": 0, "Fri, 31 Dec 2199 23:59:59 GMT": maxRetry} {
		resp := &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {value}}}
		if got := retryAfter(fmt.Errorf("wrapped: %w", refusalOf(resp, nil))); got != want {
			t.Errorf("Retry-After %q = %v, want %v", value, got, want)
		}
	}
}

func TestBatchesAreBounded(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir, Options{MaxFile: 200 << 10})
	l.sync = func(*os.File) error { return nil } // not what is tested here
	for i := range 250 {
		mustAppend(t, l, numbered(i))
	}
	synctest.Test(t, func(t *testing.T) {
		l.wake = make(chan struct{}, 1) // a channel of the bubble
		c := newCollector()
		c.faults = []fault{answerStatus(413), answerStatus(413)}
		stop := run(t, testSender(t, l, "https://collector.invalid", &http.Client{Transport: inMemory{c}}))
		time.Sleep(time.Minute)
		stop()
		var sizes []int
		for _, r := range c.requests {
			if len(r.Alerts) > 0 {
				sizes = append(sizes, len(r.Alerts))
			}
		}
		if want := []int{100, 50, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25}; !slices.Equal(sizes, want) {
			t.Errorf("batches of %v, want %v", sizes, want)
		}
		if got := balance(t, l); got.Acked != 250 || c.alerts() != 250 {
			t.Errorf("%d stored, %+v", c.alerts(), got)
		}
	})
	items, err := func() ([]item, error) { l.cur = cursor{}; return l.pending(maxBatch, 10<<10) }()
	size := 0
	for _, it := range items {
		size += len(it.raw)
	}
	if err != nil || len(items) < 2 || size > 10<<10 {
		t.Errorf("%d items of %d bytes, %v", len(items), size, err)
	}
}

// TestLostCursorSendsAgain: the collector has everything, and gets it once more.
func TestLostCursorSendsAgain(t *testing.T) {
	dir := t.TempDir()
	c := newCollector()
	for _, damage := range []func(){
		func() {},
		func() { os.Remove(filepath.Join(dir, cursorName)) },
		func() { os.WriteFile(filepath.Join(dir, cursorName), []byte("\x00\x00"), 0o600) },
	} {
		damage()
		synctest.Test(t, func(t *testing.T) {
			l := openTest(t, dir, Options{})
			for i := range 5 {
				if _, err := l.Append(numbered(i)); err != nil {
					t.Fatal(err)
				}
			}
			stop := run(t, testSender(t, l, "https://collector.invalid", &http.Client{Transport: inMemory{c}}))
			synctest.Wait()
			stop()
			if got := balance(t, l); got.Acked != 5 || got.Pending != 0 || len(c.order) != 5 {
				t.Errorf("%d stored, %+v", len(c.order), got)
			}
			l.Close()
		})
	}
}

// TestRealNetwork goes over sockets: a port nobody listens on, a server that
// does not answer in time, one that breaks off, and then a good one.
func TestRealNetwork(t *testing.T) {
	l := openTest(t, t.TempDir(), Options{})
	for i := range 3 {
		mustAppend(t, l, numbered(i))
	}
	c := newCollector()
	breakOff := func(_ *collector, w http.ResponseWriter, _ received) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, `{"results":[`)
		panic(http.ErrAbortHandler)
	}
	c.faults = []fault{breakOff, answerLost}
	slow := make(chan struct{})
	var answered atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !answered.Swap(true) {
			io.Copy(io.Discard, r.Body) // the server sees the client leave only once the body is read
			<-r.Context().Done()
			close(slow)
			return
		}
		c.ServeHTTP(w, r)
	}))
	defer srv.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()

	down := httptest.NewServer(nil)
	down.Close()
	s := testSender(t, l, down.URL, &http.Client{Transport: transport, Timeout: 300 * time.Millisecond})
	refused := make(chan struct{}, 100)
	s.delay = func(int) time.Duration { refused <- struct{}{}; return time.Millisecond }
	stop := run(t, s)
	<-refused
	<-refused
	stop()

	s = testSender(t, l, srv.URL, &http.Client{Transport: transport, Timeout: 300 * time.Millisecond})
	s.delay = func(int) time.Duration { return time.Millisecond }
	stop = run(t, s)
	<-slow
	for balance(t, l).Pending > 0 {
		time.Sleep(time.Millisecond)
	}
	stop()
	if got := balance(t, l); got.Acked != 3 || c.alerts() != 3 {
		t.Errorf("%d stored, %+v", c.alerts(), got)
	}
}

func TestValidateURL(t *testing.T) {
	good := []string{"https://collector.example.invalid", "https://c.invalid:8443/mg", "http://127.0.0.1:8080", "http://[::1]:80", "http://localhost"}
	bad := []string{"", "http://c.invalid", "http://127.0.0.1.invalid", "ftp://c.invalid", "https://", "https://u:p@c.invalid", "https://c.invalid?x=1", "https://c.invalid#x", "c.invalid", "https://c.invalid:x", "http://10.0.0.1", "file:///etc/passwd", "https://:443"}
	for _, u := range good {
		if err := ValidateURL(u); err != nil {
			t.Errorf("ValidateURL(%q) = %v", u, err)
		}
	}
	for _, u := range bad {
		if ValidateURL(u) == nil {
			t.Errorf("ValidateURL(%q) accepts it", u)
		}
		if _, err := NewSender(SenderConfig{URL: u, Log: &Log{}}); err == nil {
			t.Errorf("NewSender accepts %q", u)
		}
	}
	if _, err := NewSender(SenderConfig{URL: good[0]}); err == nil {
		t.Error("NewSender accepts no log")
	}
	if err := ValidateURL("https://u:hunter2@c.invalid:x"); err == nil || bytes.Contains([]byte(err.Error()), []byte("hunter2")) {
		t.Errorf("the error tells the password: %v", err)
	}
}

func TestDamagedRecordsAreDroppedAndCounted(t *testing.T) {
	dir := t.TempDir()
	data := smallLog(t, dir, 5)
	lines := fileLines(t, filepath.Join(dir, activeName))
	data[len(lines[0])+5] ^= 1           // the second record
	data[len(data)-len(lines[4])+5] ^= 1 // the newest
	if err := os.WriteFile(filepath.Join(dir, activeName), data, 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		l := openTest(t, dir, Options{})
		c := newCollector()
		stop := run(t, testSender(t, l, "https://collector.invalid", &http.Client{Transport: inMemory{c}}))
		synctest.Wait()
		stop()
		if got := balance(t, l); got.Created != 5 || got.Acked != 3 || got.Dropped["corrupt"] != 2 || got.Pending != 0 {
			t.Errorf("counters = %+v", got)
		}
		l.Close()
	})
}

func TestCloseEndsAppend(t *testing.T) {
	l := openTest(t, t.TempDir(), Options{})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(numbered(1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Append = %v", err)
	}
}
