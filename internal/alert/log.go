package alert

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"sync"

	"meetguard"
)

// Defaults of Options, in bytes.
const (
	DefaultMaxFile  = 16 << 20
	DefaultMaxTotal = 256 << 20
)

// errLocked is what a second agent on one state folder gets.
var errLocked = errors.New("another agent has it open; stop that one, or use a state folder of its own")

// errFull is returned for a malicious finding that no room was left for.
var errFull = errors.New("append alert: the log is at its bound and nothing in it is acknowledged; see whether the collector can be reached")

// Options bounds the log.
type Options struct {
	MaxFile    int64 // bytes after which the active file is rotated; 0: DefaultMaxFile
	MaxTotal   int64 // bytes of all files together; 0: DefaultMaxTotal
	Standalone bool  // there is no collector: the oldest file may go unacknowledged
	Logger     *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.MaxTotal <= 0 {
		o.MaxTotal = DefaultMaxTotal
	}
	if o.MaxFile <= 0 {
		o.MaxFile = DefaultMaxFile
	}
	// The active file cannot be deleted, so it must not be most of the bound.
	o.MaxFile = min(o.MaxFile, o.MaxTotal/4)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Log is the alert log, opened for writing. Its methods may be called from
// several goroutines.
type Log struct {
	opts Options
	root *os.Root
	lock *os.File
	wake chan struct{} // holds a token after an append

	mu       sync.Mutex
	file     *os.File // the active file; nil if it has to be replaced
	held     []held   // oldest first, the active file last
	seq      uint64   // of the newest line
	head     digest   // of the newest line
	seen     *uidSet
	cur      cursor
	tip      checkpoint // the newest line, as a checkpoint without its uids; zero if it cannot be named
	unmarked int64      // bytes of lines behind the checkpoint
	reserve  int64      // bytes of the reserve that are there
	spent    bool       // some of it was given back, and is not there again
	missed   map[[uidSize]byte]meetguard.Level
	opened   checkpoint // the end of what Open found, for Review; zero if it found nothing
	unread   checkpoint // where Open began to read, zero if it read all
	recovery Recovery
	mended   int   // of recovery.Corrupt: newest lines that only lacked their newline
	trouble  error // the last write error, for status

	write func(*os.File, []byte) error // tests put faults here
	sync  func(*os.File) error
}

// held is one file of the log, as far as it was promised.
type held struct {
	name  string
	first uint64 // number of its first line
	last  uint64 // number of its last line; first-1 if it has none
	size  int64  // bytes up to the end of the last promised line
}

func (h held) empty() bool { return h.last < h.first }

// Recovery says what Open found damaged.
type Recovery struct {
	TornBytes       int64 // cut off the end: a line that was never promised
	Corrupt         int   // damaged places in the log, passed over; those before the checkpoint once Review has found them
	CursorReset     bool  // the cursor was unreadable or not of this log: everything held is sent again
	CheckpointReset bool  // the checkpoint did not fit the log: all of it was read

	Missing uint64 // records that the log had when it was last opened or delivered from, and that are gone from its beginning or its end
	Notes   int    // damaged places in the acknowledgements, a lost end among them
}

// Counters accounts for every record: Created = Acked + Pending + the sum of
// Dropped, over the life of the state folder. The reasons for a drop are
// rejected (the collector does not want it), corrupt (damaged or missing in the
// log before it was delivered), expired (made room without a collector),
// full/<level> (the log is at its bound, refused before it was written) and
// disk/<level> (the disk would not take it: it is no drop any more once it could
// be written after all, unless the agent was started again meanwhile).
type Counters struct {
	Created uint64            `json:"created"`
	Acked   uint64            `json:"acked"`
	Pending uint64            `json:"pending"`
	Dropped map[string]uint64 `json:"dropped"`
}

// Open opens the log in the state folder dir, which it makes if need be, and
// recovers what a crash left: an unfinished line at the end is cut off, damaged
// lines are passed over and counted. Only one Log at a time can be open on a
// folder, across processes.
func Open(dir string, opts Options) (*Log, error) {
	opts = opts.withDefaults()
	root, err := createState(dir)
	if err != nil {
		return nil, err
	}
	l := &Log{
		opts: opts, root: root, seen: newUIDSet(maxUIDs), missed: map[[uidSize]byte]meetguard.Level{}, wake: make(chan struct{}, 1),
		write: func(f *os.File, b []byte) error { _, err := f.Write(b); return err },
		sync:  (*os.File).Sync,
	}
	if err := l.open(); err != nil {
		return nil, errors.Join(err, l.closeFiles())
	}
	if r := l.recovery; r != (Recovery{}) {
		opts.Logger.Warn("Recovered alert log", "torn_bytes", r.TornBytes, "corrupt", r.Corrupt, "cursor_reset", r.CursorReset, "checkpoint_reset", r.CheckpointReset, "missing", r.Missing, "notes", r.Notes)
	}
	return l, nil
}

func (l *Log) open() (err error) {
	if l.lock, err = openPlain(l.root, lockName, os.O_RDWR|os.O_CREATE); err != nil {
		return fmt.Errorf("open alert log lock: %w", err)
	}
	if err := lockFile(l.lock); err != nil {
		return fmt.Errorf("open alert log in %s: %w", strconv.Quote(l.root.Name()), err)
	}
	if err := l.recover(); err != nil {
		return err
	}
	l.fillReserve()
	return l.openActive()
}

// openActive opens or creates the active file behind the newest line.
func (l *Log) openActive() error {
	f, err := openPlain(l.root, activeName, os.O_WRONLY|os.O_APPEND|os.O_CREATE)
	if err != nil {
		return fmt.Errorf("open alert log: %w", err)
	}
	if err := errors.Join(f.Chmod(0o600), syncFolder(l.root)); err != nil {
		f.Close()
		return fmt.Errorf("open alert log: %w", err)
	}
	l.file = f
	if len(l.held) == 0 || l.held[len(l.held)-1].name != activeName {
		l.held = append(l.held, held{name: activeName, first: l.seq + 1, last: l.seq})
	}
	return nil
}

// Close saves the cursor and lets go of the folder.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.advance()
	return errors.Join(l.saveCursor(), l.closeFiles())
}

