package collect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"meetguard/internal/store"
)

// cookieName is the cookie of a log-in. Its prefix makes browsers refuse it from
// anywhere but this host over TLS.
const cookieName = "__Host-mgsession"

// The kinds of sessions.
const (
	kindLogin = "login"
	kindToken = "token"
)

// How long sessions last.
const (
	sessionIdle  = 8 * time.Hour  // without a request
	sessionLife  = 24 * time.Hour // at most
	touchSession = time.Minute    // seen-at is written at most that often
)

// apiTokenPrefix begins every API token, so that scanners of leaked secrets know it.
const apiTokenPrefix = "mgt_"

// sessionSecret returns what the request shows: an API token before a cookie. A
// header with anything else counts as shown, and does not hold.
func sessionSecret(r *http.Request) (secret string, shown bool) {
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, value, _ := strings.Cut(h, " ")
		if !strings.EqualFold(scheme, "Bearer") || !strings.HasPrefix(value, apiTokenPrefix) {
			return "", true
		}
		return value, true
	}
	if c, err := r.Cookie(cookieName); err == nil && !strings.HasPrefix(c.Value, apiTokenPrefix) {
		return c.Value, true
	}
	return "", false
}

// session returns the session of the secret and its account, or ErrNotFound if
// it does not hold any more.
func (s *Server) session(ctx context.Context, secret string) (store.Session, store.User, error) {
	now := s.now()
	session, user, err := s.store.Session(ctx, hashSecret(secret), now)
	if err != nil {
		return session, user, err
	}
	isToken := strings.HasPrefix(secret, apiTokenPrefix)
	switch {
	case user.Disabled, isToken != (session.Kind == kindToken):
		return session, user, store.ErrNotFound
	case !isToken && now.Sub(session.SeenAt) > sessionIdle:
		return session, user, store.ErrNotFound
	}
	if now.Sub(session.SeenAt) >= touchSession {
		err = s.store.TouchSession(ctx, session.Hash, now)
	}
	return session, user, err
}

// hashSecret is what the store keeps of a secret: secrets have 256 random bits,
// so a plain hash does.
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
