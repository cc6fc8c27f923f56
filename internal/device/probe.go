package device

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Step is one step on the way to the collector.
type Step struct {
	Name   string `json:"name"` // name, tcp, tls, certificate or answer
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// probeTimeout bounds each step.
const probeTimeout = 5 * time.Second

// Probe goes to the collector step by step and stops at the first that fails.
// date is the collector's clock, zero if it did not tell. Nothing is sent but a
// request for its health; nobody enrols or renews. Behind a proxy the first two
// steps are about the proxy, and TLS is part of the answer.
func (d *Device) Probe(ctx context.Context) (steps []Step, date time.Time) {
	target, proxy := d.base, d.proxyOf()
	if proxy != nil {
		target = proxy
	}
	host, port := target.Hostname(), target.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[target.Scheme]
	}
	add := func(name, good string, err error) bool {
		s := Step{Name: name, OK: err == nil, Detail: good}
		if err != nil {
			s.Detail = err.Error()
		}
		steps = append(steps, s)
		return err == nil
	}
	addresses, err := lookup(ctx, host)
	if !add("name", fmt.Sprintf("%s has %d addresses", host, addresses), err) {
		return steps, date
	}
	conn, err := dialProbe(ctx, net.JoinHostPort(host, port))
	if !add("tcp", net.JoinHostPort(host, port)+" takes connections", err) {
		return steps, date
	}
	defer conn.Close()
	if d.base.Scheme == "https" && proxy == nil {
		state, err := shakeHands(ctx, conn, host)
		if !add("tls", tls.VersionName(state.Version), err) {
			return steps, date
		}
		if !add("certificate", "the certificate is the collector's", d.known(state, host)) {
			return steps, date
		}
	}
	status, date, err := d.healthz(ctx)
	add("answer", status, err)
	return steps, date
}

func (d *Device) proxyOf() *url.URL {
	proxy, err := d.proxies.choose(&http.Request{URL: d.base})
	if err != nil {
		return nil
	}
	return proxy
}

func lookup(ctx context.Context, host string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	return len(addresses), err
}

func dialProbe(ctx context.Context, address string) (net.Conn, error) {
	return (&net.Dialer{Timeout: probeTimeout}).DialContext(ctx, "tcp", address)
}

// shakeHands makes a TLS connection without judging the certificate: that is
// the next step.
func shakeHands(ctx context.Context, conn net.Conn, host string) (tls.ConnectionState, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	c := tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, ServerName: host}) // #nosec G402 -- only looks at the certificate, which is judged below; nothing is sent
	err := c.HandshakeContext(ctx)
	return c.ConnectionState(), err
}

// known holds the collector's certificate to the roots that requests use.
func (d *Device) known(state tls.ConnectionState, host string) error {
	d.mu.Lock()
	roots, err := d.roots()
	d.mu.Unlock()
	if err != nil {
		return err
	}
	if len(state.PeerCertificates) == 0 {
		return errors.New("it showed no certificate")
	}
	middle := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		middle.AddCert(c)
	}
	_, err = state.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: middle, CurrentTime: d.now()})
	return err
}

// healthz requests the collector's health.
func (d *Device) healthz(ctx context.Context) (string, time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base.JoinPath("healthz").String(), nil)
	if err != nil {
		return "", time.Time{}, err
	}
	d.mu.Lock()
	roots, err := d.roots()
	d.mu.Unlock()
	if err != nil {
		return "", time.Time{}, err
	}
	t := d.newTransport(roots, d.show)
	defer t.CloseIdleConnections()
	resp, err := t.RoundTrip(req)
	if err != nil {
		return "", time.Time{}, explain(err, d.cfg.Trust)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)); err != nil {
		return "", time.Time{}, err
	}
	date, _ := http.ParseTime(resp.Header.Get("Date"))
	if resp.StatusCode >= http.StatusBadRequest {
		return "", date, fmt.Errorf("it answered %s", resp.Status)
	}
	return "it answered " + resp.Status, date, nil
}
