package collect

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// deceptive says whether r can forge what a person sees: it moves, hides or
// reorders the text around it. Cc are the controls, Cf the format characters
// (bidirectional overrides, zero-width ones, tags), Zl and Zp break lines.
func deceptive(r rune) bool {
	if r < 0x80 {
		return r < ' ' || r == 0x7f
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// visible replaces every deceptive rune and every byte that is not UTF-8 by its
// escape, so that the text can be shown anywhere on one line.
func visible(s string) string {
	if isHarmless(s) {
		return s
	}
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

// isHarmless tells a text of visible ASCII, as most are.
func isHarmless[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// column makes untrusted text fit for a column: visible, and at most limit
// bytes. It is cut before as well as after, so that the work is bounded too.
func column(s string, limit int) string {
	return cut(visible(cut(s, limit)), limit)
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

// escapeJSON writes the deceptive runes of JSON as \u escapes: another spelling
// of the same value that is safe to print on a terminal. The JSON must be
// compact: white space between tokens would be escaped too. It may be returned as
// it is.
func escapeJSON(compact []byte) []byte {
	if isHarmless(compact) {
		return compact
	}
	out := make([]byte, 0, len(compact))
	for len(compact) > 0 {
		r, n := utf8.DecodeRune(compact)
		switch {
		case deceptive(r) && r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		case deceptive(r):
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = append(out, compact[:n]...)
		}
		compact = compact[n:]
	}
	return out
}
