package collect

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"meetguard/internal/pki"
)

// echo is a server that says by which door a request came.
func echo(door string) *http.Server {
	return &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, door+" "+r.Proto) })}
}

func startSplit(t *testing.T) (addr string, a *pki.Authority) {
	t.Helper()
	a, _, err := pki.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newSplitter(ln)
	plain, secure := echo("plain"), echo("secure")
	secure.TLSConfig = a.TLSConfig([]string{"127.0.0.1"}, time.Now)
	done := make(chan error, 3)
	go func() { done <- s.run() }()
	go func() { done <- plain.Serve(s.plain) }()
	go func() { done <- secure.ServeTLS(s.secure, "", "") }()
	t.Cleanup(func() {
		ln.Close()
		plain.Close()
		secure.Close()
		for range 3 {
			if err := <-done; !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
				t.Errorf("ended with %v", err)
			}
		}
	})
	return ln.Addr().String(), a
}

func TestBothDoors(t *testing.T) {
	addr, a := startSplit(t)
	roots, err := rootsOf(a)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for url, want := range map[string]string{"http://" + addr: "plain HTTP/1.1", "https://" + addr: "secure HTTP/2.0"} {
		res, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if string(body) != want {
			t.Errorf("%s: %q", url, body)
		}
	}
}

// Older versions of TLS are refused, and whoever says nothing holds up nobody.
func TestSilentAndOld(t *testing.T) {
	addr, a := startSplit(t)
	for range 50 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	roots, err := rootsOf(a)
	if err != nil {
		t.Fatal(err)
	}
	_, err = (&tls.Dialer{Config: &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS12}}).DialContext(context.Background(), "tcp", addr)
	if err == nil {
		t.Error("TLS 1.2 was taken")
	}
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || line != "HTTP/1.1 200 OK\r\n" {
		t.Errorf("%q, %v", line, err)
	}
}

// rootsOf is what an agent trusts after it enrolled.
func rootsOf(a *pki.Authority) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(a.Trust())) {
		return nil, errors.New("the authority has no certificate")
	}
	return pool, nil
}
