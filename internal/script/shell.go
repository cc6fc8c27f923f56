package script

import "strings"

// shellParser reads the commands of a POSIX-like shell: it resolves quotes,
// escapes and constant variables, follows pipes and substitutions, and leaves
// the meaning to others.
type shellParser struct {
	a      *analysis
	s      string
	i      int
	c      context
	here   []hereDoc // documents that start after this line
	nest   int
	closed int      // where the text behind the last sub-shell goes on
	tick   bool     // inside `…`
	room   int      // commands that the next slab is made for
	slab   []string // room for the words of coming commands: most have few
	cur    command
}

// wordRoom is how many words a command has room for before it needs its own.
const wordRoom = 6

// hereDoc is an announced here-document.
type hereDoc struct {
	mark string
	stmt int // index of its reader, -1 while the command is open
}

// command is the command being read.
type command struct {
	stmt
	start   int
	end     int
	changed bool  // a word is not spelt as it stands
	parts   []int // statements inside its substitutions
	from    int   // index+1 of the statement that pipes into it
	docs    int   // here-documents announced
}

func (a *analysis) shell(text string, c context) {
	text = shellForms(text)
	p := &shellParser{a: a, s: text, c: c}
	p.reset(0)
	p.list(0)
}

func (p *shellParser) reset(from int) {
	words := p.cur.words
	p.cur = command{start: -1, from: from}
	p.cur.lang = langShell
	if words == nil || len(words) > 0 {
		if len(p.slab) < wordRoom {
			p.room = min(max(2, 2*p.room), 256)
			p.slab = make([]string, p.room*wordRoom)
		}
		words = p.slab[:0:wordRoom]
		p.slab = p.slab[wordRoom:]
	}
	p.cur.words = words
}

// list reads commands up to end, which is ')' or '`' or 0 for the whole text.
func (p *shellParser) list(end byte) {
	for p.i < len(p.s) {
		c := p.s[p.i]
		switch {
		case c == end && end != 0:
			p.flush()
			p.i++
			return
		case isBlank(c):
			p.i++
		case c == '\\' && p.i+1 < len(p.s) && p.s[p.i+1] == '\n':
			p.i += 2
		case c == '\n':
			p.flush()
			p.i++
			p.readHere()
			if p.full() {
				return
			}
		case c == '#':
			p.comment()
		case c == '\x1e':
			p.skipLine()
		case c == ';':
			p.flush()
			p.i++
		case c == '&':
			p.ampersand()
		case c == '|':
			p.bar()
		case c == '(':
			p.paren()
		case c == ')':
			p.flush()
			p.i++
			p.skipBlanks()
			p.closed = p.i
		case c == '<' || c == '>':
			p.redirect("")
		default:
			p.takeWord()
		}
	}
	p.flush()
	p.readHere()
}

// full tells whether there is no room for more; it moves on to the end of the
// text first.
func (p *shellParser) full() bool {
	at, full := p.a.toEnd(p.s, p.i, p.c)
	if full && at >= 0 {
		p.i = at
		return false
	}
	if full {
		p.i = len(p.s)
	}
	return full
}

func (p *shellParser) skipLine() {
	if n := strings.IndexByte(p.s[p.i:], '\n'); n >= 0 {
		p.i += n
	} else {
		p.i = len(p.s)
	}
}

func (p *shellParser) comment() {
	from := p.i
	p.skipLine()
	p.a.user.comment(strings.TrimLeft(p.s[from:p.i], "#! "))
}

func (p *shellParser) ampersand() {
	rest := p.s[p.i:]
	switch {
	case strings.HasPrefix(rest, "&&"):
		p.flush()
		p.i += 2
	case strings.HasPrefix(rest, "&>"):
		p.i++
		p.redirect("&")
	default:
		p.cur.behind = true
		p.flush()
		p.i++
	}
}

func (p *shellParser) bar() {
	if strings.HasPrefix(p.s[p.i:], "||") {
		p.flush()
		p.i += 2
		return
	}
	n := p.flush()
	if n < 0 && p.closed == p.i {
		n = len(p.a.stmts) - 1
	} else if n > 0 && p.a.stmts[n].text == "}" {
		n--
	}
	p.i++
	if p.i < len(p.s) && p.s[p.i] == '&' {
		p.i++
	}
	p.cur.from = n + 1
}

