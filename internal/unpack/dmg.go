package unpack

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

const sectorSize = 512 // bytes; all of UDIF and of partition maps counts in these

// walkDMG visits the files of the volumes of a disk image: UDIF with its blocks
// in any compression, or the bytes of a disk as they are. Each volume is a
// folder of its own name, as it is below /Volumes. What no reader knows is
// visited as one stream, with an error that says so.
func walkDMG(data []byte, opt Options, visit Visit) error {
	if bytes.HasPrefix(data, []byte("encrcdsa")) || bytes.HasSuffix(data, []byte("cdsaencr")) {
		return ErrLocked
	}
	d, err := openDisk(data, opt.Budget)
	if d == nil {
		return err
	}
	w := &diskWalk{disk: d, opt: opt, broken: err}
	w.visit = func(m Member) error {
		err := visit(m)
		w.ended = err != nil
		return err
	}
	if err := w.volumes(); err != nil {
		return err
	}
	return w.broken
}

// diskWalk is the state of a walk.
type diskWalk struct {
	disk   *disk
	opt    Options
	visit  Visit
	broken error // the first, of what could not be read
	ended  bool  // visit ended the walk
}

// part is a piece of a disk.
type part struct {
	start, size int64 // bytes
	read        bool  // its files were visited
}

func (p part) overlaps(q part) bool { return p.start < q.start+q.size && q.start < p.start+p.size }

// volumes visits the partitions that the map of the disk names, and what the
// image itself calls one. An error ends the walk.
func (w *diskWalk) volumes() error {
	parts := distinct(append(readMap(w.disk), w.disk.parts...))
	for i := range parts {
		p := &parts[i]
		known, err := w.volume(io.NewSectionReader(w.disk, p.start, p.size))
		if fatal := w.note(err); fatal != nil {
			return fatal
		}
		p.read = known
	}
	return w.streams(parts)
}

// distinct leaves out partitions that begin where another does.
func distinct(parts []part) []part {
	var all []part
	for _, p := range parts {
		if !slices.ContainsFunc(all, func(q part) bool { return q.start == p.start }) {
			all = append(all, p)
		}
	}
	return all
}

// note keeps an error that does not end the walk, and returns one that does.
func (w *diskWalk) note(err error) error {
	var limit *LimitError
	if w.ended || errors.As(err, &limit) {
		return err
	}
	if w.broken == nil {
		w.broken = err
	}
	return nil
}

// volume visits the files of a partition, if its file system is known.
func (w *diskWalk) volume(r *io.SectionReader) (known bool, err error) {
	head := make([]byte, 2048)
	n, err := r.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return false, fmt.Errorf("read a partition: %w", err)
	}
	head = head[:n]
	is := func(at int, magic string) bool {
		return len(head) >= at+len(magic) && string(head[at:at+len(magic)]) == magic
	}
	switch {
	case is(1024, "H+"), is(1024, "HX"):
		return true, w.hfs(r)
	case is(1024, "BD") && is(1024+124, "H+"):
		return true, w.hfs(embedded(head[1024:], r))
	case is(32, "NXSB"):
		return true, w.apfs(r)
	}
	return false, nil
}

// embedded is the HFS+ volume in a wrapper of HFS, which gives its place in the
// master directory block (TN1150, "HFS Wrapper").
func embedded(mdb []byte, r *io.SectionReader) *io.SectionReader {
	block := int64(binary.BigEndian.Uint32(mdb[20:]))
	first := int64(binary.BigEndian.Uint16(mdb[28:])) * sectorSize
	start, count := int64(binary.BigEndian.Uint16(mdb[126:])), int64(binary.BigEndian.Uint16(mdb[128:]))
	return io.NewSectionReader(r, first+start*block, count*block)
}

// minVolume is smaller than any volume that a system mounts, and larger than
// what partition maps and their fillers are, bytes.
const minVolume = 64 << 10

// streams visits the content of the partitions that could not be listed, as far
// as nothing of them was visited as files. The small ones come first, since the
// whole disk is one of them. Beside a volume that was listed, they are an error
// only if a system might mount them.
func (w *diskWalk) streams(parts []part) error {
	listed := slices.ContainsFunc(parts, func(p part) bool { return p.read })
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(a.size, b.size) })
	for i := range parts {
		p := &parts[i]
		isPartOf := func(q part) bool { return q.read && q.overlaps(*p) }
		if p.read || p.size < minVolume || !w.disk.stores(*p) || slices.ContainsFunc(parts, isPartOf) {
			continue
		}
		p.read = true
		err := w.visit(Member{Name: fmt.Sprintf("partition at %d", p.start), Size: p.size, Role: RoleStream, Open: func() (io.Reader, error) {
			return w.disk.meter.reader(io.NewSectionReader(w.disk, p.start, p.size)), nil
		}})
		if err != nil {
			return err
		}
		if w.broken == nil && (!listed || w.boots(*p)) {
			w.broken = cannotList("its file system is unknown")
		}
	}
	return nil
}

