package inspect

import (
	"encoding/binary"
	"iter"
)

// The structures here are those of <mach-o/loader.h> and <mach-o/fat.h>.
const (
	maxArches      = 44      // Java classes have the same magic and a version of 45 or more in this place
	maxCommands    = 4096    // load commands looked at
	maxCommandSize = 1 << 20 // bytes of all load commands
	maxPlists      = 8       // slices of which the property list is read

	loadSegment   = 0x01 // LC_SEGMENT
	loadSegment64 = 0x19 // LC_SEGMENT_64
)

// machOOrder tells the byte order and the width of a thin Mach-O file.
func machOOrder(data []byte) (order binary.ByteOrder, wide, ok bool) {
	switch {
	case starts(data, "\xcf\xfa\xed\xfe"):
		return binary.LittleEndian, true, true
	case starts(data, "\xce\xfa\xed\xfe"):
		return binary.LittleEndian, false, true
	case starts(data, "\xfe\xed\xfa\xcf"):
		return binary.BigEndian, true, true
	case starts(data, "\xfe\xed\xfa\xce"):
		return binary.BigEndian, false, true
	}
	return nil, false, false
}

// isThinMachO tells a Mach-O file of one architecture, with a file type that
// exists.
func isThinMachO(data []byte) bool {
	order, _, ok := machOOrder(data)
	if !ok || len(data) < 28 {
		return false
	}
	fileType := order.Uint32(data[12:])
	return 1 <= fileType && fileType <= 15
}

// isFatMachO tells a Mach-O file of several architectures from a Java class: at
// least one slice has to be a Mach-O file.
func isFatMachO(data []byte) bool {
	for range machOSlices(data) {
		return true
	}
	return false
}

// machOSlices yields the thin Mach-O files that data is made of.
func machOSlices(data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if isThinMachO(data) {
			yield(data)
			return
		}
		wide := starts(data, "\xca\xfe\xba\xbf")
		if !wide && !starts(data, "\xca\xfe\xba\xbe") {
			return
		}
		v := big(data)
		count := uint64(v.u32(4))
		for i := uint64(0); i < count && count <= maxArches; i++ {
			slice := v.fatSlice(i, wide)
			if isThinMachO(slice) && !yield(slice) {
				return
			}
		}
	}
}

// fatSlice is slice i of a fat Mach-O file, or nil.
func (v *view) fatSlice(i uint64, wide bool) []byte {
	if wide {
		return v.cut(v.u64(8+32*i+8), v.u64(8+32*i+16))
	}
	return v.cut(uint64(v.u32(8+20*i+8)), uint64(v.u32(8+20*i+12)))
}

// machoClaims reads the Info.plist that command-line tools and installers carry
// in a section of each slice.
func machoClaims(data []byte, c *collector) error {
	var first error
	slices := 0
	for slice := range machOSlices(data) {
		if slices++; slices > maxPlists {
			return malformed("more architectures than are read")
		}
		plist, err := embeddedPlist(slice)
		if err == nil && plist != nil {
			err = c.plistClaims(plist)
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// embeddedPlist returns section __info_plist of segment __TEXT of a thin Mach-O
// file, or nil if it has none.
func embeddedPlist(slice []byte) ([]byte, error) {
	order, wide, _ := machOOrder(slice)
	v := &view{data: slice, order: order}
	at := uint64(28)
	if wide {
		at = 32
	}
	count := v.u32(16)
	if count > maxCommands {
		return nil, malformed("more load commands than are read")
	}
	for range count {
		command, size := v.u32(at), uint64(v.u32(at+4))
		if size < 8 || at+size > maxCommandSize || v.cut(at, size) == nil {
			return nil, malformed("load commands are malformed")
		}
		if command == loadSegment || command == loadSegment64 {
			if plist, found := v.plistSection(at, size, command == loadSegment64); found {
				return plist, v.err()
			}
		}
		at += size
	}
	return nil, v.err()
}

// plistSection looks for section __info_plist in the segment command at at,
// which takes size bytes.
func (v *view) plistSection(at, size uint64, wide bool) (plist []byte, found bool) {
	head, width, counted := uint64(56), uint64(68), uint64(48)
	if wide {
		head, width, counted = 72, 80, 64
	}
	count := uint64(v.u32(at + counted))
	for i := uint64(0); i < count && head+width*(i+1) <= size; i++ {
		section := at + head + width*i
		if !starts(v.cut(section, 32), "__info_plist\x00\x00\x00\x00__TEXT\x00") {
			continue
		}
		if wide {
			return v.cut(uint64(v.u32(section+48)), v.u64(section+40)), true
		}
		return v.cut(uint64(v.u32(section+40)), uint64(v.u32(section+36))), true
	}
	return nil, false
}
