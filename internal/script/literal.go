package script

import (
	"strings"
	"unicode/utf8"
)

// literal reads a string literal.
func (l *lexer) literal(quote byte) {
	if l.d.triple && strings.HasPrefix(l.s[l.i:], strings.Repeat(string(quote), 3)) {
		l.tripleQuoted(quote)
		return
	}
	if l.d.lang == langPowerShell && len(l.toks) > 0 && l.toks[len(l.toks)-1].text == "@" && !l.space {
		l.hereString(quote)
		return
	}
	start := l.i
	l.i++
	raw, escaped := l.rawLiteral(quote)
	text := raw
	if escaped {
		text = l.unescape(raw, quote)
		if text != raw && strings.Contains(raw, `\x`) || strings.Contains(raw, `\u`) {
			l.changed = true
			l.report(strings.Count(raw, `\x`) + strings.Count(raw, `\u`))
		}
	}
	l.dropPrefix(start)
	if quote == '`' && l.d.lang != langJavaScript && l.d.lang != langJScript && l.d.lang != langJXA {
		l.push(token{kind: wordToken, text: "qx"}) // a command of the shell, in Perl, Ruby and PHP
	}
	l.push(newText(text))
}

func newText(text string) token {
	t := token{kind: textToken, text: text}
	if n := utf8.RuneCountInString(text); n > 0 && n <= 3 {
		t.chain, t.best = 1, 1
	}
	return t
}

// dropPrefix removes the r, b, f or u that Python sets before a literal.
func (l *lexer) dropPrefix(start int) {
	if l.d.lang != langPython || len(l.toks) == 0 || l.space {
		return
	}
	last := &l.toks[len(l.toks)-1]
	if last.kind == wordToken && len(last.text) <= 2 && strings.Trim(last.text, "rbfuRBFU") == "" {
		l.space = last.space
		l.toks = l.toks[:len(l.toks)-1]
	}
}

// rawLiteral returns the inside of the literal whose opening quote was read.
func (l *lexer) rawLiteral(quote byte) (raw string, escaped bool) {
	start := l.i
	escape := l.d.escape
	if l.d.lang == langPowerShell && quote == '\'' {
		escape = 0
	}
	for l.i < len(l.s) {
		c := l.s[l.i]
		switch {
		case c == escape && escape != 0:
			escaped = true
			l.i++
		case c == quote:
			doubles := escape == 0 || l.d.lang == langPowerShell
			if !doubles || l.i+1 >= len(l.s) || l.s[l.i+1] != quote {
				raw = l.s[start:l.i]
				l.i++
				return raw, escaped
			}
			escaped = true
			l.i++
		case c == '\n' && l.stopsAtLineEnd(quote):
			return l.s[start:l.i], escaped
		}
		l.i++
	}
	l.i = len(l.s)
	return l.s[start:], escaped
}

// stopsAtLineEnd: an apostrophe that is no quote must not swallow the file.
func (l *lexer) stopsAtLineEnd(quote byte) bool {
	switch l.d.lang {
	case langAppleScript, langPowerShell, "perl", "ruby":
		return false
	}
	return quote != '`'
}

func (l *lexer) unescape(raw string, quote byte) string {
	switch {
	case l.d.escape == '\\':
		return unescapeC(strings.ReplaceAll(raw, "\\\n", ""))
	case l.d.escape == '`' && quote == '"':
		raw = strings.ReplaceAll(raw, `""`, `"`)
		return strings.NewReplacer("`n", "\n", "`r", "", "`t", "\t", "`", "").Replace(raw)
	}
	q := string(quote)
	return strings.ReplaceAll(raw, q+q, q)
}

func (l *lexer) tripleQuoted(quote byte) {
	start := l.i
	l.i += 3
	end := strings.Index(l.s[l.i:], strings.Repeat(string(quote), 3))
	text := l.s[l.i:]
	if end >= 0 {
		text = l.s[l.i : l.i+end]
		l.i += end + 3
	} else {
		l.i = len(l.s)
	}
	l.dropPrefix(start)
	if len(l.toks) == 0 { // a doc string is a comment
		l.comment(text)
	}
	l.push(newText(text))
}

// hereString reads PowerShell's @'…'@, of which the @ has been read.
func (l *lexer) hereString(quote byte) {
	l.i++
	end := strings.Index(l.s[l.i:], "\n"+string(quote)+"@")
	text := l.s[l.i:]
	if end >= 0 {
		text = l.s[l.i : l.i+end]
		l.i += end + 3
	} else {
		l.i = len(l.s)
	}
	l.toks = l.toks[:len(l.toks)-1]
	l.push(newText(strings.TrimPrefix(text, "\n")))
}
