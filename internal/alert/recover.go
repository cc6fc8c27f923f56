package alert

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// maxUIDs bounds the memory for uids that are known to be in the log.
const maxUIDs = 100_000

// recover finds the end of the log: from the checkpoint on, or, if there is none
// that fits, from its beginning.
func (l *Log) recover() error {
	cur, cursorErr := loadCursor(l.root)
	files, err := openLog(l.root)
	if err != nil {
		return err
	}
	defer closeAll(files)
	s := scan{log: l, marked: cur.Seq}
	err = errCheckpoint
	if cursorErr == nil && cur.Mark != nil {
		err = s.resume(files, cur.Mark)
		l.recovery.CheckpointReset = errors.Is(err, errCheckpoint)
	}
	if errors.Is(err, errCheckpoint) {
		s, err = l.readWhole(files, cur.Seq)
	}
	if err != nil {
		return err
	}
	s.finish()
	if n := len(l.held); n > 0 {
		l.opened = checkpoint{File: rotatedName(l.held[n-1].first), End: l.held[n-1].size, Seq: l.seq}
	}
	mark, end := l.cur.Mark, l.seq
	l.restoreCursor(cur, cursorErr, s)
	l.cur.Mark = mark
	l.countMissing(cur, s.base, end)
	l.recovery.Notes = damagedNotes(l.root, cur.Notes)
	if cursorErr != nil || l.unmarked >= checkpointEvery {
		l.checkpoint()
	}
	return nil
}

// countMissing finds out how many lines are gone that the cursor knows: those
// before base, with a file that the agent did not delete, and those behind end.
// Their numbers are not given away again.
func (l *Log) countMissing(was cursor, base, end uint64) {
	if was.First > 0 && base+1 > was.First {
		l.recovery.Missing = base + 1 - was.First
	}
	l.cur.First = base + 1
	if m := was.Mark; m != nil && m.Seq > l.seq {
		l.seq = m.Seq
		l.head, _ = parseDigest(m.Hash)
	}
	l.recovery.Missing += l.seq - end
}

// readWhole reads everything that is held of the log, whatever was read before.
func (l *Log) readWhole(files []logFile, marked uint64) (scan, error) {
	s := scan{log: l, marked: marked}
	l.held, l.seq, l.head, l.tip, l.unread, l.cur.Mark, l.unmarked = nil, 0, digest{}, checkpoint{}, checkpoint{}, nil, 0
	l.seen.forget()
	l.recovery.Corrupt, l.mended = 0, 0
	for _, f := range files {
		if err := s.file(f); err != nil {
			return s, err
		}
	}
	return s, nil
}

// scan is the state of one reading of the log.
type scan struct {
	log    *Log
	any    bool   // a file was seen
	base   uint64 // number of the line before the oldest one held
	floor  uint64 // number of the line that the reading began behind
	lied   bool   // that line was never promised
	inBad  bool   // the last entry was damaged
	bad    digest // of that entry
	marked uint64 // the line that the cursor stands on
	mark   digest // its hash
	found  bool   // it was seen
}

func (s *scan) file(f logFile) error {
	if f.first > 0 && !s.any {
		s.start(f.first - 1)
	}
	return s.read(f, held{name: f.name, first: f.first})
}

// read takes a file from h.size on.
func (s *scan) read(f logFile, h held) error {
	if _, err := f.Seek(h.size, io.SeekStart); err != nil {
		return fmt.Errorf("read alert log %s: %w", f.name, err)
	}
	r := newLineReader(f)
	r.at = h.size
	for {
		e, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("read alert log %s: %w", f.name, err)
		}
		if e.torn {
			if err := s.tail(f, &e); err != nil {
				return fmt.Errorf("mend alert log %s: %w", f.name, err)
			}
		}
		if e.torn && e.bad {
			break
		}
		if s.entry(&h, e); s.lied {
			return errCheckpoint
		}
	}
	if h.first == 0 {
		h.first, h.last = s.log.seq+1, s.log.seq
	}
	s.log.held = append(s.log.held, h)
	s.any = true
	return nil
}

