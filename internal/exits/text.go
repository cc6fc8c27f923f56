package exits

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of text in bytes, after escaping.
const (
	maxField = 2048 // one field of what is sent
	maxWords = 200  // what a receiver says, repeated in an error
)

// deceptive says whether r can forge what a person sees: it moves, hides or
// reorders the text around it, or breaks the line.
func deceptive(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// line makes untrusted text fit for one line of at most limit bytes. It is cut
// before as well as after, so that the work is bounded too.
func line(s string, limit int) string {
	return cut(visible(cut(s, limit)), limit)
}

// visible replaces every deceptive rune and every byte that is not UTF-8 by its
// escape.
func visible(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case deceptive(r) && r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		case deceptive(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// cut returns the first limit bytes of s at most, without a rune cut in two.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// escapeJSON writes the runes of compact JSON for which bad holds as \u
// escapes: another spelling of the same value. Compact JSON has such runes in
// its texts only.
func escapeJSON(compact []byte, bad func(rune) bool) []byte {
	out := make([]byte, 0, len(compact))
	for len(compact) > 0 {
		r, n := utf8.DecodeRune(compact)
		switch {
		case bad(r) && r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		case bad(r):
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = append(out, compact[:n]...)
		}
		compact = compact[n:]
	}
	return out
}
