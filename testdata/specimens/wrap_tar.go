package specimens

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

func tarOf(list []entry) []byte {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range list {
		if err := w.WriteHeader(&tar.Header{Name: e.name, Mode: int64(e.mode.Perm()), Size: int64(len(e.data)), ModTime: time.Unix(0, 0), Format: tar.FormatPAX}); err != nil {
			panic(err)
		}
		must(w.Write(e.data))
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

// through compresses data with a writer that open makes.
func through(data []byte, open func(io.Writer) io.WriteCloser) []byte {
	var buf bytes.Buffer
	w := open(&buf)
	must(w.Write(data))
	if err := w.Close(); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

// gz compresses data; name is what the header calls it, or "".
func gz(data []byte, name string) []byte {
	return through(data, func(w io.Writer) io.WriteCloser {
		z := gzip.NewWriter(w)
		for _, r := range name { // the header is Latin-1
			if r == 0 || r > 0xff {
				name = ""
			}
		}
		z.Name = name
		return z
	})
}

func xzOf(data []byte) []byte {
	return through(data, func(w io.Writer) io.WriteCloser { return must(xz.NewWriter(w)) })
}

func zstOf(data []byte) []byte {
	return through(data, func(w io.Writer) io.WriteCloser {
		return must(zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)))
	})
}
