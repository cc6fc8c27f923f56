package alert

import (
	"context"
	"fmt"
	"sync"
	"time"

	"meetguard"
)

// health remembers how the last delivery ended.
type health struct {
	mu    sync.Mutex
	err   error
	since time.Time // when the last run of failures began, or the last delivery succeeded
}

// set notes the outcome of a delivery. An end that was asked for is none.
func (h *health) set(ctx context.Context, err error) {
	if err != nil && ctx.Err() != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil || h.err == nil {
		h.since = time.Now()
	}
	h.err = err
}

// answers says whether the last delivery worked.
func (h *health) answers() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err == nil && !h.since.IsZero()
}

// Health tells whether the collector answers. Alerts wait in the log while it
// does not, so that the state is never worse than degraded.
func (s *Sender) Health() meetguard.SourceStatus {
	s.health.mu.Lock()
	defer s.health.mu.Unlock()
	st := meetguard.SourceStatus{Name: "collector", State: meetguard.SourceOK}
	switch {
	case s.health.err != nil:
		st.State = meetguard.SourceDegraded
		st.Detail = fmt.Sprintf("no delivery since %s: %v; alerts wait in the log", s.health.since.UTC().Format(time.RFC3339), s.health.err)
	case s.health.since.IsZero():
		st.Detail = "not asked yet"
	}
	return st
}
