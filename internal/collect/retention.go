package collect

import (
	"context"
	"time"

	"meetguard/internal/people"
)

// Retention is how long what is stored is kept. Zero keeps it for good.
type Retention struct {
	Closed time.Duration // alerts that are closed or suppressed
	Open   time.Duration // alerts that nobody closed
	Audit  time.Duration
}

// DefaultRetention keeps alerts for a year, open ones for two, the audit for two.
var DefaultRetention = Retention{Closed: 365 * day, Open: 730 * day, Audit: 730 * day}

const day = 24 * time.Hour

// How retention works: in small pieces, so that no agent waits for it.
const (
	retainEvery = 10 * time.Minute
	retainPiece = 500 // rows deleted at once
	retainPause = 50 * time.Millisecond
)

// retain deletes what has grown old, until ctx is done.
func (s *Server) retain(ctx context.Context) error {
	for wait := time.Minute; ; wait = retainEvery {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
			if err := s.retainOnce(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("Old alerts not deleted", "error", err)
			}
		}
	}
}

func (s *Server) retainOnce(ctx context.Context) error {
	now := s.now()
	mine, err := s.store.Lease(ctx, leaseRetention, s.name, now, now.Add(retainEvery))
	if err != nil || !mine {
		return err
	}
	before := func(keep time.Duration) time.Time {
		if keep <= 0 {
			return time.UnixMilli(1)
		}
		return now.Add(-keep)
	}
	err = inPieces(ctx, func() (int, error) {
		return s.store.Expire(ctx, before(s.cfg.Retention.Closed), before(s.cfg.Retention.Open), retainPiece)
	})
	if err != nil {
		return err
	}
	err = inPieces(ctx, func() (int, error) { return s.store.ExpireAudit(ctx, before(s.cfg.Retention.Audit), retainPiece) })
	if err != nil {
		return err
	}
	return inPieces(ctx, func() (int, error) { return s.store.ExpireTries(ctx, before(people.ForgetTries), retainPiece) })
}

// inPieces repeats a deletion until there is nothing left to delete.
func inPieces(ctx context.Context, piece func() (int, error)) error {
	for {
		n, err := piece()
		if err != nil || n < retainPiece {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retainPause):
		}
	}
}
