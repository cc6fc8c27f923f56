package specimens

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/ulikunitz/xz/lzma"
)

// sevenZip makes a solid 7z archive, stored or with LZMA. The layout is that of
// 7zFormat.txt in the LZMA SDK.
func sevenZip(list []entry, compress bool) []byte {
	var plain []byte
	for _, e := range list {
		plain = append(plain, e.data...)
	}
	packed, coder := plain, []byte{0x01, 0x00} // copy
	if compress {
		var props []byte
		packed, props = lzmaRaw(plain)
		coder = append([]byte{0x23, 0x03, 0x01, 0x01, byte(len(props))}, props...)
	}
	head := sevenHeader(list, len(packed), len(plain), coder)
	out := []byte{'7', 'z', 0xbc, 0xaf, 0x27, 0x1c, 0, 4}
	le := binary.LittleEndian
	var start []byte
	start = le.AppendUint64(start, uint64(len(packed)))
	start = le.AppendUint64(start, uint64(len(head)))
	start = le.AppendUint32(start, crc32.ChecksumIEEE(head))
	out = le.AppendUint32(out, crc32.ChecksumIEEE(start))
	return append(append(append(out, start...), packed...), head...)
}

// lzmaRaw gives the stream and its properties without the header of 13 bytes
// that a file has.
func lzmaRaw(plain []byte) (stream, props []byte) {
	var buf bytes.Buffer
	w := must(lzma.WriterConfig{DictCap: 1 << 16, SizeInHeader: true, Size: int64(len(plain))}.NewWriter(&buf))
	must(w.Write(plain))
	if err := w.Close(); err != nil {
		panic(err)
	}
	return buf.Bytes()[13:], buf.Bytes()[:5]
}

func sevenHeader(list []entry, packed, plain int, coder []byte) []byte {
	h := []byte{0x01, 0x04, 0x06, 0} // header, streams, pack info from 0
	h = sevenNumber(h, 1)
	h = append(h, 0x09)
	h = sevenNumber(h, packed)
	h = append(h, 0x00, 0x07, 0x0b, 1, 0, 1) // one folder, not external, one coder
	h = append(h, coder...)
	h = append(h, 0x0c)
	h = sevenNumber(h, plain)
	h = append(h, 0x00, 0x08, 0x0d)
	h = sevenNumber(h, len(list))
	if len(list) > 1 {
		h = append(h, 0x09)
		for _, e := range list[:len(list)-1] {
			h = sevenNumber(h, len(e.data))
		}
	}
	h = append(h, 0x0a, 1)
	for _, e := range list {
		h = binary.LittleEndian.AppendUint32(h, crc32.ChecksumIEEE(e.data))
	}
	h = append(h, 0x00, 0x00, 0x05)
	h = sevenNumber(h, len(list))
	names := []byte{0}
	for _, e := range list {
		names = append(names, utf16le(e.name+"\x00")...)
	}
	h = append(h, 0x11)
	h = sevenNumber(h, len(names))
	return append(append(h, names...), 0x00, 0x00)
}

// sevenNumber is the format's own integer: the first byte says with its leading
// ones how many bytes follow.
func sevenNumber(b []byte, n int) []byte {
	switch {
	case n < 0x80:
		return append(b, byte(n))
	case n < 0x4000:
		return append(b, 0x80|byte(n>>8), byte(n))
	case n < 0x200000:
		return append(b, 0xc0|byte(n>>16), byte(n), byte(n>>8))
	}
	return binary.LittleEndian.AppendUint32(append(b, 0xf0), uint32(n))
}
