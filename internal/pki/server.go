package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// ownCheck is how often the operator's own server certificate is read again.
const ownCheck = time.Minute

// ServerCertificate issues a certificate for the collector's hosts (names and
// addresses), with a new key that is never written down. The chain holds the CA
// too: agents that enrol find their pin in it.
func (a *Authority) ServerCertificate(hosts []string, now time.Time) (tls.Certificate, error) {
	if len(hosts) == 0 {
		return tls.Certificate{}, errors.New("issue server certificate: no host is named")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("issue server certificate: %w", err)
	}
	t := template(now, serverLife)
	t.Subject = pkix.Name{Organization: []string{"meetguard"}, CommonName: "meetguard collector"}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	leaf, err := a.sign(t, key.Public())
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{leaf.Raw, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// issuedServer is a server certificate and the time from which a new one is made.
type issuedServer struct {
	cert  *tls.Certificate
	renew time.Time
}

// TLSConfig is the collector's: TLS 1.3 only, with a server certificate that is
// renewed by itself at two thirds of its life. Client certificates are asked for
// and not verified: ClientOf does that for each request, so that an expired one
// can be told what to do. now is time.Now but in tests.
func (a *Authority) TLSConfig(hosts []string, now func() time.Time) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"h2", "http/1.1"},
		ClientAuth: tls.RequestClientCert,
		ClientCAs:  a.offered, // browsers ask people only for certificates of these
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return a.current(hosts, now())
		},
	}
}

func (a *Authority) current(hosts []string, now time.Time) (*tls.Certificate, error) {
	if a.own != nil {
		return a.own.current(now), nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.server != nil && now.Before(a.server.renew) {
		return a.server.cert, nil
	}
	c, err := a.ServerCertificate(hosts, now)
	if err != nil {
		if a.server != nil {
			return a.server.cert, nil // an old one is better than none
		}
		return nil, err
	}
	a.server = &issuedServer{&c, now.Add(c.Leaf.NotAfter.Sub(now) * 2 / 3)}
	return &c, nil
}

// Serve makes the collector show a server certificate of the operator's own. The
// files are PEM: the certificate with the chain behind it, and its key. They are
// read again when they change; a broken pair leaves the one before in use.
func (a *Authority) Serve(certFile, keyFile string) error {
	own := &ownServer{certFile: certFile, keyFile: keyFile}
	if err := own.read(); err != nil {
		return err
	}
	a.own = own
	return nil
}

// ownServer is the operator's own server certificate.
type ownServer struct {
	certFile, keyFile string

	mu      sync.Mutex
	cert    *tls.Certificate
	last    *x509.Certificate // of the chain
	changed time.Time         // of the files, when they were read
	checked time.Time
}

func (o *ownServer) read() error {
	changed := o.stamp()
	pair, err := tls.LoadX509KeyPair(o.certFile, o.keyFile)
	if err != nil {
		return fmt.Errorf("read server certificate: %w", err)
	}
	if _, ok := pair.PrivateKey.(crypto.Signer); !ok {
		return errors.New("read server certificate: its key cannot sign")
	}
	last, err := x509.ParseCertificate(pair.Certificate[len(pair.Certificate)-1])
	if err != nil {
		return fmt.Errorf("read server certificate: %w", err)
	}
	o.cert, o.last, o.changed = &pair, last, changed
	return nil
}

// stamp is the time of the younger of the two files.
func (o *ownServer) stamp() time.Time {
	var t time.Time
	for _, name := range []string{o.certFile, o.keyFile} {
		if info, err := os.Stat(name); err == nil && info.ModTime().After(t) {
			t = info.ModTime()
		}
	}
	return t
}

func (o *ownServer) current(now time.Time) *tls.Certificate {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now.Sub(o.checked) >= ownCheck {
		o.checked = now
		if !o.stamp().Equal(o.changed) {
			_ = o.read() // half a change: the old pair stays until the next look
		}
	}
	return o.cert
}

func (o *ownServer) top() *x509.Certificate {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}
