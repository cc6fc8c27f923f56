package script

import "strings"

// value is what a variable is known to hold.
type value struct {
	text string
	list []string
}

// joiner puts the strings of one statement together: it moves tokens to out
// and replaces what has a constant value by that value as soon as it is whole.
type joiner struct {
	a       *analysis
	d       *dialect
	out     []token
	opens   []int
	changed bool
}

func (j *joiner) reduce(toks []token) {
	j.out, j.opens, j.changed = j.out[:0], j.opens[:0], false
	for i := range toks {
		t := toks[i]
		switch {
		case t.kind == wordToken:
			j.word(t, toks, i)
		case t.kind == textToken:
			j.pushText(t)
		case t.kind == numberToken:
			j.pushNumber(t)
		case t.is("(") || t.is("[") || t.is("{"):
			j.opens = append(j.opens, len(j.out))
			j.out = append(j.out, t)
		case t.is(")") || t.is("]") || t.is("}"):
			j.close(t)
		default:
			j.out = append(j.out, t)
		}
	}
	j.tidy(0)
	if j.d.lang == langPowerShell {
		j.callNames()
	}
}

// word replaces a variable of constant value, unless it is being set.
func (j *joiner) word(t token, toks []token, i int) {
	if v, ok := j.a.consts[j.d.name(t.text)]; ok && !j.isTarget(toks, i) && j.a.spend(len(v.text)) {
		j.changed = true
		if v.list != nil {
			j.pushList(v.list, t.space)
			return
		}
		n := newText(v.text)
		n.space = t.space
		j.pushText(n)
		return
	}
	if first, rest, dotted := strings.Cut(t.text, "."); dotted && first != "" && i+1 < len(toks) && toks[i+1].is("(") && !toks[i+1].space {
		if v, ok := j.a.consts[j.d.name(first)]; ok && j.a.spend(len(v.text)) { // a method of a constant
			n := token{kind: textToken, space: t.space, text: v.text, list: v.list}
			j.out = append(j.out, n, token{kind: wordToken, text: "." + rest})
			return
		}
	}
	if j.d.lang == langPython {
		if v, ok := j.a.aliases[t.text]; ok {
			j.changed = true
			t.text = v
		}
	}
	if j.d.lang == langPowerShell {
		low := strings.ToLower(t.text)
		if v, ok := j.a.consts[strings.TrimPrefix(low, ".")]; ok && strings.HasPrefix(low, ".$") && isName([]byte(v.text)) { // object.$method(…)
			j.changed = true
			t.text = "." + v.text
		}
		if v, ok := powerKnown[low]; ok && i+1 < len(toks) && toks[i+1].is("[") && !toks[i+1].space {
			n := newText(v)
			n.space = t.space
			j.out = append(j.out, n) // joined when its letter is taken
			return
		}
		if v, ok := j.a.aliases[low]; ok {
			j.changed = true
			t.text = v
		}
	}
	if j.d.lang == langAppleScript && j.coerced(t) {
		return
	}
	j.out = append(j.out, t)
}

func (d *dialect) name(text string) string {
	if d.fold {
		return strings.ToLower(text)
	}
	return text
}

func (j *joiner) isTarget(toks []token, i int) bool {
	if i+1 < len(toks) && toks[i+1].is("=") && (i+2 >= len(toks) || !toks[i+2].is("=")) {
		return j.d.lang != langAppleScript
	}
	return j.d.lang == langAppleScript && i > 0 && (strings.EqualFold(toks[i-1].text, "set") || strings.EqualFold(toks[i-1].text, "property"))
}

// coerced joins an AppleScript list at "as text" or "as string".
func (j *joiner) coerced(t token) bool {
	n := len(j.out)
	if n < 2 || !strings.EqualFold(j.out[n-1].text, "as") || j.out[n-2].list == nil {
		return false
	}
	if !strings.EqualFold(t.text, "text") && !strings.EqualFold(t.text, "string") {
		return false
	}
	list := j.out[n-2].list
	j.out = j.out[:n-2]
	j.pushText(j.joined(interleave(list, j.a.delimiter), ""))
	return true
}

// joined makes one literal of several and counts the short ones.
func (j *joiner) joined(parts []string, sep string) token {
	var k pieces
	for _, p := range parts {
		k.add(p)
	}
	j.changed = true
	if !j.a.spend(len(parts) * len(sep)) {
		return newText("")
	}
	t := newText(strings.Join(parts, sep))
	t.chain, t.best = max(k.chain, t.chain), max(k.best, t.best)
	if len(parts) > 1 {
		j.a.chain(k.best)
	}
	return t
}

