package script

import (
	"regexp"
	"strconv"
	"strings"
)

// What is run here are the bodies of small functions and of loops over
// constants. A body may set names, loop and return; anything else ends it.

const (
	maxFunctions   = 256
	maxRounds      = 1 << 14 // of one loop
	maxCalls       = 8       // functions and loops inside one another
	maxFunctionLen = 4 << 10
	maxLexed       = 1 << 10 // statements whose tokens are kept
)

// folds tells which languages are computed.
func folds(lang string) bool {
	switch lang {
	case langJScript, langJavaScript, langJXA, langVBScript, langPython:
		return true
	}
	return false
}

var (
	jsFunction = regexp.MustCompile(`^function\s*([\w$]*)\s*\(([\w$,\s]*)\)\s*\{`)
	jsNamed    = regexp.MustCompile(`([\w$]+)\s*=\s*$`)
	jsArrow    = regexp.MustCompile(`([\w$]+)\s*=\s*\(?([\w$,\s]*)\)?\s*$`)
	vbFunction = regexp.MustCompile(`(?im)^[ \t]*(?:private |public )?function\s+(\w+)\s*\(([^)\n]*)\)[ \t]*[\n:]`)
	pyFunction = regexp.MustCompile(`(?m)^def\s+(\w+)\(([\w,\s]*)\)\s*(?:->\s*\w+\s*)?:[ \t]*`)
	pyLambda   = regexp.MustCompile(`(?m)^(\w+)\s*=\s*lambda\s+([\w,\s]*):\s*(.+)$`)
	rotation   = regexp.MustCompile(`^\(function\s*\((\w+),\s*(\w+)\)\s*\{[^()]{0,200}(?:while|function)[^;]{0,80}push['"\])]{0,3}\(\s*\w+\[?['".]{0,2}shift[^;]{0,120}?[;}]{1,8}([^()]{0,40}\(\+\+\w+\);?\}?)?[\s};]*\)?\(\s*([\w$]+)\s*,\s*(0x[0-9a-fA-F]+|\d+)\s*\)`)
)

// findFunctions notes the functions of a text that a reckoner could compute, and
// by how much tables are rotated.
func (a *analysis) findFunctions(lang, text string) {
	if len(text) > 1<<20 {
		return
	}
	switch lang {
	case langVBScript:
		if strings.Contains(strings.ToLower(text), "end function") {
			a.vbFunctions(text)
		}
	case langPython:
		if strings.Contains(text, "def ") || strings.Contains(text, "lambda ") {
			a.pyFunctions(text)
		}
	default:
		if strings.Contains(text, "function") || strings.Contains(text, "=>") {
			a.jsFunctions(text)
		}
	}
}

func (a *analysis) define(name, params, body, result string) {
	if len(a.functions) >= maxFunctions || len(body) > maxFunctionLen {
		return
	}
	fn := function{body: body, result: result}
	for p := range strings.SplitSeq(params, ",") {
		if words := strings.Fields(p); len(words) > 0 { // ByVal name
			fn.params = append(fn.params, words[len(words)-1])
		}
	}
	a.functions[name] = fn
}

// jsFunctions looks at the places of "function" and "=>" only: most scripts
// have few.
func (a *analysis) jsFunctions(text string) {
	for at := 0; len(a.functions) < maxFunctions; {
		n := strings.Index(text[at:], "function")
		if n < 0 {
			break
		}
		at += n
		window := text[at:min(len(text), at+256)]
		if m := jsFunction.FindStringSubmatch(window); m != nil {
			name := m[1]
			if before := jsNamed.FindStringSubmatch(text[max(0, at-64):at]); name == "" && before != nil {
				name = before[1]
			}
			open := at + len(m[0]) - 1
			if size := blockLength(text[open:]); size > 1 && name != "" {
				a.define(name, m[2], text[open+1:open+size-1], "")
			}
		}
		if at > 0 && text[at-1] == '(' {
			a.rotates(text[at-1 : min(len(text), at+1024)])
		}
		at += len("function")
	}
	for at := 0; len(a.functions) < maxFunctions; {
		n := strings.Index(text[at:], "=>")
		if n < 0 {
			break
		}
		at += n + len("=>")
		if m := jsArrow.FindStringSubmatch(text[max(0, at-96) : at-len("=>")]); m != nil {
			body := text[at:min(len(text), at+1024)]
			if end := strings.IndexAny(body, ";{\n"); end > 0 {
				a.define(m[1], m[2], "return "+body[:end], "")
			}
		}
	}
}

