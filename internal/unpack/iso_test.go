package unpack

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"testing"
)

// winUnzip reads an image of the test data, which is stored compressed because
// images are mostly zeros.
func winUnzip(t testing.TB, name string) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(winRead(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What 7z and isoinfo say of testdata/iso.
var isoMembers = map[string]string{
	"plain": `
SUB/NOTHING 0 e3b0c44298fc1c14
SUB/NUMBERS.TXT 13893 2e57c67a8bbe706a
THREE.TXT 6 5eef8098ed6ec0a1
Z__OM_SE.EXE 16 40ac080ac68a0b68`,
	"udf": `
Zöom Setup.exe 16 40ac080ac68a0b68
sub/nothing 0 e3b0c44298fc1c14
sub/numbers.txt 13893 2e57c67a8bbe706a
three.txt 6 5eef8098ed6ec0a1`,
	"xorriso": `
Zöom Setup.exe 16 40ac080ac68a0b68
sub/nothing 0 e3b0c44298fc1c14
sub/numbers.txt 13893 2e57c67a8bbe706a
three.txt 6 5eef8098ed6ec0a1
sub/link 13 e28b700f2449d902`,
	// numbers.txt is in Joliet only, three.txt in Rock Ridge only.
	"bridge": `
Zöom Setup.exe 16 40ac080ac68a0b68
sub/link 0 e3b0c44298fc1c14
sub/nothing 0 e3b0c44298fc1c14
sub/numbers.txt 13893 2e57c67a8bbe706a
sub/link 13 e28b700f2449d902
three.txt 6 5eef8098ed6ec0a1`,
}

func TestISOOfRealTools(t *testing.T) {
	for name, want := range isoMembers {
		t.Run(name, func(t *testing.T) {
			data := winUnzip(t, "iso/"+name+".iso.gz")
			seen, err := winWalk(walkISO, data, winOptions(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			winExpect(t, seen, want)
		})
	}
}

// isoImage makes an image of one ISO 9660 view with the records in its root.
func isoImage(records ...[]byte) []byte {
	const root = 18
	b := make([]byte, 24*isoSector)
	v := b[isoFirst*isoSector:]
	copy(v, "\x01CD001\x01")
	binary.LittleEndian.PutUint16(v[128:], isoSector)
	copy(v[156:], isoRecordOf("\x00", root, isoSector, isoFlagFolder))
	copy(b[17*isoSector:], "\xFFCD001\x01")
	at := root * isoSector
	for _, r := range records {
		at += copy(b[at:], r)
	}
	copy(b[20*isoSector:], "hello")
	return b
}

func isoRecordOf(name string, block, size uint32, flags byte, system ...byte) []byte {
	b := make([]byte, isoRecordSize+len(name))
	binary.LittleEndian.PutUint32(b[2:], block)
	binary.LittleEndian.PutUint32(b[10:], size)
	b[25], b[32] = flags, byte(len(name))
	copy(b[33:], name)
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	b = append(b, system...)
	b[0] = byte(len(b))
	return b
}

func TestISOHostile(t *testing.T) {
	many := make([][]byte, 0, 50)
	for i := range 50 {
		many = append(many, isoRecordOf(string(rune('a'+i%26)), uint32(100+i), 0, 0))
	}
	for _, c := range []struct {
		name    string
		records [][]byte
		names   int
		check   func(seen []winSeen, err error) bool
	}{
		{"a folder in itself", [][]byte{isoRecordOf("LOOP", 18, isoSector, isoFlagFolder)}, 1, func(_ []winSeen, err error) bool { return err == nil }},
		{"a file of 4 GiB", [][]byte{isoRecordOf("BIG", 20, 0xFFFFFFFF, 0)}, 1,
			func(s []winSeen, err error) bool { return err == nil && errors.Is(s[0].err, errCutShort) }},
		{"a folder behind the end", [][]byte{isoRecordOf("GONE", 5000, isoSector, isoFlagFolder), isoRecordOf("HERE", 20, 5, 0)}, 2,
			func(s []winSeen, err error) bool { return err != nil && s[1].sum == winSum("hello") }},
		{"a file in two parts", [][]byte{isoRecordOf("TWO.;1", 20, 2, isoFlagMore), isoRecordOf("TWO.;1", 20, 3, 0)}, 1,
			func(s []winSeen, err error) bool {
				return err == nil && s[0].name == "TWO" && s[0].sum == winSum("hehel")
			}},
		{"an endless continuation", [][]byte{
			isoRecordOf("\x00", 18, isoSector, isoFlagFolder, 'S', 'P', 7, 1, 0xBE, 0xEF, 0),
			isoRecordOf("X", 20, 5, 0, append([]byte("CE\x1C\x01\x12\x00\x00\x00\x00\x00\x00\x12\x50\x00\x00\x00\x00\x00\x00\x50"), make([]byte, 8)...)...)}, 1,
			func(s []winSeen, err error) bool { return err == nil && s[0].sum == winSum("hello") }},
	} {
		data := isoImage(c.records...)
		seen, err := winWalk(walkISO, data, winOptions(len(data)))
		if len(seen) != c.names || !c.check(seen, err) {
			t.Errorf("%s: %+v, %v", c.name, seen, err)
		}
	}
	opt := winOptions(1)
	opt.Budget.Entries = 10
	if seen, err := winWalk(walkISO, isoImage(many...), opt); len(seen) != 10 || !limited(err) {
		t.Errorf("the limit of entries: %d entries, %v", len(seen), err)
	}
}

// The first error of Visit ends the walk of all views, and comes back as it is.
func TestISOVisitStops(t *testing.T) {
	data := winUnzip(t, "iso/bridge.iso.gz")
	stop := errors.New("enough")
	n := 0
	err := walkISO(data, winOptions(len(data)), func(Member) error { n++; return stop })
	if err != stop || n != 1 {
		t.Errorf("%d members, error %v", n, err)
	}
}

func TestISODamaged(t *testing.T) {
	for _, name := range []string{"bridge", "udf"} {
		data := winUnzip(t, "iso/"+name+".iso.gz")
		opt := func() Options {
			o := winOptions(len(data))
			o.Budget.Bytes, o.Budget.Entries = 1<<20, 100
			return o
		}
		for n := 0; n < len(data); n += len(data) / 100 {
			winWalk(walkISO, data[:n], opt())
		}
		tried := 0
		for i, x := range data {
			if x == 0 { // the empty parts of sectors
				continue
			}
			if tried++; tried%23 == 0 {
				data[i] ^= 0xFF
				winWalk(walkISO, data, opt())
				data[i] = x
			}
		}
	}
}

func FuzzISO(f *testing.F) {
	// The fuzzer changes the descriptors and folders, and not the empty sectors
	// before them.
	pad := make([]byte, isoFirst*isoSector)
	walk := func(data []byte, opt Options, visit Visit) error {
		return walkISO(append(pad[:len(pad):len(pad)], data...), opt, visit)
	}
	winFuzz(f, walk,
		isoImage(isoRecordOf("A", 20, 5, 0), isoRecordOf("B", 18, isoSector, isoFlagFolder))[len(pad):],
		winUnzip(f, "iso/xorriso.iso.gz")[len(pad):])
}

func FuzzUDF(f *testing.F) {
	data := winUnzip(f, "iso/udf.iso.gz")
	const from = 257 * isoSector
	winFuzz(f, func(b []byte, opt Options, visit Visit) error {
		return walkISO(append(data[:from:from], b...), opt, visit)
	}, data[from:])
}
