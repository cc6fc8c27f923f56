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

// errNotLoopback is why an address is refused: nothing proves yet who sends.
var errNotLoopback = errors.New("agents cannot be enrolled yet, so the collector listens on loopback only; use --listen " + DefaultListen)

// lookup finds the addresses of a host name.
type lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

// Listen binds the address HOST:PORT, where HOST is a loopback address or a
// name that means nothing else. Port 0 lets the system choose. The error is one
// line.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	bind, err := loopbackOnly(ctx, address, net.DefaultResolver.LookupNetIP)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", address, err)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", bind)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w; name another port with --listen", address, bindError(err))
	}
	return ln, nil
}

// loopbackOnly returns the address to bind. A name is resolved here and the
// address is bound, so that the name cannot mean something else a moment later.
func loopbackOnly(ctx context.Context, address string, find lookup) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", errors.New("the address must be given as HOST:PORT")
	}
	if host == "" {
		return "", errNotLoopback
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if !ip.Unmap().IsLoopback() {
			return "", errNotLoopback
		}
		return address, nil
	}
	ips, err := find(ctx, "ip", host)
	if err != nil {
		return "", fmt.Errorf("the name cannot be resolved; use --listen %s", DefaultListen)
	}
	ip, err := chooseLoopback(ips)
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(ip.String(), port), nil
}

// chooseLoopback returns the address to bind of a name, IPv4 before IPv6. Every
// address must be loopback.
func chooseLoopback(ips []netip.Addr) (netip.Addr, error) {
	if len(ips) == 0 {
		return netip.Addr{}, errNotLoopback
	}
	chosen := ips[0].Unmap()
	for _, ip := range ips {
		ip = ip.Unmap()
		if !ip.IsLoopback() {
			return netip.Addr{}, errNotLoopback
		}
		if ip.Is4() {
			chosen = ip
		}
	}
	return chosen, nil
}

// bindError takes the address out of an error that will name the address anyway.
func bindError(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
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
