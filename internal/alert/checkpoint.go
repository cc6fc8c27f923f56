package alert

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"
)

// checkpointEvery is how much the log grows between two checkpoints, in bytes:
// as much as Open reads beyond the newest one.
const checkpointEvery = 256 << 10

// checkpoint is a line up to which the log was read, or written, whole. Open
// reads on behind it, so that a start costs what is new and not what is held. It
// stands in the cursor's file, under the cursor's checksum, and proves itself:
// the line must stand where it says and have the hash that it says.
type checkpoint struct {
	File  string `json:"file"`    // lasting name of the file that the line stands in
	Start int64  `json:"start"`   // of the line in File
	End   int64  `json:"end"`     // behind its newline
	Seq   uint64 `json:"seq"`     // of the line
	Hash  string `json:"hash"`    // of the line
	UIDs  int64  `json:"uids"`    // bytes of the index of uids that belong to the lines up to this one
	Sum   uint32 `json:"uid_sum"` // CRC-32C of those bytes
}

// sound says whether such a checkpoint can have been written.
func (c *checkpoint) sound() bool {
	_, isHash := parseDigest(c.Hash)
	first, isName := rotatedNumber(c.File)
	return isHash && isName && c.Seq >= first && c.Start >= 0 && c.End > c.Start+1 && c.End-c.Start <= MaxRecord+1 &&
		c.UIDs >= 0 && c.UIDs <= maxIndex && c.UIDs%uidSize == 0
}

// stands tells whether the line is in the file as the checkpoint says.
func (c *checkpoint) stands(f io.ReaderAt) bool {
	line := make([]byte, c.End-c.Start)
	if _, err := f.ReadAt(line, c.Start); err != nil || line[len(line)-1] != '\n' {
		return false
	}
	e := entry{raw: line[:len(line)-1]}
	h, ok := parseHeader(e.raw)
	return ok && h.seq == c.Seq && e.hash().String() == c.Hash
}

// errCheckpoint says that the log has to be read from its beginning.
var errCheckpoint = errors.New("read on from the checkpoint: it does not fit the log")

// resume takes the files up to the checkpoint as they are and reads what is
// behind it.
func (s *scan) resume(files []logFile, at *checkpoint) error {
	first, _ := rotatedNumber(at.File)
	i := 0
	for i < len(files)-1 && files[i].name != at.File && files[i].first > 0 {
		i++
	}
	if i == len(files) || files[i].name != at.File && files[i].name != activeName || !at.stands(files[i]) {
		return errCheckpoint
	}
	if err := s.log.seen.load(s.log.root, at.UIDs, at.Sum); err != nil {
		return errors.Join(errCheckpoint, err)
	}
	if err := s.takeWhole(files[:i], first); err != nil {
		return err
	}
	head, _ := parseDigest(at.Hash)
	l := s.log
	l.seq, l.head, l.tip, l.unread, l.cur.Mark = at.Seq, head, *at, *at, at
	s.floor = at.Seq
	if s.any = true; i == 0 {
		s.base = first - 1
	}
	if err := s.read(files[i], held{name: files[i].name, first: first, last: at.Seq, size: at.End}); err != nil {
		return err
	}
	for _, f := range files[i+1:] {
		if err := s.file(f); err != nil {
			return err
		}
	}
	return nil
}

// takeWhole takes files that lie before the checkpoint by their names and sizes.
// next is the number that the file behind them begins with.
func (s *scan) takeWhole(files []logFile, next uint64) error {
	for i, f := range files {
		end := next
		if i+1 < len(files) {
			end = files[i+1].first
		}
		info, err := f.Stat()
		if err != nil {
			return fmt.Errorf("read size of alert log %s: %w", f.name, err)
		}
		if f.first == 0 || f.first >= end {
			return errCheckpoint
		}
		if i == 0 {
			s.base = f.first - 1
		}
		s.log.held = append(s.log.held, held{name: f.name, first: f.first, last: end - 1, size: info.Size()})
	}
	return nil
}

