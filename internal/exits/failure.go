package exits

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// Failure is why a batch could not be delivered. Its text is one line for
// people, says what to do, and holds no secret and no path of a URL.
type Failure struct {
	Words   string
	After   time.Duration // the receiver asked to be left alone for so long, at most maxRetryAfter
	Content bool          // the receiver does not like what was sent: a smaller batch tells which item it is
	err     error
}

func (f *Failure) Error() string { return f.Words }
func (f *Failure) Unwrap() error { return f.err }

// Refusal is one item that a receiver will never take.
type Refusal struct {
	ID     string // of the item, "" if the receiver tells only that there was one
	Reason string // one line, made visible
}

// Refused tells that a batch is answered for, and which items of it were
// refused for good. At least one item was taken.
type Refused struct{ Items []Refusal }

func (r *Refused) Error() string {
	return fmt.Sprintf("%d of the batch were refused for good: %s", len(r.Items), r.Items[0].Reason)
}

// settle is what Send returns for n items of which bad were refused.
func settle(n int, bad []Refusal) error {
	switch {
	case len(bad) == 0:
		return nil
	case len(bad) >= n:
		return &Failure{Words: "refuses every alert of the batch: " + bad[0].Reason, Content: true}
	}
	return &Refused{bad}
}

// connectionWords says in words why host could not be talked to. The causes are
// looked for from the most to the least exact.
func connectionWords(host string, timeout time.Duration, err error) string {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var op *net.OpError
	var record tls.RecordHeaderError
	var dns *net.DNSError
	var slow net.Error
	switch {
	case errors.As(err, &authority):
		return host + " shows a certificate of an authority that is not trusted here: put the right one into ca_file"
	case errors.As(err, &name):
		return host + " shows a certificate for another name: correct the address or set server_name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return host + " shows a certificate that has expired or does not count yet"
	case errors.As(err, &invalid):
		return host + " shows a certificate that cannot be used: " + line(invalid.Error(), maxWords)
	case errors.As(err, &op) && op.Op == "remote error": // how crypto/tls marks an alert of the other side
		return host + " broke off the TLS handshake (" + line(op.Err.Error(), maxWords) + "): look at cert_file, key_file and its TLS versions"
	case errors.As(err, &record):
		return host + " does not speak TLS on this port"
	case errors.As(err, &dns):
		return "the name " + host + " cannot be resolved"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens at " + host
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return fmt.Sprintf("%s did not answer within %s", host, timeout)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ENOTCONN), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return host + " broke off the connection"
	case errors.Is(err, net.ErrClosed):
		return host + " broke off the connection: if it asks for a client certificate, set cert_file and key_file"
	}
	return "could not talk to " + host + ": " + line(innermost(err).Error(), maxWords)
}

// innermost is the cause without what was wrapped around it, because net/http
// wraps the whole address, and a hook's address may be a secret.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
