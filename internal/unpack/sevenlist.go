package unpack

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Property ids of 7zFormat.txt.
const (
	sevenEnd          = 0x00
	sevenHeader       = 0x01
	sevenProperties   = 0x02
	sevenAdditional   = 0x03
	sevenMainStreams  = 0x04
	sevenFilesInfo    = 0x05
	sevenPackInfo     = 0x06
	sevenUnpackInfo   = 0x07
	sevenSubStreams   = 0x08
	sevenSize         = 0x09
	sevenCRC          = 0x0A
	sevenFolderID     = 0x0B
	sevenUnpackSize   = 0x0C
	sevenNumUnpack    = 0x0D
	sevenEmptyStream  = 0x0E
	sevenEmptyFile    = 0x0F
	sevenNames        = 0x11
	sevenAttributes   = 0x15
	sevenPackedHeader = 0x17
)

type sevenList struct {
	folders []*sevenFolder
	files   []sevenFile
}

// sevenParser reads a list. The first error stays; everything read after it is
// zero.
type sevenParser struct {
	b   []byte
	err error
}

// parseSeven reads one layer of the list: either the list itself, or the folder
// in which it is packed.
func parseSeven(header, data []byte) (*sevenList, *sevenFolder, error) {
	p := &sevenParser{b: header}
	list := &sevenList{}
	switch p.byte() {
	case sevenPackedHeader:
		folders := p.streams(data)
		if p.err == nil && len(folders) != 1 {
			p.fail("the packed list does not lie in one stream")
		}
		if p.err != nil {
			return nil, nil, p.err
		}
		return nil, folders[0], nil
	case sevenHeader:
		p.header(list, data)
	default:
		p.fail("it does not begin like one")
	}
	return list, nil, p.err
}

func (p *sevenParser) header(list *sevenList, data []byte) {
	for p.err == nil {
		switch id := p.byte(); id {
		case sevenEnd:
			return
		case sevenProperties:
			for p.err == nil && p.byte() != sevenEnd {
				p.bytes(p.number())
			}
		case sevenMainStreams:
			list.folders = p.streams(data)
		case sevenFilesInfo:
			list.files = p.files()
		case sevenAdditional:
			p.streams(data)
		default:
			p.fail("unknown part")
		}
	}
}

// streams reads where the packed data lies, and how it is packed.
func (p *sevenParser) streams(data []byte) []*sevenFolder {
	var packed []int64
	var folders []*sevenFolder
	var from int64
	for p.err == nil {
		switch p.byte() {
		case sevenEnd:
			p.place(folders, packed, from, int64(len(data)))
			return folders
		case sevenPackInfo:
			from, packed = p.packInfo()
		case sevenUnpackInfo:
			folders = p.unpackInfo()
		case sevenSubStreams:
			p.subStreams(folders)
		default:
			p.fail("unknown part of the streams")
		}
	}
	return nil
}

// place tells each folder where its packed streams lie.
func (p *sevenParser) place(folders []*sevenFolder, packed []int64, from, end int64) {
	at := from + sevenStart
	for _, f := range folders {
		if p.err != nil {
			return
		}
		if len(packed) < len(f.packed) {
			p.fail("packed streams are missing")
			return
		}
		f.offset, f.packedSizes = at, packed[:len(f.packed)]
		for _, n := range f.packedSizes {
			if n > end || at > end {
				f.cut = true
			}
			at = min(at, end) + min(n, end)
		}
		f.cut = f.cut || at > end
		packed = packed[len(f.packed):]
		f.settle()
	}
}

// packInfo reads the position and the sizes of the packed streams.
func (p *sevenParser) packInfo() (int64, []int64) {
	from := p.size()
	sizes := make([]int64, p.count())
	for p.err == nil {
		switch p.byte() {
		case sevenEnd:
			return from, sizes
		case sevenSize:
			for i := range sizes {
				sizes[i] = p.size()
			}
		case sevenCRC:
			p.digests(len(sizes), func(int, uint32) {})
		default:
			p.fail("unknown part of the packed streams")
		}
	}
	return 0, nil
}

func (p *sevenParser) unpackInfo() []*sevenFolder {
	if p.byte() != sevenFolderID {
		p.fail("the way of packing is missing")
	}
	folders := make([]*sevenFolder, p.count())
	p.internal()
	for i := range folders {
		if p.err != nil {
			return nil
		}
		folders[i] = p.folder()
	}
	if p.byte() != sevenUnpackSize {
		p.fail("the unpacked sizes are missing")
	}
	for _, f := range folders {
		if p.err != nil {
			return nil
		}
		f.sizes = make([]int64, len(f.coders))
		for i := range f.sizes {
			f.sizes[i] = p.size()
		}
	}
	id := p.byte()
	if id == sevenCRC {
		p.digests(len(folders), func(i int, crc uint32) { folders[i].crc, folders[i].hasCRC = crc, true })
		id = p.byte()
	}
	if id != sevenEnd {
		p.fail("unknown part of the way of packing")
	}
	return folders
}

