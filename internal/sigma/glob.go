package sigma

import (
	"strings"
	"unicode/utf8"
)

// char is one character of a value. A wild one is * or ?.
type char struct {
	r    rune
	wild bool
}

// glob is a value with its wildcards told from its text. A byte that is no
// UTF-8, as encodings make them, is kept as a private rune.
type glob []char

// privateByte is where the bytes of plainGlob lie that are no characters: past
// the last rune, so that no text can hold them.
const privateByte = utf8.MaxRune + 1

// parseGlob reads a value as the specification says: * and ? are wildcards
// unless a backslash stands before them, two backslashes are one, and a
// backslash before anything else is itself.
func parseGlob(s string) glob {
	var out glob
	rs := []rune(s)
	for i := 0; i < len(rs); i++ {
		r := rs[i]
		switch {
		case r == '\\' && i+1 < len(rs) && (rs[i+1] == '*' || rs[i+1] == '?' || rs[i+1] == '\\'):
			i++
			out = append(out, char{r: rs[i]})
		case r == '*' || r == '?':
			out = append(out, char{r, true})
		default:
			out = append(out, char{r: r})
		}
	}
	return out
}

func plainGlob(s string) glob {
	var out glob
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			r = privateByte + rune(s[i])
		}
		out = append(out, char{r: r})
		i += n
	}
	return out
}

func (c char) write(b *strings.Builder) {
	if c.r >= privateByte {
		b.WriteByte(byte(c.r - privateByte))
		return
	}
	b.WriteRune(c.r)
}

// plain gives the text of a glob, and whether it has no wildcard.
func (g glob) plain() (string, bool) {
	var b strings.Builder
	for _, c := range g {
		if c.wild {
			return "", false
		}
		c.write(&b)
	}
	return b.String(), true
}

// pattern is a glob ready to match: the pieces of text between its stars. Text
// stands in lower case unless case matters.
type pattern struct {
	pieces           []piece
	openHead, opened bool // a star stands before the first piece, behind the last
}

// piece is text without a star. With a ? in it, it is matched character by
// character.
type piece struct {
	text string
	any  []bool // by character of text, true where any one may stand; nil if nowhere
}

func newPattern(g glob, s shape, cased bool) pattern {
	p := pattern{openHead: s == contain || s == end, opened: s == contain || s == begin}
	var b strings.Builder
	var anyAt []bool
	hasAny := false
	flush := func() {
		if b.Len() == 0 {
			return
		}
		text := b.String()
		if !cased {
			text = strings.ToLower(text)
		}
		one := piece{text: text}
		if hasAny {
			one.any = anyAt
		}
		p.pieces = append(p.pieces, one)
		b.Reset()
		anyAt, hasAny = nil, false
	}
	for i, c := range g {
		if c.wild && c.r == '*' {
			flush()
			p.openHead = p.openHead || len(p.pieces) == 0
			if onlyStars(g[i:]) {
				p.opened = true
			}
			continue
		}
		c.write(&b)
		anyAt = append(anyAt, c.wild)
		hasAny = hasAny || c.wild
	}
	flush()
	return p
}

func onlyStars(g glob) bool {
	for _, c := range g {
		if !c.wild || c.r != '*' {
			return false
		}
	}
	return true
}

// matches says whether the whole of s fits. Each piece takes the first place
// that it fits, which is right because only stars stand between pieces.
func (p *pattern) matches(s string) bool {
	n := len(p.pieces)
	if n == 0 {
		return s == "" || p.openHead || p.opened
	}
	for i := range p.pieces {
		one := &p.pieces[i]
		fixedHead, fixedTail := i == 0 && !p.openHead, i == n-1 && !p.opened
		switch {
		case fixedHead && fixedTail:
			size, ok := one.prefix(s)
			return ok && size == len(s)
		case fixedHead:
			size, ok := one.prefix(s)
			if !ok {
				return false
			}
			s = s[size:]
		case fixedTail:
			return one.suffix(s)
		default:
			to := one.find(s)
			if to < 0 {
				return false
			}
			s = s[to:]
		}
	}
	return true
}

// prefix says how many bytes of s the piece takes at its beginning.
func (p *piece) prefix(s string) (int, bool) {
	if p.any == nil {
		return len(p.text), strings.HasPrefix(s, p.text)
	}
	at := 0
	k := 0
	for i, want := range p.text {
		if at >= len(s) {
			return 0, false
		}
		have, size := utf8.DecodeRuneInString(s[at:])
		_, width := utf8.DecodeRuneInString(p.text[i:])
		if !p.any[k] && (have != want || size != width) {
			return 0, false
		}
		at += size
		k++
	}
	return at, true
}

func (p *piece) suffix(s string) bool {
	if p.any == nil {
		return strings.HasSuffix(s, p.text)
	}
	at := len(s)
	for range p.any {
		if at == 0 {
			return false
		}
		_, size := utf8.DecodeLastRuneInString(s[:at])
		at -= size
	}
	_, ok := p.prefix(s[at:])
	return ok
}

// find gives the end of the first place where the piece stands in s, or -1.
func (p *piece) find(s string) int {
	if p.any == nil {
		at := strings.Index(s, p.text)
		if at < 0 {
			return -1
		}
		return at + len(p.text)
	}
	for at := range s {
		if size, ok := p.prefix(s[at:]); ok {
			return at + size
		}
	}
	return -1
}
