package unpack

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// LZFSE, as Apple's reference implementation defines it: blocks of which each is
// stored, LZVN, or LZ77 with finite state entropy. Numbers are little-endian.
const (
	lzfseEnd    = "bvx$"
	lzfseStored = "bvx-"
	lzfseV1     = "bvx1" // tables as they are
	lzfseV2     = "bvx2" // tables packed
	lzfseLZVN   = "bvxn"

	lzfseMatches  = 10000 // of a block at most
	lzfseLiterals = 4 * lzfseMatches

	lzfseHeadV1 = 770 // bytes
	lzfseHeadV2 = 32  // bytes before the packed tables
)

// The four alphabets: lengths of literals, lengths of matches, distances, and
// literals. Their counts stand one after another in a header.
var lzfseAlphabets = [4]struct{ symbols, states int }{{20, 64}, {20, 64}, {64, 256}, {256, 1024}}

const lzfseCounts = 20 + 20 + 64 + 256

var errLZFSE = errors.New("the content is damaged: it is no LZFSE")

// unpackLZFSE decompresses to at most size bytes.
func unpackLZFSE(packed []byte, size int) ([]byte, error) {
	out := make([]byte, 0, size)
	for {
		if len(packed) < 4 {
			return nil, errLZFSE
		}
		if string(packed[:4]) == lzfseEnd {
			return out, nil
		}
		if len(packed) < 12 {
			return nil, errLZFSE
		}
		n := binary.LittleEndian.Uint32(packed[4:])
		if uint64(n) > uint64(size-len(out)) {
			return nil, errLZFSE
		}
		var err error
		if out, packed, err = lzfseBlockOf(packed, out, int(n)); err != nil {
			return nil, err
		}
	}
}

// lzfseBlockOf appends the n bytes of one block, and returns what is behind it.
func lzfseBlockOf(packed, out []byte, n int) (all, rest []byte, err error) {
	want := len(out) + n
	switch string(packed[:4]) {
	case lzfseStored:
		if n > len(packed)-8 {
			return nil, nil, errLZFSE
		}
		return append(out, packed[8:8+n]...), packed[8+n:], nil
	case lzfseLZVN:
		size := int64(binary.LittleEndian.Uint32(packed[8:]))
		if size > int64(len(packed)-12) {
			return nil, nil, errLZFSE
		}
		out, err = appendLZVN(out, packed[12:12+size], want)
		rest = packed[12+size:]
	case lzfseV1, lzfseV2:
		b, body := readLZFSE(packed)
		if b == nil {
			return nil, nil, errLZFSE
		}
		out, err = b.unpack(out, body, want)
		rest = body[b.literalBytes+b.matchBytes:]
	default:
		return nil, nil, errLZFSE
	}
	if err == nil && len(out) != want {
		err = errLZFSE
	}
	return out, rest, err
}

// lzfseHead is the header of a block.
type lzfseHead struct {
	literals, matches        int
	literalBytes, matchBytes int // of the two bit streams
	literalBits, matchBits   int // bits of the last byte that do not count
	literalState             [4]int
	state                    [3]int // of lengths of literals and of matches, and distances
	counts                   [lzfseCounts]uint16
}

// readLZFSE reads a header, or returns nil.
func readLZFSE(b []byte) (*lzfseHead, []byte) {
	h, n := &lzfseHead{}, 0
	if string(b[:4]) == lzfseV1 {
		n = h.readV1(b)
	} else {
		n = h.readV2(b)
	}
	if n == 0 || !h.isPossible() || h.literalBytes+h.matchBytes > len(b)-n {
		return nil, nil
	}
	return h, b[n:]
}

// isPossible checks what the decoder relies on.
func (h *lzfseHead) isPossible() bool {
	ok := h.literals <= lzfseLiterals && h.literals%4 == 0 && h.matches <= lzfseMatches &&
		h.literalBytes >= 0 && h.matchBytes >= 0 && h.literalBytes < 1<<20 && h.matchBytes < 1<<20 &&
		h.literalBits >= 0 && h.literalBits < 8 && h.matchBits >= 0 && h.matchBits < 8
	for i, s := range h.state {
		ok = ok && s < lzfseAlphabets[i].states
	}
	for _, s := range h.literalState {
		ok = ok && s < lzfseAlphabets[3].states
	}
	return ok
}

