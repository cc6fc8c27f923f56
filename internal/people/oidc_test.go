package people

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

func configFor(p *provider) OIDCConfig {
	return OIDCConfig{
		Issuer: p.URL, ClientID: "collector", ClientSecret: "s3cret", RedirectURL: "https://collector.invalid/login/oidc/done",
		GroupClaim: "groups",
		Rules: []GroupRule{
			{Group: "soc-leads", Role: Admin},
			{Group: "soc", Role: Analyst, Groups: []string{"sales", "it"}},
			{Group: "staff", Role: Viewer},
		},
	}
}

func clientFor(t *testing.T, p *provider) *OIDC {
	t.Helper()
	o, err := NewOIDC(configFor(p), sealer(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// logIn goes the whole way.
func logIn(t *testing.T, p *provider, o *OIDC) (Identity, error) {
	t.Helper()
	location, cookie, err := o.Begin(t.Context(), "/alerts?level=malicious", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return o.Finish(t.Context(), p.agree(location), cookie, time.Now())
}

func TestOIDCLogIn(t *testing.T) {
	for name, sign := range map[string]func(*provider, map[string]any) string{"ES256": (*provider).signES256, "RS256": (*provider).signRS256} {
		p := newProvider(t)
		p.sign = sign
		got, err := logIn(t, p, clientFor(t, p))
		want := Identity{Subject: p.URL + "|u-7", Name: "ana", Role: Analyst, Groups: []string{"sales", "it"}, Next: "/alerts?level=malicious"}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v, %v\nwant %+v", name, got, err, want)
		}
	}
}

func TestOIDCClaims(t *testing.T) {
	for name, c := range map[string]struct {
		claims map[string]any
		want   Identity
		err    error
	}{
		"first rule counts":  {map[string]any{"groups": []string{"staff", "soc", "soc-leads"}}, Identity{Name: "ana", Role: Admin}, nil},
		"one group as text":  {map[string]any{"groups": "staff"}, Identity{Name: "ana", Role: Viewer}, nil},
		"no group of ours":   {map[string]any{"groups": []string{"sta", "Staff", ""}}, Identity{Name: "ana"}, ErrNoRole},
		"no groups":          {map[string]any{"groups": nil}, Identity{Name: "ana"}, ErrNoRole},
		"groups of numbers":  {map[string]any{"groups": []int{1}}, Identity{Name: "ana"}, ErrNoRole},
		"groups of a kind":   {map[string]any{"groups": map[string]any{"soc-leads": true}}, Identity{Name: "ana"}, ErrNoRole},
		"named by mail":      {map[string]any{"groups": "staff", "preferred_username": nil, "email": "a@x.invalid"}, Identity{Name: "a@x.invalid", Role: Viewer}, nil},
		"named by nothing":   {map[string]any{"groups": "staff", "preferred_username": 7}, Identity{Name: "u-7", Role: Viewer}, nil},
		"name that deceives": {map[string]any{"groups": "staff", "preferred_username": " a\u202en\x1ba\r\n "}, Identity{Name: "ana", Role: Viewer}, nil},
		"name without end":   {map[string]any{"groups": "staff", "preferred_username": strings.Repeat("ä", 500)}, Identity{Name: strings.Repeat("ä", 100), Role: Viewer}, nil},
		"two audiences":      {map[string]any{"groups": "staff", "aud": []string{"collector", "other"}, "azp": "collector"}, Identity{Name: "ana", Role: Viewer}, nil},
	} {
		p := newProvider(t)
		p.claims = c.claims
		got, err := logIn(t, p, clientFor(t, p))
		c.want.Subject, c.want.Next = p.URL+"|u-7", "/alerts?level=malicious"
		if !errors.Is(err, c.err) || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s\n got %+v, %v\nwant %+v, %v", name, got, err, c.want, c.err)
		}
	}
}

// TestOIDCRefuses bends one thing of a log-in that is good otherwise.
func TestOIDCRefuses(t *testing.T) {
	hour := time.Now().Add(-time.Hour).Unix()
	for name, bend := range map[string]func(p *provider){
		"wrong audience":      func(p *provider) { p.claims = map[string]any{"aud": "other"} },
		"no audience":         func(p *provider) { p.claims = map[string]any{"aud": nil} },
		"two audiences":       func(p *provider) { p.claims = map[string]any{"aud": []string{"collector", "other"}} },
		"made for another":    func(p *provider) { p.claims = map[string]any{"azp": "other"} },
		"wrong nonce":         func(p *provider) { p.claims = map[string]any{"nonce": "x"} },
		"no nonce":            func(p *provider) { p.claims = map[string]any{"nonce": nil} },
		"expired":             func(p *provider) { p.claims = map[string]any{"exp": hour} },
		"no expiry":           func(p *provider) { p.claims = map[string]any{"exp": nil} },
		"not yet":             func(p *provider) { p.claims = map[string]any{"nbf": time.Now().Add(time.Hour).Unix()} },
		"other issuer":        func(p *provider) { p.claims = map[string]any{"iss": "https://other.invalid"} },
		"no issuer":           func(p *provider) { p.claims = map[string]any{"iss": nil} },
		"no subject":          func(p *provider) { p.claims = map[string]any{"sub": nil} },
		"endless subject":     func(p *provider) { p.claims = map[string]any{"sub": strings.Repeat("x", 256)} },
		"other access token":  func(p *provider) { p.claims = map[string]any{"at_hash": "x"} },
		"alg none":            func(p *provider) { p.sign = signNone },
		"alg none, signed":    func(p *provider) { p.sign = signNoneWithSignature },
		"HMAC with secret":    func(p *provider) { p.sign = signHMAC([]byte("s3cret")) },
		"HMAC with RSA key":   func(p *provider) { p.sign = signHMAC(x509.MarshalPKCS1PublicKey(&p.rsa.PublicKey)) },
		"key of somebody":     func(p *provider) { p.sign = signForeign },
		"changed after":       func(p *provider) { p.sign = signChanged },
		"no token":            func(p *provider) { p.sign = func(*provider, map[string]any) string { return "" } },
		"no JWT":              func(p *provider) { p.sign = func(*provider, map[string]any) string { return "x.y.z" } },
		"endpoint redirects":  func(p *provider) { p.redirect = true },
		"answer is no token":  func(p *provider) { p.garbled = true },
		"code already spent":  func(p *provider) { clear(p.codes) },
		"verifier of another": func(p *provider) { p.bendCodes("code_challenge") },
	} {
		p := newProvider(t)
		o := clientFor(t, p)
		location, cookie, err := o.Begin(t.Context(), "/", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		answer := p.agree(location)
		bend(p)
		got, err := o.Finish(t.Context(), answer, cookie, time.Now())
		switch {
		case err == nil:
			t.Errorf("%s: logged in as %+v", name, got)
		case errors.Is(err, ErrFlow), errors.Is(err, ErrNoRole):
			t.Errorf("%s: not what is wrong: %v", name, err)
		case strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 400 || strings.Contains(err.Error(), "body of the answer"):
			t.Errorf("%s: not one line of ours: %q", name, err)
		}
		if strings.HasPrefix(name, "code ") && !strings.Contains(err.Error(), "invalid_grant") {
			t.Errorf("%s: what the provider complains of is lost: %v", name, err)
		}
		if got.Role != "" || got.Subject != "" {
			t.Errorf("%s: an identity comes with the error: %+v", name, got)
		}
		if p.exchanges != 1 {
			t.Errorf("%s: %d requests for a token, want 1", name, p.exchanges)
		}
	}
}

func (p *provider) bendCodes(parameter string) {
	for _, asked := range p.codes {
		asked.Set(parameter, "x")
	}
}

func signNone(_ *provider, claims map[string]any) string {
	return jwt("none", "", claims, func([]byte) []byte { return nil })
}

func signNoneWithSignature(p *provider, claims map[string]any) string {
	return jwt("none", "r", claims, p.rsaSignature(p.rsa))
}

func signHMAC(key []byte) func(*provider, map[string]any) string {
	return func(_ *provider, claims map[string]any) string {
		return jwt("HS256", "r", claims, func(input []byte) []byte {
			mac := hmac.New(sha256.New, key)
			mac.Write(input)
			return mac.Sum(nil)
		})
	}
}

func signForeign(p *provider, claims map[string]any) string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		p.t.Error(err)
	}
	return jwt("RS256", "r", claims, p.rsaSignature(key))
}

func signChanged(p *provider, claims map[string]any) string {
	good := strings.Split(p.signRS256(claims), ".")
	claims["sub"] = "admin"
	return strings.Join([]string{good[0], strings.Split(p.signRS256(claims), ".")[1], good[2]}, ".")
}

// TestOIDCFlow bends how the browser comes back: the provider is not even asked.
func TestOIDCFlow(t *testing.T) {
	p := newProvider(t)
	o := clientFor(t, p)
	now := time.Now()
	location, cookie, err := o.Begin(t.Context(), "//evil.invalid/", now)
	if err != nil {
		t.Fatal(err)
	}
	good := p.agree(location)
	_, otherCookie, _ := o.Begin(t.Context(), "/", now)
	foreign := clientFor(t, p)
	_, foreignCookie, _ := foreign.Begin(t.Context(), "/", now)
	with := func(name, value string) url.Values {
		q := url.Values{"code": good["code"], "state": good["state"]}
		q.Set(name, value)
		return q
	}
	for name, c := range map[string]struct {
		query  url.Values
		cookie string
		now    time.Time
	}{
		"no cookie":             {good, "", now},
		"cookie of another":     {good, otherCookie, now},
		"cookie of another key": {good, foreignCookie, now},
		"no state":              {with("state", ""), cookie, now},
		"other state":           {with("state", "x"), cookie, now},
		"other issuer":          {with("iss", "https://other.invalid"), cookie, now},
		"too late":              {good, cookie, now.Add(FlowLimit + time.Second)},
	} {
		if _, err := o.Finish(t.Context(), c.query, c.cookie, c.now); !errors.Is(err, ErrFlow) {
			t.Errorf("%s: %v, want ErrFlow", name, err)
		}
	}
	if p.exchanges != 0 {
		t.Fatalf("the provider was asked %d times", p.exchanges)
	}
	who, err := o.Finish(t.Context(), with("iss", p.URL), cookie, now)
	if err != nil || who.Next != "/" {
		t.Errorf("the good one: %+v, %v", who, err)
	}
	if _, err := o.Finish(t.Context(), good, cookie, now); !errors.Is(err, ErrFlow) || p.exchanges != 1 {
		t.Errorf("replayed: %v, the provider was asked %d times", err, p.exchanges)
	}
}

func TestOIDCProviderRefuses(t *testing.T) {
	p := newProvider(t)
	o := clientFor(t, p)
	location, cookie, err := o.Begin(t.Context(), "/", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	q := p.agree(location)
	q.Set("error", "access_denied\r\n"+strings.Repeat("x", 1000))
	_, err = o.Finish(t.Context(), q, cookie, time.Now())
	if err == nil || p.exchanges != 0 || strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 200 {
		t.Errorf("%v, the provider was asked %d times", err, p.exchanges)
	}
}

// The client secret is shown in the way that the provider takes, at once: a
// second try would find the code spent.
func TestOIDCClientSecret(t *testing.T) {
	for name, c := range map[string]struct {
		methods []string
		secret  string
		want    string
	}{
		"not told":      {nil, "s3cret", "header"},
		"both":          {[]string{"client_secret_post", "client_secret_basic"}, "s3cret", "header"},
		"form only":     {[]string{"client_secret_post", "private_key_jwt"}, "s3cret", "form"},
		"public client": {nil, "", "none"},
	} {
		p := newProvider(t)
		p.secret = c.secret
		if c.methods != nil {
			p.discovery = map[string]any{"token_endpoint_auth_methods_supported": c.methods}
		}
		config := configFor(p)
		config.ClientSecret = c.secret
		o, err := NewOIDC(config, sealer(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := logIn(t, p, o); err != nil || p.shown != c.want || p.exchanges != 1 {
			t.Errorf("%s: shown in %s, want %s; %d requests, %v", name, p.shown, c.want, p.exchanges, err)
		}
	}
}

// A provider that goes down during a log-in is told of by host, not by URL.
func TestOIDCProviderGone(t *testing.T) {
	p := newProvider(t)
	o := clientFor(t, p)
	location, cookie, err := o.Begin(t.Context(), "/", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	q := p.agree(location)
	p.Close()
	_, err = o.Finish(t.Context(), q, cookie, time.Now())
	if err == nil || strings.Contains(err.Error(), "/token") || strings.Contains(err.Error(), q.Get("code")) {
		t.Errorf("%v", err)
	}
	if _, _, err := clientFor(t, p).Begin(t.Context(), "/", time.Now()); err == nil {
		t.Error("a log-in began at a provider that is down")
	}
}

// A provider that is down or lies about itself keeps people out, and lets them
// in when it is well again.
func TestOIDCDiscovery(t *testing.T) {
	p := newProvider(t)
	o := clientFor(t, p)
	for name, bent := range map[string]map[string]any{
		"other issuer":           {"issuer": "https://other.invalid"},
		"token endpoint in text": {"token_endpoint": "http://other.invalid/token"},
		"keys in text":           {"jwks_uri": "http://other.invalid/keys"},
		"no keys":                {"jwks_uri": nil},
		"page in text":           {"authorization_endpoint": "http://other.invalid/authorize"},
		"page with a script":     {"authorization_endpoint": "javascript:alert(1)"},
		"endless":                {"x": strings.Repeat("x", maxAnswer)},
	} {
		p.discovery = bent
		if _, _, err := o.Begin(t.Context(), "/", time.Now()); err == nil {
			t.Errorf("%s: the log-in began", name)
		}
	}
	p.discovery = nil
	if _, err := logIn(t, p, o); err != nil {
		t.Errorf("when it is well again: %v", err)
	}
}

func TestOIDCConfig(t *testing.T) {
	p := newProvider(t)
	for name, bend := range map[string]func(c *OIDCConfig){
		"issuer in text":       func(c *OIDCConfig) { c.Issuer = "http://idp.invalid" },
		"issuer with password": func(c *OIDCConfig) { c.Issuer = "https://a:b@idp.invalid" },
		"no issuer":            func(c *OIDCConfig) { c.Issuer = "" },
		"redirect in text":     func(c *OIDCConfig) { c.RedirectURL = "http://collector.invalid/" },
		"no client":            func(c *OIDCConfig) { c.ClientID = "" },
		"no rules":             func(c *OIDCConfig) { c.Rules = nil },
		"no such role":         func(c *OIDCConfig) { c.Rules = []GroupRule{{Group: "x", Role: "root"}} },
		"groups but no claim":  func(c *OIDCConfig) { c.GroupClaim = "" },
	} {
		c := configFor(p)
		bend(&c)
		if _, err := NewOIDC(c, sealer(t), nil); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
	c := configFor(p)
	c.GroupClaim, c.Rules = "", []GroupRule{{Role: Viewer}}
	o, err := NewOIDC(c, sealer(t), http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	if who, err := logIn(t, p, o); err != nil || who.Role != Viewer {
		t.Errorf("a rule for everybody: %+v, %v", who, err)
	}
}
