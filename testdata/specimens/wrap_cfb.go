package specimens

import (
	"encoding/binary"
	"sort"
	"strings"
	"unicode/utf16"
)

const (
	cfbSector = 512
	cfbMini   = 64
	cfbCutoff = 4096 // smaller streams lie in the small ones' container
	cfbEnd    = 0xfffffffe
	cfbFree   = 0xffffffff
	cfbFAT    = 0xfffffffd
)

// stream is one stream of a compound file.
type stream struct {
	name string
	data []byte
}

// cfbOf makes a compound file of version 3 ([MS-CFB]) with one storage.
func cfbOf(class [16]byte, list []stream) []byte {
	sort.Slice(list, func(i, j int) bool { return cfbLess(list[i].name, list[j].name) })
	var body, small []byte
	var fat, mini []uint32
	chain := func(table []uint32, sectors int) []uint32 {
		for range sectors - 1 {
			table = append(table, uint32(len(table)+1))
		}
		return append(table, cfbEnd)
	}
	start := make([]uint32, len(list))
	for i, s := range list {
		switch {
		case len(s.data) == 0:
			start[i] = cfbEnd
		case len(s.data) < cfbCutoff:
			start[i] = uint32(len(mini))
			mini = chain(mini, align(len(s.data), cfbMini)/cfbMini)
			small = append(small, padTo(append([]byte{}, s.data...), cfbMini)...)
		default:
			start[i] = uint32(len(fat))
			fat = chain(fat, align(len(s.data), cfbSector)/cfbSector)
			body = append(body, padTo(append([]byte{}, s.data...), cfbSector)...)
		}
	}
	put := func(data []byte) uint32 {
		at := uint32(len(fat))
		fat = chain(fat, align(len(data), cfbSector)/cfbSector)
		body = append(body, padTo(data, cfbSector)...)
		return at
	}
	smallAt, miniAt, miniSize := uint32(cfbEnd), uint32(cfbEnd), 0
	if len(small) > 0 {
		smallAt = put(append([]byte{}, small...))
		table := cfbTable(mini)
		miniAt, miniSize = put(table), len(table)/cfbSector
	}
	dirAt := put(cfbFolder(class, list, start, smallAt, len(small)))
	n := 0 // sectors of the table, which lists itself
	for n*cfbSector/4 < len(fat)+n {
		n++
	}
	if n > 109 {
		panic("a compound file is larger than its header can say")
	}
	fatAt := len(fat)
	for range n {
		fat = append(fat, cfbFAT)
	}
	return append(append(cfbHeader(fatAt, n, dirAt, miniAt, miniSize), body...), cfbTable(fat)...)
}

func cfbTable(list []uint32) []byte {
	var b []byte
	for _, v := range list {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	for len(b)%cfbSector != 0 {
		b = binary.LittleEndian.AppendUint32(b, cfbFree)
	}
	return b
}

func cfbHeader(fatAt, fats int, dirAt, miniAt uint32, minis int) []byte {
	le := binary.LittleEndian
	b := append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 16)...)
	for _, v := range []uint16{0x3e, 3, 0xfffe, 9, 6, 0, 0, 0} {
		b = le.AppendUint16(b, v)
	}
	for _, v := range []uint32{0, uint32(fats), dirAt, 0, cfbCutoff, miniAt, uint32(minis), cfbEnd, 0} {
		b = le.AppendUint32(b, v)
	}
	for i := range 109 {
		v := uint32(cfbFree)
		if i < fats {
			v = uint32(fatAt + i)
		}
		b = le.AppendUint32(b, v)
	}
	return b
}

// cfbLess is the order of names: the shorter first, then without case.
func cfbLess(a, b string) bool {
	ua, ub := utf16.Encode([]rune(a)), utf16.Encode([]rune(b))
	if len(ua) != len(ub) {
		return len(ua) < len(ub)
	}
	return strings.ToUpper(a) < strings.ToUpper(b)
}

// cfbFolder lists the root and its streams, which form a balanced tree.
func cfbFolder(class [16]byte, list []stream, start []uint32, smallAt uint32, small int) []byte {
	le := binary.LittleEndian
	left, right := make([]uint32, len(list)+1), make([]uint32, len(list)+1)
	var grow func(from, to int) uint32
	grow = func(from, to int) uint32 {
		if from >= to {
			return cfbFree
		}
		mid := (from + to) / 2
		left[mid+1], right[mid+1] = grow(from, mid), grow(mid+1, to)
		return uint32(mid + 1)
	}
	top := grow(0, len(list))
	var b []byte
	add := func(name string, kind byte, l, r, child uint32, class []byte, at uint32, size int) {
		u := utf16le(name)
		b = append(append(b, u...), make([]byte, 64-len(u))...)
		b = le.AppendUint16(b, uint16(len(u)+2))
		b = append(b, kind, 1)
		for _, v := range []uint32{l, r, child} {
			b = le.AppendUint32(b, v)
		}
		b = append(append(b, class...), make([]byte, 4+16)...)
		b = le.AppendUint64(le.AppendUint32(b, at), uint64(size))
	}
	add("Root Entry", 5, cfbFree, cfbFree, top, class[:], smallAt, small)
	for i, s := range list {
		add(s.name, 2, left[i+1], right[i+1], cfbFree, make([]byte, 16), start[i], len(s.data))
	}
	for len(b)%cfbSector != 0 {
		b = append(b, make([]byte, 68)...)
		b = append(b, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"...)
		b = append(b, make([]byte, 48)...)
	}
	return b
}
