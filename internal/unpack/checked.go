package unpack

import (
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

var (
	errCutShort = errors.New("the content is cut short")
	errChecksum = errors.New("the checksum does not fit the content")
)

// checked reads exactly size bytes of r. If sum is set, the last read fails
// unless the checksum is want.
type checked struct {
	r    io.Reader
	left int64
	sum  hash.Hash32 // nil: the container has no checksum
	want uint32
}

func checkedReader(r io.Reader, size int64) *checked { return &checked{r: r, left: size} }

// crc makes c verify the CRC-32 (IEEE) of the content.
func (c *checked) crc(want uint32) *checked {
	c.sum, c.want = crc32.NewIEEE(), want
	return c
}

func (c *checked) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, c.end()
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if c.sum != nil {
		c.sum.Write(p[:n])
	}
	if err == io.EOF {
		err = nil
		if c.left > 0 {
			err = errCutShort
		}
	}
	if c.left == 0 && err == nil {
		err = c.end()
	}
	return n, err
}

func (c *checked) end() error {
	if c.sum != nil && c.sum.Sum32() != c.want {
		return errChecksum
	}
	return io.EOF
}

// guarded turns a panic of a library over hostile bytes into an error, and
// endless empty reads as well.
type guarded struct {
	r     io.Reader
	empty int
	err   error
}

// maxEmptyReads is the number of reads in a row that may bring nothing; bufio
// has the same limit.
const maxEmptyReads = 100

func (g *guarded) Read(p []byte) (n int, err error) {
	if g.err != nil || len(p) == 0 {
		return 0, g.err
	}
	defer func() {
		if e := recovered(recover()); e != nil {
			n, err = 0, e
		}
		g.err = err
	}()
	n, err = g.r.Read(p)
	if n > 0 {
		g.empty = 0
	} else if g.empty++; g.empty > maxEmptyReads && err == nil {
		err = io.ErrNoProgress
	}
	return n, err
}

// recovered makes an error of what recover returned. The text of the panic may
// hold anything, so only its kind is kept.
func recovered(cause any) error {
	if cause == nil {
		return nil
	}
	return fmt.Errorf("the content broke its decoder (%T)", cause)
}

// solid is one stream that holds several members one after the other.
type solid struct {
	open func() (io.Reader, error) // through the budget
	r    io.Reader
	pos  int64
	err  error
}

// at gives the size bytes from offset on. Members can be had in order only;
// what lies between is unpacked and thrown away.
func (s *solid) at(offset, size int64) (io.Reader, error) {
	if s.r == nil && s.err == nil {
		s.r, s.err = s.open()
	}
	if s.err != nil {
		return nil, s.err
	}
	if offset < s.pos {
		return nil, errors.New("the content was already passed")
	}
	if _, err := io.CopyN(io.Discard, s, offset-s.pos); err != nil {
		if err == io.EOF {
			err = errCutShort
		}
		return nil, err
	}
	return checkedReader(s, size), nil
}

func (s *solid) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	s.pos += int64(n)
	s.err = err
	return n, err
}
