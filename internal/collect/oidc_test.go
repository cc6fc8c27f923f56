package collect

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"meetguard/internal/people"
)

// provider is a small OpenID Connect provider; what it may get wrong is tried in
// internal/people.
type provider struct {
	*httptest.Server
	t      *testing.T
	key    *ecdsa.PrivateKey
	nonce  string
	groups []string
	now    func() time.Time
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{t: t, key: key, groups: []string{"soc"}}
	mux := http.NewServeMux()
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.write(w, map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys"})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		point, err := key.PublicKey.Bytes() // 4, X, Y
		if err != nil {
			t.Error(err)
		}
		p.write(w, map[string]any{"keys": []any{map[string]any{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1", "x": b64(point[1:33]), "y": b64(point[33:])}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, _ *http.Request) {
		p.write(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": p.idToken()})
	})
	return p
}

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func (p *provider) write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		p.t.Error(err)
	}
}

func (p *provider) idToken() string {
	claims, err := json.Marshal(map[string]any{"iss": p.URL, "aud": "collector", "sub": "u-7", "nonce": p.nonce, "preferred_username": "Mia Wu",
		"groups": p.groups, "iat": p.now().Unix(), "exp": p.now().Add(time.Hour).Unix()})
	if err != nil {
		p.t.Error(err)
	}
	text := b64([]byte(`{"alg":"ES256","kid":"1"}`)) + "." + b64(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, sum[:])
	if err != nil {
		p.t.Error(err)
	}
	return text + "." + b64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// logIn goes to the provider and comes back.
func (p *provider) logIn(s *someone, next string) answer {
	p.t.Helper()
	start := s.do("GET", "/v1/oidc/start?next="+url.QueryEscape(next), nil)
	to, err := url.Parse(start.header.Get("Location"))
	if err != nil || start.status != 303 || !strings.HasPrefix(to.String(), p.URL+"/auth?") {
		p.t.Fatalf("%d to %v, %v", start.status, to, err)
	}
	p.nonce = to.Query().Get("nonce")
	return s.do("GET", "/v1/oidc/callback?code=c&session_state=theirs&state="+url.QueryEscape(to.Query().Get("state")), nil)
}

func TestLogInByProvider(t *testing.T) {
	p := newProvider(t)
	a := newAPISite(t, func(c *Config) {
		c.OIDC = &people.OIDCConfig{Issuer: p.URL, ClientID: "collector", RedirectURL: "https://collector.invalid/v1/oidc/callback", GroupClaim: "groups",
			Rules: []people.GroupRule{{Group: "leads", Role: people.Admin}, {Group: "soc", Role: people.Analyst, Groups: []string{"sales"}}}}
	})
	p.now = a.clock
	s := a.visitor()
	res := p.logIn(s, "/alerts/x?y=<z>")
	if res.status != 200 || !strings.Contains(res.body, `content="0;url=/alerts/x?y=&lt;z&gt;"`) {
		t.Fatalf("%d %s", res.status, res.body)
	}
	var me meResponse
	s.want(200, "GET", "/v1/me", nil, &me)
	if me.User.Name != "mia-wu" || me.User.Role != "analyst" || len(me.User.Groups) != 1 || me.User.Subject != p.URL+"|u-7" {
		t.Errorf("%+v", me)
	}
	s.want(409, "POST", "/v1/me/password", map[string]any{"old": "", "new": goodPassword}, nil)
	s.want(401, "POST", "/v1/login", map[string]any{"name": "mia-wu", "password": ""}, nil)

	id := me.User.ID
	p.groups = []string{"leads"} // another role at the next log-in, of the same account
	p.logIn(s, "//evil.invalid")
	s.want(200, "GET", "/v1/me", nil, &me)
	if me.User.ID != id || me.User.Role != "admin" || len(me.User.Groups) != 0 {
		t.Errorf("%+v", me)
	}
	p.groups = nil
	if res := p.logIn(a.visitor(), "/"); res.status != 403 {
		t.Errorf("no role: %d", res.status)
	}
	u, err := a.store.User(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	u.Disabled = true
	if err := a.store.UpdateUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	p.groups = []string{"leads"}
	if res := p.logIn(a.visitor(), "/"); res.status != 403 {
		t.Errorf("disabled: %d", res.status)
	}
	v := a.visitor()
	v.want(401, "GET", "/v1/oidc/callback?code=c&state=x", nil, nil)
	p.Close()
	if res := p.logIn(v, "/"); res.status != 502 {
		t.Errorf("the provider is away: %d", res.status)
	}
}
