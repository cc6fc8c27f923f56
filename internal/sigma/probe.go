package sigma

import (
	"regexp/syntax"
	"strconv"
	"strings"
)

// probe fires a rule twice before it is taken: at a launch of which nothing is
// known, which it must not match, and at one made of its own values, which it
// must. A rule that fails the first would call every launch suspicious of which
// little is known; one that fails the second contradicts itself. Of a rule with
// a regular expression that is not certain, because the text made for one may
// miss what another wants: it is taken.
func probe(r *rule, fs *fields) error {
	empty := &launch{values: make([]value, fs.count())}
	if r.when.holds(empty) {
		return at(r.line, "it matches a launch of which nothing is known: it asks only for what is absent")
	}
	for variant := range probeVariants {
		if r.when.holds(witness(r.when, fs, variant)) {
			return nil
		}
	}
	if r.when.asks(kindRegex) {
		return nil
	}
	return at(r.line, "it matches no launch made of its own values: its searches contradict one another or its filters")
}

func (e *expr) asks(k kind) (found bool) {
	e.walk(func(t *test) { found = found || t.kind == k })
	return found
}

// probeVariants is how many of the alternatives of a condition are tried.
const probeVariants = 24

// witness makes a launch of the values that a condition asks for. The variant
// chooses among alternatives.
func witness(e *expr, fs *fields, variant int) *launch {
	w := &maker{pick: variant, made: map[int]*making{}}
	w.add(e, false)
	l := &launch{values: make([]value, fs.count())}
	for id, m := range w.made {
		l.values[id].set([]string{m.text()})
	}
	for _, pair := range w.same {
		same := l.values[pair[0]].raw
		if same == nil {
			same = []string{"same"}
		}
		l.values[pair[0]].set(same)
		l.values[pair[1]].set(same)
	}
	return l
}

// maker collects what the fields of a launch have to hold.
type maker struct {
	pick int
	made map[int]*making
	same [][2]int // fields that are to be equal
}

// making is one field: a whole text, or one that begins, ends and holds others.
type making struct {
	whole, head, tail string
	parts             []string
}

func (m *making) text() string {
	if m.whole != "" {
		return m.whole
	}
	parts := m.parts
	if m.head != "" {
		parts = append([]string{m.head}, parts...)
	}
	if m.tail != "" {
		parts = append(parts, m.tail)
	}
	return strings.Join(parts, " ")
}

func (w *maker) field(id int) *making {
	if id < 0 {
		id = 1 // of a keyword: the command line
	}
	if w.made[id] == nil {
		w.made[id] = &making{}
	}
	return w.made[id]
}

func (w *maker) add(e *expr, not bool) {
	switch {
	case e.op == opTest && not:
		if e.test.kind == kindNull {
			w.field(e.test.field).parts = append(w.field(e.test.field).parts, "x"+strconv.Itoa(e.test.field))
		}
	case e.op == opTest:
		w.ask(e.test)
	case e.op == opNot:
		w.add(e.kids[0], !not)
	case (e.op == opOr) != not:
		w.add(e.kids[w.pick%len(e.kids)], not)
	default:
		for _, k := range e.kids {
			w.add(k, not)
		}
	}
}

func (w *maker) ask(t *test) {
	if t.kind == kindNull || t.kind == kindExists && !t.exists {
		return
	}
	m := w.field(t.field)
	switch t.kind {
	case kindText:
		if !t.not {
			m.hold(&t.patterns[w.pick%len(t.patterns)], []string{"", "x"}[w.pick%2])
			return
		}
		m.parts = append(m.parts, "x")
	case kindRegex:
		tree, err := syntax.Parse(t.regex.String(), syntax.Perl)
		if err != nil {
			return
		}
		var b strings.Builder
		sample(tree, &b, w.pick)
		m.express(t.regex.String(), b.String())
	case kindNetwork:
		m.whole = t.network.Addr().String()
	case kindNumber:
		m.whole = number(t)
	case kindField:
		w.same = append(w.same, [2]int{t.field, t.other})
	case kindExists:
		m.parts = append(m.parts, "x")
	}
}

func number(t *test) string {
	n := t.number
	switch t.order {
	case "gt":
		n++
	case "lt":
		n--
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// express adds the text for a regular expression where its anchors want it.
func (m *making) express(expression, text string) {
	begins, ends := strings.HasPrefix(expression, "^"), strings.HasSuffix(expression, "$")
	switch {
	case begins && ends:
		m.whole = text
	case begins:
		m.head = text
	case ends:
		m.tail = text
	default:
		m.parts = append(m.parts, text)
	}
}

// hold adds the text of a pattern. A ? is its own example, a star stands for
// the filler.
func (m *making) hold(p *pattern, filler string) {
	var pieces []string
	for _, one := range p.pieces {
		pieces = append(pieces, one.text)
	}
	text := strings.Join(pieces, filler)
	if p.opened {
		text += filler
	}
	switch {
	case !p.openHead && !p.opened:
		m.whole = text
	case !p.openHead && len(text) > len(m.head):
		m.head = text
	case p.openHead && !p.opened && len(text) > len(m.tail):
		m.tail = text
	case p.openHead && p.opened:
		m.parts = append(m.parts, text)
	}
}

// maxSample bounds the text made for a regular expression, in bytes.
const maxSample = 4096

// sample writes a text that an expression matches, if its assertions allow.
func sample(re *syntax.Regexp, b *strings.Builder, pick int) {
	if b.Len() > maxSample {
		return
	}
	times := 1
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
		return
	case syntax.OpCharClass:
		if len(re.Rune) > 0 {
			b.WriteRune(representative(re.Rune))
		}
		return
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
		return
	case syntax.OpAlternate:
		sample(re.Sub[pick%len(re.Sub)], b, pick)
		return
	case syntax.OpStar, syntax.OpQuest:
		return
	case syntax.OpRepeat:
		times = re.Min
	}
	for range times {
		for _, sub := range re.Sub {
			sample(sub, b, pick)
		}
	}
}

// representative is a character of a class, a printable one if there is one.
func representative(ranges []rune) rune {
	for i := 0; i+1 < len(ranges); i += 2 {
		for _, r := range []rune{'a', 'A', '1', ' ', '-'} {
			if ranges[i] <= r && r <= ranges[i+1] {
				return r
			}
		}
	}
	return ranges[0]
}
