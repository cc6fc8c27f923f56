package script

import "strings"

// dialect is what the tokeniser has to know about a language that writes
// strings as expressions.
type dialect struct {
	lang     string
	line     []string // signs that open a comment to the end of the line
	openers  []string // block comments
	closers  []string
	quotes   string
	escape   byte   // inside strings; 0 if a doubled quote stands for one
	join     string // operators that join strings
	separate string // bytes that end a statement
	nameChar string // bytes beside letters, digits and _ that belong to words
	fold     bool   // names ignore case
	triple   bool   // """…"""
	adjacent bool   // literals side by side are joined
}

func dialectOf(language string) *dialect {
	switch language {
	case langAppleScript:
		return &dialect{lang: language, line: []string{"--", "#"}, openers: []string{"(*"}, closers: []string{"*)"}, quotes: `"`, escape: '\\', join: "&", nameChar: "'", fold: true}
	case langVBScript:
		return &dialect{lang: language, line: []string{"'"}, quotes: `"`, join: "&+", separate: ":", nameChar: ".", fold: true}
	case langJScript, langJavaScript, langJXA:
		return &dialect{lang: language, line: []string{"//"}, openers: []string{"/*"}, closers: []string{"*/"}, quotes: "\"'`", escape: '\\', join: "+", separate: ";{}", nameChar: ".$"}
	case langPowerShell:
		return &dialect{lang: language, line: []string{"#"}, openers: []string{"<#"}, closers: []string{"#>"}, quotes: `"'`, escape: '`', join: "+", separate: ";{}", nameChar: "-.$:/\\*?~%@", fold: true}
	case langAutoIt, langAutoHotkey:
		return &dialect{lang: language, line: []string{";"}, quotes: `"'`, join: "&", nameChar: "$@:\\/%.?=-", fold: true}
	case "perl", "ruby", "php", "lua":
		return &dialect{lang: language, line: []string{"#"}, quotes: "\"'`", escape: '\\', join: ".+", separate: ";{}", nameChar: "$:@"}
	}
	return &dialect{lang: language, line: []string{"#"}, quotes: `"'`, escape: '\\', join: "+", separate: ";", nameChar: ".", triple: true, adjacent: true}
}

type tokenKind uint8

const (
	wordToken tokenKind = iota
	textToken           // a string literal, or what joined literals spell
	numberToken
	signToken
)

// token is one piece of a statement.
type token struct {
	kind  tokenKind
	space bool // a blank stands before it
	text  string
	buf   []byte // the text of a joined literal while it grows
	chain int    // short literals joined at its end
	best  int    // longest such chain
	list  []string
}

func (t *token) value() string {
	if t.buf != nil {
		return string(t.buf)
	}
	return t.text
}

func (t *token) size() int {
	if t.buf != nil {
		return len(t.buf)
	}
	return len(t.text)
}

func (t *token) is(sign string) bool { return t.kind == signToken && t.text == sign }

// lexer cuts a text into statements of tokens.
type lexer struct {
	d       *dialect
	s       string
	i       int
	depth   int
	toks    []token
	start   int // of the open statement
	space   bool
	changed bool // a literal or name is not spelt as it stands
	comment func(string)
	report  func(int) // length of a chain that the spelling itself has
}

// next reads one statement. It returns nil at the end of the text.
func (l *lexer) next() []token {
	l.toks, l.depth, l.changed, l.space = l.toks[:0], 0, false, false
	l.start = l.i
	for l.i < len(l.s) {
		if ends := l.step() || len(l.toks) >= maxTokens; ends && len(l.toks) > 0 {
			return l.toks
		}
		if len(l.toks) == 0 {
			l.start = l.i
		}
	}
	if len(l.toks) == 0 {
		return nil
	}
	return l.toks
}

// step reads one token, blank, comment or separator; true ends the statement.
func (l *lexer) step() bool {
	c := l.s[l.i]
	switch {
	case c == '\n':
		l.i++
		return l.lineEnds() && !l.continues()
	case isBlank(c):
		l.i++
		l.space = true
	case c == '\x1e':
		l.i += lineLength(l.s[l.i:])
	case l.continuation(c):
	case l.skipComment():
	case strings.IndexByte(l.d.quotes, c) >= 0:
		l.literal(c)
	case c >= '0' && c <= '9':
		l.number()
	case l.isNameStart(c):
		l.word()
	case strings.IndexByte(l.d.separate, c) >= 0 && (l.depth == 0 || c != ':' && c != ';'):
		l.i++
		l.depth = 0
		return true
	default:
		l.sign(c)
	}
	return false
}

// lineEnds tells whether a line end may end the statement: it does not inside
// brackets, in the languages that have no sign for continued lines. A bracket
// that is never closed must not swallow the file.
func (l *lexer) lineEnds() bool {
	switch l.d.lang {
	case langAppleScript, langVBScript:
		return true
	}
	return l.depth == 0 || len(l.toks) > 1<<15
}

