package exits

import (
	"sync"
	"time"
)

// The states of an exit.
const (
	StateIdle    = "idle"    // everything is sent
	StateSending = "sending" // there is something to send
	StateWaiting = "waiting" // after a failure, until NextTry
	StateStandby = "standby" // another collector feeds it
)

// Health is what the settings page shows of an exit, and what its metrics are
// made from. Counters begin at 0 with the program.
type Health struct {
	Name    string    `json:"name"`
	Type    string    `json:"type"`
	State   string    `json:"state"`
	Seq     int64     `json:"seq"`               // how far it has come
	Lag     int64     `json:"lag"`               // numbers of Seq before it, filtered ones too; -1 if that is not known
	Behind  time.Time `json:"behind,omitzero"`   // when the newest alert that it is done with had been received
	Sent    int64     `json:"sent"`              // alerts that the receiver took
	Errors  int64     `json:"errors"`            // tries that failed
	Refused int64     `json:"refused"`           // alerts that the receiver refused for good
	Error   string    `json:"error,omitempty"`   // of the last try, "" if it went well
	Since   time.Time `json:"since,omitzero"`    // of the first of the failures in a row
	SentAt  time.Time `json:"sent_at,omitzero"`  // of the last batch of which something was taken
	NextTry time.Time `json:"next_try,omitzero"` // if State is StateWaiting
	Refusal string    `json:"refusal,omitempty"` // the last one, in words
}

// health guards a Health.
type health struct {
	mu  sync.Mutex
	now Health
}

// Health returns a copy.
func (p *Pump) Health() Health {
	p.health.mu.Lock()
	defer p.health.mu.Unlock()
	return p.health.now
}

func (h *health) change(f func(*Health)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(&h.now)
}

func (h *health) standby() {
	h.change(func(n *Health) {
		n.State, n.Lag, n.Error, n.Since, n.NextTry = StateStandby, -1, "", time.Time{}, time.Time{}
	})
}

// idle also clears an error of the store, since it answers again.
func (h *health) idle(seq int64) {
	h.change(func(n *Health) {
		n.State, n.Seq, n.Lag = StateIdle, seq, 0
		n.Error, n.Since, n.NextTry = "", time.Time{}, time.Time{}
	})
}

// sending keeps the error: whether it is over is known after the batch.
func (h *health) sending(seq, lag int64) {
	h.change(func(n *Health) { n.State, n.Seq, n.Lag, n.NextTry = StateSending, seq, lag, time.Time{} })
}

func (h *health) failed(words string) {
	h.change(func(n *Health) {
		n.Errors++
		n.Error = words
		if n.Since.IsZero() {
			n.Since = time.Now()
		}
	})
}

func (h *health) waiting(d time.Duration) {
	h.change(func(n *Health) { n.State, n.NextTry = StateWaiting, time.Now().Add(d) })
}

func (h *health) sent(last Item, sent, refused int, words string) {
	h.change(func(n *Health) {
		if n.Lag >= 0 {
			n.Lag = max(n.Lag-(last.Seq-n.Seq), 0)
		}
		n.Seq, n.Behind = last.Seq, last.ReceivedAt
		if sent > 0 {
			n.SentAt = time.Now()
		}
		n.Sent += int64(sent)
		n.Refused += int64(refused)
		n.Error, n.Since = "", time.Time{}
		if refused > 0 {
			n.Refusal = words
		}
	})
}
