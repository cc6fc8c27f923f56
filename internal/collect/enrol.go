package collect

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"meetguard/internal/pki"
	"meetguard/internal/store"
)

// maxEnrolment bounds the body of an enrolment, in bytes.
const maxEnrolment = 32 << 10

type enrolRequest struct {
	Token     string      `json:"token"`
	CSR       string      `json:"csr"`
	Agent     store.Agent `json:"agent"`
	MachineID string      `json:"machine_id"`
	BootID    string      `json:"boot_id"`
}

type enrolResponse struct {
	AgentUID    string `json:"agent_uid"`
	Certificate string `json:"certificate"`
	CA          string `json:"ca"`
	Bearer      string `json:"bearer,omitempty"`
	NextCheckin int    `json:"next_checkin_s"`
}

// postEnroll makes an agent of a device that holds a token. A device that holds
// the key of an agent that is there already tries again: it gets a certificate
// for the same key and spends no further use.
func (s *Server) postEnroll(w http.ResponseWriter, r *http.Request) {
	var q enrolRequest
	if err := readEnrolment(r, &q); err != nil {
		s.fail(w, r, err)
		return
	}
	if err := s.enrolling.enter(r.Context(), callerOf(r).Address); err != nil {
		s.fail(w, r, errBusy())
		return
	}
	defer s.enrolling.leave()
	res, err := s.enrol(r, q)
	if err != nil {
		s.limits.charge(callerOf(r), refusedCost, s.now())
		_ = s.recordAs(r, "device", "agent.enrol.refused", column(q.Agent.Hostname, maxLabel), err.Error()) // it is refused either way
		s.fail(w, r, err)
		return
	}
	writeJSON(w, res)
}

func (s *Server) enrol(r *http.Request, q enrolRequest) (enrolResponse, error) {
	if s.authority == nil {
		return enrolResponse{}, refuse(http.StatusServiceUnavailable, "this collector has no certificate authority")
	}
	uid, err := pki.DeviceUID(q.CSR)
	if err != nil {
		return enrolResponse{}, refuse(http.StatusBadRequest, "the csr cannot be used: "+err.Error())
	}
	now := s.now()
	cert, err := s.issue(q.CSR, uid, now)
	if err != nil {
		return enrolResponse{}, err
	}
	bearer := pki.NewBearer()
	bearerCred := store.Credential{AgentUID: uid, Hash: pki.HashSecret(bearer), Kind: "bearer", IssuedAt: now, ExpiresAt: cert.credential.ExpiresAt.AddDate(1, 0, 0)}
	n := store.NewAgent{
		Agent: cleaned(q.Agent), MachineID: column(q.MachineID, maxLabel), Secret: pki.HashSecret(q.Token),
		Credentials: []store.Credential{cert.credential, bearerCred}, Interval: s.pace.interval(),
		Audit: s.auditEntry(r, "agent:"+uid, "agent.enrol", uid, q.Agent.Hostname),
	}
	n.UID = uid
	if err := s.keepAgent(r.Context(), n, now); err != nil {
		return enrolResponse{}, err
	}
	return enrolResponse{uid, cert.pem, s.authority.Trust(), bearer, int(s.pace.interval() / time.Second)}, nil
}

// keepAgent stores a device that enrols, in one transaction. One that is known
// shows the key that it enrolled with, and spends no further use of its token.
func (s *Server) keepAgent(ctx context.Context, n store.NewAgent, now time.Time) error {
	switch known, err := s.store.Standing(ctx, n.UID); {
	case err == nil && known.State == store.AgentActive:
		return s.store.Renew(ctx, n.UID, n.Audit, n.Credentials...)
	case err == nil:
		return refuseCode(http.StatusUnauthorized, "enroll_again", "this identity counts no more: enrol with a new key")
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	return enrolError(s.store.Enrol(ctx, n, now))
}

func enrolError(err error) error {
	if errors.Is(err, store.ErrRefused) {
		return refuseCode(http.StatusUnauthorized, "token", "the token is unknown, spent, expired or revoked: ask for a new one")
	}
	return err
}

// postRenew gives an agent a certificate for its next key.
func (s *Server) postRenew(w http.ResponseWriter, r *http.Request) {
	var q struct {
		CSR       string `json:"csr"`
		MachineID string `json:"machine_id"`
		BootID    string `json:"boot_id"`
	}
	if err := readEnrolment(r, &q); err != nil {
		s.fail(w, r, err)
		return
	}
	who := callerOf(r)
	if who.Kind != agent {
		s.fail(w, r, refuseCode(http.StatusUnauthorized, "unknown", "only an agent that is enrolled can renew"))
		return
	}
	now := s.now()
	cert, err := s.issue(q.CSR, who.Agent.UID, now)
	if err == nil {
		audit := s.auditEntry(r, "agent:"+who.Agent.UID, "agent.renew", who.Agent.UID, "")
		err = s.store.Renew(r.Context(), who.Agent.UID, audit, cert.credential)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, enrolResponse{who.Agent.UID, cert.pem, s.authority.Trust(), "", int(s.pace.interval() / time.Second)})
}

// issued is a certificate and what the store keeps of it.
type issued struct {
	pem        string
	credential store.Credential
}

func (s *Server) issue(csr, uid string, now time.Time) (issued, error) {
	if s.authority == nil {
		return issued{}, refuse(http.StatusServiceUnavailable, "this collector has no certificate authority")
	}
	c, err := s.authority.SignDevice(csr, uid, now)
	if err != nil {
		return issued{}, refuse(http.StatusBadRequest, "the csr cannot be used: "+err.Error())
	}
	return issued{string(c.PEM), store.Credential{AgentUID: uid, Hash: c.Hash, Kind: "certificate", IssuedAt: now, ExpiresAt: c.Expires}}, nil
}

// readEnrolment reads a small body into v. Unknown keys are ignored: a newer agent
// may say more.
func readEnrolment(r *http.Request, v any) error {
	if packed, err := isGzip(r.Header); err != nil || packed {
		return refuse(http.StatusUnsupportedMediaType, "the body must be plain application/json")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return readError(err)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return refuse(http.StatusBadRequest, "the body is not a JSON object of the expected form")
	}
	return nil
}
