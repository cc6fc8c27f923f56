package specimens

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
)

const isoSector = 2048

// isoOf makes an ISO 9660 image with Joliet names (ECMA-119, and Microsoft's
// Joliet specification): two trees over the same files.
func isoOf(list []entry, volume string) []byte {
	root := treeOf(list)
	var folders, files []*node
	root.each(func(n *node) {
		if n.folder {
			folders = append(folders, n)
		} else {
			files = append(files, n)
		}
	})
	for i, n := range append(append([]*node{}, folders...), files...) {
		n.id = i
	}
	plain, joliet := isoTree{folders: folders}, isoTree{folders: folders, joliet: true}
	next := plain.place(20) // behind system area, three descriptors and a spare sector
	next = joliet.place(next)
	for _, f := range files {
		f.block, next = next, next+max(1, align(len(f.data), isoSector)/isoSector)
	}
	out := make([]byte, 16*isoSector)
	out = append(out, plain.descriptor(1, volume, next)...)
	out = append(out, joliet.descriptor(2, volume, next)...)
	out = append(out, padTo([]byte("\xffCD001\x01"), isoSector)...)
	out = append(out, make([]byte, isoSector)...)
	out = plain.write(out)
	out = joliet.write(out)
	for _, f := range files {
		if len(f.data) == 0 {
			out = append(out, make([]byte, isoSector)...)
		}
		out = append(out, padTo(append([]byte{}, f.data...), isoSector)...)
	}
	return out
}

// isoTree is one of the two trees: its path tables, and a folder after another.
type isoTree struct {
	folders []*node
	joliet  bool
	tables  int // sector of the first path table
	at      map[*node]int
}

// place gives sectors to tables and folders, and says which is the next one.
func (t *isoTree) place(next int) int {
	t.tables, t.at = next, map[*node]int{}
	next += 2 // one sector for each table is enough for small trees
	for _, f := range t.folders {
		t.at[f] = next
		next += align(len(t.records(f)), isoSector) / isoSector
	}
	return next
}

// name is how the tree calls n: the plain one has short names.
func (t *isoTree) name(n *node) []byte {
	if t.joliet {
		return utf16be(n.name)
	}
	short := fmt.Sprintf("F%d", n.id)
	if n.folder {
		return []byte(short)
	}
	ext := strings.ToUpper(n.name[strings.LastIndexByte(n.name, '.')+1:])
	return []byte(short + "." + ext[:min(3, len(ext))] + ";1")
}

// both appends a number in both byte orders.
func both(b []byte, n, size int) []byte {
	if size == 2 {
		return binary.BigEndian.AppendUint16(binary.LittleEndian.AppendUint16(b, uint16(n)), uint16(n))
	}
	return binary.BigEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, uint32(n)), uint32(n))
}

func isoRecord(name []byte, sector, size int, folder bool) []byte {
	b := []byte{byte(align(33+len(name), 2)), 0}
	b = both(b, sector, 4)
	b = both(b, size, 4)
	b = append(b, 126, 1, 1, 0, 0, 0, 0) // 1 January 2026
	flags := byte(0)
	if folder {
		flags = 2
	}
	b = append(b, flags, 0, 0)
	b = both(b, 1, 2)
	b = append(b, byte(len(name)))
	return padTo(append(b, name...), 2)
}

func (t *isoTree) records(f *node) []byte {
	out := isoRecord([]byte{0}, t.at[f], isoSector, true)
	out = append(out, isoRecord([]byte{1}, t.at[f.parent], isoSector, true)...)
	for _, k := range f.kids {
		sector, size := k.block, len(k.data)
		if k.folder {
			sector, size = t.at[k], isoSector
		}
		rec := isoRecord(t.name(k), sector, size, k.folder)
		if len(out)+len(rec) > isoSector {
			panic("a folder of an image holds more than fits into one sector")
		}
		out = append(out, rec...)
	}
	return out
}

func (t *isoTree) table(order binary.AppendByteOrder) []byte {
	number := map[*node]int{}
	var out []byte
	for i, f := range t.folders {
		number[f] = i + 1
		name := t.name(f)
		if i == 0 {
			name = []byte{0}
		}
		out = append(out, byte(len(name)), 0)
		out = order.AppendUint32(out, uint32(t.at[f]))
		out = order.AppendUint16(out, uint16(number[f.parent]))
		out = padTo(append(out, name...), 2)
	}
	return out
}

func (t *isoTree) write(out []byte) []byte {
	out = append(out, padTo(t.table(binary.LittleEndian), isoSector)...)
	out = append(out, padTo(t.table(binary.BigEndian), isoSector)...)
	for _, f := range t.folders {
		out = append(out, padTo(t.records(f), isoSector)...)
	}
	return out
}

func (t *isoTree) descriptor(kind byte, volume string, sectors int) []byte {
	b := append([]byte{kind}, "CD001\x01\x00"...)
	b = append(b, t.text("", 32)...)
	b = append(b, t.text(volume, 32)...)
	b = both(append(b, make([]byte, 8)...), sectors, 4)
	escape := make([]byte, 32)
	if t.joliet {
		copy(escape, "%/E") // UCS-2, level 3
	}
	b = append(b, escape...)
	b = both(both(b, 1, 2), 1, 2)
	b = both(b, isoSector, 2)
	b = both(b, len(t.table(binary.LittleEndian)), 4)
	b = binary.LittleEndian.AppendUint32(b, uint32(t.tables))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(t.tables+1))
	b = binary.BigEndian.AppendUint32(b, 0)
	b = append(b, isoRecord([]byte{0}, t.at[t.folders[0]], isoSector, true)...)
	b = append(b, t.text("", 623)...)
	for range 4 { // dates that are not given
		b = append(append(b, "0000000000000000"...), 0)
	}
	return padTo(append(b, 1), isoSector)
}

// text is a field of a descriptor, filled with blanks.
func (t *isoTree) text(s string, size int) []byte {
	if !t.joliet {
		return fmt.Appendf(nil, "%-*s", size, strings.ToUpper(s))[:size]
	}
	var b []byte
	for _, u := range utf16.Encode([]rune(fmt.Sprintf("%-*s", size/2, s)))[:size/2] {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return append(b, make([]byte, size-len(b))...)
}
