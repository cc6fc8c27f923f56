package collect

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"meetguard/internal/pki"
	"meetguard/internal/store"
)

// identify finds the agent that sends a request, by what it can prove: the
// certificate of its connection or, where a proxy opens TLS, a bearer and the
// signature of its key. What the body says of itself plays no part. The store is
// asked for the agent each time, so that a revocation counts at once.
func (s *Server) identify(r *http.Request) (store.AgentStatus, error) {
	if s.authority == nil {
		return store.AgentStatus{}, errUnknownAgent
	}
	if agent, known, err := s.recognise(r); known || err != nil {
		return agent, err
	}
	client, err := s.authority.ClientOf(r, s.now())
	if errors.Is(err, pki.ErrClock) {
		return store.AgentStatus{}, refuseCode(http.StatusUnauthorized, "clock", "the date of the request is more than five minutes off")
	}
	if err != nil {
		return store.AgentStatus{}, errUnknownAgent
	}
	if err := checkSeal(client, r); err != nil {
		return store.AgentStatus{}, err
	}
	if client.Foreign {
		return s.foreign(r.Context(), client)
	}
	cred, agent, err := s.store.Credential(r.Context(), client.Hash)
	switch {
	case errors.Is(err, store.ErrNotFound): // signed by us, and forgotten on purpose
		return store.AgentStatus{}, errEnrolAgain
	case err != nil:
		return store.AgentStatus{}, err
	case cred.AgentUID != client.UID || !cred.RevokedAt.IsZero():
		return store.AgentStatus{}, errEnrolAgain
	case client.Expired && r.URL.Path != "/v1/agent/renew":
		return store.AgentStatus{}, refuseCode(http.StatusUnauthorized, "expired", "the certificate has expired: renew it")
	case client.Expired && s.now().Sub(cred.ExpiresAt) > maxExpired:
		return store.AgentStatus{}, errEnrolAgain
	}
	if client.Bearer != "" {
		bearer, _, err := s.store.Credential(r.Context(), client.Bearer)
		if err != nil || bearer.AgentUID != client.UID || !bearer.RevokedAt.IsZero() {
			return store.AgentStatus{}, errUnknownAgent
		}
	} else {
		s.badges.put(r.TLS.PeerCertificates[0], agent, s.now())
	}
	return agent, agentState(agent)
}

// recognise finds an agent by a certificate that was verified before. What has
// changed about the agent since is seen, because the store is asked for it.
func (s *Server) recognise(r *http.Request) (agent store.AgentStatus, known bool, err error) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 || r.Header.Get("X-MG-Certificate") != "" {
		return agent, false, nil
	}
	leaf := r.TLS.PeerCertificates[0]
	b, known := s.badges.get(leaf, s.now())
	if !known {
		return agent, false, nil
	}
	agent, err = s.store.Standing(r.Context(), b.uid)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && !agent.EnrolledAt.Equal(b.enrolled):
		s.badges.drop(leaf) // forgotten, and perhaps enrolled anew
		return store.AgentStatus{}, false, nil
	case err == nil:
		err = agentState(agent)
	}
	return agent, true, err
}

// checkSeal reads the body of a request that is known by its headers only, and
// checks that the device's key signed it.
func checkSeal(client pki.Client, r *http.Request) error {
	if client.Bearer == "" {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return readError(err)
	}
	if client.Sealed(r, body) != nil {
		return errUnknownAgent
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// foreign is an agent with a certificate of the operator's own CA: whoever
// issued it has decided that the agent may report.
func (s *Server) foreign(ctx context.Context, client pki.Client) (store.AgentStatus, error) {
	agent, err := s.store.Agent(ctx, store.Everything, client.UID)
	if errors.Is(err, store.ErrNotFound) {
		if err := s.store.Admit(ctx, store.Agent{UID: client.UID}, DefaultGroup, s.now()); err != nil {
			return store.AgentStatus{}, err
		}
		agent, err = s.store.Agent(ctx, store.Everything, client.UID)
	}
	if err != nil {
		return store.AgentStatus{}, err
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
