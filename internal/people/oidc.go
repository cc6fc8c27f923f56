package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/oauth2"
)

const (
	// FlowLimit is how long somebody may take at the provider.
	FlowLimit = 10 * time.Minute

	flowsKept = 1 << 16 // flows that are known as used
	flowUse   = "log-in with OpenID Connect"
)

// Errors of a log-in that callers tell apart.
var (
	ErrFlow   = errors.New("the log-in was not begun here, took too long or was used before: begin again")
	ErrNoRole = errors.New("no group of the person has a role here")
)

// OIDCConfig says how to log in with an OpenID Connect provider.
type OIDCConfig struct {
	Issuer       string // URL, https but on loopback
	ClientID     string
	ClientSecret string   // "" for a public client
	RedirectURL  string   // of this collector, as the provider knows it
	Scopes       []string // besides openid and profile
	GroupClaim   string   // claim of the ID token that lists groups
	Rules        []GroupRule
}

// GroupRule gives people of a group of the provider a role. The first rule that
// meets a person counts, alone: two never add up to more than one of them gives.
type GroupRule struct {
	Group  string // at the provider; "" meets everybody
	Role   Role
	Groups []string // of agents that they are limited to; empty: all
}

// Identity is who the provider says somebody is, and what that means here.
type Identity struct {
	Subject string // issuer|sub: the only thing that an account may be found by
	Name    string // for people; anybody may have taken it
	Role    Role
	Groups  []string
	Next    string // path that the person wanted
}

// OIDC logs people in with the authorization code flow of OpenID Connect Core
// 1.0, with PKCE (RFC 7636). The provider is first asked when somebody logs in,
// so that one that is down does not keep a collector from starting.
type OIDC struct {
	config OIDCConfig
	sealer *Sealer
	client *http.Client

	mu       sync.Mutex
	provider *oidc.Provider // nil until it has answered
	style    oauth2.AuthStyle
	used     *simplelru.LRU[string, struct{}]
}

// NewOIDC checks the configuration. The transport may be nil for the default.
func NewOIDC(c OIDCConfig, s *Sealer, transport http.RoundTripper) (*OIDC, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("configure OpenID Connect: %w", err)
	}
	used, err := simplelru.NewLRU[string, struct{}](flowsKept, nil)
	if err != nil {
		return nil, err
	}
	return &OIDC{config: c, sealer: s, client: providerClient(transport), used: used}, nil
}

func (c OIDCConfig) check() error {
	switch {
	case !secureURL(c.Issuer):
		return errors.New("the issuer must be an https URL")
	case !secureURL(c.RedirectURL):
		return errors.New("the redirect URL must be an https URL")
	case c.ClientID == "":
		return errors.New("the client id is missing")
	case len(c.Rules) == 0:
		return errors.New("no rule gives anybody a role")
	}
	for _, r := range c.Rules {
		if _, err := ParseRole(string(r.Role)); err != nil {
			return err
		}
		if r.Group != "" && c.GroupClaim == "" {
			return errors.New("rules name groups, but the claim that lists them is not set")
		}
	}
	return nil
}

// flow is a log-in under way, as the browser keeps it for us, sealed.
type flow struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"` // PKCE
	Next     string `json:"p"`
}

// Begin returns where to send the browser, and the ticket for the cookie
// FlowCookie. The person is led to the path next afterwards, see LocalPath.
func (o *OIDC) Begin(ctx context.Context, next string, now time.Time) (location, cookie string, err error) {
	conf, _, err := o.ready(ctx)
	if err != nil {
		return "", "", err
	}
	f := flow{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Next: LocalPath(next)}
	cookie, err = o.sealer.SealTicket(flowUse, f, now.Add(FlowLimit))
	if err != nil {
		return "", "", err
	}
	return conf.AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), cookie, nil
}

// Finish checks what the provider sent the browser back with, and returns who
// it is. The error is ErrFlow if it does not belong to the cookie, and ErrNoRole
// if the person is known but has no business here.
func (o *OIDC) Finish(ctx context.Context, query url.Values, cookie string, now time.Time) (Identity, error) {
	f, err := o.redeem(query, cookie, now)
	if err != nil {
		return Identity{}, err
	}
	if code := query.Get("error"); code != "" {
		return Identity{}, fmt.Errorf("log in: the provider refused: %q", cut(code, 40))
	}
	conf, provider, err := o.ready(ctx)
	if err != nil {
		return Identity{}, err
	}
	ctx = oidc.ClientContext(ctx, o.client)
	token, err := conf.Exchange(ctx, query.Get("code"), oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return Identity{}, fmt.Errorf("log in: %w", exchangeError(err))
	}
	id, err := o.verify(ctx, provider, token, f.Nonce, now)
	if err != nil {
		return Identity{}, fmt.Errorf("log in: %w", err)
	}
	who, err := o.config.identity(id)
	who.Next = f.Next
	return who, err
}

