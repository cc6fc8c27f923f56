//go:build linux

package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// How the collector is abused.
const (
	barAbuse    = 2.0 // times the p99 of honest clients
	abuseRounds = 3
	abuseAgents = 500 // honest ones
	slowClients = 300 // connections that send a byte of their header a second
	abuseEvery  = 50 * time.Millisecond
)

// abuse is one way to be a burden, and what was answered.
type abuse struct {
	name     string
	tls      *tls.Config // with the certificate that is shown
	request  []byte
	times    atomic.Int64
	mu       sync.Mutex
	answered map[int]int // by status; 0: the connection was closed
}

// underAbuse compares the answers to honest clients with and without abuse, in
// turns in one run.
func underAbuse(ctx context.Context, p plan) (bool, error) {
	dir, err := os.MkdirTemp("", "meetguard-abuse")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	p.dir, p.agents, p.wires = dir, min(p.agents, abuseAgents), 1
	s, err := startServer(ctx, p)
	if err != nil {
		return false, err
	}
	defer s.stop()
	fleet, err := enrolAll(ctx, p, s)
	if err != nil {
		return false, err
	}
	all, err := abuses(fleet[0].tls)
	if err != nil {
		return false, err
	}
	honest := fleet[1:]
	p.length /= 2 * abuseRounds
	var calm, under, ratios []float64
	failed := 0
	for range abuseRounds {
		a, n := honestP99(ctx, p, honest)
		stop := begin(ctx, s.addr, all)
		b, m := honestP99(ctx, p, honest)
		stop()
		failed += n + m
		calm, under, ratios = append(calm, a), append(under, b), append(ratios, b/a)
		fmt.Printf("p99 of honest clients %.1f ms, under abuse %.1f ms, load %s\n", 1000*a, 1000*b, loadAverage())
	}
	for _, one := range all {
		fmt.Printf("%s: %d times, answered %v\n", one.name, one.times.Load(), one.answered)
	}
	lost, stored, err := missing(ctx, s, fleet)
	if err != nil {
		return false, err
	}
	ratio := median(under) / median(calm)
	fmt.Printf("p99 of honest clients %.1f ms without and %.1f ms under abuse, %.2f times (bar %.0f), by rounds %.2f; %d failed; %d alerts stored, %d lost\n",
		1000*median(calm), 1000*median(under), ratio, barAbuse, ratios, failed, stored, lost)
	return ratio <= barAbuse && failed == 0 && lost == 0, nil
}

// honestP99 plays the honest clients for a while; seconds, and how many failed.
func honestP99(ctx context.Context, p plan, fleet []*agent) (float64, int) {
	t := &tally{failed: map[string]int{}}
	drive(ctx, p, fleet, t)
	return t.percentile(0.99).Seconds(), failures(t)
}

// abuses are all that need a request; own is the certificate of an agent.
func abuses(own *tls.Config) ([]*abuse, error) {
	foreign, err := foreignTLS()
	if err != nil {
		return nil, err
	}
	nobody := &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true} // both ends are ours
	const head = "POST /v1/agent/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	sized := func(body []byte, more string) []byte {
		return append(fmt.Appendf(nil, "%s%sContent-Length: %d\r\n\r\n", head, more, len(body)), body...)
	}
	zipped := func(body []byte) []byte { return sized(body, "Content-Encoding: gzip\r\n") }
	many := func(text string, n int) []byte { return []byte(strings.Repeat(text, n)) }
	return []*abuse{
		{name: "bomb", tls: own, request: zipped(pack(many("0", 1<<28)))},
		{name: "bomb of lists", tls: own, request: zipped(pack(many("[", 8<<20)))},
		{name: "broken gzip", tls: own, request: zipped([]byte("\x1f\x8b\x08\x00not gzip at all"))},
		{name: "oversized", tls: own, request: sized(many("x", 9<<20), "")},
		{name: "malformed", tls: own, request: sized([]byte(`{"agent":{"uid":"x"},"alerts":[{]}`), "")},
		{name: "both lengths", tls: own, request: []byte(head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
		{name: "large header", tls: nobody, request: []byte("GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n")},
		{name: "foreign certificate", tls: foreign, request: sized([]byte(`{"agent":{"uid":"x"},"alerts":[]}`), "")},
		{name: "no certificate", tls: nobody, request: sized([]byte(`{"agent":{"uid":"x"},"alerts":[]}`), "")},
	}, nil
}

// foreignTLS shows a certificate that nobody knows.
func foreignTLS() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "agent"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, // both ends are ours
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }}, nil
}

// begin abuses until the function that it returns is called.
func begin(ctx context.Context, addr string, all []*abuse) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	for _, one := range all {
		wait.Go(func() { one.run(ctx, addr) })
	}
	for range slowClients {
		wait.Go(func() { slow(ctx, addr) })
	}
	return func() { cancel(); wait.Wait() }
}

func (a *abuse) run(ctx context.Context, addr string) {
	for ctx.Err() == nil {
		status := a.once(ctx, addr)
		a.times.Add(1)
		a.mu.Lock()
		if a.answered == nil {
			a.answered = map[int]int{}
		}
		a.answered[status]++
		a.mu.Unlock()
		pause(ctx, abuseEvery)
	}
}

func (a *abuse) once(ctx context.Context, addr string) int {
	conn, err := dial(ctx, addr, a.tls)
	if err != nil {
		return 0
	}
	defer conn.Close()
	go conn.Write(a.request) // the server may answer before it has read all
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

func dial(ctx context.Context, addr string, cfg *tls.Config) (net.Conn, error) {
	raw, err := (&net.Dialer{Timeout: 20 * time.Second, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 9, 9)}}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	raw.SetDeadline(time.Now().Add(30 * time.Second))
	conn := tls.Client(raw, cfg)
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}

// slow sends its header a byte a second, on a new connection when it is cut off.
func slow(ctx context.Context, addr string) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true} // both ends are ours
	for ctx.Err() == nil {
		conn, err := dial(ctx, addr, cfg)
		for _, b := range []byte("GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 10)) {
			if err != nil || ctx.Err() != nil {
				break
			}
			_, err = conn.Write([]byte{b})
			pause(ctx, time.Second)
		}
		if conn != nil {
			conn.Close()
		}
		pause(ctx, time.Second)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
