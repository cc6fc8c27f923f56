package alert

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SafeText returns s in a form that may be shown on a terminal and written to a
// log: bytes that are not UTF-8 become \xNN, control characters below U+0080
// become \xNN as well, and every other control, format (bidi, zero width, tags)
// or line separator character becomes \u{…} in lower-case hexadecimal. changed
// says whether anything was replaced; only then may a \x in the result stand for
// a byte, so whoever needs the exact bytes keeps them beside the escaped form.
func SafeText(s string) (escaped string, changed bool) {
	at := firstUnsafe(s)
	if at < 0 {
		return s, false
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	b.WriteString(s[:at])
	for i := at; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1, unsafeRune(r) && r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unsafeRune(r):
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String(), true
}

func firstUnsafe(s string) int {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || unsafeRune(r) {
			return i
		}
		i += n
	}
	return -1
}

// unsafeRune holds for what can move, hide or forge the text around it. Cf is
// taken whole: it holds the bidi controls, the zero-width characters and the
// tag characters, and none of them is missed in a file name.
func unsafeRune(r rune) bool {
	if r < 0x7f {
		return r < 0x20
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// safe is SafeText cut to at most limit bytes.
func safe(s string, limit int) string {
	s = clip(s, limit) // what is cut off anyway need not be escaped
	s, _ = SafeText(s)
	return clip(s, limit)
}

const ellipsis = "…"

// clip cuts s to at most limit bytes, never within a character, and marks the cut.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	cut := limit - len(ellipsis)
	for i := 0; i < utf8.UTFMax && cut > 0 && !utf8.RuneStart(s[cut]); i++ {
		cut--
	}
	return s[:cut] + ellipsis
}

// base returns the last element of a path of any operating system.
func base(path string) string {
	trimmed := strings.TrimRight(path, `/\`)
	if i := strings.LastIndexAny(trimmed, `/\`); i >= 0 {
		return trimmed[i+1:]
	}
	return trimmed
}
