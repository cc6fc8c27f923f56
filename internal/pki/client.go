package pki

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Why a client is nobody.
var (
	ErrNoClient = errors.New("no client certificate was shown")
	ErrClient   = errors.New("the client certificate does not count")
	ErrClock    = errors.New("the date of the request is more than five minutes off")
)

// maxSkew is how far the date of a signed request may be off: what was recorded
// counts no longer than that.
const maxSkew = 5 * time.Minute

// maxChain bounds the certificates that a client may show.
const maxChain = 8

// The headers of a device behind a proxy that opens TLS.
const (
	headerCertificate = "X-MG-Certificate"
	headerDate        = "X-MG-Date"
	headerSignature   = "X-MG-Signature"
)

// Client is who sent a request, by a certificate that is ours or the operator's.
// Whether it still counts is for the store to say, which knows it by Hash.
type Client struct {
	UID     string
	Hash    string // SHA-256 of the certificate's DER
	Expired bool   // good for nothing but to renew
	Foreign bool   // of the operator's own CA: the store does not know it
	Bearer  string // HashSecret of the bearer that came in its place; "" if the handshake proved the key

	cert *x509.Certificate
}

// ClientOf tells who a request is from: by the headers, if there are any, and
// else by the handshake. After headers the body must be checked with Sealed
// before anything is believed.
func (a *Authority) ClientOf(r *http.Request, now time.Time) (Client, error) {
	if text := r.Header.Get(headerCertificate); text != "" {
		return a.headerClient(r, text, now)
	}
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return Client{}, ErrNoClient
	}
	return a.client(r.TLS.PeerCertificates, now)
}

func (a *Authority) headerClient(r *http.Request, text string, now time.Time) (Client, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return Client{}, fmt.Errorf("%w: %s is not base64", ErrClient, headerCertificate)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return Client{}, fmt.Errorf("%w: %s cannot be read", ErrClient, headerCertificate)
	}
	c, err := a.client([]*x509.Certificate{cert}, now)
	if err != nil {
		return Client{}, err
	}
	bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || bearer == "" {
		return Client{}, fmt.Errorf("%w: no bearer came with it", ErrClient)
	}
	c.Bearer = HashSecret(bearer)
	seconds, err := strconv.ParseInt(r.Header.Get(headerDate), 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<40 || now.Sub(time.Unix(seconds, 0)).Abs() > maxSkew {
		return Client{}, ErrClock
	}
	return c, nil
}

func (a *Authority) client(chain []*x509.Certificate, now time.Time) (Client, error) {
	uid, expired, foreign, err := a.verify(chain, now)
	if err != nil {
		return Client{}, err
	}
	return Client{UID: uid, Hash: Hash(chain[0]), Expired: expired, Foreign: foreign, cert: chain[0]}, nil
}

// Sealed checks that the key of the client signed this very request, if it is
// known by headers. body is as it was sent, still packed.
func (c Client) Sealed(r *http.Request, body []byte) error {
	if c.Bearer == "" {
		return nil
	}
	sig, err := base64.StdEncoding.DecodeString(r.Header.Get(headerSignature))
	if err != nil {
		return fmt.Errorf("%w: %s is not base64", ErrClient, headerSignature)
	}
	text := signedText(r.Method, r.URL.EscapedPath(), r.Header.Get(headerDate), body)
	if !signedBy(c.cert.PublicKey, text, sig) {
		return fmt.Errorf("%w: the request is not signed by its key", ErrClient)
	}
	return nil
}

// signedText is written down in internal/device.
func signedText(method, path, date string, body []byte) []byte {
	sum := sha256.Sum256(body)
	return []byte("meetguard request v1\n" + method + "\n" + path + "\n" + date + "\n" + hex.EncodeToString(sum[:]) + "\n")
}

func signedBy(pub any, text, sig []byte) bool {
	switch k := pub.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(k, text, sig)
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(text)
		return ecdsa.VerifyASN1(k, sum[:], sig)
	}
	return false
}

// VerifyClient finds the agent that a chain from a handshake belongs to. expired
// says that the certificate was good and is over; one that is not yet valid is an
// error.
func (a *Authority) VerifyClient(chain []*x509.Certificate, now time.Time) (uid string, expired bool, err error) {
	uid, expired, _, err = a.verify(chain, now)
	return uid, expired, err
}

func (a *Authority) verify(chain []*x509.Certificate, now time.Time) (uid string, expired, foreign bool, err error) {
	if len(chain) == 0 {
		return "", false, false, ErrNoClient
	}
	if len(chain) > maxChain {
		return "", false, false, fmt.Errorf("%w: its chain is too long", ErrClient)
	}
	expired, err = check(chain, a.roots, now)
	form := uidForm{where: uidURI, prefix: agentURI}
	if err != nil && a.foreign != nil {
		foreign, form = true, a.uidFrom
		if expired, err = check(chain, a.foreign, now); expired && err == nil {
			err = errors.New("it has expired") // whoever issued it has to renew it
		}
	}
	if err != nil {
		return "", false, false, fmt.Errorf("%w: %w", ErrClient, err)
	}
	uid, err = form.uid(chain[0])
	if err == nil && !foreign && chain[0].Subject.CommonName != uid {
		err = errors.New("its two names differ")
	}
	if err != nil {
		return "", false, false, fmt.Errorf("%w: %w", ErrClient, err)
	}
	return uid, expired, foreign, nil
}

// check verifies a chain as it is now, and one that is over as it was at its end.
func check(chain []*x509.Certificate, roots *x509.CertPool, now time.Time) (expired bool, err error) {
	leaf := chain[0]
	if !hasClientAuth(leaf) {
		return false, errors.New("it is none for clients")
	}
	if now.After(leaf.NotAfter) {
		expired, now = true, leaf.NotAfter
	}
	opts := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	_, err = leaf.Verify(opts)
	return expired, err
}

// hasClientAuth wants the purpose said: x509 takes a certificate that names no
// purpose for one that has all.
func hasClientAuth(c *x509.Certificate) bool {
	for _, u := range c.ExtKeyUsage {
		if u == x509.ExtKeyUsageClientAuth {
			return !c.IsCA
		}
	}
	return false
}
