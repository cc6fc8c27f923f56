package script

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// The encodings that text comes in, as Script.Encoding names them.
const (
	utf8Encoding  = "utf-8"
	utf16LE       = "utf-16le"
	utf16BE       = "utf-16be"
	latin1        = "latin-1"
	macRoman      = "mac-roman"
	wideProbeSize = 256 // bytes looked at to tell UTF-16 without a mark
)

// encodingOf tells how the bytes spell text. Text that is no UTF-8 is Mac Roman
// in an AppleScript and Latin-1 elsewhere.
func encodingOf(data []byte, language string) string {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return utf16LE
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return utf16BE
	}
	if e := wideWithoutMark(data); e != "" {
		return e
	}
	if utf8.Valid(data) {
		return utf8Encoding
	}
	if language == "applescript" {
		return macRoman
	}
	return latin1
}

// wideWithoutMark tells UTF-16 by the zero bytes that ASCII leaves in every
// second place. "" if the data does not look like it.
func wideWithoutMark(data []byte) string {
	if len(data) < 8 {
		return ""
	}
	head := data[:min(len(data), wideProbeSize)&^1]
	if bytes.IndexByte(head, 0) < 0 {
		return ""
	}
	var even, odd int
	for i := 0; i < len(head); i += 2 {
		if head[i] == 0 {
			even++
		}
		if head[i+1] == 0 {
			odd++
		}
	}
	pairs := len(head) / 2
	switch {
	case odd*10 >= pairs*7 && even*10 <= pairs:
		return utf16LE
	case even*10 >= pairs*7 && odd*10 <= pairs:
		return utf16BE
	}
	return ""
}

// decode turns data into UTF-8 with LF line ends and plain blanks. Characters
// that take no room on the screen are dropped: they only hide words.
func decode(data []byte, encoding string) string {
	switch encoding {
	case utf16LE, utf16BE:
		return normalise(wideText(data, encoding == utf16BE))
	case latin1:
		return normalise(narrowText(data, nil))
	case macRoman:
		return normalise(narrowText(data, []rune(macRomanHigh)))
	}
	return normalise(string(data))
}

func wideText(data []byte, bigEndian bool) string {
	units := make([]uint16, len(data)/2)
	for i := range units {
		a, b := uint16(data[2*i]), uint16(data[2*i+1])
		if bigEndian {
			a, b = b, a
		}
		units[i] = b<<8 | a
	}
	return string(utf16.Decode(units))
}

// narrowText spells one-byte text; high holds what the bytes from 0x80 mean,
// nil for Latin-1.
func narrowText(data []byte, high []rune) string {
	var b strings.Builder
	b.Grow(len(data) + len(data)/8)
	for _, c := range data {
		switch {
		case c < 0x80:
			b.WriteByte(c)
		case high == nil:
			b.WriteRune(rune(c))
		default:
			b.WriteRune(high[c-0x80])
		}
	}
	return b.String()
}

// normalise is the common end of every encoding. Text that is already plain is
// returned as it is.
func normalise(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			i++
			b.WriteByte(plainByte(c, i < len(s) && s[i] == '\n', &i))
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		writePlainRune(&b, r)
		i += size
	}
	return b.String()
}

// plainByte maps a control character to what it does to the page. CR LF becomes
// one LF, by moving next over the LF.
func plainByte(c byte, beforeLF bool, next *int) byte {
	switch c {
	case '\r':
		if beforeLF {
			*next++
		}
		return '\n'
	case '\v', '\f', 0:
		return ' '
	}
	return c
}

func writePlainRune(b *strings.Builder, r rune) {
	switch {
	case r == 0x85 || r == 0x2028 || r == 0x2029:
		b.WriteByte('\n')
	case isInvisible(r):
	case isBlankRune(r):
		b.WriteByte(' ')
	default:
		b.WriteRune(r)
	}
}

func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c == '\r' || c == '\v' || c == '\f' || c == 0 {
			return false
		}
	}
	return true
}

// isBlankRune holds for what leaves the page white: Unicode's spaces, and the
// letters and signs that have no ink (Braille blank, Hangul fillers).
func isBlankRune(r rune) bool {
	switch r {
	case 0x2800, 0x3164, 0x115f, 0x1160, 0xffa0, 0x180e:
		return true
	}
	return unicode.IsSpace(r)
}

// isInvisible holds for characters without any width: soft hyphen, zero-width
// spaces and joiners, marks of direction, byte order mark, variation selectors
// and tags.
func isInvisible(r rune) bool {
	switch {
	case r == 0xad, r == 0xfeff, r == 0x034f, r == 0x061c,
		r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e,
		r >= 0x2060 && r <= 0x206f, r >= 0xfe00 && r <= 0xfe0f,
		r >= 0xe0000 && r <= 0xe01ef:
		return true
	}
	return false
}

// macRomanHigh is the upper half of Apple's Roman encoding (Apple, ROMAN.TXT,
// published by the Unicode Consortium).
const macRomanHigh = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü" +
	"†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø" +
	"¿¡¬√ƒ≈∆«»…\u00a0ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ" +
	"‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\uf8ffÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ"
