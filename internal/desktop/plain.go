package desktop

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain makes text that can be shown anywhere: one line, valid UTF-8, and nothing
// that moves, hides or forges the text around it. Names are escaped before, by
// the encoder that logs use; this is the last gate, for whatever comes.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', r == '\r':
			return ' '
		case r == utf8.RuneError, unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp):
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// name is the name of a file inside quotation marks: it must not end them, nor
// look like a word of ours that is to be filled in.
func name(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '"' || unicode.In(r, unicode.Pi, unicode.Pf) || strings.ContainsRune("„‚「」『』«»", r) {
			return '\''
		}
		return r
	}, plain(s))
	if strings.TrimSpace(s) == "" {
		return "?"
	}
	return middle(s, maxFile)
}

// middle cuts s in its middle to at most limit characters: the end of a name is
// its type.
func middle(s string, limit int) string {
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	tail := limit / 3
	return string(r[:limit-1-tail]) + "…" + string(r[len(r)-tail:])
}

// clip cuts s at its end to at most limit characters.
func clip(s string, limit int) string {
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	return string(r[:limit-1]) + "…"
}

// markup escapes text for servers that read some tags in the body of a
// notification (Desktop Notifications Specification, Markup).
var markup = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
