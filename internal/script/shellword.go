package script

import (
	"strings"
	"unicode/utf8"
)

// shellWord is one word after quotes, escapes and constants are resolved.
type shellWord struct {
	text    string
	raw     string
	changed bool
	open    bool // holds a part that is not constant
	subst   bool // that part is a command substitution
}

// wordStop holds the bytes that end a word or need a closer look.
var wordStop = stopTable(" \t\n;&|()<>\\'\"$`")

func stopTable(chars string) (t [256]bool) {
	for i := range len(chars) {
		t[chars[i]] = true
	}
	return t
}

// pieces counts the chain of short parts that make up a word.
type pieces struct {
	chain, best, parts int
}

func (k *pieces) add(text string) {
	if text == "" {
		return
	}
	k.parts++
	if utf8.RuneCountInString(text) <= 3 {
		k.chain++
	} else {
		k.chain = 0
	}
	k.best = max(k.best, k.chain)
}

// word reads the word at the cursor.
func (p *shellParser) word() shellWord {
	start := p.i
	p.plain()
	if p.i >= len(p.s) || p.ends(p.s[p.i]) {
		return shellWord{text: p.s[start:p.i], raw: p.s[start:p.i]}
	}
	w := shellWord{}
	var b strings.Builder
	var k pieces
	b.WriteString(p.s[start:p.i])
	_, after, _ := strings.Cut(p.s[start:p.i], "=")
	if strings.Contains(p.s[start:p.i], "=") {
		k.add(after)
	} else {
		k.add(p.s[start:p.i])
	}
	for p.i < len(p.s) && !p.ends(p.s[p.i]) {
		p.part(&b, &w, &k)
	}
	w.text, w.raw = b.String(), p.s[start:min(p.i, len(p.s))]
	w.changed = w.text != strings.Trim(w.raw, `"'`)
	if k.parts > 1 {
		p.a.chain(k.best)
	}
	return w
}

// plain moves over bytes that mean themselves.
func (p *shellParser) plain() {
	for p.i < len(p.s) && !wordStop[p.s[p.i]] {
		p.i++
	}
}

// ends tells whether c ends a word; inside `…` a backtick does too.
func (p *shellParser) ends(c byte) bool {
	switch c {
	case ' ', '\t', '\n', ';', '&', '|', '(', ')', '<', '>':
		return true
	}
	return c == '`' && p.tick
}

// part reads one piece of a word.
func (p *shellParser) part(b *strings.Builder, w *shellWord, k *pieces) {
	before := b.Len()
	switch c := p.s[p.i]; c {
	case '\\':
		p.i++
		if p.i < len(p.s) {
			if p.s[p.i] != '\n' {
				b.WriteByte(p.s[p.i])
			}
			p.i++
		}
	case '\'':
		p.i++
		b.WriteString(p.until('\''))
	case '"':
		p.i++
		p.doubleQuoted(b, w, k)
	case '$':
		p.dollar(b, w)
	case '`':
		p.i++
		p.command('`', b, w)
	default:
		start := p.i
		p.plain()
		b.WriteString(p.s[start:p.i])
	}
	k.add(b.String()[before:])
}

// until returns the text up to quote and moves past it.
func (p *shellParser) until(quote byte) string {
	rest := p.s[p.i:]
	n := strings.IndexByte(rest, quote)
	if n < 0 {
		p.i = len(p.s)
		return rest
	}
	p.i += n + 1
	return rest[:n]
}

func (p *shellParser) doubleQuoted(b *strings.Builder, w *shellWord, k *pieces) {
	for p.i < len(p.s) {
		start := p.i
		for p.i < len(p.s) && p.s[p.i] != '"' && p.s[p.i] != '\\' && p.s[p.i] != '$' && p.s[p.i] != '`' {
			p.i++
		}
		b.WriteString(p.s[start:p.i])
		if p.i >= len(p.s) {
			return
		}
		switch p.s[p.i] {
		case '"':
			p.i++
			return
		case '\\':
			p.quotedEscape(b)
		case '$':
			before := b.Len()
			p.dollar(b, w)
			k.add(b.String()[before:])
		default:
			p.i++
			p.command('`', b, w)
		}
	}
}

func (p *shellParser) quotedEscape(b *strings.Builder) {
	p.i++
	if p.i >= len(p.s) {
		return
	}
	c := p.s[p.i]
	p.i++
	switch c {
	case '"', '\\', '$', '`':
		b.WriteByte(c)
	case '\n':
	default:
		b.WriteByte('\\')
		b.WriteByte(c)
	}
}

// dollar reads $name, ${name…}, $(…), $((…)), $'…'.
func (p *shellParser) dollar(b *strings.Builder, w *shellWord) {
	p.i++
	if p.i >= len(p.s) {
		b.WriteByte('$')
		return
	}
	switch c := p.s[p.i]; {
	case c == '\'':
		p.i++
		b.WriteString(unescapeC(p.ansiQuoted()))
	case c == '(' && p.i+1 < len(p.s) && p.s[p.i+1] == '(':
		w.open = true
		b.WriteString("0")
		p.skipPast("))")
	case c == '(':
		p.i++
		p.command(')', b, w)
	case c == '{':
		p.i++
		p.braced(p.until('}'), b, w)
	case isWordByte(c) && c < 0x80:
		start := p.i
		for p.i < len(p.s) && isWordByte(p.s[p.i]) && p.s[p.i] < 0x80 {
			p.i++
		}
		p.variable(p.s[start:p.i], "$"+p.s[start:p.i], b, w)
	case (c == '@' || c == '*') && p.insideWord(): // cu$@rl is curl: a script has no arguments
		p.i++
	default:
		b.WriteByte('$')
		if c == '@' || c == '*' || c == '#' || c == '?' || c == '!' || c == '$' || c == '-' {
			w.open = true
			b.WriteByte(c)
			p.i++
		}
	}
}

