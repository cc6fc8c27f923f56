package unpack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Universal Disk Format: ECMA-167 3rd edition, and the UDF Specification 1.02
// to 2.60 of OSTA. Numbers in comments are sections of ECMA-167.
const (
	udfTagAnchor     = 2   // 3/10.2
	udfTagPartition  = 5   // 3/10.5
	udfTagLogical    = 6   // 3/10.6
	udfTagTerminator = 8   // 3/10.9
	udfTagFileSet    = 256 // 4/14.1
	udfTagName       = 257 // 4/14.4
	udfTagMore       = 258 // 4/14.5
	udfTagFile       = 261 // 4/14.9
	udfTagExtended   = 266 // 4/14.17

	udfTypeFolder = 4 // 4/14.6.6
	udfTypeLink   = 12

	udfMaxSequence = 256  // descriptors of the volume that are looked at
	udfMaxExtents  = 1e5  // runs of one file
	udfMaxLists    = 1024 // blocks of allocation descriptors of one file
	udfMaxMeta     = 1024 // runs of the metadata file, which lies in one as a rule
)

var errUDF = errors.New("the UDF file system of the image is broken")

// udf is the UDF view.
type udf struct {
	*disc
	block  int64
	starts map[int]int64 // first block of each partition, by its number
	parts  []udfPartition
	been   map[int64]bool
	broken error
}

// udfPartition is one partition map: where its blocks lie.
type udfPartition struct {
	start int64
	meta  []discExtent // set: the blocks lie in the metadata file (UDF 2.2.10)
	err   error
}

// walkUDF walks the UDF view, and tells if there is one.
func (d *disc) walkUDF() (bool, error) {
	u := &udf{disc: d, starts: map[int]int64{}, been: map[int64]bool{}}
	anchor := u.anchor()
	if anchor == nil {
		return false, nil
	}
	logical := u.sequence(anchor[16:])
	if logical == nil {
		logical = u.sequence(anchor[24:]) // the reserve copy
	}
	if logical == nil {
		return true, errUDF
	}
	u.partitions(logical)
	set, err := u.read(logical[248:])
	if err != nil {
		return true, err
	}
	if udfTag(set) != udfTagFileSet || len(set) < 416 {
		return true, errUDF
	}
	if err := u.folder("", set[400:416], 0); err != nil {
		return true, err
	}
	return true, u.broken
}

// udfTag gives the kind of a descriptor, 0 if its tag is broken (3/7.2).
func udfTag(b []byte) int {
	if len(b) < 16 {
		return 0
	}
	var sum byte
	for i, x := range b[:16] {
		if i != 4 {
			sum += x
		}
	}
	if sum != b[4] {
		return 0
	}
	return int(binary.LittleEndian.Uint16(b))
}

// anchor finds the anchor, which lies in block 256, and with it the size of
// blocks.
func (u *udf) anchor() []byte {
	for _, size := range []int64{2048, 512, 4096, 1024} {
		for _, at := range []int64{256 * size, int64(len(u.data)) - size, int64(len(u.data)) - 257*size, 512 * size} {
			b := u.at(at, 512)
			if udfTag(b) == udfTagAnchor && int64(binary.LittleEndian.Uint32(b[12:])) == at/size {
				u.block = size
				return b
			}
		}
	}
	return nil
}

// at gives n bytes from an offset, nil if they are not there.
func (u *udf) at(off, n int64) []byte {
	if off < 0 || off > int64(len(u.data)) || n > int64(len(u.data))-off {
		return nil
	}
	return u.data[off:][:n]
}

// sequence reads the descriptors of the volume, and gives that of the logical
// volume.
func (u *udf) sequence(place []byte) (logical []byte) {
	blocks := int64(binary.LittleEndian.Uint32(place)) / u.block
	first := int64(binary.LittleEndian.Uint32(place[4:]))
	for i := range min(blocks, udfMaxSequence) {
		b := u.at((first+i)*u.block, u.block)
		switch udfTag(b) {
		case udfTagPartition:
			u.starts[int(binary.LittleEndian.Uint16(b[22:]))] = int64(binary.LittleEndian.Uint32(b[188:]))
		case udfTagLogical:
			logical = b
		case udfTagTerminator:
			return logical
		}
	}
	return logical
}

// partitions reads the partition maps of a logical volume (3/10.7, UDF 2.2.8).
func (u *udf) partitions(logical []byte) {
	if size := int64(binary.LittleEndian.Uint32(logical[212:])); size >= 512 && size <= 1<<15 && size&(size-1) == 0 {
		u.block = size
	}
	maps := logical[440:]
	maps = maps[:min(len(maps), int(binary.LittleEndian.Uint32(logical[264:])))]
	for len(maps) >= 6 && int(maps[1]) >= 6 && int(maps[1]) <= len(maps) {
		u.parts = append(u.parts, u.partition(maps[:maps[1]]))
		maps = maps[maps[1]:]
	}
}

