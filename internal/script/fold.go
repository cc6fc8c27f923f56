package script

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Obfuscators compute their texts: characters from numbers that were shifted,
// letters from tables. What they use is little: whole numbers, texts, lists,
// arithmetic, loops over constants and small functions of these. A reckoner
// computes exactly that and nothing else: it has no input, no objects and no
// effects, each step is paid for, and at the first thing that it does not know
// it gives up.

// Limits of folding.
const (
	maxFoldSteps = 200_000 // of one analysis
	maxFoldDepth = 64
	maxFoldList  = 1 << 14
)

// quantity is a value: a number, a text, or a list.
type quantity struct {
	kind byte // 'n', 's' or 'l'
	n    int
	s    string
	l    []quantity
}

func number(n int) quantity      { return quantity{kind: 'n', n: n} }
func textOf(s string) quantity   { return quantity{kind: 's', s: s} }
func list(l []quantity) quantity { return quantity{kind: 'l', l: l} }
func (v quantity) isText() bool  { return v.kind == 's' }
func (v quantity) isCount() bool { return v.kind == 'n' }

// text is the value as the languages print it.
func (v quantity) text() string {
	if v.isCount() {
		return strconv.Itoa(v.n)
	}
	return v.s
}

// function is a function of the script: what it is called with and its text.
type function struct {
	params []string
	body   string
	result string // VBScript: the name that takes the result
}

// reckoner computes one expression.
type reckoner struct {
	a     *analysis
	d     *dialect
	env   map[string]quantity // local names, nil outside functions and loops
	toks  []token
	i     int
	depth int
}

// pays takes one step from the budget of the analysis.
func (f *reckoner) pays(n int) bool {
	if f.a.steps += n; f.a.steps > maxFoldSteps {
		return false
	}
	return true
}

// isNamed tells whether the next token is a word, or a sign, of that spelling.
func (f *reckoner) isNext(text string) bool {
	return f.i < len(f.toks) && f.toks[f.i].kind != textToken && strings.EqualFold(f.toks[f.i].text, text)
}

func (f *reckoner) take(text string) bool {
	if f.isNext(text) {
		f.i++
		return true
	}
	return false
}

// levels of binary operators, loosest first. Signs of two characters are two
// tokens.
var levels = [][]string{{"|", "or"}, {"xor", "^"}, {"and"}, {"&"}, {"+", "-"}, {"*", "%", "mod", "/", "\\"}}

// expression computes what stands at the cursor.
func (f *reckoner) expression() (quantity, bool) { return f.binary(0) }

func (f *reckoner) binary(level int) (quantity, bool) {
	if level == len(levels) {
		return f.unary()
	}
	left, ok := f.binary(level + 1)
	for ok && f.i < len(f.toks) {
		operator := ""
		for _, o := range levels[level] {
			if f.isNext(o) {
				operator = o
			}
		}
		if operator == "" || f.i+1 < len(f.toks) && f.toks[f.i+1].is("=") {
			break
		}
		f.i++
		var right quantity
		if right, ok = f.binary(level + 1); ok {
			left, ok = f.operate(left, operator, right)
		}
	}
	return left, ok
}