// rotates notes by how much the function at the start of s turns a table.
func (a *analysis) rotates(s string) {
	if !strings.Contains(s, "shift") {
		return
	}
	m := rotation.FindStringSubmatch(s)
	if m == nil {
		return
	}
	n, err := strconv.ParseInt(m[5], 0, 32)
	if err != nil {
		return
	}
	if !strings.Contains(m[0], "++") { // while (--n) goes round once less
		n--
	}
	a.rotations[m[4]] = int(n)
}

func (a *analysis) vbFunctions(text string) {
	for _, m := range vbFunction.FindAllStringSubmatchIndex(text, maxFunctions) {
		body := text[m[1]:min(len(text), m[1]+maxFunctionLen)]
		if end := strings.Index(strings.ToLower(body), "end function"); end >= 0 {
			name := strings.ToLower(group(text, m, 1))
			a.define(name, strings.ToLower(group(text, m, 2)), body[:end], name)
		}
	}
}

func (a *analysis) pyFunctions(text string) {
	for _, m := range pyFunction.FindAllStringSubmatchIndex(text, maxFunctions) {
		a.define(group(text, m, 1), group(text, m, 2), pyBlock(text[m[1]:]), "")
	}
	for _, m := range pyLambda.FindAllStringSubmatch(text, maxFunctions) {
		a.define(m[1], m[2], "return "+m[3], "")
	}
}

func group(text string, m []int, n int) string {
	if m[2*n] < 0 {
		return ""
	}
	return text[m[2*n]:m[2*n+1]]
}

