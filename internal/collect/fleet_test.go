package collect

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"meetguard/internal/exits"
	"meetguard/internal/pki"
	"meetguard/internal/store"
)

// fleetSite is a collector that runs as in production: one port, its own
// authority, SQLite. Its clock stands still until a test moves it.
type fleetSite struct {
	t     *testing.T
	srv   *Server
	store store.Store
	ca    *pki.Authority
	addr  string

	mu  sync.Mutex
	now time.Time
}

func (f *fleetSite) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fleetSite) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

func newFleetSite(t *testing.T, out ...exits.Config) *fleetSite {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fleet.db")
	if err := os.WriteFile(path, migratedFile(t), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := store.OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return fleetSiteOn(t, st, out...)
}

// fleetSiteOn is a collector on a store, which it closes.
func fleetSiteOn(t *testing.T, st store.Store, out ...exits.Config) *fleetSite {
	t.Helper()
	ca, _, err := OpenAuthority(t.Context(), st, "")
	if err != nil {
		t.Fatal(err)
	}
	f := &fleetSite{t: t, store: st, ca: ca, now: time.Now().Truncate(time.Second)}
	ln, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.addr = ln.Addr().String()
	f.srv, err = NewServer(Config{Store: st, Log: slog.New(slog.DiscardHandler), Now: f.clock, Secret: make([]byte, 32),
		Authority: ca, Hosts: Hosts(nil, ln.Addr()), Loopback: true, Version: "1.0", Exits: out})
	if err != nil {
		t.Fatal(err)
	}
	f.srv.hasher = cheapHasher()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- f.srv.Run(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		st.Close()
	})
	return f
}

func (f *fleetSite) token(uses int) string {
	f.t.Helper()
	secret, err := NewToken(f.t.Context(), f.store, store.Token{Group: "sales", CreatedAt: f.clock(), ExpiresAt: f.clock().Add(time.Hour), MaxUses: uses})
	if err != nil {
		f.t.Fatal(err)
	}
	return secret
}

// device is an agent as the collector meets it.
type testDevice struct {
	f      *fleetSite
	key    *ecdsa.PrivateKey
	uid    string
	cert   *x509.Certificate
	bearer string
	client *http.Client
}

func (f *fleetSite) newDevice() *testDevice {
	f.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	d := &testDevice{f: f, key: key}
	d.connect(nil)
	return d
}

// connect makes a client that shows the certificates.
func (d *testDevice) connect(chain [][]byte) {
	roots, err := rootsOf(d.f.ca)
	if err != nil {
		d.f.t.Fatal(err)
	}
	cfg := &tls.Config{RootCAs: roots, Time: d.f.clock}
	if chain != nil {
		cfg.Certificates = []tls.Certificate{{Certificate: chain, PrivateKey: d.key}}
	}
	transport := &http.Transport{TLSClientConfig: cfg, ForceAttemptHTTP2: true}
	d.f.t.Cleanup(transport.CloseIdleConnections)
	d.client = &http.Client{Transport: transport}
}

