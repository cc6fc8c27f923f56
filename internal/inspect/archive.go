package inspect

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/xi2/xz"
)

// First bytes of compressed streams: RFC 1952, bzip2's manual, the .xz file
// format 2.1.1.1, RFC 8878.
const (
	magicGzip  = "\x1f\x8b"
	magicBzip2 = "BZh"
	magicXz    = "\xfd7zXZ\x00"
	magicZstd  = "\x28\xb5\x2f\xfd"
)

// Decompress opens a stream by its first bytes: gzip, bzip2, xz or zstd;
// anything else comes as it is. window bounds the history that a stream may ask
// for, in bytes: a header may ask for gigabytes.
func Decompress(packed []byte, window uint32) (io.ReadCloser, error) {
	in := bytes.NewReader(packed)
	switch {
	case starts(packed, magicGzip):
		r, err := gzip.NewReader(in)
		if err != nil {
			return nil, malformed("gzip stream is malformed")
		}
		return r, nil
	case starts(packed, magicBzip2):
		return io.NopCloser(bzip2.NewReader(in)), nil
	case starts(packed, magicXz):
		r, err := xz.NewReader(in, window)
		if err != nil {
			return nil, malformed("xz stream is malformed or asks for too much memory")
		}
		return io.NopCloser(r), nil
	case starts(packed, magicZstd):
		r, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxMemory(uint64(window)), zstd.WithDecoderMaxWindow(uint64(window)))
		if err != nil {
			return nil, malformed("zstd stream is malformed")
		}
		return r.IOReadCloser(), nil
	}
	return io.NopCloser(in), nil
}

// Ar calls visit for each member of an ar archive (ar(5)) until it returns
// false. The error says that the archive is malformed or cut off.
func Ar(data []byte, visit func(name string, body []byte) bool) error {
	const head = 60
	v := little(data)
	for off := uint64(len("!<arch>\n")); off < uint64(len(data)); {
		h := v.cut(off, head)
		if h == nil {
			return malformed("ar archive is cut off")
		}
		size, err := strconv.ParseUint(strings.TrimRight(string(h[48:58]), " "), 10, 40)
		if err != nil || string(h[58:]) != "`\n" {
			return malformed("ar archive is malformed")
		}
		body := v.cut(off+head, size)
		if err := v.err(); err != nil {
			return err
		}
		if !visit(strings.TrimRight(string(h[:16]), "/ "), body) {
			return nil
		}
		off += head + size + size&1
	}
	return nil
}
