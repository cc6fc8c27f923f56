package collect

import (
	"context"
	"errors"
	"fmt"

	"meetguard/internal/store"
)

// AddAccount makes an account from the command line and returns its first
// password, which has to be changed.
func (s *Server) AddAccount(ctx context.Context, name, role string, groups []string) (password string, err error) {
	if err := checkRights(role, groups); err != nil {
		return "", err
	}
	u, password, err := s.makeUser(ctx, userRequest{Name: name, Role: role, Groups: groups})
	if errors.Is(err, store.ErrTaken) {
		return "", fmt.Errorf("there is an account %q already", name)
	}
	if err != nil {
		return "", err
	}
	return password, s.recordCommand(ctx, "user.create", u.Name, role)
}

// ResetAccount gives an account a new first password, takes its second factor
// and ends its sessions.
func (s *Server) ResetAccount(ctx context.Context, name string) (password string, err error) {
	u, err := s.store.UserByName(ctx, name)
	if err != nil {
		return "", err
	}
	if password, err = s.resetUser(ctx, u); err != nil {
		return "", err
	}
	return password, s.recordCommand(ctx, "user.reset", name, "")
}

func (s *Server) resetUser(ctx context.Context, u store.User) (password string, err error) {
	password = firstPassword()
	if u.PasswordHash, err = s.hasher.Hash(ctx, password); err != nil {
		return "", err
	}
	u.TOTP, u.Recovery, u.MustChange, u.Disabled = nil, nil, true, false
	if err := s.store.UpdateUser(ctx, u); err != nil {
		return "", err
	}
	_, err = s.store.EndSessions(ctx, u.ID)
	return password, err
}

func (s *Server) recordCommand(ctx context.Context, action, target, detail string) error {
	return s.store.Record(ctx, store.AuditEntry{ID: store.NewID(), At: s.now(), Who: "command line", Action: action, Target: target, Detail: detail})
}
