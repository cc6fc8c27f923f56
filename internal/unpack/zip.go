package unpack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/ulikunitz/xz/lzma"
	"golang.org/x/text/encoding/charmap"
)

// Records of a zip archive and their sizes: APPNOTE.TXT 6.3.10, sections 4.3.7,
// 4.3.12, 4.3.14, 4.3.15 and 4.3.16.
const (
	zipLocal, zipLocalSize         = "PK\x03\x04", 30
	zipEntry, zipEntrySize         = "PK\x01\x02", 46
	zipEnd, zipEndSize             = "PK\x05\x06", 22
	zip64End, zip64EndSize         = "PK\x06\x06", 56
	zip64Locator, zip64LocatorSize = "PK\x06\x07", 20

	zipCommentMax = 1<<16 - 1
)

// Methods of compression (APPNOTE 4.4.5) and flags (4.4.4).
const (
	methodStore, methodDeflate, methodBzip2, methodLZMA = 0, 8, 12, 14
	methodZstd, methodXz, methodAES                     = 93, 95, 99

	flagLocked, flagStrong, flagUTF8 = 1, 1 << 6, 1 << 11
)

var le = binary.LittleEndian

// walkZip visits the files of a zip archive, in the order of its central
// directory, which is the list that programs unpack by. Checksums do not matter:
// programs unpack what has a wrong one.
func walkZip(data []byte, opt Options, visit Visit) error {
	dirs, count, err := findZipDirs(data)
	if err != nil {
		return err
	}
	for i, dir := range dirs {
		z := &zipWalk{data: data, base: dir.base, opt: opt}
		if i > 0 && !z.leads(dir.at) {
			continue
		}
		seen, err := z.list(dir.at, visit)
		z.close()
		if err != nil {
			return err
		}
		if uint16(seen) != uint16(count) { // old writers count modulo 65,536
			return errors.New("the list of files is cut short")
		}
	}
	return nil
}

// leads tells whether the first entry of a directory says where its content is.
func (z *zipWalk) leads(at uint64) bool {
	e, size := parseZipEntry(z.data[at:])
	if size == 0 {
		return false
	}
	_, err := z.content(&e)
	return err == nil
}

// list visits what one central directory names.
func (z *zipWalk) list(at uint64, visit Visit) (count uint64, err error) {
	for ; zipEntryAt(z.data, at); count++ {
		e, size := parseZipEntry(z.data[at:])
		if size == 0 {
			return count, errors.New("the list of files is cut short")
		}
		at += size
		if err := z.opt.Budget.Entry(); err != nil {
			return count, err
		}
		if err := z.visit(e, visit); err != nil {
			return count, err
		}
	}
	return count, nil
}

// zipDir is where a central directory lies. Offsets in the archive count from
// base: something may stand before it.
type zipDir struct{ at, base uint64 }

// findZipDirs reads the record at the end of the archive. If the place of the
// directory by its offset and that by its size both look like one, programs
// differ in which they take, and both count.
func findZipDirs(data []byte) (dirs []zipDir, count uint64, err error) {
	end := zipEndAt(data)
	if end < 0 {
		return nil, 0, errors.New("the archive is cut short: the end of its list of files is missing")
	}
	r := data[end:]
	count = uint64(le.Uint16(r[10:]))
	size, offset, behind := uint64(le.Uint32(r[12:])), uint64(le.Uint32(r[16:])), uint64(end)
	if count == 1<<16-1 || size == 1<<32-1 || offset == 1<<32-1 {
		if r, at := zip64EndOf(data, end); r != nil {
			count, size, offset, behind = le.Uint64(r[32:]), le.Uint64(r[40:]), le.Uint64(r[48:]), at
		}
	}
	if offset > behind || size > behind {
		return nil, 0, errors.New("the archive is damaged: its list of files lies outside of it")
	}
	if zipEntryAt(data, offset) {
		dirs = append(dirs, zipDir{at: offset})
	}
	if at := behind - size; at > offset && zipEntryAt(data, at) {
		dirs = append(dirs, zipDir{at, at - offset})
	}
	if dirs == nil && count > 0 {
		return nil, 0, errors.New("the archive is damaged: its list of files is not where it should be")
	}
	return dirs, count, nil
}

func zipEntryAt(data []byte, at uint64) bool {
	return at+zipEntrySize <= uint64(len(data)) && hasMagic(data[at:], zipEntry)
}

// zipEndAt finds the last record that could be the end: if possible one whose
// comment reaches no further than the data.
func zipEndAt(data []byte) int {
	first := max(0, len(data)-zipEndSize-zipCommentMax)
	found := -1
	for end := len(data); ; {
		at := bytes.LastIndex(data[first:end], []byte(zipEnd))
		if at < 0 {
			return found
		}
		at += first
		if at+zipEndSize <= len(data) {
			if at+zipEndSize+int(le.Uint16(data[at+20:])) <= len(data) {
				return at
			}
			found = max(found, at)
		}
		end = at + len(zipEnd) - 1
	}
}

