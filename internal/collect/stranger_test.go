package collect

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// from is a connection that came from an address, of which nothing is read.
type from struct {
	net.Conn
	address string
}

func (c from) RemoteAddr() net.Addr {
	a, err := net.ResolveTCPAddr("tcp", c.address)
	if err != nil {
		panic(err)
	}
	return a
}
func (from) Close() error { return nil }

// An address has its bound, which agents do not count in once they have proved
// themselves, and one address does not take the places of others.
func TestStrangersAreBounded(t *testing.T) {
	book := newVisitors()
	fill := func(address string, want int) (all []*visitor) {
		t.Helper()
		for range want + 1 {
			if v := book.meet(from{address: address}); v != nil {
				all = append(all, v)
			}
		}
		if len(all) != want {
			t.Errorf("%s: %d connections, want %d", address, len(all), want)
		}
		return all
	}
	first := fill("[2001:db8::1]:1", maxOfAddress)
	if book.meet(from{address: "[2001:db8::ffff:2]:9"}) != nil {
		t.Error("another address of the same network is counted for itself")
	}
	for i, v := range first {
		if !v.prove(fmt.Sprint("agent:", i)) {
			t.Error("an agent with one connection is refused")
		}
	}
	all := append(first, fill("[2001:db8::1]:1", maxOfAddress)...)
	for i := 1; book.strangers < maxStrangers; i++ {
		all = append(all, fill(fmt.Sprintf("10.0.0.%d:1", i), maxOfAddress)...)
	}
	all = append(all, fill("192.0.2.1:1", maxWhenFull)...)
	for _, v := range all {
		v.Close()
		v.Close()
	}
	if book.strangers != 0 || len(book.count) != 0 {
		t.Errorf("left behind: %d strangers, %v", book.strangers, book.count)
	}
}

// One agent has a bounded number of connections, however it got them.
func TestConnectionsOfOneAgent(t *testing.T) {
	f := newFleetSite(t)
	a := f.enrolled()
	roots, err := rootsOf(f.ca)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(batch(nil))
	if err != nil {
		t.Fatal(err)
	}
	statuses := map[int]int{}
	for range maxOfOneAgent + 3 {
		conn, err := tls.Dial("tcp", f.addr, &tls.Config{RootCAs: roots, Time: f.clock,
			Certificates: []tls.Certificate{{Certificate: [][]byte{a.cert.Raw}, PrivateKey: a.key}}})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(30 * time.Second))
		fmt.Fprintf(conn, "POST /v1/agent/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		if statuses[res.StatusCode]++; res.Close != (res.StatusCode == http.StatusTooManyRequests) {
			t.Errorf("status %d, the connection ends: %v", res.StatusCode, res.Close)
		}
	}
	if statuses[200] != maxOfOneAgent || statuses[429] != 3 {
		t.Errorf("answered %v", statuses)
	}
}

// Handshakes that stop in the middle hold up no other one. Whoever is cut off comes
// again at once, so that an agent which had to wait for them would wait for ever.
func TestSlowHandshakes(t *testing.T) {
	f := newFleetSite(t)
	a := f.enrolled()
	ctx, end := context.WithCancel(t.Context())
	const strangers = 20
	stand, left := make(chan bool, 1000), make(chan bool, strangers)
	for range strangers {
		go func() {
			for ctx.Err() == nil {
				stallHandshake(ctx, f.addr, stand)
			}
			left <- true
		}()
	}
	for range strangers {
		<-stand
	}
	impatient := time.AfterFunc(time.Minute, end)
	a.want(200, "", "/v1/agent/batch", batch(beatOf(0, "")))
	if !impatient.Stop() {
		t.Error("an honest agent waited until the others were gone")
	}
	end()
	for range strangers {
		<-left
	}
}

// stallHandshake stays until it is cut off.
func stallHandshake(ctx context.Context, addr string, stands chan<- bool) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	conn.Write([]byte{tlsHandshake, 3, 1, 2, 0}) // the head of a record that never comes
	select {
	case stands <- true:
	default:
	}
	io.Copy(io.Discard, conn)
}
