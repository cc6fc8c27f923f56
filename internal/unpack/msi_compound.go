package unpack

import (
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"unicode/utf16"
)

// The structures here are those of MS-CFB, the compound file that an installer
// package is.
const (
	cfbMagic      = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
	cfbHeader     = 512
	cfbFirstFATs  = 109        // FAT sectors that the header lists
	cfbEndOfChain = 0xfffffffe // ENDOFCHAIN
	cfbNoEntry    = 0xffffffff // NOSTREAM
	cfbMiniSector = 64
	cfbMiniCutoff = 4096 // bytes; shorter streams lie in the mini stream
	cfbStorage    = 1    // kinds of entries of the directory
	cfbStream     = 2

	maxCFBEntries = 1 << 16 // entries of the directory, of all storages
	maxCFBDepth   = 4       // storages in storages
)

var errCFB = errors.New("the compound file is broken")

// compoundFile is an open compound file. It keeps lists of sectors only; what
// they hold stays where it is.
type compoundFile struct {
	data    []byte
	shift   uint     // of the size of a sector
	fats    []uint32 // sectors of the FAT
	miniFAT []uint32 // sectors of the FAT of the mini stream
	mini    []uint32 // sectors of the mini stream
	dir     []uint32 // sectors of the directory
}

// compoundEntry is a stream or a storage.
type compoundEntry struct {
	name    []uint16
	kind    byte
	links   [2]uint32 // left and right
	child   uint32
	classID string
	start   uint32
	size    int64
}

// openCompound reads the header and the chains of the tables.
func openCompound(data []byte) (*compoundFile, error) {
	if len(data) < cfbHeader || string(data[:8]) != cfbMagic {
		return nil, errCFB
	}
	le := binary.LittleEndian
	f := &compoundFile{data: data, shift: uint(le.Uint16(data[30:]))}
	if f.shift != 9 && f.shift != 12 {
		return nil, errCFB
	}
	f.listFATs()
	var err error
	if f.dir, err = f.chain(le.Uint32(data[48:]), maxCFBEntries*128); err != nil {
		return nil, err
	}
	root, ok := f.entry(0)
	if !ok {
		return nil, errCFB
	}
	if f.miniFAT, err = f.chain(le.Uint32(data[60:]), int64(len(data))); err != nil {
		return f, nil // the mini stream is lost, the large streams are not
	}
	if f.mini, err = f.chain(root.start, root.size); err != nil {
		f.mini = nil
	}
	return f, nil
}

// sector is what the file holds of sector n.
func (f *compoundFile) sector(n uint32) []byte {
	off := (uint64(n) + 1) << f.shift
	if off >= uint64(len(f.data)) {
		return nil
	}
	return f.data[off:min(off+1<<f.shift, uint64(len(f.data)))]
}

// listFATs gathers the sectors of the FAT: the first from the header, the rest
// from a chain. It stops at what the size of the file can need.
func (f *compoundFile) listFATs() {
	perSector := 1 << f.shift / 4
	need := len(f.data)>>f.shift/perSector + 1
	for i := range min(need, cfbFirstFATs) {
		f.fats = append(f.fats, binary.LittleEndian.Uint32(f.data[76+4*i:]))
	}
	next := binary.LittleEndian.Uint32(f.data[68:])
	for len(f.fats) < need {
		list := f.sector(next)
		if len(list) < 4*perSector {
			return
		}
		for i := range min(perSector-1, need-len(f.fats)) {
			f.fats = append(f.fats, binary.LittleEndian.Uint32(list[4*i:]))
		}
		next = binary.LittleEndian.Uint32(list[4*(perSector-1):])
	}
}

// link is the sector behind sector n in a chain of which the table lies in
// sectors.
func (f *compoundFile) link(sectors []uint32, n uint32) (uint32, bool) {
	perSector := uint32(1) << f.shift / 4
	if uint64(n/perSector) >= uint64(len(sectors)) {
		return 0, false
	}
	b, at := f.sector(sectors[n/perSector]), 4*(n%perSector)
	if uint64(at)+4 > uint64(len(b)) {
		return 0, false
	}
	return binary.LittleEndian.Uint32(b[at:]), true
}

// chain lists the sectors from start on, at most as many as limit bytes or the
// file can have: a chain with a loop is longer than the file.
func (f *compoundFile) chain(start uint32, limit int64) ([]uint32, error) {
	var list []uint32
	for n := start; n != cfbEndOfChain && int64(len(list))<<f.shift < min(limit, int64(len(f.data))); {
		list = append(list, n)
		next, ok := f.link(f.fats, n)
		if !ok {
			return nil, errCFB
		}
		n = next
	}
	return list, nil
}