// A folder of more coders or streams than these does not exist: 7-Zip makes at
// most BCJ2 (4 inputs), three LZMA and four AES.
const (
	maxSevenCoders  = 8
	maxSevenStreams = 16
)

func (p *sevenParser) folder() *sevenFolder {
	f := &sevenFolder{}
	coders := p.number()
	if coders == 0 || coders > maxSevenCoders {
		p.fail("a stream of no or too many coders")
	}
	inputs := 0
	for range coders {
		if p.err != nil {
			return f
		}
		c := p.coder()
		inputs += c.inputs
		f.coders = append(f.coders, c)
	}
	if inputs > maxSevenStreams {
		p.fail("a coder of too many streams")
		return f
	}
	f.bond = make([]int, inputs)
	for i := range f.bond {
		f.bond[i] = -1
	}
	for range max(len(f.coders)-1, 0) {
		in, out := p.number(), p.number()
		if in >= uint64(inputs) || out >= uint64(len(f.coders)) || f.bond[in] >= 0 {
			p.fail("coders are joined in a way that cannot be")
			return f
		}
		f.bond[in] = int(out) // #nosec G115 -- fewer than the coders
	}
	p.packedInputs(f)
	return f
}

// packedInputs reads which inputs are fed by packed streams.
func (p *sevenParser) packedInputs(f *sevenFolder) {
	n := len(f.bond) - (len(f.coders) - 1)
	if n == 1 {
		for in, out := range f.bond {
			if out < 0 {
				f.packed = append(f.packed, in)
			}
		}
		return
	}
	for range max(n, 0) {
		in := p.number()
		if in >= uint64(len(f.bond)) || f.bond[in] >= 0 {
			p.fail("packed streams are joined in a way that cannot be")
			return
		}
		f.packed = append(f.packed, int(in)) // #nosec G115 -- fewer than the bonds
	}
}

func (p *sevenParser) coder() sevenCoder {
	flags := p.byte()
	c := sevenCoder{method: string(p.bytes(uint64(flags & 0x0F))), inputs: 1}
	if flags&0x10 != 0 {
		in, out := p.number(), p.number()
		if in == 0 || in > maxSevenStreams || out != 1 {
			p.fail("a coder of too many streams")
			return c
		}
		c.inputs = int(in)
	}
	if flags&0x20 != 0 {
		c.props = p.bytes(p.number())
	}
	if flags&0xC0 != 0 {
		p.fail("a coder of an unknown kind")
	}
	return c
}

// subStreams reads how each folder is divided among files.
func (p *sevenParser) subStreams(folders []*sevenFolder) {
	id := p.byte()
	total := 0
	for _, f := range folders {
		n := uint64(1)
		if id == sevenNumUnpack {
			n = p.number()
		}
		if n > maxSevenEntries || total+int(n) > maxSevenEntries {
			p.limit()
			return
		}
		f.subs = make([]sevenSub, n)
		f.divided = true
		total += int(n)
	}
	if id == sevenNumUnpack {
		id = p.byte()
	}
	for _, f := range folders {
		p.subSizes(f, id == sevenSize)
	}
	if id == sevenSize {
		id = p.byte()
	}
	for ; p.err == nil && id != sevenEnd; id = p.byte() {
		if id != sevenCRC {
			p.fail("unknown part of the division of streams")
			return
		}
		p.subDigests(folders)
	}
}

// subSizes reads the sizes of all contents of a folder but the last, which gets
// the rest.
func (p *sevenParser) subSizes(f *sevenFolder, given bool) {
	if len(f.subs) == 0 || p.err != nil {
		return
	}
	rest := f.size()
	for i := range f.subs[:len(f.subs)-1] {
		if given {
			f.subs[i].size = p.size()
		}
		if rest -= f.subs[i].size; rest < 0 {
			p.fail("files are larger than their stream")
			return
		}
	}
	f.subs[len(f.subs)-1].size = rest
}

func (p *sevenParser) subDigests(folders []*sevenFolder) {
	var open []*sevenSub
	for _, f := range folders {
		if len(f.subs) == 1 && f.hasCRC {
			continue // the checksum of the folder is that of its only content
		}
		for i := range f.subs {
			open = append(open, &f.subs[i])
		}
	}
	p.digests(len(open), func(i int, crc uint32) { open[i].crc, open[i].hasCRC = crc, true })
}

