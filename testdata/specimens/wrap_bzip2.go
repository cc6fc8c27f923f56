package specimens

import (
	"bytes"
	"math/bits"
	"sort"
)

// bzip2Of compresses data of less than 900 kB into one block. The standard
// library only reads the format. Codes are as good as of equal length: the
// point is the wrapper, not the size.
func bzip2Of(data []byte) []byte {
	crc := uint32(0xffffffff)
	for _, b := range data {
		crc = crc<<8 ^ bzipTable[byte(crc>>24)^b]
	}
	crc = ^crc
	var w bitWriter
	w.out = []byte("BZh9")
	w.bits(0x314159265359, 48)
	w.bits(uint64(crc), 32)
	w.bits(0, 1) // not randomised
	last, origin := rotate(runs(data))
	w.bits(uint64(origin), 24)
	w.block(last)
	w.bits(0x177245385090, 48)
	w.bits(uint64(crc), 32) // of one block the sum over all is its own
	return w.flush()
}

// bzipTable is that of CRC-32 with the highest bit first.
var bzipTable = func() (t [256]uint32) {
	for i := range t {
		c := uint32(i) << 24
		for range 8 {
			c = c<<1 ^ 0x04c11db7*(c>>31)
		}
		t[i] = c
	}
	return t
}()

// runs writes four to 255 equal bytes as four and a count.
func runs(data []byte) []byte {
	var out []byte
	for i := 0; i < len(data); {
		n := 1
		for i+n < len(data) && n < 255 && data[i+n] == data[i] {
			n++
		}
		out = append(out, bytes.Repeat(data[i:i+1], min(n, 4))...)
		if n >= 4 {
			out = append(out, byte(n-4))
		}
		i += n
	}
	return out
}

// rotate is the transform of Burrows and Wheeler: the last column of the sorted
// rotations, and the row of the text itself.
func rotate(text []byte) (last []byte, origin int) {
	twice := append(append([]byte{}, text...), text...)
	rows := make([]int, len(text))
	for i := range rows {
		rows[i] = i
	}
	sort.SliceStable(rows, func(a, b int) bool {
		return bytes.Compare(twice[rows[a]:rows[a]+len(text)], twice[rows[b]:rows[b]+len(text)]) < 0
	})
	for row, at := range rows {
		last = append(last, twice[at+len(text)-1])
		if at == 0 {
			origin = row
		}
	}
	return last, origin
}

// bitWriter writes bits, highest first.
type bitWriter struct {
	out  []byte
	have uint64
	n    int
}

func (w *bitWriter) bits(v uint64, n int) {
	for n > 0 {
		n--
		w.have, w.n = w.have<<1|v>>n&1, w.n+1
		if w.n == 8 {
			w.out, w.have, w.n = append(w.out, byte(w.have)), 0, 0
		}
	}
}

func (w *bitWriter) flush() []byte {
	if w.n > 0 {
		w.bits(0, 8-w.n)
	}
	return w.out
}

// block writes the used bytes, two equal tables of codes, and the symbols.
func (w *bitWriter) block(last []byte) {
	var used [256]bool
	for _, b := range last {
		used[b] = true
	}
	var alphabet []byte
	var rows uint64
	for i, u := range used {
		if u {
			alphabet = append(alphabet, byte(i))
			rows |= 1 << (15 - i/16)
		}
	}
	w.bits(rows, 16)
	for row := range 16 {
		if rows>>(15-row)&1 == 1 {
			for i := range 16 {
				w.bits(map[bool]uint64{true: 1}[used[row*16+i]], 1)
			}
		}
	}
	symbols := toFront(last, alphabet)
	groups := (len(symbols) + 49) / 50
	w.bits(2, 3) // tables: two are the least
	w.bits(uint64(groups), 15)
	w.bits(0, groups) // always the first table
	length := codeLengths(len(alphabet) + 2)
	for range 2 {
		w.bits(uint64(length(0)), 5)
		for i := range len(alphabet) + 2 {
			if i > 0 && length(i) > length(i-1) {
				w.bits(0b10, 2) // one longer
			}
			w.bits(0, 1)
		}
	}
	short := 0
	for short < len(alphabet)+2 && length(short) == length(0) {
		short++
	}
	for _, s := range symbols {
		code := s
		if s >= short { // codes go on behind the shorter ones
			code = 2*short + s - short
		}
		w.bits(uint64(code), length(s))
	}
}

// codeLengths gives a complete code of n symbols of at most two lengths.
func codeLengths(n int) func(symbol int) int {
	short := bits.Len(uint(n)) - 1
	shorter := 1<<(short+1) - n
	return func(symbol int) int {
		if symbol < shorter {
			return short
		}
		return short + 1
	}
}

// toFront moves each byte to the front of the alphabet and gives its place; runs
// of the first place become numbers of the digits 1 and 2 in the symbols 0, 1.
func toFront(last, alphabet []byte) []int {
	order := append([]byte{}, alphabet...)
	var out []int
	zeros := 0
	end := func() {
		for ; zeros > 0; zeros = (zeros - 1) / 2 {
			out = append(out, (zeros-1)%2)
		}
	}
	for _, b := range last {
		at := bytes.IndexByte(order, b)
		if at == 0 {
			zeros++
			continue
		}
		end()
		out = append(out, at+1)
		copy(order[1:at+1], order[:at])
		order[0] = b
	}
	end()
	return append(out, len(alphabet)+1)
}
