package unpack

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// lzx unpacks LZX blocks of cabinets. The format is that of [MS-PATCH], "LZX
// DELTA Compression and Decompression", without its deltas, and of "Microsoft
// LZX Data Compression Format" of the Cabinet SDK.
type lzx struct {
	window []byte // a ring
	pos    int    // in window; also the place of the next output byte
	total  int64  // output so far
	recent [3]int // repeated match offsets R0, R1, R2

	mainLens [256 + 8*lzxMaxSlots]byte
	lenLens  [lzxLengths]byte
	main     huffman
	length   huffman
	aligned  huffman
	slots    int

	kind      int // of the current block
	size      int // of the current block
	remaining int // of the current block

	started bool // the first bits were read
	calls   bool // call instructions may have been translated
	e8Size  int32
	in      lzxBits
}

const (
	lzxMinWindow = 15 // powers of two
	lzxMaxWindow = 21
	lzxMaxSlots  = 50
	lzxLengths   = 249
	lzxMinMatch  = 2
	lzxPretree   = 20

	lzxVerbatim     = 1
	lzxAligned      = 2
	lzxUncompressed = 3

	// Calls are translated in the first 32768 blocks only.
	lzxMaxE8 = 32768 * cabBlock
)

// lzxSlots is the number of position slots of each window size.
var lzxSlots = [...]int{30, 32, 34, 36, 38, 42, 50}

var errLZX = errors.New("the LZX content is broken")

func newLZX(window int) (*lzx, error) {
	if window < lzxMinWindow || window > lzxMaxWindow {
		return nil, fmt.Errorf("LZX window of 2^%d bytes: %w", window, ErrUnsupported)
	}
	return &lzx{
		window: make([]byte, 1<<window),
		recent: [3]int{1, 1, 1},
		slots:  lzxSlots[window-lzxMinWindow],
	}, nil
}

// lzxFooter is the number of extra bits of a position slot, lzxBase its first
// offset.
func lzxFooter(slot int) int {
	if slot < 4 {
		return 0
	}
	return min(slot/2-1, 17)
}

func lzxBase(slot int) int {
	switch {
	case slot < 2:
		return slot
	case slot < 36:
		return (2 | slot&1) << (slot/2 - 1)
	}
	return (slot - 34) << 17
}

// unpack decodes one block of the cabinet, which is a frame of LZX: its bits
// begin and end on a boundary, and no match crosses its end.
func (z *lzx) unpack(packed []byte, size int) ([]byte, error) {
	if size > cabBlock {
		return nil, errLZX
	}
	z.in = lzxBits{b: packed}
	if !z.started {
		z.started = true
		if z.in.bits(1) != 0 {
			z.e8Size = int32(z.in.bits(16)<<16 | z.in.bits(16))
		}
	}
	out := make([]byte, 0, size)
	for len(out) < size {
		if z.remaining == 0 {
			if err := z.block(); err != nil {
				return nil, err
			}
		}
		before := len(out)
		var err error
		if out, err = z.run(out, min(z.remaining, size-len(out))); err != nil {
			return nil, err
		}
		z.remaining -= len(out) - before
		if z.remaining == 0 && z.kind == lzxUncompressed && z.size%2 == 1 && z.in.at < len(packed) {
			z.in.at++ // up to the next word
		}
		if z.in.over() {
			return nil, errCutShort
		}
	}
	z.translate(out)
	z.total += int64(len(out))
	return out, nil
}

// block reads the header of a block.
func (z *lzx) block() error {
	z.kind = z.in.bits(3)
	z.size = z.in.bits(16)<<8 | z.in.bits(8)
	z.remaining = z.size
	if z.size == 0 || z.in.over() {
		return errLZX
	}
	switch z.kind {
	case lzxAligned:
		var lens [8]byte
		for i := range lens {
			lens[i] = byte(z.in.bits(3))
		}
		if !z.aligned.build(lens[:]) {
			return errLZX
		}
		return z.trees()
	case lzxVerbatim:
		return z.trees()
	case lzxUncompressed:
		z.calls = true
		z.in.align()
		for i := range z.recent {
			b := z.in.raw(4)
			if b == nil {
				return errCutShort
			}
			z.recent[i] = int(binary.LittleEndian.Uint32(b))
		}
		return nil
	}
	return errLZX
}

