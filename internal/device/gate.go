package device

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// The pauses after a collector has said that it does not want this agent.
const (
	firstPause = time.Minute
	lastPause  = time.Hour
)

// gate keeps a device that is not wanted from asking all the time: the pauses
// grow to an hour and end early only for a new identity or a new token. Nothing
// is forgotten meanwhile.
type gate struct {
	until time.Time
	count int
	why   error
	token string // the token that was refused, of the gate for tokens
}

// shut closes the gate after one more denial.
func (g *gate) shut(now time.Time, why *Refusal) {
	bound := min(lastPause, firstPause<<min(g.count, 16))
	pause := max(bound/2+rand.N(bound/2), why.after)
	g.count++
	g.until = now.Add(pause)
	g.why = fmt.Errorf("%w; next try after %s", why, g.until.UTC().Format(time.RFC3339))
}

// closed says whether and why nobody may be asked now.
func (g *gate) closed(now time.Time) error {
	if g.why != nil && now.Before(g.until) {
		return g.why
	}
	return nil
}

// denies says whether asking again soon is of no use.
func (r *Refusal) denies() bool {
	switch r.Code {
	case codeClock, codeExpired:
		return false // the next try does better
	}
	return r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden
}
