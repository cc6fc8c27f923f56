package hostile

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"
	"sync"

	"meetguard/testdata/specimens"
)

// big is what one member of a bomb unpacks to, in bytes: more than is unpacked
// of a small file, whatever its ratio.
const big = 160 * mib

// program is a file that would be looked at, if it were not so large.
func program(n int) []byte {
	b := make([]byte, n)
	copy(b, specimens.Bare()["exe"])
	return b
}

// packedProgram is one that is large, packed. It is packed once.
var packedProgram = sync.OnceValue(func() []byte { return gzipped(program(big)) })

// bzipZeros is a bzip2 stream of 45,000,000 zero bytes, and of few enough for one block.
const bzipZeros = "425a6839314159265359c901b6c80158ab4020c00010000008200030cc0529a65248526c5492149e2ee48a70a12192036d90"

func (k *kit) bombs() {
	for _, kind := range specimens.Boxes() {
		zeros := k.add(Bomb, "a program of zeros in one "+kind, "zeros."+kind, func() []byte { return specimens.Box(kind, "zeros.exe", program(bombSize(kind))) })
		inner := k.add(Bomb, "gzip of a program in one "+kind, "zeros.gz."+kind, func() []byte { return specimens.Box(kind, "zeros.exe.gz", packedProgram()) })
		zeros.Slow, zeros.Over, inner.Slow, inner.Over = true, opened(kind), true, opened(kind)
	}
	k.over(Bomb, "gzip of 4 GiB", "disk.iso.gz", func() []byte { return zeroGzip(4 << 30) }).Slow = true
	k.add(Bomb, "gzip of many members", "log.tar.gz", func() []byte { return again(string(zeroGzip(mib)), 4000) }).Slow = true
	k.add(Bomb, "gzip of empty members", "empty.tar.gz", func() []byte { return again(string(zeroGzip(0)), 400_000) }).Slow = true
	k.add(Bomb, "bzip2 of 45 GB", "disk.tar.bz2", func() []byte { return bytes.Repeat(unhex(bzipZeros), 1000) }).Slow = true
	k.add(Bomb, "bzip2 in a zip", "disk.zip", func() []byte { return specimens.Box("zip", "disk.tar.bz2", bytes.Repeat(unhex(bzipZeros), 1000)) }).Slow = true
	k.over(Bomb, "zip of files over each other", "overlap.zip", func() []byte { return overlapping(1000, 2*mib) }).Slow = true
	k.over(Bomb, "zip of quoted files", "quoted.zip", func() []byte { return quoted(800, 8*mib) }).Slow = true
	k.over(Bomb, "zip of a thousand programs", "programs.zip", func() []byte { return zipped(1000, 4*mib) }).Slow = true
	k.over(Bomb, "zip of zips of programs", "42.zip", func() []byte { return tree(4, 16, program(4*mib)) }).Slow = true
	k.over(Bomb, "msix of a thousand programs", "app.msix", func() []byte { return zipped(1000, 4*mib) }).Slow = true
	k.over(Bomb, "tar.gz of programs", "programs.tar.gz", func() []byte { return gzipped(tarOf(20, 16*mib)) }).Slow = true
	k.over(Bomb, "zip that holds itself", "r.zip", quine)
	k.over(Bomb, "zip that holds itself in a tar.gz", "r.tar.gz", func() []byte { return specimens.Box("tar.gz", "r/r.zip", quine()) })
	k.over(Bomb, "zip that holds itself in an iso", "r.iso", func() []byte { return specimens.Box("iso", "R.ZIP", quine()) })
	k.over(Bomb, "zip that holds itself in a mail", "r.eml", func() []byte { return specimens.Box("eml", "r.zip", quine()) })
	k.over(Bomb, "zip that holds itself twenty times", "rs.zip", func() []byte { return many(20, quine()) })
	k.add(Bomb, "page with a packed program", "page.html", func() []byte {
		return []byte("<script>const z=`" + strings.Repeat("H4sIAAAAAAAA", 400_000) + "`;new DecompressionStream('gzip')</script>")
	})
	k.add(Bomb, "document with a packed picture", "a.pdf", func() []byte {
		body := deflated(make([]byte, 64*mib))
		return fmt.Appendf(nil, "%%PDF-1.7\n1 0 obj<</Length %d/Filter[/FlateDecode/FlateDecode]>>stream\n%s\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%%%EOF", len(body), body)
	}).Slow = true
	k.add(Bomb, "office document of zeros", "deck.docm", func() []byte { return specimens.Box("zip", "word/vbaProject.bin", make([]byte, big)) }).Slow = true
	k.add(Bomb, "compressed icon of 30,000 by 30,000", "icon.png", func() []byte { return png(30_000, 30_000) })
	k.add(Bomb, "XML that grows by entities", "laughs.plist", laughs)
}

