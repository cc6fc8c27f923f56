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
	path   string
	source string
	seen   time.Time     // when it was first heard of
	due    time.Time     // not looked at before
	quiet  time.Duration // how long a file must stay unchanged; 0: known to be complete
	looked bool          // last is set
	last   Identity      // what the last look saw
	tries  int           // how often nobody could take it
	order  uint64        // of arrival
	index  int           // in the heap
}

// overdue tells that the hint has waited for quiet long enough.
func (h *hint) overdue(now time.Time) bool { return now.Sub(h.seen) >= waitMost }

// pending is the set between the reader, which must never wait, and the one
// goroutine that looks. Hints for one path become one.
type pending struct {
	mu    sync.Mutex
	items map[string]*hint
	queue hintQueue
	count uint64
	dirty map[string]bool // roots to list; true: because something was lost
	lost  int64           // hints that found no room
	wake  chan struct{}
	most  int
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
		p.insert(&hint{path: path, source: source, seen: seen, due: seen, quiet: quiet})
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
	heap.Fix(&p.queue, h.index)
}

func (p *pending) insert(h *hint) {
	p.count++
	h.order = p.count
	p.items[h.path] = h
	heap.Push(&p.queue, h)
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

// next takes out the first hint that is due, or says how long there is to wait;
// a negative time means that nothing waits.
func (p *pending) next(now time.Time) (*hint, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		p.shrink()
		return nil, -1
	}
	first := p.queue[0]
	if wait := first.due.Sub(now); wait > 0 {
		return nil, wait
	}
	heap.Pop(&p.queue)
	delete(p.items, first.path)
	return first, 0
}

// shrink gives the memory of a burst back: an emptied map keeps its buckets.
func (p *pending) shrink() {
	if cap(p.queue) > pendingKeep {
		p.items, p.queue = map[string]*hint{}, nil
	}
}

// mark notes a root that must be listed, and whether something was lost.
func (p *pending) mark(root string, lost bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dirty[root] = p.dirty[root] || lost
	p.signal()
}

// takeMark takes one marked root out.
func (p *pending) takeMark() (root string, lost, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for root, lost := range p.dirty {
		delete(p.dirty, root)
		return root, lost, true
	}
	return "", false, false
}

// sizes returns the number of hints that wait and of those without room.
func (p *pending) sizes() (waiting int, lost int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.items), p.lost
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

// hintQueue orders hints by the time they are due, then by arrival.
type hintQueue []*hint

func (q hintQueue) Len() int { return len(q) }

func (q hintQueue) Less(i, j int) bool {
	if !q[i].due.Equal(q[j].due) {
		return q[i].due.Before(q[j].due)
	}
	return q[i].order < q[j].order
}

func (q hintQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push is for package heap only.
func (q *hintQueue) Push(x any) {
	h := x.(*hint)
	h.index = len(*q)
	*q = append(*q, h)
}

// Pop is for package heap only.
func (q *hintQueue) Pop() any {
	old := *q
	h := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return h
}
