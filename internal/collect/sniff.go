package collect

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// How long a connection may take to say what it is, and then for each step of its
// handshake, and how long the handshake may take with the time that it stands in
// line: a fleet that comes back at once is not sent away for our being slow.
const (
	firstByteTimeout = 5 * time.Second
	handshakeTimeout = 30 * time.Second
)

// tlsHandshake is the first byte of a TLS connection: the record type
// "handshake" (RFC 8446, 5.1). No request of HTTP/1.1 begins with it.
const tlsHandshake = 0x16

// splitter accepts the connections of one listener and hands each to one of two
// by its first byte: those that speak TLS, and the others.
type splitter struct {
	from   net.Listener
	tls    *tls.Config // nil: the handshake is left to whoever takes the connection
	secure *branch
	plain  *branch
	open   *visitors
	gate   *gate
	wait   sync.WaitGroup
}

func newSplitter(from net.Listener) *splitter {
	done := make(chan struct{})
	var once sync.Once
	end := func() { once.Do(func() { close(done) }) }
	newBranch := func() *branch {
		return &branch{addr: from.Addr(), conns: make(chan net.Conn), done: done, end: end}
	}
	return &splitter{from: from, secure: newBranch(), plain: newBranch(), open: newVisitors(), gate: newGate()}
}

// run accepts until the listener fails or is closed, and returns why. It closes
// the listener and both branches.
func (s *splitter) run() error {
	defer s.wait.Wait()
	defer s.secure.Close()
	defer s.from.Close()
	for {
		conn, err := s.from.Accept()
		if err != nil {
			var temporary interface{ Temporary() bool }
			if errors.As(err, &temporary) && temporary.Temporary() { // out of descriptors: some will be closed
				time.Sleep(50 * time.Millisecond)
				continue
			}
			return err
		}
		v := s.open.meet(conn)
		if v == nil {
			conn.Close()
			continue
		}
		s.wait.Add(1)
		go func() {
			defer s.wait.Done()
			s.hand(v)
		}()
	}
}

// hand reads the first byte and gives the connection on.
func (s *splitter) hand(v *visitor) {
	first := make([]byte, 1)
	_ = v.SetReadDeadline(time.Now().Add(firstByteTimeout)) // an error shows in Read
	if _, err := v.Read(first); err != nil {
		v.Close()
		return
	}
	_ = v.SetReadDeadline(time.Time{})
	v.first, v.again = first[0], true
	if first[0] != tlsHandshake {
		s.plain.give(v)
		return
	}
	if conn, err := s.shake(v); err == nil {
		s.secure.give(conn)
	}
}

// shake makes the handshake here and not where the connection is served: it takes
// a deep stack, which the goroutine of a connection that is kept would hold on to.
func (s *splitter) shake(v *visitor) (net.Conn, error) {
	if s.tls == nil {
		return v, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTimeout)
	defer cancel()
	turn := &pass{gate: s.gate, ctx: ctx, address: siteOf(v.RemoteAddr())}
	secure := tls.Server(v, s.tls)
	err := turn.enter()
	if err == nil {
		v.turn = turn
		err = secure.HandshakeContext(ctx)
		v.turn = nil
		turn.leave()
		_ = v.SetReadDeadline(time.Time{})
	}
	if err != nil { // the network's daily noise
		v.Close()
		return nil, err
	}
	return secure, nil
}

// branch is a listener that is given its connections.
type branch struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{} // closed with the splitter
	end   func()
}

func (b *branch) give(conn net.Conn) {
	select {
	case b.conns <- conn:
	case <-b.done:
		conn.Close()
	}
}

func (b *branch) Accept() (net.Conn, error) {
	select {
	case conn := <-b.conns:
		return conn, nil
	case <-b.done:
		return nil, net.ErrClosed
	}
}

func (b *branch) Close() error   { b.end(); return nil }
func (b *branch) Addr() net.Addr { return b.addr }
