package collect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// DefaultListen is the address that the collector listens on if none is given.
const DefaultListen = "127.0.0.1:8765"

// Listen binds the address HOST:PORT. Port 0 lets the system choose, an empty
// host means every address of the machine. The error is one line.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, fmt.Errorf("listen on %q: the address must be given as HOST:PORT", address)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w; name another address with --listen", address, bindError(err))
	}
	return ln, nil
}

// bindError takes the address out of an error that will name the address anyway.
func bindError(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// IsLoopback says whether only this machine can reach the listener.
func IsLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// isLoopbackHost says whether the Host header of a request means this machine.
// A page of another site that got its own name resolved to 127.0.0.1 (DNS
// rebinding) still sends that name.
func isLoopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		host = host[1 : n-1]
	}
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
