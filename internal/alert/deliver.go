package alert

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// item is one line that is owed to the collector, or, if raw is nil, only the
// gap at the end of the log.
type item struct {
	header
	raw  []byte
	hash digest
	gap  uint64 // lines before this one that are damaged or missing
	file string // lasting name of its file
	end  int64  // offset behind it
}

// pending returns the oldest lines that are not settled, at most maxItems of
// them and maxBytes together, and always one if there is one.
func (l *Log) pending(maxItems, maxBytes int) ([]item, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := gather{at: l.cur.Seq, room: maxItems, bytes: maxBytes}
	for i, h := range l.held {
		if h.last <= b.at {
			continue
		}
		limit := l.seq
		if i+1 < len(l.held) {
			limit = l.held[i+1].first - 1
		}
		if err := l.gatherFile(&b, h, limit); err != nil {
			return nil, fmt.Errorf("read alert log %s: %w", h.name, err)
		}
		if b.full {
			return b.items, nil
		}
	}
	if b.at < l.seq { // the newest lines are damaged: nothing behind them will say so
		b.items = append(b.items, item{header: header{seq: l.seq}, gap: l.seq - b.at})
	}
	return b.items, nil
}

// gather is a batch in the making.
type gather struct {
	items []item
	at    uint64 // the newest line settled or taken
	room  int
	bytes int
	full  bool
}

// gatherFile takes the lines of one file that follow b.at, up to number limit.
// Only what was promised is read: h.size ends there.
func (l *Log) gatherFile(b *gather, h held, limit uint64) error {
	f, err := openPlain(l.root, h.name, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	name := rotatedName(h.first)
	from := l.resumeAt(f, name, h.size)
	r := newLineReader(io.NewSectionReader(f, from, h.size-from))
	for !b.full {
		e, err := r.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if e.bad || e.seq <= b.at {
			continue
		}
		if e.seq > limit {
			return nil // never promised: the next file has the line of that number
		}
		b.take(e, name, from+e.end)
	}
	return nil
}

func (b *gather) take(e entry, file string, end int64) {
	if len(b.items) == b.room || len(b.items) > 0 && len(e.raw) > b.bytes {
		b.full = true
		return
	}
	b.items = append(b.items, item{e.header, bytes.Clone(e.raw), e.hash(), e.seq - b.at - 1, file, end})
	b.bytes -= len(e.raw)
	b.at = e.seq
}

// resumeAt returns where to read on in a file: behind the line of the cursor if
// that stands in it, and at the beginning otherwise.
func (l *Log) resumeAt(f io.ReaderAt, name string, size int64) int64 {
	at := l.cur.Offset
	if l.cur.File != name || at <= 0 || at > size {
		return 0
	}
	var before [1]byte
	if _, err := f.ReadAt(before[:], at-1); err != nil || before[0] != '\n' {
		return 0
	}
	return at
}

// outcome is what became of an item.
type outcome int

const (
	acknowledged outcome = iota
	rejected
)

// settle moves the cursor over the items, which follow it without a hole, and
// saves it. If it cannot be saved the accounts have moved all the same: after a
// restart the items are sent once more.
func (l *Log) settle(items []item, outcomes []outcome) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, it := range items {
		if it.gap > 0 {
			l.cur.drop("corrupt", it.gap)
		}
		if it.raw == nil {
			l.cur.Seq, l.cur.Hash, l.cur.File, l.cur.Offset = it.seq, "", "", 0
			continue
		}
		if outcomes[i] == rejected {
			l.cur.drop("rejected", 1)
		} else {
			l.cur.Acked++
		}
		l.cur.Seq, l.cur.Hash, l.cur.File, l.cur.Offset = it.seq, it.hash.String(), it.file, it.end
	}
	err := l.saveCursor()
	l.fillReserve() // after it: the cursor is worth more
	return err
}

// chainHead returns the number and the hash of the newest line, and the number of
// the last one that is settled.
func (l *Log) chainHead() (seq uint64, head digest, settled uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seq, l.head, l.cur.Seq
}