// advance moves the checkpoint to the newest line. It stays where it is if that
// line cannot be named or the index of uids cannot be written: then the next
// start reads more.
func (l *Log) advance() {
	if l.tip.Seq == 0 || l.tip.Seq != l.seq || l.unmarked == 0 {
		return
	}
	size, sum, err := l.seen.save(l.root)
	if err != nil {
		l.opts.Logger.Warn("Could not write index of alert uids", "error", err)
		return
	}
	mark := l.tip
	mark.UIDs, mark.Sum = size, sum
	l.cur.Mark, l.unmarked = &mark, 0
}

// checkpoint moves the checkpoint to the newest line and saves it.
func (l *Log) checkpoint() {
	l.advance()
	if err := l.saveCursor(); err != nil {
		l.opts.Logger.Warn("Could not save checkpoint of alert log", "error", err)
	}
}

// leaveFile moves the checkpoint out of a file that goes, and notes which line is
// the oldest one then: a file that goes otherwise is missed at the next start.
func (l *Log) leaveFile(name string, oldest uint64) {
	l.cur.First = oldest
	if l.cur.Mark != nil && l.cur.Mark.File == name {
		l.cur.Mark = nil
		l.advance()
	}
	if err := l.saveCursor(); err != nil {
		l.opts.Logger.Warn("Could not save checkpoint of alert log", "error", err)
	}
}

// The index of uids is a row of keys, see uidKey, in the order of the lines. It
// is only believed as far as the checkpoint vouches for it, and made anew from
// the log when it is lost.
const (
	uidsName = "alerts.uids"
	uidSize  = 16
	maxIndex = 2 * maxUIDs * uidSize // then it is written anew with the newest maxUIDs
)

// load takes the uids of the first size bytes of the index.
func (s *uidSet) load(root *os.Root, size int64, sum uint32) error {
	data := make([]byte, size)
	if size > 0 {
		f, err := openPlain(root, uidsName, os.O_RDONLY)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := io.ReadFull(f, data); err != nil {
			return err
		}
	}
	if crc32.Checksum(data, castagnoli) != sum {
		return errors.New("read index of uids: it is damaged")
	}
	for i := 0; i < len(data); i += uidSize {
		s.addKey([uidSize]byte(data[i:]))
	}
	s.size, s.sum, s.fresh = size, sum, 0
	return nil
}

// save brings the index up to the newest uid, and returns its size and checksum.
// It writes behind what the last checkpoint vouches for, or, if that is not
// possible, all of it anew. A crash in between leaves an index that no checkpoint
// fits, and costs one reading of the log.
func (s *uidSet) save(root *os.Root) (size int64, sum uint32, err error) {
	if s.fresh > len(s.ring) || s.size+int64(s.fresh)*uidSize > maxIndex {
		s.size, s.sum, s.fresh = 0, 0, len(s.ring)
	}
	data := s.newest(s.fresh)
	if err := writeEnd(root, uidsName, s.size, data); err != nil {
		return 0, 0, err
	}
	s.size, s.sum, s.fresh = s.size+int64(len(data)), crc32.Update(s.sum, castagnoli, data), 0
	return s.size, s.sum, nil
}

// writeEnd makes data the end of a file, from at on.
func writeEnd(root *os.Root, name string, at int64, data []byte) error {
	f, err := openPlain(root, name, os.O_WRONLY|os.O_CREATE)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, at)
	if err == nil {
		err = f.Truncate(at + int64(len(data)))
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// newest returns the newest n keys, oldest first.
func (s *uidSet) newest(n int) []byte {
	data := make([]byte, 0, n*uidSize)
	for i := len(s.ring) - n; i < len(s.ring); i++ {
		key := s.ring[(s.next+i)%len(s.ring)]
		data = append(data, key[:]...)
	}
	return data
}

// forget makes the set empty.
func (s *uidSet) forget() {
	clear(s.index)
	*s = uidSet{most: s.most, index: s.index, ring: s.ring[:0]}
}

// rotatedNumber reads a lasting name.
func rotatedNumber(name string) (uint64, bool) {
	m := reRotated.FindStringSubmatch(name)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseUint(m[1], 10, 64)
	return n, err == nil && n > 0 && rotatedName(n) == name
}
