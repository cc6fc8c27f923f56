package inspect

import (
	"encoding/binary"
	"slices"
	"testing"

	"howett.net/plist"

	"meetguard"
)

func TestMachOClaims(t *testing.T) {
	zoom := encodePlist(t, map[string]string{"CFBundleIdentifier": "us.zoom.xos", "CFBundleName": "Zoom"}, plist.XMLFormat)
	notes := encodePlist(t, map[string]string{"CFBundleName": "Notes"}, plist.BinaryFormat)
	zoomClaims := []string{"Info.plist CFBundleIdentifier: us.zoom.xos", "Info.plist CFBundleName: Zoom"}
	for _, c := range []struct {
		test string
		data []byte
		want []string
	}{
		{"without", makeMachO(binary.LittleEndian, true, nil), nil},
		{"64 bits", makeMachO(binary.LittleEndian, true, zoom), zoomClaims},
		{"32 bits", makeMachO(binary.LittleEndian, false, zoom), zoomClaims},
		{"big-endian", makeMachO(binary.BigEndian, true, zoom), zoomClaims},
		{"slices that differ", makeFat(false, makeMachO(binary.LittleEndian, true, notes), makeMachO(binary.LittleEndian, true, zoom)),
			append([]string{"Info.plist CFBundleName: Notes"}, zoomClaims...)},
		{"64-bit offsets", makeFat(true, makeMachO(binary.LittleEndian, true, zoom)), zoomClaims},
	} {
		t.Run(c.test, func(t *testing.T) {
			wantClaims(t, meetguard.FormatMachO, c.data, c.want)
		})
	}
}

func TestMachODamage(t *testing.T) {
	good := makeMachO(binary.LittleEndian, true, encodePlist(t, map[string]string{"CFBundleName": "Zoom"}, plist.XMLFormat))
	for _, c := range []struct {
		test   string
		off    int
		value  uint32
		reason string
	}{
		{"too many commands", 16, 1 << 20, "more load commands"},
		{"command of no length", 36, 0, "malformed"},
		{"command behind the end", 36, 0xfffffff0, "malformed"},
		{"segment of 50 million sections", 32 + 24 + 4, 0xfffffff0, "malformed"},
		{"section behind the end", 32 + 24 + 72 + 80 + 48, 1 << 30, "outside the file"},
		{"section too long", 32 + 24 + 72 + 80 + 40, 1 << 30, "outside the file"},
	} {
		t.Run(c.test, func(t *testing.T) {
			bad := slices.Clone(good)
			binary.LittleEndian.PutUint32(bad[c.off:], c.value)
			claims, gaps := Claims(meetguard.FormatMachO, bad)
			if len(claims) > 0 {
				t.Errorf("claims %v", claims)
			}
			wantGap(t, gaps, c.reason)
		})
	}
}

// makeMachO assembles a Mach-O file with a command that says nothing, and a
// segment with two sections, of which the second is plist, if there is one.
func makeMachO(order binary.ByteOrder, wide bool, plist []byte) []byte {
	magic, header, segment, section, width := uint32(0xfeedface), 28, 56, 68, 4
	command := uint32(loadSegment)
	if wide {
		magic, header, segment, section, width, command = 0xfeedfacf, 32, 72, 80, 8, loadSegment64
	}
	at := header + 24
	first := at + segment
	b := make([]byte, first+2*section)
	put := func(off int, v uint32) { order.PutUint32(b[off:], v) }
	putWord := func(off int, v int) {
		if width == 4 {
			order.PutUint32(b[off:], uint32(v))
		} else {
			order.PutUint64(b[off:], uint64(v))
		}
	}
	put(0, magic)
	put(12, 2) // MH_EXECUTE
	put(header, 0x1b)
	put(header+4, 24)
	if plist == nil {
		put(16, 1)
		return b
	}
	put(16, 2)
	put(at, command)
	put(at+4, uint32(segment+2*section))
	copy(b[at+8:], "__TEXT")
	put(at+segment-8, 2)
	copy(b[first:], "__text")
	copy(b[first+16:], "__TEXT")
	second := first + section
	copy(b[second:], "__info_plist")
	copy(b[second+16:], "__TEXT")
	putWord(second+32+width, len(plist))
	put(second+32+2*width, uint32(len(b)))
	return append(b, plist...)
}

// makeFat joins slices.
func makeFat(wide bool, slices ...[]byte) []byte {
	be := binary.BigEndian
	b := make([]byte, 4096)
	be.PutUint32(b, 0xcafebabe)
	if wide {
		be.PutUint32(b, 0xcafebabf)
	}
	be.PutUint32(b[4:], uint32(len(slices)))
	for i, slice := range slices {
		if wide {
			be.PutUint64(b[8+32*i+8:], uint64(len(b)))
			be.PutUint64(b[8+32*i+16:], uint64(len(slice)))
		} else {
			be.PutUint32(b[8+20*i+8:], uint32(len(b)))
			be.PutUint32(b[8+20*i+12:], uint32(len(slice)))
		}
		b = append(b, slice...)
	}
	return b
}
