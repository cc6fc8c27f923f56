package people

import (
	"net/http"
	"strings"
	"time"
)

// How long a log-in lasts (OWASP ASVS 3.3): after that the password is asked for.
const (
	SessionIdle  = 8 * time.Hour  // without a request
	SessionLimit = 24 * time.Hour // at all
	TokenLimit   = 366 * 24 * time.Hour
	DeviceLimit  = 180 * 24 * time.Hour // how long a device is known by its cookie
	touchEvery   = time.Minute
)

// SessionOver tells whether a log-in has come to its end.
func SessionOver(created, seen, now time.Time) bool {
	return now.Sub(created) >= SessionLimit || now.Sub(seen) >= SessionIdle
}

// TouchDue tells whether the use of a session is worth noting: not on every
// request, each would be a write.
func TouchDue(seen, now time.Time) bool { return now.Sub(seen) >= touchEvery }

// The cookies.
const (
	SessionCookie = "mg-session"
	DeviceCookie  = "mg-device" // a ticket that names a device on which somebody has logged in
	FlowCookie    = "mg-oidc"   // a log-in with OpenID Connect that is under way
)

// Cookies sets and reads cookies. They are named __Host-…, which makes browsers
// hold them to this host, HTTPS and no domain (RFC 6265bis, section 4.1.3.2).
type Cookies struct {
	// Plain is for HTTP on loopback, where browsers refuse the name.
	Plain bool
}

func (c Cookies) name(name string) string {
	if c.Plain {
		return name
	}
	return "__Host-" + name
}

// Set sets a cookie for so long. Scripts cannot read it, and other sites cannot
// make a browser send it; but the one of an OpenID Connect flow must come along
// when the provider sends the browser back, which SameSite=Strict forbids.
//
// For the same reason the answer to that request must be a page that goes on by
// itself, and not a redirect: a browser would follow it without the session.
func (c Cookies) Set(w http.ResponseWriter, name, value string, age time.Duration) {
	cookie := &http.Cookie{Name: c.name(name), Value: value, Path: "/", MaxAge: int(age / time.Second), // #nosec G124 -- Secure wherever there is TLS
		Secure: !c.Plain, HttpOnly: true, SameSite: http.SameSiteStrictMode}
	if name == FlowCookie {
		cookie.SameSite = http.SameSiteLaxMode
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

// Clear takes a cookie back.
func (c Cookies) Clear(w http.ResponseWriter, name string) { c.Set(w, name, "", 0) }

// Get returns the value of a cookie, or "". Of two with one name none counts:
// one of them is not ours.
func (c Cookies) Get(r *http.Request, name string) string {
	if all := r.CookiesNamed(c.name(name)); len(all) == 1 {
		return all[0].Value
	}
	return ""
}

// LocalPath returns the path if it leads to a page of this host, or "/". It is
// for paths that came with a request and to which a browser is sent.
func LocalPath(path string) string {
	outside := !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//")
	if outside || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
		return "/"
	}
	return path
}