func lineLength(s string) int {
	if n := strings.IndexByte(s, '\n'); n >= 0 {
		return n
	}
	return len(s)
}

func (l *lexer) push(t token) {
	t.space = l.space
	l.space = false
	l.toks = append(l.toks, t)
}

// continues tells whether the statement goes on in the next line: the last
// token wants something, or the next line starts with an operator.
func (l *lexer) continues() bool {
	if len(l.toks) == 0 {
		return false
	}
	switch l.d.lang {
	case langAppleScript, langVBScript, langPython:
		return false
	}
	last := &l.toks[len(l.toks)-1]
	if last.kind == signToken && strings.Contains("+,=|&.", last.text) {
		return true
	}
	rest := strings.TrimLeft(l.s[l.i:min(len(l.s), l.i+256)], " \t\n")
	return rest != "" && (rest[0] == '+' || rest[0] == '|' || rest[0] == '.' && len(rest) > 1 && rest[1] != '\\' && rest[1] != '/')
}

// continuation joins lines where the language has a sign for it.
func (l *lexer) continuation(c byte) bool {
	rest := l.s[l.i:]
	var mark int
	switch {
	case l.d.lang == langAppleScript && strings.HasPrefix(rest, "¬"):
		mark = len("¬")
	case l.d.lang == langVBScript && c == '_' && l.space, l.d.lang == langPowerShell && c == '`', l.d.lang == langPython && c == '\\':
		mark = 1
	default:
		return false
	}
	n := mark
	for n < len(rest) && isBlank(rest[n]) {
		n++
	}
	if n < len(rest) && rest[n] != '\n' {
		if l.d.lang != langPowerShell {
			return false
		}
		if isWordByte(rest[1]) { // `i`e`x
			l.word()
		} else {
			l.i++
		}
		return true
	}
	l.i += min(n+1, len(rest))
	l.space = true
	return true
}

func (l *lexer) skipComment() bool {
	rest := l.s[l.i:]
	for _, sign := range l.d.line {
		if !strings.HasPrefix(rest, sign) || sign == "#" && l.d.lang == langAppleScript && len(l.toks) > 0 {
			continue
		}
		n := lineLength(rest)
		l.comment(rest[len(sign):n])
		l.i += n
		return true
	}
	for k, open := range l.d.openers {
		if !strings.HasPrefix(rest, open) {
			continue
		}
		n := strings.Index(rest[len(open):], l.d.closers[k])
		if n < 0 {
			n = len(rest) - len(open)
		}
		l.comment(rest[len(open) : len(open)+n])
		l.i = min(len(l.s), l.i+len(open)+n+len(l.d.closers[k]))
		return true
	}
	if l.d.lang == langVBScript && len(l.toks) == 0 && len(rest) > 3 && strings.EqualFold(rest[:3], "rem") && isBlank(rest[3]) {
		n := lineLength(rest)
		l.comment(rest[3:n])
		l.i += n
		return true
	}
	return false
}

func (l *lexer) isNameStart(c byte) bool {
	return isWordByte(c) || strings.IndexByte(l.d.nameChar, c) >= 0
}

func (l *lexer) word() {
	start := l.i
	ticks := 0
	for l.i < len(l.s) {
		c := l.s[l.i]
		if c == '`' && l.d.lang == langPowerShell && l.i+1 < len(l.s) && isWordByte(l.s[l.i+1]) {
			ticks++
		} else if !isWordByte(c) && strings.IndexByte(l.d.nameChar, c) < 0 {
			break
		}
		l.i++
	}
	text := l.s[start:l.i]
	if ticks > 0 {
		text = strings.ReplaceAll(text, "`", "")
		l.changed = true
		l.report(ticks + 1)
	}
	l.push(token{kind: wordToken, text: text})
}

func (l *lexer) number() {
	start := l.i
	for l.i < len(l.s) && (isWordByte(l.s[l.i]) || l.s[l.i] == '.') {
		l.i++
	}
	l.push(token{kind: numberToken, text: l.s[start:l.i]})
}

func (l *lexer) sign(c byte) {
	switch c {
	case '(', '[', '{':
		l.depth++
	case ')', ']', '}':
		l.depth = max(0, l.depth-1)
	}
	if l.d.lang == langVBScript && c == '&' && l.i+2 < len(l.s) && l.s[l.i+1]|0x20 == 'h' && digitValue(l.s[l.i+2]) < 16 {
		l.i += 2
		start := l.i
		for l.i < len(l.s) && digitValue(l.s[l.i]) < 16 {
			l.i++
		}
		l.push(token{kind: numberToken, text: "0x" + l.s[start:l.i]})
		return
	}
	l.push(token{kind: signToken, text: l.s[l.i : l.i+1]})
	l.i++
}
