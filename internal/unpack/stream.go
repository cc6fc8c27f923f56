package unpack

import (
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/flate" // twice as fast as the standard library's
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/xi2/xz"
)

// First bytes of compressed streams: RFC 1952, bzip2's manual, the .xz file
// format 2.1.1.1, RFC 8878.
const (
	magicGzip  = "\x1f\x8b\x08"
	magicBzip2 = "BZh"
	magicXz    = "\xfd7zXZ\x00"
	magicZstd  = "\x28\xb5\x2f\xfd"
)

// maxWindow bounds the history that a stream may ask for, in bytes: a header
// may ask for gigabytes.
const maxWindow = 64 << 20

// IsStream tells by its first bytes that data is one compressed stream: gzip,
// bzip2, xz or zstd. Walk opens it as FormatTar, whether it holds one or not.
func IsStream(data []byte) bool {
	for _, magic := range []string{magicGzip, magicBzip2, magicXz, magicZstd} {
		if hasMagic(data, magic) {
			return true
		}
	}
	return false
}

func hasMagic(data []byte, magic string) bool {
	return len(data) >= len(magic) && string(data[:len(magic)]) == magic
}

// decompress opens a stream by its first bytes; anything else comes as it is.
func decompress(packed []byte) (io.ReadCloser, error) {
	in := bytes.NewReader(packed)
	switch {
	case hasMagic(packed, magicGzip):
		r, err := openGzip(in)
		if err != nil {
			return nil, errors.New("the gzip stream is malformed")
		}
		return r, nil
	case hasMagic(packed, magicBzip2):
		return io.NopCloser(newBzip2(in)), nil
	case hasMagic(packed, magicXz):
		r, err := openXz(in)
		if err != nil {
			return nil, err
		}
		return io.NopCloser(r), nil
	case hasMagic(packed, magicZstd):
		r, err := openZstd(in)
		if err != nil {
			return nil, err
		}
		return r, nil
	}
	return io.NopCloser(in), nil
}

func newBzip2(in io.Reader) io.Reader { return bzip2.NewReader(in) }

func openXz(in io.Reader) (io.Reader, error) {
	r, err := xz.NewReader(in, maxWindow)
	if err != nil {
		return nil, errors.New("the xz stream is malformed or asks for too much memory")
	}
	return r, nil
}

// Decompressors are kept: one costs more to make than most members to read.
var gzips, zstds, inflaters sync.Pool

type pooledGzip struct{ *gzip.Reader }

func openGzip(in io.Reader) (pooledGzip, error) {
	r, _ := gzips.Get().(*gzip.Reader)
	if r == nil {
		r = new(gzip.Reader)
	}
	if err := r.Reset(in); err != nil {
		gzips.Put(r)
		return pooledGzip{}, err
	}
	return pooledGzip{r}, nil
}

// Close gives the decompressor back. It is called once.
func (p pooledGzip) Close() error {
	gzips.Put(p.Reader)
	return nil
}

type pooledZstd struct{ *zstd.Decoder }

func openZstd(in io.Reader) (pooledZstd, error) {
	r, _ := zstds.Get().(*zstd.Decoder)
	var err error
	if r == nil {
		r, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxMemory(maxWindow), zstd.WithDecoderMaxWindow(maxWindow))
	}
	if err == nil {
		err = r.Reset(in)
	}
	if err != nil {
		return pooledZstd{}, errors.New("the zstd stream is malformed")
	}
	return pooledZstd{r}, nil
}

// Close gives the decompressor back. It is called once.
func (p pooledZstd) Close() error {
	zstds.Put(p.Decoder)
	return nil
}

// inflater takes a decompressor of DEFLATE out of the pool.
func inflater(in io.Reader) io.Reader {
	r, _ := inflaters.Get().(io.Reader)
	if r == nil {
		return flate.NewReader(in)
	}
	if err := r.(flate.Resetter).Reset(in, nil); err != nil {
		return flate.NewReader(in)
	}
	return r
}

// broken says in plain words what is wrong with a stream. Limits stay what they
// are.
func broken(what string, err error) error {
	var limit *LimitError
	switch {
	case errors.As(err, &limit):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%s is cut short", what)
	}
	return fmt.Errorf("%s is damaged: %w", what, err)
}
