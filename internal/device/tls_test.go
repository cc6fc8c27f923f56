package device

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// authority is a CA of these tests.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t testing.TB, name string, change func(*x509.Certificate)) authority {
	t.Helper()
	a := authority{key: testKey(t)}
	tpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-1000 * time.Hour), NotAfter: time.Now().Add(1000 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign}
	if change != nil {
		change(tpl)
	}
	a.cert = sign(t, tpl, tpl, a.key, a.key)
	return a
}

func testKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t testing.TB, tpl, parent *x509.Certificate, key, by *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, tpl, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// leaf is a server certificate for this machine with its chain; change may say
// something else.
func (a authority) leaf(t testing.TB, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	tpl := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "collector"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	if change != nil {
		change(tpl)
	}
	key := testKey(t)
	c := sign(t, tpl, a.cert, key, a.key)
	return tls.Certificate{Certificate: [][]byte{c.Raw, a.cert.Raw}, PrivateKey: key, Leaf: c}
}

func (a authority) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
}

func certsOf(a authority) []*x509.Certificate { return []*x509.Certificate{a.cert} }

// device is a key with a certificate for an agent.
func (a authority) device(t testing.TB, uid string) *credential {
	t.Helper()
	cred, err := newCredential()
	if err != nil {
		t.Fatal(err)
	}
	key, _ := cred.signer()
	tpl := &x509.Certificate{SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: uid}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(2000 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tpl, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	cred.Certificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return cred
}

// writeClient writes the files of a certificate from the operator's own CA.
func writeClient(t testing.TB, ca authority, uid, certFile, keyFile string) {
	t.Helper()
	c := ca.device(t, uid)
	for name, text := range map[string]string{certFile: c.Certificate, keyFile: c.Key} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// identityFor writes a state folder of an agent that is enrolled at the address
// and trusts the CA; client issued its certificate.
func identityFor(t testing.TB, address string, trust, client authority) string {
	t.Helper()
	dir := t.TempDir()
	cred := client.device(t, "agent-7")
	id := &identity{Version: identityVersion, Collector: address, AgentUID: "agent-7", CA: trust.pem(), Bearer: strings.Repeat("b", 64), Current: cred}
	if err := (&folder{dir: dir}).write(id); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "alerts.jsonl"), []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// peer is who answers in the place of the collector.
type peer struct {
	config  *tls.Config  // nil: no TLS at all
	handler http.Handler // nil: counts what gets through, and answers 200
	raw     func(net.Conn)
	proxy   func(t *testing.T, target string) string // address of a proxy on the way
	host    string                                   // in the place of 127.0.0.1
	client  *authority                               // that issued the device's certificate, nil for the right one
	want    string                                   // in the error
}

// TestOnlyTheCollectorIsTalkedTo: whoever else answers gets no request, the
// error says why, and neither identity nor log is touched.
func TestOnlyTheCollectorIsTalkedTo(t *testing.T) {
	good := newAuthority(t, "right", nil)
	twin := newAuthority(t, "right", nil) // of the same name
	with := func(c tls.Certificate) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{c}, ClientAuth: tls.RequestClientCert}
	}
	leaf := func(change func(*x509.Certificate)) *tls.Config { return with(good.leaf(t, change)) }
	limited := func(low, high uint16) *tls.Config {
		c := leaf(nil)
		c.MinVersion, c.MaxVersion = low, high
		return c
	}
	selfSigned := func() *tls.Config {
		a := newAuthority(t, "self", func(c *x509.Certificate) {
			c.IPAddresses, c.ExtKeyUsage = []net.IP{net.IPv4(127, 0, 0, 1)}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		})
		return with(tls.Certificate{Certificate: [][]byte{a.cert.Raw}, PrivateKey: a.key})
	}
	// A server certificate signed with what is no CA, and with a CA below ours,
	// which may have none.
	below := func(change func(*x509.Certificate)) *tls.Config {
		mid := authority{key: testKey(t)}
		tpl := &x509.Certificate{SerialNumber: big.NewInt(4), Subject: pkix.Name{CommonName: "middle"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true}
		change(tpl)
		mid.cert = sign(t, tpl, good.cert, mid.key, good.key)
		c := mid.leaf(t, nil)
		c.Certificate = append(c.Certificate, good.cert.Raw)
		return with(c)
	}
	elsewhere := listen(t, nil, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	redirect := func(code int, to string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, code) })
	}
	wantsOther := leaf(nil)
	wantsOther.ClientAuth, wantsOther.ClientCAs = tls.RequireAndVerifyClientCert, poolWith(twin)
	oddProtocol := leaf(nil)
	oddProtocol.NextProtos = []string{"smtp"}
	for name, p := range map[string]peer{
		"TLS 1.2":                   {config: limited(tls.VersionTLS12, tls.VersionTLS12), want: "protocol version"},
		"TLS 1.0 and 1.1":           {config: limited(tls.VersionTLS10, tls.VersionTLS11), want: "protocol version"},
		"other CA":                  {config: with(newAuthority(t, "other", nil).leaf(t, nil)), want: "not the collector of this agent"},
		"other CA of the same name": {config: with(twin.leaf(t, nil)), want: "not the collector of this agent"},
		"self-signed":               {config: selfSigned(), want: "not the collector of this agent"},
		"CA of the system's roots":  {config: with(mitm.leaf(t, nil)), want: "not the collector of this agent"},
		"other address":             {config: leaf(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 2)} }), want: "under a name that its certificate has"},
		"no address":                {config: leaf(func(c *x509.Certificate) { c.IPAddresses = nil }), want: "under a name that its certificate has"},
		"address as a name":         {config: leaf(func(c *x509.Certificate) { c.IPAddresses = nil; c.DNSNames = []string{"127.0.0.1"} }), want: "x509"},
		"other name":                {config: leaf(func(c *x509.Certificate) { c.DNSNames = []string{"other.invalid"} }), host: "localhost", want: "under a name that its certificate has"},
		"wildcard of all":           {config: leaf(func(c *x509.Certificate) { c.DNSNames = []string{"*"} }), host: "localhost", want: "x509"},
		"name in the subject only": {config: leaf(func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, nil; c.Subject.CommonName = "localhost" }),
			host: "localhost", want: "x509"},
		"expired": {config: leaf(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), want: "clock"},
		"not yet valid": {config: leaf(func(c *x509.Certificate) {
			c.NotBefore = time.Now().Add(time.Hour)
			c.NotAfter = c.NotBefore.Add(time.Hour)
		}), want: "clock"},
		"for clients":          {config: leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), want: "key usage"},
		"for code":             {config: leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }), want: "key usage"},
		"signed by a device":   {config: below(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), want: "x509"},
		"signed by a CA below": {config: below(func(c *x509.Certificate) { c.IsCA = true; c.KeyUsage = x509.KeyUsageCertSign }), want: "x509"},
		"critical unknown extension": {config: leaf(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
		}), want: "critical"},
		"key of another":                   {config: with(tls.Certificate{Certificate: good.leaf(t, nil).Certificate, PrivateKey: testKey(t)}), want: "signature"},
		"no chain but the right CA":        {config: with(tls.Certificate{Certificate: [][]byte{twin.leaf(t, nil).Certificate[0], good.cert.Raw}, PrivateKey: testKey(t)}), want: "not the collector of this agent"},
		"other protocol":                   {config: oddProtocol, want: "protocol"},
		"wants certificates of another CA": {config: wantsOther, want: "certificate"},
		"plain HTTP":                       {want: "does not speak TLS"},
		"closes":                           {raw: func(c net.Conn) { c.Close() }, want: ""},
		"greets like SMTP":                 {raw: func(c net.Conn) { io.WriteString(c, "220 mail.invalid\r\n"); c.Close() }, want: "does not speak TLS"},
		"proxy that opens TLS":             {config: leaf(nil), proxy: opensTLS, want: "a proxy opens TLS on the way"},
		"proxy that wants a login":         {config: leaf(nil), proxy: answers("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), want: "Proxy Authentication Required"},
		"proxy with a portal":              {config: leaf(nil), proxy: answers("HTTP/1.1 302 Found\r\nLocation: http://portal.invalid/\r\n\r\n"), want: "Found"},
	} {
		t.Run(name, func(t *testing.T) { p.refused(t, good) })
	}
	// These are the collector, and its answer is no success.
	for name, p := range map[string]peer{
		"redirect to another":    {config: leaf(nil), handler: redirect(307, "https://"+elsewhere+"/v1/agent/batch"), want: "307"},
		"redirect to plain HTTP": {config: leaf(nil), handler: redirect(308, "http://"+elsewhere+"/"), want: "308"},
		"client of another CA":   {config: leaf(nil), handler: wantsClient(good), client: &twin, want: "401"},
	} {
		t.Run(name, func(t *testing.T) { p.refused(t, good) })
	}
	t.Run("the collector itself", func(t *testing.T) {
		address := "https://" + listen(t, leaf(nil), wantsClient(good))
		d, err := New(Config{State: identityFor(t, address, good, good), Collector: address})
		if err != nil {
			t.Fatal(err)
		}
		defer d.CloseIdleConnections()
		mustBeat(t, d)
	})
}