func (h *lzfseHead) readV1(b []byte) int {
	if len(b) < lzfseHeadV1 {
		return 0
	}
	number := func(at int) int { return int(int32(binary.LittleEndian.Uint32(b[at:]))) }
	short := func(at int) int { return int(binary.LittleEndian.Uint16(b[at:])) }
	h.literals, h.matches = number(12)&(1<<20-1), number(16)&(1<<20-1)
	h.literalBytes, h.matchBytes = number(20), number(24)
	h.literalBits, h.matchBits = -number(28), -number(40)
	for i := range h.literalState {
		h.literalState[i] = short(32 + 2*i)
	}
	for i := range h.state {
		h.state[i] = short(44 + 2*i)
	}
	for i := range h.counts {
		h.counts[i] = uint16(short(50 + 2*i))
	}
	return lzfseHeadV1
}

func (h *lzfseHead) readV2(b []byte) int {
	if len(b) < lzfseHeadV2 {
		return 0
	}
	field := func(word, at, n int) int {
		return int(binary.LittleEndian.Uint64(b[8+8*word:]) >> at & (1<<n - 1)) // #nosec G115 -- n bits, at most 20
	}
	h.literals, h.literalBytes, h.matches, h.literalBits = field(0, 0, 20), field(0, 20, 20), field(0, 40, 20), 7-field(0, 60, 3)
	h.matchBytes, h.matchBits = field(1, 40, 20), 7-field(1, 60, 3)
	for i := range h.literalState {
		h.literalState[i] = field(1, 10*i, 10)
	}
	for i := range h.state {
		h.state[i] = field(2, 32+10*i, 10)
	}
	size := field(2, 0, 32)
	if size < lzfseHeadV2 || size > len(b) || !h.readCounts(b[lzfseHeadV2:size]) {
		return 0
	}
	return size
}

// readCounts reads the packed tables: a prefix code for small counts, and 4 or
// 10 bits behind a prefix for larger ones. Without bytes all are 0.
func (h *lzfseHead) readCounts(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	acc, have := uint32(0), 0
	for i := range h.counts {
		for have <= 24 && len(b) > 0 {
			acc |= uint32(b[0]) << have
			b, have = b[1:], have+8
		}
		count, n := lzfseCount(acc)
		if n > have {
			return false
		}
		h.counts[i], acc, have = count, acc>>n, have-n
	}
	return len(b) == 0 && have < 8
}

func lzfseCount(acc uint32) (count uint16, n int) {
	switch {
	case acc&1 == 0:
		return uint16(acc >> 1 & 1), 2
	case acc&2 == 0:
		return uint16(2 + acc>>2&1), 3
	case acc&4 == 0:
		return uint16(4 + acc>>3&3), 5
	case acc&8 == 0:
		return uint16(8 + acc>>4&0xf), 8
	}
	return uint16(24 + acc>>4&0x3ff), 14
}

// lzfseEntry is a state of a decoder: what it stands for and how the next state
// is found.
type lzfseEntry struct {
	symbol uint8
	bits   uint8 // read for the next state
	next   uint16
}

// lzfseTable makes the states of an alphabet.
func lzfseTable(table []lzfseEntry, counts []uint16) bool {
	states, at := len(table), 0
	for symbol, count := range counts {
		f := int(count)
		if f == 0 {
			continue
		}
		if at+f > states {
			return false
		}
		// The least shift that lets f cover all states, so that some of its
		// states read one bit less.
		k := bits.Len(uint(states)) - bits.Len(uint(f))
		long := 2*states>>k - f
		for j := range f {
			e := lzfseEntry{symbol: uint8(symbol), bits: uint8(k), next: uint16((f+j)<<k - states)}
			if j >= long {
				e.bits, e.next = uint8(k-1), uint16((j-long)<<(k-1))
			}
			table[at+j] = e
		}
		at += f
	}
	return true
}

