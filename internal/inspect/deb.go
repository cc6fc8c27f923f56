package inspect

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/xi2/xz"

	"meetguard"
)

const (
	maxMembers  = 16       // of the outer archive: dpkg writes three
	maxTarFiles = 64       // of the control archive
	maxControl  = 64 << 10 // bytes of the control file
)

// debClaims reads the package name, the maintainer and the first line of the
// description in the control file of a Debian package (deb(5)).
func debClaims(data []byte, c *collector) error {
	name, packed, err := controlArchive(data)
	if err != nil {
		return err
	}
	control, err := controlFile(name, packed)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(control)) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.ToLower(key) { // of further lines, which begin with space, none is a key
		case "package", "maintainer", "description":
			c.claim(meetguard.ClaimPackageName, value)
		}
	}
	return nil
}

// controlArchive finds the member control.tar of an ar archive.
func controlArchive(data []byte) (name string, body []byte, err error) {
	const head = 60
	v := little(data)
	off := uint64(len("!<arch>\n"))
	for range maxMembers {
		h := v.cut(off, head)
		if h == nil {
			break
		}
		size, err := strconv.ParseUint(strings.TrimRight(string(h[48:58]), " "), 10, 40)
		if err != nil || string(h[58:]) != "`\n" {
			return "", nil, malformed("ar archive is malformed")
		}
		name := strings.TrimRight(string(h[:16]), "/ ")
		if name == "control.tar" || strings.HasPrefix(name, "control.tar.") {
			body := v.cut(off+head, size)
			return name, body, v.err()
		}
		off += head + size + size&1
	}
	return "", nil, malformed("control archive is missing")
}

// controlFile reads the file control of a control archive.
func controlFile(name string, packed []byte) (content []byte, err error) {
	// The decompressors of other projects are trusted to bound their memory
	// as they are told to, but not to be free of panics.
	defer func() {
		if r := recover(); r != nil {
			content, err = nil, malformed("decompressor panicked")
		}
	}()
	if len(packed) > maxDocument {
		return nil, malformed("control archive is too large")
	}
	r, err := decompressor(path.Ext(name), packed)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	files := tar.NewReader(io.LimitReader(r, 4*maxDocument))
	for range maxTarFiles {
		h, err := files.Next()
		if err != nil {
			return nil, malformed("control archive is damaged or has no control file")
		}
		if path.Clean(h.Name) == "control" {
			return readLimited(files, maxControl)
		}
	}
	return nil, malformed("control archive has too many files")
}

// decompressor opens a compressed stream with a bounded window.
func decompressor(ext string, packed []byte) (io.ReadCloser, error) {
	in := bytes.NewReader(packed)
	switch ext {
	case ".gz":
		r, err := gzip.NewReader(in)
		if err != nil {
			return nil, malformed("gzip stream is malformed")
		}
		return r, nil
	case ".xz":
		r, err := xz.NewReader(in, maxWindow)
		if err != nil {
			return nil, malformed("xz stream is malformed or asks for too much memory")
		}
		return io.NopCloser(r), nil
	case ".zst":
		r, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxMemory(maxWindow), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, malformed("zstd stream is malformed")
		}
		return r.IOReadCloser(), nil
	case ".tar":
		return io.NopCloser(in), nil
	}
	return nil, malformed("control archive is compressed in an unusual way")
}
