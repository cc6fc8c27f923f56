package script

import (
	"encoding/ascii85"
	"encoding/hex"
	"strings"
)

// What Perl, Ruby and Python make texts of besides base64: lists of numbers and
// hexadecimal digits that are packed, and the denser alphabets.

// packed computes pack(template, items…) for the templates that spell text: H*
// of hexadecimal digits, C* and U* of numbers, A* and a* of texts.
func packed(template string, items []string) (string, bool) {
	switch strings.TrimRight(template, "*0123456789") {
	case "H":
		raw, err := hex.DecodeString(items[0])
		return string(raw), err == nil && isText(raw)
	case "C", "c", "U", "W":
		text := strings.Join(charsOf(items), "")
		return text, isText([]byte(text))
	case "A", "a":
		return items[0], true
	}
	return "", false
}

// packing computes Ruby's [items].pack(template) and text.unpack1("m"): the item
// stands before the dot at out[o-2].
func (j *joiner) packing(o int, name string, args []string) bool {
	self := &j.out[o-3]
	text, ok := "", false
	switch {
	case len(args) != 1:
	case name == "pack" && self.list != nil && len(self.list) > 0:
		text, ok = packed(args[0], self.list)
	case (name == "unpack1" || name == "unpack") && self.list == nil && strings.HasPrefix(args[0], "m"):
		text, ok = decodeBase64(self.value())
	}
	if !ok || !j.a.spend(len(text)) {
		return false
	}
	t := j.joined([]string{text}, "")
	t.space = self.space
	j.out = j.out[:o-3]
	j.pushText(t)
	return true
}

// decodeSmall decodes the alphabets of Python's base64 module that hold more in
// less: Ascii85 as Adobe has it, its other order of the same digits (RFC 1924),
// and base32.
func decodeSmall(name, s string) (string, bool) {
	switch name {
	case "b32decode":
		return decodeBase32(s)
	case "b85decode":
		s = strings.Map(func(r rune) rune {
			if n := strings.IndexRune(alphabet1924, r); n >= 0 {
				return '!' + rune(n)
			}
			return -1
		}, s)
	default:
		s = strings.TrimSuffix(strings.TrimPrefix(s, "<~"), "~>")
	}
	raw := make([]byte, 4*(len(s)+4))
	n, _, err := ascii85.Decode(raw, []byte(s), true)
	if err != nil || n == 0 {
		return "", false
	}
	return layerText(raw[:n])
}

// alphabet1924 are the digits of RFC 1924, in their order.
const alphabet1924 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
