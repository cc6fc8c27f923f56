package unpack

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"strings"
	"testing"
)

// makeRar4 stores files in an archive of RAR 4 (technote.txt): blocks of CRC,
// type, flags, size. A solid one has the flag, although nothing is packed.
func makeRar4(files []winFile, mainFlags uint16) []byte {
	le := binary.LittleEndian
	block := func(kind byte, flags uint16, rest []byte) []byte {
		b := le.AppendUint16([]byte{kind}, flags)
		b = le.AppendUint16(b, uint16(7+len(rest)))
		b = append(b, rest...)
		return append(le.AppendUint16(nil, uint16(crc32.ChecksumIEEE(b))), b...)
	}
	out := append([]byte(rar4Magic), block(0x73, mainFlags, make([]byte, 6))...)
	for _, f := range files {
		r := le.AppendUint32(nil, uint32(len(f.content)))
		r = le.AppendUint32(r, uint32(len(f.content)))
		r = append(r, 3) // Unix
		r = le.AppendUint32(r, crc32.ChecksumIEEE([]byte(f.content)))
		r = append(r, 0, 0, 0x21, 0x58, 29, 0x30) // a date; version 2.9, stored
		r = le.AppendUint16(r, uint16(len(f.name)))
		r = le.AppendUint32(r, 0o100644)
		out = append(out, block(0x74, 0x8000, append(r, f.name...))...)
		out = append(out, f.content...)
	}
	return append(out, block(0x7B, 0x4000, nil)...)
}

// makeRar5 stores files in an archive of RAR 5.
func makeRar5(files []winFile, mainFlags uint64) []byte {
	number := binary.AppendUvarint
	block := func(head []byte) []byte {
		b := append(number(nil, uint64(len(head))), head...)
		return append(binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(b)), b...)
	}
	out := append([]byte(rar5Magic), block(number([]byte{rar5Main, 0}, mainFlags))...)
	for _, f := range files {
		h := number([]byte{2, 2}, uint64(len(f.content))) // a file with data
		h = number(append(h, 4), uint64(len(f.content)))  // with a CRC
		h = number(h, 0o100644)
		h = binary.LittleEndian.AppendUint32(h, crc32.ChecksumIEEE([]byte(f.content)))
		h = number(append(h, 0, 1), uint64(len(f.name))) // stored; Unix
		out = append(append(out, block(append(h, f.name...))...), f.content...)
	}
	return append(out, block([]byte{5, 0, 0})...)
}

var rarFiles = []winFile{{"Zoom Setup.exe", "MZ not a program"}, {"sub/größe.txt", winText(5000)}, {"../../up", "x"}, {"empty", ""}}

func rarKinds() map[string][]byte {
	stub := append([]byte("MZ stub"), make([]byte, 3000)...)
	return map[string][]byte{
		"four":       makeRar4(rarFiles, 0),
		"four-solid": makeRar4(rarFiles, rar4Solid),
		"five":       makeRar5(rarFiles, 0),
		"five-solid": makeRar5(rarFiles, rar5Solid),
		"sfx":        append(stub, makeRar5(rarFiles, 0)...),
	}
}

func TestRarOfKit(t *testing.T) {
	for name, data := range rarKinds() {
		t.Run(name, func(t *testing.T) {
			if dir := os.Getenv("WIN_OUT"); dir != "" {
				os.WriteFile(dir+"/"+name+".rar", data, 0o600)
			}
			seen, err := winWalk(walkRar, data, winOptions(len(data)))
			if err != nil || len(seen) != len(rarFiles) {
				t.Fatalf("%+v, %v", seen, err)
			}
			for i, f := range rarFiles {
				if s := seen[i]; s.err != nil || s.name != f.name || s.size != int64(len(f.content)) || s.sum != winSum(f.content) {
					t.Errorf("%s: %+v", f.name, s)
				}
			}
		})
	}
}

func TestRarHostile(t *testing.T) {
	data := makeRar5(rarFiles, 0)
	i := bytes.Index(data, []byte("MZ not"))
	data[i]++
	seen, err := winWalk(walkRar, data, winOptions(len(data)))
	if err != nil || seen[0].err == nil || seen[1].err != nil {
		t.Errorf("a changed content: %+v, %v", seen, err)
	}
	opt := winOptions(len(data))
	opt.Budget.Entries = 2
	if _, err := winWalk(walkRar, data, opt); !limited(err) {
		t.Errorf("the limit of entries gives %v", err)
	}
	many := makeRar4([]winFile{{"a", strings.Repeat("x", 1<<20)}, {"b", "y"}}, rar4Solid)
	opt = winOptions(len(many))
	opt.Budget.Bytes = 1 << 16
	if err := walkRar(many, opt, func(Member) error { return nil }); !limited(err) {
		t.Errorf("skipping in a solid archive costs nothing: %v", err)
	}
}

func TestRarDamaged(t *testing.T) {
	winHostile(t, walkRar, makeRar4(rarFiles[:1], 0))
	winHostile(t, walkRar, makeRar5(rarFiles[:1], 0))
}

func FuzzRar(f *testing.F) {
	winFuzz(f, walkRar, makeRar4(rarFiles[:1], 0), makeRar5(rarFiles[:1], rar5Solid))
}
