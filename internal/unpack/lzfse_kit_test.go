package unpack

import (
	"encoding/binary"
	"math/bits"
)

// lzMatch is a step of LZ77: literals, then a match.
type lzMatch struct{ l, m, d int }

// findMatches parses greedily.
func findMatches(plain []byte, longest, farthest int) []lzMatch {
	var all []lzMatch
	last, from := map[[4]byte]int{}, 0
	for i := 0; i < len(plain); {
		n, d := 0, 0
		if i+4 <= len(plain) {
			key := [4]byte(plain[i:])
			if at, ok := last[key]; ok && i-at <= farthest {
				for n, d = 4, i-at; i+n < len(plain) && n < longest && plain[i+n] == plain[at+n]; n++ {
				}
			}
			last[key] = i
		}
		if n == 0 {
			i++
			continue
		}
		all = append(all, lzMatch{i - from, n, d})
		i += n
		from = i
	}
	if from < len(plain) {
		all = append(all, lzMatch{len(plain) - from, 0, 0})
	}
	return all
}

// shortMatch is the longest match in a code with so many literals: longer ones
// would be codes of other kinds.
var shortMatch = [4]int{10, 8, 6, 4}

// packLZVN packs with all kinds of code, and ends with the end code.
func packLZVN(plain []byte) []byte {
	var out []byte
	at, before := 0, 0
	for _, s := range findMatches(plain, 271, 1<<16-1) {
		for s.l > 3 || s.l > 0 && s.m == 0 {
			n := min(s.l, 271)
			if n >= 16 {
				out = append(out, 0xe0, byte(n-16))
			} else {
				out = append(out, 0xe0|byte(n))
			}
			out = append(out, plain[at:at+n]...)
			at, s.l = at+n, s.l-n
		}
		if s.m == 0 {
			continue
		}
		literals, m := plain[at:at+s.l], min(s.m, 10)
		l := byte(s.l)
		switch {
		case s.d == before && l == 0 && s.m < 16:
			m = s.m
			out = append(out, 0xf0|byte(m))
		case s.d == before && l == 0:
			m = s.m
			out = append(out, 0xf0, byte(m-16))
		case s.d == before && l != 0:
			m = min(m, shortMatch[l])
			out = append(out, l<<6|byte(m-3)<<3|6)
		case s.m > 10 && s.d < 1<<14:
			m = min(s.m, 34)
			v := uint16(s.d<<2 | (m-3)&3)
			out = append(out, 0xa0|l<<3|byte((m-3)>>2), byte(v), byte(v>>8))
		case s.d < 6<<8:
			m = min(m, shortMatch[l])
			out = append(out, l<<6|byte(m-3)<<3|byte(s.d>>8), byte(s.d))
		default:
			m = min(m, 4)
			out = append(out, l<<6|byte(m-3)<<3|7, byte(s.d), byte(s.d>>8))
		}
		out = append(out, literals...)
		at, before = at+s.l+s.m, s.d
		for rest := s.m - m; rest > 0; {
			n := min(rest, 15)
			out = append(out, 0xf0|byte(n))
			rest -= n
		}
	}
	return append(out, 0x06, 0, 0, 0, 0, 0, 0, 0)
}

// lzfseBits writes a stream that is read backwards.
type lzfseBits struct {
	out  []byte
	acc  uint64
	have int
}

func (w *lzfseBits) push(v, n int) {
	w.acc |= uint64(v) << w.have
	for w.have += n; w.have >= 8; w.have -= 8 {
		w.out, w.acc = append(w.out, byte(w.acc)), w.acc>>8
	}
}

// finish returns the unused bits of the last byte.
func (w *lzfseBits) finish() int {
	if w.have == 0 {
		return 0
	}
	w.out = append(w.out, byte(w.acc))
	return 8 - w.have
}

// lzfseCoder is the encoder of one alphabet.
type lzfseCoder struct {
	states int
	counts []uint16
	offset []int
}

// newCoder scales counts so that they fill the states.
func newCoder(symbols, states int, seen []int) *lzfseCoder {
	c := &lzfseCoder{states: states, counts: make([]uint16, symbols), offset: make([]int, symbols)}
	total, sum, most := 0, 0, 0
	for _, n := range seen {
		total += n
	}
	for s, n := range seen {
		if n > 0 {
			c.counts[s] = uint16(max(1, n*states/total))
		}
		sum += int(c.counts[s])
		if c.counts[s] > c.counts[most] {
			most = s
		}
	}
	for sum > states { // many rare symbols: take from the most frequent
		for s := range c.counts {
			if c.counts[s] > 1 && sum > states {
				c.counts[s]--
				sum--
			}
		}
	}
	c.counts[most] += uint16(states - sum)
	at := 0
	for s, n := range c.counts {
		c.offset[s] = at
		at += int(n)
	}
	return c
}

func (c *lzfseCoder) encode(w *lzfseBits, state, symbol int) int {
	f := int(c.counts[symbol])
	k := bits.Len(uint(c.states)) - bits.Len(uint(f))
	if state < f<<k-c.states {
		k--
	}
	w.push(state&(1<<k-1), k)
	return c.offset[symbol] - f + c.states>>k + state>>k
}

