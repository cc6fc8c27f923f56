package unpack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// FAT12, FAT16 and FAT32 ("Microsoft FAT Specification"), as raw images of
// volumes without a partition table have them.

type fat struct {
	*disc
	bits     int   // of a table entry: 12, 16 or 32
	table    int64 // offset of the first table
	content  int64 // offset of cluster 2
	cluster  int64 // bytes
	clusters int64
	been     map[int64]bool
	broken   error
}

var errFAT = errors.New("a folder of the FAT file system of the image is broken")

// walkFAT walks the volume of a FAT image.
func (d *disc) walkFAT() error {
	if len(d.data) >= 512 && string(d.data[3:11]) == "EXFAT   " {
		return fmt.Errorf("exFAT file system: %w", ErrUnsupported)
	}
	f := &fat{disc: d, been: map[int64]bool{}}
	root, ok := f.header()
	if !ok {
		return d.partitions()
	}
	if err := f.folder("", root, 0); err != nil {
		return err
	}
	return f.broken
}

// partitions walks the volumes of a master boot record (section 3 of the UEFI
// Specification, 5.2): four entries of 16 bytes, each with its first sector.
func (d *disc) partitions() error {
	err := errors.New("the image holds no file system that can be read")
	if d.nested || len(d.data) < 512 || d.data[510] != 0x55 || d.data[511] != 0xAA {
		return err
	}
	whole := d.data
	d.nested = true
	var first error
	found := false
	for i := range 4 {
		at := int64(binary.LittleEndian.Uint32(whole[446+16*i+8:])) * 512
		if at == 0 || at >= int64(len(whole)) {
			continue
		}
		found = true
		d.data, d.seen = whole[at:], map[string]bool{}
		err := d.walkFAT()
		if first == nil {
			first = err
		}
		if ends(err) {
			return err
		}
	}
	if !found {
		return err
	}
	return first
}

// header reads the parameters of the boot sector (section 3), and gives the
// root folder.
func (f *fat) header() (root []discExtent, ok bool) {
	if len(f.data) < 512 || f.data[510] != 0x55 || f.data[511] != 0xAA {
		return nil, false
	}
	b, le := f.data, binary.LittleEndian
	sector, perCluster := int64(le.Uint16(b[11:])), int64(b[13])
	reserved, tables, entries := int64(le.Uint16(b[14:])), int64(b[16]), int64(le.Uint16(b[17:]))
	if sector < 512 || sector > 4096 || sector&(sector-1) != 0 || perCluster == 0 || perCluster&(perCluster-1) != 0 || tables == 0 || reserved == 0 {
		return nil, false
	}
	size, total := int64(le.Uint16(b[22:])), int64(le.Uint16(b[19:]))
	if size == 0 {
		size = int64(le.Uint32(b[36:]))
	}
	if total == 0 {
		total = int64(le.Uint32(b[32:]))
	}
	f.table, f.cluster = reserved*sector, sector*perCluster
	first := f.table + tables*size*sector
	f.content = first + (entries*32+sector-1)/sector*sector
	f.clusters = (total*sector - f.content) / f.cluster
	switch { // section 3.5: the count of clusters alone decides
	case f.clusters <= 0:
		return nil, false
	case f.clusters < 4085:
		f.bits = 12
	case f.clusters < 65525:
		f.bits = 16
	default:
		f.bits = 32
		return f.chain(int64(le.Uint32(b[44:])), maxDirectory), true
	}
	return []discExtent{{first, entries * 32}}, true
}

// next reads a table entry; -1 at the end of the chain.
func (f *fat) next(n int64) int64 {
	at := f.table + n*int64(f.bits)/8
	if at+4 > int64(len(f.data)) {
		return -1
	}
	v := int64(binary.LittleEndian.Uint32(f.data[at:]))
	switch f.bits {
	case 12:
		v = v >> (n & 1 * 4) & 0xFFF
	case 16:
		v &= 0xFFFF
	default:
		v &= 0x0FFFFFFF
	}
	if v < 2 || v >= f.clusters+2 {
		return -1
	}
	return v
}

