package unpack

import (
	"bytes"
	"compress/bzip2"
	"encoding/base64"
	"encoding/binary"
	"errors"
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
	// Behind the volume the tool has left a rest of another file system.
	if last := all[len(all)-1]; len(all) != 13 || last.role != RoleStream {
		t.Errorf("%d members, the last %+v", len(all), last)
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
			if len(all) != 13 {
				t.Errorf("%d members", len(all))
			}
			checkVolume(t, all)
			if dir := os.Getenv("MEETGUARD_WRITE_DMG"); dir != "" {
				os.WriteFile(dir+"/"+name+".dmg", data, 0o600)
			}
		})
	}
}

// The sample itself is what the command bzip2 made.
func TestUDIFBzip2(t *testing.T) {
	packed, err := os.ReadFile("testdata/dmg/hfsplus.img.bz2")
	if err != nil {
		t.Fatal(err)
	}
	data := makeUDIF(readPacked(t, "hfsplus.img.bz2"), 1<<20, udifCodec{runBzip2, func([]byte) []byte { return packed }})
	all, err := walkDMGBytes(data, kitBudget(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	checkVolume(t, all)
}

func TestDMGEncrypted(t *testing.T) {
	for _, data := range []string{"encrcdsa\x00\x00\x00\x02" + noise(1000), noise(1000) + "cdsaencr"} {
		if _, err := walkDMGBytes([]byte(data), kitBudget(len(data))); !errors.Is(err, ErrLocked) {
			t.Errorf("error %v", err)
		}
	}
}

// A file system that no reader knows is one stream.
func TestDMGUnknownFileSystem(t *testing.T) {
	raw := []byte(noise(128 << 10))
	for name, data := range map[string][]byte{"plain": raw, "zlib": makeUDIF(raw, 64<<10, udifCodecs["zlib"])} {
		all, err := walkDMGBytes(data, kitBudget(len(data)))
		if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "searched as one stream") {
			t.Errorf("%s: error %v", name, err)
		}
		if len(all) != 1 || all[0].role != RoleStream || all[0].sum != kitSum(string(raw)) {
			t.Errorf("%s: %+v", name, all)
		}
	}
}

// A volume without a map, one in a GUID partition table, one in a master boot
// record, one of two tables of an image, and one in a wrapper of HFS.
func TestDMGPartitions(t *testing.T) {
	disk := readPacked(t, "hfsplus.img.bz2")
	volume := disk[128*sectorSize:][:440<<10]
	lead := make([]byte, 64*sectorSize)
	gpt := bytes.Clone(lead)
	copy(gpt[sectorSize:], "EFI PART")
	copy(gpt[sectorSize+72:], joinLE(uint64(2), uint32(4), uint32(128)))
	copy(gpt[2*sectorSize+128+32:], joinLE(uint64(64), uint64(64+len(volume)/sectorSize-1)))
	mbr := bytes.Clone(lead)
	copy(mbr[446:], joinLE(uint32(0), byte(0xaf), byte(0), uint16(0), uint32(64), uint32(len(volume)/sectorSize)))
	mbr[510], mbr[511] = 0x55, 0xaa
	wrapper := bytes.Clone(lead)
	copy(wrapper[1024:], "BD")
	binary.BigEndian.PutUint32(wrapper[1024+20:], 4096)
	binary.BigEndian.PutUint16(wrapper[1024+28:], 56)
	copy(wrapper[1024+124:], "H+\x00\x01")
	binary.BigEndian.PutUint16(wrapper[1024+128:], uint16(len(volume)/4096))
	for name, data := range map[string][]byte{
		"none": volume, "gpt": append(gpt, volume...), "mbr": append(mbr, volume...), "wrapper": append(wrapper, volume...),
	} {
		t.Run(name, func(t *testing.T) {
			for _, image := range [][]byte{data, makeUDIF(data, 64<<10, udifCodecs["zlib"])} {
				if name == "wrapper" && !bytes.HasSuffix(image[:len(image)-500], []byte("koly")) {
					image = makeUDIF(data, 1<<20, udifCodecs["stored"])
				}
				all, err := walkDMGBytes(image, kitBudget(len(image)))
				if err != nil || len(all) != 12 {
					t.Fatalf("%d members, %v", len(all), err)
				}
				checkVolume(t, all)
			}
		})
	}
}

func TestUDIFHostile(t *testing.T) {
	raw := readPacked(t, "hfsplus.img.bz2")
	good := makeUDIF(raw, 64<<10, udifCodecs["zlib"])
	for name, change := range map[string]func(koly []byte){
		"list outside": func(koly []byte) { binary.BigEndian.PutUint64(koly[216:], 1<<63) },
		"list endless": func(koly []byte) { binary.BigEndian.PutUint64(koly[224:], 1<<63) },
		"no list":      func(koly []byte) { binary.BigEndian.PutUint64(koly[224:], 0) },
		"data outside": func(koly []byte) { binary.BigEndian.PutUint64(koly[24:], 1<<62) },
	} {
		data := bytes.Clone(good)
		change(data[len(data)-sectorSize:])
		if _, err := walkDMGBytes(data, kitBudget(len(data))); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	run := func(kind uint32, start, count, off, size uint64) []byte {
		mish := append([]byte("mish"), make([]byte, mishHead-4)...)
		binary.BigEndian.PutUint32(mish[200:], 1)
		var out bytes.Buffer
		binary.Write(&out, binary.BigEndian, []uint32{kind, 0})
		binary.Write(&out, binary.BigEndian, []uint64{start, count, off, size})
		return append(mish, out.Bytes()...)
	}
	for name, table := range map[string][]byte{
		"block outside":  run(runZlib, 0, 1000, 1<<63, 1<<63),
		"endless block":  run(runZlib, 0, 1<<63, 0, 100),
		"endless stored": run(runStored, 0, 1<<63, 0, 100),
		"endless zeros":  run(runStored, 1<<63, 1<<63, 0, 100),
		"unknown kind":   run(7, 0, 1000, 0, 100),
	} {
		data := finishUDIF(make([]byte, 1000), 512000, table)
		budget := kitBudget(len(data))
		budget.Bytes = 1 << 20
		walkDMGBytes(data, budget)
		if budget.Bytes < -(1 << 20) {
			t.Errorf("%s: %d bytes over the budget", name, -budget.Bytes)
		}
	}
}

// An image of little but zeros unpacks to no more than the budget.
func TestUDIFBomb(t *testing.T) {
	raw := append(make([]byte, 32<<20), "x"...)
	data := makeUDIF(append(raw, make([]byte, 511)...), 1<<20, udifCodecs["zlib"])
	budget := kitBudget(len(data))
	budget.Ratio = 100
	all, err := walkDMGBytes(data, budget)
	var limit *LimitError
	if !errors.As(err, &limit) && (len(all) != 1 || !errors.As(all[0].err, &limit)) {
		t.Errorf("%+v, %v", all, err)
	}
}

// Changes of the parts that readers follow: no panic, no endless walk.
func TestDMGDamaged(t *testing.T) {
	k := newAPFSKit()
	k.addFiles(sampleFiles()[2:6])
	addCompressed(k, "some text")
	for name, data := range map[string][]byte{
		"hfs": readPacked(t, "hfsplus.img.bz2"), "apfs": k.finish("Volume", apfsUnencrypted),
		"udif": makeUDIF(readPacked(t, "hfsplus.img.bz2"), 1<<20, udifCodecs["zlib"]),
	} {
		for i := 0; i < len(data); i += 7 {
			if data[i] == 0 && i%331 != 0 || data[i] == 'A' {
				continue
			}
			old := data[i]
			data[i] ^= 0xff
			budget := kitBudget(len(data))
			budget.Bytes = 8 << 20
			walkDMGBytes(data, budget)
			if budget.Bytes < -(1 << 20) {
				t.Errorf("%s, byte %d: %d bytes over the budget", name, i, -budget.Bytes)
			}
			data[i] = old
		}
		for n := 0; n < len(data); n += 1 + len(data)/100 {
			walkDMGBytes(data[:n], kitBudget(n))
		}
	}
}

func FuzzDMG(f *testing.F) {
	k := newAPFSKit()
	k.addFiles(sampleFiles()[2:6])
	addCompressed(k, "some text")
	apfs := k.finish("Volume", apfsUnencrypted)
	hfs := readPacked(f, "hfsplus.img.bz2")
	f.Add(bytes.Clone(apfs))
	f.Add(hfs)
	f.Add(makeHFSSample())
	for _, codec := range udifCodecs {
		f.Add(makeUDIF(hfs, 256<<10, codec))
		f.Add(makeUDIF(apfs, 256<<10, codec))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		budget := kitBudget(len(data))
		budget.Bytes, budget.Entries = 4<<20, 1000
		walkDMGBytes(data, budget)
		if budget.Bytes < -(17 << 20) {
			t.Errorf("%d bytes over the budget", -budget.Bytes)
		}
	})
}
