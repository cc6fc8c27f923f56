package unpack

import (
	"bytes"
	"fmt"
	"io"
	"time"
)

// Budget is what one unit may use through all its layers. The zero value
// allows nothing.
type Budget struct {
	Entries  int       // entries that may still be listed
	Bytes    int64     // bytes that may still be unpacked, skipped ones included
	Packed   int64     // size of the outermost container, bytes
	Ratio    int64     // unpacked bytes allowed for each byte of Packed, beyond Free
	Free     int64     // unpacked bytes before the ratio counts
	Deadline time.Time // zero: none
	Now      func() time.Time

	unpacked int64
}

// LimitError says which limit a container exceeded.
type LimitError struct{ What string }

func (e *LimitError) Error() string { return e.What }

// Entry counts one more entry.
func (b *Budget) Entry() error {
	if b.Entries--; b.Entries < 0 {
		return &LimitError{"the container has more entries than are looked at"}
	}
	return b.Time()
}

// Time fails when the time is over.
func (b *Budget) Time() error {
	if !b.Deadline.IsZero() && b.Now().After(b.Deadline) {
		return &LimitError{"unpacking took longer than it may"}
	}
	return nil
}

// Spend counts unpacked bytes.
func (b *Budget) Spend(n int64) error {
	b.Bytes -= n
	b.unpacked += n
	if b.Bytes < 0 {
		return &LimitError{"the container unpacks to more than what is unpacked for inspection"}
	}
	if b.unpacked > b.Free && b.Ratio > 0 && b.unpacked/b.Ratio > b.Packed {
		return &LimitError{fmt.Sprintf("the container unpacks to more than %d times its size", b.Ratio)}
	}
	return nil
}

// Reader counts what is read from r, and ends with a *LimitError.
func (b *Budget) Reader(r io.Reader) io.Reader { return &counted{r: r, b: b} }

type counted struct {
	r    io.Reader
	b    *Budget
	read int64
}

// maxRead bounds one read, in bytes, so that limits are looked at often.
const maxRead = 1 << 20

func (c *counted) Read(p []byte) (int, error) {
	if err := c.b.Time(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p[:min(len(p), maxRead)])
	c.read += int64(n)
	if over := c.b.Spend(int64(n)); over != nil {
		return 0, over
	}
	return n, err
}

// Whole gives the rest of a member that is stored as it is, without copying it
// and without counting it: the bytes of the container itself, which are valid as
// long as those. It is nil for any other reader.
func Whole(r io.Reader) []byte {
	c, ok := r.(*counted)
	if !ok {
		return nil
	}
	stored, ok := c.r.(*bytes.Reader)
	if !ok {
		return nil
	}
	var whole view
	_, _ = stored.WriteTo(&whole) // hands over its bytes in one piece
	return whole
}

// view takes what is written instead of copying it.
type view []byte

func (v *view) Write(p []byte) (int, error) {
	*v = p[:len(p):len(p)]
	return len(p), nil
}
