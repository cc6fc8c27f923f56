package inspect

import (
	"encoding/binary"
	"unicode/utf16"
)

// view reads numbers at offsets of hostile bytes. A read that is not wholly
// inside gives zero and marks the view as short, so that a parser can read a
// whole structure and ask once.
type view struct {
	data  []byte
	order binary.ByteOrder
	short bool
}

func little(data []byte) *view { return &view{data: data, order: binary.LittleEndian} }
func big(data []byte) *view    { return &view{data: data, order: binary.BigEndian} }

// cut returns n bytes at off, or nil if they are not all there.
func (v *view) cut(off, n uint64) []byte {
	if off > uint64(len(v.data)) || n > uint64(len(v.data))-off {
		v.short = true
		return nil
	}
	return v.data[off : off+n]
}

func (v *view) u16(off uint64) uint16 {
	if b := v.cut(off, 2); b != nil {
		return v.order.Uint16(b)
	}
	return 0
}

func (v *view) u32(off uint64) uint32 {
	if b := v.cut(off, 4); b != nil {
		return v.order.Uint32(b)
	}
	return 0
}

func (v *view) u64(off uint64) uint64 {
	if b := v.cut(off, 8); b != nil {
		return v.order.Uint64(b)
	}
	return 0
}

// err is the error of a view that is short.
func (v *view) err() error {
	if v.short {
		return malformed("structure lies outside the file")
	}
	return nil
}

// starts tells whether data begins with magic.
func starts(data []byte, magic string) bool {
	return len(data) >= len(magic) && string(data[:len(magic)]) == magic
}

// at tells whether magic stands at off.
func at(data []byte, off int, magic string) bool {
	return off >= 0 && off <= len(data) && starts(data[off:], magic)
}

// decodeUTF16 turns b into a string up to its first NUL. A last odd byte is
// dropped.
func decodeUTF16(b []byte, order binary.ByteOrder) string {
	units := make([]uint16, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		unit := order.Uint16(b)
		if unit == 0 {
			break
		}
		units = append(units, unit)
	}
	return string(utf16.Decode(units))
}

// byteOrderMark tells the UTF-16 byte order that data announces, or nil.
func byteOrderMark(data []byte) binary.ByteOrder {
	switch {
	case starts(data, "\xff\xfe"):
		return binary.LittleEndian
	case starts(data, "\xfe\xff"):
		return binary.BigEndian
	}
	return nil
}

const utf8Mark = "\xef\xbb\xbf"

// textOf decodes a short text file, which may be UTF-8 or UTF-16 with a byte
// order mark.
func textOf(data []byte) string {
	if order := byteOrderMark(data); order != nil {
		return decodeUTF16(data[2:], order)
	}
	if starts(data, utf8Mark) {
		data = data[len(utf8Mark):]
	}
	return string(data)
}