// pushText appends a literal and joins it to the one before it.
func (j *joiner) pushText(t token) {
	n := len(j.out)
	if j.d.lang == langAppleScript && n >= 2 && j.partOf(t) {
		return
	}
	switch {
	case n >= 2 && j.out[n-2].kind == textToken && j.out[n-2].list == nil && j.isJoin(&j.out[n-1]) && t.list == nil:
		j.out = j.out[:n-1]
		j.join(&j.out[n-2], &t)
	case n >= 1 && j.d.adjacent && j.out[n-1].kind == textToken && j.out[n-1].list == nil && t.list == nil:
		j.join(&j.out[n-1], &t)
	case j.d.lang == langAppleScript && t.list != nil && j.afterWords("character", "id"), j.d.lang == langAppleScript && t.list != nil && j.afterWords("string", "id"):
		j.out = j.out[:n-2]
		j.pushText(j.joined(charsOf(t.list), ""))
	case n >= 1 && t.list != nil && strings.EqualFold(j.out[n-1].text, "[char[]]"):
		j.out = j.out[:n-1]
		j.pushList(charsOf(t.list), t.space)
	case n >= 1 && t.list == nil && strings.EqualFold(j.out[n-1].text, "[string]"):
		j.out = j.out[:n-1]
		j.pushText(t)
	default:
		j.out = append(j.out, t)
	}
}

func (j *joiner) isJoin(t *token) bool {
	return t.kind == signToken && len(t.text) == 1 && strings.Contains(j.d.join, t.text)
}

func (j *joiner) join(left, right *token) {
	if !j.a.spend(right.size()) {
		return
	}
	j.changed = true
	if left.buf == nil {
		left.buf = append(make([]byte, 0, 2*(len(left.text)+right.size())), left.text...)
	}
	if right.buf != nil {
		left.buf = append(left.buf, right.buf...)
	} else {
		left.buf = append(left.buf, right.text...)
	}
	if right.chain > 0 {
		left.chain += right.chain
	} else {
		left.chain = 0
	}
	left.best = max(left.best, left.chain, right.best)
	j.a.chain(left.best)
}

// pushNumber appends a number; behind the words that make a character of it, it
// becomes that character.
func (j *joiner) pushNumber(t token) {
	n := len(j.out)
	switch {
	case n >= 1 && strings.EqualFold(j.out[n-1].text, "[char]"):
		j.out = j.out[:n-1]
	case j.afterWords("ascii", "character"), j.afterWords("character", "id"), j.afterWords("string", "id"):
		j.out = j.out[:n-2]
	default:
		j.out = append(j.out, t)
		return
	}
	c := newText(charOf(t.text))
	c.space = t.space
	j.changed = true
	j.pushText(c)
}

func (j *joiner) afterWords(first, second string) bool {
	n := len(j.out)
	return n >= 2 && strings.EqualFold(j.out[n-1].text, second) && strings.EqualFold(j.out[n-2].text, first)
}

func (j *joiner) pushList(list []string, space bool) {
	j.pushText(token{kind: textToken, space: space, text: strings.Join(list, `","`), list: list})
}

// close ends a bracket and gives it its value if that is constant.
func (j *joiner) close(t token) {
	n := len(j.opens)
	if n == 0 {
		j.out = append(j.out, t)
		return
	}
	o := j.opens[n-1]
	j.opens = j.opens[:n-1]
	if len(j.out)-o > 1<<14 || n > 400 {
		j.out = append(j.out, t)
		return
	}
	j.tidy(o + 1)
	var done bool
	switch j.out[o].text {
	case "(":
		done = j.closeParen(o)
	case "[":
		done = j.closeSquare(o)
	default:
		done = j.closeList(o)
	}
	if !done {
		j.out = append(j.out, t)
	}
}

// literals returns the comma-separated constants of out[from:].
func (j *joiner) literals(from int) (list []string, ok bool) {
	inner := j.out[from:]
	for i := range inner {
		t := &inner[i]
		if i%2 == 1 {
			if !t.is(",") {
				return nil, false
			}
			continue
		}
		if t.kind != textToken && t.kind != numberToken {
			return nil, false
		}
		if t.list != nil {
			list = append(list, t.list...)
			continue
		}
		list = append(list, t.value())
	}
	return list, len(inner)%2 == 1
}

func (j *joiner) closeList(o int) bool {
	list, ok := j.literals(o + 1)
	if !ok || j.d.lang != langAppleScript {
		return false
	}
	space := j.out[o].space
	j.out = j.out[:o]
	j.pushList(list, space)
	return true
}