// zip64EndOf reads the larger record that the one at end stands for.
func zip64EndOf(data []byte, end int) ([]byte, uint64) {
	at := end - zip64LocatorSize
	if at < 0 || !hasMagic(data[at:], zip64Locator) {
		return nil, 0
	}
	pos := le.Uint64(data[at+8:])
	if pos > uint64(at) || uint64(at)-pos < zip64EndSize || !hasMagic(data[pos:], zip64End) {
		if at < zip64EndSize || !hasMagic(data[at-zip64EndSize:], zip64End) { // something stands before the archive
			return nil, 0
		}
		pos = uint64(at - zip64EndSize)
	}
	return data[pos:], pos
}

// ZipComment is the comment of a zip archive, "" for none.
func ZipComment(data []byte) string {
	at := zipEndAt(data)
	if at < 0 {
		return ""
	}
	rest := data[at+zipEndSize:]
	return zipText(rest[:min(len(rest), int(le.Uint16(data[at+20:])))], false)
}

// zipFile is one entry of the central directory.
type zipFile struct {
	name           string
	flags, method  uint16
	crc            uint32
	packed, size   uint64
	offset         uint64 // of the local header, from the base
	mode           uint16 // of Unix, 0 if it was made elsewhere
	time           uint16 // of change, as MS-DOS tells it
	aesStrength    byte   // 1 to 3, 0 for none
	vendorsVersion uint16 // of AES: 2 has no checksum
}

// parseZipEntry reads an entry; its size is 0 if it is cut short.
func parseZipEntry(b []byte) (e zipFile, size uint64) {
	names, extras, comments := int(le.Uint16(b[28:])), int(le.Uint16(b[30:])), int(le.Uint16(b[32:]))
	total := zipEntrySize + names + extras + comments
	if total > len(b) {
		return e, 0
	}
	e = zipFile{flags: le.Uint16(b[8:]), method: le.Uint16(b[10:]), time: le.Uint16(b[12:]), crc: le.Uint32(b[16:]),
		packed: uint64(le.Uint32(b[20:])), size: uint64(le.Uint32(b[24:])), offset: uint64(le.Uint32(b[42:]))}
	const unix, darwin = 3, 19 // APPNOTE 4.4.2
	if madeBy := b[5]; madeBy == unix || madeBy == darwin {
		e.mode = uint16(le.Uint32(b[38:]) >> 16)
	}
	name := b[zipEntrySize : zipEntrySize+names]
	e.name = zipText(name, e.flags&flagUTF8 != 0)
	e.extra(b[zipEntrySize+names:zipEntrySize+names+extras], name)
	return e, uint64(total)
}

