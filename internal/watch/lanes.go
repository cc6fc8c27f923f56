package watch

import (
	"container/heap"
	"slices"
	"time"
)

// lane holds the hints of one root.
type lane struct {
	root  string
	queue hintQueue
}

// lanes let every root have its turn. The folders of each user are roots of
// their own, so that whoever fills his own with files holds up nobody but
// himself.
type lanes struct {
	all  map[string]*lane // those that are not empty, by root
	ring []*lane          // the same
	turn int              // in the ring
}

func (l *lanes) push(h *hint) {
	h.lane = l.all[h.root]
	if h.lane == nil {
		if l.all == nil {
			l.all = map[string]*lane{}
		}
		h.lane = &lane{root: h.root}
		l.all[h.root] = h.lane
		l.ring = append(l.ring, h.lane)
	}
	heap.Push(&h.lane.queue, h)
}

// pop takes out the first hint of the next lane that has one due, or says how
// long there is to wait for one, a negative time for ever.
func (l *lanes) pop(now time.Time) (*hint, time.Duration) {
	least := time.Duration(-1)
	for i := range l.ring {
		at := (l.turn + i) % len(l.ring)
		if wait := l.ring[at].queue[0].due.Sub(now); wait <= 0 {
			return l.take(at), 0
		} else if least < 0 || wait < least {
			least = wait
		}
	}
	return nil, least
}

func (l *lanes) take(at int) *hint {
	from := l.ring[at]
	h := heap.Pop(&from.queue).(*hint)
	l.turn = at + 1
	if len(from.queue) == 0 {
		delete(l.all, from.root)
		l.ring = slices.Delete(l.ring, at, at+1)
		l.turn = at
	}
	return h
}

// backlog is the lane that lags most: where, how many hints wait there, and for
// how long the first has been due.
func (l *lanes) backlog(now time.Time) (root string, waiting int, lag time.Duration) {
	for _, one := range l.ring {
		if late := now.Sub(one.queue[0].due); late > lag {
			root, waiting, lag = one.root, len(one.queue), late
		}
	}
	return root, waiting, lag
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