func poolWith(a authority) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// wantsClient answers 200 to certificates of the CA, and 401 to others.
func wantsClient(a authority) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		opts := x509.VerifyOptions{Roots: poolWith(a), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
		if len(r.TLS.PeerCertificates) == 0 {
			w.WriteHeader(400)
		} else if _, err := r.TLS.PeerCertificates[0].Verify(opts); err != nil {
			w.WriteHeader(401)
		}
	})
}

func (p peer) refused(t *testing.T, trust authority) {
	var reached atomic.Int32
	h := p.handler
	if h == nil {
		h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reached.Add(1) })
	}
	var address string
	if p.raw != nil {
		address = listenRaw(t, p.raw)
	} else {
		address = listen(t, p.config, h)
	}
	if p.host != "" {
		_, port, _ := net.SplitHostPort(address)
		address = net.JoinHostPort(p.host, port)
	}
	target := "https://" + address
	client := trust
	if p.client != nil {
		client = *p.client
	}
	state := identityFor(t, target, trust, client)
	before := folderText(t, state)
	d, err := New(Config{State: state, Collector: target})
	if err != nil {
		t.Fatal(err)
	}
	defer d.CloseIdleConnections()
	if p.proxy != nil {
		through := &url.URL{Scheme: "http", Host: p.proxy(t, address)}
		d.proxies.environment = func(*url.URL) (*url.URL, error) { return through, nil }
	}
	code, err := beat(d)
	switch {
	case err == nil && (p.handler == nil || !strings.Contains(p.want, fmt.Sprint(code))):
		t.Errorf("it was answered %d", code)
	case err != nil && (p.handler != nil || !strings.Contains(err.Error(), p.want)):
		t.Errorf("error %q does not say %q", err, p.want)
	case reached.Load() != 0:
		t.Error("a request got through")
	case folderText(t, state) != before:
		t.Error("the state folder changed")
	}
}

