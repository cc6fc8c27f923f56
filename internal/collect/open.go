package collect

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"crypto/rand"

	"meetguard/internal/pki"
	"meetguard/internal/store"
)

// Names of settings in the store.
const (
	settingCA     = "ca"     // PEM of the authority, with its key
	settingSecret = "secret" // 32 bytes, base64: seals cookies and TOTP secrets
)

// OpenAuthority returns the authority of the fleet: from the folder if one is
// named, and else from the store, so that all collectors on it have the same. It
// makes one at the first start; created says so.
func OpenAuthority(ctx context.Context, st store.Store, dir string) (a *pki.Authority, created bool, err error) {
	if dir != "" {
		return pki.Open(dir)
	}
	text, found, err := st.Setting(ctx, settingCA)
	if err != nil {
		return nil, false, fmt.Errorf("read the certificate authority: %w", err)
	}
	if !found {
		fresh, err := pki.Generate(time.Now())
		if err != nil {
			return nil, false, err
		}
		if text, err = st.SetSettingOnce(ctx, settingCA, string(fresh)); err != nil {
			return nil, false, fmt.Errorf("keep the certificate authority: %w", err)
		}
		created = text == string(fresh)
	}
	a, err = pki.Parse([]byte(text), time.Now())
	return a, created, err
}

// OpenSecret returns the secret with which the collectors on a store seal
// cookies, 32 bytes, and makes it at the first start.
func OpenSecret(ctx context.Context, st store.Store) ([]byte, error) {
	fresh := make([]byte, 32)
	rand.Read(fresh) // never fails, see crypto/rand
	text, err := st.SetSettingOnce(ctx, settingSecret, base64.StdEncoding.EncodeToString(fresh))
	if err != nil {
		return nil, fmt.Errorf("keep the secret: %w", err)
	}
	secret, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(secret) != len(fresh) {
		return nil, fmt.Errorf("read the secret of the store: it is damaged")
	}
	return secret, nil
}

// Hosts are the names and addresses that the server's certificate is good for:
// those that were named, the address that is listened on, and this machine's own.
func Hosts(named []string, addr net.Addr) []string {
	hosts := slices.Clone(named)
	if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsUnspecified() {
		hosts = append(hosts, tcp.IP.String())
	} else {
		hosts = append(hosts, ownAddresses()...)
	}
	if name, err := os.Hostname(); err == nil && name != "" {
		hosts = append(hosts, name)
	}
	hosts = append(hosts, "localhost", "127.0.0.1", "::1")
	var once []string
	for _, h := range hosts {
		if !slices.Contains(once, h) {
			once = append(once, h)
		}
	}
	return once
}

func ownAddresses() []string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var all []string
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() {
			all = append(all, ip.IP.String())
		}
	}
	return all
}

// URL is where agents find the collector: by the first host that was named, or
// else the address that is listened on, or this machine's name.
func URL(named []string, addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return ""
	}
	host := tcp.IP.String()
	if len(named) > 0 {
		host = named[0]
	} else if tcp.IP.IsUnspecified() {
		host = "localhost"
		if name, err := os.Hostname(); err == nil && name != "" {
			host = name
		}
	}
	return "https://" + net.JoinHostPort(host, fmt.Sprint(tcp.Port))
}

// The token that the first start makes, so that one line enrols the first agents.
const (
	firstTokenLife = 24 * time.Hour
	firstTokenUses = 10
)

// NewToken makes a token and returns its secret, which is shown once.
func NewToken(ctx context.Context, st store.Store, t store.Token) (secret string, err error) {
	secret = pki.NewSecret()
	t.ID = store.NewID()
	return secret, st.CreateToken(ctx, t, pki.HashSecret(secret))
}

// FirstToken is what the first start prints.
func FirstToken(ctx context.Context, st store.Store, now time.Time) (secret string, err error) {
	return NewToken(ctx, st, store.Token{
		Group: DefaultGroup, Note: "made at the first start", CreatedBy: "collector",
		CreatedAt: now, ExpiresAt: now.Add(firstTokenLife), MaxUses: firstTokenUses,
	})
}
