package collect

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"slices"
	"testing"
	"time"

	"meetguard/internal/store"
)

// impostor is who wants to be heard as an agent.
type impostor struct {
	name   string
	tls    func(c *tls.Config)     // changes how it connects; the certificate is that of agent a
	header func(body any) []string // of the request
	before func()                  // happens to agent a
	want   []int                   // answers that refuse it; none: the handshake fails
}

// TestOnlyAgentsAreHeard is the matrix of who connects to the collector in the
// place of an agent: nothing of it is believed or kept.
func TestOnlyAgentsAreHeard(t *testing.T) {
	f := newFleetSite(t)
	a, b := f.enrolled(), f.enrolled()
	twin, twinKey := twinOf(t, f)
	server, err := f.ca.ServerCertificate([]string{"localhost"}, f.clock())
	if err != nil {
		t.Fatal(err)
	}
	like := func(change func(*x509.Certificate)) *x509.Certificate {
		c := &x509.Certificate{SerialNumber: a.cert.SerialNumber, Subject: a.cert.Subject, URIs: a.cert.URIs, NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter,
			ExtKeyUsage: a.cert.ExtKeyUsage, KeyUsage: a.cert.KeyUsage, BasicConstraintsValid: true}
		if change != nil {
			change(c)
		}
		return c
	}
	show := func(key any, chain ...*x509.Certificate) func(*tls.Config) {
		return func(c *tls.Config) {
			pair := tls.Certificate{PrivateKey: key}
			for _, cert := range chain {
				pair.Certificate = append(pair.Certificate, cert.Raw)
			}
			// Shown whatever the collector asks for.
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}
	}
	issued := func(uid string, at time.Time) *x509.Certificate {
		c, err := f.ca.SignDevice(a.csr(), uid, at)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode([]byte(c.PEM))
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	versions := func(low, high uint16) func(*tls.Config) {
		return func(c *tls.Config) { c.MinVersion, c.MaxVersion = low, high }
	}
	nobody := func(c *tls.Config) { c.Certificates = nil }
	sealed := func(d *testDevice, path string, at time.Duration, change func(h []string)) func(any) []string {
		return func(body any) []string {
			h := d.seal(path, body, f.clock().Add(at))
			if change != nil {
				change(h)
			}
			return h
		}
	}
	const path = "/v1/agent/batch"
	set := func(state string) func() {
		return func() {
			if _, err := f.store.SetState(t.Context(), store.Everything, []string{a.uid}, state, f.clock()); err != nil {
				t.Fatal(err)
			}
		}
	}
	refusedAs := func(codes ...int) []int { return codes }
	for _, im := range []impostor{
		{name: "TLS 1.0", tls: versions(tls.VersionTLS10, tls.VersionTLS10)},
		{name: "TLS 1.1", tls: versions(tls.VersionTLS10, tls.VersionTLS11)},
		{name: "TLS 1.2", tls: versions(tls.VersionTLS12, tls.VersionTLS12)},
		{name: "TLS 1.2 that would negotiate again", tls: func(c *tls.Config) {
			c.MaxVersion, c.Renegotiation = tls.VersionTLS12, tls.RenegotiateFreelyAsClient
		}},
		{name: "TLS 1.2 with old ciphers alone", tls: func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_RSA_WITH_AES_128_CBC_SHA}
		}},
		{name: "certificate without its key", tls: show(b.key, a.cert)},
		{name: "certificate of another without its key", tls: show(a.key, b.cert)},
		{name: "certificate that is none", tls: show(a.key, &x509.Certificate{Raw: []byte("no DER")})},
		{name: "no certificate", tls: nobody, want: refusedAs(401)},
		{name: "self-signed in its name", tls: show(a.key, signedBy(t, like(nil), like(nil), &a.key.PublicKey, a.key)), want: refusedAs(401)},
		{name: "other CA", tls: show(a.key, signedBy(t, like(nil), &x509.Certificate{Subject: pkix.Name{CommonName: "other"}}, &a.key.PublicKey, twinKey)), want: refusedAs(401)},
		{name: "other CA of the same name", tls: show(a.key, signedBy(t, like(nil), twin, &a.key.PublicKey, twinKey)), want: refusedAs(401)},
		{name: "other CA that shows itself", tls: show(a.key, signedBy(t, like(nil), twin, &a.key.PublicKey, twinKey), twin), want: refusedAs(401)},
		{name: "expired, of another CA", tls: show(a.key, signedBy(t, like(func(c *x509.Certificate) { c.NotAfter = f.clock().Add(-time.Hour) }), twin, &a.key.PublicKey, twinKey)), want: refusedAs(401)},
		{name: "signed by an agent", tls: show(b.key, signedBy(t, like(nil), a.cert, &b.key.PublicKey, a.key), a.cert), want: refusedAs(401)},
		{name: "the collector's own certificate", tls: show(server.PrivateKey, server.Leaf), want: refusedAs(401)},
		{name: "not yet valid", tls: show(a.key, issued(a.uid, f.clock().Add(48*time.Hour))), want: refusedAs(401)},
		{name: "ours, and never given to an agent", tls: show(a.key, issued(a.uid, f.clock())), want: refusedAs(401)},
		{name: "ours, in the name of another agent", tls: show(a.key, issued(b.uid, f.clock())), want: refusedAs(401)},
		{name: "ours, in the name of nobody", tls: show(a.key, issued("agent-of-nobody", f.clock())), want: refusedAs(401)},
		{name: "chain that is too long", tls: show(a.key, slices.Repeat([]*x509.Certificate{a.cert}, 12)...), want: refusedAs(401)},
		{name: "bearer alone", tls: nobody, header: func(any) []string { return []string{"Authorization", "Bearer " + a.bearer} }, want: refusedAs(401)},
		{name: "certificate in a header, unsigned", tls: nobody, header: sealed(a, path, 0, func(h []string) { h[7] = "" }), want: refusedAs(401)},
		{name: "signed for another path", tls: nobody, header: sealed(a, "/v1/agent/renew", 0, nil), want: refusedAs(401)},
		{name: "signed an hour ago", tls: nobody, header: sealed(a, path, -time.Hour, nil), want: refusedAs(401)},
		{name: "signed for tomorrow", tls: nobody, header: sealed(a, path, 24*time.Hour, nil), want: refusedAs(401)},
		{name: "with the bearer of another", tls: nobody, header: sealed(a, path, 0, func(h []string) { h[1] = "Bearer " + b.bearer }), want: refusedAs(401)},
		{name: "signed by another", tls: nobody, header: sealed(b, path, 0, func(h []string) { h[3] = base64.StdEncoding.EncodeToString(a.cert.Raw) }), want: refusedAs(401)},
		{name: "header of one over the connection of another", tls: nil, header: sealed(b, path, 0, func(h []string) { h[1] = "Bearer " + a.bearer }), want: refusedAs(401)},
		{name: "header that is no certificate", tls: nil, header: sealed(a, path, 0, func(h []string) { h[3] = "bm8=" }), want: refusedAs(401)},
		{name: "suspended", before: set(store.AgentSuspended), want: refusedAs(403)},
		{name: "revoked", before: set(store.AgentRevoked), want: refusedAs(401)},
		{name: "revoked, behind a proxy", tls: nobody, header: sealed(a, path, 0, nil), want: refusedAs(401)},
	} {
		t.Run(im.name, func(t *testing.T) { im.refused(t, f, a, path) })
	}
	if all, err := f.store.Since(t.Context(), store.Everything, 0, 10); err != nil || len(all) != 0 {
		t.Errorf("%d alerts were kept, %v", len(all), err)
	}
	b.want(200, "", path, batch(beatOf(0, ""))) // the others are heard
	f.pass(91 * 24 * time.Hour)
	b.want(401, "expired", path, batch(beatOf(0, "")))
}

