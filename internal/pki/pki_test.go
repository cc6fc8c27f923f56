package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var now = time.Now().UTC().Truncate(time.Second)

func newCA(t testing.TB) *Authority {
	t.Helper()
	a, err := Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// csr is a request by key; change may ask for more.
func csr(t testing.TB, key crypto.Signer, change func(*x509.CertificateRequest)) string {
	t.Helper()
	req := &x509.CertificateRequest{}
	if change != nil {
		change(req)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, req, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func leafOf(t testing.TB, text string) *x509.Certificate {
	t.Helper()
	block, rest := pem.Decode([]byte(text))
	if block == nil || len(rest) > 0 {
		t.Fatalf("no single certificate: %q", text)
		return nil
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func device(t testing.TB, a *Authority, uid string, at time.Time) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key := newKey(t)
	issued, err := a.SignDevice(csr(t, key, nil), uid, at)
	if err != nil {
		t.Fatal(err)
	}
	return key, leafOf(t, issued.PEM)
}

func TestCreateAndLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if _, err := Load(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Load of nothing: %v", err)
	}
	a, created, err := Open(dir)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	info, err := os.Stat(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Error(info.Mode())
	}
	b, created, err := Open(dir)
	if err != nil || created || a.Pin() != b.Pin() || a.Trust() != b.Trust() {
		t.Errorf("the second Open: created %v, %v", created, err)
	}
	if _, err := Create(dir); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create over a CA: %v", err)
	}
	if left := time.Until(b.Expires()); left < 3650*24*time.Hour {
		t.Errorf("the CA lives for %v", left)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 1 {
		t.Errorf("the folder holds %v", entries)
	}
}

// TestOneCA: collectors that share a folder and start at once have one CA.
func TestOneCA(t *testing.T) {
	dir := t.TempDir()
	pins := make([]string, 8)
	var wg sync.WaitGroup
	for i := range pins {
		wg.Go(func() {
			a, _, err := Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			pins[i] = a.Pin()
		})
	}
	wg.Wait()
	for _, p := range pins {
		if p != pins[0] || p == "" {
			t.Fatalf("%q", pins)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	good, err := os.ReadFile(filepath.Join(func() string { d := t.TempDir(); Create(d); return d }(), FileName))
	if err != nil {
		t.Fatal(err)
	}
	other, _ := x509.MarshalPKCS8PrivateKey(newKey(t))
	cert := good[:bytes.Index(good, []byte("-----BEGIN PRIVATE"))]
	secret := good[len(cert):]
	a := newCA(t)
	key, leaf := device(t, a, "x", now)
	leafKey, _ := x509.MarshalPKCS8PrivateKey(key)
	block := func(kind string, b []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}) }
	for name, data := range map[string][]byte{
		"empty":       nil,
		"no key":      cert,
		"no cert":     secret,
		"other key":   append(bytes.Clone(cert), block("PRIVATE KEY", other)...),
		"two keys":    append(bytes.Clone(good), secret...),
		"not a CA":    append(block("CERTIFICATE", leaf.Raw), block("PRIVATE KEY", leafKey)...),
		"text behind": append(bytes.Clone(good), "hello"...),
		"cut":         good[:len(good)-40],
		"unknown":     append(bytes.Clone(good), block("SECRET", []byte("x"))...),
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, FileName), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "BEGIN") {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
}

func TestLoadRefusesLinksAndOpenFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // rights are lists there, and links need privileges
	}
	dir := t.TempDir()
	if _, err := Create(dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, FileName)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620} {
		os.Chmod(file, mode)
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "0600") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	os.Chmod(file, 0o600)
	linked := t.TempDir()
	os.Symlink(file, filepath.Join(linked, FileName))
	if _, err := Load(linked); err == nil || !strings.Contains(err.Error(), "link") {
		t.Errorf("a linked file: %v", err)
	}
	folder := filepath.Join(t.TempDir(), "l")
	os.Symlink(dir, folder)
	if _, err := Load(folder); err == nil || !strings.Contains(err.Error(), "link") {
		t.Errorf("a linked folder: %v", err)
	}
}

