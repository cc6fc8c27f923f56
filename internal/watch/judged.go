package watch

import (
	"hash/maphash"
	"iter"
	"math/bits"
)

// judged is what the journal holds of each path: an open-addressed table of slots
// without pointers, 20 bytes each, of which a ninth to a fifth are free. A map of
// the language takes twice as much for as many, and the journal is the biggest of
// the agent's memories. An entry is never without content, a free slot always.
type judged struct {
	slots []slot
	len   int
	seed  maphash.Seed // of this table alone: nobody can choose names that stand in one place
}

type slot struct {
	path pathKey
	entry
}

func (s *slot) free() bool { return s.content == digest{} }

// home is where a path stands, or behind that.
func (t *judged) home(path pathKey) int {
	at, _ := bits.Mul64(maphash.Bytes(t.seed, path[:]), uint64(len(t.slots)))
	return int(at) // #nosec G115 -- below len(t.slots)
}

func (t *judged) next(i int) int {
	if i++; i < len(t.slots) {
		return i
	}
	return 0
}

// find gives the place of a path, or the free one where it would be.
func (t *judged) find(path pathKey) (i int, known bool) {
	for i = t.home(path); !t.slots[i].free(); i = t.next(i) {
		if t.slots[i].path == path {
			return i, true
		}
	}
	return i, false
}

// get gives what is held of a path, to be changed in place until the next put or
// drop; nil if that is nothing.
func (t *judged) get(path pathKey) *entry {
	if t.len == 0 {
		return nil
	}
	i, known := t.find(path)
	if !known {
		return nil
	}
	return &t.slots[i].entry
}

// put holds an entry, which has content.
func (t *judged) put(path pathKey, e entry) {
	if (t.len+1)*10 > len(t.slots)*9 {
		t.grow()
	}
	i, known := t.find(path)
	if !known {
		t.len++
	}
	t.slots[i] = slot{path, e}
}

// judgedFew is the size of the smallest table.
const judgedFew = 64

// grow by a ninth: memory is dearer here than time is.
func (t *judged) grow() {
	if t.slots == nil {
		t.seed = maphash.MakeSeed()
	}
	old := t.slots
	t.slots = make([]slot, max(judgedFew, len(old)+len(old)/8))
	for i := range old {
		if !old[i].free() {
			at, _ := t.find(old[i].path)
			t.slots[at] = old[i]
		}
	}
}

// drop forgets a path. What stands behind it and would be found no more moves up.
func (t *judged) drop(path pathKey) {
	if t.len == 0 {
		return
	}
	hole, known := t.find(path)
	if !known {
		return
	}
	t.len--
	for i := t.next(hole); !t.slots[i].free(); i = t.next(i) {
		if t.behind(t.home(t.slots[i].path), i) >= t.behind(hole, i) {
			t.slots[hole] = t.slots[i]
			hole = i
		}
	}
	t.slots[hole] = slot{}
}

// behind is how far i is behind from, around the end.
func (t *judged) behind(from, i int) int {
	if i < from {
		i += len(t.slots)
	}
	return i - from
}

// all goes through what is held, in no order. Nothing may be put or dropped
// meanwhile.
func (t *judged) all() iter.Seq[record] {
	return func(yield func(record) bool) {
		for i := range t.slots {
			if s := &t.slots[i]; !s.free() && !yield(record{path: s.path, content: s.content, day: s.used}) {
				return
			}
		}
	}
}