// start sets the number that the log held begins behind. Files go only when
// everything in them was settled, so an older beginning is no damage.
func (s *scan) start(seq uint64) {
	s.base, s.log.seq, s.any = seq, seq, true
}

// startAt begins the log at its first readable line. What is damaged before it
// is counted as one record.
func (s *scan) startAt(seq uint64) {
	if s.inBad && seq > 1 {
		seq--
	}
	s.start(seq - 1)
}

// tail mends the end of the active file: an unfinished line was never promised
// and is cut off; a whole one that lost its newline gets it back. A file that is
// not written to any more is left as it is.
func (s *scan) tail(f logFile, e *entry) error {
	if e.bad {
		s.log.recovery.TornBytes += e.end - e.start
	}
	if f.name != activeName {
		return nil
	}
	w, err := openPlain(s.log.root, activeName, os.O_WRONLY)
	if err != nil {
		return err
	}
	end := e.start
	if !e.bad {
		s.log.recovery.Corrupt++
		s.log.mended++
		end = e.start + int64(len(e.raw)) + 1
		_, err = w.WriteAt([]byte{'\n'}, end-1)
		e.end = end
	}
	if err == nil {
		err = w.Truncate(end)
	}
	if err == nil {
		err = w.Sync()
	}
	return errors.Join(err, w.Close())
}

// entry takes one line into the accounts.
func (s *scan) entry(h *held, e entry) {
	h.size = e.end
	s.log.unmarked += e.end - e.start
	if e.bad {
		if !s.inBad {
			s.log.recovery.Corrupt++
		}
		s.inBad, s.bad = true, e.hash()
		return
	}
	if e.joined && !e.torn {
		s.log.recovery.Corrupt++
	}
	if !s.any {
		s.startAt(e.seq)
	}
	switch {
	case e.seq <= s.log.seq && h.last == 0 && (h.first == 0 || h.first == e.seq):
		s.rewind(e.seq) // the file before this one ended in lines that were never promised
	case e.seq <= s.log.seq:
		s.log.seen.add(e.uid)
		return // put in by somebody: Verify tells
	}
	if h.first == 0 {
		h.first = s.log.seq + 1
	}
	s.inBad = false
	h.last = e.seq
	s.log.seq, s.log.head = e.seq, e.hash()
	s.log.tip = checkpoint{File: rotatedName(h.first), Start: e.start, End: e.end, Seq: e.seq, Hash: s.log.head.String()}
	s.log.seen.add(e.uid)
	if e.seq == s.marked {
		s.mark, s.found = s.log.head, true
	}
}

func (s *scan) rewind(seq uint64) {
	s.lied = seq <= s.floor
	s.log.seq = seq - 1
	for i := range s.log.held {
		s.log.held[i].last = min(s.log.held[i].last, seq-1)
	}
	s.base = min(s.base, seq-1)
}

// finish counts a damaged newest line as one record: it had its newline, so it
// was promised, and its number is not given away again.
func (s *scan) finish() {
	l := s.log
	if !s.inBad {
		return
	}
	l.seq++
	l.head = s.bad
	last := &l.held[len(l.held)-1]
	last.last = l.seq
	if last.first == 0 || last.first > l.seq {
		last.first = l.seq
	}
}

// restoreCursor takes the saved cursor if it fits the log. One that does not, or
// none, means that everything held is sent again.
func (l *Log) restoreCursor(cur cursor, err error, s scan) {
	l.cur = cursor{Seq: s.base, Acked: s.base, Refused: cur.Refused, Missed: cur.Missed}
	switch {
	case errors.Is(err, os.ErrNotExist):
		l.recovery.CursorReset = l.seq > 0 // a log has one from its first day on
	case err != nil, s.found && cur.Hash != "" && cur.Hash != s.mark.String():
		l.recovery.CursorReset = true
	case cur.Seq > l.seq:
		// Lines that the collector has are gone from the end. Their numbers are
		// not used twice, and the next line says what it should follow.
		l.cur = cur
		l.seq = cur.Seq
		if head, ok := parseDigest(cur.Hash); ok {
			l.head = head
		}
	default:
		l.cur = cur
	}
}