// TestRequestIsNotBelieved: whatever a request asks for, the certificate says
// what the collector decided. Only the key is the sender's.
func TestRequestIsNotBelieved(t *testing.T) {
	a := newCA(t)
	wishes := []func(*x509.CertificateRequest){
		func(r *x509.CertificateRequest) {
			r.Subject = pkix.Name{CommonName: "somebody-else", Organization: []string{"Zoom"}, SerialNumber: "1"}
		},
		func(r *x509.CertificateRequest) {
			r.DNSNames = []string{"collector.invalid", "*"}
			r.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
			r.EmailAddresses = []string{"root@collector.invalid"}
			r.URIs = []*url.URL{{Scheme: "urn", Opaque: "meetguard:agent:somebody-else"}}
		},
		func(r *x509.CertificateRequest) { // basicConstraints CA:TRUE, keyUsage certSign, EKU serverAuth
			r.ExtraExtensions = []pkix.Extension{
				{Id: []int{2, 5, 29, 19}, Critical: true, Value: []byte{0x30, 3, 1, 1, 0xff}},
				{Id: []int{2, 5, 29, 15}, Critical: true, Value: []byte{3, 2, 1, 6}},
				{Id: []int{2, 5, 29, 37}, Value: []byte{0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1}},
				{Id: []int{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}},
			}
		},
	}
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	for _, key := range []crypto.Signer{newKey(t), edKey} {
		for i, wish := range wishes {
			issued, err := a.SignDevice(csr(t, key, wish), "agent-7", now)
			if err != nil {
				t.Fatal(err)
			}
			c := leafOf(t, issued.PEM)
			switch {
			case c.Subject.String() != "CN=agent-7":
				t.Errorf("wish %d: subject %s", i, c.Subject)
			case len(c.DNSNames)+len(c.IPAddresses)+len(c.EmailAddresses) > 0 || len(c.URIs) != 1 || c.URIs[0].String() != "urn:meetguard:agent:agent-7":
				t.Errorf("wish %d: names %v %v %v", i, c.DNSNames, c.IPAddresses, c.URIs)
			case c.IsCA || !c.BasicConstraintsValid || c.KeyUsage != x509.KeyUsageDigitalSignature:
				t.Errorf("wish %d: CA %v, usage %v", i, c.IsCA, c.KeyUsage)
			case len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth || len(c.UnknownExtKeyUsage)+len(c.UnhandledCriticalExtensions) > 0:
				t.Errorf("wish %d: purposes %v", i, c.ExtKeyUsage)
			case !sameKey(key.Public(), c.PublicKey):
				t.Errorf("wish %d: another key", i)
			case c.NotAfter.Sub(now) != 90*24*time.Hour || !c.NotAfter.Equal(issued.Expires) || issued.Hash != Hash(c):
				t.Errorf("wish %d: until %v, %v", i, c.NotAfter, issued)
			case c.SerialNumber.BitLen() < 126:
				t.Errorf("wish %d: serial %v", i, c.SerialNumber)
			}
		}
	}
}

func TestBadRequests(t *testing.T) {
	a := newCA(t)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	good := csr(t, newKey(t), nil)
	block, _ := pem.Decode([]byte(good))
	forged := bytes.Clone(block.Bytes)
	forged[len(forged)-1] ^= 1
	for name, text := range map[string]string{
		"empty":        "",
		"no PEM":       "hello",
		"other block":  strings.ReplaceAll(good, "CERTIFICATE REQUEST", "CERTIFICATE"),
		"two":          good + good,
		"text behind":  good + "x",
		"no DER":       string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: []byte("x")})),
		"P-384":        csr(t, p384, nil),
		"RSA":          csr(t, rsaKey, nil),
		"bad signatur": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: forged})),
		"too large":    good + strings.Repeat("\n", maxCSR),
	} {
		if _, err := a.SignDevice(text, "agent", now); !errors.Is(err, ErrRequest) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := DeviceUID(text); !errors.Is(err, ErrRequest) {
			t.Errorf("uid of %s: %v", name, err)
		}
	}
	for _, uid := range []string{"", "a b", "a/b", "a\n", "ä", strings.Repeat("a", 65)} {
		if _, err := a.SignDevice(good, uid, now); err == nil {
			t.Errorf("uid %q was signed", uid)
		}
	}
}