func (d *testDevice) csr() string {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, d.key)
	if err != nil {
		d.f.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

// send posts a body and returns the answer. The header is of pairs.
func (d *testDevice) send(path string, body any, header ...string) (int, []byte) {
	d.f.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		d.f.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(d.f.t.Context(), http.MethodPost, "https://"+d.f.addr+path, bytes.NewReader(raw))
	if err != nil {
		d.f.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := d.client.Do(req)
	if err != nil {
		d.f.t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return res.StatusCode, text
}

func (d *testDevice) enrol(secret string) (int, []byte) {
	d.f.t.Helper()
	status, text := d.send("/v1/agent/enroll", map[string]any{"token": secret, "csr": d.csr(),
		"agent": map[string]string{"uid": "label", "hostname": "LT-1", "os": "linux"}, "machine_id": "m1", "boot_id": "b1"})
	if status == http.StatusOK {
		d.take(text)
	}
	return status, text
}

// take keeps what an enrolment or a renewal gave.
func (d *testDevice) take(text []byte) {
	var a enrolResponse
	if err := json.Unmarshal(text, &a); err != nil {
		d.f.t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(a.Certificate))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		d.f.t.Fatal(err)
	}
	d.uid, d.cert = a.AgentUID, cert
	if a.Bearer != "" {
		d.bearer = a.Bearer
	}
	d.connect([][]byte{cert.Raw})
}

func (f *fleetSite) enrolled() *testDevice {
	f.t.Helper()
	d := f.newDevice()
	if status, text := d.enrol(f.token(0)); status != http.StatusOK {
		f.t.Fatalf("status %d: %s", status, text)
	}
	return d
}

// batch is a body for /v1/agent/batch.
func batch(beat map[string]any, lines ...string) map[string]any {
	alerts := []json.RawMessage{}
	for _, l := range lines {
		alerts = append(alerts, json.RawMessage(l))
	}
	b := map[string]any{"agent": map[string]string{"uid": "label", "hostname": "LT-1"}, "alerts": alerts}
	if beat != nil {
		b["heartbeat"] = beat
	}
	return b
}

func beatOf(seq int, head string) map[string]any {
	return map[string]any{"seq": seq, "head": head, "interval_s": 10, "machine_id": "m1", "boot_id": "b1"}
}

// logLine is a line of an alert log, and its digest.
func logLine(uid string, seq int, prev string) (text, digest string) {
	text = fmt.Sprintf(`{"class_uid":2004,"metadata":{"uid":%q},"unmapped":{"mg_level":"malicious","mg_rule":"MG-X","mg_seq":%d,"mg_prev":%q}}`, uid, seq, prev)
	sum := sha256.Sum256([]byte(text))
	return text, hex.EncodeToString(sum[:])
}

// alarms returns the rules of the collector's own alarms, oldest first.
func (f *fleetSite) alarms() string {
	f.t.Helper()
	all, err := f.store.Since(f.t.Context(), store.Everything, 0, 100)
	if err != nil {
		f.t.Fatal(err)
	}
	var rules []string
	for _, a := range all {
		if strings.HasPrefix(a.Rule, "MG-FLEET-") {
			rules = append(rules, strings.TrimPrefix(a.Rule, "MG-FLEET-"))
		}
	}
	return strings.Join(rules, " ")
}

func (d *testDevice) want(status int, code string, path string, body any, header ...string) []byte {
	d.f.t.Helper()
	got, text := d.send(path, body, header...)
	var p problem
	json.Unmarshal(text, &p)
	if got != status || p.Code != code {
		d.f.t.Errorf("%s: %d %q, want %d %q: %s", path, got, p.Code, status, code, text)
	}
	return text
}

func TestEnrolment(t *testing.T) {
	f := newFleetSite(t)
	secret := f.token(1)
	a := f.newDevice()
	if status, text := a.enrol(secret); status != http.StatusOK {
		t.Fatalf("%d: %s", status, text)
	}
	first := a.uid
	if status, text := a.enrol(secret); status != http.StatusOK || a.uid != first {
		t.Errorf("the same key again: %d %s, %s", status, text, a.uid)
	}
	b := f.newDevice()
	if status, text := b.enrol(secret); status != http.StatusUnauthorized || !bytes.Contains(text, []byte(`"token"`)) {
		t.Errorf("spent token: %d %s", status, text)
	}
	b.want(401, "token", "/v1/agent/enroll", map[string]any{"token": "x", "csr": b.csr()})
	b.want(400, "", "/v1/agent/enroll", map[string]any{"token": secret, "csr": "no csr"})
	status, err := f.store.Agent(t.Context(), store.Everything, a.uid)
	if err != nil || status.Group != "sales" || status.Hostname != "LT-1" || status.MachineID != "m1" {
		t.Errorf("%+v, %v", status, err)
	}
}

// The name in the body counts for nothing; only what is proved does.
func TestIdentityIsProved(t *testing.T) {
	f := newFleetSite(t)
	a, b := f.enrolled(), f.enrolled()
	text, digest := logLine("r1", 1, "")
	body := batch(beatOf(1, digest), text)
	body["agent"] = map[string]string{"uid": b.uid, "hostname": "LT-9"}
	a.want(200, "", "/v1/agent/batch", body)
	all, _ := f.store.Since(t.Context(), store.Everything, 0, 10)
	if len(all) != 1 || all[0].AgentUID != a.uid {
		t.Errorf("%d alerts of %s", len(all), all[0].AgentUID)
	}

	none := f.newDevice()
	none.want(401, "unknown", "/v1/agent/batch", body)
	stranger := f.newDevice()
	template := &x509.Certificate{SerialNumber: a.cert.SerialNumber, Subject: a.cert.Subject, URIs: a.cert.URIs,
		NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter, ExtKeyUsage: a.cert.ExtKeyUsage, KeyUsage: a.cert.KeyUsage}
	self, err := x509.CreateCertificate(rand.Reader, template, template, &stranger.key.PublicKey, stranger.key)
	if err != nil {
		t.Fatal(err)
	}
	stranger.connect([][]byte{self})
	stranger.want(401, "unknown", "/v1/agent/batch", body)

	if _, err := f.store.SetState(t.Context(), store.Everything, []string{a.uid}, store.AgentSuspended, f.clock()); err != nil {
		t.Fatal(err)
	}
	a.want(403, "suspended", "/v1/agent/batch", body)
	if _, err := f.store.SetState(t.Context(), store.Everything, []string{a.uid}, store.AgentRevoked, f.clock()); err != nil {
		t.Fatal(err)
	}
	a.want(401, "enroll_again", "/v1/agent/batch", body)
	a.want(401, "enroll_again", "/v1/agent/renew", map[string]string{"csr": a.csr()})
	b.want(200, "", "/v1/agent/batch", batch(beatOf(0, "")))
}

func TestRenewal(t *testing.T) {
	f := newFleetSite(t)
	a := f.enrolled()
	f.pass(91 * 24 * time.Hour)
	a.want(401, "expired", "/v1/agent/batch", batch(beatOf(0, "")))
	old := a.uid
	text := a.want(200, "", "/v1/agent/renew", map[string]string{"csr": a.csr()})
	a.take(text)
	if a.uid != old {
		t.Errorf("renewed as %s", a.uid)
	}
	a.want(200, "", "/v1/agent/batch", batch(beatOf(0, "")))
	f.pass(500 * 24 * time.Hour)
	a.want(401, "enroll_again", "/v1/agent/renew", map[string]string{"csr": a.csr()})
}

// seal makes the headers of a device behind a proxy that opens TLS.
func (d *testDevice) seal(path string, body any, at time.Time) []string {
	raw, _ := json.Marshal(body)
	sum := sha256.Sum256(raw)
	date := strconv.FormatInt(at.Unix(), 10)
	text := "meetguard request v1\nPOST\n" + path + "\n" + date + "\n" + hex.EncodeToString(sum[:]) + "\n"
	digest := sha256.Sum256([]byte(text))
	sig, err := ecdsa.SignASN1(rand.Reader, d.key, digest[:])
	if err != nil {
		d.f.t.Fatal(err)
	}
	return []string{"Authorization", "Bearer " + d.bearer, "X-MG-Certificate", base64.StdEncoding.EncodeToString(d.cert.Raw),
		"X-MG-Date", date, "X-MG-Signature", base64.StdEncoding.EncodeToString(sig)}
}

func TestBehindProxy(t *testing.T) {
	f := newFleetSite(t)
	a, b := f.enrolled(), f.enrolled()
	a.connect(nil) // the proxy shows no certificate of ours
	const path = "/v1/agent/batch"
	body := batch(beatOf(0, ""))
	a.want(200, "", path, body, a.seal(path, body, f.clock())...)
	a.want(401, "clock", path, body, a.seal(path, body, f.clock().Add(-time.Hour))...)
	a.want(401, "unknown", path, batch(beatOf(7, "")), a.seal(path, body, f.clock())...) // another body
	stolen := a.seal(path, body, f.clock())
	stolen[1] = "Bearer " + b.bearer
	a.want(401, "unknown", path, body, stolen...)
	a.want(401, "unknown", path, body, "Authorization", "Bearer "+a.bearer)
}

func TestSilence(t *testing.T) {
	f := newFleetSite(t)
	a, b := f.enrolled(), f.enrolled()
	check := func(after time.Duration, want string) {
		t.Helper()
		for ; after > 0; after -= 2 * time.Second { // somebody always listens
			f.pass(2 * time.Second)
			if err := f.srv.checkSilence(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := f.alarms(); got != want {
			t.Errorf("alarms %q, want %q", got, want)
		}
	}
	beat := func(d *testDevice, stopping bool) {
		t.Helper()
		body := beatOf(0, "")
		body["stopping"] = stopping
		d.want(200, "", "/v1/agent/batch", batch(body))
		f.srv.flushBeats(t.Context())
	}
	check(30*time.Second, "")
	beat(a, false)
	beat(b, false)
	check(10*time.Second, "")
	beat(b, true) // a clean stop
	check(10*time.Second, "")
	check(10*time.Second, "SILENT") // a, after two intervals of 10 s and grace
	check(60*time.Second, "SILENT")
	beat(a, false)
	check(40*time.Second, "SILENT SILENT") // it came back and went again
}

// An agent that enrols and never reports is silent two intervals later.
func TestSilentAfterEnrolment(t *testing.T) {
	f := newFleetSite(t)
	a, b := f.enrolled(), f.enrolled()
	if err := f.srv.checkSilence(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got string
	waited := time.Duration(0)
	for ; waited <= 2*DefaultInterval+silenceGrace+watchEvery; waited += watchEvery {
		if waited == DefaultInterval { // b reports in time
			b.want(200, "", "/v1/agent/batch", batch(beatOf(0, "")))
			f.srv.flushBeats(t.Context())
		}
		if waited > DefaultInterval && waited%(10*time.Second) == 0 {
			b.want(200, "", "/v1/agent/batch", batch(beatOf(0, "")))
			f.srv.flushBeats(t.Context())
		}
		if err := f.srv.checkSilence(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got = f.alarms(); got != "" {
			break
		}
		f.pass(watchEvery)
	}
	if got != "SILENT" || waited <= 2*DefaultInterval {
		t.Fatalf("alarms %q after %v", got, waited)
	}
	all, err := f.store.Since(t.Context(), store.Everything, 0, 10)
	if err != nil || len(all) != 1 || all[0].AgentUID != a.uid || !strings.Contains(string(all[0].Record), "never reported") {
		t.Errorf("%d alerts, %s, %v", len(all), all[0].Record, err)
	}
}

// While no collector listened, nobody was silent.
func TestPauseIsNoSilence(t *testing.T) {
	f := newFleetSite(t)
	a := f.enrolled()
	if err := f.srv.checkSilence(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.want(200, "", "/v1/agent/batch", batch(beatOf(0, "")))
	f.srv.flushBeats(t.Context())
	f.pass(time.Hour)
	for range 3 {
		if err := f.srv.checkSilence(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.pass(2 * time.Second)
	}
	if got := f.alarms(); got != "" {
		t.Errorf("alarms %q", got)
	}
}

func TestLogIsFollowed(t *testing.T) {
	f := newFleetSite(t)
	a := f.enrolled()
	l1, d1 := logLine("r1", 1, "")
	l2, d2 := logLine("r2", 2, d1)
	l3, d3 := logLine("r3", 3, d2)
	l5, d5 := logLine("r5", 5, "digest of line 4")
	changed, _ := logLine("r2", 2, "something else")
	const path = "/v1/agent/batch"
	a.want(200, "", path, batch(beatOf(2, d2), l1, l2))
	a.want(200, "", path, batch(beatOf(3, d3), l2, l3)) // sent again, and on
	a.want(200, "", path, batch(beatOf(3, d3)))
	if got := f.alarms(); got != "" {
		t.Fatalf("alarms %q", got)
	}
	a.want(200, "", path, batch(beatOf(5, d5), l5))
	a.want(200, "", path, batch(beatOf(5, d5), l5))
	if got := f.alarms(); got != "GAP" {
		t.Errorf("a line was cut out: %q", got)
	}
	a.want(200, "", path, batch(nil, changed))
	if got := f.alarms(); got != "GAP CONFLICT" {
		t.Errorf("a line was changed: %q", got)
	}
	a.want(200, "", path, batch(beatOf(1, d1)))
	a.want(200, "", path, batch(beatOf(1, d1)))
	if got := f.alarms(); got != "GAP CONFLICT RESET" {
		t.Errorf("the log was cut back: %q", got)
	}
}

// An agent that finds its own log damaged says so with each heartbeat: one alarm
// about its machine, and one more when it finds more.
func TestDamageIsTold(t *testing.T) {
	f := newFleetSite(t)
	a, b := f.enrolled(), f.enrolled()
	const path = "/v1/agent/batch"
	told := func(places, missing int) map[string]any {
		beat := beatOf(0, "")
		beat["damage"] = map[string]int{"places": places, "missing": missing}
		return batch(beat)
	}
	for i, step := range []struct {
		by   *testDevice
		body map[string]any
		want string
	}{
		{a, batch(beatOf(0, "")), ""}, {b, told(0, 0), ""}, {a, told(1, 0), "CHANGED"}, {a, told(1, 0), "CHANGED"}, {b, batch(beatOf(0, "")), "CHANGED"},
		{a, told(1, 2), "CHANGED CHANGED"}, {a, batch(beatOf(0, "")), "CHANGED CHANGED"}, {b, told(1, 0), "CHANGED CHANGED CHANGED"},
	} {
		step.by.want(200, "", path, step.body)
		if got := f.alarms(); got != step.want {
			t.Errorf("step %d: alarms %q, want %q", i, got, step.want)
		}
	}
	all, err := f.store.Since(t.Context(), store.Everything, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var about []string
	for _, alarm := range all {
		about = append(about, alarm.AgentUID)
		if !strings.Contains(string(alarm.Record), "Reading its alert log again it found 1 places") {
			t.Errorf("it says %s", alarm.Record)
		}
	}
	if want := fmt.Sprint([]string{a.uid, a.uid, b.uid}); fmt.Sprint(about) != want {
		t.Errorf("alarms about %v, want %s", about, want)
	}
}

func TestCloneIsSeen(t *testing.T) {
	f := newFleetSite(t)
	a := f.enrolled()
	other := beatOf(0, "")
	other["machine_id"] = "m2"
	a.want(200, "", "/v1/agent/batch", batch(beatOf(0, "")))
	a.want(200, "", "/v1/agent/batch", batch(other))
	if got := f.alarms(); got != "CLONE" {
		t.Errorf("another machine: %q", got)
	}
	if st, err := f.store.Agent(t.Context(), store.Everything, a.uid); err != nil || st.State != store.AgentCloned {
		t.Errorf("shown as %q, %v", st.State, err)
	}
	a.want(200, "", "/v1/agent/batch", batch(other)) // and still heard
}

// An unused collector on loopback is open to this machine by plain HTTP; the
// first enrolment ends that for good.
func TestOpenUntilUsed(t *testing.T) {
	f := newFleetSite(t)
	post := func() int {
		t.Helper()
		raw, _ := json.Marshal(batch(beatOf(0, "")))
		res, err := http.Post("http://"+f.addr+"/v1/agent/batch", "application/json", bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	if got := post(); got != http.StatusOK {
		t.Errorf("unused: %d", got)
	}
	f.enrolled()
	f.pass(2 * openRecheck)
	if got := post(); got != http.StatusForbidden {
		t.Errorf("after the first enrolment: %d", got)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestAlarmsAreOCSF(t *testing.T) {
	const path = "../../../shared/data/ocsf-2004.schema.json"
	schema, err := jsonschema.NewCompiler().Compile(filepath.FromSlash(path))
	if err != nil {
		t.Skipf("the published OCSF schema is not at %s: the form of the collector's alarms is NOT CHECKED here: %v", path, err)
	}
	for rule := range alarmTexts {
		rec := newAlarm(store.Agent{UID: "u", Hostname: "LT-\u202e1"}, breach{rule, "k", "What happened."}, "1.0", time.Now())
		if rec.Refused != "" || rec.Rule != rule || rec.Level != "suspicious" {
			t.Errorf("%s: %+v", rule, rec)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(rec.Raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", rule, err)
		}
	}
}
