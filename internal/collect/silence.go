package collect

import (
	"context"
	"fmt"
	"time"

	"meetguard/internal/store"
)

// How silence is watched. An agent is silent after two of its intervals and
// grace, see store.AgentStatus.Overdue.
const (
	watchEvery   = 2 * time.Second
	silenceGrace = 4 * time.Second // heartbeats wait a second for the store, and agents spread theirs by a tenth
	leaseTime    = 6 * time.Second
	maxSilent    = 500 // alarms at once: the rest follows in the next round
)

// Names of the work that one collector does for all.
const (
	leaseSilence   = "silence"
	leaseRetention = "retention"
)

// watchSilence raises an alarm about each agent that falls silent, until ctx is
// done. What happened while no collector listened is nobody's silence: after a
// pause all agents get their time anew.
func (s *Server) watchSilence(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := s.checkSilence(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("Silence of agents not checked", "error", err)
			}
		}
	}
}

// checkSilence is one round. The time since when somebody has listened without
// a pause stands in the store, so that collectors take over from each other.
func (s *Server) checkSilence(ctx context.Context) error {
	now := s.now()
	mine, err := s.store.Lease(ctx, leaseSilence, s.name, now, now.Add(leaseTime))
	if err != nil || !mine {
		return err
	}
	since, err := s.listeningSince(ctx, now)
	if err != nil {
		return err
	}
	silent, err := s.store.Silent(ctx, now, silenceGrace, maxSilent)
	if err != nil {
		return err
	}
	for _, a := range silent {
		if now.Sub(since) <= 2*a.Interval+silenceGrace {
			continue
		}
		if _, waiting := s.beats.log(a.UID); waiting {
			continue
		}
		if err := s.alarmSilence(ctx, a, now); err != nil {
			return err
		}
	}
	return nil
}

// maxPause is how long nobody may have listened without agents being given
// their time anew.
const maxPause = 2 * leaseTime

// listeningSince keeps and returns since when the collectors listen.
func (s *Server) listeningSince(ctx context.Context, now time.Time) (time.Time, error) {
	var since, last time.Time
	text, _, err := s.store.Setting(ctx, "listening")
	if err != nil {
		return now, err
	}
	if a, b, ok := cutTimes(text); ok {
		since, last = a, b
	}
	if since.IsZero() || now.Sub(last) > maxPause || last.After(now.Add(maxPause)) {
		since = now
	}
	if now.Sub(last) > leaseTime/2 || since.Equal(now) || last.After(now) { // not each round
		err = s.store.SetSetting(ctx, "listening", since.UTC().Format(time.RFC3339Nano)+" "+now.UTC().Format(time.RFC3339Nano))
	}
	return since, err
}

func cutTimes(text string) (a, b time.Time, ok bool) {
	var x, y string
	if n, _ := fmt.Sscan(text, &x, &y); n != 2 {
		return a, b, false
	}
	a, errA := time.Parse(time.RFC3339Nano, x)
	b, errB := time.Parse(time.RFC3339Nano, y)
	return a, b, errA == nil && errB == nil
}

func (s *Server) alarmSilence(ctx context.Context, a store.AgentStatus, now time.Time) error {
	first, err := s.store.MarkSilent(ctx, a.UID, a.LastSeen, now)
	if err != nil || !first {
		return err
	}
	detail := fmt.Sprintf("Nothing was heard of it since %s, though it reports every %s and did not say that it stops.",
		stamp(a.LastSeen), a.Interval)
	if a.LastSeen.Equal(a.EnrolledAt) {
		detail = fmt.Sprintf("It enrolled at %s and has never reported since, though it was told to do so every %s: its service may not run.",
			stamp(a.EnrolledAt), a.Interval)
	}
	return s.alarm(ctx, a.Agent, breach{ruleSilent, fmt.Sprint(a.LastSeen.UnixMilli()), detail})
}