// opened says whether the agent opens files of a kind at all: a file system of
// macOS without its image, or an archive of cpio, holds nothing that a double
// click would run. A program or an installer need not hold anything either.
func opened(kind string) bool {
	switch kind {
	case "hfs", "cpio", "exe", "msi":
		return false
	}
	return true
}

// bombSize is what a container is filled with: images and LZMA take longer to
// make than to read.
func bombSize(kind string) int {
	switch kind {
	case "iso", "hfs", "tar", "cpio", "eml": // as large as what they hold
		return 140 * mib
	}
	return big
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func deflated(data []byte) []byte {
	var buf bytes.Buffer
	w, _ := flate.NewWriter(&buf, 9) // 9 is a level
	w.Write(data)
	w.Close()
	return buf.Bytes()
}

func gzipped(data []byte) []byte {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	w.Write(data)
	w.Close()
	return buf.Bytes()
}

// zeroGzip is a gzip stream of n zero bytes, made piece by piece.
func zeroGzip(n int) []byte {
	var buf bytes.Buffer
	w, _ := gzip.NewWriterLevel(&buf, 1)
	piece := make([]byte, min(n, 8*mib))
	for ; n > 0; n -= len(piece) {
		w.Write(piece[:min(n, len(piece))])
	}
	w.Close()
	return buf.Bytes()
}

// zipped is an archive of n programs of the same content.
func zipped(n, size int) []byte {
	plain := program(size)
	packed := deflated(plain)
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for i := range n {
		f, err := w.CreateRaw(&zip.FileHeader{Name: fmt.Sprintf("%d/setup.exe", i), Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(plain),
			CompressedSize64: uint64(len(packed)), UncompressedSize64: uint64(size)})
		if err != nil {
			panic(err)
		}
		f.Write(packed)
	}
	w.Close()
	return buf.Bytes()
}

// many is an archive with the same archive n times.
func many(n int, data []byte) []byte {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for i := range n {
		f, _ := w.Create(fmt.Sprintf("%d.zip", i))
		f.Write(data)
	}
	w.Close()
	return buf.Bytes()
}

// tree is an archive of width archives of width archives, depth times.
func tree(depth, width int, data []byte) []byte {
	data = specimens.Box("zip", "setup.exe", data)
	for range depth - 1 {
		data = many(width, data)
	}
	return data
}

func tarOf(n, size int) []byte {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	data := program(size)
	for i := range n {
		w.WriteHeader(&tar.Header{Name: fmt.Sprintf("%d/setup.exe", i), Mode: 0o755, Size: int64(size), Typeflag: tar.TypeReg})
		w.Write(data)
	}
	w.Close()
	return buf.Bytes()
}

// zipHead is a local header of APPNOTE.TXT 4.3.7.
func zipHead(name string, packed, plain int, sum uint32) []byte {
	le := binary.LittleEndian
	b := []byte("PK\x03\x04\x14\x00\x00\x00\x08\x00\x00\x00\x00\x00")
	b = le.AppendUint32(b, sum)
	b = le.AppendUint32(b, uint32(packed))
	b = le.AppendUint32(b, uint32(plain))
	b = le.AppendUint16(b, uint16(len(name)))
	return append(le.AppendUint16(b, 0), name...)
}

// zipEntry is an entry of the directory (4.3.12) that says where a file begins.
func zipEntry(name string, packed, plain int, sum uint32, at int) []byte {
	le := binary.LittleEndian
	b := append([]byte("PK\x01\x02\x14\x00"), zipHead(name, packed, plain, sum)[4:30]...)
	b = append(b, make([]byte, 10)...) // comment, disk, attributes
	return append(le.AppendUint32(b, uint32(at)), name...)
}

func zipEnd(count, size, at int) []byte {
	le := binary.LittleEndian
	b := []byte("PK\x05\x06\x00\x00\x00\x00")
	b = le.AppendUint16(b, uint16(count))
	b = le.AppendUint16(b, uint16(count))
	b = le.AppendUint32(b, uint32(size))
	b = le.AppendUint32(b, uint32(at))
	return append(b, 0, 0)
}

// overlapping is an archive whose n files are one place.
func overlapping(n, size int) []byte {
	plain := program(size)
	packed, sum := deflated(plain), crc32.ChecksumIEEE(plain)
	out := append(zipHead("0.exe", len(packed), size, sum), packed...)
	at := len(out)
	for range n {
		out = append(out, zipEntry("0.exe", len(packed), size, sum, 0)...)
	}
	return append(out, zipEnd(n, len(out)-at, at)...)
}

// quoted is an archive in which each file is the ones behind it, their headers
// quoted in blocks that DEFLATE stores (Fifield, "A better zip bomb").
func quoted(n, size int) []byte {
	kernel := deflated(program(size))
	heads := make([][]byte, n)
	body, plain := kernel, program(size)
	starts := make([]int, n) // from the end of the kernel
	sums, packs, plains := make([]uint32, n), make([]int, n), make([]int, n)
	length, sum := size, crc32.ChecksumIEEE(plain)
	tail := bytes.Clone(body)
	for i := n - 1; i >= 0; i-- {
		name := fmt.Sprintf("%d.exe", i)
		sums[i], packs[i], plains[i] = sum, len(tail), length
		heads[i] = zipHead(name, packs[i], plains[i], sums[i])
		tail = append(bytes.Clone(heads[i]), tail...)
		starts[i] = len(tail)
		if i > 0 { // the next file quotes this header
			quote := binary.LittleEndian.AppendUint16([]byte{0}, uint16(len(heads[i])))
			quote = binary.LittleEndian.AppendUint16(quote, ^uint16(len(heads[i])))
			tail = append(quote, tail...)
			length += len(heads[i])
			sum = ^sum // no reader gets as far as the checksum of what it does not unpack
		}
	}
	out := tail
	at := len(out)
	for i := range n {
		out = append(out, zipEntry(fmt.Sprintf("%d.exe", i), packs[i], plains[i], sums[i], at-starts[i])...)
	}
	return append(out, zipEnd(n, len(out)-at, at)...)
}

// quine is an archive that holds itself, by R. Cox, "Zip Files All The Way Down".
func quine() []byte {
	return unhex("504b03041400000008000803643cf9f4896448010000b801000007000000722f722e7a6970002500daff504b03041400000008000803643cf9f4896448010000" +
		"b801000007000000722f722e7a6970002f00d0ff002500daff504b03041400000008000803643cf9f4896448010000b801000007000000722f722e7a6970002f" +
		"00d0ffc2548e5739000500faffc2548e5739000500faff000500faff001400ebffc2548e5739000500faff000500faff001400ebff428821c400001400ebff42" +
		"8821c400001400ebff428821c400001400ebff428821c400001400ebff428821c400000000ffff000000ffff003400cbff428821c400000000ffff000000ffff" +
		"003400cbff42e8215e0f000000ffff0af066641261c015dce8a048bf48af2ab320c09b950dc46704425306060640000600f9ff6d010000000042e8215e0f0000" +
		"00ffff0af066641261c015dce8a048bf48af2ab320c09b950dc46704425306060640000600f9ff6d0100000000504b010214001400000008000803643cf9f489" +
		"6448010000b8010000070000000000000000000000000000000000722f722e7a6970504b05060000000001000100350000006d0100000000")
}

func laughs() []byte {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\"?><!DOCTYPE plist [<!ENTITY a0 \"ha\">")
	for i := range 60 {
		fmt.Fprintf(&b, "<!ENTITY a%d \"%s\">", i+1, strings.Repeat(fmt.Sprintf("&a%d;", i), 10))
	}
	b.WriteString("]><plist version=\"1.0\"><dict><key>CFBundleName</key><string>&a60;</string></dict></plist>")
	return []byte(b.String())
}

// png is a picture that says to be large.
func png(w, h uint32) []byte {
	chunk := func(kind string, data []byte) []byte {
		b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
		b = append(append(b, kind...), data...)
		return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	out := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(head, 8, 6, 0, 0, 0))...)
	out = append(out, chunk("IDAT", append([]byte("\x78\xda"), deflated(make([]byte, 32*mib))...))...)
	return append(out, chunk("IEND", nil)...)
}
