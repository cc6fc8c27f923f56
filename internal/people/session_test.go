package people

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestSessionOver(t *testing.T) {
	start := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		seen, now time.Duration
		want      bool
	}{
		"fresh":         {0, 0, false},
		"at work":       {23 * time.Hour, 23*time.Hour + 59*time.Minute, false},
		"a day":         {24*time.Hour - time.Second, 24 * time.Hour, true},
		"almost idle":   {time.Hour, 9*time.Hour - time.Second, false},
		"idle":          {time.Hour, 9 * time.Hour, true},
		"a clock moved": {0, -time.Hour, false},
	} {
		if got := SessionOver(start, start.Add(c.seen), start.Add(c.now)); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if TouchDue(start, start.Add(59*time.Second)) || !TouchDue(start, start.Add(time.Minute)) {
		t.Error("noted too often or too rarely")
	}
}

func TestCookies(t *testing.T) {
	for name, c := range map[string]struct {
		cookies Cookies
		cookie  string
		want    string
	}{
		"session": {Cookies{}, SessionCookie, "__Host-mg-session=v; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Strict"},
		"device":  {Cookies{}, DeviceCookie, "__Host-mg-device=v; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Strict"},
		"flow":    {Cookies{}, FlowCookie, "__Host-mg-oidc=v; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax"},
		"plain":   {Cookies{Plain: true}, SessionCookie, "mg-session=v; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict"},
	} {
		w := httptest.NewRecorder()
		c.cookies.Set(w, c.cookie, "v", time.Hour)
		if got := w.Header().Get("Set-Cookie"); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", name, got, c.want)
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", strings.Split(c.want, ";")[0])
		if got := c.cookies.Get(r, c.cookie); got != "v" {
			t.Errorf("%s: read %q", name, got)
		}
		r.Header.Add("Cookie", strings.Split(c.want, "=")[0]+"=other")
		if got := c.cookies.Get(r, c.cookie); got != "" {
			t.Errorf("%s: of two %q was read", name, got)
		}
		w = httptest.NewRecorder()
		c.cookies.Clear(w, c.cookie)
		if gone, err := http.ParseSetCookie(w.Header().Get("Set-Cookie")); err != nil || gone.MaxAge != -1 || gone.Value != "" {
			t.Errorf("%s: cleared by %v, %v", name, gone, err)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", "mg-session=planted")
	if got := (Cookies{}).Get(r, SessionCookie); got != "" {
		t.Errorf("a cookie without the prefix was read: %q", got)
	}
}

func TestLocalPath(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/alerts?level=malicious#x": "/alerts?level=malicious#x", "/a/../b": "/a/../b",
		"": "/", "alerts": "/", "//evil.invalid": "/", `/\evil.invalid`: "/", "/\t/evil.invalid": "/", "https://evil.invalid/": "/",
		"/x\r\nSet-Cookie: a=b": "/", "javascript:alert(1)": "/", " /x": "/", "/a\x7f": "/",
	} {
		if got := LocalPath(path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}
