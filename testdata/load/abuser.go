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
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// orders is what the process of abusers is told, as JSON.
type orders struct {
	Address string
	Own     []identity // of agents that are enrolled
	Only    string     // one kind, "" for all
	Times   int        // requests of each kind, 0: until standard input ends
	Slow    int        // connections that never end their header
}

// identity is an agent's certificate, DER, and its key, PKCS #8.
type identity struct{ Cert, Key []byte }

func identityOf(a *agent) (identity, error) {
	one := a.tls.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(one.PrivateKey)
	return identity{one.Certificate[0], key}, err
}

func (i identity) tls() (*tls.Config, error) {
	key, err := x509.ParsePKCS8PrivateKey(i.Key)
	if err != nil {
		return nil, fmt.Errorf("read an agent's key: %w", err)
	}
	return showing(tls.Certificate{Certificate: [][]byte{i.Cert}, PrivateKey: key}), nil
}

// showing shows a certificate whether it is asked for or not, and believes
// everything: both ends are ours.
func showing(cert tls.Certificate) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }}
}

// tried is what came of one kind of abuse.
type tried struct {
	Times    int
	Answered map[int]int // by status; 0: the connection was closed
}

// abuse is one way to be a burden.
type abuse struct {
	name    string
	tls     []*tls.Config // one after the other
	make    func() []byte
	request []byte
	met     tried
}

// ready is what the process of abusers says before it begins.
const ready = "ready"

// abuseOnly is the process of the abusers: it reads its orders and prints what
// came of them.
func abuseOnly() {
	if err := obey(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "abusers:", err)
		os.Exit(2)
	}
}

func obey(ctx context.Context, in io.Reader, out io.Writer) error {
	var o orders
	told := json.NewDecoder(in)
	if err := told.Decode(&o); err != nil {
		return fmt.Errorf("read orders: %w", err)
	}
	all, err := abuses(o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.Times == 0 {
		go func() { told.Decode(&o); cancel() }() // the end of the input is the end of the abuse
	}
	if o.Only != "" {
		all = slices.DeleteFunc(all, func(a *abuse) bool { return a.name != o.Only })
	}
	met := map[string]*tried{}
	for _, one := range all {
		one.request, met[one.name] = one.make(), &one.met
	}
	if err := json.NewEncoder(out).Encode(ready); err != nil {
		return err
	}
	var wait sync.WaitGroup
	for _, one := range all {
		wait.Go(func() { one.run(ctx, o) })
	}
	for range o.Slow {
		wait.Go(func() { slow(ctx, o.Address) })
	}
	wait.Wait()
	return json.NewEncoder(out).Encode(met)
}

// abuses are all that need a request.
func abuses(o orders) ([]*abuse, error) {
	var own []*tls.Config
	for _, one := range o.Own {
		cfg, err := one.tls()
		if err != nil {
			return nil, err
		}
		own = append(own, cfg)
	}
	stranger, err := foreignTLS()
	if err != nil {
		return nil, err
	}
	foreign := []*tls.Config{stranger}
	nobody := []*tls.Config{{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true}} // both ends are ours
	const head = "POST /v1/agent/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	sized := func(body []byte, more string) []byte {
		return append(fmt.Appendf(nil, "%s%sContent-Length: %d\r\n\r\n", head, more, len(body)), body...)
	}
	zipped := func(body []byte) []byte { return sized(body, "Content-Encoding: gzip\r\n") }
	many := func(text string, n int) []byte { return []byte(strings.Repeat(text, n)) }
	short := []byte(`{"agent":{"uid":"x"},"alerts":[]}`)
	all := []*abuse{
		{name: "bomb", tls: own, make: func() []byte { return zipped(pack(many("0", 64<<20))) }},
		{name: "bomb of lists", tls: own, make: func() []byte { return zipped(pack(many("[", 8<<20))) }},
		{name: "bomb of two batches", tls: own, make: func() []byte { return zipped(pack(many("[", 2<<20))) }},
		{name: "broken gzip", tls: own, make: func() []byte { return zipped([]byte("\x1f\x8b\x08\x00not gzip at all")) }},
		{name: "oversized", tls: own, make: func() []byte { return sized(many("x", 9<<20), "") }},
		{name: "malformed", tls: own, make: func() []byte { return sized([]byte(`{"agent":{"uid":"x"},"alerts":[{]}`), "") }},
		{name: "both lengths", tls: own, make: func() []byte {
			return []byte(head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
		}},
		{name: "large header", tls: nobody, make: func() []byte {
			return fmt.Appendf(nil, "GET / HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", many("x", 64<<10))
		}},
		{name: "foreign certificate", tls: foreign, make: func() []byte { return sized(short, "") }},
		{name: "no certificate", tls: nobody, make: func() []byte { return sized(short, "") }},
	}
	for _, one := range all {
		one.met.Answered = map[int]int{}
	}
	return all, nil
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
	return showing(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}), nil
}

// run abuses until it was done often enough or ctx ends.
func (a *abuse) run(ctx context.Context, o orders) {
	for n := 0; ctx.Err() == nil && (o.Times == 0 || n < o.Times); n++ {
		status := a.once(ctx, o.Address, a.tls[n%len(a.tls)])
		a.met.Times++
		a.met.Answered[status]++
		if o.Times == 0 {
			pause(ctx, abuseEvery)
		}
	}
}

func (a *abuse) once(ctx context.Context, addr string, cfg *tls.Config) int {
	conn, err := dial(ctx, addr, cfg)
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