func (j *joiner) closeParen(o int) bool {
	if j.d.lang == langPowerShell {
		if name := foundName(j.out[o+1:]); name != "" {
			space := j.out[o].space
			j.out = append(j.out[:o], token{kind: wordToken, space: space, text: name})
			j.changed = true
			return true
		}
	}
	if j.d.lang == langPython && j.attribute(o) {
		return true
	}
	if j.d.lang == langAppleScript {
		j.arithmetic(o + 1)
	}
	list, ok := j.literals(o + 1)
	if j.d.lang == langPowerShell && ok && o > 0 && j.out[o-1].text == "@" && !j.out[o].space { // @(1,2)
		space := j.out[o-1].space
		j.out = j.out[:o-1]
		j.pushList(list, space)
		return true
	}
	if o > 0 && j.out[o-1].kind == wordToken && j.call(o, list, ok) {
		return true
	}
	called := o > 0 && !j.out[o].space && (j.out[o-1].kind == wordToken && !strings.HasSuffix(j.out[o-1].text, "]") || j.out[o-1].is(")") || j.out[o-1].is("]"))
	if !ok || called {
		return false
	}
	if j.d.lang == langAppleScript && len(list) == 0 {
		return false
	}
	if o > 0 && j.d.lang == langVBScript && j.out[o-1].list != nil && !j.out[o].space { // list(2)
		if len(list) != 1 {
			return false
		}
		n, isCount := smallInt(list[0])
		if !isCount || n < 0 || n >= len(j.out[o-1].list) {
			return false
		}
		item := newText(j.out[o-1].list[n])
		item.space = j.out[o-1].space
		j.out = j.out[:o-1]
		j.changed = true
		j.pushText(item)
		return true
	}
	space, single := j.out[o].space, j.out[len(j.out)-1]
	alone := len(j.out) == o+2
	j.out = j.out[:o]
	switch {
	case !alone:
		j.pushList(list, space)
	case single.kind == numberToken:
		j.pushNumber(single)
	default:
		j.pushText(single)
	}
	return true
}

func (j *joiner) closeSquare(o int) bool {
	inner := j.out[o+1:]
	joinedTo := o > 0 && !j.out[o].space
	if (j.d.lang == langJScript || j.d.lang == langJavaScript || j.d.lang == langJXA) && j.member(o) {
		return true
	}
	if j.d.lang == langPowerShell && len(inner) > 0 && len(inner) <= 3 && inner[0].kind == wordToken && !(joinedTo && j.out[o-1].kind == textToken) {
		name := "["
		for i := range inner {
			name += inner[i].text
		}
		t := token{kind: wordToken, space: j.out[o].space, text: name + "]"}
		j.out = append(j.out[:o], t)
		return true
	}
	if joinedTo && j.out[o-1].kind == textToken && j.out[o-1].list == nil && len(inner) > 0 {
		return j.index(o)
	}
	if joinedTo && j.out[o-1].kind == textToken && j.out[o-1].list != nil && len(inner) == 1 {
		if n, ok := smallInt(inner[0].text); ok && n >= 0 && n < len(j.out[o-1].list) {
			item := newText(j.out[o-1].list[n])
			j.out = j.out[:o-1]
			j.pushText(item)
			return true
		}
	}
	list, ok := j.literals(o + 1)
	if !ok || joinedTo && (j.out[o-1].kind != signToken || j.out[o-1].is(")")) {
		return false
	}
	space := j.out[o].space
	j.out = j.out[:o]
	j.pushList(list, space)
	return true
}

// index takes single characters out of a literal, or turns it round.
func (j *joiner) index(o int) bool {
	text := j.out[o-1].value()
	inner := j.out[o+1:]
	if len(inner) >= 3 && inner[0].is(":") && inner[1].is(":") || len(inner) == 1 && inner[0].text == "::" {
		j.out = j.out[:o-1]
		j.pushText(j.joined([]string{reversed(text)}, ""))
		return true
	}
	list, ok := j.literals(o + 1)
	if !ok {
		return false
	}
	var chars []string
	for _, item := range list {
		n, ok := smallInt(item)
		if n < 0 {
			n += len(text)
		}
		if !ok || n < 0 || n >= len(text) {
			return false
		}
		chars = append(chars, text[n:n+1])
	}
	j.out = j.out[:o-1]
	j.changed = true
	if len(chars) == 1 {
		j.pushText(newText(chars[0]))
	} else {
		j.pushList(chars, false)
	}
	return true
}

// tidy applies PowerShell's word operators to out[from:].
func (j *joiner) tidy(from int) {
	if j.d.lang != langPowerShell {
		return
	}
	for i := from; i < len(j.out); i++ {
		if j.out[i].kind != wordToken || len(j.out[i].text) > 9 || j.out[i].text[0] != '-' {
			continue
		}
		switch strings.ToLower(j.out[i].text) {
		case "-f":
			j.format(i)
		case "-join":
			i = j.joinOperator(from, i)
		case "-split", "-csplit", "-isplit":
			j.splitOperator(i)
		case "-mg-xor", "-mg-add", "-mg-sub", "-mg-hex":
			j.charOperator(i)
		case "-replace", "-creplace", "-ireplace":
			j.replaceOperator(i)
		}
	}
}

