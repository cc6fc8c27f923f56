package pki

import (
	"bytes"
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
	"net/url"
	"regexp"
	"time"
)

// agentURI begins the URI SAN of a device's certificate.
const agentURI = "urn:meetguard:agent:"

// maxCSR bounds a certificate request, in bytes of PEM; one of ours has 450.
const maxCSR = 8 << 10

// reUID is what the uid of an agent may be. A common name has 64 letters at most
// (RFC 5280, ub-common-name).
var reUID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// ErrRequest is every fault of a certificate request.
var ErrRequest = errors.New("bad certificate request")

// Issued is a certificate for a device.
type Issued struct {
	PEM     string
	Expires time.Time
	Hash    string // SHA-256 of the DER, lower-case hexadecimal
}

// SignDevice issues the certificate of the agent uid for 90 days. Of the request
// only the key counts, and that its owner signed the request; whatever else
// stands in it is not looked at.
func (a *Authority) SignDevice(csrPEM, uid string, now time.Time) (Issued, error) {
	req, err := parseRequest(csrPEM)
	if err != nil {
		return Issued{}, err
	}
	if !reUID.MatchString(uid) {
		return Issued{}, fmt.Errorf("sign certificate: %q is no uid of an agent", uid)
	}
	t := template(now, deviceLife)
	t.Subject = pkix.Name{CommonName: uid}
	t.URIs = []*url.URL{{Scheme: "urn", Opaque: agentURI[len("urn:"):] + uid}}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	c, err := a.sign(t, req.PublicKey)
	if err != nil {
		return Issued{}, err
	}
	var out bytes.Buffer
	writeCert(&out, c.Raw)
	return Issued{PEM: out.String(), Expires: c.NotAfter, Hash: Hash(c)}, nil
}

// sign issues a certificate that does not outlive the CA.
func (a *Authority) sign(t *x509.Certificate, pub any) (*x509.Certificate, error) {
	if t.NotAfter.After(a.cert.NotAfter) {
		t.NotAfter = a.cert.NotAfter
	}
	if t.NotBefore.Before(a.cert.NotBefore) {
		t.NotBefore = a.cert.NotBefore
	}
	if !t.NotBefore.Before(t.NotAfter) {
		return nil, fmt.Errorf("sign certificate: the CA is valid from %s to %s only", a.cert.NotBefore.Format(time.DateOnly), a.cert.NotAfter.Format(time.DateOnly))
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, pub, a.key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// Hash names a certificate in the store.
func Hash(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// DeviceUID derives the uid of a new agent from the key of its request: a
// request that is sent again is the same agent. It is a UUID of version 8
// (RFC 9562), and tells nothing of the machine.
func DeviceUID(csrPEM string) (string, error) {
	req, err := parseRequest(csrPEM)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte("meetguard agent\n"), req.RawSubjectPublicKeyInfo...))
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
}

// parseRequest reads one request whose key may be certified and whose signature
// proves that the sender has the private one.
func parseRequest(csrPEM string) (*x509.CertificateRequest, error) {
	if len(csrPEM) > maxCSR {
		return nil, fmt.Errorf("%w: it is too large", ErrRequest)
	}
	block, rest := pem.Decode([]byte(csrPEM))
	if block == nil || block.Type != "CERTIFICATE REQUEST" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%w: it is not one PEM block CERTIFICATE REQUEST", ErrRequest)
	}
	req, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: it cannot be read", ErrRequest)
	}
	switch k := req.PublicKey.(type) {
	case ed25519.PublicKey:
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return nil, fmt.Errorf("%w: its curve is not P-256", ErrRequest)
		}
	default:
		return nil, fmt.Errorf("%w: its key is neither ECDSA P-256 nor Ed25519", ErrRequest)
	}
	if err := req.CheckSignature(); err != nil {
		return nil, fmt.Errorf("%w: its signature is not that of its key", ErrRequest)
	}
	return req, nil
}
