package device

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// renewPause is the longest pause after a renewal that did not work.
const renewPause = time.Hour

// renewIfDue renews the certificate from two thirds of its life on. A renewal
// that does not work is told by Health and tried again within the hour, and stops
// a request only if the certificate is over.
func (d *Device) renewIfDue(ctx context.Context) error {
	now := d.now()
	d.mu.Lock()
	leaf := d.active().pair.Leaf
	over := now.After(leaf.NotAfter) || d.renewNow
	due := over || now.After(renewAt(leaf)) && !d.onNext && !now.Before(d.renewNot)
	ready := due && !d.onNext && d.id.Next != nil && d.id.Next.pair != nil
	if ready { // it was put aside when a connection failed
		d.onNext = true
		d.drop()
	}
	d.mu.Unlock()
	if !due || ready {
		return nil
	}
	err := d.renew(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trouble = err
	if err == nil {
		d.renewNow = false
		return nil
	}
	d.renewNot = now.Add(time.Minute + rand.N(renewPause-time.Minute))
	d.log.Warn("Certificate not renewed", "error", err)
	if over {
		return err
	}
	return nil
}

func (d *Device) renew(ctx context.Context) error {
	d.mu.Lock()
	cred := d.active()
	next, err := d.nextKey()
	t, terr := d.client()
	signs := d.signs()
	d.mu.Unlock()
	if err = errors.Join(err, terr); err != nil {
		return fmt.Errorf("renew certificate: %w", err)
	}
	csr, err := next.request()
	if err != nil {
		return fmt.Errorf("renew certificate: %w", err)
	}
	var signer *credential
	if signs {
		signer = cred
	}
	g, state, err := d.ask(ctx, t, "renew certificate", "/v1/agent/renew", renewRequest{csr, d.cfg.Machine.ID, d.cfg.Machine.Boot}, signer)
	var refused *Refusal
	if errors.As(err, &refused) && refused.Code != codeExpired {
		d.learnRefusal(refused)
	}
	if err != nil {
		return err
	}
	return d.take(next, g, state)
}

// nextKey is the new key of a renewal, kept before it is used. d.mu is held.
func (d *Device) nextKey() (*credential, error) {
	if d.onNext { // the one in use was never proven and is over already
		d.id.Current, d.id.Next, d.onNext = d.id.Next, nil, false
	}
	if n := d.id.Next; n != nil && n.Certificate == "" {
		if _, err := n.signer(); err == nil {
			return n, nil
		}
	}
	c, err := newCredential()
	if err != nil {
		return nil, err
	}
	d.id.Next = c
	return c, d.folder.write(d.id)
}

// take keeps the answer to a renewal and uses it from now on. The old certificate
// stays until the new one has worked.
func (d *Device) take(next *credential, g grant, state *tls.ConnectionState) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	cred := &credential{Key: next.Key, Certificate: g.Certificate}
	err := cred.load(d.id.AgentUID)
	if err == nil {
		err = d.vouches(g.CA, state)
	}
	if err != nil {
		return fmt.Errorf("renew certificate: the answer of the collector cannot be used: %w", err)
	}
	if g.CA != "" {
		d.id.CA = g.CA
	}
	if reBearer.MatchString(g.Bearer) {
		d.id.Bearer = g.Bearer
	}
	d.id.Next, d.onNext = cred, true
	d.drop()
	if err := d.folder.write(d.id); err != nil {
		return fmt.Errorf("renew certificate: %w", err)
	}
	d.log.Info("Certificate renewed", "agent", d.id.AgentUID, "until", cred.pair.Leaf.NotAfter)
	return nil
}

// fallBack goes back to the old certificate: for good if the new one was refused,
// and until the next renewal if it only might be the reason of a failure.
func (d *Device) fallBack(cred *credential, refused bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.onNext || d.id.Next != cred {
		return
	}
	d.onNext = false
	d.drop()
	d.renewNot = d.now().Add(rand.N(renewPause))
	if !refused {
		return
	}
	d.id.Next = nil
	d.trouble = errors.New("renew certificate: the collector refused the new one; the old one is in use")
	if err := d.folder.write(d.id); err != nil {
		d.log.Warn("Identity not written", "error", err)
	}
}
