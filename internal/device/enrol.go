package device

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// enrolRequest is the body of POST /v1/agent/enroll.
type enrolRequest struct {
	Token     string `json:"token"`
	CSR       string `json:"csr"`
	Agent     Labels `json:"agent"`
	MachineID string `json:"machine_id"`
	BootID    string `json:"boot_id"`
}

// renewRequest is the body of POST /v1/agent/renew.
type renewRequest struct {
	CSR       string `json:"csr"`
	MachineID string `json:"machine_id"`
	BootID    string `json:"boot_id"`
}

// grant is the answer to both.
type grant struct {
	AgentUID    string `json:"agent_uid"`
	Certificate string `json:"certificate"`
	CA          string `json:"ca"`
	Bearer      string `json:"bearer"`
}

// Enrol makes a new key and has the collector sign it, and replaces the identity
// in the state folder once that is done. token is the whole word. The log of
// alerts is not touched.
func (d *Device) Enrol(ctx context.Context, token string) error {
	d.turn.Lock()
	defer d.turn.Unlock()
	return d.enrol(ctx, token)
}

// enrolByFile enrols with the token that the operator's file holds now. A token
// that was refused is tried later and later, another one at once.
func (d *Device) enrolByFile(ctx context.Context) error {
	d.mu.Lock()
	tokens, missing := d.tokens, d.missing(d.trouble)
	d.mu.Unlock()
	if d.cfg.TokenFile == "" {
		return missing
	}
	token, err := ReadToken(d.cfg.TokenFile)
	if err == nil && token == tokens.token {
		if closed := tokens.closed(d.now()); closed != nil {
			return closed
		}
	}
	if err == nil {
		err = d.enrol(ctx, token)
	}
	if err == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var refused *Refusal
	if errors.As(err, &refused) && refused.denies() {
		if d.tokens.token != token {
			d.tokens = gate{token: token}
		}
		d.tokens.shut(d.now(), refused)
		err = d.tokens.why
	}
	d.trouble = err
	return err
}

func (d *Device) enrol(ctx context.Context, token string) error {
	secret, pin, err := parseToken(token)
	switch {
	case err != nil:
		return fmt.Errorf("enrol: %w", err)
	case d.plain():
		return errors.New("enrol: over http nobody can prove anything; give the collector's https address")
	case pin == "" && d.cfg.Trust == "":
		return errors.New("enrol: the token has no pin of the collector's CA; say with collector_ca whom to trust")
	}
	roots, err := d.enrolRoots(ctx, pin)
	if err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	cred, err := d.pending()
	if err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	csr, err := cred.request()
	if err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	t := d.newTransport(roots, func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return new(tls.Certificate), nil })
	defer t.CloseIdleConnections()
	g, state, err := d.ask(ctx, t, "enrol", "/v1/agent/enroll", enrolRequest{secret, csr, d.cfg.Labels, d.cfg.Machine.ID, d.cfg.Machine.Boot}, nil)
	if err != nil {
		return err
	}
	return d.adopt(cred, g, state)
}

// pending is the key of an enrolment. It is kept before it is used: if the answer
// is lost, the same key with the same token is still the same enrolment.
func (d *Device) pending() (*credential, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.id.Pending; c != nil {
		if _, err := c.signer(); err == nil {
			return c, nil
		}
	}
	c, err := newCredential()
	if err != nil {
		return nil, err
	}
	d.id.Pending = c
	if d.unread { // an identity that only somebody else can read is not ours to destroy
		return c, nil
	}
	return c, d.folder.write(d.id)
}

// enrolRoots finds whom to trust with the token. A first connection trusts
// nobody: it fails, and leaves the chain that was sent. The certificate in it
// that has the pin is the only root of the second one.
func (d *Device) enrolRoots(ctx context.Context, pin string) (*x509.CertPool, error) {
	if d.cfg.Trust != "" {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.roots()
	}
	t := d.newTransport(x509.NewCertPool(), nil)
	defer t.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, d.base.String()+"/v1/agent/enroll", nil)
	if err != nil {
		return nil, err
	}
	resp, err := t.RoundTrip(req)
	if err == nil {
		resp.Body.Close()
		return nil, errors.New("verify the collector: a certificate was taken without any root")
	}
	var failed *tls.CertificateVerificationError
	if !errors.As(err, &failed) {
		return nil, explain(err, d.cfg.Trust)
	}
	for _, c := range failed.UnverifiedCertificates {
		if pinOf(c) == pin {
			pool := x509.NewCertPool()
			pool.AddCert(c)
			return pool, nil
		}
	}
	return nil, errors.New("verify the collector: the CA of whoever answers is not that of the token; check the address, and whether a proxy opens TLS on the way: then name its CA with collector_ca")
}

func pinOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return letters.EncodeToString(sum[:secretSize])
}

// ask posts a request for a certificate. cred signs it if it is not nil.
func (d *Device) ask(ctx context.Context, t *http.Transport, what, path string, body any, cred *credential) (grant, *tls.ConnectionState, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	text, err := json.Marshal(body)
	if err != nil {
		return grant{}, nil, fmt.Errorf("%s: %w", what, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.base.String()+path, bytes.NewReader(text))
	if err != nil {
		return grant{}, nil, fmt.Errorf("%s: %w", what, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-MG-Agent-Version", d.cfg.Labels.Version)
	if cred != nil {
		d.mu.Lock()
		req, err = d.sign(req, cred)
		d.mu.Unlock()
		if err != nil {
			return grant{}, nil, fmt.Errorf("%s: %w", what, err)
		}
	}
	resp, err := t.RoundTrip(req)
	if err != nil {
		return grant{}, nil, fmt.Errorf("%s: %w", what, explain(err, d.cfg.Trust))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return grant{}, nil, refusalOf(what, resp)
	}
	g, err := readGrant(resp.Body)
	if err != nil {
		err = fmt.Errorf("%s: read answer of collector: %w", what, err)
	}
	return g, resp.TLS, err
}

func readGrant(body io.Reader) (grant, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err == nil && len(text) > maxAnswer {
		err = fmt.Errorf("it is longer than %d bytes", maxAnswer)
	}
	var g grant
	if err == nil {
		err = json.Unmarshal(text, &g)
	}
	if err == nil && !reUID.MatchString(g.AgentUID) {
		err = errors.New("it names no agent")
	}
	return g, err
}

// vouches says whether the roots that an answer names would accept who gave it:
// an agent must not lock itself out.
func (d *Device) vouches(ca string, state *tls.ConnectionState) error {
	if d.cfg.Trust != "" {
		return nil // whoever answered is not the collector itself
	}
	pool, err := parsePool(ca)
	if err != nil {
		return err
	}
	if state == nil || len(state.PeerCertificates) == 0 {
		return errors.New("verify the collector: it showed no certificate")
	}
	opts := x509.VerifyOptions{Roots: pool, Intermediates: x509.NewCertPool(), DNSName: d.base.Hostname()}
	for _, c := range state.PeerCertificates[1:] {
		opts.Intermediates.AddCert(c)
	}
	if _, err := state.PeerCertificates[0].Verify(opts); err != nil {
		return fmt.Errorf("verify the collector: the CA that it names does not vouch for it: %w", err)
	}
	return nil
}

// adopt makes the answer to an enrolment the identity.
func (d *Device) adopt(cred *credential, g grant, state *tls.ConnectionState) error {
	cred = &credential{Key: cred.Key, Certificate: g.Certificate}
	err := cred.load(g.AgentUID)
	if err == nil && !reBearer.MatchString(g.Bearer) {
		err = errors.New("it holds no bearer")
	}
	if err == nil {
		err = d.vouches(g.CA, state)
	}
	if err != nil {
		return fmt.Errorf("enrol: the answer of the collector cannot be used: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	id := &identity{Version: identityVersion, Collector: d.base.String(), AgentUID: g.AgentUID, CA: g.CA, Bearer: g.Bearer,
		MachineID: d.cfg.Machine.ID, Enrolled: d.now().UTC(), Current: cred}
	if err := d.folder.write(id); err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	d.id, d.trouble, d.again, d.renewNow, d.renewNot, d.onNext = id, nil, false, false, time.Time{}, false
	d.gate, d.tokens, d.unread = gate{}, gate{}, false
	d.drop()
	d.log.Info("Enrolled", "collector", d.base.String(), "agent", g.AgentUID, "until", cred.pair.Leaf.NotAfter)
	return nil
}
