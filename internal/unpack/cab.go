package unpack

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// The format is that of [MS-CAB], "Cabinet File Format".
const (
	cabMagic      = "MSCF"
	cabHeaderSize = 36
	cabFolderSize = 8
	cabFileSize   = 16
	cabDataSize   = 8

	cabHasPrevious = 0x0001 // flags of the header
	cabHasNext     = 0x0002
	cabHasReserve  = 0x0004

	cabFromPrevious = 0xFFFD // folders of members that other cabinets hold a part of
	cabNameUTF8     = 0x80   // attribute of a file

	cabStored  = 0 // the low four bits of a folder's way of packing
	cabMSZIP   = 1
	cabQuantum = 2
	cabLZX     = 3

	cabBlock = 32 << 10 // bytes of one unpacked MSZIP or LZX block at most
)

type cab struct {
	data      []byte
	opt       Options
	files     int // offset of the first file entry
	count     int
	dataExtra int // reserved bytes in each block header
	folders   []cabFolder
	streams   map[int]*solid
}

type cabFolder struct {
	offset, blocks int
	packing        uint16
}

// walkCab visits the members of a cabinet that starts data.
func walkCab(data []byte, opt Options, visit Visit) error {
	c := &cab{data: data, opt: opt, streams: map[int]*solid{}}
	if err := c.header(); err != nil {
		return err
	}
	at := c.files
	for range c.count {
		if err := opt.Budget.Entry(); err != nil {
			return err
		}
		m, next, err := c.member(at)
		if err != nil {
			return err
		}
		if err := visit(m); err != nil {
			return err
		}
		at = next
	}
	return nil
}

var errCabList = errors.New("the list of files of the cabinet is cut short")

func (c *cab) header() error {
	if len(c.data) < cabHeaderSize || string(c.data[:4]) != cabMagic {
		return errors.New("the header of the cabinet is cut short or missing")
	}
	le := binary.LittleEndian
	c.files = int(le.Uint32(c.data[16:]))
	folders, flags := int(le.Uint16(c.data[26:])), le.Uint16(c.data[30:])
	c.count = int(le.Uint16(c.data[28:]))
	at, folderExtra := cabHeaderSize, 0
	if flags&cabHasReserve != 0 {
		if len(c.data) < at+4 {
			return errCabList
		}
		folderExtra, c.dataExtra = int(c.data[at+2]), int(c.data[at+3])
		at += 4 + int(le.Uint16(c.data[at:]))
	}
	for _, flag := range []uint16{cabHasPrevious, cabHasNext} {
		for range 2 { // the name of a cabinet, and that of its disk
			if flags&flag == 0 {
				continue
			}
			_, n := c.text(at)
			if n < 0 {
				return errCabList
			}
			at = n
		}
	}
	return c.readFolders(at, folders, cabFolderSize+folderExtra)
}

func (c *cab) readFolders(at, n, size int) error {
	if n > (len(c.data)-at)/size {
		return errCabList
	}
	for range n {
		b := c.data[at:]
		c.folders = append(c.folders, cabFolder{
			offset:  int(binary.LittleEndian.Uint32(b)),
			blocks:  int(binary.LittleEndian.Uint16(b[4:])),
			packing: binary.LittleEndian.Uint16(b[6:]),
		})
		at += size
	}
	return nil
}

// text reads a text that ends with NUL, and tells where the next thing begins;
// -1 if there is no end.
func (c *cab) text(at int) ([]byte, int) {
	if at > len(c.data) {
		return nil, -1
	}
	n := bytes.IndexByte(c.data[at:], 0)
	if n < 0 {
		return nil, -1
	}
	return c.data[at : at+n], at + n + 1
}

func (c *cab) member(at int) (Member, int, error) {
	if at > len(c.data)-cabFileSize {
		return Member{}, 0, errCabList
	}
	b := c.data[at:]
	name, next := c.text(at + cabFileSize)
	if next < 0 {
		return Member{}, 0, errCabList
	}
	le := binary.LittleEndian
	size, offset, folder := int64(le.Uint32(b)), int64(le.Uint32(b[4:])), le.Uint16(b[8:])
	m := Member{Name: cabName(name, le.Uint16(b[14:])&cabNameUTF8 != 0), Size: size}
	m.Open = func() (io.Reader, error) { return c.open(folder, offset, size) }
	return m, next, nil
}

