package agent

import (
	"sync"

	"meetguard"
	"meetguard/internal/watch"
)

// factCache keeps the facts of files by identity. Verdicts are not kept: what
// is thought of facts may change while the facts do not.
type factCache struct {
	mu    sync.Mutex
	limit int
	facts map[watch.Identity]meetguard.Facts
	order []watch.Identity // oldest first
}

func newFactCache(limit int) *factCache {
	return &factCache{limit: limit, facts: map[watch.Identity]meetguard.Facts{}}
}

func (c *factCache) get(id watch.Identity) (meetguard.Facts, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.facts[id]
	return f, ok
}

// put remembers facts that hold: not those that a limit or a crash cut short.
func (c *factCache) put(id watch.Identity, f meetguard.Facts) {
	for _, g := range f.Gaps {
		if g.Blinding {
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.facts[id]; !known {
		c.order = append(c.order, id)
	}
	c.facts[id] = f
	for len(c.order) > c.limit {
		delete(c.facts, c.order[0])
		c.order = c.order[1:]
	}
}