// redeem returns the flow of the cookie if the answer belongs to it, once. An
// answer that names its issuer must name ours (RFC 9207).
func (o *OIDC) redeem(query url.Values, cookie string, now time.Time) (flow, error) {
	var f flow
	if err := o.sealer.OpenTicket(flowUse, cookie, now, &f); err != nil {
		return flow{}, ErrFlow
	}
	if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(f.State)) != 1 {
		return flow{}, ErrFlow
	}
	if iss := query.Get("iss"); iss != "" && iss != o.config.Issuer {
		return flow{}, ErrFlow
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.used.Contains(f.State) {
		return flow{}, ErrFlow
	}
	o.used.Add(f.State, struct{}{})
	return f, nil
}

// verify checks the ID token as OpenID Connect Core 1.0, section 3.1.3.7, says.
func (o *OIDC) verify(ctx context.Context, p *oidc.Provider, token *oauth2.Token, nonce string, now time.Time) (*oidc.IDToken, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, errors.New("the provider sent no ID token")
	}
	id, err := p.Verifier(&oidc.Config{
		ClientID:             o.config.ClientID,
		SupportedSigningAlgs: signingAlgorithms(),
		Now:                  func() time.Time { return now },
	}).Verify(ctx, raw)
	if err != nil { // it may repeat what the token says, at any length
		return nil, fmt.Errorf("check ID token: %s", cut(err.Error(), 200))
	}
	var claims struct {
		Party string `json:"azp"`
	}
	if err := id.Claims(&claims); err != nil {
		return nil, fmt.Errorf("read ID token: %w", err)
	}
	switch {
	case nonce == "" || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		return nil, errors.New("the ID token was made for another log-in")
	case claims.Party != "" && claims.Party != o.config.ClientID, claims.Party == "" && len(id.Audience) != 1:
		return nil, errors.New("the ID token was made for another client")
	case id.Subject == "" || len(id.Subject) > 255: // section 2: at most 255 characters
		return nil, errors.New("the ID token names nobody")
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return nil, errors.New("the ID token belongs to another access token")
		}
	}
	return id, nil
}

// signingAlgorithms are those with a public key; with the others a client
// secret would do to make a token.
func signingAlgorithms() []string {
	return []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}
}

// ready returns the provider, and asks it for its endpoints if nobody has yet.
func (o *OIDC) ready(ctx context.Context) (*oauth2.Config, *oidc.Provider, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.provider == nil {
		if err := o.discover(ctx); err != nil {
			return nil, nil, fmt.Errorf("ask the OpenID Connect provider: %w", err)
		}
	}
	endpoint := o.provider.Endpoint()
	endpoint.AuthStyle = o.style
	return &oauth2.Config{
		ClientID:     o.config.ClientID,
		ClientSecret: o.config.ClientSecret,
		Endpoint:     endpoint,
		RedirectURL:  o.config.RedirectURL,
		Scopes:       append([]string{oidc.ScopeOpenID, "profile"}, o.config.Scopes...),
	}, o.provider, nil
}

// discover asks for the endpoints, which must be as safe as the issuer.
func (o *OIDC) discover(ctx context.Context) error {
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, o.client), o.config.Issuer)
	if err != nil {
		return err
	}
	var more struct {
		Keys    string   `json:"jwks_uri"`
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := p.Claims(&more); err != nil {
		return err
	}
	for _, u := range []string{p.Endpoint().AuthURL, p.Endpoint().TokenURL, more.Keys} {
		if !secureURL(u) {
			return errors.New("one of its endpoints is no https URL")
		}
	}
	o.provider, o.style = p, authStyle(o.config.ClientSecret, more.Methods)
	return nil
}

// authStyle is how to show the client secret: in the header, which is the
// default (OpenID Connect Discovery 1.0, section 3), unless the provider does
// not take that. To try both would spend the code.
func authStyle(secret string, methods []string) oauth2.AuthStyle {
	if secret == "" || len(methods) > 0 && !slices.Contains(methods, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// exchangeError is what the token endpoint answered, without the answer's body.
func exchangeError(err error) error {
	var e *oauth2.RetrieveError
	if errors.As(err, &e) && e.Response != nil {
		return fmt.Errorf("the provider did not take the code: status %d, %q", e.Response.StatusCode, cut(e.ErrorCode, 40))
	}
	var u *url.Error
	if errors.As(err, &u) { // its URL may hold more than the host
		return fmt.Errorf("ask the provider: %w", u.Err)
	}
	return errors.New("the provider's answer to the code cannot be read")
}
