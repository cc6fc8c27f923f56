package unpack

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"
)

// decmpfsAttr is the attribute of a compressed file.
func decmpfsAttr(kind uint32, size int, inline []byte) []byte {
	return joinLE(decmpfsMagic, kind, uint64(size), inline)
}

// blocks packs a content in pieces of 64 KiB.
func decmpfsBlocks(plain []byte, pack func([]byte) []byte) [][]byte {
	var all [][]byte
	for len(plain) > 0 {
		n := min(len(plain), decmpfsBlock)
		all, plain = append(all, pack(plain[:n])), plain[n:]
	}
	return all
}

// zlibResource is a resource fork with one resource, as of type 4.
func zlibResource(blocks [][]byte) []byte {
	table := binary.LittleEndian.AppendUint32(nil, uint32(len(blocks)))
	at := 4 + 8*len(blocks)
	for _, b := range blocks {
		table = append(table, joinLE(uint32(at), uint32(len(b)))...)
		at += len(b)
	}
	data := append(table, bytes.Join(blocks, nil)...)
	head := make([]byte, 256)
	for i, n := range []int{256, 256 + 4 + len(data), 4 + len(data), 50} {
		binary.BigEndian.PutUint32(head[4*i:], uint32(n))
	}
	out := append(binary.BigEndian.AppendUint32(head, uint32(len(data))), data...)
	// The map of the resources, which macOS writes as it is here.
	return append(out, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x1c\x00\x32\x00\x00cmpf\x00\x00\x00\x0a\x00\x01\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"...)
}

// offsetResource is a resource fork that begins with offsets.
func offsetResource(blocks [][]byte) []byte {
	at := 4 * (len(blocks) + 1)
	var table []byte
	for _, b := range append(blocks, nil) {
		table = binary.LittleEndian.AppendUint32(table, uint32(at))
		at += len(b)
	}
	return append(table, bytes.Join(blocks, nil)...)
}

func stored(mark byte) func([]byte) []byte {
	return func(b []byte) []byte { return append([]byte{mark}, b...) }
}

func packLZFSEv2(b []byte) []byte { return packLZFSE(lzfseV2, b) }

// addCompressed adds a file of each kind that macOS writes.
func addCompressed(k *apfsKit, long string) {
	text, short := []byte(long), []byte("short text, short text")
	attr := func(kind uint32, inline []byte) []byte { return decmpfsAttr(kind, len(short), inline) }
	k.compressed(2, "zlib inline", attr(3, packZlib(short)), nil)
	k.compressed(2, "stored inline", attr(3, stored(0xff)(short)), nil)
	k.compressed(2, "lzvn inline", attr(7, packLZVN(short)), nil)
	k.compressed(2, "lzvn stored", attr(7, stored(0x06)(short)), nil)
	k.compressed(2, "plain inline", attr(9, stored(0xcc)(short)), nil)
	k.compressed(2, "lzfse inline", attr(11, packLZFSEv2(short)), nil)
	attr = func(kind uint32, _ []byte) []byte { return decmpfsAttr(kind, len(text), nil) }
	k.compressed(2, "zlib", attr(4, nil), zlibResource(decmpfsBlocks(text, packZlib)))
	k.compressed(2, "zlib stored", attr(4, nil), zlibResource(decmpfsBlocks(text, stored(0xff))))
	k.compressed(2, "lzvn", attr(8, nil), offsetResource(decmpfsBlocks(text, packLZVN)))
	k.compressed(2, "plain", attr(10, nil), offsetResource(decmpfsBlocks(text, stored(0xcc))))
	k.compressed(2, "lzfse", attr(12, nil), offsetResource(decmpfsBlocks(text, packLZFSEv2)))
}

func TestCompressedFiles(t *testing.T) {
	long := strings.Repeat("some text that is long;", 9000) + noise(1000)
	k := newAPFSKit()
	addCompressed(k, long)
	data := k.finish("Volume", apfsUnencrypted)
	if dir := os.Getenv("MEETGUARD_WRITE_DMG"); dir != "" {
		os.WriteFile(dir+"/decmpfs.img", data, 0o600)
		os.WriteFile(dir+"/decmpfs.long", []byte(long), 0o600)
	}
	all, err := walkDMGBytes(data, kitBudget(len(data)))
	if err != nil || len(all) != 12 {
		t.Fatalf("%d members, %v", len(all), err)
	}
	for _, s := range all[1:] {
		want := long
		if strings.HasSuffix(s.name, "inline") || s.name == "Volume/lzvn stored" {
			want = "short text, short text"
		}
		kitCheck(t, all, s.name, "", want)
	}
}

// Damage of a compressed file is an error of that file.
func TestCompressedFileDamaged(t *testing.T) {
	for name, f := range map[string]struct{ attr, resource []byte }{
		"no blocks":    {decmpfsAttr(4, 100, nil), nil},
		"short":        {decmpfsAttr(3, 100, packZlib([]byte("short"))), nil},
		"huge":         {decmpfsAttr(8, 1<<40, nil), offsetResource([][]byte{packLZVN(make([]byte, decmpfsBlock))})},
		"long inline":  {decmpfsAttr(3, 1<<20, packZlib(make([]byte, 1<<20))), nil},
		"large block":  {decmpfsAttr(12, 100, nil), joinLE(uint32(8), uint32(0xffffffff))},
		"unknown":      {decmpfsAttr(99, 100, nil), nil},
		"backwards":    {decmpfsAttr(10, 100, nil), joinLE(uint32(100), uint32(8))},
		"far resource": {decmpfsAttr(4, 100, nil), []byte("\xff\xff\xff\xff")},
	} {
		k := newAPFSKit()
		k.compressed(2, "file", f.attr, f.resource)
		data := k.finish("Volume", apfsUnencrypted)
		all, err := walkDMGBytes(data, kitBudget(len(data)))
		if err != nil || len(all) != 2 || all[1].err == nil {
			t.Errorf("%s: %+v, %v", name, all, err)
		}
	}
}
