package specimens

import (
	"bytes"
	"encoding/binary"
)

const cabBlock = 32768 // bytes of one block, unpacked

// cabOf makes a cabinet with one folder, stored or with MSZIP ([MS-CAB],
// [MS-MCI]). Checksums are left out, as the format allows.
func cabOf(list []entry, compress bool) []byte {
	le := binary.LittleEndian
	var plain, files []byte
	for _, e := range list {
		files = le.AppendUint32(files, uint32(len(e.data)))
		files = le.AppendUint32(files, uint32(len(plain)))
		files = append(files, 0, 0, 0x21, 0x5c, 0, 0) // folder 0, 1 January 2026
		files = le.AppendUint16(files, 0x80|0x20)     // name in UTF-8, archive
		files = append(append(files, bytes.ReplaceAll([]byte(e.name), []byte("/"), []byte(`\`))...), 0)
		plain = append(plain, e.data...)
	}
	blocks, n := cabBlocks(plain, compress)
	var h []byte
	h = append(h, "MSCF\x00\x00\x00\x00"...)
	h = le.AppendUint32(h, uint32(36+8+len(files)+len(blocks)))
	h = le.AppendUint32(h, 0)
	h = le.AppendUint32(h, 36+8) // where the files are listed
	h = append(h, 0, 0, 0, 0, 3, 1)
	h = le.AppendUint16(h, 1)
	h = le.AppendUint16(h, uint16(len(list)))
	h = append(h, 0, 0, 0, 0, 0, 0) // no flags, set 0, cabinet 0
	h = le.AppendUint32(h, uint32(36+8+len(files)))
	h = le.AppendUint16(h, uint16(n))
	method := uint16(0)
	if compress {
		method = 1
	}
	h = le.AppendUint16(h, method)
	return append(append(h, files...), blocks...)
}

func cabBlocks(plain []byte, compress bool) (out []byte, n int) {
	le := binary.LittleEndian
	for at := 0; at < len(plain); at += cabBlock {
		block := plain[at:min(at+cabBlock, len(plain))]
		data := block
		if compress {
			data = append([]byte("CK"), deflated(block)...) // what came before is not used
		}
		out = le.AppendUint32(out, 0)
		out = le.AppendUint16(out, uint16(len(data)))
		out = append(le.AppendUint16(out, uint16(len(block))), data...)
		n++
	}
	return out, n
}
