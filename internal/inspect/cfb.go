package inspect

import (
	"bytes"
	"encoding/binary"

	"meetguard"
)

// The structures here are those of MS-CFB, the compound file that an MSI is.
// The reader is our own because an MSI may be a large map of which only some
// kilobytes matter, and a hostile one has chains that go on and on.
const (
	cfbMagic = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

	firstFATs  = 109        // FAT sectors that the header lists
	lastSector = 0xfffffffa // MAXREGSECT: greater numbers are marks
	endOfChain = 0xfffffffe
	noEntry    = 0xffffffff
	miniSector = 64   // bytes
	miniCutoff = 4096 // bytes; shorter streams lie in the mini stream

	maxDirectory  = 8192    // directory entries looked at
	maxMiniStream = 4 << 20 // bytes of the mini stream that are reached
)

// compound is an open compound file.
type compound struct {
	view
	sectorSize uint64
	fats       []uint32 // sectors of the FAT
	directory  []uint32 // sectors of the directory
	mini       []uint32 // sectors of the mini stream
	miniFAT    []uint32 // sectors of the FAT of the mini stream
}

// entry is one stream or storage of the directory.
type entry struct {
	name        []byte // UTF-16LE, without the end
	kind        byte   // 1 storage, 2 stream, 5 root
	left, right uint32
	child       uint32
	classID     []byte
	start       uint32
	size        uint64
}

// openCompound reads the header, the list of FAT sectors and the chain of the
// directory.
func openCompound(data []byte) (*compound, error) {
	f := &compound{view: *little(data)}
	shift := f.u16(30)
	if !starts(data, cfbMagic) || shift != 9 && shift != 12 || f.u16(32) != 6 || len(data) < 512 {
		return nil, malformed("header is malformed")
	}
	f.sectorSize = 1 << shift
	f.listFATs()
	entries := uint64(maxDirectory) * 128
	var err error
	f.directory, err = f.chain(f.u32(48), entries)
	return f, err
}

// sector is sector n, or what the file holds of it if it is the last.
func (f *compound) sector(n uint32) []byte {
	off := (uint64(n) + 1) * f.sectorSize
	if n > lastSector || off >= uint64(len(f.data)) {
		return nil
	}
	return f.data[off:min(off+f.sectorSize, uint64(len(f.data)))]
}

// listFATs gathers the sectors of the FAT: the first from the header, the rest
// from a chain. It stops at what the size of the file can need.
func (f *compound) listFATs() {
	perSector := f.sectorSize / 4
	need := uint64(len(f.data))/f.sectorSize/perSector + 1
	f.fats = make([]uint32, 0, min(need, firstFATs))
	for i := range min(need, firstFATs) {
		f.fats = append(f.fats, f.u32(76+4*i))
	}
	next := f.u32(68)
	for uint64(len(f.fats)) < need {
		list := little(f.sector(next))
		for i := range min(perSector-1, need-uint64(len(f.fats))) {
			f.fats = append(f.fats, list.u32(4*i))
		}
		next = list.u32(4 * (perSector - 1))
		if list.short {
			return
		}
	}
}

// link is the sector that follows sector n in a chain of which the table lies
// in sectors.
func (f *compound) link(sectors []uint32, n uint32) (uint32, bool) {
	perSector := uint32(f.sectorSize / 4)
	if uint64(n/perSector) >= uint64(len(sectors)) {
		return 0, false
	}
	b := f.sector(sectors[n/perSector])
	at := 4 * (n % perSector)
	if uint64(at)+4 > uint64(len(b)) {
		return 0, false
	}
	return binary.LittleEndian.Uint32(b[at:]), true
}

// chain lists the sectors from start on, at most as many as limit bytes take.
func (f *compound) chain(start uint32, limit uint64) ([]uint32, error) {
	var list []uint32
	for n := start; n != endOfChain; {
		if uint64(len(list))*f.sectorSize >= limit {
			return nil, malformed("chain of sectors is longer than is read")
		}
		list = append(list, n)
		next, ok := f.link(f.fats, n)
		if !ok {
			return nil, malformed("chain of sectors is broken")
		}
		n = next
	}
	return list, nil
}

