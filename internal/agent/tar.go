package agent

import (
	"archive/tar"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/xi2/xz"

	"meetguard"
)

// maxWindow bounds what a decompressor keeps, in bytes: a header may ask for
// gigabytes.
const maxWindow = 64 << 20

// tar looks into a tar archive, compressed or not.
func (ex *Examiner) tar(f *meetguard.Facts, data []byte, depth int) {
	stream, err := decompressed(data)
	if err != nil {
		f.Gaps = append(f.Gaps, blinding("members", "the archive cannot be read: "+err.Error()))
		return
	}
	// what is skipped costs time as well: the whole stream is within the budget
	r := tar.NewReader(io.LimitReader(stream, 2*maxArchiveBytes))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			f.Gaps = append(f.Gaps, blinding("members", "the archive cannot be read: "+err.Error()))
			return
		}
		if !ex.admit(f) {
			return
		}
		if h.Typeflag != tar.TypeReg || sourceExt[strings.ToLower(path.Ext(h.Name))] {
			continue
		}
		if !ex.member(f, h.Name, r, h.Size, depth) {
			return
		}
	}
}

// decompressed opens the stream by its first bytes.
func decompressed(data []byte) (io.Reader, error) {
	in := bytes.NewReader(data)
	switch {
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		return gzip.NewReader(in)
	case bytes.HasPrefix(data, []byte("BZh")):
		return bzip2.NewReader(in), nil
	case bytes.HasPrefix(data, []byte("\xfd7zXZ\x00")):
		return xz.NewReader(in, maxWindow)
	case bytes.HasPrefix(data, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	}
	return in, nil
}

// member inspects one member of a stream. It returns false if the archive is
// to be left.
func (ex *Examiner) member(f *meetguard.Facts, name string, r io.Reader, size int64, depth int) bool {
	content, err := ex.take(r, size)
	if err != nil {
		why := memberTrouble(name, err)
		if errors.Is(err, errBudget) {
			why = err.Error()
		}
		f.Gaps = append(f.Gaps, blinding("members", why))
		return false
	}
	m := ex.bytes(path.Base(name), content, depth+1)
	m.Path = clipText(name, maxText)
	keep(f, m)
	return true
}

// ar looks into a Debian package: an ar archive of tar archives (deb(5)).
func (ex *Examiner) ar(f *meetguard.Facts, data []byte, depth int) {
	const magic, header = 8, 60
	for off := magic; off+header <= len(data); {
		h := data[off : off+header]
		size, err := strconv.Atoi(strings.TrimSpace(string(h[48:58])))
		off += header
		if err != nil || size < 0 || size > len(data)-off {
			f.Gaps = append(f.Gaps, blinding("members", "the package is cut off or damaged"))
			return
		}
		name := strings.TrimRight(strings.TrimSpace(string(h[:16])), "/")
		if !ex.admit(f) || strings.Contains(name, ".tar") && !ex.member(f, name, bytes.NewReader(data[off:off+size]), int64(size), depth) {
			return
		}
		off += size + size%2
	}
}
