package script

import (
	"strconv"
	"strings"
)

// handler is a handler of an AppleScript: what it is called with and its text.
type handler struct {
	params []string
	body   string
	coded  bool // works on single characters
}

const (
	maxHandlers = 256
	maxBody     = 4 << 10 // of a loop or handler that is computed
	maxRunning  = 4       // handlers and loops inside one another
)

// codeWords are what a text is decoded with, character by character.
var codeWords = []string{"character id", "ascii character", "characters of", "id of ", "ascii number", "reverse of", "string id"}

func worksOnCharacters(body string) bool {
	low := strings.ToLower(body)
	for _, w := range codeWords {
		if strings.Contains(low, w) {
			return true
		}
	}
	return false
}

// findHandlers notes the handlers of a text: on NAME(a, b) … end NAME.
func (a *analysis) findHandlers(text string) {
	for at := 0; at < len(text) && len(a.handlers) < maxHandlers; {
		end := at + lineLength(text[at:])
		line := strings.TrimSpace(text[at:end])
		at = end + 1
		head, rest, ok := strings.Cut(line, "(")
		if !ok || !strings.HasPrefix(head, "on ") && !strings.HasPrefix(head, "to ") {
			continue
		}
		name := strings.ToLower(strings.TrimSpace(head[3:]))
		if !isName([]byte(name)) || at > len(text) {
			continue
		}
		window := text[at:min(len(text), at+maxBody)]
		n := strings.Index(strings.ToLower(window), "\nend "+name)
		if n < 0 {
			continue
		}
		h := handler{body: window[:n+1], coded: worksOnCharacters(window[:n])}
		list, _, _ := strings.Cut(rest, ")")
		for p := range strings.SplitSeq(list, ",") {
			h.params = append(h.params, strings.ToLower(strings.TrimSpace(p)))
		}
		a.handlers[name] = h
	}
}

// callHandler computes a handler with constant arguments. It returns false if
// the result is not constant.
func (a *analysis) callHandler(d *dialect, h handler, args []string) (string, bool) {
	if len(args) != len(h.params) || a.running >= maxRunning {
		return "", false
	}
	outer := a.consts
	a.consts = map[string]value{}
	for i, p := range h.params {
		a.consts[p] = value{text: args[i]}
	}
	text, ok := a.compute(d, h.body)
	a.consts = outer
	return text, ok
}

// compute runs the assignments and loops of a body, paid from the budget, and
// returns what it returns. It gives up at everything else.
func (a *analysis) compute(d *dialect, body string) (string, bool) {
	a.running++
	defer func() { a.running-- }()
	if a.running > maxRunning || !a.spend(64+len(body)) {
		return "", false
	}
	l := &lexer{d: d, s: body, comment: func(string) {}, report: func(int) {}}
	j := &joiner{a: a, d: d}
	for toks := l.next(); toks != nil; toks = l.next() {
		j.reduce(toks)
		if len(j.out) == 0 {
			continue
		}
		switch strings.ToLower(j.out[0].text) {
		case "set", "copy", "local":
			a.appleState(j.out)
			a.appleAssignment(d, j.out)
		case "return":
			if len(j.out) == 2 && j.out[1].kind == textToken && j.out[1].list == nil {
				return j.out[1].value(), true
			}
			return "", false
		case "repeat":
			size, ok := a.loop(j, body, l.i)
			if !ok {
				return "", false
			}
			l.i = size
		case "end", "considering":
		default:
			return "", false
		}
	}
	return "", false
}

// loop computes a loop over constants whose body only sets variables: "repeat
// with x in {…}" and "repeat with i from 1 to n". It returns where the loop
// ends. Its variables are then constant for what follows.
func (a *analysis) loop(j *joiner, text string, at int) (int, bool) {
	toks := j.out
	if len(toks) < 5 || !strings.EqualFold(toks[0].text, "repeat") || !strings.EqualFold(toks[1].text, "with") || at > len(text) {
		return 0, false
	}
	window := text[at:min(len(text), at+maxBody)]
	size := loopEnd(window)
	if size < 0 {
		return 0, false
	}
	body := window[:size]
	name := strings.ToLower(toks[2].text)
	var items []string
	if !a.tired {
		items = loopItems(toks)
		a.tired = !a.spend(8 * len(items))
	}
	if items == nil || a.tired || a.running >= maxRunning {
		if worksOnCharacters(body) || worksOnCharacters(render(toks)) {
			a.markCoded(body)
		}
		return 0, false
	}
	d := j.d
	for _, item := range items {
		a.consts[name] = value{text: item}
		if !a.passes(d, body) {
			delete(a.consts, name)
			if worksOnCharacters(body) {
				a.markCoded(body)
			}
			return 0, false
		}
	}
	delete(a.consts, name)
	a.settled(body)
	return at + size + lineLength(text[at+size:]), true
}

