package alert

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// MaxRecord is the length of the longest line of the log, in bytes. The
// collector takes no alert that is longer.
const MaxRecord = 64 << 10

// A sealed line ends with its own checksum, as the last key of its last object:
//
//	…,"mg_sum":"0123abcd"}}
//
// The checksum is the CRC-32C (Castagnoli) of everything before that comma, in
// lower-case hexadecimal. It finds damage without a neighbour's help, in the
// newest line too. It is no defence against a person: that is what mg_prev is.
const (
	sumKey    = `,"mg_sum":"`
	sumTail   = `"}}`
	sumDigits = 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errNotObject is returned for JSON that has no nested object at its end.
var errNotObject = errors.New("seal a line that does not end in an object within an object")

// seal puts the checksum into a JSON object that ends in a non-empty object.
func seal(line []byte) ([]byte, error) {
	body, ok := bytes.CutSuffix(line, []byte("}}"))
	if !ok || bytes.HasSuffix(body, []byte("{")) {
		return nil, errNotObject
	}
	return fmt.Appendf(bytes.Clone(body), "%s%08x%s", sumKey, crc32.Checksum(body, castagnoli), sumTail), nil
}

// sealed tells whether a line is exactly as seal made it.
func sealed(line []byte) bool {
	tail := len(line) - len(sumKey) - sumDigits - len(sumTail)
	if tail <= 0 {
		return false
	}
	want := fmt.Appendf(nil, "%s%08x%s", sumKey, crc32.Checksum(line[:tail], castagnoli), sumTail)
	return bytes.Equal(line[tail:], want)
}

// sealedPrefix returns the length of the first sealed line that data begins
// with, or 0. The key with its bare quotes cannot stand within a JSON string, so
// the search is not led astray by what a file calls itself.
func sealedPrefix(data []byte) int {
	for from := 0; ; {
		i := bytes.Index(data[from:], []byte(sumKey))
		if i < 0 {
			return 0
		}
		end := from + i + len(sumKey) + sumDigits + len(sumTail)
		if end <= len(data) && sealed(data[:end]) {
			return end
		}
		from += i + len(sumKey)
	}
}

type digest [sha256.Size]byte

func (d digest) String() string { return hex.EncodeToString(d[:]) }

func parseDigest(s string) (digest, bool) {
	var d digest
	b, err := hex.DecodeString(s)
	return d, err == nil && copy(d[:], b) == len(d) && len(b) == len(d)
}

// header is what the log itself needs to know of a line.
type header struct {
	seq   uint64
	uid   string
	prev  digest
	level string
}

func parseHeader(line []byte) (header, bool) {
	var r struct {
		Metadata struct {
			UID string `json:"uid"`
		} `json:"metadata"`
		Unmapped struct {
			Level string `json:"mg_level"`
			Seq   uint64 `json:"mg_seq"`
			Prev  string `json:"mg_prev"`
		} `json:"unmapped"`
	}
	if !sealed(line) || json.Unmarshal(line, &r) != nil {
		return header{}, false
	}
	prev, ok := parseDigest(r.Unmapped.Prev)
	h := header{r.Unmapped.Seq, r.Metadata.UID, prev, r.Unmapped.Level}
	return h, ok && h.seq > 0 && h.uid != ""
}

// entry is one line as it was found.
type entry struct {
	header
	raw    []byte // without the newline; valid until the next call of next
	line   int    // number of the line in its file, from 1
	start  int64  // offset of the first byte
	end    int64  // offset behind the newline
	bad    bool   // no record: damaged, or not one of ours
	joined bool   // a whole record whose newline is damaged
	torn   bool   // stands at the end of the file without a newline
}

func (e entry) hash() digest { return sha256.Sum256(e.raw) }

// lineReader reads the lines of one file, whatever was done to it: it finds the
// end of a record whose newline is damaged, and passes over what is no record.
type lineReader struct {
	in   *bufio.Reader
	rest []byte // what follows a record on the same line
	buf  []byte
	line int
	at   int64
	torn bool // the current line has no newline
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(r, MaxRecord)}
}

// next returns the next line, or io.EOF.
func (r *lineReader) next() (entry, error) {
	if len(r.rest) == 0 {
		if err := r.fill(); err != nil {
			return entry{}, err
		}
	}
	return r.take(), nil
}

// maxJoined bounds what is held of one line. It has room for several records
// that lost the newlines between them.
const maxJoined = 4 * MaxRecord

// fill reads up to the next newline. What goes beyond maxJoined is passed over:
// the line is damaged anyway.
func (r *lineReader) fill() error {
	r.buf, r.torn = r.buf[:0], false
	r.line++
	skipped := int64(0)
	for {
		part, err := r.in.ReadSlice('\n')
		keep := min(len(part), maxJoined-len(r.buf))
		r.buf = append(r.buf, part[:keep]...)
		skipped += int64(len(part) - keep)
		if err == nil || err == io.EOF {
			r.torn = err == io.EOF
			break
		}
		if err != bufio.ErrBufferFull {
			return err
		}
	}
	if len(r.buf) == 0 {
		return io.EOF
	}
	r.rest = r.buf
	r.at += skipped
	return nil
}

// take cuts the next record off the current line.
func (r *lineReader) take() entry {
	e := entry{line: r.line, start: r.at, raw: bytes.TrimSuffix(r.rest, []byte("\n"))}
	used := len(r.rest)
	if !sealed(e.raw) {
		if n := sealedPrefix(r.rest); n > 0 {
			e.raw, e.joined = r.rest[:n], true
			used = n
			if n < len(r.rest) && sealedPrefix(r.rest[n:]) == 0 {
				used++ // the byte that was the newline; without it the next record follows at once
			}
		}
	}
	r.rest = r.rest[used:]
	r.at += int64(used)
	e.end = r.at
	e.torn = r.torn && len(r.rest) == 0
	h, ok := parseHeader(e.raw)
	e.header, e.bad = h, !ok
	return e
}