// blockLength is the size of the brackets at the start of s, 0 if they are not
// closed within what is looked at. Quotes are passed over.
func blockLength(s string) int {
	depth, quote := 0, byte(0)
	for i := 0; i < min(len(s), 8*maxFunctionLen); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == '\\' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '{' || c == '(' || c == '[':
			depth++
		case c == '}' || c == ')' || c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// pyBlock is the indented block behind a colon, or the rest of its line.
func pyBlock(text string) string {
	if line := text[:lineLength(text)]; strings.TrimSpace(line) != "" && !strings.HasPrefix(strings.TrimSpace(line), "#") {
		return line
	}
	at := min(len(text), lineLength(text)+1)
	start, indent := at, -1
	for at < len(text) && at-start < maxFunctionLen {
		line := text[at : at+lineLength(text[at:])]
		depth := len(line) - len(strings.TrimLeft(line, " \t"))
		if strings.TrimSpace(line) != "" {
			if indent < 0 {
				indent = depth
			}
			if depth < indent || indent == 0 {
				break
			}
		}
		at += len(line) + 1
	}
	return text[start:min(at, len(text))]
}

// callFunction computes a function of the script.
func (a *analysis) callFunction(f *reckoner, fn function, args []quantity) (quantity, bool) {
	if len(args) < len(fn.params) || a.calls >= maxCalls || !f.pays(8) {
		return quantity{}, false
	}
	a.calls++
	defer func() { a.calls-- }()
	env := map[string]quantity{}
	for i, p := range fn.params {
		env[p] = args[i]
	}
	if fn.result != "" {
		env[fn.result] = textOf("")
	}
	r := runner{a: a, d: f.d, env: env}
	ok := r.run(fn.body)
	if fn.result != "" {
		return env[fn.result], ok
	}
	return r.value, ok && r.returned
}

// runner runs a body.
type runner struct {
	a        *analysis
	d        *dialect
	env      map[string]quantity
	value    quantity
	returned bool
}

// run runs the statements of a body one by one. It returns false at the first
// that it does not know.
func (r *runner) run(body string) bool {
	for at := 0; at < len(body) && !r.returned; {
		size, ok := r.statement(body[at:])
		if !ok || size <= 0 {
			return false
		}
		at += size
	}
	return true
}

// statement runs the statement at the start of s and returns its size.
func (r *runner) statement(s string) (int, bool) {
	blank := len(s) - len(strings.TrimLeft(s, " \t\n;:"))
	if blank > 0 {
		return blank, true
	}
	if r.a.steps++; r.a.steps > maxFoldSteps {
		return 0, false
	}
	word := strings.ToLower(s[:nameLength(s)])
	if word == "for" {
		return r.loop(s)
	}
	size := r.statementLength(s)
	text := s[:size]
	if strings.HasPrefix(text, "//") || strings.HasPrefix(text, "#") || strings.HasPrefix(text, "'") {
		return max(lineLength(s), 1), true
	}
	switch word {
	case "dim", "next":
		return size, true
	}
	return size, r.simple(text)
}

func nameLength(s string) int {
	n := 0
	for n < len(s) && isWordByte(s[n]) {
		n++
	}
	return n
}

// statementLength is the size of a simple statement: up to a line end or a
// separator outside brackets and quotes.
func (r *runner) statementLength(s string) int {
	depth, quote := 0, byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == '\\' && r.d.escape == '\\' {
				i++
			} else if c == quote {
				quote = 0
			}
		case strings.IndexByte(r.d.quotes, c) >= 0:
			quote = c
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			depth--
		case depth <= 0 && (c == '\n' || c == ';' || c == ':' && r.d.lang == langVBScript):
			return i
		}
	}
	return len(s)
}

// simple runs an assignment or a return.
func (r *runner) simple(text string) bool {
	f := &reckoner{a: r.a, d: r.d, env: r.env, toks: r.tokens(text)}
	switch {
	case len(f.toks) == 0:
		return true
	case f.take("return"):
		v, ok := f.expression()
		r.value, r.returned = v, true
		return ok && f.i == len(f.toks)
	}
	for f.take("var") || f.take("let") || f.take("const") || f.take("set") {
		continue
	}
	for r.assign(f) {
		if f.i == len(f.toks) {
			return true
		}
		if !f.take(",") {
			return false
		}
	}
	return false
}

// tokens are those of a statement. Loops come by the same one again and again.
func (r *runner) tokens(text string) []token {
	key := [2]string{r.d.lang, text}
	toks, known := r.a.lexed[key]
	if !known {
		l := &lexer{d: r.d, s: text, comment: func(string) {}, report: func(int) {}}
		toks = l.next()
		if len(r.a.lexed) < maxLexed {
			r.a.lexed[key] = toks
		}
	}
	return toks
}

// assign runs "name = value", "name += value", "name.push(value)" and a name
// that is only declared.
func (r *runner) assign(f *reckoner) bool {
	if f.i >= len(f.toks) || f.toks[f.i].kind != wordToken {
		return false
	}
	name := f.d.name(f.toks[f.i].text)
	f.i++
	if base, method, dotted := strings.Cut(name, "."); dotted {
		args, ok := f.arguments()
		l := r.env[base]
		if (method != "push" && method != "append") || !ok || l.kind != 'l' || len(l.l)+len(args) > maxFoldList {
			return false
		}
		l.l = append(l.l, args...)
		r.env[base] = l
		return true
	}
	adds := f.isNext("+") && f.i+1 < len(f.toks) && f.toks[f.i+1].is("=")
	if adds {
		f.i++
	}
	if !f.take("=") {
		if !adds && (f.i == len(f.toks) || f.isNext(",")) {
			r.env[name] = textOf("")
			return true
		}
		return false
	}
	if _, set := f.lookup(name); !set && f.d.lang == langVBScript {
		r.env[name] = textOf("") // what was never set is empty
	}
	v, ok := f.expression()
	if ok && adds {
		old, known := f.lookup(name)
		if v, ok = f.operate(old, "+", v); !known {
			ok = false
		}
	}
	if !ok {
		return false
	}
	r.env[name] = v
	return true
}

