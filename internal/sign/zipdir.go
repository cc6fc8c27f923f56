package sign

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"strings"
)

// Signatures and sizes of the records of a ZIP file (APPNOTE.TXT 4.3).
const (
	zipLocalMagic   = "PK\x03\x04"
	zipEntryMagic   = "PK\x01\x02"
	zipEndMagic     = "PK\x05\x06"
	zipEnd64Magic   = "PK\x06\x06"
	zipLocatorMagic = "PK\x06\x07"

	zipLocalSize   = 30
	zipEntrySize   = 46
	zipEndSize     = 22
	zipEnd64Size   = 56
	zipLocatorSize = 20

	zipIn64 = 1<<32 - 1 // the value stands in a 64-bit field
)

// Limits of a package. The largest part that is unpacked is the block map, with
// about 70 bytes for every 64 KiB of content.
const (
	maxZipEntries   = 65535
	maxZipDirectory = 16 << 20 // bytes
	maxZipPart      = 16 << 20 // bytes of one file that is unpacked here
	maxZipRatio     = 1100     // of unpacked to packed bytes; DEFLATE reaches 1032
)

// zipDir is the directory of a ZIP file that lies in it without a gap: a file
// where two readers could find two directories is refused.
type zipDir struct {
	in      input
	entries []zipEntry
	at      int64  // where the directory begins
	raw     []byte // its records
	tail    []byte // the end records behind it
	end     int64  // where the last of them ends, without a comment
}

// zipEntry is one file as the directory tells it.
type zipEntry struct {
	name         string
	flags        uint16
	method       uint16
	packed, size int64 // bytes
	at           int64 // of the local header
	raw          []byte
}

// openZip reads the directory. Its memory is that of the directory and twice
// as much again.
func openZip(in input) (*zipDir, error) {
	z := &zipDir{in: in}
	count, size, err := z.readEnd()
	if err != nil {
		return nil, err
	}
	if count > maxZipEntries || size > maxZipDirectory {
		return nil, limit("the package has more than 65535 files")
	}
	if z.raw, err = in.bytes(z.at, size); err != nil {
		return nil, err
	}
	return z, z.readEntries(count)
}

// readEnd finds the end records and tells the number of files and the size of
// the directory.
func (z *zipDir) readEnd() (count, size int64, err error) {
	const maxComment = 1<<16 - 1
	from := max(0, z.in.size-zipEndSize-maxComment)
	last, err := z.in.bytes(from, z.in.size-from)
	if err != nil {
		return 0, 0, err
	}
	i := bytes.LastIndex(last, []byte(zipEndMagic))
	if i < 0 || len(last)-i < zipEndSize {
		return 0, 0, malformed("the package has no directory")
	}
	at, record := from+int64(i), last[i:i+zipEndSize]
	z.end = at + zipEndSize
	count = int64(binary.LittleEndian.Uint16(record[10:]))
	size = int64(binary.LittleEndian.Uint32(record[12:]))
	z.at = int64(binary.LittleEndian.Uint32(record[16:]))
	begin := at
	if count == 1<<16-1 || size == zipIn64 || z.at == zipIn64 {
		if begin, count, size, err = z.readEnd64(at); err != nil {
			return 0, 0, err
		}
	}
	if z.at < 0 || size < 0 || z.at > begin || begin-z.at != size || count < 0 || count > size/zipEntrySize {
		return 0, 0, malformed("the directory of the package does not end where it says")
	}
	z.tail, err = z.in.bytes(begin, z.end-begin)
	return count, size, err
}

// readEnd64 reads the 64-bit end record, which lies before its locator and
// that before the end record at end.
func (z *zipDir) readEnd64(end int64) (begin, count, size int64, err error) {
	begin = end - zipLocatorSize - zipEnd64Size
	b, err := z.in.bytes(begin, zipLocatorSize+zipEnd64Size)
	if err != nil {
		return 0, 0, 0, err
	}
	locator := b[zipEnd64Size:]
	if string(b[:4]) != zipEnd64Magic || string(locator[:4]) != zipLocatorMagic || int64(binary.LittleEndian.Uint64(locator[8:])) != begin { // #nosec G115 -- compared, not used
		return 0, 0, 0, malformed("the directory of the package has no 64-bit end")
	}
	count = int64(binary.LittleEndian.Uint64(b[32:])) // #nosec G115 -- readEnd refuses negative ones, here and below
	size = int64(binary.LittleEndian.Uint64(b[40:]))  // #nosec G115 -- as above
	z.at = int64(binary.LittleEndian.Uint64(b[48:]))  // #nosec G115 -- as above
	return begin, count, size, nil
}