// paren opens a sub-shell; arithmetic is skipped.
func (p *shellParser) paren() {
	if strings.HasPrefix(p.s[p.i:], "((") {
		p.skipPast("))")
		return
	}
	from := p.cur.from
	if len(p.cur.words) == 0 {
		p.i++
		return
	}
	p.flush()
	p.cur.from = from
	p.i++
}

func (p *shellParser) skipPast(end string) {
	line := p.s[p.i:min(len(p.s), p.i+2000)]
	if n := strings.Index(line, end); n >= 0 {
		p.i += n + len(end)
		return
	}
	p.i += 2
}

// flush ends the open command. It returns the command's index, -1 if there was
// none.
func (p *shellParser) flush() int {
	cur := p.cur
	p.reset(0)
	if len(cur.words) == 0 {
		cur.words = nil
	}
	if len(cur.words) == 0 && cur.assign == "" && cur.out == "" && len(cur.parts) == 0 {
		p.cur.from = cur.from
		p.cur.behind = false
		return -1
	}
	cur.text = p.s[cur.start:cur.end]
	cur.raw = cur.text
	if cur.changed {
		cur.text = strings.Join(cur.words, " ")
		if p.a.spend(len(cur.text)) {
			p.a.keepJoined(cur.text)
		}
	}
	cur.pos = p.c.at(cur.start)
	cur.producer = cur.from
	cur.computed = len(cur.parts) > 0
	n := p.a.add(cur.stmt, p.c)
	if n < 0 {
		return -1
	}
	if cur.from > 0 {
		p.a.stmts[cur.from-1].consumer = n + 1
	}
	for _, part := range cur.parts {
		if p.a.stmts[part].consumer == 0 {
			p.a.stmts[part].consumer = n + 1
			p.a.stmts[part].embedded = true
		}
	}
	for i := len(p.here) - cur.docs; i < len(p.here); i++ {
		p.here[max(i, 0)].stmt = n
	}
	p.a.afterCommand(n, p.c)
	return n
}

// takeWord reads one word and decides what it is to the command.
func (p *shellParser) takeWord() {
	if p.cur.start < 0 {
		p.cur.start = p.i
	}
	start := p.i
	w := p.word()
	if p.i == start { // nothing that this parser knows
		p.i++
		return
	}
	p.cur.end = p.i
	if (w.text == "1" || w.text == "2") && p.i < len(p.s) && (p.s[p.i] == '>' || p.s[p.i] == '<') {
		p.redirect(w.text)
		return
	}
	if w.changed {
		p.cur.changed = true
	}
	if name, ok := assignmentOf(w.raw); ok && (len(p.cur.words) == 0 || mayAssign(p.cur.words[len(p.cur.words)-1])) {
		p.assign(name, w)
		if p.i < len(p.s) && p.s[p.i] == '(' && strings.HasSuffix(w.raw, "=") {
			p.arrayLiteral(name)
		}
		return
	}
	p.cur.words = append(p.cur.words, p.fields(w)...)
	p.cur.changed = p.cur.changed || strings.Contains(w.raw, "{")
}

// fields splits a word where the shell does: at the blanks that $IFS stands
// for, and at the commas of {curl,-s,URL}.
func (p *shellParser) fields(w shellWord) []string {
	switch {
	case strings.Contains(w.raw, "IFS") && (strings.Contains(w.raw, "$IFS") || strings.Contains(w.raw, "${IFS")) && w.raw[0] != '"':
		return strings.Fields(w.text)
	case len(p.cur.words) == 0 && len(w.raw) > 4 && w.raw[0] == '{' && w.text[0] == '{' && w.text[len(w.text)-1] == '}' && strings.IndexByte(w.text, ',') > 0:
		return strings.Split(w.text[1:len(w.text)-1], ",")
	}
	return []string{w.text}
}

// mayAssign holds for words that an assignment may follow.
func mayAssign(w string) bool {
	switch w {
	case "export", "local", "readonly", "declare", "typeset", "then", "do", "else", "{", "!", "if", "while", "until", "elif":
		return true
	}
	return false
}

// assignmentOf splits NAME=… and NAME+=….
func assignmentOf(raw string) (name string, ok bool) {
	for i := range len(raw) {
		c := raw[i]
		if c == '=' {
			return strings.TrimSuffix(raw[:i], "+"), i > 0
		}
		if !(isWordByte(c) && c < 0x80) && !(c == '+' && i > 0 && i+1 < len(raw) && raw[i+1] == '=') {
			return "", false
		}
	}
	return "", false
}