// cabName decodes a name. Without the mark of UTF-8 it is in the code page of
// the maker, which nothing tells; Windows-1252 shows every byte.
func cabName(b []byte, marked bool) string {
	if !marked && !utf8.Valid(b) {
		b, _ = charmap.Windows1252.NewDecoder().Bytes(b)
	}
	return strings.ReplaceAll(strings.ToValidUTF8(string(b), "\uFFFD"), `\`, "/")
}

// open gives a part of a folder. Members in another order than their contents
// make the folder be unpacked again, which the budget bounds.
func (c *cab) open(folder uint16, offset, size int64) (io.Reader, error) {
	if folder >= cabFromPrevious {
		return nil, errors.New("the content continues in another cabinet")
	}
	i := int(folder)
	if i >= len(c.folders) {
		return nil, errors.New("the cabinet names a folder that it does not hold")
	}
	s := c.streams[i]
	if s == nil || s.pos > offset {
		s = &solid{open: func() (io.Reader, error) { return c.stream(c.folders[i]) }}
		c.streams[i] = s
	}
	return s.at(offset, size)
}

// stream unpacks a folder through the budget.
func (c *cab) stream(f cabFolder) (io.Reader, error) {
	s := &cabStream{data: c.data, at: f.offset, blocks: f.blocks, extra: c.dataExtra}
	switch f.packing & 0x0F {
	case cabStored:
		s.unpack = func(b []byte, _ int) ([]byte, error) { return b, nil }
	case cabMSZIP:
		s.unpack = (&mszip{}).unpack
	case cabLZX:
		lzx, err := newLZX(int(f.packing >> 8 & 0x1F))
		if err != nil {
			return nil, err
		}
		s.unpack = lzx.unpack
	case cabQuantum:
		return nil, fmt.Errorf("quantum compression: %w", ErrUnsupported)
	default:
		return nil, fmt.Errorf("cabinet compression %d: %w", f.packing&0x0F, ErrUnsupported)
	}
	return c.opt.Budget.Reader(&guarded{r: s}), nil
}

// cabStream reads the blocks of a folder one after the other.
type cabStream struct {
	data   []byte
	at     int
	blocks int
	extra  int
	unpack func(packed []byte, size int) ([]byte, error)
	out    []byte // unpacked and not read yet
}

func (s *cabStream) Read(p []byte) (int, error) {
	for len(s.out) == 0 {
		if s.blocks == 0 {
			return 0, io.EOF
		}
		if err := s.block(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.out)
	s.out = s.out[n:]
	return n, nil
}

func (s *cabStream) block() error {
	s.blocks--
	if s.at > len(s.data)-cabDataSize {
		return errCutShort
	}
	head := s.data[s.at:][:cabDataSize]
	packed, size := int(binary.LittleEndian.Uint16(head[4:])), int(binary.LittleEndian.Uint16(head[6:]))
	s.at += cabDataSize + s.extra
	if s.at > len(s.data)-packed {
		return errCutShort
	}
	content := s.data[s.at:][:packed]
	s.at += packed
	if sum := binary.LittleEndian.Uint32(head); sum != 0 && sum != cabSum(head[4:], cabSum(content, 0)) {
		return errChecksum
	}
	if size == 0 {
		return errors.New("the content continues in another cabinet")
	}
	out, err := s.unpack(content, size)
	if err != nil {
		return err
	}
	if len(out) != size {
		return errors.New("a block of the cabinet unpacks to another size than it says")
	}
	s.out = out
	return nil
}

// cabSum is CSUMCompute of [MS-CAB] 3.1.
func cabSum(b []byte, sum uint32) uint32 {
	for ; len(b) >= 4; b = b[4:] {
		sum ^= binary.LittleEndian.Uint32(b)
	}
	var rest uint32
	for _, x := range b {
		rest = rest<<8 | uint32(x)
	}
	return sum ^ rest
}

// mszip unpacks MSZIP blocks ([MS-MCI]): each is "CK" and a deflate stream,
// whose dictionary is what the blocks before unpacked to.
type mszip struct {
	history []byte // the last 32 KiB
	inflate io.ReadCloser
}

func (z *mszip) unpack(packed []byte, size int) ([]byte, error) {
	if len(packed) < 2 || packed[0] != 'C' || packed[1] != 'K' {
		return nil, errors.New("a block of the cabinet does not begin like MSZIP")
	}
	if size > cabBlock {
		return nil, errors.New("a block of the cabinet is larger than it can be")
	}
	in := bytes.NewReader(packed[2:])
	if z.inflate == nil {
		z.inflate = flate.NewReader(in)
	} else if err := z.inflate.(flate.Resetter).Reset(in, z.history); err != nil {
		return nil, err
	}
	out := make([]byte, size)
	if _, err := io.ReadFull(z.inflate, out); err != nil {
		return nil, fmt.Errorf("unpack MSZIP block: %w", err)
	}
	z.history = append(z.history, out...)
	z.history = z.history[max(len(z.history)-cabBlock, 0):]
	return out, nil
}
