package unpack

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
)

// The block format that Apple's installer packages and Apple Archive share: a
// magic whose last letter names the compression, the usual size of a block, and
// blocks of two sizes (unpacked, packed) and content. A block as long as it is
// unpacked is stored as it is. Apple has not published it; it is written here as
// it is commonly described, and was not compared with a package of Apple's.
// Numbers are big-endian and have 64 bits.
const (
	pbzMagic = "pbz"
	xzMagic  = "\xfd7zXZ\x00"

	// maxPbzBlock bounds a block. Apple's tools make them of 16 MiB at most.
	maxPbzBlock = 16 << 20 // bytes
)

var errPbz = errors.New("the content is damaged: it has an impossible block")

// pbzReader unpacks a stream of blocks.
type pbzReader struct {
	packed io.Reader
	kind   byte
	block  io.Reader         // what is left of the block, unpacked
	body   *io.LimitedReader // what is left of it, packed
	left   int64             // unpacked bytes that the block still has
	xz     *xzReader
}

// newPbz opens a stream. Its blocks are compressed with xz (x), zlib (z) or
// LZFSE (e).
func newPbz(packed io.Reader, xz *xzReader) (io.Reader, error) {
	var head [12]byte
	if _, err := io.ReadFull(packed, head[:]); err != nil {
		return nil, errPbz
	}
	switch kind := head[3]; kind {
	case 'x', 'z', 'e':
		return &pbzReader{packed: packed, kind: kind, xz: xz}, nil
	}
	return nil, errPacked
}

func (p *pbzReader) Read(b []byte) (int, error) {
	for p.left == 0 {
		if err := p.next(); err != nil {
			return 0, err
		}
	}
	n, err := p.block.Read(b[:min(int64(len(b)), p.left)])
	p.left -= int64(n)
	if err == io.EOF && p.left > 0 {
		return n, errPbz
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// next opens the next block.
func (p *pbzReader) next() error {
	if p.body != nil {
		if _, err := io.Copy(io.Discard, p.body); err != nil {
			return err
		}
	}
	var head [16]byte
	if _, err := io.ReadFull(p.packed, head[:]); err == io.EOF {
		return io.EOF
	} else if err != nil {
		return errPbz
	}
	size, packed := binary.BigEndian.Uint64(head[:]), binary.BigEndian.Uint64(head[8:])
	if size > maxPbzBlock || packed > size {
		return errPbz
	}
	p.left, p.body = int64(size), &io.LimitedReader{R: p.packed, N: int64(packed)} // #nosec G115 -- at most maxPbzBlock
	p.block = p.body
	if size == packed {
		return nil
	}
	return p.unpack(int(size))
}

// unpack puts the decompressor before the block.
func (p *pbzReader) unpack(size int) (err error) {
	switch p.kind {
	case 'z':
		p.block, err = zlib.NewReader(p.body)
	case 'e':
		p.block, err = lzfseBlock(p.body, size)
	case 'x':
		p.block, err = p.xz.open(p.body)
	}
	return err
}

// lzfseBlock unpacks a whole block, as LZFSE needs it.
func lzfseBlock(packed io.Reader, size int) (io.Reader, error) {
	all, err := io.ReadAll(packed)
	if err != nil {
		return nil, err
	}
	plain, err := unpackLZFSE(all, size)
	return bytes.NewReader(plain), err
}
