package exits

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"
)

// syslog sends RFC 5424 messages: over TLS as RFC 5425 says, over TCP as RFC
// 6587, section 3.4.1 (octet counting), over UDP as RFC 5426.
type syslog struct {
	cfg     Config
	opt     Syslog
	network string // tls, tcp or udp
	address string
	tls     *tls.Config
}

func newSyslog(cfg Config) (Exit, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, innermost(err)
	}
	conf, err := cfg.tlsConfig()
	if err != nil {
		return nil, err
	}
	if conf.ServerName == "" {
		conf.ServerName = u.Hostname()
	}
	// Batches are connections: tickets make the next handshake short.
	conf.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	return &syslog{cfg: cfg, opt: cfg.syslog(), network: strings.ToLower(u.Scheme), address: u.Host, tls: conf}, nil
}

func (s *syslog) Name() string { return s.cfg.Name }

// Send makes one connection for the batch. Syslog has no answers; what comes
// nearest is that the receiver, having read to the end of what was sent, ends
// the connection in its turn. If it breaks off before, the batch is sent again.
func (s *syslog) Send(ctx context.Context, items []Item) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	conn, err := s.dial(ctx)
	if err != nil {
		return s.failure(err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // ends what hangs
	defer stop()
	if s.network == "udp" {
		return s.failure(s.datagrams(conn, items))
	}
	if _, err := conn.Write(s.stream(items)); err != nil {
		return s.failure(err)
	}
	return s.failure(s.finish(conn))
}

func (s *syslog) dial(ctx context.Context) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: s.cfg.Timeout}
	if s.network == "tls" {
		return (&tls.Dialer{NetDialer: dialer, Config: s.tls}).DialContext(ctx, "tcp", s.address)
	}
	return dialer.DialContext(ctx, s.network, s.address)
}

// stream frames every message with its length.
func (s *syslog) stream(items []Item) []byte {
	var b bytes.Buffer
	for _, it := range items {
		m := s.opt.message(open(it, s.cfg.naming()))
		fmt.Fprintf(&b, "%d ", len(m))
		b.Write(m)
	}
	return b.Bytes()
}

// datagrams sends one message each. UDP tells of nothing that is lost.
func (s *syslog) datagrams(conn net.Conn, items []Item) error {
	opt := s.opt
	opt.MaxBytes = min(opt.MaxBytes, maxUDPBytes)
	for _, it := range items {
		if _, err := conn.Write(opt.message(open(it, s.cfg.naming()))); err != nil {
			return err
		}
	}
	return nil
}

// finish says that nothing follows and waits until the receiver has read it.
// Below TLS the connection has to end well too: who stops reading in the middle
// says good-bye on TLS all the same, and resets the connection.
func (s *syslog) finish(conn net.Conn) error {
	if err := closeWrite(conn); err != nil || !*s.opt.Confirm {
		return err
	}
	err := drain(conn)
	if t, ok := conn.(*tls.Conn); ok && err == nil {
		err = drain(t.NetConn())
	}
	var slow net.Error
	if errors.As(err, &slow) && slow.Timeout() {
		return errNoEnd
	}
	return err
}

// drain reads to the end. Some receivers say a word, none says much.
func drain(conn net.Conn) error {
	_, err := io.Copy(io.Discard, io.LimitReader(conn, 64<<10))
	return err
}

var errNoEnd = errors.New("does not end the connection after a batch, so nobody knows whether it was read: set syslog.confirm to false if it never does")

// closeWrite ends the sending side, of TLS and of the connection below.
func closeWrite(conn net.Conn) error {
	if t, ok := conn.(*tls.Conn); ok {
		if err := t.CloseWrite(); err != nil {
			return err
		}
		conn = t.NetConn()
	}
	if t, ok := conn.(*net.TCPConn); ok {
		return t.CloseWrite()
	}
	return nil
}

func (s *syslog) failure(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errNoEnd):
		return &Failure{Words: s.address + " " + errNoEnd.Error(), err: err}
	}
	return &Failure{Words: connectionWords(s.address, s.cfg.Timeout, err), err: innermost(err)}
}
