package agent

import (
	"cmp"
	"context"
	"time"
)

// pulseEvery is the time between two pulses of an agent without a canary.
const pulseEvery = 10 * time.Minute

// pulse does at one moment everything that has to be done now and then: with the
// canary, as often as that is due. Nothing else in an agent at rest has a timer, but
// the heartbeat for the collector: between two of these the processor sleeps.
func (a *Agent) pulse(ctx context.Context) error {
	select {
	case <-a.live:
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		a.upkeep()
		if a.canary != nil {
			a.proveOnce(ctx)
		}
		if ctx.Err() == nil {
			a.saveStatus()
			rest()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(cmp.Or(a.opts.Canary.Every, pulseEvery)):
		}
	}
}

// heartbeat is called after each request to the collector. The agent is awake then
// anyway, and whether the collector answers is news.
func (a *Agent) heartbeat() {
	a.upkeep()
	a.saveStatus()
}

// upkeep has the sources look after what nothing tells them of.
func (a *Agent) upkeep() {
	a.files.Upkeep()
	if a.launches != nil {
		a.launches.Retry()
	}
}
