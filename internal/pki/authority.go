package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// How long certificates live, and how far their beginning lies in the past: the
// clock of a device that never asked for the time may be late.
const (
	caLife     = 3653 * 24 * time.Hour // ten years
	serverLife = 90 * 24 * time.Hour
	deviceLife = 90 * 24 * time.Hour
	backdate   = time.Hour
)

// Authority signs and checks certificates for one fleet. Its methods may be
// called from many goroutines; Accept and Serve belong before the first of them.
type Authority struct {
	key   crypto.Signer
	cert  *x509.Certificate   // signs
	cas   []*x509.Certificate // cert, and older ones that still count
	roots *x509.CertPool      // cas

	foreign *x509.CertPool // CAs of the operator's own, nil without
	offered *x509.CertPool // roots and foreign: what the server says it accepts
	uidFrom uidForm

	own *ownServer // the operator's own server certificate, nil without

	mu     sync.Mutex
	server *issuedServer // the last one issued
}

// newAuthority holds a CA together. The key is that of the first certificate.
func newAuthority(key crypto.Signer, cas []*x509.Certificate, now time.Time) (*Authority, error) {
	if len(cas) == 0 {
		return nil, errors.New("it holds no certificate")
	}
	for _, c := range cas {
		if !c.BasicConstraintsValid || !c.IsCA || c.KeyUsage&x509.KeyUsageCertSign == 0 {
			return nil, fmt.Errorf("certificate %q is none of a CA", c.Subject.CommonName)
		}
	}
	if !goodKey(key.Public()) {
		return nil, errors.New("the key must be ECDSA P-256 or P-384, or Ed25519")
	}
	if !sameKey(key.Public(), cas[0].PublicKey) {
		return nil, errors.New("the key is not that of the first certificate")
	}
	if now.After(cas[0].NotAfter) || now.Before(cas[0].NotBefore) {
		return nil, fmt.Errorf("the CA is valid from %s to %s only", cas[0].NotBefore.Format(time.DateOnly), cas[0].NotAfter.Format(time.DateOnly))
	}
	return &Authority{key: key, cert: cas[0], cas: cas, roots: poolOf(cas), offered: poolOf(cas)}, nil
}

func goodKey(pub any) bool {
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		return k.Curve == elliptic.P256() || k.Curve == elliptic.P384()
	case ed25519.PublicKey:
		return true
	}
	return false
}

func sameKey(a, b any) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

func poolOf(certs []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(c)
	}
	return pool
}

// makeCA makes a key and a CA that may sign leaves and nothing else.
func makeCA(now time.Time) (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, nil, err
	}
	id := sha256.Sum256(spki)
	t := template(now, caLife)
	// Two collectors' CAs must not look the same to a verifier that goes by names.
	t.Subject = pkix.Name{Organization: []string{"meetguard"}, CommonName: "meetguard collector CA " + hex.EncodeToString(id[:4])}
	t.SubjectKeyId = id[:20]
	t.IsCA, t.MaxPathLenZero = true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	return key, der, err
}

// template is what all our certificates have in common.
func template(now time.Time, life time.Duration) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: serial(), NotBefore: now.Add(-backdate).UTC(), NotAfter: now.Add(life).UTC(),
		BasicConstraintsValid: true,
	}
}

// serial is 127 random bits, more than the 64 that the CA/Browser Forum asks for.
func serial() *big.Int {
	var b [16]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	b[0] = b[0]&0x7f | 0x40
	return new(big.Int).SetBytes(b[:])
}

// Pin names the CA in a token: the first 20 bytes of the SHA-256 of its
// SubjectPublicKeyInfo, 32 letters of base32. With a server certificate of the
// operator's own it names the top of the chain that the server sends.
func (a *Authority) Pin() string {
	top := a.cert
	if a.own != nil {
		top = a.own.top()
	}
	sum := sha256.Sum256(top.RawSubjectPublicKeyInfo)
	return letters.EncodeToString(sum[:secretSize])
}

// Trust is the PEM bundle that agents verify the collector with from now on.
func (a *Authority) Trust() string {
	var out bytes.Buffer
	for _, c := range a.cas {
		writeCert(&out, c.Raw)
	}
	if a.own != nil {
		writeCert(&out, a.own.top().Raw)
	}
	return out.String()
}

// Expires tells when the CA does. Agents must trust its successor before.
func (a *Authority) Expires() time.Time { return a.cert.NotAfter }

func writeCert(out *bytes.Buffer, der []byte) {
	out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
