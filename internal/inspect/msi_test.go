package inspect

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/richardlehane/mscfb"

	"meetguard"
)

func TestMSIClaims(t *testing.T) {
	wantClaims(t, meetguard.FormatMSI, readFile(t, "testdata/lure.msi"), []string{
		"MSI Manufacturer: Zoom Communications, Inc. (not)",
		"MSI ProductName: Zoom Workplace",
		"MSI Subject: Zoom Meetings Installer",
	})
}

func TestMSIDamage(t *testing.T) {
	good := readFile(t, "testdata/lure.msi")
	pool := utf16Name("!_StringPool")
	for _, c := range []struct {
		test   string
		data   []byte
		reason string
	}{
		{"cut short", good[:len(good)/2], "broken"},
		{"header alone", good[:512], "broken"},
		{"no header", good[:100], "malformed"},
		{"no string pool", swapped(good, pool, strings.Repeat("x", len(pool))), "missing"},
		{"odd sector size", swapped(good, "\x3e\x00\x03\x00\xfe\xff\x09", "\x3e\x00\x03\x00\xfe\xff\x1f"), "malformed"},
	} {
		t.Run(c.test, func(t *testing.T) {
			_, gaps := Claims(meetguard.FormatMSI, c.data)
			wantGap(t, gaps, c.reason)
		})
	}
}

// TestSummaryAlone: a broken Property table does not hide the summary.
func TestSummaryAlone(t *testing.T) {
	property := utf16Name("!Property")
	data := swapped(readFile(t, "testdata/lure.msi"), property, strings.Repeat("x", len(property)))
	claims, gaps := Claims(meetguard.FormatMSI, data)
	want := []string{"MSI Subject: Zoom Meetings Installer", "MSI Manufacturer: Zoom Communications, Inc. (not)"}
	if got := claimLines(claims); !slices.Equal(got, want) {
		t.Errorf("claims %q, want %q", got, want)
	}
	wantGap(t, gaps, "missing")
}