// folderText is everything in a state folder.
func folderText(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %x\n", e.Name(), sha1.Sum(data))
	}
	return b.String()
}

// listenRaw hands every connection to f.
func listenRaw(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			f(c)
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return ln.Addr().String()
}

// answers is a proxy that says the same to every CONNECT.
func answers(text string) func(*testing.T, string) string {
	return func(t *testing.T, _ string) string {
		return listenRaw(t, func(c net.Conn) {
			defer c.Close()
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				io.WriteString(c, text)
			}
		})
	}
}

// opensTLS is a proxy that answers in the place of the target, with a
// certificate that it makes for it.
func opensTLS(t *testing.T, _ string) string {
	config := &tls.Config{Certificates: []tls.Certificate{mitm.leaf(t, nil)}}
	return listenRaw(t, func(c net.Conn) {
		defer c.Close()
		if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		inner := tls.Server(c, config)
		if inner.Handshake() == nil {
			if _, err := http.ReadRequest(bufio.NewReader(inner)); err == nil {
				io.WriteString(inner, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		}
	})
}

// TestEnrolmentTrustsOnlyThePin: the token is sent to nobody else.
func TestEnrolmentTrustsOnlyThePin(t *testing.T) {
	good, twin := newAuthority(t, "right", nil), newAuthority(t, "right", nil)
	with := func(c tls.Certificate) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{c}, ClientAuth: tls.RequestClientCert}
	}
	older := with(good.leaf(t, nil))
	older.MaxVersion = tls.VersionTLS12
	replayed := twin.leaf(t, nil)
	replayed.Certificate = append(replayed.Certificate, good.cert.Raw)
	stolen := tls.Certificate{Certificate: [][]byte{good.leaf(t, nil).Certificate[0], good.cert.Raw}, PrivateKey: testKey(t)}
	token := tokenPrefix + strings.Repeat("a", 32) + "_" + pinOf(good.cert)
	for name, tt := range map[string]struct {
		config *tls.Config
		token  string
		want   string
	}{
		"other CA":                       {with(twin.leaf(t, nil)), token, "not that of the token"},
		"system's CA":                    {with(mitm.leaf(t, nil)), token, "not that of the token"},
		"other CA that shows ours too":   {with(replayed), token, "not the collector"},
		"certificate without its key":    {with(stolen), token, "signature"},
		"TLS 1.2":                        {older, token, "protocol version"},
		"other name":                     {with(good.leaf(t, func(c *x509.Certificate) { c.IPAddresses = nil })), token, "name that its certificate has"},
		"expired":                        {with(good.leaf(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })), token, "clock"},
		"for clients":                    {with(good.leaf(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })), token, "key usage"},
		"plain HTTP":                     {nil, token, "does not speak TLS"},
		"the CA is not shown":            {with(tls.Certificate{Certificate: good.leaf(t, nil).Certificate[:1], PrivateKey: testKey(t)}), token, ""},
		"token without pin":              {with(good.leaf(t, nil)), token[:strings.LastIndex(token, "_")], "no pin"},
		"token that is cut":              {with(good.leaf(t, nil)), token[:len(token)-2], "copy the whole word"},
		"token with a pin of nobody":     {with(good.leaf(t, nil)), token[:len(token)-4] + "aaaa", "not that of the token"},
		"right, with an unusable answer": {with(good.leaf(t, nil)), token, "read answer"},
	} {
		t.Run(name, func(t *testing.T) {
			var got atomic.Int32
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if bytes.Contains(body, []byte(strings.Repeat("a", 32))) {
					got.Add(1)
				}
			})
			d, err := New(Config{State: t.TempDir(), Collector: "https://" + listen(t, tt.config, h)})
			if err != nil {
				t.Fatal(err)
			}
			err = d.Enrol(context.Background(), tt.token)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v does not say %q", err, tt.want)
			}
			if sent := got.Load() > 0; sent != strings.HasPrefix(name, "right") {
				t.Errorf("the token was sent: %v", sent)
			}
			if s := d.Health(); s.State == "ok" || !strings.Contains(s.Detail, "meetguard enroll") {
				t.Errorf("%+v", s)
			}
		})
	}
}
