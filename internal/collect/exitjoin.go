package collect

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"meetguard/internal/exits"
	"meetguard/internal/store"
)

// exitLease is how long one collector feeds an exit before it asks again. It
// outlasts the slowest batch.
const exitLease = 2 * time.Minute

// exitWait is how often an exit looks for new alerts.
const exitWait = 2 * time.Second

// newPumps makes what feeds the exits.
func (s *Server) newPumps(all []exits.Config) ([]*exits.Pump, error) {
	var pumps []*exits.Pump
	for _, cfg := range all {
		x, err := exits.New(cfg)
		if err != nil {
			return nil, fmt.Errorf("exit %s: %w", cfg.Name, err)
		}
		pumps = append(pumps, exits.NewPump(exits.PumpConfig{
			Exit: x, Source: exitSource{s}, Config: cfg, Logger: s.log, Newest: s.store.LastSeq,
			Lease: func(ctx context.Context) (bool, error) {
				now := s.now()
				return s.store.Lease(ctx, "exit "+cfg.Name, s.name, now, now.Add(exitLease))
			},
		}))
	}
	return pumps, nil
}

func (s *Server) feedExits(ctx context.Context) error { return runPumps(ctx, s.pumps) }

// runPumps runs all exits until ctx is done. One that is dead holds up none.
func runPumps(ctx context.Context, pumps []*exits.Pump) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, p := range pumps {
		group.Go(func() error { return p.Run(ctx) })
	}
	return group.Wait()
}

// exitSource is the store as an exit sees it.
type exitSource struct{ s *Server }

func (x exitSource) Since(ctx context.Context, seq int64, limit int) ([]exits.Item, error) {
	alerts, err := x.s.store.Since(ctx, store.Everything, seq, limit)
	if err != nil {
		return nil, err
	}
	items := make([]exits.Item, 0, len(alerts))
	for _, a := range alerts {
		items = append(items, exits.Item{Seq: a.Seq, ID: a.ID, AgentUID: a.AgentUID, Hostname: a.Hostname, Group: a.Group,
			ReceivedAt: a.ReceivedAt, Level: a.Level, Status: a.Status, Record: a.Record})
	}
	return items, nil
}

func (x exitSource) Cursor(ctx context.Context, name string) (int64, error) {
	c, _, err := x.s.store.Cursor(ctx, name)
	return c.Seq, err
}

// Advance keeps the outcome of a try. Only the holder of the lease comes here,
// so that what is read is still true when it is written.
func (x exitSource) Advance(ctx context.Context, name string, seq int64, sent int, failure string) error {
	c, _, err := x.s.store.Cursor(ctx, name)
	if err != nil {
		return err
	}
	now := x.s.now()
	c.Name, c.Seq, c.Sent, c.Error, c.UpdatedAt = name, max(c.Seq, seq), c.Sent+int64(sent), failure, now
	if failure != "" {
		c.FailedAt = now
	}
	return x.s.store.SetCursor(ctx, c)
}

func (x exitSource) Wait(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(exitWait):
	}
}
