package collect

import (
	"sync"
	"time"
)

// DefaultInterval is the time between two heartbeats of an agent. At 60 s
// 10,000 agents are 167 requests a second.
const DefaultInterval = time.Minute

// Heartbeats a second that one collector is meant to carry, and the longest
// interval that it asks for to stay below.
const (
	targetBeats = 1500
	longest     = 10 * time.Minute
)

// pace tells agents when to come again: at the configured interval, and later
// if more of them come than one collector is meant to carry.
type pace struct {
	mu     sync.Mutex
	base   time.Duration
	rate   float64 // heartbeats a second, smoothed over about 30 s
	asking time.Duration
}

func newPace(base time.Duration) *pace { return &pace{base: base, asking: base} }

// heard counts the heartbeats of one second.
func (p *pace) heard(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate += (float64(n) - p.rate) / 30
	// At the interval asked for, as many agents as this come:
	agents := p.rate * p.asking.Seconds()
	p.asking = min(max(p.base, time.Duration(agents/targetBeats*float64(time.Second))), max(longest, p.base))
}

func (p *pace) interval() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asking
}