func (f *reckoner) operate(a quantity, operator string, b quantity) (quantity, bool) {
	vb := f.d.lang == langVBScript
	switch {
	case !f.pays(1) || a.kind == 'l' && b.kind != 'l':
		return quantity{}, false
	case operator == "&" && vb, operator == "+" && (a.isText() || b.isText()):
		if b.kind == 'l' || !f.pays((len(a.s)+len(b.s))/16) || len(a.s)+len(b.s) > maxValue {
			return quantity{}, false
		}
		return textOf(a.text() + b.text()), true
	case operator == "+" && a.kind == 'l' && b.kind == 'l':
		return list(slices.Concat(a.l, b.l)), len(a.l)+len(b.l) <= maxFoldList
	case operator == "*" && a.isText() && b.isCount(): // Python
		return textOf(strings.Repeat(a.s, max(0, b.n))), b.n <= 64 && len(a.s) <= 1024
	}
	x, ok1 := a.count()
	y, ok2 := b.count()
	if !ok1 || !ok2 {
		return quantity{}, false
	}
	switch operator {
	case "+":
		return number(x + y), true
	case "-":
		return number(x - y), true
	case "*":
		return number(x * y), x < 1<<31 && y < 1<<31 && x > -1<<31 && y > -1<<31
	case "/", "\\":
		return number(x / max(y, 1)), y > 0 && x%y == 0 || operator == "\\" && y > 0
	case "%", "mod":
		if y <= 0 {
			return quantity{}, false
		}
		x %= y
		if x < 0 && f.d.lang == langPython {
			x += y
		}
		return number(x), true
	case "^", "xor":
		return number(x ^ y), !(vb && operator == "^") // a power in VBScript
	case "&", "and":
		return number(x & y), true
	}
	return number(x | y), true
}

// count reads a value as a number, as VBScript and JScript do with texts.
func (v quantity) count() (int, bool) {
	switch v.kind {
	case 'n':
		return v.n, true
	case 's':
		n, err := strconv.ParseInt(strings.TrimSpace(v.s), 0, 32)
		if low := strings.ToLower(v.s); strings.HasPrefix(low, "&h") {
			n, err = strconv.ParseInt(low[2:], 16, 32)
		}
		return int(n), err == nil
	}
	return 0, false
}

func (f *reckoner) unary() (quantity, bool) {
	if f.depth++; f.depth > maxFoldDepth {
		return quantity{}, false
	}
	defer func() { f.depth-- }()
	switch {
	case f.take("-"):
		v, ok := f.unary()
		n, isCount := v.count()
		return number(-n), ok && isCount
	case f.take("+"):
		return f.unary()
	}
	v, ok := f.primary()
	for ok && f.i < len(f.toks) {
		t := &f.toks[f.i]
		switch {
		case t.is("["):
			v, ok = f.index(v)
		case t.kind == wordToken && t.text[0] == '.' && len(t.text) > 1:
			f.i++
			v, ok = f.members(v, t.text[1:])
		default:
			return v, true
		}
	}
	return v, ok
}

func (f *reckoner) primary() (quantity, bool) {
	if f.i >= len(f.toks) || !f.pays(1) {
		return quantity{}, false
	}
	t := &f.toks[f.i]
	f.i++
	switch {
	case t.kind == textToken && t.list != nil:
		return texts(t.list), true
	case t.kind == textToken:
		return textOf(t.value()), true
	case t.kind == numberToken:
		n, err := strconv.ParseInt(t.text, 0, 32)
		return number(int(n)), err == nil
	case t.is("("):
		v, ok := f.comprehended(")")
		return v, ok && f.take(")")
	case t.is("["):
		items, ok := f.items("]")
		return items, ok
	case t.kind == wordToken:
		return f.named(t.text)
	}
	return quantity{}, false
}

// texts makes a list of the constants of a statement; numbers are numbers.
func texts(items []string) quantity {
	l := make([]quantity, len(items))
	for i, s := range items {
		l[i] = textOf(s)
		if n, err := strconv.ParseInt(s, 0, 32); err == nil && s != "" {
			l[i] = quantity{kind: 'n', n: int(n), s: s}
		}
	}
	return list(l)
}

// items reads the values of a list up to its end.
func (f *reckoner) items(end string) (quantity, bool) {
	var l []quantity
	for !f.take(end) {
		v, ok := f.comprehended(end)
		if !ok || len(l) >= maxFoldList {
			return quantity{}, false
		}
		if v.kind == 'c' { // what a comprehension has made
			l = append(l, v.l...)
		} else {
			l = append(l, v)
		}
		if !f.take(",") && !f.isNext(end) {
			return quantity{}, false
		}
	}
	return list(l), true
}