// entry reads directory entry id.
func (f *compound) entry(id uint32) (entry, bool) {
	perSector := uint32(f.sectorSize / 128)
	if uint64(id/perSector) >= uint64(len(f.directory)) {
		return entry{}, false
	}
	b := f.sector(f.directory[id/perSector])
	at := uint64(128 * (id % perSector))
	if at+128 > uint64(len(b)) {
		return entry{}, false
	}
	v := little(b[at : at+128])
	e := entry{kind: v.data[66], left: v.u32(68), right: v.u32(72), child: v.u32(76), classID: v.data[80:96], start: v.u32(116), size: v.u64(120)}
	if f.sectorSize == 512 {
		e.size &= 0xffffffff // the upper half may hold anything
	}
	if n := v.u16(64); 2 <= n && n <= 64 {
		e.name = v.data[:n-2]
	}
	return e, true
}

// children calls visit for the entries right under the root until it returns
// false. Entries that are not in its tree do not exist.
func (f *compound) children(visit func(entry) bool) {
	root, ok := f.entry(0)
	if !ok {
		return
	}
	pending := []uint32{root.child}
	for range maxDirectory {
		if len(pending) == 0 {
			return
		}
		id := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		e, ok := f.entry(id)
		if id == noEntry || !ok {
			continue
		}
		if !visit(e) {
			return
		}
		pending = append(pending, e.left, e.right)
	}
}

// read returns the bytes of a stream of at most limit bytes.
func (f *compound) read(e entry, limit uint64) ([]byte, error) {
	if e.size > min(limit, uint64(len(f.data))) {
		return nil, malformed("stream is too large")
	}
	if e.size < miniCutoff {
		return f.readMini(e)
	}
	out := make([]byte, 0, e.size)
	for n := e.start; uint64(len(out)) < e.size; {
		b := f.sector(n)
		next, ok := f.link(f.fats, n)
		out = append(out, b[:min(uint64(len(b)), e.size-uint64(len(out)))]...)
		if len(b) == 0 || !ok {
			return nil, malformed("stream is cut short")
		}
		n = next
	}
	return out, nil
}

// openMini lists the sectors of the mini stream and of its FAT.
func (f *compound) openMini() error {
	if f.mini != nil {
		return nil
	}
	root, _ := f.entry(0)
	table, err := f.chain(f.u32(60), maxMiniStream/miniSector*4)
	if err != nil {
		return err
	}
	f.miniFAT = table
	f.mini, err = f.chain(root.start, maxMiniStream)
	return err
}

// readMini returns the bytes of a stream in the mini stream.
func (f *compound) readMini(e entry) ([]byte, error) {
	if e.size == 0 {
		return nil, nil
	}
	if err := f.openMini(); err != nil {
		return nil, err
	}
	out := make([]byte, 0, e.size)
	perSector := uint32(f.sectorSize / miniSector)
	for n := e.start; uint64(len(out)) < e.size; {
		if uint64(n/perSector) >= uint64(len(f.mini)) {
			return nil, malformed("mini stream is broken")
		}
		at := uint64(n%perSector) * miniSector
		v := little(f.sector(f.mini[n/perSector]))
		b := v.cut(at, min(miniSector, e.size-uint64(len(out))))
		next, ok := f.link(f.miniFAT, n)
		if b == nil || !ok {
			return nil, malformed("mini stream is broken")
		}
		out = append(out, b...)
		n = next
	}
	return out, nil
}

// The class ids that the root of an installer package and of an installer
// patch has, in the byte order of the file.
const (
	classPackage = "\x84\x10\x0c\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"
	classPatch   = "\x86\x10\x0c\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"
)

// sniffCompound tells an MSI from other compound files, such as old documents:
// by the class of its root, or by the mark that the names of tables have.
func sniffCompound(data []byte) meetguard.Format {
	v := little(data)
	shift := v.u16(30)
	if shift != 9 && shift != 12 {
		return meetguard.FormatOther
	}
	directory := (uint64(v.u32(48)) + 1) << shift
	switch string(v.cut(directory+80, 16)) {
	case classPackage, classPatch:
		return meetguard.FormatMSI
	}
	for i := range (uint64(1) << shift) / 128 {
		if v.u16(directory+128*i) == tableMark {
			return meetguard.FormatMSI
		}
	}
	return meetguard.FormatOther
}

// IsCompound tells whether data begins like a compound file ([MS-CFB]), such as
// an MSI. What it holds is told by parts that may lie anywhere in it.
func IsCompound(data []byte) bool { return bytes.HasPrefix(data, []byte(cfbMagic)) }
