package unpack

import (
	"bytes"
	"compress/bzip2"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

func walkDMGBytes(data []byte, budget *Budget) ([]kitSeen, error) {
	return kitWalk(data, budget, func(opt Options, visit Visit) error { return walkDMG(data, opt, visit) })
}

// readPacked reads a sample that is kept compressed.
func readPacked(t testing.TB, name string) []byte {
	t.Helper()
	packed, err := os.ReadFile("testdata/dmg/" + name)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(bzip2.NewReader(bytes.NewReader(packed)))
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// checkVolume demands the files of the sample volumes.
func checkVolume(t *testing.T, all []kitSeen) {
	t.Helper()
	const in = "Zoom Installer/"
	kitCheck(t, all, in+"Zoom.app/Contents/MacOS/zoom", "", "not a program\n")
	kitCheck(t, all, in+".background/a.png", "", strings.Repeat("A", 200000))
	kitCheck(t, all, in+"Applications", RoleLink, "/Applications")
	kitCheck(t, all, in+".DS_Store", "", "store")
	kitCheck(t, all, in+"empty", "", "")
	kitCheck(t, all, in+"Zoom.app/Contents", RoleFolder, "")
	kitCheck(t, all, "Zoom Installer", RoleFolder, "")
}

func TestHFSOfRealTool(t *testing.T) {
	data := readPacked(t, "hfsplus.img.bz2")
	all, err := walkDMGBytes(data, kitBudget(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 12 {
		t.Errorf("%d members", len(all))
	}
	checkVolume(t, all)
}

// udifCodec packs a block.
type udifCodec struct {
	kind uint32
	pack func([]byte) []byte
}

var udifCodecs = map[string]udifCodec{
	"stored": {runStored, func(b []byte) []byte { return b }},
	"adc":    {runADC, packADC},
	"zlib":   {runZlib, packZlib},
	"xz":     {runXZ, packXZ},
	"lzfse":  {runLZFSE, func(b []byte) []byte { return packLZFSE(lzfseV2, b) }},
	"lzvn":   {runLZFSE, func(b []byte) []byte { return packLZFSE(lzfseLZVN, b) }},
	"v1":     {runLZFSE, func(b []byte) []byte { return packLZFSE(lzfseV1, b) }},
}

// makeUDIF packs the bytes of a disk into an image with one table. Blocks of
// zeros are left out.
func makeUDIF(raw []byte, block int, codec udifCodec) []byte {
	var out, runs bytes.Buffer
	put := func(kind uint32, start, count, off, packed int) {
		binary.Write(&runs, binary.BigEndian, []uint32{kind, 0})
		binary.Write(&runs, binary.BigEndian, []uint64{uint64(start / sectorSize), uint64(count / sectorSize), uint64(off), uint64(packed)})
	}
	number := 1
	isZero := func(at int) bool { return len(bytes.Trim(raw[at:min(len(raw), at+block)], "\x00")) == 0 }
	for at := 0; at < len(raw); at += block {
		piece := raw[at:min(len(raw), at+block)]
		if isZero(at) {
			first := at
			for at+block < len(raw) && isZero(at+block) {
				at += block
			}
			put(runIgnore, first, min(len(raw), at+block)-first, 0, 0)
		} else {
			packed := codec.pack(piece)
			put(codec.kind, at, len(piece), out.Len(), len(packed))
			out.Write(packed)
		}
		number++
	}
	put(runEnd, len(raw), 0, out.Len(), 0)
	mish := append([]byte("mish"), make([]byte, mishHead-4)...)
	binary.BigEndian.PutUint32(mish[4:], 1)
	binary.BigEndian.PutUint64(mish[16:], uint64(len(raw)/sectorSize))
	binary.BigEndian.PutUint32(mish[32:], uint32(block/sectorSize+8))
	binary.BigEndian.PutUint32(mish[200:], uint32(number))
	return finishUDIF(out.Bytes(), len(raw), append(mish, runs.Bytes()...))
}

// finishUDIF puts list and trailer behind the blocks.
func finishUDIF(blocks []byte, size int, tables ...[]byte) []byte {
	var list strings.Builder
	list.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>resource-fork</key><dict><key>blkx</key><array>`)
	for i, table := range tables {
		fmt.Fprintf(&list, `<dict><key>Attributes</key><string>0x0050</string><key>CFName</key><string>part</string><key>Data</key><data>
%s
</data><key>ID</key><string>%d</string><key>Name</key><string>part</string></dict>`, base64.StdEncoding.EncodeToString(table), i)
	}
	list.WriteString(`</array></dict></dict></plist>`)
	koly := append([]byte("koly\x00\x00\x00\x04\x00\x00\x02\x00\x00\x00\x00\x01"), make([]byte, 496)...)
	put := func(at, n int) { binary.BigEndian.PutUint64(koly[at:], uint64(n)) }
	put(32, len(blocks))
	binary.BigEndian.PutUint32(koly[56:], 1)
	binary.BigEndian.PutUint32(koly[60:], 1)
	put(216, len(blocks))
	put(224, list.Len())
	binary.BigEndian.PutUint32(koly[488:], 1)
	put(492, size/sectorSize)
	return append(append(bytes.Clone(blocks), list.String()...), koly...)
}

// packADC packs greedily, with all three kinds of code.
func packADC(plain []byte) []byte {
	var out, literal []byte
	flush := func() {
		for len(literal) > 0 {
			n := min(len(literal), 128)
			out = append(append(out, byte(0x80|(n-1))), literal[:n]...)
			literal = literal[n:]
		}
	}
	last := map[[4]byte]int{}
	for i := 0; i < len(plain); {
		n, back := 0, 0
		if i+4 <= len(plain) {
			key := [4]byte(plain[i:])
			if at, ok := last[key]; ok && i-at-1 < 1<<16 {
				for n, back = 4, i-at-1; i+n < len(plain) && n < 67 && plain[i+n] == plain[at+n]; n++ {
				}
			}
			last[key] = i
		}
		switch {
		case n == 0:
			literal = append(literal, plain[i])
			n = 1
		case n <= 18 && back < 1<<10:
			flush()
			out = append(out, byte((n-3)<<2|back>>8), byte(back))
		default:
			flush()
			out = append(out, byte(0x40|(n-4)), byte(back>>8), byte(back))
		}
		i += n
	}
	flush()
	return out
}

func TestUDIFCodecs(t *testing.T) {
	raw := readPacked(t, "hfsplus.img.bz2")
	for name, codec := range udifCodecs {
		t.Run(name, func(t *testing.T) {
			data := makeUDIF(raw, 256<<10, codec)
			all, err := walkDMGBytes(data, kitBudget(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			if len(all) != 12 {
				t.Errorf("%d members", len(all))
			}
			checkVolume(t, all)
			if dir := os.Getenv("MEETGUARD_WRITE_DMG"); dir != "" {
				os.WriteFile(dir+"/"+name+".dmg", data, 0o600)
			}
		})
	}
}
