package unpack

import "errors"

var errADC = errors.New("the content is damaged: it is no Apple Data Compression")

// unpackADC decompresses Apple Data Compression, the oldest one of disk images:
// literal runs (1lllllll), and copies of what stands before, with two bytes
// (00llllpp pppppppp) or three (01llllll pppppppp pppppppp). Apple has
// not published it; dmg2img and 7-Zip read what the tests write.
func unpackADC(packed []byte, size int) ([]byte, error) {
	out := make([]byte, 0, size)
	for len(packed) > 0 && len(out) < size {
		b := packed[0]
		if b&0x80 != 0 {
			n := int(b&0x7f) + 1
			if n >= len(packed) || n > size-len(out) {
				return nil, errADC
			}
			out, packed = append(out, packed[1:1+n]...), packed[1+n:]
			continue
		}
		n, back, used := int(b>>2&0xf)+3, 0, 2
		if b&0x40 != 0 {
			n, used = int(b&0x3f)+4, 3
		}
		if len(packed) < used {
			return nil, errADC
		}
		if used == 3 {
			back = int(packed[1])<<8 | int(packed[2])
		} else {
			back = int(b&3)<<8 | int(packed[1])
		}
		if packed = packed[used:]; back >= len(out) || n > size-len(out) {
			return nil, errADC
		}
		for ; n > 0; n-- {
			out = append(out, out[len(out)-1-back])
		}
	}
	return out, nil
}