func TestDeviceUID(t *testing.T) {
	key := newKey(t)
	a, err1 := DeviceUID(csr(t, key, nil))
	b, err2 := DeviceUID(csr(t, key, func(r *x509.CertificateRequest) { r.Subject.CommonName = "other" }))
	c, err3 := DeviceUID(csr(t, newKey(t), nil))
	if err := errors.Join(err1, err2, err3); err != nil || a != b || a == c || len(a) != 36 || a[14] != '8' || !reUID.MatchString(a) {
		t.Errorf("%s %s %s %v", a, b, c, err)
	}
}

// foreignCA is somebody else's.
func foreignCA(t testing.TB) (crypto.Signer, *x509.Certificate) {
	t.Helper()
	key := newKey(t)
	tpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Example Corp Device CA"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(1000 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	return key, signedWith(t, tpl, tpl, key.Public(), key)
}

func signedWith(t testing.TB, tpl, parent *x509.Certificate, pub any, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, tpl, parent, pub, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// foreignLeaf is a client's; change may say more.
func foreignLeaf(t testing.TB, ca *x509.Certificate, key crypto.Signer, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	tpl := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "agent-7"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		URIs: []*url.URL{{Scheme: "urn", Opaque: "meetguard:agent:agent-7"}}}
	if change != nil {
		change(tpl)
	}
	return signedWith(t, tpl, ca, newKey(t).Public(), key)
}

func TestVerifyClient(t *testing.T) {
	a, b := newCA(t), newCA(t)
	_, leaf := device(t, a, "agent-7", now)
	_, early := device(t, a, "agent-7", now.Add(48*time.Hour))
	_, other := device(t, b, "agent-7", now)
	server, err := a.ServerCertificate([]string{"localhost"}, now)
	if err != nil {
		t.Fatal(err)
	}
	key, ca := foreignCA(t)
	own := func(change func(*x509.Certificate)) *x509.Certificate { return foreignLeaf(t, a.cert, a.key, change) }
	for name, tt := range map[string]struct {
		chain []*x509.Certificate
		uid   string
		later bool // it is looked at after its end
	}{
		"good":             {[]*x509.Certificate{leaf}, "agent-7", false},
		"with its CA":      {[]*x509.Certificate{leaf, a.cert}, "agent-7", false},
		"expired":          {[]*x509.Certificate{leaf}, "agent-7", true},
		"expired, foreign": {[]*x509.Certificate{other}, "", true},
		"not yet valid":    {[]*x509.Certificate{early}, "", false},
		"other collector":  {[]*x509.Certificate{other}, "", false},
		"brings its CA":    {[]*x509.Certificate{other, b.cert}, "", false},
		"server's own":     {[]*x509.Certificate{server.Leaf}, "", false},
		"the CA itself":    {[]*x509.Certificate{a.cert}, "", false},
		"foreign":          {[]*x509.Certificate{foreignLeaf(t, ca, key, nil), ca}, "", false},
		"nobody":           {nil, "", false},
		"too long":         {append([]*x509.Certificate{leaf}, make([]*x509.Certificate, maxChain)...), "", false},
		"no purpose":       {[]*x509.Certificate{own(func(c *x509.Certificate) { c.ExtKeyUsage = nil })}, "", false},
		"names differ":     {[]*x509.Certificate{own(func(c *x509.Certificate) { c.Subject.CommonName = "agent-8" })}, "", false},
		"no URI":           {[]*x509.Certificate{own(func(c *x509.Certificate) { c.URIs = nil })}, "", false},
		"two URIs":         {[]*x509.Certificate{own(func(c *x509.Certificate) { c.URIs = append(c.URIs, c.URIs[0]) })}, "", false},
		"odd uid": {[]*x509.Certificate{own(func(c *x509.Certificate) {
			c.Subject.CommonName, c.URIs[0].Opaque = "a/b", "meetguard:agent:a/b"
		})}, "", false},
		"same name, other key": {[]*x509.Certificate{foreignLeaf(t, &x509.Certificate{Subject: a.cert.Subject, SubjectKeyId: a.cert.SubjectKeyId}, key, nil)}, "", false},
	} {
		at := now
		if tt.later {
			at = now.Add(100 * 24 * time.Hour)
		}
		uid, expired, err := a.VerifyClient(tt.chain, at)
		if uid != tt.uid || expired != (tt.later && tt.uid != "") || (err == nil) != (tt.uid != "") {
			t.Errorf("%s: %q %v %v", name, uid, expired, err)
		}
	}
	if _, _, err := a.VerifyClient(nil, now); !errors.Is(err, ErrNoClient) {
		t.Error(err)
	}
}

