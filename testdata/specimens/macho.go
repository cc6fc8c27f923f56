package specimens

import (
	"crypto/sha256"
	"encoding/binary"
)

// machoFile makes a Mach-O program for arm64 that ends at once. With an
// identifier it carries an ad-hoc signature: hashes, and nobody's name.
// <mach-o/loader.h> and Apple's open cs_blobs.h describe the fields.
func machoFile(identifier string) []byte {
	const page = 0x4000
	le := binary.LittleEndian
	linkedit := 0
	if identifier != "" {
		linkedit = len(codeSignature(identifier, make([]byte, page)))
	}
	segment := func(name string, address, memory, offset, size uint64, protection uint32) []byte {
		b := make([]byte, 72)
		le.PutUint32(b[0:], 0x19) // LC_SEGMENT_64
		le.PutUint32(b[4:], 72)
		copy(b[8:], name)
		for i, v := range []uint64{address, memory, offset, size} {
			le.PutUint64(b[24+8*i:], v)
		}
		le.PutUint32(b[56:], protection)
		le.PutUint32(b[60:], protection)
		return b
	}
	var commands []byte
	commands = append(commands, segment("__PAGEZERO", 0, 1<<32, 0, 0, 0)...)
	commands = append(commands, segment("__TEXT", 1<<32, page, 0, page, 5)...)
	count := uint32(3)
	entry := make([]byte, 24)
	le.PutUint32(entry[0:], 0x80000028) // LC_MAIN
	le.PutUint32(entry[4:], 24)
	le.PutUint64(entry[8:], page-16)
	commands = append(commands, entry...)
	if linkedit > 0 {
		commands = append(commands, segment("__LINKEDIT", 1<<32+page, page, page, uint64(linkedit), 1)...)
		sign := make([]byte, 16)
		le.PutUint32(sign[0:], 0x1d) // LC_CODE_SIGNATURE
		le.PutUint32(sign[4:], 16)
		le.PutUint32(sign[8:], page)
		le.PutUint32(sign[12:], uint32(linkedit))
		commands, count = append(commands, sign...), 5
	}
	text := make([]byte, page)
	for i, v := range []uint32{0xfeedfacf, 0x0100000c, 0, 2, count, uint32(len(commands)), 0x00200085} {
		le.PutUint32(text[4*i:], v)
	}
	copy(text[32:], commands)
	copy(text[page-16:], "\x00\x00\x80\x52\xc0\x03\x5f\xd6") // mov w0, #0; ret
	if linkedit == 0 {
		return text
	}
	return append(text, codeSignature(identifier, text)...)
}

// codeSignature is a super blob with one code directory over text.
func codeSignature(identifier string, text []byte) []byte {
	const pageBits = 12
	be := binary.BigEndian
	var hashes []byte
	for at := 0; at < len(text); at += 1 << pageBits {
		sum := sha256.Sum256(text[at : at+1<<pageBits])
		hashes = append(hashes, sum[:]...)
	}
	id := append([]byte(identifier), 0)
	dir := make([]byte, 88)
	be.PutUint32(dir[0:], 0xfade0c02)
	be.PutUint32(dir[8:], 0x20400)
	be.PutUint32(dir[12:], 0x2) // ad-hoc
	be.PutUint32(dir[16:], uint32(len(dir)+len(id)))
	be.PutUint32(dir[20:], uint32(len(dir)))
	be.PutUint32(dir[28:], uint32(len(hashes)/32))
	be.PutUint32(dir[32:], uint32(len(text)))
	dir[36], dir[37], dir[39] = 32, 2, pageBits // SHA-256
	be.PutUint64(dir[72:], uint64(len(text)))
	be.PutUint64(dir[80:], 1) // the main program
	dir = append(append(dir, id...), hashes...)
	be.PutUint32(dir[4:], uint32(len(dir)))
	blob := make([]byte, 20)
	be.PutUint32(blob[0:], 0xfade0cc0)
	be.PutUint32(blob[4:], uint32(len(blob)+len(dir)))
	be.PutUint32(blob[8:], 1)
	be.PutUint32(blob[16:], uint32(len(blob)))
	return append(blob, dir...)
}