func (u *udf) partition(m []byte) udfPartition {
	number := func(at int) (udfPartition, bool) {
		start, ok := u.starts[int(binary.LittleEndian.Uint16(m[at:]))]
		if !ok {
			return udfPartition{err: errUDF}, false
		}
		return udfPartition{start: start}, true
	}
	if m[0] == 1 {
		p, _ := number(4)
		return p
	}
	if m[0] != 2 || len(m) < 64 {
		return udfPartition{err: errUDF}
	}
	p, ok := number(38)
	switch kind := string(m[5:28]); {
	case !ok || strings.HasPrefix(kind, "*UDF Sparable Partition"):
		return p
	case strings.HasPrefix(kind, "*UDF Metadata Partition"):
		return u.metadata(p, m)
	}
	return udfPartition{err: fmt.Errorf("UDF partition of an unknown kind: %w", ErrUnsupported)}
}

// metadata finds the runs of the metadata file, or of its mirror.
func (u *udf) metadata(p udfPartition, m []byte) udfPartition {
	for _, at := range []int{40, 44} {
		block := int64(binary.LittleEndian.Uint32(m[at:]))
		e, err := u.fileOf(u.at((p.start+block)*u.block, u.block), udfPartition{start: p.start})
		if err == nil && len(e.extents) > 0 && len(e.extents) <= udfMaxMeta {
			p.meta = e.extents
			return p
		}
	}
	p.err = errUDF
	return p
}

// place tells where n bytes from a block of a partition lie.
func (u *udf) place(p udfPartition, block, n int64) []discExtent {
	if p.meta == nil {
		return []discExtent{{(p.start + block) * u.block, n}}
	}
	var all []discExtent
	skip := block * u.block
	for _, x := range p.meta {
		if skip >= x.size {
			skip -= x.size
			continue
		}
		part := min(n, x.size-skip)
		if x.at >= 0 {
			x.at += skip
		}
		all = append(all, discExtent{x.at, part})
		if n, skip = n-part, 0; n == 0 {
			break
		}
	}
	return all
}

// read gives the block that a long allocation descriptor names (4/14.14.2).
func (u *udf) read(ad []byte) ([]byte, error) {
	p, err := u.ref(int(binary.LittleEndian.Uint16(ad[8:])))
	if err != nil {
		return nil, err
	}
	where := u.place(p, int64(binary.LittleEndian.Uint32(ad[4:])), u.block)
	if len(where) == 0 {
		return nil, errUDF
	}
	b := u.at(where[0].at, where[0].size)
	if b == nil {
		return nil, errCutShort
	}
	return b, nil
}

func (u *udf) ref(n int) (udfPartition, error) {
	if n >= len(u.parts) {
		return udfPartition{}, errUDF
	}
	return u.parts[n], u.parts[n].err
}

// file reads the file entry that a long allocation descriptor names.
func (u *udf) file(ad []byte) (discEntry, int, error) {
	b, err := u.read(ad)
	if err != nil {
		return discEntry{}, 0, err
	}
	p, _ := u.ref(int(binary.LittleEndian.Uint16(ad[8:])))
	e, err := u.fileOf(b, p)
	if err != nil {
		return e, 0, err
	}
	return e, int(b[27]), nil
}

// fileOf reads a file entry, or an extended one.
func (u *udf) fileOf(b []byte, p udfPartition) (discEntry, error) {
	head := map[int]int{udfTagFile: 176, udfTagExtended: 216}[udfTag(b)]
	if head == 0 || len(b) < head {
		return discEntry{}, errUDF
	}
	le := binary.LittleEndian
	e := discEntry{size: int64(le.Uint64(b[56:]))} // #nosec G115 -- a negative one is refused below
	attributes, ads := int64(le.Uint32(b[head-8:])), int64(le.Uint32(b[head-4:]))
	if e.size < 0 || e.size > maxSize || attributes+ads > int64(len(b)-head) {
		return discEntry{}, errUDF
	}
	list := b[int64(head)+attributes:][:ads]
	switch kind := le.Uint16(b[34:]) & 7; kind {
	case 0, 1:
		return e, u.runs(&e, list, p, kind == 1)
	case 3:
		e.inline = list
		return e, nil
	}
	return e, fmt.Errorf("UDF allocation: %w", ErrUnsupported)
}

