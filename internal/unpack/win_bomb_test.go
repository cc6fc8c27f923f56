package unpack

import (
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
)

// allocated tells how many bytes run allocated in all.
func allocated(run func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestBombEnds(t *testing.T) {
	zeros := strings.Repeat("\x00", 3<<20)
	for name, data := range map[string][]byte{
		"mszip": makeCab([]winFile{{"zeros", zeros}}, cabMSZIP, packMSZIP()),
		"lzx":   makeCab([]winFile{{"zeros", zeros}}, cabLZX|21<<8, packLZX(21, lzxVerbatim, 0)),
	} {
		opt := winOptions(len(data))
		opt.Budget.Free, opt.Budget.Ratio = 1<<20, 10
		seen, err := winWalk(walkCab, data, opt)
		if err != nil || len(seen) != 1 || !limited(seen[0].err) {
			t.Errorf("%s: %+v, %v", name, seen, err)
		}
	}
}

func TestManyEntries(t *testing.T) {
	const n = 100_000
	number := func(v uint64) []byte { return append([]byte{0xFF}, binary.LittleEndian.AppendUint64(nil, v)...) }
	bits := []byte(strings.Repeat("\xFF", n/8))
	list := append([]byte{sevenHeader, sevenFilesInfo}, number(n)...)
	list = append(append(append(list, sevenEmptyStream), number(n/8)...), bits...)
	list = append(append(append(list, sevenEmptyFile), number(n/8)...), bits...)
	names := "\x00" + strings.Repeat("x\x00\x00\x00", n)
	list = append(append(append(list, sevenNames), number(uint64(len(names)))...), names...)
	data := make7z(nil, append(list, sevenEnd, sevenEnd))
	opt := winOptions(len(data))
	opt.Budget.Entries = n
	seen := 0
	used := allocated(func() {
		if err := walk7z(data, opt, func(Member) error { seen++; return nil }); err != nil {
			t.Error(err)
		}
	})
	if seen != n || used > 256<<20 {
		t.Errorf("%d entries took %d bytes", seen, used)
	}
	opt.Budget.Entries = 1000
	if err := walk7z(data, opt, func(Member) error { return nil }); !limited(err) {
		t.Errorf("the limit of entries gives %v", err)
	}
}

// A list that names much and holds nothing allocates nothing.
func TestSevenClaimsAllocateNothing(t *testing.T) {
	for _, list := range []string{
		"\x01\x05\xF0\xFF\xFF\x0F\x00",                     // a million files
		"\x01\x04\x06\x00\xF0\xFF\xFF\x0F\x00",             // packed streams
		"\x01\x04\x07\x0B\xF0\xFF\xFF\x0F\x00",             // folders
		"\x01\x04\x07\x0B\x01\x00\x01\x21\x00\xF0\xFF\xFF", // parameters of a coder
	} {
		data := make7z(nil, []byte(list))
		if used := allocated(func() { walk7z(data, winOptions(len(data)), func(Member) error { return nil }) }); used > 1<<20 {
			t.Errorf("%q allocates %d bytes", list, used)
		}
	}
}
