package alert

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"meetguard"
)

// makeRoom rotates the active file when it is full and holds the log below its
// bound. It answers false if the record is refused for its level.
func (l *Log) makeRoom(n int64, level meetguard.Level) (bool, error) {
	active := l.held[len(l.held)-1]
	if l.file != nil && !active.empty() && active.size+n > l.opts.MaxFile {
		l.rotate()
	}
	// What is left between the two bounds is kept for malicious findings.
	bound := l.opts.MaxTotal
	if level != meetguard.Malicious {
		bound -= bound / 16
	}
	for l.total()+n > bound {
		if !l.deleteOldest() {
			return false, l.refuse(level)
		}
	}
	return true, nil
}

func (l *Log) total() int64 {
	var sum int64
	for _, h := range l.held {
		sum += h.size
	}
	return sum
}

// deleteOldest deletes the oldest file if nothing in it is still owed to the
// collector, or if there is none.
func (l *Log) deleteOldest() bool {
	oldest := l.held[0]
	if len(l.held) == 1 || oldest.last > l.cur.Seq && !l.opts.Standalone {
		return false
	}
	if owed := oldest.last; owed > l.cur.Seq {
		l.cur.drop("expired", owed-l.cur.Seq)
		l.cur.Seq, l.cur.File, l.cur.Offset, l.cur.Hash = owed, "", 0, ""
		// Before the deletion: lines that are gone must not count as pending.
		if err := l.saveCursor(); err != nil {
			l.opts.Logger.Error("Could not save delivery cursor", "error", err)
		}
	}
	l.leaveFile(rotatedName(oldest.first), l.held[1].first)
	if err := l.root.Remove(oldest.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.opts.Logger.Error("Could not delete acknowledged alert log file", "file", oldest.name, "error", err)
		return false
	}
	l.held = l.held[1:]
	return true
}

// refuse counts a record that there is no room for. The loss of a malicious
// finding is an error besides.
func (l *Log) refuse(level meetguard.Level) error {
	if l.cur.Refused == nil {
		l.cur.Refused = map[string]uint64{}
	}
	l.cur.Refused[string(level)]++
	if err := l.saveCursor(); err != nil {
		l.opts.Logger.Error("Could not save delivery cursor", "error", err)
	}
	if level == meetguard.Malicious {
		return errFull
	}
	return nil
}

// rotate gives the active file its lasting name and starts a new one. If it
// cannot be renamed now, as when a reader on Windows has it open, the log grows
// on in it and tries again with the next record.
func (l *Log) rotate() {
	l.file.Close() // every line in it was fsynced
	l.file = nil
	err := l.retire()
	if openErr := l.openActive(); openErr != nil {
		err = errors.Join(err, openErr) // the write that follows replaces the file
	}
	if err != nil {
		l.opts.Logger.Warn("Could not rotate alert log", "error", err)
	}
}

// retire renames the active file, which nobody writes to any more.
func (l *Log) retire() error {
	active := &l.held[len(l.held)-1]
	name := rotatedName(active.first)
	if _, err := l.root.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("rename %s to %s: the name is taken", activeName, name)
	}
	err := l.root.Rename(activeName, name)
	if errors.Is(err, fs.ErrNotExist) {
		l.loseActive()
		return nil
	}
	if err != nil {
		return err
	}
	active.name = name
	return nil
}

// loseActive takes the active file out of the books, which somebody deleted. What
// of it was owed counts as dropped when its turn comes, see pending.
func (l *Log) loseActive() {
	active := l.held[len(l.held)-1]
	l.held = l.held[:len(l.held)-1]
	l.recovery.Missing += active.last + 1 - active.first
	l.opts.Logger.Error("Alert log file is gone", "file", activeName, "records", active.last+1-active.first)
}

// bearsName says whether the active file is still the one of that name: what is
// written to one that was deleted or replaced is promised and gone. Something else
// that bears the name is set aside.
func (l *Log) bearsName() bool {
	mine, err := l.file.Stat()
	if err != nil {
		return true // the write that follows tells
	}
	there, err := l.root.Lstat(activeName)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false
	case err != nil || os.SameFile(mine, there):
		return true
	}
	aside := fmt.Sprintf("%s.aside-%d", activeName, l.seq)
	if err := l.root.Rename(activeName, aside); err != nil {
		l.opts.Logger.Error("Could not set aside what bears the name of the alert log", "error", err)
		return true
	}
	l.opts.Logger.Error("Set aside what bore the name of the alert log", "to", aside)
	return false
}

// replaceActive puts a new file in the place of one that failed. What was
// promised in the old one stays; what follows it is cut off if that can be done,
// and counts as torn if not.
func (l *Log) replaceActive() error {
	if last := l.held[len(l.held)-1]; last.name == activeName {
		if err := l.removeActive(last); err != nil {
			return fmt.Errorf("replace alert log file: %w", err)
		}
	}
	return l.openActive()
}

func (l *Log) removeActive(active held) error {
	if active.empty() {
		err := l.root.Remove(activeName)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		l.held = l.held[:len(l.held)-1]
		return nil
	}
	if f, err := openPlain(l.root, activeName, os.O_WRONLY); err == nil {
		// A failure here leaves a torn tail, which every reader passes over.
		_ = f.Truncate(active.size)
		_ = f.Close()
	}
	return l.retire()
}
