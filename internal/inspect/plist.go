package inspect

import (
	"encoding/binary"

	"meetguard"
)

// Only the strings at the top of a property list are read. A general decoder is
// out of place here: in the binary format objects refer to one another, so that
// a file of 1 MiB can unfold to a terabyte.

// PlistClaims lists the names in an Info.plist: XML of at most 256 KiB or binary
// of at most 1 MiB.
func PlistClaims(data []byte) ([]meetguard.Claim, []meetguard.Gap) {
	var c collector
	c.gap("Info.plist", c.plistClaims(data))
	return c.claims, c.gaps
}

// PlistExecutable returns the CFBundleExecutable of an Info.plist: the base
// name of the program in Contents/MacOS, or "" if there is none to be read. It
// is hostile text: it may hold separators.
func PlistExecutable(data []byte) string {
	return plistValue(data, "CFBundleExecutable")
}

// PlistIcon returns the CFBundleIconFile of an Info.plist, with or without its
// extension, or "". It is hostile text as well.
func PlistIcon(data []byte) string {
	return plistValue(data, "CFBundleIconFile")
}

// plistValue returns the first string of key in the dictionary at the top.
func plistValue(data []byte, key string) string {
	var c collector
	value := ""
	// What cannot be read of the rest is no matter here.
	_ = c.plistStrings(data, func(k, v string) {
		if k == key && value == "" {
			value = cleanName(v)
		}
	})
	return value
}

// plistClaims is PlistClaims for a list that may be one of several in a file.
func (c *collector) plistClaims(data []byte) error {
	return c.plistStrings(data, func(key, value string) {
		switch key {
		case "CFBundleIdentifier":
			c.claim(meetguard.ClaimBundleID, value)
		case "CFBundleName":
			c.claim(meetguard.ClaimBundleName, value)
		case "CFBundleDisplayName":
			c.claim(meetguard.ClaimBundleShow, value)
		}
	})
}

// plistStrings calls visit for each string in the dictionary at the top, in
// order. Parsers differ in which of two values of one key they take, so both
// are seen.
func (c *collector) plistStrings(data []byte, visit func(key, value string)) error {
	if len(data) > maxDocument {
		return malformed("property list is too large")
	}
	if starts(data, "bplist") {
		return binaryPlistStrings(data, visit)
	}
	found, key := false, ""
	err := c.walkXML(data, func(e element) {
		found = found || e.path[0] == "plist"
		if len(e.path) != 3 || e.path[0] != "plist" || e.path[1] != "dict" {
			return
		}
		switch e.path[2] {
		case "key":
			key = string(e.text)
		case "string":
			visit(key, string(e.text))
			key = ""
		default:
			key = ""
		}
	})
	if err == nil && !found {
		err = malformed("neither an XML nor a binary property list")
	}
	return err
}

// bplist is a binary property list, as CFBinaryPList.c of Apple's CF writes it:
// objects, a table of their offsets, and a trailer of 32 bytes.
type bplist struct {
	view
	offsetSize, refSize uint64
	objects, table      uint64
}

// openBplist reads the trailer and returns the number of the top object.
func openBplist(data []byte) (p *bplist, top uint64, err error) {
	if len(data) < 40 || !starts(data, "bplist0") {
		return nil, 0, malformed("binary property list is malformed")
	}
	p = &bplist{view: view{data: data, order: binary.BigEndian}}
	end := uint64(len(data)) - 32
	p.offsetSize, p.refSize = uint64(data[end+6]), uint64(data[end+7])
	p.objects, p.table = p.u64(end+8), p.u64(end+24)
	if p.offsetSize > 8 || p.refSize > 8 || p.objects > end || p.table > end {
		return nil, 0, malformed("trailer of the binary property list is malformed")
	}
	return p, p.u64(end + 16), nil
}

// number reads an integer of size bytes.
func (p *bplist) number(off, size uint64) uint64 {
	var n uint64
	for _, b := range p.cut(off, size) {
		n = n<<8 | uint64(b)
	}
	return n
}

// object finds object ref: its type, its length in elements, and where they
// begin.
func (p *bplist) object(ref uint64) (kind byte, count, at uint64) {
	if ref >= p.objects {
		p.short = true
		return 0, 0, 0
	}
	at = p.number(p.table+ref*p.offsetSize, p.offsetSize)
	marker := p.cut(at, 1)
	if marker == nil {
		return 0, 0, 0
	}
	kind, count, at = marker[0]>>4, uint64(marker[0]&15), at+1
	if count == 15 && kind >= 4 { // the length follows as an integer object
		size := p.number(at, 1)
		if size>>4 != 1 || size&15 > 3 {
			p.short = true
			return 0, 0, 0
		}
		width := uint64(1) << (size & 15)
		count, at = p.number(at+1, width), at+1+width
	}
	if count > uint64(len(p.data)) { // no element is shorter than a byte
		p.short = true
		return 0, 0, 0
	}
	return kind, count, at
}

// text is object ref if it is a string of at most maxElement bytes, or "".
func (p *bplist) text(ref uint64) string {
	kind, count, at := p.object(ref)
	switch {
	case count > maxElement:
	case kind == 5: // ASCII
		return string(p.cut(at, count))
	case kind == 6:
		return decodeUTF16(p.cut(at, 2*count), p.order)
	}
	return ""
}

// binaryPlistStrings is plistStrings for the binary format.
func binaryPlistStrings(data []byte, visit func(key, value string)) error {
	p, top, err := openBplist(data)
	if err != nil {
		return err
	}
	kind, count, at := p.object(top)
	if kind != 13 {
		return malformed("binary property list is no dictionary")
	}
	if count > maxTokens {
		return malformed("property list has too many keys")
	}
	for i := uint64(0); i < count && !p.short; i++ {
		key := p.text(p.number(at+i*p.refSize, p.refSize))
		if value := p.text(p.number(at+(count+i)*p.refSize, p.refSize)); value != "" {
			visit(key, value)
		}
	}
	return p.err()
}

// binaryPlistList returns the first strings of the array at the top of a binary
// property list.
func binaryPlistList(data []byte, limit uint64) []string {
	p, top, err := openBplist(data)
	if err != nil {
		return nil
	}
	kind, count, at := p.object(top)
	if kind != 10 {
		return nil
	}
	var list []string
	for i := uint64(0); i < min(count, limit) && !p.short; i++ {
		list = append(list, p.text(p.number(at+i*p.refSize, p.refSize)))
	}
	return list
}