// runs reads short or long allocation descriptors (4/14.14).
func (u *udf) runs(e *discEntry, list []byte, p udfPartition, long bool) error {
	size := 8
	if long {
		size = 16
	}
	left, blocks := e.size, 0
	for len(list) >= size && left > 0 {
		raw := binary.LittleEndian.Uint32(list)
		kind, n := raw>>30, int64(raw&(1<<30-1))
		block, from := int64(binary.LittleEndian.Uint32(list[4:])), p
		if long {
			var err error
			if from, err = u.ref(int(binary.LittleEndian.Uint16(list[8:]))); err != nil {
				return err
			}
		}
		if n == 0 {
			return nil
		}
		list = list[size:]
		if kind == 3 { // the list goes on there
			if blocks++; blocks > udfMaxLists {
				return errUDF
			}
			list = u.moreRuns(from, block)
			continue
		}
		n = min(n, left)
		left -= n
		if kind != 0 {
			e.extents = append(e.extents, discExtent{-1, n})
		} else {
			e.extents = append(e.extents, u.place(from, block, n)...)
		}
		if len(e.extents) > udfMaxExtents {
			return &LimitError{"a file of the image lies in more pieces than are looked at"}
		}
	}
	return nil
}

// moreRuns gives the allocation descriptors of an allocation discExtent (4/14.5).
func (u *udf) moreRuns(p udfPartition, block int64) []byte {
	where := u.place(p, block, u.block)
	if len(where) == 0 {
		return nil
	}
	b := u.at(where[0].at, where[0].size)
	if udfTag(b) != udfTagMore || len(b) < 24 {
		return nil
	}
	return b[24:][:min(int64(len(b)-24), int64(binary.LittleEndian.Uint32(b[20:])))]
}

func (u *udf) note(err error) {
	if u.broken == nil {
		u.broken = err
	}
}

// folder visits what the folder of a file entry holds.
func (u *udf) folder(path string, ad []byte, depth int) error {
	place := int64(binary.LittleEndian.Uint32(ad[4:])) | int64(binary.LittleEndian.Uint16(ad[8:]))<<32
	if u.been[place] || depth > isoMaxDepth {
		return nil
	}
	u.been[place] = true
	e, kind, err := u.file(ad)
	if err == nil && kind != udfTypeFolder {
		err = errUDF
	}
	if err != nil {
		u.note(err)
		return nil
	}
	b := e.inline
	if b == nil {
		if b, err = u.bytes(e.extents, e.size); limited(err) {
			return err
		}
		u.note(err)
	}
	return u.names(path, b, depth)
}

// names visits the file identifiers of a folder (4/14.4).
func (u *udf) names(path string, b []byte, depth int) error {
	const deleted, parent = 4, 8
	for len(b) > 0 {
		if udfTag(b) != udfTagName || len(b) < 38 {
			u.note(errUDF)
			return nil
		}
		extra := int(binary.LittleEndian.Uint16(b[36:]))
		n := 38 + extra + int(b[19])
		if n > len(b) {
			u.note(errDirectory)
			return nil
		}
		if err := u.record(); err != nil {
			return err
		}
		if b[18]&(deleted|parent) == 0 {
			if err := u.entry(path+udfName(b[38+extra:n]), b[20:36], depth); err != nil {
				return err
			}
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return nil
}

func (u *udf) entry(name string, ad []byte, depth int) error {
	e, kind, err := u.file(ad)
	e.name, e.err = name, err
	switch {
	case limited(err):
		return err
	case kind == udfTypeFolder:
		if err := u.add(discEntry{name: name, role: RoleFolder}); err != nil {
			return err
		}
		return u.folder(name+"/", ad, depth+1)
	case kind == udfTypeLink:
		e.role = RoleLink
		b := e.inline
		if b == nil {
			b, _ = u.bytes(e.extents, e.size)
		}
		e.inline = udfTarget(b)
		e.extents, e.size = nil, int64(len(e.inline))
	}
	return u.add(e)
}

// udfName decodes compressed Unicode (UDF 2.1.1): a byte tells the bits of each
// character.
func udfName(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if b[0] == 16 {
		return utf16Name(b[1:], binary.BigEndian)
	}
	runes := make([]rune, len(b)-1)
	for i, x := range b[1:] {
		runes[i] = rune(x)
	}
	return string(runes)
}

// udfTarget joins the components of a symbolic link (4/14.16).
func udfTarget(b []byte) []byte {
	var parts []string
	for len(b) >= 4 && 4+int(b[1]) <= len(b) {
		switch b[0] {
		case 1, 2:
			parts = append(parts, "")
		case 3:
			parts = append(parts, "..")
		case 4:
			parts = append(parts, ".")
		case 5:
			parts = append(parts, udfName(b[4:4+int(b[1])]))
		}
		b = b[4+int(b[1]):]
	}
	return []byte(strings.Join(parts, "/"))
}
