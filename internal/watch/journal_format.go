package watch

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"slices"
)

// The journal is a sequence of records of one size, so that damage to one
// record, or a torn tail, never hides the records behind it:
//
//	0   16  SHA-256 of the path, of which 8 bytes count
//	16  16  SHA-256 of the identity, of which 8 bytes count; all zero: path forgotten
//	32   4  day of the last use since 1970, little endian; of a landing, see
//	        landing.go, its day with the highest bit set
//	36   4  CRC-32C of the 36 bytes before, little endian
//
// Record 0 is the header: journalMagic, zero padded, under the same checksum.
//
// What does not count is written as zero. Older programs wrote 16 bytes of each
// digest, and of a landing the place behind eight bytes of time. A file is taken for
// one that was judged if both digests are equal: 128 bits, half of which the
// kernel's clock has a part in.
const (
	recordSize  = 40
	recordWide  = 16 // bytes that a digest has room for
	recordPlace = recordWide + 8
)

// journalMagic names the format and its version.
const journalMagic = "meetguard journal 1"

type (
	pathKey [8]byte
	digest  [8]byte
)

// record is one line of the journal.
type record struct {
	path    pathKey
	content digest
	day     uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func keyOf(path string) pathKey {
	sum := sha256.Sum256([]byte(path))
	return pathKey(sum[:8])
}

func digestOf(id Identity) digest {
	sum := sumOf(id)
	return digest(sum[:8])
}

func sumOf(id Identity) [sha256.Size]byte {
	var b [40]byte
	for i, v := range []uint64{id.Dev, id.Ino, uint64(id.Size), uint64(id.MTime), uint64(id.CTime)} {
		binary.LittleEndian.PutUint64(b[8*i:], v)
	}
	return sha256.Sum256(b[:])
}

// append writes the record behind b.
func (r record) append(b []byte) []byte {
	var raw [2 * recordWide]byte
	copy(raw[:], r.path[:])
	copy(raw[recordWide:], r.content[:])
	return appendRecord(b, raw, r.day)
}

func appendRecord(b []byte, digests [2 * recordWide]byte, day uint32) []byte {
	start := len(b)
	b = append(b, digests[:]...)
	b = binary.LittleEndian.AppendUint32(b, day)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// parseRecord reads one record of recordSize bytes.
func parseRecord(b []byte) (r record, ok bool) {
	r.path, r.content = pathKey(b[:8]), digest(b[recordWide:recordWide+8])
	r.day = binary.LittleEndian.Uint32(b[32:])
	if r.day&landingMark != 0 && [8]byte(b[recordPlace:]) != [8]byte{} {
		copy(r.content[4:], b[recordPlace:]) // of an older program
	}
	return r, crc32.Checksum(b[:36], castagnoli) == binary.LittleEndian.Uint32(b[36:])
}

// journalHeader is record 0.
func journalHeader() []byte {
	var raw [2 * recordWide]byte
	copy(raw[:], journalMagic)
	return appendRecord(nil, raw, 0)
}

// readJournal calls apply for each sound record and returns the number of
// damaged ones, a torn tail among them. A file without the header holds
// nothing that could be trusted: it counts as one.
func readJournal(raw []byte, apply func(record)) (damaged int) {
	if len(raw) == 0 {
		return 0
	}
	if len(raw) < recordSize || string(raw[:recordSize]) != string(journalHeader()) {
		return 1
	}
	rest := raw[recordSize:]
	for ; len(rest) >= recordSize; rest = rest[recordSize:] {
		if r, ok := parseRecord(rest); ok {
			apply(r)
		} else {
			damaged++
		}
	}
	if len(rest) > 0 {
		damaged++
	}
	return damaged
}

// expire forgets the paths that were not used for long, then the least used
// ones above the limit.
func (j *Journal) expire() {
	now := j.today()
	var old []pathKey
	for r := range j.entries.all() {
		if (entry{r.content, r.day}).until() < now {
			old = append(old, r.path)
		}
	}
	for _, path := range old {
		j.entries.drop(path)
	}
	if j.entries.len <= journalEntries {
		return
	}
	for _, r := range j.sorted()[:j.entries.len-journalEntries] {
		j.entries.drop(r.path)
	}
}

// day is when an entry was last used.
func (e entry) day() uint32 { return e.used &^ landingMark }

// until is the last day on which an unused entry is kept.
func (e entry) until() uint32 {
	if e.used&landingMark != 0 {
		return e.day() + landingDays
	}
	return e.used + journalIdle
}

// sorted returns what is remembered, the path unused for longest first, and of
// one day the landings before the contents: they matter for minutes.
func (j *Journal) sorted() []record {
	all := slices.AppendSeq(make([]record, 0, j.entries.len), j.entries.all())
	slices.SortFunc(all, func(a, b record) int {
		return cmp.Or(cmp.Compare(a.day&^landingMark, b.day&^landingMark), cmp.Compare(b.day&landingMark, a.day&landingMark))
	})
	return all
}

// compact replaces the file by one that holds live records only. The old file
// stays whole until the new one is; whichever of the two a crash leaves behind
// is sound.
func (j *Journal) compact() error {
	live := j.sorted()
	raw := append(make([]byte, 0, (len(live)+1)*recordSize), journalHeader()...)
	for _, r := range live {
		raw = r.append(raw)
	}
	if err := writeSynced(j.path+".new", raw); err != nil {
		return fmt.Errorf("compact journal: %w", err)
	}
	if j.file != nil {
		j.file.Close() // about to be replaced: Windows renames over no open file
		j.file = nil
	}
	if err := os.Rename(j.path+".new", j.path); err != nil {
		return fmt.Errorf("compact journal: %w", err)
	}
	f, err := os.OpenFile(j.path, os.O_RDWR, journalFileMode)
	if err != nil {
		return fmt.Errorf("reopen journal: %w", err)
	}
	j.file, j.size, j.unsaved = f, int64(len(raw)), nil
	return nil
}

// writeSynced writes a whole file and waits until it is on disk.
func writeSynced(path string, raw []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, journalFileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	return errors.Join(err, f.Sync(), f.Close())
}