// zipText decodes a name: UTF-8 if it says so or is, else the code page that
// the format was made with. Programs of Windows write backslashes.
func zipText(raw []byte, utf bool) string {
	text := string(raw)
	if utf || utf8.Valid(raw) {
		text = strings.ToValidUTF8(text, "\ufffd")
	} else if decoded, err := charmap.CodePage437.NewDecoder().Bytes(raw); err == nil {
		text = string(decoded)
	}
	return strings.ReplaceAll(text, `\`, "/")
}

// extra reads the fields behind an entry: sizes of 64 bits (APPNOTE 4.5.3), a
// name in UTF-8 (4.6.9), and what WinZip's AES needs.
func (e *zipFile) extra(b, name []byte) {
	const id64, idName, idAES = 1, 0x7075, 0x9901
	for len(b) >= 4 {
		id, size := le.Uint16(b), int(le.Uint16(b[2:]))
		if b = b[4:]; size > len(b) {
			return
		}
		field := b[:size]
		b = b[size:]
		switch {
		case id == id64:
			e.large(field)
		case id == idName && size > 5 && field[0] == 1 && le.Uint32(field[1:]) == crc32.ChecksumIEEE(name):
			e.name = zipText(field[5:], true)
		case id == idAES && size >= 7:
			e.vendorsVersion, e.aesStrength = le.Uint16(field), field[4]
			if e.method == methodAES {
				e.method = le.Uint16(field[5:])
			}
		}
	}
}

// large takes the sizes that did not fit into the entry, in their fixed order.
func (e *zipFile) large(field []byte) {
	for _, v := range []*uint64{&e.size, &e.packed, &e.offset} {
		if *v == 1<<32-1 && len(field) >= 8 {
			*v, field = le.Uint64(field), field[8:]
		}
	}
}

// zipWalk reads the entries of one archive, one after the other.
type zipWalk struct {
	data    []byte
	base    uint64
	opt     Options
	inflate io.Reader
	keys    zipKeys
	start   [headSize]byte // of the member that is looked at
}

func (z *zipWalk) close() {
	if z.inflate != nil {
		inflaters.Put(z.inflate)
	}
}

const modeFile = 0o100000 // a regular one; the other kinds stand in cpio.go

func (z *zipWalk) visit(e zipFile, visit Visit) error {
	m := Member{Name: e.name, Size: int64(min(e.size, 1<<63-1))}
	switch kind := e.mode & modeType; {
	case strings.HasSuffix(e.name, "/"), kind == modeFolder && e.size == 0:
		m.Role = RoleFolder
	case kind == modeLink:
		m.Role = RoleLink
	case kind != 0 && kind != modeFile && kind != modeFolder:
		return nil // a device or pipe
	}
	packed, err := z.content(&e)
	if err == nil && e.flags&flagLocked != 0 && m.Role != RoleFolder {
		return z.visitLocked(m, e, packed, visit)
	}
	m.Open = func() (io.Reader, error) {
		if err != nil {
			return nil, err
		}
		return z.open(&e, bytes.NewReader(packed))
	}
	if err == nil && e.method == methodDeflate && len(packed) > packedHead {
		m.Head = func() []byte { return z.head(packed) }
	}
	return visit(m)
}

func (z *zipWalk) visitLocked(m Member, e zipFile, packed []byte, visit Visit) error {
	open, password := z.unlock(&e, packed)
	if open == nil {
		m.Locked = true
		m.Open = func() (io.Reader, error) { return nil, ErrLocked }
		return visit(m)
	}
	m.Password = password
	m.Open = func() (io.Reader, error) { return z.open(&e, open()) }
	return visit(m)
}

// content are the packed bytes of an entry, behind its local header.
func (z *zipWalk) content(e *zipFile) ([]byte, error) {
	at := z.base + e.offset
	if at < z.base || at > uint64(len(z.data)) || uint64(len(z.data))-at < zipLocalSize || !hasMagic(z.data[at:], zipLocal) {
		return nil, errors.New("it is not where the list of files says")
	}
	local := z.data[at:]
	skip := zipLocalSize + int(le.Uint16(local[26:])) + int(le.Uint16(local[28:]))
	if skip > len(local) || e.packed > uint64(len(local)-skip) {
		return nil, errors.New("it is cut short")
	}
	return local[skip : skip+int(e.packed) : skip+int(e.packed)], nil // #nosec G115 -- within the file, see above
}

// head unpacks the first bytes of a deflated entry, which ends there in the
// middle.
func (z *zipWalk) head(packed []byte) []byte {
	n, _ := io.ReadFull(z.inflated(bytes.NewReader(packed[:packedHead])), z.start[:])
	return z.start[:n]
}

// inflated reads with the one decompressor of the archive.
func (z *zipWalk) inflated(in io.Reader) io.Reader {
	if z.inflate != nil {
		inflaters.Put(z.inflate)
	}
	z.inflate = inflater(in)
	return z.inflate
}

// open unpacks an entry within the budget.
func (z *zipWalk) open(e *zipFile, in io.Reader) (io.Reader, error) {
	out := in
	var err error
	switch e.method {
	case methodStore:
	case methodDeflate:
		out = z.inflated(in)
	case methodBzip2:
		out = newBzip2(in)
	case methodLZMA:
		out, err = openZipLZMA(in, e.size)
	case methodZstd:
		out, err = openZstd(in)
	case methodXz:
		out, err = openXz(in)
	default:
		err = fmt.Errorf("it is compressed by method %d: %w", e.method, ErrUnsupported)
	}
	if err != nil {
		return nil, err
	}
	return z.opt.Budget.Reader(out), nil
}

// openZipLZMA reads the stream of APPNOTE 5.8.8: two bytes of version, two of the
// length of the properties, these, and raw LZMA. The properties and the size
// stand before a file of LZMA alone, too.
func openZipLZMA(in io.Reader, size uint64) (io.Reader, error) {
	const properties, before = 5, 4
	var head [before + properties]byte
	if _, err := io.ReadFull(in, head[:]); err != nil || le.Uint16(head[2:]) != properties {
		return nil, errors.New("its LZMA properties are malformed")
	}
	if window := le.Uint32(head[before+1:]); window > maxWindow {
		return nil, &LimitError{"a member asks for more memory than may be used to unpack it"}
	}
	start := le.AppendUint64(head[before:len(head):len(head)], size)
	return lzma.NewReader(io.MultiReader(bytes.NewReader(start), in))
}