func (p *sevenParser) files() []sevenFile {
	n := p.number()
	if n > maxSevenEntries {
		p.limit()
	} else if n > uint64(len(p.b)) {
		p.fail("it names more files than it holds")
	}
	if p.err != nil {
		return nil
	}
	files := make([]sevenFile, n)
	for {
		id := p.number()
		if id == sevenEnd || p.err != nil {
			return files
		}
		part := &sevenParser{b: p.bytes(p.number())}
		switch id {
		case sevenEmptyStream:
			part.bits(len(files), func(i int) { files[i].empty, files[i].folder = true, true })
		case sevenEmptyFile:
			part.emptyFiles(files)
		case sevenNames:
			part.names(files)
		case sevenAttributes:
			part.attributes(files)
		}
		if p.err == nil {
			p.err = part.err
		}
	}
}

// emptyFiles reads which entries without content are files rather than folders.
func (p *sevenParser) emptyFiles(files []sevenFile) {
	var empty []int
	for i := range files {
		if files[i].empty {
			empty = append(empty, i)
		}
	}
	p.bits(len(empty), func(i int) { files[empty[i]].folder = false })
}

func (p *sevenParser) names(files []sevenFile) {
	p.internal()
	for i := range files {
		end := 0
		for end+1 < len(p.b) && (p.b[end] != 0 || p.b[end+1] != 0) {
			end += 2
		}
		files[i].name = p.bytes(uint64(end))
		p.bytes(2)
	}
}

func (p *sevenParser) attributes(files []sevenFile) {
	defined := make([]bool, len(files))
	p.optionalBits(len(files), func(i int) { defined[i] = true })
	p.internal()
	for i := range files {
		if defined[i] {
			files[i].attrs = p.uint32()
		}
	}
}

// internal refuses lists that lie elsewhere, which no program writes.
func (p *sevenParser) internal() {
	if p.byte() != 0 {
		p.fail("a part of it lies outside")
	}
}

func (p *sevenParser) digests(n int, set func(int, uint32)) {
	defined := make([]int, 0, min(n, 1024))
	p.optionalBits(n, func(i int) { defined = append(defined, i) })
	for _, i := range defined {
		set(i, p.uint32())
	}
}

func (p *sevenParser) optionalBits(n int, set func(int)) {
	if p.byte() == 0 {
		p.bits(n, set)
		return
	}
	for i := range n {
		set(i)
	}
}

func (p *sevenParser) bits(n int, set func(int)) {
	b := p.bytes(uint64(n+7) / 8)
	for i := range n {
		if p.err == nil && b[i/8]&(0x80>>(i%8)) != 0 {
			set(i)
		}
	}
}

// number reads a number of 7zFormat.txt: the leading ones of the first byte
// tell how many bytes follow.
func (p *sevenParser) number() uint64 {
	first := p.byte()
	var v uint64
	for i := range 8 {
		mask := byte(0x80) >> i
		if first&mask == 0 {
			return v | uint64(first&(mask-1))<<(8*i)
		}
		v |= uint64(p.byte()) << (8 * i)
	}
	return v
}

// size reads a number of bytes.
func (p *sevenParser) size() int64 {
	n := p.number()
	if n > maxSize {
		p.fail("a size that cannot be")
		return 0
	}
	return int64(n)
}

// count reads how many things follow, each of which takes at least one byte.
func (p *sevenParser) count() int {
	n := p.number()
	if n > uint64(len(p.b)) {
		p.fail("it holds fewer things than it says")
		return 0
	}
	if n > maxSevenEntries {
		p.limit()
		return 0
	}
	return int(n)
}

func (p *sevenParser) uint32() uint32 {
	if b := p.bytes(4); p.err == nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (p *sevenParser) byte() byte {
	if b := p.bytes(1); p.err == nil {
		return b[0]
	}
	return 0
}

func (p *sevenParser) bytes(n uint64) []byte {
	if p.err == nil && n > uint64(len(p.b)) {
		p.err = errors.New("the list of files of the 7z archive is cut short")
	}
	if p.err != nil {
		return nil
	}
	b := p.b[:n]
	p.b = p.b[n:]
	return b
}

func (p *sevenParser) fail(what string) {
	if p.err == nil {
		p.err = fmt.Errorf("the list of files of the 7z archive is broken: %s", what)
	}
}

func (p *sevenParser) limit() {
	if p.err == nil {
		p.err = &LimitError{"the 7z archive has more entries than are looked at"}
	}
}