// insideWord holds if letters stand on both sides of the $ and the sign behind
// it.
func (p *shellParser) insideWord() bool {
	return p.i >= 2 && p.i+1 < len(p.s) && isLetter(p.s[p.i-2]) && isLetter(p.s[p.i+1])
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// ansiQuoted returns the inside of $'…', escapes untouched.
func (p *shellParser) ansiQuoted() string {
	start := p.i
	for p.i < len(p.s) && p.s[p.i] != '\'' {
		if p.s[p.i] == '\\' {
			p.i++
		}
		p.i++
	}
	end := min(p.i, len(p.s))
	p.i = min(p.i+1, len(p.s))
	return p.s[start:end]
}

func (p *shellParser) command(end byte, b *strings.Builder, w *shellWord) {
	text, ok := p.substitution(end)
	if ok && len(text) <= maxValue && p.a.spend(len(text)) {
		b.WriteString(text)
		return
	}
	w.open, w.subst = true, true
	b.WriteString("$()")
}

// variable writes the value of a constant, or the reference as it stands.
func (p *shellParser) variable(name, ref string, b *strings.Builder, w *shellWord) {
	if v, ok := p.a.vars[name]; ok && p.a.spend(len(v)) {
		b.WriteString(v)
		return
	}
	w.open = true
	b.WriteString(ref)
}

// braced resolves ${name}, ${name:offset:length} and ${name:-default}.
func (p *shellParser) braced(inner string, b *strings.Builder, w *shellWord) {
	n := 0
	for n < len(inner) && isWordByte(inner[n]) {
		n++
	}
	name, op := inner[:n], inner[n:]
	v, known := p.a.vars[name]
	if !known && strings.HasPrefix(op, ":0:1") && rootedNames[name] {
		v, known = "/", true
	}
	if strings.HasPrefix(inner, "!") && isName([]byte(inner[1:])) { // the variable that the variable names
		name, op = p.a.vars[inner[1:]], ""
	}
	switch {
	case op == "":
		p.variable(name, "$"+name, b, w)
	case known && op[0] == ':' && len(op) > 1 && op[1] >= '0' && op[1] <= '9':
		b.WriteString(sliceOf(v, op[1:], ":"))
	case strings.HasPrefix(op, ":-"), strings.HasPrefix(op, ":="):
		if known {
			b.WriteString(v)
			return
		}
		w.open = true
		b.WriteString("$" + name)
	case strings.HasPrefix(op, "["):
		if text, ok := p.arrayPart(name, op); ok {
			b.WriteString(text)
			return
		}
		w.open = true
		b.WriteString("$" + name)
	default:
		if text, ok := edited(v, op); known && ok && p.a.spend(len(text)) {
			b.WriteString(text)
			return
		}
		w.open = true
		b.WriteString("$" + name)
	}
}

// rootedNames are variables of every shell whose value begins with a slash: tricks
// take it from there.
var rootedNames = map[string]bool{"PATH": true, "HOME": true, "PWD": true, "SHELL": true, "OLDPWD": true, "TMPDIR": true, "BASH": true}

// sliceOf cuts v by "offset<sep>length"; negative numbers count from the end.
func sliceOf(v, spec, sep string) string {
	from, size, sized := strings.Cut(spec, sep)
	start, ok := smallInt(strings.TrimSpace(from))
	if !ok {
		return ""
	}
	if start < 0 {
		start = max(0, len(v)+start)
	}
	start = min(start, len(v))
	end := len(v)
	if sized {
		if n, ok := smallInt(strings.TrimSpace(size)); ok && n >= 0 {
			end = min(end, start+n)
		} else if ok {
			end = max(start, end+n)
		}
	}
	return v[start:end]
}

// smallInt reads a decimal number of at most six digits.
func smallInt(s string) (int, bool) {
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	if s == "" || len(s) > 6 {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	if neg {
		n = -n
	}
	return n, true
}

// unescapeC resolves the escapes of C: \n, \x63, \143, \u0063.
func unescapeC(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; {
		case c == 'n' || c == 'r':
			b.WriteByte('\n')
		case c == 't':
			b.WriteByte('\t')
		case c == 'x':
			i += writeNumber(&b, s[i+1:], 16, 2)
		case c == 'u':
			i += writeNumber(&b, s[i+1:], 16, 4)
		case c >= '0' && c <= '7':
			i += writeNumber(&b, s[i:], 8, 4) - 1
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// writeNumber writes the character of a number of at most digits digits and
// returns how many it read.
func writeNumber(b *strings.Builder, s string, base, digits int) int {
	n, i := 0, 0
	for i < len(s) && i < digits {
		d := digitValue(s[i])
		if d >= base || base == 8 && i == 3 && s[0] != '0' {
			break
		}
		n = n*base + d
		i++
	}
	if i == 0 || n > 0x10ffff {
		return i
	}
	b.WriteRune(rune(n))
	return i
}

func digitValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return 99
}