// entry reads entry id of the directory.
func (f *compoundFile) entry(id uint32) (compoundEntry, bool) {
	perSector := uint32(1) << f.shift / 128
	if uint64(id/perSector) >= uint64(len(f.dir)) {
		return compoundEntry{}, false
	}
	b := f.sector(f.dir[id/perSector])
	at := int(128 * (id % perSector))
	if at+128 > len(b) {
		return compoundEntry{}, false
	}
	b = b[at : at+128]
	le := binary.LittleEndian
	e := compoundEntry{kind: b[66], links: [2]uint32{le.Uint32(b[68:]), le.Uint32(b[72:])}, child: le.Uint32(b[76:]),
		classID: string(b[80:96]), start: le.Uint32(b[116:]), size: int64(le.Uint64(b[120:]))} // #nosec G115 -- bytes and whole refuse negative ones
	if f.shift == 9 {
		e.size &= 0xffffffff // the upper half may hold anything
	}
	for i := 0; i+2 < min(int(le.Uint16(b[64:])), 64); i += 2 {
		e.name = append(e.name, le.Uint16(b[i:]))
	}
	return e, true
}

// children lists the entries of a storage, which is the tree under child.
func (f *compoundFile) children(child uint32) []compoundEntry {
	var list []compoundEntry
	seen := map[uint32]bool{cfbNoEntry: true}
	for pending := []uint32{child}; len(pending) > 0; {
		id := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		e, ok := f.entry(id)
		if seen[id] || !ok {
			continue
		}
		seen[id] = true
		list = append(list, e)
		pending = append(pending, e.links[1], e.links[0])
	}
	return list
}

// open streams the content of a stream.
func (f *compoundFile) open(e compoundEntry) *compoundReader {
	return &compoundReader{file: f, next: e.start, left: e.size, mini: e.size < cfbMiniCutoff}
}

// read returns the content of a stream of at most limit bytes.
func (f *compoundFile) read(e compoundEntry, limit int64) ([]byte, error) {
	if e.size < 0 || e.size > min(limit, int64(len(f.data))) {
		return nil, errCFB
	}
	out := make([]byte, e.size)
	_, err := io.ReadFull(f.open(e), out)
	return out, err
}

// whole returns the content of a stream, without a copy if its sectors lie one
// behind another, which is how installers are written.
func (f *compoundFile) whole(e compoundEntry, limit int64) ([]byte, error) {
	if e.size < cfbMiniCutoff || e.size > int64(len(f.data)) {
		return f.read(e, limit)
	}
	for n, left := e.start, e.size; left > 0; left -= 1 << f.shift {
		next, ok := f.link(f.fats, n)
		if last := left <= 1<<f.shift; !ok || !last && next != n+1 {
			return f.read(e, limit)
		}
		n = next
	}
	off := (int64(e.start) + 1) << f.shift
	if off+e.size > int64(len(f.data)) {
		return nil, errCFB
	}
	return f.data[off : off+e.size], nil
}

// compoundReader follows the chain of one stream. It ends with an error if the
// chain does before the stream; a loop ends with the size of the stream, and
// what it costs is counted like any other byte.
type compoundReader struct {
	file *compoundFile
	now  []byte // rest of the current sector
	next uint32
	left int64 // bytes of the stream that are not in now or before
	mini bool
}

func (r *compoundReader) Read(p []byte) (int, error) {
	if len(r.now) == 0 {
		if r.left <= 0 {
			return 0, io.EOF
		}
		if !r.advance() {
			return 0, errCFB
		}
	}
	n := copy(p, r.now)
	r.now = r.now[n:]
	return n, nil
}

// advance takes the next sector.
func (r *compoundReader) advance() bool {
	f, table := r.file, r.file.fats
	r.now = f.sector(r.next)
	if r.mini {
		r.now, table = f.miniSector(r.next), f.miniFAT
	}
	if len(r.now) == 0 {
		return false
	}
	r.now = r.now[:min(int64(len(r.now)), r.left)]
	r.left -= int64(len(r.now))
	next, ok := f.link(table, r.next)
	r.next = next
	return ok
}

// miniSector is sector n of the mini stream.
func (f *compoundFile) miniSector(n uint32) []byte {
	perSector := uint32(1) << f.shift / cfbMiniSector
	if uint64(n/perSector) >= uint64(len(f.mini)) {
		return nil
	}
	b, at := f.sector(f.mini[n/perSector]), int(n%perSector)*cfbMiniSector
	if at+cfbMiniSector > len(b) {
		return nil
	}
	return b[at : at+cfbMiniSector]
}

// msiTableMark is the first unit of the name of a table's stream.
const msiTableMark = 0x4840

// msiStreamName decodes the name of a stream. Installers pack two characters of
// a 64-letter alphabet into one unit, and mark tables, here with "!".
func msiStreamName(name []uint16) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
	var out strings.Builder
	for i, unit := range name {
		switch {
		case unit == msiTableMark && i == 0:
			out.WriteByte('!')
		case 0x3800 <= unit && unit < 0x4800:
			out.WriteByte(alphabet[unit&0x3f])
			out.WriteByte(alphabet[(unit-0x3800)>>6&0x3f])
		case 0x4800 <= unit && unit < 0x4840:
			out.WriteByte(alphabet[unit-0x4800])
		default:
			out.WriteString(string(utf16.Decode([]uint16{unit})))
		}
	}
	return out.String()
}