// comprehended computes an expression, or Python's "expression for x in list".
// The kind of the latter is 'c'.
func (f *reckoner) comprehended(end string) (quantity, bool) {
	start := f.i
	if f.d.lang == langPython {
		if at := f.forWord(start, end); at > 0 {
			return f.comprehension(start, at)
		}
	}
	return f.expression()
}

// forWord is the place of the "for" of a comprehension that begins at start, 0
// if there is none in the same bracket.
func (f *reckoner) forWord(start int, end string) int {
	depth := 0
	for i := start; i < len(f.toks); i++ {
		t := &f.toks[i]
		switch {
		case t.is("(") || t.is("["):
			depth++
		case (t.is(")") || t.is("]")) && depth == 0, t.is(",") && depth == 0:
			return 0
		case t.is(")") || t.is("]"):
			depth--
		case depth == 0 && t.kind == wordToken && t.text == "for":
			return i
		}
	}
	return 0
}

func (f *reckoner) comprehension(start, at int) (quantity, bool) {
	if at+3 >= len(f.toks) || f.toks[at+1].kind != wordToken || f.toks[at+2].text != "in" {
		return quantity{}, false
	}
	name := f.toks[at+1].text
	f.i = at + 3
	over, ok := f.expression()
	if !ok {
		return quantity{}, false
	}
	if f.isNext("if") { // a filter is more than is computed
		return quantity{}, false
	}
	end := f.i
	elements := f.elements(over)
	outer := f.env
	f.env = map[string]quantity{}
	for k, v := range outer {
		f.env[k] = v
	}
	defer func() { f.env = outer }()
	out := quantity{kind: 'c'}
	for _, e := range elements {
		f.env[name] = e
		f.i = start
		v, ok := f.expression()
		if !ok || f.i != at || len(out.l) >= maxFoldList {
			return quantity{}, false
		}
		out.l = append(out.l, v)
	}
	f.i = end
	return out, len(elements) > 0
}

// elements are what a loop goes over: items, or characters.
func (f *reckoner) elements(v quantity) []quantity {
	if v.kind == 'l' || v.kind == 'c' {
		return v.l
	}
	if !v.isText() || len(v.s) > maxFoldList {
		return nil
	}
	l := make([]quantity, 0, len(v.s))
	for _, r := range v.s {
		l = append(l, textOf(string(r)))
	}
	return l
}

// lookup is the value of a name.
func (f *reckoner) lookup(name string) (quantity, bool) {
	name = f.d.name(name)
	if v, ok := f.env[name]; ok {
		return v, true
	}
	if n, ok := f.a.counts[name]; ok {
		return number(n), true
	}
	v, ok := f.a.consts[name]
	switch {
	case !ok:
		return quantity{}, false
	case v.list != nil:
		return texts(v.list), f.pays(len(v.list) / 4)
	}
	return textOf(v.text), true
}

// named computes a name: a variable, a call, or members of either.
func (f *reckoner) named(word string) (quantity, bool) {
	called := f.isNext("(")
	if called {
		if v, ok, isKnown := f.knownCall(word); isKnown {
			return v, ok
		}
	}
	first, rest, dotted := strings.Cut(word, ".")
	v, ok := f.lookup(first)
	switch {
	case !ok:
		return quantity{}, false
	case dotted:
		return f.members(v, rest)
	case called && f.d.lang == langVBScript && v.kind == 'l':
		f.i++
		at, ok := f.expression()
		n, isCount := at.count()
		if !ok || !isCount || !f.take(")") || n < 0 || n >= len(v.l) {
			return quantity{}, false
		}
		return v.l[n], true
	case called:
		return quantity{}, false
	}
	return v, true
}

