package collect

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"meetguard/internal/store"
)

// identify finds the agent that sends a request, by what it can prove: the
// certificate of its connection or, where a proxy opens TLS, its bearer secret
// with a signature. What the body says of itself plays no part. The store is
// asked each time, so that a revocation counts at once.
func (s *Server) identify(r *http.Request) (store.AgentStatus, error) {
	if s.authority == nil {
		return store.AgentStatus{}, errUnknownAgent
	}
	certs, err := s.shownCertificate(r)
	if err != nil {
		return store.AgentStatus{}, err
	}
	uid, expired, err := s.authority.VerifyClient(certs, s.now())
	if err != nil {
		return store.AgentStatus{}, errUnknownAgent
	}
	sum := sha256.Sum256(certs[0].Raw)
	cred, agent, err := s.store.Credential(r.Context(), hex.EncodeToString(sum[:]))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return store.AgentStatus{}, errEnrolAgain // signed by us, and forgotten on purpose
	case err != nil:
		return store.AgentStatus{}, err
	case cred.AgentUID != uid || !cred.RevokedAt.IsZero():
		return store.AgentStatus{}, errEnrolAgain
	case expired && !strings.HasSuffix(r.URL.Path, "/renew"):
		return store.AgentStatus{}, refuseCode(http.StatusUnauthorized, "expired", "the certificate has expired: renew it")
	case expired && s.now().Sub(cred.ExpiresAt) > maxExpired:
		return store.AgentStatus{}, errEnrolAgain
	}
	return agent, agentState(agent)
}

// maxExpired is how long after its end a certificate may still be renewed: a
// machine that lay in a drawer comes back by itself.
const maxExpired = 365 * 24 * time.Hour

var (
	errUnknownAgent = refuseCode(http.StatusUnauthorized, "unknown", "no valid certificate of an agent of this collector: enrol with meetguard enroll")
	errEnrolAgain   = refuseCode(http.StatusUnauthorized, "enroll_again", "this identity counts no more: enrol again")
	errSuspended    = refuseCode(http.StatusForbidden, "suspended", "this agent is suspended: it keeps its alerts until it is restored")
)

// agentState refuses agents by what people decided about them. A cloned one is
// heard: its alerts are worth more than its name.
func agentState(a store.AgentStatus) error {
	switch a.State {
	case store.AgentSuspended:
		return errSuspended
	case store.AgentRevoked:
		return errEnrolAgain
	}
	return nil
}

// shownCertificate is the certificate of the connection, or the one of the
// headers if bearer and signature prove it.
func (s *Server) shownCertificate(r *http.Request) ([]*x509.Certificate, error) {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		return r.TLS.PeerCertificates, nil
	}
	if r.Header.Get("X-MG-Certificate") == "" {
		return nil, errUnknownAgent
	}
	return s.signedRequest(r)
}

// newBearer makes a bearer secret and what the store keeps of it.
func newBearer() (secret, hash string) {
	var raw [32]byte
	rand.Read(raw[:]) // never fails, see crypto/rand
	secret = hex.EncodeToString(raw[:])
	return secret, hashSecret(secret)
}

// hashSecret is what the store keeps of a secret.
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