func TestOperatorsOwnCA(t *testing.T) {
	key, ca := foreignCA(t)
	for name, tt := range map[string]struct {
		from   string
		change func(*x509.Certificate)
		uid    string
	}{
		"common name":      {"", nil, "agent-7"},
		"cn":               {"cn", nil, "agent-7"},
		"dns":              {"dns", func(c *x509.Certificate) { c.DNSNames = []string{"lt-0042.corp.invalid"} }, "lt-0042.corp.invalid"},
		"two dns":          {"dns", func(c *x509.Certificate) { c.DNSNames = []string{"a", "b"} }, ""},
		"no dns":           {"dns", nil, ""},
		"uri":              {"uri:urn:corp:device:", func(c *x509.Certificate) { c.URIs = []*url.URL{{Scheme: "urn", Opaque: "corp:device:77"}} }, "77"},
		"uri of another":   {"uri:urn:corp:device:", nil, ""},
		"expired":          {"cn", func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) }, ""},
		"for servers only": {"cn", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, ""},
		"two names": {"cn", func(c *x509.Certificate) {
			c.Subject = pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{{Type: oidCommonName, Value: "a"}, {Type: oidCommonName, Value: "b"}}}
		}, ""},
	} {
		a := newCA(t)
		if err := a.Accept([]*x509.Certificate{ca}, tt.from); err != nil {
			t.Fatal(err)
		}
		uid, _, err := a.VerifyClient([]*x509.Certificate{foreignLeaf(t, ca, key, tt.change)}, now)
		if uid != tt.uid || (err == nil) != (tt.uid != "") {
			t.Errorf("%s: %q, %v", name, uid, err)
		}
		_, own := device(t, a, "agent-9", now)
		if uid, _, err := a.VerifyClient([]*x509.Certificate{own}, now); uid != "agent-9" || err != nil {
			t.Errorf("%s: our own: %q, %v", name, uid, err)
		}
	}
	a := newCA(t)
	for _, from := range []string{"CN", "uri", "uri:", "email"} {
		if a.Accept([]*x509.Certificate{ca}, from) == nil {
			t.Errorf("%q was accepted", from)
		}
	}
	if a.Accept([]*x509.Certificate{foreignLeaf(t, ca, key, nil)}, "cn") == nil || a.Accept(nil, "cn") == nil {
		t.Error("no CA was accepted as one")
	}
}

// signed is a request as a device behind a proxy sends it.
func signed(key *ecdsa.PrivateKey, cert *x509.Certificate, at time.Time, body string) *http.Request {
	r, _ := http.NewRequest("POST", "https://collector.invalid/v1/agent/batch", nil)
	date := strconv.FormatInt(at.Unix(), 10)
	sum := sha256.Sum256([]byte(body))
	text := sha256.Sum256([]byte("meetguard request v1\nPOST\n/v1/agent/batch\n" + date + "\n" + hex.EncodeToString(sum[:]) + "\n"))
	sig, _ := ecdsa.SignASN1(rand.Reader, key, text[:])
	r.Header.Set("Authorization", "Bearer secret")
	r.Header.Set("X-MG-Certificate", base64.StdEncoding.EncodeToString(cert.Raw))
	r.Header.Set("X-MG-Date", date)
	r.Header.Set("X-MG-Signature", base64.StdEncoding.EncodeToString(sig))
	return r
}

