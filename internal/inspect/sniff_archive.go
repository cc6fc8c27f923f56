package inspect

import (
	"bytes"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"

	"meetguard"
)

// sniffCompressed tells a compressed tar. A gzip stream is opened as far as the
// first block; the others are costly to open, so there the name has to say it.
func sniffCompressed(name string, data []byte) meetguard.Format {
	switch {
	case starts(data, "\x1f\x8b\x08"):
		if gzipHoldsTar(data) {
			return meetguard.FormatTar
		}
	case isBzip2(data):
		return tarIf(hasSuffixFold(name, ".tar.bz2") || hasSuffixFold(name, ".tbz2") || hasSuffixFold(name, ".tbz"))
	case starts(data, "\xfd7zXZ\x00"):
		return tarIf(hasSuffixFold(name, ".tar.xz") || hasSuffixFold(name, ".txz"))
	case starts(data, "\x28\xb5\x2f\xfd"):
		return tarIf(hasSuffixFold(name, ".tar.zst") || hasSuffixFold(name, ".tzst"))
	}
	return ""
}

func tarIf(named bool) meetguard.Format {
	if named {
		return meetguard.FormatTar
	}
	return meetguard.FormatOther
}

// isBzip2 tells a bzip2 stream that holds at least one block, or none.
func isBzip2(data []byte) bool {
	if !starts(data, "BZh") || len(data) < 10 || data[3] < '1' || data[3] > '9' {
		return false
	}
	return at(data, 4, "1AY&SY") || at(data, 4, "\x17rE8P\x90")
}

// gzipReaders keeps the windows of decompressors: a system has tens of
// thousands of small compressed pages.
var gzipReaders sync.Pool

// gzipHoldsTar looks at the first block of a gzip stream. It reads no more than
// 64 KiB of input, since a stream may be made of empty blocks without end, and
// at first much less: a decompressor works in blocks of its own size.
func gzipHoldsTar(data []byte) bool {
	zr, _ := gzipReaders.Get().(*gzip.Reader)
	if zr == nil {
		zr = new(gzip.Reader)
	}
	defer gzipReaders.Put(zr)
	var block [512]byte
	for _, look := range [...]int{1 << 10, 64 << 10} {
		if err := zr.Reset(bytes.NewReader(data[:min(len(data), look)])); err != nil && look < len(data) {
			continue // the name in its header may be long
		} else if err != nil {
			return false
		}
		if _, err := io.ReadFull(zr, block[:]); err == nil {
			return isTar(block[:])
		}
		if len(data) <= look {
			return false
		}
	}
	return false
}

// isTar tells a tar by its first header: by the checksum that every tar since
// Version 7 carries, so that it does not depend on the magic of POSIX or GNU.
func isTar(data []byte) bool {
	if len(data) < 512 || data[0] == 0 {
		return false
	}
	want, ok := octal(data[148:156])
	if !ok {
		return false
	}
	// The sum is over the header with spaces in place of the checksum; old
	// programs summed signed bytes.
	var unsigned, signed int64
	for i, c := range data[:512] {
		if 148 <= i && i < 156 {
			c = ' '
		}
		unsigned += int64(c)
		signed += int64(int8(c))
	}
	return want == unsigned || want == signed
}

// octal reads the number field of a tar header: spaces, digits, then a space or
// NUL.
func octal(field []byte) (int64, bool) {
	field = bytes.Trim(field, " \x00")
	if len(field) == 0 {
		return 0, false
	}
	var n int64
	for _, c := range field {
		if c < '0' || c > '7' {
			return 0, false
		}
		n = n<<3 | int64(c-'0')
	}
	return n, true
}