func (z *lzx) trees() error {
	main := z.mainLens[:256+8*z.slots]
	if !z.lengths(main[:256]) || !z.lengths(main[256:]) || !z.lengths(z.lenLens[:]) {
		return errLZX
	}
	z.calls = z.calls || main[0xE8] != 0
	if !z.main.build(main) || !z.length.build(z.lenLens[:]) {
		return errLZX
	}
	return nil
}

// lengths reads code lengths as differences from those of the last block.
func (z *lzx) lengths(lens []byte) bool {
	var pre huffman
	var preLens [lzxPretree]byte
	for i := range preLens {
		preLens[i] = byte(z.in.bits(4))
	}
	if !pre.build(preLens[:]) {
		return false
	}
	for i := 0; i < len(lens); {
		symbol, n := pre.symbol(&z.in), 1
		if symbol < 0 || z.in.over() {
			return false
		}
		value := byte(0)
		switch symbol {
		case 17:
			n = 4 + z.in.bits(4)
		case 18:
			n = 20 + z.in.bits(5)
		case 19:
			n = 4 + z.in.bits(1)
			if symbol = pre.symbol(&z.in); symbol < 0 || symbol > 16 {
				return false
			}
			fallthrough
		default:
			value = byte((17 + int(lens[i]) - symbol) % 17)
		}
		if n > len(lens)-i {
			return false
		}
		for range n {
			lens[i] = value
			i++
		}
	}
	return true
}

// run decodes n bytes of the current block.
func (z *lzx) run(out []byte, n int) ([]byte, error) {
	if z.kind == lzxUncompressed {
		b := z.in.raw(n)
		if b == nil {
			return nil, errCutShort
		}
		for _, x := range b {
			z.put(x)
		}
		return append(out, b...), nil
	}
	for end := len(out) + n; len(out) < end; {
		symbol := z.main.symbol(&z.in)
		if symbol < 0 || z.in.over() {
			return nil, errLZX
		}
		if symbol < 256 {
			z.put(byte(symbol))
			out = append(out, byte(symbol))
			continue
		}
		length, offset := z.match(symbol - 256)
		if length < 0 || length > end-len(out) || offset <= 0 || offset > len(z.window) || int64(offset) > z.total+int64(len(out)) {
			return nil, errLZX
		}
		for range length {
			x := z.window[(z.pos-offset)&(len(z.window)-1)]
			z.put(x)
			out = append(out, x)
		}
	}
	return out, nil
}

func (z *lzx) put(x byte) {
	z.window[z.pos] = x
	z.pos = (z.pos + 1) & (len(z.window) - 1)
}

// match reads the length and offset of a match; the length is -1 if they are
// broken.
func (z *lzx) match(symbol int) (length, offset int) {
	length = symbol & 7
	if length == 7 {
		more := z.length.symbol(&z.in)
		if more < 0 {
			return -1, 0
		}
		length += more
	}
	length += lzxMinMatch
	r := &z.recent
	switch slot := symbol >> 3; slot {
	case 0:
	case 1:
		r[0], r[1] = r[1], r[0]
	case 2:
		r[0], r[2] = r[2], r[0]
	default:
		if offset = z.offset(slot); offset < 0 {
			return -1, 0
		}
		r[0], r[1], r[2] = offset, r[0], r[1]
	}
	return length, r[0]
}

func (z *lzx) offset(slot int) int {
	footer := lzxFooter(slot)
	offset := lzxBase(slot) - 2
	if z.kind != lzxAligned || footer < 3 {
		return offset + z.in.bits(footer)
	}
	offset += z.in.bits(footer-3) << 3
	low := z.aligned.symbol(&z.in)
	if low < 0 {
		return -1
	}
	return offset + low
}

// translate turns the absolute targets of call instructions (E8) back into
// relative ones.
func (z *lzx) translate(out []byte) {
	if z.e8Size == 0 || !z.calls || z.total >= lzxMaxE8 || len(out) <= 10 {
		return
	}
	for i := 0; i < len(out)-10; i++ {
		if out[i] != 0xE8 {
			continue
		}
		at := int32(z.total) + int32(i)
		target := int32(binary.LittleEndian.Uint32(out[i+1:]))
		if target >= -at && target < z.e8Size {
			if target >= 0 {
				target -= at
			} else {
				target += z.e8Size
			}
			binary.LittleEndian.PutUint32(out[i+1:], uint32(target))
		}
		i += 4
	}
}

