package unpack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/klauspost/compress/zlib"
)

// Files that the file system compresses: an attribute names the type, and has
// the content or says that it is in the resource fork, in blocks of 64 KiB
// (decmpfs.h of Apple's xnu; the places of blocks are as ditto writes them).
// Numbers are little-endian, but for the head of a resource fork.
const (
	decmpfsName  = "com.apple.decmpfs"
	decmpfsMagic = "fpmc"
	decmpfsHead  = 16
	decmpfsBlock = 64 << 10

	maxDecmpfsAttr = 64 << 10 // bytes; xnu allows 3802
)

var errDecmpfs = errors.New("the content is damaged: the file is compressed in an impossible way")

// decmpfs is a compressed file. It reads its content from begin to end.
type decmpfs struct {
	size     int64
	codec    func(packed []byte, size int) ([]byte, error)
	inline   []byte                                     // the content, or nil
	resource *extentReader                              // the content otherwise
	place    func(i int64) (off, size int64, err error) // of a block in it
	next     int64
	plain    []byte // what is left of the block
	left     int64
}

// newDecmpfs reads the attribute of a compressed file.
func newDecmpfs(attr []byte, resource *extentReader) (*decmpfs, error) {
	if len(attr) < decmpfsHead || string(attr[:4]) != decmpfsMagic {
		return nil, errDecmpfs
	}
	size := binary.LittleEndian.Uint64(attr[8:])
	if size > 1<<50 {
		return nil, errDecmpfs
	}
	d := &decmpfs{size: int64(size), left: int64(size), resource: resource}
	d.place = d.offsetPlace
	switch kind := binary.LittleEndian.Uint32(attr[4:]); kind {
	case 1, 3, 7, 9, 11:
		d.inline = attr[decmpfsHead:]
	case 4:
		d.place = d.zlibPlace
	case 8, 10, 12:
	default:
		return nil, errPacked
	}
	switch binary.LittleEndian.Uint32(attr[4:]) {
	case 1:
		d.codec = func(packed []byte, _ int) ([]byte, error) { return packed, nil }
	case 3, 4:
		d.codec = storedOr(func(b byte) bool { return b&0x0f == 0x0f }, unpackZlib)
	case 7, 8:
		d.codec = storedOr(func(b byte) bool { return b == 0x06 }, unpackLZVN)
	case 9, 10:
		d.codec = storedOr(func(b byte) bool { return b == 0xcc }, nil)
	case 11, 12:
		d.codec = storedOr(func(b byte) bool { return b == 0xff }, unpackLZFSE)
	}
	return d, nil
}

// storedOr decompresses a block, if its first byte does not say that it is
// stored as it is.
func storedOr(isStored func(byte) bool, unpack func([]byte, int) ([]byte, error)) func([]byte, int) ([]byte, error) {
	return func(packed []byte, size int) ([]byte, error) {
		switch {
		case len(packed) == 0:
			return nil, errDecmpfs
		case isStored(packed[0]):
			return packed[1:], nil
		case unpack == nil:
			return nil, errDecmpfs
		}
		return unpack(packed, size)
	}
}

func unpackZlib(packed []byte, size int) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, errDecmpfs
	}
	plain := make([]byte, size)
	n, err := io.ReadFull(z, plain)
	if err != nil {
		return nil, errDecmpfs
	}
	return plain[:n], nil
}

func (d *decmpfs) Read(p []byte) (int, error) {
	if len(d.plain) == 0 {
		if d.left == 0 {
			return 0, io.EOF
		}
		if err := d.block(); err != nil {
			return 0, err
		}
	}
	n := copy(p, d.plain)
	d.plain = d.plain[n:]
	return n, nil
}

// block unpacks the next block.
func (d *decmpfs) block() error {
	size := int(min(d.left, decmpfsBlock))
	packed := d.inline
	if packed != nil && d.left > decmpfsBlock {
		return errDecmpfs
	}
	if packed == nil {
		var err error
		if packed, err = d.packed(); err != nil {
			return err
		}
	}
	plain, err := d.codec(packed, size)
	if err != nil {
		return err
	}
	if len(plain) < size {
		return errDecmpfs
	}
	d.plain, d.left = plain[:size], d.left-int64(size)
	return nil
}

// packed reads the next block of the resource fork.
func (d *decmpfs) packed() ([]byte, error) {
	off, size, err := d.place(d.next)
	if err != nil || size < 0 || size > 2*decmpfsBlock {
		return nil, orDamaged(err, errDecmpfs)
	}
	d.next++
	packed := make([]byte, size)
	if _, err := d.resource.ReadAt(packed, off); err != nil {
		return nil, orDamaged(err, errDecmpfs)
	}
	return packed, nil
}

// zlibPlace finds a block of zlib: the data of the only resource are a size, a
// count, and pairs of offset (behind that size) and length.
func (d *decmpfs) zlibPlace(i int64) (off, size int64, err error) {
	var head [4]byte
	if _, err := d.resource.ReadAt(head[:], 0); err != nil {
		return 0, 0, err
	}
	base := int64(binary.BigEndian.Uint32(head[:])) + 4
	pair, err := d.pair(base + 4 + 8*i)
	return base + pair[0], pair[1], err
}

// offsetPlace finds a block of the other types: the fork begins with the offset
// of each block and of the end.
func (d *decmpfs) offsetPlace(i int64) (off, size int64, err error) {
	pair, err := d.pair(4 * i)
	return pair[0], pair[1] - pair[0], err
}

// pair reads two numbers of the resource fork.
func (d *decmpfs) pair(at int64) ([2]int64, error) {
	var b [8]byte
	_, err := d.resource.ReadAt(b[:], at)
	return [2]int64{int64(binary.LittleEndian.Uint32(b[:])), int64(binary.LittleEndian.Uint32(b[4:]))}, err
}
