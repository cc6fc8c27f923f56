package collect

import (
	"net/http"
	"time"

	"meetguard/internal/pki"
	"meetguard/internal/store"
)

// Bounds of an enrolment token.
const (
	tokenLife    = 30 * 24 * time.Hour  // if nobody says
	maxTokenLife = 366 * 24 * time.Hour // at most
	maxTokenUses = 1_000_000
)

type tokensResponse struct {
	Tokens []store.Token `json:"tokens"`
}

func (s *Server) getTokens(r *http.Request) (any, error) {
	if err := noQuery(r); err != nil {
		return nil, err
	}
	tokens, err := s.store.Tokens(r.Context(), callerOf(r).Scope)
	return tokensResponse{tokens}, err
}

// tokenRequest asks for a token. Zero expires_at is 30 days, zero max_uses any
// number.
type tokenRequest struct {
	Group     string    `json:"group"`
	Note      string    `json:"note"`
	ExpiresAt time.Time `json:"expires_at"`
	MaxUses   int       `json:"max_uses"`
}

// tokenResponse tells the secret: only now, it is not kept.
type tokenResponse struct {
	store.Token
	Secret string `json:"secret"` // the one word for "meetguard enroll"
	Line   string `json:"line"`   // the command to run on the device
}

func (s *Server) postToken(r *http.Request) (any, error) {
	var q tokenRequest
	if err := readBody(r, &q); err != nil {
		return nil, err
	}
	return s.createToken(r, q)
}

func (s *Server) createToken(r *http.Request, q tokenRequest) (tokenResponse, error) {
	if q.Group == "" {
		q.Group = DefaultGroup
	}
	if err := checkGroup(r, q.Group); err != nil {
		return tokenResponse{}, err
	}
	if err := q.check(s.now()); err != nil {
		return tokenResponse{}, err
	}
	res, err := s.makeToken(r, q)
	if err != nil {
		return res, err
	}
	return res, s.record(r, "token.create", res.ID, "group "+res.Group)
}

func (q *tokenRequest) check(now time.Time) error {
	if q.ExpiresAt.IsZero() {
		q.ExpiresAt = now.Add(tokenLife)
	}
	switch {
	case !isPlain(q.Note, maxLabel):
		return refuse(http.StatusBadRequest, "the note must be one line of at most 256 bytes")
	case !q.ExpiresAt.After(now) || q.ExpiresAt.After(now.Add(maxTokenLife)):
		return refuse(http.StatusBadRequest, "expires_at must be a time in the next 366 days")
	case q.MaxUses < 0 || q.MaxUses > maxTokenUses:
		return refuse(http.StatusBadRequest, "max_uses must be 0 (any number) to 1000000")
	}
	return nil
}

// makeToken stores a new token and returns it with its secret.
func (s *Server) makeToken(r *http.Request, q tokenRequest) (tokenResponse, error) {
	t := store.Token{
		ID: store.NewID(), Group: q.Group, Note: q.Note, CreatedBy: callerOf(r).Name,
		CreatedAt: s.now().UTC(), ExpiresAt: q.ExpiresAt.UTC(), MaxUses: q.MaxUses,
	}
	secret := pki.NewSecret()
	if err := s.store.CreateToken(r.Context(), t, pki.HashSecret(secret)); err != nil {
		return tokenResponse{}, err
	}
	word := pki.FormatToken(secret, s.pin())
	return tokenResponse{Token: t, Secret: word, Line: "meetguard enroll " + s.cfg.PublicURL + " " + word}, nil
}

func (s *Server) deleteToken(r *http.Request) error {
	if err := noQuery(r); err != nil {
		return err
	}
	id := pathID(r, "id")
	if err := s.store.RevokeToken(r.Context(), callerOf(r).Scope, id, s.now()); err != nil {
		return err
	}
	return s.record(r, "token.revoke", id, "")
}