// lzxBits reads bits from 16-bit little-endian words, the highest first.
type lzxBits struct {
	b      []byte
	at     int
	buffer uint64
	have   int // bits in buffer
	beyond int // words read beyond the end
}

func (r *lzxBits) fill() {
	for r.have <= 32 {
		var word uint16
		switch left := len(r.b) - r.at; {
		case left >= 2:
			word = binary.LittleEndian.Uint16(r.b[r.at:])
		case left == 1:
			word = uint16(r.b[r.at])
		default:
			r.beyond++
		}
		r.at += 2
		r.buffer = r.buffer<<16 | uint64(word)
		r.have += 16
	}
}

func (r *lzxBits) peek(n int) int {
	if r.have < n {
		r.fill()
	}
	return int(r.buffer>>(r.have-n)) & (1<<n - 1) // #nosec G115 -- n bits, at most 17
}

func (r *lzxBits) bits(n int) int {
	v := r.peek(n)
	r.have -= n
	return v
}

// over tells if bits were used that are not there.
func (r *lzxBits) over() bool { return r.beyond*16 > r.have }

// align throws away one to sixteen bits, up to the next word; what is read next
// are bytes.
func (r *lzxBits) align() {
	r.peek(1)
	n := r.have % 16
	if n == 0 {
		n = 16
	}
	r.have -= n
	r.rewind()
}

// rewind gives whole words in the buffer back.
func (r *lzxBits) rewind() {
	r.at -= r.have / 8
	r.have, r.buffer, r.beyond = 0, 0, 0
}

// raw reads n bytes after align; nil if there are fewer.
func (r *lzxBits) raw(n int) []byte {
	if r.at < 0 || r.at > len(r.b) || n > len(r.b)-r.at {
		r.beyond++
		return nil
	}
	b := r.b[r.at:][:n]
	r.at += n
	return b
}

// huffman is a canonical code of at most 16 bits: short codes are found in a
// table, long ones by counting.
type huffman struct {
	table   [1 << lzxTableBits]uint16 // symbol<<4 | length; 0: a longer code, or none
	count   [17]int                   // codes of each length
	symbols []uint16                  // in the order of their codes
}

const lzxTableBits = 10

// build makes the code of the lengths. A code of no symbols is allowed, and
// fails when it is used; one that is not complete is not allowed.
func (h *huffman) build(lens []byte) bool {
	h.count = [17]int{}
	for _, n := range lens {
		h.count[n]++
	}
	h.count[0] = 0
	var next [17]int
	left, total := 1, 0
	for n := 1; n <= 16; n++ {
		left = left<<1 - h.count[n]
		if left < 0 {
			return false
		}
		next[n] = total
		total += h.count[n]
	}
	if total > 1 && left != 0 {
		return false
	}
	h.symbols = append(h.symbols[:0], make([]uint16, total)...)
	for s, n := range lens {
		if n > 0 {
			h.symbols[next[n]] = uint16(s)
			next[n]++
		}
	}
	h.fillTable()
	return true
}

func (h *huffman) fillTable() {
	clear(h.table[:])
	at, first := 0, 0
	for n := 1; n <= lzxTableBits; n++ {
		for range h.count[n] {
			fill := h.table[at:][:1<<(lzxTableBits-n)]
			for i := range fill {
				fill[i] = h.symbols[first]<<4 | uint16(n)
			}
			at += len(fill)
			first++
		}
	}
}

// symbol reads one symbol; -1 if the bits are no code.
func (h *huffman) symbol(in *lzxBits) int {
	if e := h.table[in.peek(lzxTableBits)]; e != 0 {
		in.have -= int(e & 15)
		return int(e >> 4)
	}
	bits := in.peek(16)
	code, first := 0, 0
	for n := 1; n <= 16; n++ {
		code = code<<1 | bits>>(16-n)&1
		if index := code - h.count[n]; index < 0 {
			in.have -= n
			return int(h.symbols[first+code])
		}
		first += h.count[n]
		code -= h.count[n]
	}
	return -1
}