// symbolOf finds the symbol of a value.
func symbolOf(v, symbols int, extra func(int) (int, int)) (symbol, rest, n int) {
	for s := symbols - 1; ; s-- {
		if base, bits := extra(s); base <= v {
			return s, v - base, bits
		}
	}
}

// packLZFSE packs into blocks of one kind, which is stored, LZVN, v1 or v2.
func packLZFSE(kind string, plain []byte) []byte {
	var out []byte
	if kind == lzfseStored || kind == lzfseLZVN {
		out = binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(plain)))
		if kind == lzfseStored {
			out = append(out, plain...)
		} else {
			packed := packLZVN(plain)
			out = append(binary.LittleEndian.AppendUint32(out, uint32(len(packed))), packed...)
		}
		return append(out, lzfseEnd...)
	}
	at := 0
	steps := findMatches(plain, 300, 1<<17)
	for len(steps) > 0 {
		var block []lzMatch
		literals, from := 0, at
		var text []byte
		for len(steps) > 0 && len(block) < lzfseMatches && literals+min(steps[0].l, 315) <= lzfseLiterals-4 {
			s := steps[0]
			if s.l > 315 { // more than one step may have
				steps[0].l -= 315
				s = lzMatch{315, 0, 1}
			} else {
				steps = steps[1:]
				s.d = max(s.d, 1)
			}
			block, literals = append(block, s), literals+s.l
			text = append(text, plain[at:at+s.l]...)
			at += s.l + s.m
		}
		out = append(out, packLZFSEBlock(kind, at-from, text, block)...)
	}
	return append(out, lzfseEnd...)
}

func packLZFSEBlock(kind string, size int, literals []byte, block []lzMatch) []byte {
	for len(literals)%4 != 0 {
		literals = append(literals, 0)
	}
	extras := [3]func(int) (int, int){literalLength, matchLength, matchDistance}
	var coders [4]*lzfseCoder
	for i, a := range lzfseAlphabets {
		seen := make([]int, a.symbols)
		if i == 3 {
			for _, b := range literals {
				seen[b]++
			}
		} else {
			for _, s := range block {
				symbol, _, _ := symbolOf([3]int{s.l, s.m, s.d}[i], a.symbols, extras[i])
				seen[symbol]++
			}
		}
		coders[i] = newCoder(a.symbols, a.states, seen)
	}
	first, second := lzfseBits{}, lzfseBits{out: make([]byte, 8)} // Apple's encoder puts zeros before the second
	var literalState [4]int
	for i := len(literals) - 1; i >= 0; i-- {
		literalState[i&3] = coders[3].encode(&first, literalState[i&3], int(literals[i]))
	}
	literalBits := first.finish()
	var state [3]int
	for i := len(block) - 1; i >= 0; i-- {
		values := [3]int{block[i].l, block[i].m, block[i].d}
		for k := 2; k >= 0; k-- {
			symbol, rest, n := symbolOf(values[k], lzfseAlphabets[k].symbols, extras[k])
			second.push(rest, n)
			state[k] = coders[k].encode(&second, state[k], symbol)
		}
	}
	matchBits := second.finish()
	head := binary.LittleEndian.AppendUint32([]byte(kind), uint32(size))
	if kind == lzfseV1 {
		for _, n := range []int{len(first.out) + len(second.out), len(literals), len(block), len(first.out), len(second.out), -literalBits} {
			head = binary.LittleEndian.AppendUint32(head, uint32(n))
		}
		for _, n := range literalState {
			head = binary.LittleEndian.AppendUint16(head, uint16(n))
		}
		head = binary.LittleEndian.AppendUint32(head, uint32(-matchBits))
		for _, n := range state {
			head = binary.LittleEndian.AppendUint16(head, uint16(n))
		}
		for _, c := range coders {
			for _, n := range c.counts {
				head = binary.LittleEndian.AppendUint16(head, n)
			}
		}
	} else {
		counts := packCounts(coders)
		put := func(v uint64) { head = binary.LittleEndian.AppendUint64(head, v) }
		put(uint64(len(literals)) | uint64(len(first.out))<<20 | uint64(len(block))<<40 | uint64(7-literalBits)<<60)
		put(uint64(literalState[0]) | uint64(literalState[1])<<10 | uint64(literalState[2])<<20 | uint64(literalState[3])<<30 |
			uint64(len(second.out))<<40 | uint64(7-matchBits)<<60)
		put(uint64(lzfseHeadV2+len(counts)) | uint64(state[0])<<32 | uint64(state[1])<<42 | uint64(state[2])<<52)
		head = append(head, counts...)
	}
	return append(append(head, first.out...), second.out...)
}

// packCounts packs the tables of a header.
func packCounts(coders [4]*lzfseCoder) []byte {
	var w lzfseBits
	for _, c := range coders {
		for _, count := range c.counts {
			switch n := int(count); {
			case n < 2:
				w.push(n<<1, 2)
			case n < 4:
				w.push(1|(n-2)<<2, 3)
			case n < 8:
				w.push(3|(n-4)<<3, 5)
			case n < 24:
				w.push(7|(n-8)<<4, 8)
			default:
				w.push(15|(n-24)<<4, 14)
			}
		}
	}
	w.finish()
	return w.out
}