// TestCompoundStreams holds the reader against another one.
func TestCompoundStreams(t *testing.T) {
	data := readFile(t, "testdata/lure.msi")
	f, err := openCompound(data)
	if err != nil {
		t.Fatal(err)
	}
	mine := map[string][]byte{}
	f.children(func(e entry) bool {
		content, err := f.read(e, 1<<20)
		if err != nil {
			t.Errorf("read %q: %v", msiStreamName(e.name), err)
		}
		mine[msiStreamName(e.name)] = content
		return true
	})
	other, err := mscfb.New(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	streams := 0
	for e, err := other.Next(); err == nil; e, err = other.Next() {
		streams++
		want := make([]byte, e.Size)
		if _, err := io.ReadFull(e, want); err != nil && e.Size > 0 {
			t.Fatal(err)
		}
		name := msiStreamName(utf16Bytes(binary.LittleEndian, e.Name))
		if e.Initial < 0x20 {
			name = string(rune(e.Initial)) + name
		}
		if got, ok := mine[name]; !ok || !bytes.Equal(got, want) {
			t.Errorf("stream %q (known: %t) has %d bytes, want %d", name, ok, len(got), len(want))
		}
	}
	if streams < 10 || streams != len(mine) {
		t.Errorf("%d streams, the other reader finds %d", len(mine), streams)
	}
}

// TestCompoundLarge reads a file whose FAT needs more sectors than the header
// lists, with sectors of both sizes.
func TestCompoundLarge(t *testing.T) {
	content := make([]byte, 8<<20)
	for i := range content {
		content[i] = byte(i / 512 * 7)
	}
	for _, shift := range []uint{9, 12} {
		f, err := openCompound(makeCompound(shift, named("Large", content)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.stream("Large", 16<<20)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("sectors of %d bytes: %d bytes read, error %v", 1<<shift, len(got), err)
		}
		if shift == 9 && len(f.fats) <= firstFATs {
			t.Errorf("only %d FAT sectors: the test tests nothing", len(f.fats))
		}
		if _, err := f.stream("Large", 1<<20); err == nil {
			t.Error("limit of a stream is not kept")
		}
	}
}

// TestCompoundLoops makes chains and trees that never end.
func TestCompoundLoops(t *testing.T) {
	data := makeCompound(9, named("Large", make([]byte, 8192)))
	le := binary.LittleEndian
	f, err := openCompound(data)
	if err != nil {
		t.Fatal(err)
	}
	fat := int(f.fats[0]+1) * 512
	le.PutUint32(data[fat:], 0) // the directory follows itself
	if _, err := openCompound(data); err == nil {
		t.Error("endless directory is read")
	}
	le.PutUint32(data[fat:], endOfChain)
	le.PutUint32(data[512+128+68:], 1) // the first child is its own sibling, twice
	le.PutUint32(data[512+128+72:], 1)
	if f, err = openCompound(data); err != nil {
		t.Fatal(err)
	}
	visits := 0
	f.children(func(entry) bool { visits++; return true })
	if visits > maxDirectory {
		t.Errorf("%d entries visited", visits)
	}
}

func TestStringPool(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	texts := "ProductName" + long + "Zoom"
	p := stringPool{texts: []byte(texts), refSize: 3, lengths: []byte{
		11, 0, 1, 0, // 1
		0, 0, 0, 0, // 2 is unused
		0, 0, 1, 0, 0x70, 0x11, 1, 0, // 3 is long
		4, 0, 2, 0, // 4
		9, 0, 1, 0, // behind the end
	}}
	var got []string
	for id, text := range p.all {
		got = append(got, string(rune('0'+id))+string(text))
	}
	if want := []string{"1ProductName", "2", "3" + long, "4Zoom"}; !slices.Equal(got, want) {
		t.Errorf("%.60q", got)
	}
	values := p.column([]byte{9, 0, 0, 1, 0, 0, 8, 0, 0, 4, 0, 1}, map[int]string{1: "found"})
	if len(values) != 1 || values[0x10004] != "found" {
		t.Errorf("values %v", values)
	}
}

func TestDecodeCodePage(t *testing.T) {
	for _, c := range []struct {
		text string
		page uint32
		want string
	}{
		{"Zoom", 932, "Zoom"},
		{"Zoom\x00 hidden", 1252, "Zoom"},
		{"Z\xee\xeem", 1251, "Z\u043e\u043em"},
		{"Caf\xe9", 0, "Café"},
		{"Caf\xc3\xa9", 1252, "Café"}, // UTF-8 whatever the page says
		{"Zoom \x83\x7e", 932, "Zoom \ufffd~"},
	} {
		if got := decodeCodePage([]byte(c.text), c.page); got != c.want {
			t.Errorf("%q in %d is %q, want %q", c.text, c.page, got, c.want)
		}
	}
}

// utf16Name packs the name of a table as an MSI does.
func utf16Name(name string) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
	units := []uint16{tableMark}
	name = name[1:]
	for ; len(name) >= 2; name = name[2:] {
		low, high := strings.IndexByte(alphabet, name[0]), strings.IndexByte(alphabet, name[1])
		units = append(units, 0x3800+uint16(low)+uint16(high)<<6)
	}
	if name != "" {
		units = append(units, 0x4800+uint16(strings.IndexByte(alphabet, name[0])))
	}
	var b []byte
	for _, unit := range units {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return string(b)
}

// stream is a stream of a compound file, of at least 4096 bytes. Its name is
// UTF-16.
type stream struct {
	name    string
	content []byte
}

func named(name string, content []byte) stream {
	return stream{string(utf16Bytes(binary.LittleEndian, name)), content}
}

// makeCompound writes a compound file: a directory sector of up to four
// entries, the streams, the FAT, and the list of what the header cannot hold
// of it.
func makeCompound(shift uint, streams ...stream) []byte {
	le := binary.LittleEndian
	size := 1 << shift
	perSector := size / 4
	sectors := func(n int) int { return (n + size - 1) / size }
	used := 1
	for _, s := range streams {
		used += sectors(len(s.content))
	}
	fats, lists := 1, 0
	for fats*perSector < used+fats+lists {
		fats++
		lists = (max(fats, firstFATs) - firstFATs + perSector - 2) / (perSector - 1)
	}
	b := make([]byte, size*(1+used+fats+lists))
	sector := func(n int) []byte { return b[(n+1)*size : (n+2)*size] }

	copy(b, cfbMagic)
	le.PutUint16(b[26:], map[uint]uint16{9: 3, 12: 4}[shift])
	le.PutUint16(b[30:], uint16(shift))
	le.PutUint16(b[32:], 6)
	le.PutUint32(b[44:], uint32(fats))
	le.PutUint32(b[60:], endOfChain)
	le.PutUint32(b[68:], uint32(used+fats))
	for i := range fats {
		if i < firstFATs {
			le.PutUint32(b[76+4*i:], uint32(used+i))
			continue
		}
		rest := i - firstFATs
		list := used + fats + rest/(perSector-1)
		le.PutUint32(sector(list)[4*(rest%(perSector-1)):], uint32(used+i))
		le.PutUint32(sector(list)[size-4:], uint32(list+1))
	}
	link := func(n int, to uint32) { le.PutUint32(sector(used + n/perSector)[4*(n%perSector):], to) }
	putEntry := func(i int, name string, kind byte, right, child, start uint32, length int) {
		e := sector(0)[128*i:]
		n := copy(e, name)
		le.PutUint16(e[64:], uint16(n+2))
		e[66] = kind
		le.PutUint32(e[68:], noEntry)
		le.PutUint32(e[72:], right)
		le.PutUint32(e[76:], child)
		le.PutUint32(e[116:], start)
		le.PutUint64(e[120:], uint64(length))
	}
	link(0, endOfChain)
	putEntry(0, string(utf16Bytes(le, "Root Entry")), 5, noEntry, 1, endOfChain, 0)
	start := 1
	for i, s := range streams {
		right := uint32(i + 2)
		if i == len(streams)-1 {
			right = noEntry
		}
		putEntry(i+1, s.name, 2, right, noEntry, uint32(start), len(s.content))
		copy(b[(start+1)*size:], s.content)
		last := start + sectors(len(s.content)) - 1
		for n := start; n < last; n++ {
			link(n, uint32(n+1))
		}
		link(last, endOfChain)
		start = last + 1
	}
	return b
}