func (j *joiner) format(i int) {
	list, ok := j.literals(i + 1)
	if !ok || i == 0 || j.out[i-1].kind != textToken || j.out[i-1].list != nil {
		return
	}
	pattern := j.out[i-1].value()
	var parts []string
	for len(pattern) > 0 && len(parts) < 1<<12 {
		open := strings.IndexByte(pattern, '{')
		if open < 0 {
			break
		}
		size := strings.IndexByte(pattern[open:], '}')
		if size < 0 {
			break
		}
		n, ok := smallInt(pattern[open+1 : open+size])
		if !ok || n < 0 || n >= len(list) {
			return
		}
		parts = append(parts, pattern[:open], list[n])
		pattern = pattern[open+size+1:]
	}
	j.out = j.out[:i-1]
	j.pushText(j.joined(append(parts, pattern), ""))
}

// joinOperator handles "list -join sep" and "-join list".
func (j *joiner) joinOperator(from, i int) int {
	rest := j.out[i+1:]
	if i > from && j.out[i-1].list != nil && len(rest) >= 1 && rest[0].kind == textToken && rest[0].list == nil {
		t := j.joined(j.out[i-1].list, rest[0].value())
		tail := append([]token(nil), rest[1:]...)
		j.out = j.out[:i-1]
		j.pushText(t)
		j.out = append(j.out, tail...)
		return i - 1
	}
	if len(rest) > 0 && rest[0].list != nil && (len(rest) == 1 || rest[1].is("|") || rest[1].is(")")) {
		t := j.joined(rest[0].list, "")
		tail := append([]token(nil), rest[1:]...)
		j.out = j.out[:i]
		j.pushText(t)
		j.out = append(j.out, tail...)
	}
	return i
}

// splitOperator computes "text -split separator" for a plain separator.
func (j *joiner) splitOperator(i int) {
	if i == 0 || i+1 >= len(j.out) || j.out[i-1].kind != textToken || j.out[i-1].list != nil || j.out[i+1].kind != textToken || j.out[i+1].list != nil {
		return
	}
	sep := j.out[i+1].value()
	var parts []string
	switch sep {
	case `\s+`, `\s`, `\W+`, `\r?\n`, `\n`, " +", `\D+`:
		parts = strings.FieldsFunc(j.out[i-1].value(), func(r rune) bool {
			return r == ' ' || r == '\n' || r == '\t' || sep == `\W+` && !isWordByte(byte(r)) || sep == `\D+` && (r < '0' || r > '9')
		})
	default:
		if sep == "" || strings.ContainsAny(sep, `\.[(*+?^$|`) {
			return
		}
		parts = strings.Split(j.out[i-1].value(), sep)
	}
	if len(parts) > 1<<14 || !j.a.spend(len(parts)) {
		return
	}
	space, rest := j.out[i-1].space, append([]token(nil), j.out[i+2:]...)
	j.out = j.out[:i-1]
	j.changed = true
	j.pushList(parts, space)
	j.out = append(j.out, rest...)
}

// attribute makes a name of Python's getattr(object, "name").
func (j *joiner) attribute(o int) bool {
	inner := j.out[o+1:]
	if o == 0 || j.out[o-1].text != "getattr" || len(inner) != 3 || inner[0].kind != wordToken || !inner[1].is(",") || inner[2].kind != textToken || !isName([]byte(inner[2].value())) {
		return false
	}
	t := token{kind: wordToken, space: j.out[o-1].space, text: inner[0].text + "." + inner[2].value()}
	j.out = append(j.out[:o-1], t)
	j.changed = true
	return true
}

// member makes a name of object["name"] in JavaScript.
func (j *joiner) member(o int) bool {
	inner := j.out[o+1:]
	if o == 0 || j.out[o].space || len(inner) != 1 || inner[0].kind != textToken || inner[0].list != nil || !isName([]byte(inner[0].value())) {
		return false
	}
	name := "." + inner[0].value()
	if before := &j.out[o-1]; before.kind == wordToken {
		before.text += name
		j.out = j.out[:o]
	} else if before.is(")") || before.is("]") {
		j.out = append(j.out[:o], token{kind: wordToken, text: name})
	} else {
		return false
	}
	j.changed = true
	return true
}

func (j *joiner) replaceOperator(i int) {
	list, ok := j.literals(i + 1)
	if !ok || i == 0 || len(list) == 0 || len(list) > 2 || j.out[i-1].kind != textToken || list[0] == "" || strings.ContainsAny(list[0], `\.[(*+`) {
		return
	}
	text := strings.ReplaceAll(j.out[i-1].value(), list[0], append(list, "")[1])
	if !j.a.spend(len(text)) {
		return
	}
	j.out = j.out[:i-1]
	j.pushText(j.joined([]string{text}, ""))
}