// assign keeps a constant value; one that holds something unknown takes the
// variable out of the constants.
func (p *shellParser) assign(name string, w shellWord) {
	_, text, _ := strings.Cut(w.text, "=")
	if strings.HasPrefix(w.raw[len(name):], "+=") {
		text = p.a.vars[name] + text
	}
	p.cur.assign = name
	if len(text) > maxValue || !p.a.spend(len(text)) {
		delete(p.a.vars, name)
		return
	}
	if w.open {
		delete(p.a.vars, name)
		if w.subst { // the value is what a command prints: the name stands for it
			return
		}
	}
	p.a.vars[name] = text
	p.a.noteBlob(text)
}

// redirect reads an operator and its target. fd is what stood before it.
func (p *shellParser) redirect(fd string) {
	if p.cur.start < 0 {
		p.cur.start = p.i
	}
	rest := p.s[p.i:]
	switch {
	case strings.HasPrefix(rest, "<<<"):
		p.i += 3
		p.skipBlanks()
		w := p.word()
		p.cur.here = w.text
		p.cur.changed = p.cur.changed || w.changed
	case strings.HasPrefix(rest, "<<"):
		p.i += 2
		p.announce()
	case strings.HasPrefix(rest, "<("), strings.HasPrefix(rest, ">("):
		p.i++
		p.i++
		p.substitution(')')
		p.cur.words = append(p.cur.words, "/dev/fd/0")
		p.cur.changed = true
	default:
		p.fileRedirect(fd)
	}
	p.cur.end = max(p.cur.end, min(p.i, len(p.s)))
}

func (p *shellParser) fileRedirect(fd string) {
	input := p.s[p.i] == '<'
	p.i++
	for p.i < len(p.s) && (p.s[p.i] == '>' || p.s[p.i] == '|') {
		p.i++
	}
	if p.i < len(p.s) && p.s[p.i] == '&' {
		p.i++
	}
	p.skipBlanks()
	w := p.word()
	if w.changed {
		p.cur.changed = true
	}
	switch {
	case input:
		p.cur.in = w.text
	case w.text == "/dev/null":
		p.cur.quiet = p.cur.quiet || fd != "2"
	case fd != "2" && w.text != "1" && w.text != "2":
		p.cur.out = w.text
	}
}

func (p *shellParser) skipBlanks() {
	for p.i < len(p.s) && isBlank(p.s[p.i]) {
		p.i++
	}
}

func (p *shellParser) announce() {
	if p.i < len(p.s) && p.s[p.i] == '-' {
		p.i++
	}
	p.skipBlanks()
	w := p.word()
	if w.text == "" {
		return
	}
	p.here = append(p.here, hereDoc{mark: w.text, stmt: -1})
	p.cur.docs++
}

// readHere reads the documents that were announced on the line before.
func (p *shellParser) readHere() {
	docs := p.here
	p.here = nil
	for _, d := range docs {
		from := p.i
		end := len(p.s)
		for p.i < len(p.s) {
			lineStart := p.i
			p.skipLine()
			line := p.s[lineStart:p.i]
			p.i = min(p.i+1, len(p.s))
			if strings.TrimSpace(line) == d.mark {
				end = lineStart
				break
			}
		}
		if d.stmt >= 0 && from < end {
			p.a.hereDocument(d.stmt, p.s[from:end], p.c)
		}
	}
}

// substitution reads the commands of $(…), `…` or <(…), whose opening has been
// read, and returns what they print if that is constant.
func (p *shellParser) substitution(end byte) (string, bool) {
	if p.nest >= 40 {
		p.a.cutShort()
		p.skipPast(string(end))
		return "", false
	}
	outer, docs, tick := p.cur, p.here, p.tick
	p.tick = end == '`'
	first := len(p.a.stmts)
	p.here = nil
	p.nest++
	p.cur.words = nil // the outer command keeps its room
	p.reset(0)
	p.list(end)
	p.nest--
	p.cur, p.here, p.tick = outer, docs, tick
	last := len(p.a.stmts) - 1
	if last < first {
		return "", false
	}
	p.cur.parts = append(p.cur.parts, last)
	for i := first; i < last; i++ {
		if s := &p.a.stmts[i]; s.consumer == 0 && s.out == "" {
			p.cur.parts = append(p.cur.parts, i)
		}
	}
	return p.a.printed(last)
}