func TestSignedRequests(t *testing.T) {
	a := newCA(t)
	key, leaf := device(t, a, "agent-7", now)
	otherKey, otherLeaf := device(t, newCA(t), "agent-7", now)
	mine := func() *http.Request { return signed(key, leaf, now, "{}") }
	set := func(name, value string) *http.Request { r := mine(); r.Header.Set(name, value); return r }
	path := mine()
	path.URL.Path = "/v1/agent/renew"
	for name, tt := range map[string]struct {
		r    *http.Request
		want error
	}{
		"good":          {mine(), nil},
		"4 min late":    {signed(key, leaf, now.Add(-4*time.Minute), "{}"), nil},
		"6 min late":    {signed(key, leaf, now.Add(-6*time.Minute), "{}"), ErrClock},
		"6 min early":   {signed(key, leaf, now.Add(6*time.Minute), "{}"), ErrClock},
		"no date":       {set("X-MG-Date", ""), ErrClock},
		"huge date":     {set("X-MG-Date", "9223372036854775807"), ErrClock},
		"other date":    {set("X-MG-Date", strconv.FormatInt(now.Unix()+1, 10)), ErrClient},
		"other body":    {signed(key, leaf, now, "{ }"), ErrClient},
		"other path":    {path, ErrClient},
		"other key":     {signed(otherKey, leaf, now, "{}"), ErrClient},
		"other CA":      {signed(otherKey, otherLeaf, now, "{}"), ErrClient},
		"no bearer":     {set("Authorization", ""), ErrClient},
		"basic":         {set("Authorization", "Basic eDp5"), ErrClient},
		"no signature":  {set("X-MG-Signature", ""), ErrClient},
		"odd signature": {set("X-MG-Signature", "%"), ErrClient},
		"odd cert":      {set("X-MG-Certificate", "AAAA"), ErrClient},
		"no base64":     {set("X-MG-Certificate", "%"), ErrClient},
	} {
		c, err := a.ClientOf(tt.r, now)
		if err == nil {
			err = c.Sealed(tt.r, []byte("{}"))
		}
		if !errors.Is(err, tt.want) || (tt.want == nil) != (err == nil) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		if err == nil && (c.UID != "agent-7" || c.Bearer != HashSecret("secret") || c.Hash != Hash(leaf)) {
			t.Errorf("%s: %+v", name, c)
		}
	}
	// A proxy's own client certificate says nothing, but is no harm either.
	r := mine()
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{otherLeaf}}
	if c, err := a.ClientOf(r, now); err != nil || c.UID != "agent-7" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestServerCertificateIsRenewed(t *testing.T) {
	a := newCA(t)
	at := now
	cfg := a.TLSConfig([]string{"collector.invalid", "127.0.0.1"}, func() time.Time { return at })
	serials := map[string]bool{}
	for day := range 200 {
		at = now.Add(time.Duration(day) * 24 * time.Hour)
		c, err := cfg.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		serials[c.Leaf.SerialNumber.String()] = true
		if left := c.Leaf.NotAfter.Sub(at); left < 29*24*time.Hour {
			t.Fatalf("day %d: %v left", day, left)
		}
		opts := x509.VerifyOptions{Roots: a.roots, CurrentTime: at, DNSName: "collector.invalid"}
		if _, err := c.Leaf.Verify(opts); err != nil || c.Leaf.VerifyHostname("127.0.0.1") != nil {
			t.Fatal(err)
		}
		if len(c.Certificate) != 2 || !bytes.Equal(c.Certificate[1], a.cert.Raw) {
			t.Fatal("the chain does not hold the CA")
		}
	}
	if len(serials) != 4 {
		t.Errorf("%d certificates in 200 days", len(serials))
	}
	if cfg.MinVersion != tls.VersionTLS13 || cfg.ClientAuth != tls.RequestClientCert {
		t.Errorf("%+v", cfg)
	}
	if _, err := a.ServerCertificate(nil, now); err == nil {
		t.Error("a certificate for nobody")
	}
	if _, err := a.ServerCertificate([]string{"x"}, now.Add(11*365*24*time.Hour)); err == nil {
		t.Error("a certificate that outlives the CA")
	}
}

