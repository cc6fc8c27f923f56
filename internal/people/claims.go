package people

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
)

// identity applies the rules to the claims of a token.
func (c OIDCConfig) identity(id *oidc.IDToken) (Identity, error) {
	var claims map[string]json.RawMessage
	if err := id.Claims(&claims); err != nil {
		return Identity{}, fmt.Errorf("read ID token: %w", err)
	}
	who := Identity{Subject: c.Issuer + "|" + id.Subject, Name: personName(claims, id.Subject)}
	groups := texts(claims[c.GroupClaim])
	for _, r := range c.Rules {
		if r.Group == "" || slices.Contains(groups, r.Group) {
			who.Role, who.Groups = r.Role, slices.Clone(r.Groups)
			return who, nil
		}
	}
	return who, ErrNoRole
}

// personName is the first of the claims that name a person for people.
func personName(claims map[string]json.RawMessage, subject string) string {
	for _, claim := range []string{"preferred_username", "email", "name"} {
		for _, name := range texts(claims[claim]) {
			if name = cleanName(name); name != "" {
				return name
			}
		}
	}
	return cleanName(subject)
}

// texts reads a claim that is a text or a list of texts; others are none.
func texts(raw json.RawMessage) []string {
	var many []string
	if json.Unmarshal(raw, &many) == nil {
		return many
	}
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		return []string{one}
	}
	return nil
}

// cleanName takes out what forges what a person sees: controls, format and
// bidirectional characters.
func cleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	return strings.TrimSpace(cut(name, 100))
}

// cut shortens a text to so many characters.
func cut(text string, limit int) string {
	n := 0
	for i := range text {
		if n == limit {
			return text[:i]
		}
		n++
	}
	return text
}

// secureURL tells whether what is sent there can be read by nobody else: https,
// or loopback.
func secureURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// maxAnswer is how much of an answer of the provider is read.
const maxAnswer = 1 << 20

// providerClient asks the provider: in bounded time, with bounded answers, and
// only where it was told to, not where an answer redirects to.
func providerClient(transport http.RoundTripper) *http.Client {
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &http.Client{
		Transport:     boundedTransport{transport},
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type boundedTransport struct{ next http.RoundTripper }

func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}
