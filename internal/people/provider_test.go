package people

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// provider is an OpenID Connect provider on loopback with real keys. Its fields
// are what a test may bend.
type provider struct {
	*httptest.Server
	t         *testing.T
	rsa       *rsa.PrivateKey
	ec        *ecdsa.PrivateKey
	discovery map[string]any // over what is right
	claims    map[string]any // over what is right; nil takes a claim out
	sign      func(p *provider, claims map[string]any) string
	codes     map[string]url.Values // of the authorization requests that were agreed to
	exchanges int                   // requests for a token
	redirect  bool                  // the token endpoint sends the client elsewhere
	garbled   bool                  // the token endpoint answers what is no token
	secret    string                // of the client, "" for a public one
	shown     string                // how the client showed it: "header", "form" or "none"
}

// rsaKey makes one key for all providers: it takes a while.
var rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{t: t, secret: "s3cret", codes: map[string]url.Values{}, sign: (*provider).signES256}
	var err error
	if p.rsa, err = rsaKey(); err != nil {
		t.Fatal(err)
	}
	if p.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.serveDiscovery)
	mux.HandleFunc("GET /keys", p.serveKeys)
	mux.HandleFunc("POST /token", p.serveToken)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func over(right, bent map[string]any) map[string]any {
	for k, v := range bent {
		if v == nil {
			delete(right, k)
			continue
		}
		right[k] = v
	}
	return right
}

func (p *provider) serveDiscovery(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, over(map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"RS256", "ES256", "HS256", "none"},
	}, p.discovery))
}

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func (p *provider) serveKeys(w http.ResponseWriter, _ *http.Request) {
	x, y := make([]byte, 32), make([]byte, 32)
	p.ec.X.FillBytes(x)
	p.ec.Y.FillBytes(y)
	writeJSON(w, map[string]any{"keys": []map[string]any{
		{"kty": "RSA", "kid": "r", "use": "sig", "alg": "RS256", "n": b64(p.rsa.N.Bytes()), "e": b64(big.NewInt(int64(p.rsa.E)).Bytes())},
		{"kty": "EC", "kid": "e", "use": "sig", "alg": "ES256", "crv": "P-256", "x": b64(x), "y": b64(y)},
	}})
}

// agree is the person who logs in at the provider: it returns what the browser
// comes back with.
func (p *provider) agree(location string) url.Values {
	p.t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		p.t.Fatal(err)
	}
	q := u.Query()
	if u.Path != "/authorize" || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" {
		p.t.Errorf("authorization request %s", location)
	}
	code := rand.Text()
	p.codes[code] = q
	return url.Values{"code": {code}, "state": {q.Get("state")}}
}

// serveToken gives a token for a code, once, to who shows its verifier.
func (p *provider) serveToken(w http.ResponseWriter, r *http.Request) {
	p.exchanges++
	if err := r.ParseForm(); err != nil {
		p.t.Error(err)
	}
	if p.redirect {
		http.Redirect(w, r, "http://elsewhere.invalid/", http.StatusTemporaryRedirect)
		return
	}
	if p.garbled {
		writeJSON(w, []string{"no", "token"})
		return
	}
	id, secret := p.client(r)
	code := r.PostForm.Get("code")
	asked, known := p.codes[code]
	delete(p.codes, code)
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !known || id != "collector" || secret != p.secret || b64(challenge[:]) != asked.Get("code_challenge") ||
		r.PostFormValue("redirect_uri") != asked.Get("redirect_uri") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		w.Write([]byte(`{"error":"invalid_grant","error_description":"body of the answer"}`))
		return
	}
	now := time.Now()
	claims := over(map[string]any{
		"iss": p.URL, "aud": "collector", "sub": "u-7", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "nonce": asked.Get("nonce"),
		"preferred_username": "ana", "groups": []string{"staff", "soc"},
	}, p.claims)
	writeJSON(w, map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": p.sign(p, claims)})
}

// client is who asks for a token, and how it shows that it is.
func (p *provider) client(r *http.Request) (id, secret string) {
	if id, secret, ok := r.BasicAuth(); ok {
		p.shown = "header"
		return id, secret
	}
	p.shown = "form"
	if !r.PostForm.Has("client_secret") {
		p.shown = "none"
	}
	return r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
}

func jwt(alg, kid string, claims map[string]any, sign func(input []byte) []byte) string {
	header, _ := json.Marshal(map[string]string{"alg": alg, "kid": kid, "typ": "JWT"})
	body, _ := json.Marshal(claims)
	input := b64(header) + "." + b64(body)
	return input + "." + b64(sign([]byte(input)))
}

func (p *provider) signES256(claims map[string]any) string {
	return jwt("ES256", "e", claims, func(input []byte) []byte {
		sum := sha256.Sum256(input)
		r, s, err := ecdsa.Sign(rand.Reader, p.ec, sum[:])
		if err != nil {
			p.t.Error(err)
		}
		sig := make([]byte, 64)
		r.FillBytes(sig[:32])
		s.FillBytes(sig[32:])
		return sig
	})
}

func (p *provider) signRS256(claims map[string]any) string {
	return jwt("RS256", "r", claims, p.rsaSignature(p.rsa))
}

func (p *provider) rsaSignature(key *rsa.PrivateKey) func([]byte) []byte {
	return func(input []byte) []byte {
		sum := sha256.Sum256(input)
		sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			p.t.Error(err)
		}
		return sig
	}
}
