package store

import (
	"strings"
	"unicode/utf8"
)

// cleaned replaces what PostgreSQL refuses in a text, bytes that are no UTF-8
// and NUL, in the arguments of a query. What strangers type (names at the
// log-in, User-Agents) then neither fails there nor differs between engines.
func cleaned(args []any) []any {
	for i, a := range args {
		if s, ok := a.(string); ok && !storable(s) {
			args[i] = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
		}
	}
	return args
}

func storable(s string) bool {
	return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// literal escapes a text for LIKE … ESCAPE '!', where it then stands for itself.
func literal(text string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text)
}

// contains takes "one of the columns contains the text, without regard to the
// case of ASCII letters" if there is a text. The engines lower the columns, both
// ASCII only: those of PostgreSQL have the collation "C".
func (w *where) contains(text string, columns ...string) {
	if text == "" {
		return
	}
	pattern := "%" + literal(lowerASCII(text)) + "%"
	terms := make([]string, len(columns))
	for i, column := range columns {
		terms[i] = "lower(" + column + ") LIKE ? ESCAPE '!'"
		w.args = append(w.args, pattern)
	}
	w.terms = append(w.terms, "("+strings.Join(terms, " OR ")+")")
}