// settled keeps the variables of a loop from being taken back when its body is
// read as statements: they are put aside until the loop ends.
func (a *analysis) settled(body string) {
	if a.running > 0 {
		return
	}
	a.kept = map[string]value{}
	for line := range strings.SplitSeq(body, "\n") {
		w := strings.Fields(line)
		if len(w) > 1 && strings.EqualFold(w[0], "set") {
			if v, ok := a.consts[strings.ToLower(w[1])]; ok {
				a.kept[strings.ToLower(w[1])] = v
			}
		}
	}
}

// loopEnd is the offset of the "end repeat" that ends a body, -1 if there is
// none or the body holds another loop with it.
func loopEnd(body string) int {
	depth := 0
	for at := 0; at < len(body); {
		n := lineLength(body[at:])
		line := strings.ToLower(strings.TrimSpace(body[at : at+n]))
		switch {
		case strings.HasPrefix(line, "repeat"):
			depth++
		case strings.HasPrefix(line, "end repeat") && depth == 0:
			return at
		case strings.HasPrefix(line, "end repeat"):
			depth--
		}
		at += n + 1
	}
	return -1
}

// passes runs a body once.
func (a *analysis) passes(d *dialect, body string) bool {
	_, done := a.compute(d, body+"\nreturn \"\"\n")
	return done
}

// loopItems are the constants that a loop goes over, nil if they are unknown.
func loopItems(toks []token) []string {
	switch strings.ToLower(toks[3].text) {
	case "in":
		if toks[4].list != nil && len(toks) == 5 {
			return toks[4].list
		}
		if toks[4].kind == textToken && len(toks) == 5 {
			return strings.Split(toks[4].value(), "")
		}
	case "from":
		if len(toks) < 7 || !strings.EqualFold(toks[5].text, "to") {
			return nil
		}
		from, ok1 := smallInt(toks[4].text)
		to, ok2 := smallInt(toks[6].text)
		step := 1
		if len(toks) == 9 && strings.EqualFold(toks[7].text, "by") {
			step, _ = smallInt(toks[8].text)
		}
		if from > to && len(toks) == 7 {
			step = -1
		}
		if !ok1 || !ok2 || step == 0 || (to-from)/step > 1<<14 {
			return nil
		}
		var items []string
		for i := from; step > 0 && i <= to || step < 0 && i >= to; i += step {
			items = append(items, strconv.Itoa(i))
		}
		return items
	}
	return nil
}

// markCoded notes the variables that a body sets.
func (a *analysis) markCoded(body string) {
	for line := range strings.SplitSeq(body, "\n") {
		w := strings.Fields(line)
		if len(w) > 1 && strings.EqualFold(w[0], "set") && len(a.coded) < 1<<12 {
			a.coded[strings.ToLower(w[1])] = true
		}
	}
}

// appleState notes the text item delimiters, and the end of a loop.
func (a *analysis) appleState(toks []token) {
	last := &toks[len(toks)-1]
	for i := 0; i+1 < len(toks) && i < 8; i++ {
		if strings.EqualFold(toks[i].text, "delimiters") && last.kind == textToken {
			a.delimiter = last.value()
			if len(last.list) > 0 {
				a.delimiter = last.list[len(last.list)-1]
			}
			if len(a.delimiter) > 32 {
				a.delimiter = ""
			}
		}
	}
	if a.running == 0 && a.kept != nil && len(toks) == 2 && strings.EqualFold(toks[0].text, "end") && strings.EqualFold(toks[1].text, "repeat") {
		for name, v := range a.kept {
			a.consts[name] = v
		}
		a.kept = nil
	}
}

// partOf computes "characters of", "text items of", "reverse of", "item n of",
// "character n of", "count of" and "id of" for the constant t. It returns false
// if nothing of the kind stands before t.
func (j *joiner) partOf(t token) bool {
	n := len(j.out)
	if !strings.EqualFold(j.out[n-1].text, "of") {
		return false
	}
	what := strings.ToLower(j.out[n-2].text)
	number, numbered := smallInt(what)
	if numbered && n >= 3 && j.out[n-2].kind != wordToken {
		return j.numbered(t, strings.ToLower(j.out[n-3].text), number)
	}
	keep := n - 2
	var list []string
	switch what {
	case "characters", "character":
		if t.list != nil || what == "character" && !(n >= 3 && strings.EqualFold(j.out[n-3].text, "every")) {
			return false
		}
		list = strings.Split(t.value(), "")
	case "items":
		if n < 3 || !strings.EqualFold(j.out[n-3].text, "text") || t.list != nil || j.a.delimiter == "" {
			return false
		}
		keep = n - 3
		list = strings.Split(t.value(), j.a.delimiter)
	case "reverse":
		if t.list == nil {
			return false
		}
		for i := len(t.list) - 1; i >= 0; i-- {
			list = append(list, t.list[i])
		}
	case "count", "length", "id":
		return j.measured(t, what)
	default:
		return false
	}
	if len(list) > 1<<14 || !j.a.spend(len(list)) {
		return false
	}
	if keep > 0 && strings.EqualFold(j.out[keep-1].text, "every") {
		keep--
	}
	space := j.out[keep].space
	j.out = j.out[:keep]
	j.changed = true
	j.pushList(list, space)
	return true
}