// unpack decodes both streams of a block.
func (h *lzfseHead) unpack(out, body []byte, want int) ([]byte, error) {
	tables, first := [4][]lzfseEntry{}, 0
	for i, a := range lzfseAlphabets {
		tables[i] = make([]lzfseEntry, a.states)
		if !lzfseTable(tables[i], h.counts[first:first+a.symbols]) {
			return nil, errLZFSE
		}
		first += a.symbols
	}
	literals, ok := h.readLiterals(body[:h.literalBytes], tables[3])
	if !ok {
		return nil, errLZFSE
	}
	return h.copyMatches(out, body[h.literalBytes:h.literalBytes+h.matchBytes], literals, tables, want)
}

// readLiterals decodes the literals, of which four states take turns.
func (h *lzfseHead) readLiterals(stream []byte, table []lzfseEntry) ([]byte, bool) {
	in := newBackBits(stream, h.literalBits)
	literals, state := make([]byte, h.literals), h.literalState
	for i := range literals {
		e := table[state[i&3]]
		literals[i] = e.symbol
		state[i&3] = int(e.next) + in.pull(int(e.bits))
	}
	return literals, !in.bad
}

// copyMatches decodes the matches, and builds the content of them and the
// literals.
func (h *lzfseHead) copyMatches(out, stream, literals []byte, tables [4][]lzfseEntry, want int) ([]byte, error) {
	in := newBackBits(stream, h.matchBits)
	state, distance := h.state, 0
	next := func(i int, extra func(symbol int) (base, bits int)) int {
		e := tables[i][state[i]]
		base, n := extra(int(e.symbol))
		state[i] = int(e.next) + in.pull(int(e.bits))
		return base + in.pull(n)
	}
	for range h.matches {
		l, m := next(0, literalLength), next(1, matchLength)
		if d := next(2, matchDistance); d != 0 {
			distance = d
		}
		if in.bad || l > len(literals) || l+m > want-len(out) {
			return nil, errLZFSE
		}
		out, literals = append(out, literals[:l]...), literals[l:]
		if m > 0 && (distance == 0 || distance > len(out)) {
			return nil, errLZFSE
		}
		out = appendMatch(out, distance, m)
	}
	return out, nil
}

// appendMatch repeats n bytes from a distance back; they may overlap what is
// made.
func appendMatch(out []byte, distance, n int) []byte {
	for n > 0 {
		from := len(out) - distance
		part := min(n, distance)
		out, n = append(out, out[from:from+part]...), n-part
	}
	return out
}

// literalLength is the length that a symbol stands for, and the bits to add.
func literalLength(symbol int) (base, bits int) {
	if symbol < 16 {
		return symbol, 0
	}
	return [4]int{16, 20, 28, 60}[symbol-16], [4]int{2, 3, 5, 8}[symbol-16]
}

func matchLength(symbol int) (base, bits int) {
	if symbol < 16 {
		return symbol, 0
	}
	return [4]int{16, 24, 56, 312}[symbol-16], [4]int{3, 5, 8, 11}[symbol-16]
}

// matchDistance has four symbols for each number of bits.
func matchDistance(symbol int) (base, bits int) {
	bits = symbol / 4
	return (4<<bits - 4) + symbol%4<<bits, bits
}

// backBits reads a stream of bits from its end to its begin.
type backBits struct {
	b    []byte
	acc  uint64
	have int
	bad  bool // more was read than there is
}

// newBackBits opens a stream; the highest bits of its last byte are unused.
func newBackBits(b []byte, unused int) *backBits {
	in := &backBits{b: b}
	in.fill()
	in.have = max(0, in.have-unused)
	in.bad = in.acc>>in.have != 0 || unused > 0 && len(b) == 0
	in.acc &= 1<<in.have - 1
	return in
}

func (in *backBits) fill() {
	for in.have <= 48 && len(in.b) > 0 {
		last := len(in.b) - 1
		in.acc, in.have, in.b = in.acc<<8|uint64(in.b[last]), in.have+8, in.b[:last]
	}
}

// pull reads at most 15 bits.
func (in *backBits) pull(n int) int {
	if in.have < n {
		if in.fill(); in.have < n {
			in.bad = true
			return 0
		}
	}
	in.have -= n
	v := in.acc >> in.have
	in.acc &= 1<<in.have - 1
	return int(v) // #nosec G115 -- n bits
}
