package collect

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"meetguard/internal/exits"
	"meetguard/internal/store"
)

// raw sends bytes over the device's TLS and returns the status of the answer, 0
// if the connection was closed without one.
func (d *testDevice) raw(request []byte) int {
	d.f.t.Helper()
	roots, err := rootsOf(d.f.ca)
	if err != nil {
		d.f.t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", d.f.addr, &tls.Config{RootCAs: roots, Time: d.f.clock,
		Certificates: []tls.Certificate{{Certificate: [][]byte{d.cert.Raw}, PrivateKey: d.key}}})
	if err != nil {
		d.f.t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	go conn.Write(request) // the server may answer before it has read all
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// Whatever arrives, the answer is a refusal, nothing panics, and the next honest
// batch is stored.
func TestAbuse(t *testing.T) {
	f := newFleetSite(t)
	a := f.enrolled()
	const head = "POST /v1/agent/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	sized := func(body []byte, more string) []byte {
		return append(fmt.Appendf(nil, "%s%sContent-Length: %d\r\n\r\n", head, more, len(body)), body...)
	}
	zipped := func(body []byte) []byte { return sized(pack(body), "Content-Encoding: gzip\r\n") }
	deep := strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000)
	manyAlerts := `{"agent":{"uid":"x"},"alerts":[` + strings.TrimSuffix(strings.Repeat("1,", MaxAlerts+1), ",") + `]}`
	for name, c := range map[string]struct {
		request []byte
		want    []int
	}{
		"both lengths":    {[]byte(head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), []int{400, 411}},
		"chunked":         {[]byte(head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), []int{411}},
		"two lengths":     {[]byte(head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), []int{400}},
		"negative length": {[]byte(head + "Content-Length: -1\r\n\r\n"), []int{400}},
		"huge length":     {[]byte(head + "Content-Length: 99999999999999999999\r\n\r\n"), []int{400}},
		"no host":         {[]byte("POST /v1/agent/batch HTTP/1.1\r\n\r\n"), []int{400}},
		"no HTTP":         {[]byte("\x00\x01\x02\x03\r\n\r\n"), []int{400}},
		"HTTP 9":          {[]byte("GET / HTTP/9.9\r\nHost: x\r\n\r\n"), []int{400, 505}},
		"odd method":      {[]byte("BREW /v1/agent/batch HTTP/1.1\r\nHost: x\r\n\r\n"), []int{405}},
		"long header":     {[]byte(head + "X-Long: " + strings.Repeat("a", 64<<10) + "\r\n\r\n"), []int{431}},
		"long path":       {[]byte("GET /" + strings.Repeat("a", 64<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n"), []int{431}},
		"climbing path":   {[]byte("GET /v1/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"), []int{301, 307, 404}},
		"too large":       {sized(bytes.Repeat([]byte(" "), MaxBody+1), ""), []int{413}},
		"zip bomb":        {zipped(bytes.Repeat([]byte(" "), usualBatch+1)), []int{413}},
		"broken zip":      {sized([]byte("\x1f\x8b\x08\x00garbage"), "Content-Encoding: gzip\r\n"), []int{400}},
		"other encoding":  {sized([]byte("{}"), "Content-Encoding: br\r\n"), []int{415}},
		"deep":            {zipped([]byte(deep)), []int{400}},
		"many alerts":     {zipped([]byte(manyAlerts)), []int{413}},
		"not an object":   {sized([]byte(`[1,2,3]`), ""), []int{400}},
		"no JSON":         {sized([]byte("\xff\xfe"), ""), []int{400}},
		"large heartbeat": {zipped(fmt.Appendf(nil, `{"agent":{"uid":"x"},"heartbeat":{"x":%q}}`, strings.Repeat("a", maxHeartbeat))), []int{413}},
	} {
		t.Run(name, func(t *testing.T) {
			f.pass(10 * time.Second) // what is refused is paid for, see TestRefusedIsPaidFor
			got := a.raw(c.request)
			ok := false
			for _, w := range c.want {
				ok = ok || got == w
			}
			if !ok {
				t.Errorf("status %d, want one of %v", got, c.want)
			}
		})
	}
	f.pass(10 * time.Second)
	text, digest := logLine("after", 1, "")
	a.want(200, "", "/v1/agent/batch", batch(beatOf(1, digest), text))
	if all, err := f.store.Since(t.Context(), store.Everything, 0, 10); err != nil || len(all) != 1 {
		t.Errorf("%d alerts, %v", len(all), err)
	}
}

// A body that is too large by its own word is refused before any of it came, and
// one that was packed to become large before it is unpacked.
func TestLargeIsNotRead(t *testing.T) {
	f := newFleetSite(t)
	a := f.enrolled()
	if got := a.raw(fmt.Appendf(nil, "POST /v1/agent/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", MaxBody+1)); got != 413 {
		t.Errorf("status %d before the body", got)
	}
	for size, want := range map[int]error{usualBatch: nil, usualBatch + 1: errUnpacked} {
		if _, err := unpack(pack(bytes.Repeat([]byte(" "), size))); err != want {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	for size, want := range map[int]error{usualBatch + 1: nil, MaxBatch + 1: errUnpacked} {
		var large bytes.Buffer // on the wire too
		zw, err := gzip.NewWriterLevel(&large, gzip.NoCompression)
		if err != nil {
			t.Fatal(err)
		}
		zw.Write(make([]byte, size))
		zw.Close()
		if _, err := unpack(large.Bytes()); err != want {
			t.Errorf("%d bytes, not packed: %v", size, err)
		}
	}
}

// An agent that sends what no agent does is soon told to come later: each refused
// batch counts for many, and a large one for as many as it is large.
func TestRefusedIsPaidFor(t *testing.T) {
	f := newFleetSite(t)
	for name, c := range map[string]struct {
		body []byte
		most int // batches that are looked at, of the DefaultLimits.Device
	}{
		"malformed":           {[]byte("[]"), DefaultLimits.Device.Burst/(1+refusedCost) + 1},
		"large and malformed": {bytes.Repeat([]byte("["), usualBatch+largePart), DefaultLimits.Device.Burst/(1+refusedCost+32) + 1},
		"large and empty":     {append([]byte(`{"agent":{"uid":"x"},"alerts":[]}`), bytes.Repeat([]byte(" "), usualBatch)...), DefaultLimits.Device.Burst/(1+32) + 1},
	} {
		a := f.enrolled()
		request := append(fmt.Appendf(nil, "POST /v1/agent/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(c.body)), c.body...)
		n := 0
		for a.raw(request) != http.StatusTooManyRequests && n <= c.most {
			n++
		}
		if n > c.most {
			t.Errorf("%s: %d are looked at, want at most %d", name, n, c.most)
		}
	}
}

// Whoever tries tokens is soon told to come later.
func TestRefusedEnrolmentIsPaidFor(t *testing.T) {
	f := newFleetSite(t)
	d := f.newDevice()
	most, n := DefaultLimits.Enrol.Burst/(1+refusedCost)+1, 0
	for n <= most {
		if status, _ := d.enrol("mgenroll-wrong"); status == http.StatusTooManyRequests {
			break
		}
		n++
	}
	if n > most {
		t.Errorf("%d tokens could be tried, want at most %d", n, most)
	}
}

// One poisoned record does not hold up the rest, and is kept for people to see.
func TestPoisonIsSetAside(t *testing.T) {
	f := newFleetSite(t)
	a := f.enrolled()
	good, _ := logLine("good", 1, "")
	text := a.want(200, "", "/v1/agent/batch", batch(nil, `{"class_uid":1,"metadata":{"uid":"bad"}}`, good, `"no object"`))
	for _, want := range []string{`"bad","status":"rejected"`, `"good","status":"stored"`} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("%s lacks %s", text, want)
		}
	}
	if dead, err := f.store.DeadLetters(t.Context(), store.Everything, 10); err != nil || len(dead) != 2 {
		t.Errorf("%d dead letters, %v", len(dead), err)
	}
}

// Whoever sends nothing, or one byte now and then, is cut off, and holds up
// nobody meanwhile.
func TestSlowClients(t *testing.T) {
	f := newFleetSite(t)
	a := f.enrolled()
	roots, _ := rootsOf(f.ca)
	closed := make(chan bool, 100)
	for range cap(closed) {
		conn, err := tls.Dial("tcp", f.addr, &tls.Config{RootCAs: roots, Time: f.clock})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer conn.Close()
			for range 60 {
				if _, err := conn.Write([]byte("G")); err != nil {
					closed <- true
					return
				}
				time.Sleep(500 * time.Millisecond)
			}
			closed <- false
		}()
	}
	a.want(200, "", "/v1/agent/batch", batch(beatOf(0, "")))
	for range cap(closed) {
		if !<-closed {
			t.Fatal("a client that never ends its header is still connected after half a minute")
		}
	}
}

// Alerts are sent on from the store, in order, also after the receiver was away
// and the collector was started again.
func TestExitIsFed(t *testing.T) {
	f := newFleetSite(t)
	a := f.enrolled()
	got, down := make(chan string, 10), make(chan bool, 1)
	down <- true
	receiver := newReceiver(t, func(w http.ResponseWriter, body string) {
		select {
		case <-down:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			got <- body
		}
	})
	cfg := exits.Config{Name: "hook", Type: "webhook", URL: receiver, Insecure: true, Webhook: &exits.Webhook{Template: `{{json (.Get "metadata.uid")}}`}}
	stop := f.feed(cfg)
	prev := ""
	for i, uid := range []string{"r1", "r2"} {
		var text string
		text, prev = logLine(uid, i+1, prev)
		a.want(200, "", "/v1/agent/batch", batch(nil, text))
		if body := <-got; !strings.Contains(body, uid) {
			t.Errorf("got %q, want %s", body, uid)
		}
	}
	stop()
	text, _ := logLine("r3", 3, prev)
	a.want(200, "", "/v1/agent/batch", batch(nil, text))
	stop = f.feed(cfg)
	defer stop()
	for body := <-got; !strings.Contains(body, "r3"); body = <-got { // what was on its way may come again
		if !strings.Contains(body, "r2") {
			t.Fatalf("after a new start: %q", body)
		}
	}
}

// feed runs an exit until it is told to stop.
func (f *fleetSite) feed(cfg exits.Config) (stop func()) {
	f.t.Helper()
	pumps, err := f.srv.newPumps([]exits.Config{cfg})
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- runPumps(ctx, pumps) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			f.t.Errorf("runPumps: %v", err)
		}
	}
}

// newReceiver is a server that takes bodies; it returns its address.
func newReceiver(t *testing.T, take func(w http.ResponseWriter, body string)) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		take(w, string(body))
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}