// boots tells a partition that begins with a boot sector, as all kinds of FAT do.
func (w *diskWalk) boots(p part) bool {
	mark := make([]byte, 2)
	n, _ := w.disk.ReadAt(mark, p.start+510)
	return n == 2 && mark[0] == 0x55 && mark[1] == 0xaa
}

// cannotList is the error of a volume whose content is visited as one stream.
func cannotList(why string) error {
	return fmt.Errorf("%w: the files of this disk image cannot be listed (%s), its content was searched as one stream", ErrUnsupported, why)
}

// readMap lists the partitions of a disk, and the whole disk first: a file
// system may stand there without a map.
func readMap(d *disk) []part {
	parts := []part{{size: d.size}}
	head := make([]byte, 2*sectorSize)
	if n, _ := d.ReadAt(head, 0); n < len(head) {
		return parts
	}
	switch {
	case string(head[sectorSize:sectorSize+8]) == "EFI PART":
		parts = append(parts, readGPT(d, head[sectorSize:])...)
	case string(head[:2]) == "ER" || string(head[sectorSize:sectorSize+2]) == "PM":
		parts = append(parts, readAPM(d, head)...)
	case head[510] == 0x55 && head[511] == 0xaa:
		parts = append(parts, readMBR(head)...)
	}
	return fit(parts, d.size)
}

// fit cuts partitions to the disk, and leaves out those without a place on it.
func fit(parts []part, size int64) []part {
	var all []part
	for _, p := range parts {
		p.size = min(p.size, size-p.start)
		if p.start >= 0 && p.size > 0 {
			all = append(all, p)
		}
	}
	return all
}

const maxParts = 128 // partitions looked at; the size of a usual GPT

// sectors makes a partition of two numbers of sectors, which may be hostile.
func sectors(start, count uint64) part {
	const most = 1 << 50 // sectors; far beyond every disk, and safe to multiply
	return part{start: int64(min(start, most)) * sectorSize, size: int64(min(count, most)) * sectorSize}
}

// readGPT reads the entries of a GUID partition table (UEFI specification 5.3).
func readGPT(d *disk, head []byte) []part {
	at := sectors(binary.LittleEndian.Uint64(head[72:]), 0).start
	count, size := binary.LittleEndian.Uint32(head[80:]), binary.LittleEndian.Uint32(head[84:])
	if size < 128 || size > 4096 {
		return nil
	}
	var parts []part
	entry := make([]byte, 128)
	for range min(count, maxParts) {
		if n, _ := d.ReadAt(entry, at); n < len(entry) {
			break
		}
		at += int64(size)
		first, last := binary.LittleEndian.Uint64(entry[32:]), binary.LittleEndian.Uint64(entry[40:])
		if first != 0 && last >= first {
			parts = append(parts, sectors(first, last-first+1))
		}
	}
	return parts
}

// readAPM reads an Apple partition map (Inside Macintosh: Devices, chapter 3).
// Its blocks are of 512 bytes, or as large as the first one says.
func readAPM(d *disk, head []byte) []part {
	unit := uint64(sectorSize)
	if string(head[sectorSize:sectorSize+2]) != "PM" {
		unit = uint64(binary.BigEndian.Uint16(head[2:]))
	}
	if unit < sectorSize || unit%sectorSize != 0 {
		return nil
	}
	var parts []part
	entry := make([]byte, 16)
	for i := int64(1); i <= maxParts; i++ {
		if n, _ := d.ReadAt(entry, i*int64(unit)); n < len(entry) || string(entry[:2]) != "PM" {
			break
		}
		start, count := uint64(binary.BigEndian.Uint32(entry[8:])), uint64(binary.BigEndian.Uint32(entry[12:]))
		parts = append(parts, sectors(start*unit/sectorSize, count*unit/sectorSize))
	}
	return parts
}

// readMBR reads the four entries of a master boot record.
func readMBR(head []byte) []part {
	const protective = 0xee // stands for a GPT
	var parts []part
	for at := 446; at < 510; at += 16 {
		kind := head[at+4]
		start, count := binary.LittleEndian.Uint32(head[at+8:]), binary.LittleEndian.Uint32(head[at+12:])
		if kind != 0 && kind != protective && start != 0 {
			parts = append(parts, sectors(uint64(start), uint64(count)))
		}
	}
	return parts
}