func (l *Log) closeFiles() error {
	var errs []error
	if l.file != nil {
		errs = append(errs, l.file.Close())
		l.file = nil
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close())
		l.lock = nil
	}
	return errors.Join(append(errs, l.root.Close())...)
}

// Recovered says what Open had to repair.
func (l *Log) Recovered() Recovery {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.recovery
}

// Trouble returns the last error of writing the log, or nil. It stays, because a
// disk that failed once is worth a look.
func (l *Log) Trouble() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trouble
}

// Counters returns the accounts.
func (l *Log) Counters() Counters {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counters()
}

func (l *Log) counters() Counters {
	c := Counters{Created: l.seq, Acked: l.cur.Acked, Pending: l.seq - l.cur.Seq, Dropped: map[string]uint64{}}
	for reason, n := range l.cur.Dropped {
		c.Dropped[reason] += n
	}
	for level, n := range l.cur.Refused {
		c.Dropped["full/"+level] += n
		c.Created += n
	}
	for level, n := range l.cur.Missed {
		c.Dropped["disk/"+level] += n
		c.Created += n
	}
	return c
}

// Append writes a record at the end of the log. appended is true once the line
// is on disk, and false without an error if the log has a record of that uid
// already or if there is no room for one of its level (which is counted). After
// an error nothing is promised; the record may be appended again.
func (l *Log) Append(rec Record) (appended bool, err error) {
	uid := rec.Metadata.UID
	if uid == "" {
		return false, errors.New("append alert: it has no uid")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lock == nil {
		return false, fmt.Errorf("append alert: %w", fs.ErrClosed)
	}
	if l.seen.has(uid) {
		return false, nil
	}
	line, err := l.lineOf(rec)
	if err != nil {
		return false, fmt.Errorf("append alert: %w", err)
	}
	level := meetguard.Level(rec.Unmapped.Level)
	if room, err := l.makeRoom(int64(len(line)), level); err != nil || !room {
		return false, err
	}
	if err := l.spared(level); err != nil {
		l.miss(uid, level)
		return false, fmt.Errorf("append alert: %w", err)
	}
	if err := l.commit(line, level); err != nil {
		l.miss(uid, level)
		return false, fmt.Errorf("append alert: %w", err)
	}
	l.promise(line, uid)
	return true, nil
}

// lineOf gives the record its place in the chain and writes it as a line with
// its newline.
func (l *Log) lineOf(rec Record) ([]byte, error) {
	rec.Metadata.Sequence = l.seq + 1
	rec.Unmapped.Seq = l.seq + 1
	rec.Unmapped.Prev = l.head.String()
	rec.Unmapped.Sum = ""
	plain, err := encode(rec)
	if err != nil {
		return nil, err
	}
	line, err := seal(plain)
	if err != nil {
		return nil, err
	}
	if len(line) > MaxRecord {
		return nil, fmt.Errorf("the record is %d bytes long, the bound is %d", len(line), MaxRecord)
	}
	return append(line, '\n'), nil
}

// promise takes a line that is on disk into the accounts.
func (l *Log) promise(line []byte, uid string) {
	active := &l.held[len(l.held)-1]
	l.seq++
	l.head = sha256.Sum256(line[:len(line)-1])
	n := int64(len(line))
	l.tip = checkpoint{File: rotatedName(active.first), Start: active.size, End: active.size + n, Seq: l.seq, Hash: l.head.String()}
	active.last = l.seq
	active.size += n
	l.seen.add(uid)
	l.regain(uid)
	if l.unmarked += n; l.unmarked >= checkpointEvery {
		l.checkpoint()
	}
	select {
	case l.wake <- struct{}{}:
	default: // a token is there already
	}
}

// commit gets a line onto the disk. A file whose write or fsync failed is never
// used again: nobody knows what of it is on disk, and a second fsync may say
// yes to what the first one lost. The line goes to a new file instead; if the
// disk is full, a malicious finding goes where the reserve was.
func (l *Log) commit(line []byte, level meetguard.Level) error {
	err := l.writeLine(line)
	if err == nil {
		return nil
	}
	l.trouble = err
	l.opts.Logger.LogAttrs(context.Background(), slog.LevelError, "Replacing alert log file after write error", slog.Any("error", err))
	err = l.writeLine(line)
	for err != nil && level == meetguard.Malicious && diskFull(err) && l.spendReserve() {
		err = l.writeLine(line)
	}
	if err != nil {
		l.trouble = err
	}
	return err
}

func (l *Log) writeLine(line []byte) error {
	if l.file != nil && !l.bearsName() {
		l.file.Close() // its lines are gone with it
		l.file = nil
	}
	if l.file == nil {
		if err := l.replaceActive(); err != nil {
			return err
		}
	}
	err := l.write(l.file, line)
	if err == nil {
		err = l.sync(l.file)
	}
	if err != nil {
		l.file.Close() // its error would tell nothing new
		l.file = nil
	}
	return err
}
