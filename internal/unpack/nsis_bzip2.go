package unpack

import (
	"errors"
	"io"
)

var errNSISBzip2 = errors.New("the compressed data is broken")

const (
	bzBlock     = 900_000 // bytes of a block before the first run-length coding is undone
	bzGroup     = 50      // symbols that one table serves
	bzMaxLength = 20      // bits of a code
	bzSelectors = 18002   // BZ_MAX_SELECTORS
)

// nsisBzip2 unpacks the bzip2 of NSIS (Source/bzip2 of NSIS). It differs from
// the common one in its framing: no file header, one byte before each block
// (0x31) and at the end (0x17), no checksums, and no bit for randomised blocks.
type nsisBzip2 struct {
	in   []byte
	bits uint64
	have uint // bits

	tt      []uint32 // the block: next position << 8 | byte
	next    uint32
	pending int // bytes of tt that are not out
	last    int // byte before, or -1
	run     int // how often it stood there
	repeat  int // how often it still comes
	err     error
}

func newNSISBzip2(in []byte) io.Reader { return &nsisBzip2{in: in} }

func (z *nsisBzip2) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if z.repeat > 0 {
			p[n], z.repeat = byte(z.last), z.repeat-1
			n++
			continue
		}
		if z.pending == 0 {
			if z.err == nil {
				z.err = z.block()
			}
			if z.err != nil {
				break
			}
			continue
		}
		z.next = z.tt[z.next>>8]
		z.pending--
		c := int(z.next & 0xff)
		if z.run == 4 { // after four equal bytes comes a count
			z.repeat, z.run = c, 0
			continue
		}
		if c != z.last {
			z.run = 0
		}
		z.last, z.run = c, z.run+1
		p[n] = byte(c)
		n++
	}
	if n > 0 {
		return n, nil
	}
	return 0, z.err
}

// get reads bits, the highest first. Behind the end they are zero; the end is
// noticed by whoever would go on for ever.
func (z *nsisBzip2) get(n uint) uint32 {
	for z.have < n {
		b := byte(0)
		if len(z.in) > 0 {
			b, z.in = z.in[0], z.in[1:]
		} else {
			z.err = errNSISBzip2
		}
		z.bits, z.have = z.bits<<8|uint64(b), z.have+8
	}
	z.have -= n
	return uint32(z.bits>>z.have) & (1<<n - 1)
}

// block reads the next block, or io.EOF.
func (z *nsisBzip2) block() error {
	switch z.get(8) {
	case 0x17:
		return io.EOF
	case 0x31:
	default:
		return errNSISBzip2
	}
	origin := z.get(24)
	used := z.symbols()
	tables, selectors := z.get(3), z.get(15)
	if len(used) == 0 || tables < 2 || tables > 6 || selectors == 0 || selectors > bzSelectors || z.err != nil {
		return errNSISBzip2
	}
	order := z.selectors(int(tables), int(selectors))
	codes := make([]bzCode, tables)
	for i := range codes {
		if !z.code(&codes[i], len(used)+2) {
			return errNSISBzip2
		}
	}
	if err := z.fill(used, order, codes); err != nil {
		return err
	}
	return z.invert(origin)
}

// symbols reads which bytes occur.
func (z *nsisBzip2) symbols() []byte {
	var used []byte
	groups := z.get(16)
	for i := range 16 {
		if groups>>(15-i)&1 == 0 {
			continue
		}
		set := z.get(16)
		for k := range 16 {
			if set>>(15-k)&1 != 0 {
				used = append(used, byte(16*i+k))
			}
		}
	}
	return used
}

// selectors reads which table each group of symbols uses, coded as moves to the
// front.
func (z *nsisBzip2) selectors(tables, n int) []byte {
	front := []byte{0, 1, 2, 3, 4, 5}[:tables]
	order := make([]byte, n)
	for i := range order {
		k := 0
		for z.get(1) == 1 && z.err == nil {
			if k++; k >= tables {
				z.err = errNSISBzip2
				return order
			}
		}
		order[i] = front[k]
		copy(front[1:k+1], front[:k])
		front[0] = order[i]
	}
	return order
}

// bzCode is a canonical code: for each length the first code and where its
// symbols start.
type bzCode struct {
	first, start [bzMaxLength + 2]int
	symbols      []uint16
}

// code reads the lengths of a code, each as a difference from the one before.
func (z *nsisBzip2) code(c *bzCode, symbols int) bool {
	lengths := make([]uint8, symbols)
	length := int(z.get(5))
	var count [bzMaxLength + 2]int
	for i := range lengths {
		for 1 <= length && length <= bzMaxLength && z.get(1) == 1 {
			length += 1 - 2*int(z.get(1))
		}
		if length < 1 || length > bzMaxLength {
			return false
		}
		lengths[i] = uint8(length)
		count[length]++
	}
	code := 0
	for n := 1; n <= bzMaxLength; n++ {
		c.first[n], c.start[n] = code, len(c.symbols)
		for s, l := range lengths {
			if int(l) == n {
				c.symbols = append(c.symbols, uint16(s))
			}
		}
		code = (code + count[n]) << 1
	}
	c.start[bzMaxLength+1] = len(c.symbols)
	return z.err == nil
}

// symbol reads one symbol.
func (z *nsisBzip2) symbol(c *bzCode) int {
	code := 0
	for n := 1; n <= bzMaxLength; n++ {
		code = code<<1 | int(z.get(1))
		if i := code - c.first[n]; i >= 0 && i < c.start[n+1]-c.start[n] {
			return int(c.symbols[c.start[n]+i])
		}
	}
	z.err = errNSISBzip2
	return 0
}

// fill reads the symbols of the block and undoes the move to the front. The two
// lowest symbols are the digits of the length of a run, the highest is the end.
func (z *nsisBzip2) fill(used, order []byte, codes []bzCode) error {
	z.tt = z.tt[:0]
	run, digit := 0, 1
	for n := 0; z.err == nil; n++ {
		if n/bzGroup >= len(order) {
			return errNSISBzip2
		}
		s := z.symbol(&codes[order[n/bzGroup]])
		if s < 2 {
			run += digit << s
			if digit <<= 1; run > bzBlock {
				return errNSISBzip2
			}
			continue
		}
		if len(z.tt)+run >= bzBlock+1 {
			return errNSISBzip2
		}
		for range run {
			z.tt = append(z.tt, uint32(used[0]))
		}
		run, digit = 0, 1
		if s == len(used)+1 {
			return nil
		}
		b := used[s-1]
		copy(used[1:s], used[:s-1])
		used[0] = b
		z.tt = append(z.tt, uint32(b))
	}
	return errNSISBzip2
}

// invert undoes the sorting: each position learns which one follows it.
func (z *nsisBzip2) invert(origin uint32) error {
	if int(origin) >= len(z.tt) {
		return errNSISBzip2
	}
	var at [257]int
	for _, c := range z.tt {
		at[c&0xff+1]++
	}
	for i := range 256 {
		at[i+1] += at[i]
	}
	for i := range z.tt {
		c := z.tt[i] & 0xff
		z.tt[at[c]] |= uint32(i) << 8
		at[c]++
	}
	z.next, z.pending, z.last, z.run = z.tt[origin], len(z.tt), -1, 0
	return nil
}
