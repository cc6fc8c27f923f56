package specimens

import (
	"encoding/binary"
	"hash/crc32"
)

// rarOf makes a RAR 5 archive of stored files, after the technical note that
// RARLAB publishes. Nothing is compressed: there is no free encoder.
func rarOf(list []entry) []byte {
	out := []byte("Rar!\x1a\x07\x01\x00")
	out = rarBlock(out, []byte{1, 0, 0}, nil) // main header
	for _, e := range list {
		h := []byte{2, 2}                                    // file header, with data
		h = binary.AppendUvarint(h, uint64(len(e.data)))     // packed
		h = append(h, 4)                                     // CRC is there
		h = binary.AppendUvarint(h, uint64(len(e.data)))     // unpacked
		h = binary.AppendUvarint(h, uint64(0o100000|e.mode)) // attributes of Unix
		h = binary.LittleEndian.AppendUint32(h, crc32.ChecksumIEEE(e.data))
		h = append(h, 0, 1) // stored, Unix
		h = binary.AppendUvarint(h, uint64(len(e.name)))
		out = rarBlock(out, append(h, e.name...), e.data)
	}
	return rarBlock(out, []byte{5, 0, 0}, nil) // end
}

func rarBlock(out, header, data []byte) []byte {
	sized := append(binary.AppendUvarint(nil, uint64(len(header))), header...)
	out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(sized))
	return append(append(out, sized...), data...)
}
