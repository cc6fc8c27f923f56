package collect

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestLoopbackOnly(t *testing.T) {
	names := map[string][]netip.Addr{
		"localhost":      {netip.MustParseAddr("::1"), netip.MustParseAddr("127.0.0.1")},
		"six.invalid":    {netip.MustParseAddr("::1")},
		"far.invalid":    {netip.MustParseAddr("192.0.2.7")},
		"mixed.invalid":  {netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.7")},
		"mapped.invalid": {netip.MustParseAddr("::ffff:192.0.2.7")},
		"none.invalid":   {},
	}
	find := func(_ context.Context, _, host string) ([]netip.Addr, error) {
		ips, ok := names[host]
		if !ok {
			return nil, errors.New("no such host")
		}
		return ips, nil
	}
	for address, want := range map[string]string{
		"127.0.0.1:8765":          "127.0.0.1:8765",
		"127.9.9.9:0":             "127.9.9.9:0",
		"[::1]:8765":              "[::1]:8765",
		"[::ffff:127.0.0.1]:8765": "[::ffff:127.0.0.1]:8765",
		"localhost:8765":          "127.0.0.1:8765",
		"six.invalid:1":           "[::1]:1",
		":8765":                   "",
		"0.0.0.0:8765":            "",
		"[::]:8765":               "",
		"[::ffff:0.0.0.0]:8765":   "",
		"[::ffff:192.0.2.7]:8765": "",
		"192.0.2.7:8765":          "",
		"10.0.0.1:8765":           "",
		"169.254.1.1:8765":        "",
		"[fe80::1]:8765":          "",
		"far.invalid:8765":        "",
		"mixed.invalid:8765":      "",
		"mapped.invalid:8765":     "",
		"none.invalid:8765":       "",
		"unknown.invalid:8765":    "",
		"2130706433:8765":         "",
		"127.0.0.1":               "",
		"":                        "",
	} {
		got, err := loopbackOnly(t.Context(), address, find)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", address, got, err, want)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%q: not one line: %q", address, err)
		}
	}
}

func TestListenPortInUse(t *testing.T) {
	ln, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	again, err := Listen(t.Context(), ln.Addr().String())
	if err == nil {
		again.Close()
		t.Fatal("the port was bound twice")
	}
	if strings.ContainsAny(err.Error(), "\r\n") || !strings.Contains(err.Error(), "another port") {
		t.Error(err)
	}
}

func TestIsLoopbackHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost:8765": true, "localhost.": true, "127.0.0.1:8765": true, "127.1.2.3": true,
		"[::1]:8765": true, "[::1]": true, "": false, "evil.invalid": false, "evil.invalid:8765": false,
		"localhost.evil.invalid": false, "127.0.0.1.evil.invalid": false, "192.0.2.7:8765": false, "0.0.0.0": false,
	} {
		if got := isLoopbackHost(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}