// A loop in the four ways to write one.
var (
	jsCount = regexp.MustCompile(`^for\s*\(\s*(?:var |let )?([\w$]+)\s*=\s*([^;,]+?)(?:,[^;]*)?;\s*[\w$]+\s*(<=?|>=?|!==?)\s*([^;]+?);\s*(?:[\w$]+\s*(\+\+|--)|(?:\+\+|--)[\w$]+|[\w$]+\s*([+-])=\s*(\w+))\s*\)\s*`)
	jsOver  = regexp.MustCompile(`^for\s*\(\s*(?:var |let |const )([\w$]+)\s+(of|in)\s+([^{]+?)\)\s*`)
	vbCount = regexp.MustCompile(`(?i)^for\s+(\w+)\s*=\s*(.+?)\s+to\s+(.+?)(?:\s+step\s+(-?\w+))?[ \t]*[\n:]`)
	vbOver  = regexp.MustCompile(`(?i)^for\s+each\s+(\w+)\s+in\s+(.+?)[ \t]*[\n:]`)
	pyOver  = regexp.MustCompile(`^for\s+(\w+)\s+in\s+(.+?):[ \t]*`)
)

// loop runs the loop at the start of s and returns its size.
func (r *runner) loop(s string) (int, bool) {
	if r.a.steps += 32; r.a.calls >= maxCalls || r.a.steps > maxFoldSteps {
		return 0, false
	}
	window := s[:min(len(s), 2*maxFunctionLen+maxValue)]
	name, items, head, ok := r.head(window)
	r.a.steps += len(items) / 4
	if !ok || len(items) > maxRounds {
		return 0, false
	}
	body, size, ok := r.body(window[head:])
	if !ok {
		return 0, false
	}
	r.a.calls++
	defer func() { r.a.calls-- }()
	for _, item := range items {
		r.env[name] = item
		if !r.run(body) {
			return 0, false
		}
		if r.returned {
			break
		}
	}
	return head + size, true
}

// head reads what a loop goes over.
func (r *runner) head(s string) (name string, items []quantity, size int, ok bool) {
	if n := max(lineLength(s), 512); n < len(s) { // a list may stand in the head, in one line
		s = s[:n+1]
	}
	switch r.d.lang {
	case langVBScript:
		if m := vbOver.FindStringSubmatch(s); m != nil {
			v, ok := r.eval(m[2])
			return strings.ToLower(m[1]), v.l, len(m[0]), ok && v.kind == 'l'
		}
		if m := vbCount.FindStringSubmatch(s); m != nil {
			step := "1"
			if m[4] != "" {
				step = m[4]
			}
			items, ok := r.counted(m[2], m[3], "<=", step)
			return strings.ToLower(m[1]), items, len(m[0]), ok
		}
	case langPython:
		if m := pyOver.FindStringSubmatch(s); m != nil {
			v, ok := r.eval(m[2])
			return m[1], (&reckoner{a: r.a, d: r.d}).elements(v), len(m[0]), ok
		}
	default:
		return r.jsHead(s)
	}
	return "", nil, 0, false
}

