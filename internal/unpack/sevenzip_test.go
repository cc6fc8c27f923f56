package unpack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
)

// What 7z and sha256sum say of testdata/7z.
const sevenMembers = `
sub/nothing 0 e3b0c44298fc1c14
Zöom Setup.exe 16 40ac080ac68a0b68
sub/link 13 e28b700f2449d902
sub/numbers.txt 13893 2e57c67a8bbe706a
three.txt 6 5eef8098ed6ec0a1`

func TestSevenOfRealTools(t *testing.T) {
	for _, name := range []string{"plain.7z", "locked.7z", "hidden.7z", "ppmd.7z", "bcj2.7z", "copylocked.7z", "behind.exe"} {
		t.Run(name, func(t *testing.T) {
			data := winRead(t, "7z/"+name)
			seen, err := winWalk(walk7z, data, winOptions(len(data), "wrong", "secret"))
			if err != nil {
				t.Fatal(err)
			}
			winExpect(t, seen, sevenMembers)
			for _, s := range seen {
				want := ""
				if name != "plain.7z" && s.size > 0 && strings.Contains("locked.7z hidden.7z copylocked.7z", name) {
					want = "secret"
				}
				if s.password != want {
					t.Errorf("%s was opened by %q, want %q", s.name, s.password, want)
				}
			}
		})
	}
}

func TestSevenLocked(t *testing.T) {
	data := winRead(t, "7z/locked.7z")
	seen, err := winWalk(walk7z, data, winOptions(len(data), "wrong"))
	if err != nil {
		t.Fatal(err)
	}
	winExpect(t, seen, `
sub/nothing 0 e3b0c44298fc1c14
Zöom Setup.exe 16 locked
sub/link 13 locked
sub/numbers.txt 13893 locked
three.txt 6 locked`)

	data = winRead(t, "7z/hidden.7z")
	if _, err := winWalk(walk7z, data, winOptions(len(data), "wrong")); !errors.Is(err, ErrLocked) {
		t.Errorf("a locked list gives %v", err)
	}
}

// A member that nobody opens costs nothing; the next one is still found.
func TestSevenSkips(t *testing.T) {
	data := winRead(t, "7z/plain.7z")
	opt := winOptions(len(data))
	opt.Budget.Bytes = 20 << 10
	found := false
	err := walk7z(data, opt, func(m Member) error {
		if m.Name != "three.txt" {
			return nil
		}
		found = true
		r, err := m.Open()
		if err != nil {
			return err
		}
		var b bytes.Buffer
		_, err = b.ReadFrom(r)
		if b.String() != "third\n" {
			t.Errorf("content %q", b.String())
		}
		return err
	})
	if err != nil || !found {
		t.Errorf("found %v, error %v", found, err)
	}
}

// make7z makes a 7z archive of one stored stream with a list of its own.
func make7z(packed, list []byte) []byte {
	b := make([]byte, sevenStart)
	copy(b, sevenMagic)
	binary.LittleEndian.PutUint64(b[12:], uint64(len(packed)))
	binary.LittleEndian.PutUint64(b[20:], uint64(len(list)))
	binary.LittleEndian.PutUint32(b[28:], crc32.ChecksumIEEE(list))
	binary.LittleEndian.PutUint32(b[8:], crc32.ChecksumIEEE(b[12:]))
	return append(append(b, packed...), list...)
}

// sevenListOf is a list of one file in one stream of 4 packed bytes.
func sevenListOf(coder, size string) []byte {
	return []byte("\x01\x04\x06\x00\x01\x09\x04\x00\x07\x0B\x01\x00\x01" + coder + "\x0C" + size + "\x00\x00" +
		"\x05\x01\x11\x05\x00x\x00\x00\x00\x00\x00")
}

func TestSevenHostile(t *testing.T) {
	huge := "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"
	gib := "\xF0\x00\x00\x00\x40" // 1 GiB
	for _, c := range []struct {
		name  string
		list  []byte
		limit bool
	}{
		{"dictionary of 1 GiB", sevenListOf("\x23\x03\x01\x01\x05\x5D\x00\x00\x00\x40", gib), true},
		{"PPMd of 1 GiB", sevenListOf("\x23\x03\x04\x01\x05\x06\x00\x00\x00\x40", gib), true},
		{"delta of 256", sevenListOf("\x21\x03\x01\xFF", "\x04"), false},
		{"2^63 bytes", sevenListOf("\x01\x00", huge), false},
		{"a million folders", []byte("\x01\x04\x07\x0B\xE0\x00\x00\x10\x00\x00\x00\x00\x00"), false},
		{"2^60 files", []byte("\x01\x05\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x0F\x00\x00\x00\x00"), true},
		{"a coder that feeds itself", []byte("\x01\x04\x06\x00\x01\x09\x04\x00\x07\x0B\x01\x00\x02\x01\x00\x01\x00\x00\x00\x0C\x04\x04\x00\x00\x05\x01\x11\x05\x00x\x00\x00\x00\x00\x00"), false},
		{"a list packed in itself", []byte("\x17\x06\x00\x01\x09\x04\x00\x07\x0B\x01\x00\x01\x01\x00\x0C\x04\x00\x00"), false},
	} {
		data := make7z([]byte("abcd"), c.list)
		seen, err := winWalk(walk7z, data, winOptions(len(data)))
		if len(seen) == 1 && err == nil {
			err = seen[0].err
		}
		if err == nil || limited(err) != c.limit {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	data := make7z([]byte("abcd"), sevenListOf("\x01\x00", "\x04"))
	seen, err := winWalk(walk7z, data, winOptions(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	winExpect(t, seen, fmt.Sprintf("x 4 %s", winSum("abcd")[:16]))
}

func TestSevenDamaged(t *testing.T) {
	winHostile(t, walk7z, winRead(t, "7z/bcj2.7z"))
}

func FuzzSeven(f *testing.F) {
	seeds := [][]byte{winRead(f, "7z/bcj2.7z"), make7z([]byte("abcd"), sevenListOf("\x01\x00", "\x04"))}
	// Without the checksums, which a fuzzer cannot make, the list is reached.
	winFuzz(f, func(data []byte, opt Options, visit Visit) error {
		if len(data) < sevenStart {
			return walk7z(data, opt, visit)
		}
		n := int(binary.LittleEndian.Uint16(data[12:])) % (len(data) - sevenStart + 1)
		return walk7z(make7z(data[sevenStart:][:n], data[sevenStart+n:]), opt, visit)
	}, seeds...)
}
