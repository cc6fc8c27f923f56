package device

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"meetguard/internal/pki"
)

// mitm is a CA that the system trusts, as that of a proxy which opens TLS.
var mitm authority

// TestMain makes the CA before anything loads the system's roots, which happens
// once (SSL_CERT_FILE, see crypto/x509 on Linux).
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(trusting{m})
}

type trusting struct{ m *testing.M }

func (r trusting) Run() int {
	mitm = newAuthority(new(testing.B), "proxy", nil)
	dir, err := os.MkdirTemp("", "device")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(file, []byte(mitm.pem()), 0o600); err != nil {
		panic(err)
	}
	os.Setenv("SSL_CERT_FILE", file)
	os.Setenv("SSL_CERT_DIR", dir)
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"} {
		os.Unsetenv(name)
	}
	return r.m.Run()
}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// fake is a collector with a real CA that does what the protocol says. The agent
// is verified with the clock of the test; TLS itself knows only the true time.
type fake struct {
	t     *testing.T
	pki   *pki.Authority
	clock *clock
	url   string

	mu      sync.Mutex
	uses    map[string]int               // of a token, by its hash: enrolments left
	enroled map[string]map[string]string // token hash ─► uid ─► hostname
	bearer  map[string]string            // uid ─► hash
	known   map[string]bool              // hashes of certificates that count
	refuse  map[string][2]string         // path ─► status as "401", code: answered instead
	lose    map[string]int               // path ─► answers that get lost
	seen    []request
	forget  bool                 // certificates are issued and not kept
	change  func(map[string]any) // the answers, before they go out
	dir     string               // of the CA
}

type request struct {
	path, uid, hash string
	header          http.Header
	body            []byte
}

func newFake(t *testing.T) *fake {
	t.Helper()
	dir := t.TempDir()
	ca, err := pki.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{t: t, dir: dir, pki: ca, clock: newClock(), uses: map[string]int{}, enroled: map[string]map[string]string{}, bearer: map[string]string{},
		known: map[string]bool{}, refuse: map[string][2]string{}, lose: map[string]int{}}
	f.url = "https://" + listen(t, ca.TLSConfig([]string{"127.0.0.1", "localhost"}, time.Now), f)
	return f
}

// token makes a token with that many uses.
func (f *fake) token(uses int) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	secret := pki.NewSecret()
	f.uses[pki.HashSecret(secret)] = uses
	return pki.FormatToken(secret, f.pki.Pin())
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := request{path: r.URL.Path, header: r.Header, body: body}
	client, err := f.pki.ClientOf(r, f.clock.now())
	if err == nil {
		err = client.Sealed(r, body)
	}
	if err == nil {
		seen.uid, seen.hash = client.UID, client.Hash
	}
	f.seen = append(f.seen, seen)
	if answer, ok := f.refuse[r.URL.Path]; ok {
		f.problem(w, answer[0], answer[1])
		return
	}
	if r.URL.Path == "/v1/agent/enroll" {
		f.enroll(w, body)
		return
	}
	switch {
	case errors.Is(err, pki.ErrClock):
		f.problem(w, "401", "clock")
	case err != nil || !f.known[client.Hash] || client.Bearer != "" && client.Bearer != f.bearer[client.UID]:
		f.problem(w, "401", "unknown")
	case r.URL.Path == "/v1/agent/renew":
		f.renew(w, body, client)
	case client.Expired:
		f.problem(w, "401", "expired")
	default:
		io.WriteString(w, `{"results":[],"next_checkin_s":60}`)
	}
}

func (f *fake) problem(w http.ResponseWriter, status, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	n := map[string]int{"401": 401, "403": 403, "503": 503, "400": 400, "307": 307}[status]
	if n == 307 {
		w.Header().Set("Location", code)
	}
	if n == 503 {
		w.Header().Set("Retry-After", "7")
	}
	w.Header().Set("Date", f.clock.now().UTC().Format(http.TimeFormat))
	w.WriteHeader(n)
	json.NewEncoder(w).Encode(map[string]string{"code": code, "detail": "said\x1b[31m " + code})
}

