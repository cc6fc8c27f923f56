package collect

import (
	"errors"
	"net/http"
	"strings"

	"meetguard/internal/store"
)

// identify tells which agent sent the request, by what it can prove and never
// by what it says.
func (s *Server) identify(r *http.Request) (store.AgentStatus, error) {
	secret, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		return store.AgentStatus{}, errNoLogin
	}
	credential, status, err := s.store.Credential(r.Context(), hashSecret(secret))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return status, errNoLogin
	case err != nil:
		return status, err
	case !credential.RevokedAt.IsZero(), !s.now().Before(credential.ExpiresAt), status.State != store.AgentActive:
		return status, errNoLogin
	}
	return status, nil
}
