package watch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Limits of the journal.
const (
	journalName     = "journal"
	journalEntries  = 1 << 17     // paths remembered; the ones unused for longest go first
	journalIdle     = 90          // days after which an unused path is forgotten
	journalDelay    = time.Second // longest time that a record stays in memory only
	journalUnsaved  = 1 << 22     // bytes kept for a disk that takes no writes
	journalSlack    = 4096        // dead records that are not worth a compaction
	journalExcess   = 1 << 14     // paths beyond journalEntries that are not worth one
	journalFileMode = os.FileMode(0o600)
)

// Journal remembers which content of which path was judged, across restarts.
// It holds digests only, no path: 20 bytes a path in memory and some room, 40 on disk. It may
// be used by several goroutines; only one process may have it open.
type Journal struct {
	mu      sync.Mutex
	path    string
	file    *os.File
	entries judged
	size    int64  // bytes of the file that are written
	unsaved []byte // records behind size
	timer   *time.Timer
	err     error // of the last write, until one succeeds
	damaged int
	fresh   bool
	today   func() uint32
}

// entry is what the journal holds of one path.
type entry struct {
	content digest
	used    uint32 // day of the last use, counted from 1970
}

// OpenJournal reads the journal in dir, which is made if it is missing. Damaged
// records are left out and counted, see Damaged: the files they stood for are
// judged again.
func OpenJournal(dir string) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder of journal: %w", err)
	}
	j := &Journal{path: filepath.Join(dir, journalName), today: today}
	raw, err := os.ReadFile(j.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	j.fresh, j.damaged = len(raw) == 0, readJournal(raw, j.apply)
	j.expire()
	if err := j.compact(); err != nil {
		return nil, err
	}
	return j, nil
}

func today() uint32 { return uint32(time.Now().Unix() / (24 * 60 * 60)) }

// apply takes one record over. A record without content forgets its path.
func (j *Journal) apply(r record) {
	if r.content == (digest{}) {
		j.entries.drop(r.path)
		return
	}
	j.entries.put(r.path, entry{content: r.content, used: r.day})
}

// Damaged is the number of records that could not be read at opening.
func (j *Journal) Damaged() int { return j.damaged }

// New tells that there was no journal at opening, or one without a byte.
func (j *Journal) New() bool { return j.fresh }

// Len is the number of paths that are remembered.
func (j *Journal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.entries.len
}

// Known tells whether this content of path was recorded.
func (j *Journal) Known(path string, id Identity) bool {
	key, content := keyOf(path), digestOf(id)
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.entries.get(key)
	if e == nil || e.content != content {
		return false
	}
	e.used = j.today()
	return true
}

// Record remembers this content of path. It is on disk after a second at the
// latest; to lose that second means only to judge again. The error is that of
// an earlier write: the record is kept in memory and written with the next one.
func (j *Journal) Record(path string, id Identity) error {
	return j.put(record{path: keyOf(path), content: digestOf(id)}, 0)
}

// Forget drops what is known of path, so that its content is judged again.
func (j *Journal) Forget(path string) error {
	return j.put(record{path: keyOf(path)}, 0)
}

// put takes a record of today. mark is landingMark or nothing.
func (j *Journal) put(r record, mark uint32) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return fmt.Errorf("record in journal: %w", os.ErrClosed)
	}
	r.day = j.today() | mark
	j.apply(r)
	if len(j.unsaved) < journalUnsaved {
		j.unsaved = r.append(j.unsaved)
	}
	if j.timer == nil {
		j.timer = time.AfterFunc(journalDelay, func() { _ = j.Flush() }) // the error is kept in j.err
	}
	return j.err
}

// Flush writes what is in memory only.
func (j *Journal) Flush() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.flush()
}

// flush writes at the place where the last whole write ended, so that a write
// that was cut short is written over and never shifts the records behind it.
func (j *Journal) flush() error {
	if j.timer != nil {
		j.timer.Stop()
		j.timer = nil
	}
	if j.file == nil || len(j.unsaved) == 0 {
		return j.err
	}
	if _, err := j.file.WriteAt(j.unsaved, j.size); err != nil {
		j.err = fmt.Errorf("write journal: %w", err)
		return j.err
	}
	j.size += int64(len(j.unsaved))
	j.unsaved, j.err = j.unsaved[:0], nil
	dead := j.size/recordSize - int64(j.entries.len)
	if dead > int64(j.entries.len)+journalSlack || j.entries.len > journalEntries+journalExcess {
		j.expire()
		j.err = j.compact()
	}
	return j.err
}

// Close writes everything and closes the journal. It may be called twice.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	err := errors.Join(j.flush(), j.file.Sync(), j.file.Close())
	j.file = nil
	return err
}
