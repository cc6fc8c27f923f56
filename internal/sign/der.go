package sign

import "fmt"

// Limits of one ASN.1 structure. encoding/asn1 and the parser of
// countersignatures build a value of about 100 bytes for every element, so a
// structure of 16 MB out of two-byte elements would cost more than half a
// gigabyte. Of the real signatures measured the largest has 802 elements (with
// its countersignature) and the deepest 26 levels; dual signing doubles both.
const (
	maxElements = 20000
	maxDepth    = 64
)

// element is one BER value: its tag bytes, and where its content stands.
type element struct {
	tag        byte
	header     int  // bytes of tag and length
	length     int  // bytes of content; without meaning if indefinite
	indefinite bool // content runs to an end-of-contents mark
}

func (e element) constructed() bool { return e.tag&0x20 != 0 }

// readElement reads tag and length at the front of b. Tags above 30 do not
// occur in CMS and are refused.
func readElement(b []byte) (element, error) {
	if len(b) < 2 {
		return element{}, malformed("the signature is cut off")
	}
	e := element{tag: b[0], header: 2, length: int(b[1])}
	if e.tag&0x1f == 0x1f {
		return element{}, malformed("the signature holds an unknown tag")
	}
	if b[1] == 0x80 {
		e.indefinite, e.length = true, 0
		return e, nil
	}
	if b[1] > 0x80 {
		n := int(b[1] & 0x7f)
		if n > 4 || len(b) < 2+n {
			return element{}, malformed("the signature holds an impossible length")
		}
		e.header, e.length = 2+n, 0
		for _, c := range b[2 : 2+n] {
			e.length = e.length<<8 | int(c)
		}
	}
	if e.length > len(b)-e.header {
		return element{}, malformed("the signature is cut off")
	}
	return e, nil
}

// splitDER returns the first DER value of b, after counting its elements, and
// what stands behind it.
func splitDER(b []byte) (der, rest []byte, err error) {
	e, err := readElement(b)
	if err != nil {
		return nil, nil, err
	}
	if e.indefinite || !e.constructed() {
		return nil, nil, malformed("the signature is no DER sequence")
	}
	end := e.header + e.length
	budget := maxElements
	if err := countElements(b[:end], 0, &budget); err != nil {
		return nil, nil, err
	}
	return b[:end], b[end:], nil
}

// countElements walks the values of b, which fill it exactly.
func countElements(b []byte, depth int, budget *int) error {
	for len(b) > 0 {
		e, err := readElement(b)
		if err != nil {
			return err
		}
		if *budget--; *budget < 0 || depth > maxDepth {
			return limit(fmt.Sprintf("the signature has more than %d elements or %d levels", maxElements, maxDepth))
		}
		if e.indefinite {
			return malformed("the signature is no DER")
		}
		end := e.header + e.length
		if e.constructed() {
			if err := countElements(b[e.header:end], depth+1, budget); err != nil {
				return err
			}
		}
		b = b[end:]
	}
	return nil
}

// berToDER gives every value of b a definite length: Apple's signatures use
// the indefinite form, which encoding/asn1 does not read. It returns the
// first value as DER.
func berToDER(b []byte) ([]byte, error) {
	budget := maxElements
	der, _, err := definite(b, 0, &budget)
	return der, err
}

// definite re-encodes the first value of b and returns what stands behind it.
func definite(b []byte, depth int, budget *int) (der, rest []byte, err error) {
	if *budget--; *budget < 0 || depth > maxDepth {
		return nil, nil, limit(fmt.Sprintf("the signature has more than %d elements or %d levels", maxElements, maxDepth))
	}
	e, err := readElement(b)
	if err != nil {
		return nil, nil, err
	}
	if e.indefinite && !e.constructed() {
		return nil, nil, malformed("the signature is no BER")
	}
	if !e.constructed() {
		end := e.header + e.length
		return b[:end], b[end:], nil
	}
	var inner []byte
	body, after := b[e.header:], []byte(nil)
	if !e.indefinite {
		body, after = body[:e.length], body[e.length:]
	}
	for {
		if e.indefinite && len(body) >= 2 && body[0] == 0 && body[1] == 0 {
			after = body[2:]
			break
		}
		if !e.indefinite && len(body) == 0 {
			break
		}
		var child []byte
		if child, body, err = definite(body, depth+1, budget); err != nil {
			return nil, nil, err
		}
		inner = append(inner, child...)
	}
	return append(encodeHeader(e.tag, len(inner)), inner...), after, nil
}

func encodeHeader(tag byte, n int) []byte {
	switch {
	case n < 0x80:
		return []byte{tag, byte(n)}
	case n < 1<<8:
		return []byte{tag, 0x81, byte(n)}
	case n < 1<<16:
		return []byte{tag, 0x82, byte(n >> 8), byte(n)}
	case n < 1<<24:
		return []byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}
	}
	return []byte{tag, 0x84, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
}

// onlyZeros tells whether b is padding.
func onlyZeros(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