// chain gives the runs of a chain of clusters up to a number of bytes, which
// ends loops as well.
func (f *fat) chain(first, size int64) []discExtent {
	var runs []discExtent
	for n := first; n >= 2 && n < f.clusters+2 && size > 0 && len(runs) < 1e5; n = f.next(n) {
		at, part := f.content+(n-2)*f.cluster, min(f.cluster, size)
		if at > int64(len(f.data)) {
			break
		}
		if i := len(runs) - 1; i >= 0 && runs[i].at+runs[i].size == at {
			runs[i].size += part
		} else {
			runs = append(runs, discExtent{at, part})
		}
		size -= part
	}
	return runs
}

// folder visits the entries of a folder (section 6).
func (f *fat) folder(path string, runs []discExtent, depth int) error {
	if len(runs) == 0 || f.been[runs[0].at] || depth > isoMaxDepth {
		return nil
	}
	f.been[runs[0].at] = true
	var size int64
	for _, x := range runs {
		size += x.size
	}
	b, err := f.bytes(runs, size)
	if limited(err) {
		return err
	}
	if err != nil && f.broken == nil {
		f.broken = errFAT
	}
	var long longName
	for ; len(b) >= 32 && b[0] != 0; b = b[32:] {
		if err := f.record(); err != nil {
			return err
		}
		const attributeLong, deleted = 0x0F, 0xE5
		if b[0] == deleted {
			long = longName{}
			continue
		}
		if b[11]&0x3F == attributeLong {
			long.add(b[:32])
			continue
		}
		if err := f.entry(path, b[:32], long.text(b[:11], b[12]), depth); err != nil {
			return err
		}
		long = longName{}
	}
	return nil
}

func (f *fat) entry(path string, b []byte, name string, depth int) error {
	const label, folder = 0x08, 0x10
	if b[11]&label != 0 || name == "." || name == ".." {
		return nil
	}
	le := binary.LittleEndian
	first, size := int64(le.Uint16(b[26:])), int64(le.Uint32(b[28:]))
	if f.bits == 32 {
		first |= int64(le.Uint16(b[20:])) << 16
	}
	if b[11]&folder == 0 {
		return f.add(discEntry{name: path + name, size: size, extents: f.chain(first, size)})
	}
	if err := f.add(discEntry{name: path + name, role: RoleFolder}); err != nil {
		return err
	}
	return f.folder(path+name+"/", f.chain(first, maxDirectory), depth+1)
}

// longName collects the parts of a long name, which come before the entry they
// belong to, the last part first (section 7).
type longName struct {
	units []byte
	sum   byte
}

func (l *longName) add(b []byte) {
	const last, maxParts = 0x40, 20
	if b[0]&last != 0 {
		*l = longName{sum: b[13]}
	}
	if len(l.units) >= maxParts*26 {
		return
	}
	part := append(append(append([]byte(nil), b[1:11]...), b[14:26]...), b[28:32]...)
	l.units = append(part, l.units...)
}

// Windows NT keeps short names in lower case by these bits of byte 12.
const lowerBase, lowerExt = 0x08, 0x10

// text gives the long name if it belongs to the short one, else the short one.
func (l *longName) text(short []byte, lower byte) string {
	var sum byte
	for _, x := range short {
		sum = sum>>1 | sum<<7
		sum += x
	}
	if len(l.units) > 0 && sum == l.sum {
		name, _, _ := strings.Cut(utf16Name(l.units, binary.LittleEndian), "\x00")
		return name
	}
	if short[0] == 0x05 { // stands for E5, which marks deleted entries
		short = append([]byte{0xE5}, short[1:]...)
	}
	base, ext := strings.TrimRight(string(short[:8]), " "), strings.TrimRight(string(short[8:11]), " ")
	if lower&lowerBase != 0 {
		base = strings.ToLower(base)
	}
	if lower&lowerExt != 0 {
		ext = strings.ToLower(ext)
	}
	if ext != "" {
		base += "." + ext
	}
	return strings.ToValidUTF8(base, "\uFFFD")
}