func (im impostor) refused(t *testing.T, f *fleetSite, a *testDevice, path string) {
	if im.before != nil {
		im.before()
	}
	roots, err := rootsOf(f.ca)
	if err != nil {
		t.Fatal(err)
	}
	c := &tls.Config{RootCAs: roots, Time: f.clock, Certificates: []tls.Certificate{{Certificate: [][]byte{a.cert.Raw}, PrivateKey: a.key}}}
	if im.tls != nil {
		im.tls(c)
	}
	text, digest := logLine("impostor", 1, "")
	body := batch(beatOf(1, digest), text)
	raw, _ := json.Marshal(body)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+f.addr+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if im.header != nil {
		h := im.header(body)
		for i := 0; i+1 < len(h); i += 2 {
			req.Header.Set(h[i], h[i+1])
		}
	}
	transport := &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		if len(im.want) > 0 {
			t.Errorf("the handshake failed: %v", err)
		}
		return
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	if !slices.Contains(im.want, res.StatusCode) {
		t.Errorf("answered %d, want %v: %s", res.StatusCode, im.want, answer)
	}
}

// twinOf is a CA of the same name and another key.
func twinOf(t *testing.T, f *fleetSite) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	block, _ := pem.Decode([]byte(f.ca.Trust()))
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	twin := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: ca.Subject, SubjectKeyId: ca.SubjectKeyId, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	return signedBy(t, twin, twin, &key.PublicKey, key), key
}

func signedBy(t *testing.T, c, parent *x509.Certificate, pub *ecdsa.PublicKey, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, pub, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
