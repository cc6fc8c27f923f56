package alert

import (
	"errors"
	"fmt"
	"os"

	"meetguard"
)

// The reserve is a file of blocks that are kept from everybody else. When the
// disk is full a malicious finding gives some of them back and takes their
// place. It comes on top of Options.MaxTotal.
const (
	reserveName = "alerts.reserve"
	maxReserve  = 4 << 20       // bytes; less under a small bound
	reserveStep = 2 * MaxRecord // given back at a time: the longest record, and what the file system needs to note it
)

// fillReserve makes the reserve as large as it should be. A disk without room for
// it is no reason not to work.
func (l *Log) fillReserve() {
	want := min(maxReserve, l.opts.MaxTotal/16)
	if l.reserve >= want {
		l.spent = false
		return
	}
	f, err := openPlain(l.root, reserveName, os.O_RDWR|os.O_CREATE)
	if err == nil {
		l.reserve, err = enlarge(f, want)
		err = errors.Join(err, f.Close())
	}
	l.spent = l.spent && l.reserve < want
	if err != nil {
		l.opts.Logger.Warn("No full reserve for the day when the disk is full", "bytes", l.reserve, "error", err)
	}
}

// errSpent is what a record gets for which the reserve is not.
var errSpent = errors.New("the disk was full, and what is free now is kept for malicious findings")

// spared keeps what the reserve gave back from all but malicious findings, until
// the reserve is whole again.
func (l *Log) spared(level meetguard.Level) error {
	if !l.spent || level == meetguard.Malicious {
		return nil
	}
	if l.fillReserve(); l.spent {
		return errSpent
	}
	return nil
}

// enlarge gives a file blocks of its own up to size, or leaves it as it is, and
// returns its size then.
func enlarge(f *os.File, size int64) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if err := allocate(f, size); err != nil {
		have := min(info.Size(), size)
		return have, errors.Join(err, f.Truncate(have))
	}
	return size, nil
}

// spendReserve gives some of the reserve back to the disk.
func (l *Log) spendReserve() bool {
	if l.reserve == 0 {
		return false
	}
	l.spent = true
	f, err := openPlain(l.root, reserveName, os.O_RDWR)
	if err == nil {
		l.reserve = max(0, l.reserve-reserveStep)
		// Some file systems give blocks free only when the truncation is on disk.
		err = errors.Join(f.Truncate(l.reserve), f.Sync(), f.Close())
	}
	if err != nil {
		l.opts.Logger.Error("Could not spend the reserve", "error", err)
		l.reserve = 0
		return false
	}
	return true
}

// writeZeros fills a file that is smaller than size, where the system has no
// call that allocates.
func writeZeros(f *os.File, size int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	zeros := make([]byte, 64<<10)
	for at := info.Size(); at < size; {
		n, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at)
		if at += int64(n); err != nil {
			return fmt.Errorf("fill reserve: %w", err)
		}
	}
	return f.Sync()
}

// maxMissed bounds the memory for records that could not be written.
const maxMissed = 4096

// miss counts a record that could not be written, once however often it is
// tried, until it is written after all.
func (l *Log) miss(uid string, level meetguard.Level) {
	key := uidKey(uid)
	if _, known := l.missed[key]; known {
		return
	}
	if l.cur.Missed == nil {
		l.cur.Missed = map[string]uint64{}
	}
	l.cur.Missed[string(level)]++
	if len(l.missed) < maxMissed {
		l.missed[key] = level
	}
}

// regain takes a record that is written now out of those that were not.
func (l *Log) regain(uid string) {
	key := uidKey(uid)
	if level, missed := l.missed[key]; missed {
		delete(l.missed, key)
		if l.cur.Missed[string(level)]--; l.cur.Missed[string(level)] == 0 {
			delete(l.cur.Missed, string(level))
		}
	}
}
