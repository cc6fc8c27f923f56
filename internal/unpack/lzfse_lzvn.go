package unpack

import (
	"encoding/binary"
	"errors"
)

var errLZVN = errors.New("the content is damaged: it is no LZVN")

// unpackLZVN decompresses LZVN without a header to at most size bytes.
func unpackLZVN(packed []byte, size int) ([]byte, error) {
	return appendLZVN(make([]byte, 0, size), packed, size)
}

// lzvnCode is one code: literals, then a match.
type lzvnCode struct {
	length          int // bytes of the code itself
	literals, match int
	distance        int // 0: as before
	end             bool
}

// appendLZVN appends to out until it has want bytes or the stream ends. Matches
// may reach back to all of out.
func appendLZVN(out, packed []byte, want int) ([]byte, error) {
	distance := 0
	for len(out) < want {
		code, ok := readLZVN(packed)
		if !ok {
			return nil, errLZVN
		}
		if code.end {
			return out, nil
		}
		packed = packed[code.length:]
		if code.distance != 0 {
			distance = code.distance
		}
		l := min(code.literals, want-len(out))
		if l > len(packed) {
			return nil, errLZVN
		}
		out, packed = append(out, packed[:l]...), packed[l:]
		m := min(code.match, want-len(out))
		if m > 0 && (distance == 0 || distance > len(out)) {
			return nil, errLZVN
		}
		out = appendMatch(out, distance, m)
	}
	return out, nil
}

// readLZVN reads a code, whose kind its first byte tells (lzvn_decode_base.c of
// Apple's reference implementation).
func readLZVN(b []byte) (c lzvnCode, ok bool) {
	var wide [3]byte
	if copy(wide[:], b) == 0 {
		return c, false
	}
	op := int(b[0])
	second, pair := int(wide[1]), int(binary.LittleEndian.Uint16(wide[1:]))
	switch {
	case op == 0x06:
		return lzvnCode{end: true}, true
	case op == 0x0e || op == 0x16: // nothing
		c = lzvnCode{length: 1}
	case op >= 0xf0: // match: 1111mmmm, or 11110000 mmmmmmmm
		c = lzvnCode{length: 1, match: op & 15}
		if op == 0xf0 {
			c = lzvnCode{length: 2, match: second + 16}
		}
	case op >= 0xe0: // literals: 1110llll, or 11100000 llllllll
		c = lzvnCode{length: 1, literals: op & 15}
		if op == 0xe0 {
			c = lzvnCode{length: 2, literals: second + 16}
		}
	case op >= 0xd0 || op>>4 == 7 || op&7 == 6 && op < 0x40:
		return c, false
	case op>>5 == 5: // 101llmmm ddddddmm dddddddd
		c = lzvnCode{length: 3, literals: op >> 3 & 3, match: (op&7)<<2 + pair&3 + 3, distance: pair >> 2}
	case op&7 == 7: // llmmm111 dddddddd dddddddd
		c = lzvnCode{length: 3, literals: op >> 6, match: op>>3&7 + 3, distance: pair}
	case op&7 == 6: // llmmm110
		c = lzvnCode{length: 1, literals: op >> 6, match: op>>3&7 + 3}
	default: // llmmmddd dddddddd
		c = lzvnCode{length: 2, literals: op >> 6, match: op>>3&7 + 3, distance: (op&7)<<8 | second}
	}
	return c, c.length <= len(b)
}
