package device

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// How long the client waits, and how long it keeps a connection open: longer than
// the interval between two heartbeats.
const (
	dialTimeout   = 15 * time.Second
	answerTimeout = time.Minute
	idleTimeout   = 10 * time.Minute
	pingTimeout   = 75 * time.Second // of silence; longer than that interval too, at its longest of 66 s unless the collector asks for less
)

// client returns the transport for the identity in use. d.mu is held.
func (d *Device) client() (*http.Transport, error) {
	if d.transport == nil {
		roots, err := d.roots()
		if err != nil {
			return nil, err
		}
		d.transport = d.newTransport(roots, d.show)
	}
	return d.transport, nil
}

// roots are what the collector is verified with; nil are the system's. d.mu is
// held.
func (d *Device) roots() (*x509.CertPool, error) {
	switch {
	case d.plain() || d.cfg.Trust == TrustSystem:
		return nil, nil
	case d.cfg.Trust != "":
		return readPool(d.cfg.Trust)
	}
	return parsePool(d.id.CA)
}

func readPool(file string) (*x509.CertPool, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read collector_ca: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxIdentity))
	if err != nil {
		return nil, fmt.Errorf("read collector_ca: %w", err)
	}
	pool, err := parsePool(string(text))
	if err != nil {
		return nil, fmt.Errorf("collector_ca %s: %w", file, err)
	}
	return pool, nil
}

type showFunc = func(*tls.CertificateRequestInfo) (*tls.Certificate, error)

// newTransport makes connections of TLS 1.3 to the collector. Sessions are not
// resumed, so each connection proves who is at both ends.
func (d *Device) newTransport(roots *x509.CertPool, show showFunc) *http.Transport {
	return &http.Transport{
		Proxy:                 d.proxies.choose,
		DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: time.Minute}).DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, GetClientCertificate: show},
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: answerTimeout,
		IdleConnTimeout:       idleTimeout,
		MaxIdleConns:          2,
		ForceAttemptHTTP2:     true,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: pingTimeout, PingTimeout: dialTimeout},
	}
}

// show is the certificate for a connection. An empty one means none.
func (d *Device) show(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	if d.cfg.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(d.cfg.Certificate, d.cfg.Key)
		if err != nil {
			return nil, fmt.Errorf("read client_certificate: %w", err)
		}
		return &pair, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.active(); c != nil {
		return c.pair, nil
	}
	return new(tls.Certificate), nil
}

// CloseIdleConnections closes what no request uses.
func (d *Device) CloseIdleConnections() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.transport != nil {
		d.transport.CloseIdleConnections()
	}
}