func (r *runner) jsHead(s string) (name string, items []quantity, size int, ok bool) {
	if m := jsOver.FindStringSubmatch(s); m != nil {
		v, ok := r.eval(m[3])
		items := (&reckoner{a: r.a, d: r.d}).elements(v)
		if m[2] == "in" {
			for i := range items {
				items[i] = number(i)
			}
		}
		return m[1], items, len(m[0]), ok
	}
	m := jsCount.FindStringSubmatch(s)
	if m == nil {
		return "", nil, 0, false
	}
	step := "1"
	switch {
	case m[7] != "":
		step = strings.TrimPrefix(m[6], "+") + m[7]
	case strings.Contains(m[0], "--"):
		step = "-1"
	}
	items, ok = r.counted(m[2], m[4], m[3], step)
	return m[1], items, len(m[0]), ok
}

func (r *runner) counted(from, to, until, by string) ([]quantity, bool) {
	a, ok1 := r.eval(from)
	b, ok2 := r.eval(to)
	c, ok3 := r.eval(by)
	if !ok1 || !ok2 || !ok3 || !a.isCount() || !b.isCount() || c.n == 0 {
		return nil, false
	}
	if strings.HasPrefix(until, "!") {
		until = "<"
	}
	var items []quantity
	for i := a.n; len(items) <= maxRounds; i += c.n {
		inside := i < b.n || strings.HasSuffix(until, "=") && i == b.n
		if c.n < 0 {
			inside = i > b.n || (strings.HasSuffix(until, "=")) && i == b.n
		}
		if !inside {
			return items, true
		}
		items = append(items, number(i))
	}
	return nil, false
}

func (r *runner) eval(text string) (quantity, bool) {
	f := &reckoner{a: r.a, d: r.d, env: r.env, toks: r.tokens(text)}
	v, ok := f.expression()
	return v, ok && f.i == len(f.toks)
}

// body returns the body of a loop and the size of it with its end.
func (r *runner) body(s string) (string, int, bool) {
	switch r.d.lang {
	case langVBScript:
		depth := 0
		for at := 0; at < len(s); {
			n := r.statementLength(s[at:])
			switch word := strings.ToLower(strings.TrimLeft(s[at:at+n], " \t:\n")); {
			case strings.HasPrefix(word, "for "):
				depth++
			case (word == "next" || strings.HasPrefix(word, "next ")) && depth == 0:
				return s[:at], at + n, true
			case word == "next" || strings.HasPrefix(word, "next "):
				depth--
			}
			at += n + 1
		}
		return "", 0, false
	case langPython:
		block := pyBlock(s)
		n := strings.Index(s, block) + len(block)
		return dedented(block), n, strings.TrimSpace(block) != ""
	}
	if strings.HasPrefix(s, "{") {
		n := blockLength(s)
		if n == 0 {
			return "", 0, false
		}
		return s[1 : n-1], n, true
	}
	n := r.statementLength(s)
	return s[:n], n, true
}

// dedented drops the indent of a block.
func dedented(block string) string {
	trimmed := strings.TrimLeft(block, "\n")
	indent := len(trimmed) - len(strings.TrimLeft(trimmed, " \t"))
	if indent == 0 {
		return block
	}
	return strings.ReplaceAll("\n"+trimmed, "\n"+trimmed[:indent], "\n")
}

// foldLoop computes a loop of the text itself that begins at from. What it sets
// is constant for what follows. It returns where the loop ends, 0 if it cannot
// be computed.
func (a *analysis) foldLoop(d *dialect, text string, from int) int {
	if a.steps > maxFoldSteps {
		return 0
	}
	for from < len(text) && (isBlank(text[from]) || text[from] == '\n' || text[from] == ';') {
		from++
	}
	r := runner{a: a, d: d, env: map[string]quantity{}}
	s := text[from:]
	if d.lang != langPython && d.lang != langVBScript { // for (var i = 0, s = ''; …)
		a.loopStart(&r, s)
	}
	size, ok := r.loop(s)
	if !ok || size <= 0 {
		return 0
	}
	a.settle(r.env)
	return from + size
}

var jsInit = regexp.MustCompile(`^for\s*\(\s*((?:var |let )?[\w$]+\s*=[^;]*,[^;]*);`)