// TestOwnServerCertificate: the operator's pair is shown, read again when it
// changes, and kept when the change is broken.
func TestOwnServerCertificate(t *testing.T) {
	a := newCA(t)
	plain := a.Pin()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	write := func(stamp time.Time) *x509.Certificate {
		c, err := newCA(t).ServerCertificate([]string{"localhost"}, now)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		for _, der := range c.Certificate {
			writeCert(&text, der)
		}
		secret, _ := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
		os.WriteFile(certFile, text.Bytes(), 0o600)
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600)
		os.Chtimes(certFile, stamp, stamp)
		return c.Leaf
	}
	if a.Serve(certFile, keyFile) == nil {
		t.Fatal("missing files were taken")
	}
	first := write(now)
	if err := a.Serve(certFile, keyFile); err != nil {
		t.Fatal(err)
	}
	if a.Pin() == plain || strings.Count(a.Trust(), "BEGIN") != 2 {
		t.Errorf("pin %s, trust %s", a.Pin(), a.Trust())
	}
	at := now
	shown := func() *x509.Certificate {
		at = at.Add(2 * time.Minute)
		c, err := a.TLSConfig(nil, func() time.Time { return at }).GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf
	}
	if !shown().Equal(first) {
		t.Error("another certificate is shown")
	}
	second := write(now.Add(time.Hour))
	if !shown().Equal(second) {
		t.Error("the new certificate is not shown")
	}
	os.WriteFile(keyFile, []byte("broken"), 0o600)
	os.Chtimes(keyFile, now.Add(2*time.Hour), now.Add(2*time.Hour))
	if !shown().Equal(second) {
		t.Error("a broken pair took the good one away")
	}
}

func TestTokens(t *testing.T) {
	a := newCA(t)
	secret := NewSecret()
	word := FormatToken(secret, a.Pin())
	if got := a.EnrolLine("https://h:1", secret); got != "meetguard enroll https://h:1 "+word || len(strings.Fields(got)) != 4 {
		t.Error(got)
	}
	if s, p, err := ParseToken(word); s != secret || p != a.Pin() || err != nil {
		t.Error(s, p, err)
	}
	if s, p, err := ParseToken(FormatToken(secret, "")); s != secret || p != "" || err != nil {
		t.Error(s, p, err)
	}
	for _, bad := range []string{"", secret, "mgenroll_", word + "_", word + "a", strings.ToUpper(word), word[:len(word)-1], word[:len(tokenPrefix)+33], " " + word, word + "\n", strings.Replace(word, "mgenroll", "mgenrol", 1)} {
		if s, p, err := ParseToken(bad); err == nil {
			t.Errorf("%q: %q %q", bad, s, p)
		}
	}
	if one, two := NewSecret(), NewSecret(); one == two {
		t.Error("a secret twice")
	}
	if one, two := NewBearer(), NewBearer(); one == two || len(one) != 64 || len(HashSecret(secret)) != 64 {
		t.Error("secrets")
	}
}

func FuzzRequest(f *testing.F) {
	a := newCA(f)
	f.Add(csr(f, newKey(f), nil))
	f.Add(csr(f, newKey(f), func(r *x509.CertificateRequest) { r.DNSNames = []string{"a"}; r.Subject.CommonName = "b" }))
	f.Add("-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n")
	f.Fuzz(func(t *testing.T, text string) {
		issued, err := a.SignDevice(text, "agent", now)
		if err != nil {
			return
		}
		c := leafOf(t, issued.PEM)
		if c.Subject.String() != "CN=agent" || len(c.DNSNames) > 0 || len(c.URIs) != 1 || c.IsCA || len(c.ExtKeyUsage) != 1 {
			t.Errorf("%+v", c)
		}
	})
}

func FuzzToken(f *testing.F) {
	f.Add(FormatToken(NewSecret(), NewSecret()))
	f.Add(FormatToken(NewSecret(), ""))
	f.Add("mgenroll__")
	f.Fuzz(func(t *testing.T, word string) {
		if secret, pin, err := ParseToken(word); err == nil && FormatToken(secret, pin) != word {
			t.Errorf("%q is read as %q %q", word, secret, pin)
		}
	})
}
