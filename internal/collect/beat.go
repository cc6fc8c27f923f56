package collect

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"meetguard/internal/store"
)

// Bounds of what a heartbeat may say about its own interval.
const (
	minInterval = 5 * time.Second
	maxInterval = 24 * time.Hour
)

// heartbeat is the part of a heartbeat that the collector understands.
type heartbeat struct {
	Seq       uint64  `json:"seq"`
	Head      string  `json:"head"`
	Interval  float64 `json:"interval_s"`
	Stopping  bool    `json:"stopping"`
	MachineID string  `json:"machine_id"`
	BootID    string  `json:"boot_id"`
	Damage    struct {
		Places  uint64 `json:"places"`
		Missing uint64 `json:"missing"`
	} `json:"damage"`
	Status struct {
		Sources []struct {
			Name   string `json:"name"`
			State  string `json:"state"`
			Detail string `json:"detail"`
		} `json:"sources"`
	} `json:"status"`
}

// parseBeat reads a heartbeat: an object, small, and free in what else it says.
// A part that is of another form than expected is no reason to refuse an alert.
func parseBeat(text json.RawMessage) (*store.Beat, error) {
	raw := compact(text)
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil, nil
	case len(raw) > maxHeartbeat:
		return nil, refuse(http.StatusRequestEntityTooLarge, "the heartbeat is larger than 64 KiB")
	case raw[0] != '{':
		return nil, refuse(http.StatusBadRequest, "the heartbeat is not an object")
	}
	raw = bytes.ToValidUTF8(raw, []byte("\ufffd"))
	var h heartbeat
	_ = json.Unmarshal(raw, &h) // what cannot be read stays zero
	b := &store.Beat{
		Interval: DefaultInterval, Stopping: h.Stopping, Seq: h.Seq, Head: column(h.Head, maxLabel),
		BootID: column(h.BootID, maxLabel), MachineID: column(h.MachineID, maxLabel),
		Damage: h.damage(), Trouble: h.trouble(), Body: raw,
	}
	if h.Interval > 0 {
		b.Interval = time.Duration(min(max(h.Interval, minInterval.Seconds()), maxInterval.Seconds()) * float64(time.Second)) // bounded first: a large number is no duration
	}
	return b, nil
}

// damage says what the agent found in its own log, "" for nothing.
func (h *heartbeat) damage() string {
	if h.Damage.Places == 0 && h.Damage.Missing == 0 {
		return ""
	}
	return fmt.Sprintf("%d places that cannot be read or do not follow what is before them, %d lines gone from its beginning or end", h.Damage.Places, h.Damage.Missing)
}

// trouble names the sources that are not well, in one line.
func (h *heartbeat) trouble() string {
	var all []string
	for _, src := range h.Status.Sources {
		if src.State != "ok" && src.State != "" && len(all) < 10 {
			all = append(all, fmt.Sprintf("%s %s: %s", column(src.Name, 64), column(src.State, 16), column(src.Detail, maxLabel)))
		}
	}
	return column(strings.Join(all, "; "), maxText)
}

// beatKeeper holds heartbeats until they are stored together: the newest one of
// each agent. Its memory is bounded by the number of agents.
type beatKeeper struct {
	mu    sync.Mutex
	beats map[string]store.Beat
}

func newBeatKeeper() *beatKeeper { return &beatKeeper{beats: map[string]store.Beat{}} }

func (k *beatKeeper) add(b store.Beat) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.beats[b.Agent.UID] = b
}

// log is where the log of an agent stands by a heartbeat that still waits.
func (k *beatKeeper) log(uid string) (store.LogState, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	b, ok := k.beats[uid]
	if !ok || b.Log == nil {
		return store.LogState{}, false
	}
	return *b.Log, true
}

// drop takes out the heartbeat of one agent.
func (k *beatKeeper) drop(uid string) (store.Beat, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	b, ok := k.beats[uid]
	delete(k.beats, uid)
	return b, ok
}

// take empties the keeper.
func (k *beatKeeper) take() []store.Beat {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := make([]store.Beat, 0, len(k.beats))
	for _, b := range k.beats {
		all = append(all, b)
	}
	clear(k.beats)
	return all
}

// maxBeats is how many heartbeats are stored at once.
const maxBeats = 1000

// storeBeats stores what has come together, each second until ctx is done.
func (s *Server) storeBeats(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.flushBeats(context.WithoutCancel(ctx))
			return nil
		case <-tick.C:
			s.flushBeats(ctx)
		}
	}
}

func (s *Server) flushBeats(ctx context.Context) {
	all := s.beats.take()
	s.pace.heard(len(all))
	for len(all) > 0 {
		n := min(len(all), maxBeats)
		done := s.timed("beat")
		err := s.store.Beat(ctx, all[:n])
		done()
		if err != nil && ctx.Err() == nil {
			s.log.Warn("Heartbeats not stored", "count", n, "error", err) // the next ones replace them
		}
		s.metrics.beats.Add(float64(n))
		all = all[n:]
	}
}
