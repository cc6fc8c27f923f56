package exits

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sample returns an item with a record that an agent wrote, from testdata.
func sample(t testing.TB, name string) Item {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		t.Fatal(err)
	}
	it := Item{
		Seq: 9, ID: "0af3c2d1e4b5968778695a4b3c2d1e0f", AgentUID: "5b2f7c0e-0000-4000-8000-000000000001", Hostname: "lt-0042",
		Group: "finance", ReceivedAt: time.Date(2026, 11, 22, 12, 0, 3, 0, time.UTC), Level: "malicious", Status: "in_progress", Record: b.Bytes(),
	}
	if name == "launch" {
		it.Hostname, it.Level, it.Status = "mac-7.corp.invalid", "suspicious", "new"
	}
	return it
}

// many returns n items that differ by their ids, a0001, a0002 ….
func many(t testing.TB, n int) []Item {
	t.Helper()
	items := make([]Item, n)
	for i := range items {
		items[i] = sample(t, "file")
		items[i].Seq, items[i].ID = int64(10*(i+1)), fmt.Sprintf("a%04d", i+1)
	}
	return items
}

// memory is a source that ends the pump once everything is done with.
type memory struct {
	mu       sync.Mutex
	items    []Item
	cursor   int64
	sent     int
	failures []string // what Advance was told, without ""
	done     context.CancelFunc
	t        testing.TB
}

func (m *memory) Since(_ context.Context, seq int64, limit int) ([]Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Item
	for _, it := range m.items {
		if it.Seq > seq && len(out) < limit {
			out = append(out, it)
		}
	}
	return out, nil
}

func (m *memory) Cursor(context.Context, string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cursor, nil
}

func (m *memory) Advance(_ context.Context, _ string, seq int64, sent int, failure string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if seq < m.cursor {
		m.t.Errorf("the cursor was moved back from %d to %d", m.cursor, seq)
	}
	if failure != "" {
		m.failures = append(m.failures, failure)
	}
	m.cursor, m.sent = seq, m.sent+sent
	return nil
}

func (m *memory) Wait(context.Context) { m.done() }

// run pumps until everything is done with, without waiting, and returns the
// delays that it would have waited. It gives up after too many tries.
func run(t testing.TB, cfg Config, exit Exit, m *memory, tries int) (*Pump, []time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	m.done, m.t = cancel, t
	p := NewPump(PumpConfig{Exit: exit, Source: m, Config: cfg})
	var delays []time.Duration
	p.pause = func(_ context.Context, d time.Duration) {
		if delays = append(delays, d); len(delays) >= tries {
			cancel()
		}
	}
	if err := p.Run(ctx); err != nil {
		t.Errorf("Run = %v", err)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Fatal("the pump did not come to an end")
	}
	return p, delays
}

// received notes ids in the order in which they came.
type received struct {
	mu  sync.Mutex
	ids []string
}

func (r *received) add(ids ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids = append(r.ids, ids...)
}

// check wants every item at least once, first arrivals in the order of Seq.
func (r *received) check(t *testing.T, items []Item) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var first []string
	seen := map[string]bool{}
	for _, id := range r.ids {
		if !seen[id] {
			seen[id] = true
			first = append(first, id)
		}
	}
	if len(first) != len(items) {
		t.Fatalf("%d items arrived, want %d: %v", len(first), len(items), first)
	}
	for i, it := range items {
		if first[i] != it.ID {
			t.Fatalf("item %d that arrived is %s, want %s", i, first[i], it.ID)
		}
	}
}

// authority is a CA of a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // PEM
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key, write(t, "ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

// issue makes a certificate for 127.0.0.1 that both a server and a client can
// show, and the files of it.
func (a *authority) issue(t testing.TB) (cert tls.Certificate, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
	if cert, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	return cert, write(t, "cert.pem", certPEM), write(t, "key.pem", keyPEM)
}

// write puts data into a new file.
func write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func overwrite(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func discard() *log.Logger { return log.New(io.Discard, "", 0) }

func poolOf(a *authority) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}