func (z *zipDir) readEntries(count int64) error {
	seen := make(map[string]bool, count)
	rest := z.raw
	for range count {
		e, n, err := readZipEntry(rest)
		if err != nil {
			return err
		}
		// Windows takes names that differ in case alone for the same.
		if key := strings.ToLower(e.name); seen[key] {
			return malformed("the package has two files of one name")
		} else {
			seen[key] = true
		}
		z.entries = append(z.entries, e)
		rest = rest[n:]
	}
	if len(rest) > 0 {
		return malformed("the directory of the package has more files than it says")
	}
	return nil
}

// readZipEntry reads the record at the front of b and tells its size.
func readZipEntry(b []byte) (e zipEntry, n int, err error) {
	if len(b) < zipEntrySize || string(b[:4]) != zipEntryMagic {
		return e, 0, malformed("the directory of the package is damaged")
	}
	name, extra := int(binary.LittleEndian.Uint16(b[28:])), int(binary.LittleEndian.Uint16(b[30:]))
	n = zipEntrySize + name + extra + int(binary.LittleEndian.Uint16(b[32:]))
	if n > len(b) {
		return e, 0, malformed("the directory of the package is damaged")
	}
	e = zipEntry{
		name:   string(b[zipEntrySize : zipEntrySize+name]),
		flags:  binary.LittleEndian.Uint16(b[8:]),
		method: binary.LittleEndian.Uint16(b[10:]),
		packed: int64(binary.LittleEndian.Uint32(b[20:])),
		size:   int64(binary.LittleEndian.Uint32(b[24:])),
		at:     int64(binary.LittleEndian.Uint32(b[42:])),
		raw:    b[:n],
	}
	return e, n, e.widen(b[zipEntrySize+name : zipEntrySize+name+extra])
}

// widen reads the values that did not fit into 32 bits from the extra field
// with the id 1, which holds only those, in this order.
func (e *zipEntry) widen(extra []byte) error {
	wide := zip64Field(extra)
	for _, value := range []*int64{&e.size, &e.packed, &e.at} {
		if *value != zipIn64 {
			continue
		}
		if len(wide) < 8 {
			return malformed("the directory of the package is damaged")
		}
		*value = int64(binary.LittleEndian.Uint64(wide)) // #nosec G115 -- negative ones are refused below
		wide = wide[8:]
		if *value < 0 {
			return malformed("the directory of the package is damaged")
		}
	}
	return nil
}

func zip64Field(extra []byte) []byte {
	for len(extra) >= 4 {
		id, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if size > len(extra)-4 {
			return nil
		}
		if id == 1 {
			return extra[4 : 4+size]
		}
		extra = extra[4+size:]
	}
	return nil
}

func (z *zipDir) find(name string) *zipEntry {
	for i := range z.entries {
		if z.entries[i].name == name {
			return &z.entries[i]
		}
	}
	return nil
}

// data tells where the content of a file begins.
func (z *zipDir) data(e *zipEntry) (int64, error) {
	head, err := z.in.bytes(e.at, zipLocalSize)
	if err != nil {
		return 0, err
	}
	if string(head[:4]) != zipLocalMagic {
		return 0, malformed("a file of the package is not where its directory says")
	}
	at := e.at + zipLocalSize + int64(binary.LittleEndian.Uint16(head[26:])) + int64(binary.LittleEndian.Uint16(head[28:]))
	if at > z.at || e.packed > z.at-at {
		return 0, malformed("a file of the package does not end before the directory")
	}
	return at, nil
}

// read unpacks a file of at most most bytes.
func (z *zipDir) read(e *zipEntry, most int64) ([]byte, error) {
	at, err := z.data(e)
	if err != nil {
		return nil, err
	}
	if e.size > most || e.packed > most {
		return nil, limit("a part of the package is larger than what is unpacked for its signature")
	}
	var r io.Reader = z.in.section(at, at+e.packed)
	switch e.method {
	case 0:
	case 8:
		r = flate.NewReader(r)
	default:
		return nil, malformed("a part of the package is packed in an unusual way")
	}
	if e.size > maxZipRatio*e.packed {
		return nil, malformed("a part of the package says that it is larger than it can be")
	}
	content := make([]byte, e.size)
	if _, err := io.ReadFull(r, content); err != nil {
		return nil, malformed("a part of the package cannot be unpacked")
	}
	if n, err := r.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		return nil, malformed("a part of the package is larger than it says")
	}
	return content, nil
}