// numbered takes the n-th item or character, counted from 1 or from the end.
func (j *joiner) numbered(t token, what string, n int) bool {
	list := t.list
	if what == "character" && list == nil {
		list = strings.Split(t.value(), "")
	} else if what != "item" {
		return false
	}
	if n < 0 {
		n += len(list) + 1
	}
	if n < 1 || n > len(list) {
		return false
	}
	at := len(j.out) - 3
	item := newText(list[n-1])
	item.space = j.out[at].space
	j.out = j.out[:at]
	j.changed = true
	j.pushText(item)
	return true
}

// measured computes the count of a list, the length of a text and the number
// of a character.
func (j *joiner) measured(t token, what string) bool {
	n := 0
	r := []rune(t.value())
	switch {
	case t.list != nil && what != "id":
		n = len(t.list)
	case what == "id" && t.list == nil && len(r) == 1:
		n = int(r[0])
	case what != "id":
		n = len(r)
	default:
		return false
	}
	at := len(j.out) - 2
	number := token{kind: numberToken, space: j.out[at].space, text: strconv.Itoa(n)}
	j.out = j.out[:at]
	j.changed = true
	j.pushNumber(number)
	return true
}

// arithmetic computes "a + b" and "a - b" if they are all that a bracket holds.
func (j *joiner) arithmetic(from int) {
	t := j.out[from:]
	if len(t) != 3 || t[1].kind != signToken {
		return
	}
	a, ok1 := smallInt(t[0].text)
	b, ok2 := smallInt(t[2].text)
	if !ok1 || !ok2 || t[0].kind == signToken || t[0].list != nil || t[2].list != nil {
		return
	}
	switch t[1].text {
	case "+":
		a += b
	case "-":
		a -= b
	case "*":
		a *= b
	default:
		return
	}
	t[0].text, t[0].kind, t[0].buf = strconv.Itoa(a), numberToken, nil
	j.out = j.out[:from+1]
}

// appleNested reads what "do shell script" and "run script" are given.
func (a *analysis) appleNested(toks []token, n int, c context) {
	runs := false
	for i := 0; i+2 < len(toks); i++ {
		if !strings.EqualFold(toks[i+1].text, "script") && !strings.EqualFold(toks[i+1].text, "shell") {
			continue
		}
		switch strings.ToLower(toks[i].text) {
		case "do":
			if strings.EqualFold(toks[i+1].text, "shell") && strings.EqualFold(toks[i+2].text, "script") {
				a.appleShell(toks, i+3, n, runs, c)
			}
			if strings.EqualFold(toks[i+1].text, "script") && toks[i+2].kind == textToken { // Terminal's command
				text, _ := a.argument(toks[i+2:])
				a.runNested(langShell, text, false, n, c)
			}
		case "run":
			runs = true
			a.runsCoded(toks[i+2:])
			if toks[i+2].kind == textToken {
				a.runNested(langAppleScript, toks[i+2].value(), false, n, c)
			}
		}
	}
}

// appleShell reads the command of "do shell script". What it prints, if that is
// constant, is the value of the statement: of a variable, or of "run script".
func (a *analysis) appleShell(toks []token, from, n int, runs bool, c context) {
	if from >= len(toks) {
		return
	}
	a.runsCoded(toks[from:])
	text, _ := a.argument(toks[from:])
	first := len(a.stmts)
	a.runNested(langShell, text, false, n, c)
	if len(a.stmts) == first {
		return
	}
	printed, ok := a.printed(len(a.stmts) - 1)
	if !ok || printed == "" {
		return
	}
	name := a.stmts[n].assign
	switch {
	case runs:
		a.layer(langAppleScript, printed, c.inside(a.stmts[n].pos), n+1)
	case name != "" && len(printed) <= maxValue && a.spend(len(printed)):
		a.consts[name] = value{text: strings.TrimRight(printed, "\n")}
	}
}

// runsCoded states that a computed text is executed: a call of a handler, or a
// variable, that works character by character and could not be computed.
func (a *analysis) runsCoded(toks []token) {
	for i := range toks[:min(len(toks), 6)] {
		if toks[i].kind != wordToken {
			if toks[i].is("&") {
				return
			}
			continue
		}
		name := strings.ToLower(toks[i].text)
		called := i+1 < len(toks) && toks[i+1].is("(") && a.handlers[name].coded
		if called || a.coded[name] {
			a.traits[TraitRunsComputedText] = true
			return
		}
	}
}
