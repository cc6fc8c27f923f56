package specimens

import "encoding/binary"

// peFile makes the smallest PE32+ program that Windows loads: its entry point
// returns. strings become its version resource; without them it has none.
// "PE Format" and VERSIONINFO in Microsoft's documentation describe the fields.
func peFile(strings [][2]string) []byte {
	const (
		fileAlign, sectionAlign = 0x200, 0x1000
		textAddress, rsrcAddr   = 0x1000, 0x2000
	)
	rsrc := versionSection(strings, rsrcAddr)
	sections := 1
	if len(rsrc) > 0 {
		sections = 2
	}
	le := binary.LittleEndian
	head := make([]byte, fileAlign)
	copy(head, "MZ")
	le.PutUint32(head[0x3c:], 0x80)
	copy(head[0x80:], "PE\x00\x00")
	coff := head[0x84:]
	le.PutUint16(coff[0:], 0x8664) // x86-64
	le.PutUint16(coff[2:], uint16(sections))
	le.PutUint16(coff[16:], 240)    // size of the optional header
	le.PutUint16(coff[18:], 0x0022) // executable, large addresses
	opt := coff[20:]
	le.PutUint16(opt[0:], 0x20b) // PE32+
	le.PutUint32(opt[4:], fileAlign)
	le.PutUint32(opt[16:], textAddress) // entry point
	le.PutUint32(opt[20:], textAddress)
	le.PutUint64(opt[24:], 0x140000000)
	le.PutUint32(opt[32:], sectionAlign)
	le.PutUint32(opt[36:], fileAlign)
	le.PutUint16(opt[40:], 6) // operating system version
	le.PutUint16(opt[48:], 6) // subsystem version
	le.PutUint32(opt[56:], uint32(textAddress+sectionAlign*sections+align(len(rsrc), sectionAlign)))
	le.PutUint32(opt[60:], fileAlign)
	le.PutUint16(opt[68:], 2) // graphical subsystem
	le.PutUint64(opt[72:], 1<<20)
	le.PutUint64(opt[80:], 1<<12)
	le.PutUint64(opt[88:], 1<<20)
	le.PutUint64(opt[96:], 1<<12)
	le.PutUint32(opt[108:], 16) // data directories
	table := opt[240:]
	peSection(table, ".text", textAddress, fileAlign, fileAlign, 0x60000020)
	text := make([]byte, fileAlign)
	copy(text, "\x31\xc0\xc3") // xor eax, eax; ret
	size := align(len(rsrc), fileAlign)
	if sections == 2 {
		le.PutUint32(opt[112+8*2:], rsrcAddr)
		le.PutUint32(opt[116+8*2:], uint32(len(rsrc)))
		peSection(table[40:], ".rsrc", rsrcAddr, size, 2*fileAlign, 0x40000040)
	}
	out := append(head, text...) // the header is complete: append moves it
	out = append(out, rsrc...)
	return append(out, make([]byte, size-len(rsrc))...)
}

func peSection(b []byte, name string, address, size, offset int, flags uint32) {
	le := binary.LittleEndian
	copy(b, name)
	le.PutUint32(b[8:], uint32(size))
	le.PutUint32(b[12:], uint32(address))
	le.PutUint32(b[16:], uint32(size))
	le.PutUint32(b[20:], uint32(offset))
	le.PutUint32(b[36:], flags)
}

func align(n, to int) int { return (n + to - 1) / to * to }

// versionSection is a resource directory with one version block in US English.
func versionSection(strings [][2]string, address int) []byte {
	if len(strings) == 0 {
		return nil
	}
	le := binary.LittleEndian
	const entry = 3 * 24 // three directories of one entry each stand before the data entry
	b := make([]byte, entry+16)
	for i, id := range []uint32{16, 1, 0x409} { // RT_VERSION, its only block, the language
		d := b[24*i:]
		le.PutUint16(d[14:], 1)
		le.PutUint32(d[16:], id)
		to := uint32(24*(i+1)) | 1<<31
		if i == 2 {
			to = entry
		}
		le.PutUint32(d[20:], to)
	}
	block := versionBlock(strings)
	le.PutUint32(b[entry:], uint32(address+len(b)))
	le.PutUint32(b[entry+4:], uint32(len(block)))
	return append(b, block...)
}

func versionBlock(strings [][2]string) []byte {
	var table []byte
	for _, s := range strings {
		value := utf16le(s[1] + "\x00")
		table = append(pad4(table), versionNode(s[0], 1, len(value)/2, value)...)
	}
	info := versionNode("StringFileInfo", 1, 0, versionNode("040904b0", 1, 0, table))
	fixed := make([]byte, 52)
	le := binary.LittleEndian
	le.PutUint32(fixed[0:], 0xfeef04bd)
	le.PutUint32(fixed[4:], 0x10000)
	le.PutUint32(fixed[32:], 0x40004) // Windows NT, 32 bits
	le.PutUint32(fixed[36:], 1)       // an application
	return versionNode("VS_VERSION_INFO", 0, len(fixed), append(fixed, info...))
}

func versionNode(key string, kind, valueLength int, body []byte) []byte {
	b := make([]byte, 6)
	b = pad4(append(b, utf16le(key+"\x00")...))
	b = append(b, body...)
	binary.LittleEndian.PutUint16(b[0:], uint16(len(b)))
	binary.LittleEndian.PutUint16(b[2:], uint16(valueLength))
	binary.LittleEndian.PutUint16(b[4:], uint16(kind))
	return b
}

func pad4(b []byte) []byte { return append(b, make([]byte, align(len(b), 4)-len(b))...) }