func (f *fake) enroll(w http.ResponseWriter, body []byte) {
	var q enrolRequest
	if json.Unmarshal(body, &q) != nil {
		f.problem(w, "400", "")
		return
	}
	uid, err := pki.DeviceUID(q.CSR)
	if err != nil {
		f.problem(w, "400", "")
		return
	}
	hash := pki.HashSecret(q.Token)
	left, ok := f.uses[hash]
	if _, again := f.enroled[hash][uid]; !again {
		if !ok || left == 0 {
			f.problem(w, "401", "token")
			return
		}
		f.uses[hash]--
	}
	if f.enroled[hash] == nil {
		f.enroled[hash] = map[string]string{}
	}
	f.enroled[hash][uid] = q.Agent.Hostname
	bearer := pki.NewBearer()
	f.bearer[uid] = pki.HashSecret(bearer)
	f.grant(w, "/v1/agent/enroll", uid, q.CSR, bearer)
}

func (f *fake) renew(w http.ResponseWriter, body []byte, c pki.Client) {
	var q renewRequest
	if json.Unmarshal(body, &q) != nil {
		f.problem(w, "400", "")
		return
	}
	f.grant(w, "/v1/agent/renew", c.UID, q.CSR, "")
}

func (f *fake) grant(w http.ResponseWriter, path, uid, csr, bearer string) {
	issued, err := f.pki.SignDevice(csr, uid, f.clock.now())
	if err != nil {
		f.problem(w, "400", "")
		return
	}
	f.known[issued.Hash] = !f.forget
	if f.lose[path] > 0 {
		f.lose[path]--
		panic(http.ErrAbortHandler)
	}
	g := map[string]any{"agent_uid": uid, "certificate": issued.PEM, "ca": f.pki.Trust(), "bearer": bearer, "next_checkin_s": 60}
	if f.change != nil {
		f.change(g)
	}
	json.NewEncoder(w).Encode(g)
}

// took returns the requests for a path.
func (f *fake) took(path string) []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []request
	for _, r := range f.seen {
		if r.path == path {
			out = append(out, r)
		}
	}
	return out
}

func (f *fake) set(path, status, code string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if status == "" {
		delete(f.refuse, path)
	} else {
		f.refuse[path] = [2]string{status, code}
	}
}

// kept returns the certificate of the identity on disk and that in use.
func kept(t *testing.T, d *Device) *identity {
	t.Helper()
	id, err := (&folder{dir: d.cfg.State}).read()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

var machineA = Machine{ID: strings.Repeat("aa", 32), Boot: strings.Repeat("01", 32)}

// open makes a device for the collector.
func open(t *testing.T, f *fake, state string, change ...func(*Config)) *Device {
	t.Helper()
	cfg := Config{State: state, Collector: f.url, Labels: Labels{UID: "host", Hostname: "lt-0042", OS: "linux", Version: "0.9"}, Machine: machineA, Now: f.clock.now}
	for _, c := range change {
		c(&cfg)
	}
	d, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.CloseIdleConnections)
	return d
}

// beat sends a heartbeat and returns the status, 0 if there was no answer.
func beat(d *Device) (int, error) {
	req, err := http.NewRequest(http.MethodPost, d.cfg.Collector+"/v1/agent/batch", bytes.NewReader([]byte("{}")))
	if err != nil {
		return 0, err
	}
	resp, err := d.Client().Do(req)
	if err != nil {
		return 0, err
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp.StatusCode, nil
}

func mustBeat(t *testing.T, d *Device) {
	t.Helper()
	if code, err := beat(d); code != 200 {
		t.Fatalf("heartbeat: %d, %v", code, err)
	}
}

func enrolled(t *testing.T, f *fake) *Device {
	t.Helper()
	d := open(t, f, t.TempDir())
	if err := d.Enrol(context.Background(), f.token(1)); err != nil {
		t.Fatal(err)
	}
	return d
}

// listen serves raw TLS with a configuration and a handler.
func listen(t *testing.T, config *tls.Config, h http.Handler) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if config == nil {
			srv.Serve(ln)
		} else {
			srv.Serve(tls.NewListener(ln, config))
		}
	}()
	t.Cleanup(func() { srv.Close(); <-done })
	return ln.Addr().String()
}
