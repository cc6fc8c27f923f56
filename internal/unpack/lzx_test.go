package unpack

import (
	"encoding/binary"
	"testing"
)

// packLZX packs blocks of a cabinet as LZX with flat codes: each block is one
// block of LZX of the kind. Matches are found greedily, and repeated offsets
// are used.
func packLZX(window, kind int, e8Size uint32) func([]byte) []byte {
	e := &lzxEncoder{kind: kind, slots: lzxSlots[window-lzxMinWindow], window: 1 << window, e8: e8Size, recent: [3]int{1, 1, 1}, last: map[uint32]int{}}
	return e.pack
}

type lzxEncoder struct {
	kind, slots, window int
	e8                  uint32
	recent              [3]int
	past                []byte
	last                map[uint32]int // where three bytes stood last
	mainLens, lenLens   []byte
	out                 []byte
	buffer, have        uint
}

func (e *lzxEncoder) bits(v, n int) {
	for i := n - 1; i >= 0; i-- {
		e.buffer = e.buffer<<1 | uint(v>>i&1)
		if e.have++; e.have == 16 {
			e.out = binary.LittleEndian.AppendUint16(e.out, uint16(e.buffer))
			e.buffer, e.have = 0, 0
		}
	}
}

func (e *lzxEncoder) pack(block []byte) []byte {
	e.out = nil
	if len(e.past) == 0 {
		if e.e8 == 0 {
			e.bits(0, 1)
		} else {
			e.bits(1, 1)
			e.bits(int(e.e8>>16), 16)
			e.bits(int(e.e8&0xFFFF), 16)
		}
	}
	e.bits(e.kind, 3)
	e.bits(len(block)>>8, 16)
	e.bits(len(block)&0xFF, 8)
	if e.kind == lzxUncompressed {
		return e.raw(block)
	}
	if e.kind == lzxAligned {
		for range 8 {
			e.bits(3, 3)
		}
	}
	main := flatCode(256 + 8*e.slots)
	if e.mainLens == nil {
		e.mainLens, e.lenLens = make([]byte, len(main)), make([]byte, lzxLengths)
	}
	e.lengths(e.mainLens[:256], main[:256])
	e.lengths(e.mainLens[256:], main[256:])
	e.lengths(e.lenLens, flatCode(lzxLengths))
	e.content(block)
	for e.have != 0 {
		e.bits(0, 1)
	}
	return e.out
}

func (e *lzxEncoder) raw(block []byte) []byte {
	e.bits(0, 1)
	for e.have != 0 {
		e.bits(0, 1)
	}
	for _, r := range e.recent {
		e.out = binary.LittleEndian.AppendUint32(e.out, uint32(r))
	}
	e.out = append(e.out, block...)
	if len(block)%2 == 1 {
		e.out = append(e.out, 0)
	}
	e.past = append(e.past, block...)
	return e.out
}

// flatCode gives n symbols a complete code of two neighbouring lengths.
func flatCode(n int) []byte {
	k := 0
	for 2<<k <= n {
		k++
	}
	lens := make([]byte, n)
	for i := range lens {
		lens[i] = byte(k)
		if i >= 2<<k-n {
			lens[i]++
		}
	}
	return lens
}

func (e *lzxEncoder) symbol(s, n int) {
	lens := flatCode(n)
	short := 0
	for short < n && lens[short] == lens[0] {
		short++
	}
	if s < short {
		e.bits(s, int(lens[0]))
	} else {
		e.bits(short<<1+s-short, int(lens[0])+1)
	}
}

// lengths writes code lengths as differences, with one run of equal ones.
func (e *lzxEncoder) lengths(old, lens []byte) {
	for _, n := range flatCode(lzxPretree) {
		e.bits(int(n), 4)
	}
	for i := 0; i < len(lens); {
		delta := (17 + int(old[i]) - int(lens[i])) % 17
		if i+4 <= len(lens) && same(old[i:][:4]) && same(lens[i:][:4]) {
			e.symbol(19, lzxPretree)
			e.bits(0, 1)
			e.symbol(delta, lzxPretree)
			i += 4
			continue
		}
		e.symbol(delta, lzxPretree)
		i++
	}
	copy(old, lens)
}

func same(b []byte) bool {
	for _, x := range b {
		if x != b[0] {
			return false
		}
	}
	return true
}

func (e *lzxEncoder) content(block []byte) {
	start := len(e.past)
	e.past = append(e.past, block...)
	for i := start; i < len(e.past); {
		length, offset := e.find(i)
		if length < 3 {
			e.symbol(int(e.past[i]), 256+8*e.slots)
			length = 1
		} else {
			e.match(length, offset)
		}
		for range length {
			if i+3 <= len(e.past) {
				e.last[hash3(e.past[i:])] = i
			}
			i++
		}
	}
}

func hash3(b []byte) uint32 { return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 }

func (e *lzxEncoder) find(i int) (length, offset int) {
	if i+3 > len(e.past) {
		return 0, 0
	}
	at, ok := e.last[hash3(e.past[i:])]
	if !ok || i-at > e.window-3 {
		return 0, 0
	}
	for length < 257 && i+length < len(e.past) && e.past[at+length] == e.past[i+length] {
		length++
	}
	return length, i - at
}

func (e *lzxEncoder) match(length, offset int) {
	slot, r := -1, &e.recent
	for i := range r {
		if slot < 0 && r[i] == offset {
			slot = i
			r[0], r[i] = r[i], r[0]
		}
	}
	if slot < 0 {
		slot = 3
		for slot+1 < e.slots && lzxBase(slot+1) <= offset+2 {
			slot++
		}
		r[0], r[1], r[2] = offset, r[0], r[1]
	}
	head := min(length-lzxMinMatch, 7)
	e.symbol(256+(slot<<3)+head, 256+8*e.slots)
	if head == 7 {
		e.symbol(length-lzxMinMatch-7, lzxLengths)
	}
	if slot < 3 {
		return
	}
	footer, rest := lzxFooter(slot), offset+2-lzxBase(slot)
	if e.kind == lzxAligned && footer >= 3 {
		e.bits(rest>>3, footer-3)
		e.symbol(rest&7, 8)
		return
	}
	e.bits(rest, footer)
}

// A code of the lengths 1, 2, …, 16, 16 uses the table and the counting.
func TestHuffmanLongCodes(t *testing.T) {
	lens := make([]byte, 17)
	for i := range lens {
		lens[i] = byte(min(i+1, 16))
	}
	var h huffman
	if !h.build(lens) {
		t.Fatal("a complete code is refused")
	}
	for s, n := range lens {
		e := &lzxEncoder{}
		code := 1<<n - 2 // ones, and a zero at the end
		if s == 16 {
			code = 1<<16 - 1
		}
		e.bits(code, int(n))
		e.bits(0, 32)
		if got := h.symbol(&lzxBits{b: e.out}); got != s {
			t.Errorf("code of symbol %d reads as %d", s, got)
		}
	}
	lens[0] = 2
	if h.build(lens) {
		t.Error("an incomplete code is taken")
	}
	lens[0], lens[1] = 1, 1
	if h.build(lens) {
		t.Error("a code of too many symbols is taken")
	}
}
