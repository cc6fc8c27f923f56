package watch

import (
	"container/heap"
	"sync"
	"time"
)

const (
	pendingMost = 1 << 17          // hints held; what comes on top marks its root for a listing
	pendingKeep = 1 << 10          // room that is kept when the set is empty
	waitMost    = 60 * time.Second // no hint waits longer for quiet
)

// hint is a path that may be worth a look.
type hint struct {
	root   string
	path   string
	source string
	seen   time.Time     // when it was first heard of
	due    time.Time     // not looked at before
	quiet  time.Duration // how long a file must stay unchanged; 0: known to be complete
	looked bool          // last is set
	last   Identity      // what the last look saw
	tries  int           // how often nobody could take it
	order  uint64        // of arrival
	lane   *lane         // that it waits in
	index  int           // in the lane's heap
}

// overdue tells that the hint has waited for quiet long enough.
func (h *hint) overdue(now time.Time) bool { return now.Sub(h.seen) >= waitMost }

// pending is the set between the reader, which must never wait, and the one
// goroutine that looks. Hints for one path become one, and those of each root
// wait in a lane of their own.
type pending struct {
	mu    sync.Mutex
	items map[string]*hint
	lanes lanes
	count uint64
	dirty map[string]bool // roots to list; true: because something was lost
	lost  int64           // hints that found no room
	hand  int             // 1 from when a hint was taken out until the next is asked for
	wake  chan struct{}
	most  int
	peak  int // hints since the set was empty, about
}

func newPending() *pending {
	return &pending{items: map[string]*hint{}, dirty: map[string]bool{}, wake: make(chan struct{}, 1), most: pendingMost}
}

// add takes a hint. A hint that says the file is complete ends the wait of an
// earlier one; any other prolongs it. Without room the root is marked instead.
func (p *pending) add(root, path, source string, seen time.Time, quiet time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if h := p.items[path]; h != nil {
		p.again(h, seen, quiet)
	} else if len(p.items) < p.most {
		p.insert(&hint{root: root, path: path, source: source, seen: seen, due: seen, quiet: quiet})
	} else {
		p.lost++
		p.dirty[root] = true
	}
	p.signal()
}

func (p *pending) again(h *hint, seen time.Time, quiet time.Duration) {
	switch {
	case quiet == 0:
		h.quiet, h.due = 0, minTime(h.due, seen)
	case h.quiet > 0 && h.looked && !h.overdue(seen):
		h.due = seen.Add(h.quiet)
	}
	heap.Fix(&h.lane.queue, h.index)
}

func (p *pending) insert(h *hint) {
	p.count++
	h.order = p.count
	p.items[h.path] = h
	p.lanes.push(h)
}

// postpone puts a hint back, to be looked at again at due. Into what was heard
// meanwhile it merges only how long the path has waited: that hint is due
// earlier, so that the look made before it would prove no quiet. False means
// that there is no room.
func (p *pending) postpone(h *hint, due time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	h.due = due
	if newer := p.items[h.path]; newer != nil {
		newer.seen = minTime(newer.seen, h.seen)
		return true
	}
	if len(p.items) >= p.most {
		return false
	}
	p.insert(h)
	return true
}

// next takes out the first hint that is due of the lane whose turn it is, or says
// how long there is to wait; a negative time means that nothing waits.
func (p *pending) next(now time.Time) (*hint, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h, wait := p.lanes.pop(now)
	p.hand = 0
	switch {
	case h != nil:
		p.hand = 1
		delete(p.items, h.path)
		p.peak = max(p.peak, len(p.items))
	case wait < 0:
		p.shrink()
	}
	return h, wait
}

// shrink gives the memory of a burst back: an emptied map keeps its buckets.
func (p *pending) shrink() {
	if p.peak > pendingKeep {
		p.items, p.peak = map[string]*hint{}, 0
	}
}

// mark notes a root that must be listed, and whether something was lost.
func (p *pending) mark(root string, lost bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dirty[root] = p.dirty[root] || lost
	p.signal()
}

// takeMark takes one marked root out that is free.
func (p *pending) takeMark(free func(root string) bool) (root string, lost, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for root, lost := range p.dirty {
		if free(root) {
			delete(p.dirty, root)
			return root, lost, true
		}
	}
	return "", false, false
}

// sizes returns the number of hints that wait, of those that are being looked at,
// and of those without room.
func (p *pending) sizes() (waiting, hand int, lost int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.items), p.hand, p.lost
}

func (p *pending) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// backlog is how many hints wait, and the lane that lags most.
func (p *pending) backlog(now time.Time) (waiting int, root string, most int, lag time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	root, most, lag = p.lanes.backlog(now)
	return len(p.items), root, most, lag
}