func (a *analysis) loopStart(r *runner, s string) {
	if m := jsInit.FindStringSubmatch(s[:min(len(s), 512)]); m != nil {
		r.simple(m[1])
	}
}

// settle keeps what a loop has computed as constants.
func (a *analysis) settle(env map[string]quantity) {
	for name, v := range env {
		switch {
		case v.isText() && len(v.s) <= maxValue && a.spend(len(v.s)):
			a.consts[name] = value{text: v.s}
		case v.isCount():
			a.counts[name] = v.n
		}
	}
}

// keepCounts remembers the numbers and the lists of numbers that a statement
// sets: they are what loops compute with.
func (a *analysis) keepCounts(d *dialect, toks []token) {
	for i := 1; i+1 < len(toks); i++ {
		if !toks[i].is("=") || toks[i-1].kind != wordToken || len(a.counts) > 1<<12 {
			continue
		}
		name := d.name(toks[i-1].text)
		delete(a.counts, name)
		if toks[i+1].kind == numberToken && (i+2 == len(toks) || toks[i+2].is(",")) {
			if n, err := strconv.ParseInt(toks[i+1].text, 0, 32); err == nil {
				a.counts[name] = int(n)
			}
		}
	}
}

// foldWords are what a statement has to hold to be computed.
var foldWords = map[string]bool{"string.fromcharcode.apply": true, "string.fromcharcode": true, "chr": true, "chrw": true, "bytes": true, "bytearray": true, "map": true, "reversed": true,
	"codecs.decode": true, "bytes.fromhex": true, "join": true, ".join": true, "int": true, "parseint": true, "split": true, "array": true, "replace": true}

// needsFolding tells whether a statement calls what a reckoner can compute and
// the joiner has left.
func (a *analysis) needsFolding(d *dialect, toks []token) bool {
	if !folds(d.lang) || a.steps >= maxFoldSteps {
		return false
	}
	for i := range toks {
		t := &toks[i]
		if t.is("[") && i > 0 && toks[i-1].kind == textToken {
			return true
		}
		if t.kind != wordToken || i+1 >= len(toks) || !toks[i+1].is("(") {
			continue
		}
		if _, mine := a.functions[d.name(t.text)]; mine || foldWords[strings.ToLower(t.text)] {
			return true
		}
	}
	return false
}

// fold replaces what can be computed in a statement by its value. The tokens
// are returned as they are if nothing can.
func (a *analysis) fold(d *dialect, toks []token) ([]token, bool) {
	var out []token
	changed := false
	f := &reckoner{a: a, d: d, toks: toks}
	for i := 0; i < len(toks); {
		t := toks[i]
		if !begins(toks, i) {
			out = append(out, t)
			i++
			continue
		}
		f.i, f.depth = i, 0
		v, ok := f.unary()
		if !ok || f.i < i+3 || v.kind == 'n' || f.i < len(toks) && toks[f.i].is("(") {
			out = append(out, t)
			i++
			continue
		}
		n := newText(v.s)
		if v.kind != 's' {
			items := make([]string, len(v.l))
			for k, item := range v.l {
				items[k] = item.text()
			}
			n = token{kind: textToken, text: strings.Join(items, `","`), list: items}
		}
		if !a.spend(len(n.text)) {
			return toks, false
		}
		n.space = t.space
		out = append(out, n)
		changed = true
		i = f.i
	}
	return out, changed
}

// begins tells whether a value may begin at a token: not in the middle of
// members, and not the name that is set.
func begins(toks []token, i int) bool {
	t := &toks[i]
	if t.kind == wordToken {
		return t.text[0] != '.' && i+1 < len(toks) && (toks[i+1].is("(") || toks[i+1].is("["))
	}
	return t.kind == textToken && i+1 < len(toks) && (toks[i+1].is("[") || toks[i+1].kind == wordToken && toks[i+1].text[0] == '.')
}