// knownCall computes a call of a function that this package, or the script,
// defines.
func (f *reckoner) knownCall(word string) (v quantity, ok, isKnown bool) {
	name := strings.ToLower(word)
	if fn, mine := f.a.functions[f.d.name(word)]; mine {
		args, ok := f.arguments()
		if !ok {
			return quantity{}, false, true
		}
		v, ok = f.a.callFunction(f, fn, args)
		return v, ok, true
	}
	if !isFoldable(name) {
		return quantity{}, false, false
	}
	if name == "map" || name == "string.fromcharcode.apply" {
		v, ok = f.mapped(name)
		return v, ok, true
	}
	args, ok := f.arguments()
	if !ok {
		return quantity{}, false, true
	}
	v, ok = f.compute(name, args)
	return v, ok, true
}

func (f *reckoner) arguments() ([]quantity, bool) {
	if !f.take("(") {
		return nil, false
	}
	l, ok := f.items(")")
	return l.l, ok
}

// mapped computes map(chr, list) and String.fromCharCode.apply(null, list).
func (f *reckoner) mapped(name string) (quantity, bool) {
	f.i++
	if f.i+1 >= len(f.toks) || f.toks[f.i].kind != wordToken {
		return quantity{}, false
	}
	by := strings.ToLower(f.toks[f.i].text)
	f.i++
	if !f.take(",") || name == "map" && by != "chr" && by != "int" && by != "ord" && by != "str" {
		return quantity{}, false
	}
	l, ok := f.expression()
	if !ok || !f.take(")") {
		return quantity{}, false
	}
	if name != "map" {
		return f.compute("string.fromcharcode", l.l)
	}
	out := quantity{kind: 'l'}
	for _, e := range f.elements(l) {
		v, ok := f.compute(by, []quantity{e})
		if !ok {
			return quantity{}, false
		}
		out.l = append(out.l, v)
	}
	return out, true
}

// index computes v[i], and Python's slices.
func (f *reckoner) index(v quantity) (quantity, bool) {
	f.i++
	var bounds [3]*quantity
	k := 0
	for !f.take("]") {
		switch {
		case f.take(":"):
			if k++; k > 2 {
				return quantity{}, false
			}
		default:
			b, ok := f.expression()
			if !ok || bounds[k] != nil {
				return quantity{}, false
			}
			bounds[k] = &b
		}
	}
	l := f.elements(v)
	if k == 0 {
		if bounds[0] == nil {
			return quantity{}, false
		}
		n, ok := bounds[0].count()
		if n < 0 && f.d.lang == langPython {
			n += len(l)
		}
		if !ok || n < 0 || n >= len(l) {
			return quantity{}, false
		}
		return l[n], true
	}
	return sliced(v, l, bounds)
}

func sliced(v quantity, l []quantity, bounds [3]*quantity) (quantity, bool) {
	step := 1
	if bounds[2] != nil {
		step = bounds[2].n
	}
	if step == 0 {
		return quantity{}, false
	}
	from, to := 0, len(l)
	if step < 0 {
		from, to = len(l)-1, -1
	}
	if b := bounds[0]; b != nil {
		from = clampIndex(b.n, len(l))
	}
	if b := bounds[1]; b != nil {
		to = clampIndex(b.n, len(l))
	}
	var out []quantity
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		if i >= 0 && i < len(l) {
			out = append(out, l[i])
		}
	}
	if v.isText() {
		return textOf(joinedText(out, "")), true
	}
	return list(out), true
}

func clampIndex(n, size int) int {
	if n < 0 {
		n += size
	}
	return min(max(n, 0), size)
}

func joinedText(l []quantity, sep string) string {
	var b strings.Builder
	for i, v := range l {
		if i > 0 {
			b.WriteString(sep)
		}
		if v.s != "" {
			b.WriteString(v.s)
		} else {
			b.WriteString(v.text())
		}
	}
	return b.String()
}

// runeText is the character with a number.
func runeText(v quantity) (quantity, bool) {
	n, ok := v.count()
	if !ok || n <= 0 || n > utf8.MaxRune {
		return quantity{}, false
	}
	return textOf(string(rune(n))), true
}
