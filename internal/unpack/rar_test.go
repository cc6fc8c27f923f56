package unpack

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
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

// rarLock is the encryption of RAR 5: AES-256-CBC, with a key and a check value
// made of the password by PBKDF2.
type rarLock struct{ key, salt, check []byte }

const rarRounds = 4 // 2^4

func newRarLock(password string) rarLock {
	salt := []byte("sixteen of salt!")
	derive := func(more int) []byte {
		k, _ := pbkdf2.Key(sha256.New, password, salt, 1<<rarRounds+more, 32)
		return k
	}
	check := make([]byte, 8)
	for i, x := range derive(32) {
		check[i%8] ^= x
	}
	sum := sha256.Sum256(check)
	return rarLock{derive(0), salt, append(check, sum[:4]...)}
}

func (l rarLock) encrypt(plain []byte) []byte {
	block, _ := aes.NewCipher(l.key)
	out := append([]byte(nil), plain...)
	out = append(out, make([]byte, -len(out)&15)...)
	cipher.NewCBCEncrypter(block, make([]byte, 16)).CryptBlocks(out, out)
	return out
}

// makeRar5Locked stores files encrypted; with hidden, the list as well.
func makeRar5Locked(files []winFile, password string, hidden bool) []byte {
	l := newRarLock(password)
	number := binary.AppendUvarint
	block := func(head []byte) []byte {
		b := append(number(nil, uint64(len(head))), head...)
		return append(binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(b)), b...)
	}
	list := block
	out := []byte(rar5Magic)
	if hidden {
		out = append(out, block(append(append([]byte{4, 0, 0, 1, rarRounds}, l.salt...), l.check...))...)
		list = func(head []byte) []byte { return append(make([]byte, 16), l.encrypt(block(head))...) }
	}
	out = append(out, list([]byte{rar5Main, 0, 0})...)
	for _, f := range files {
		packed, extra := []byte(f.content), []byte(nil)
		if f.content != "" {
			packed = l.encrypt(packed)
			record := append(append([]byte{1, 0, 1, rarRounds}, l.salt...), make([]byte, 16)...)
			record = append(record, l.check...)
			extra = append(number(nil, uint64(len(record))), record...)
		}
		h := number([]byte{2, 3}, uint64(len(extra)))
		h = number(h, uint64(len(packed)))
		h = number(append(h, 4), uint64(len(f.content)))
		h = number(h, 0o100644)
		h = binary.LittleEndian.AppendUint32(h, crc32.ChecksumIEEE([]byte(f.content)))
		h = number(append(h, 0, 1), uint64(len(f.name)))
		h = append(append(h, f.name...), extra...)
		out = append(append(out, list(h)...), packed...)
	}
	return append(out, list([]byte{5, 0, 0})...)
}

func TestRarLocked(t *testing.T) {
	for _, hidden := range []bool{false, true} {
		data := makeRar5Locked(rarFiles, "secret", hidden)
		winKeep(t, map[bool]string{false: "locked.rar", true: "hidden.rar"}[hidden], data)
		seen, err := winWalk(walkRar, data, winOptions(len(data), "wrong", "secret"))
		if err != nil || len(seen) != len(rarFiles) {
			t.Fatalf("hidden %v: %+v, %v", hidden, seen, err)
		}
		for i, f := range rarFiles {
			if s := seen[i]; s.err != nil || s.locked || s.name != f.name || s.sum != winSum(f.content) || (s.password == "secret") != (f.content != "") {
				t.Errorf("hidden %v: %s: %+v", hidden, f.name, s)
			}
		}
		seen, err = winWalk(walkRar, data, winOptions(len(data), "wrong"))
		if hidden {
			if !errors.Is(err, ErrLocked) {
				t.Errorf("a locked list gives %v", err)
			}
			continue
		}
		if err != nil || len(seen) != len(rarFiles) || !seen[0].locked || !errors.Is(seen[0].err, ErrLocked) || seen[3].locked {
			t.Errorf("without the password: %+v, %v", seen, err)
		}
	}
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
			winKeep(t, name+".rar", data)
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
	winFuzz(f, walkRar, makeRar5Locked(rarFiles[:1], "secret", true),
		makeRar4(rarFiles[:1], 0), makeRar5(rarFiles[:1], rar5Solid))
}
