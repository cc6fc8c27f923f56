package sigma

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// expr is a condition: a test, or one that joins others.
type expr struct {
	op   byte // opTest, opAnd, opOr, opNot
	kids []*expr
	test *test // of opTest
}

const (
	opTest byte = iota
	opAnd
	opOr
	opNot // of the only kid
)

func (e *expr) holds(l *launch) bool {
	switch e.op {
	case opAnd:
		for _, k := range e.kids {
			if !k.holds(l) {
				return false
			}
		}
		return true
	case opOr:
		for _, k := range e.kids {
			if k.holds(l) {
				return true
			}
		}
		return false
	case opNot:
		return !e.kids[0].holds(l)
	}
	return e.test.holds(l)
}

func (e *expr) walk(visit func(*test)) {
	if e.test != nil {
		visit(e.test)
	}
	for _, k := range e.kids {
		k.walk(visit)
	}
}

// cheapFirst has what is asked of texts stand before regular expressions, which
// take a hundred times as long.
func (e *expr) cheapFirst() {
	for _, k := range e.kids {
		k.cheapFirst()
	}
	if e.op == opAnd || e.op == opOr {
		e.kids = slices.Clone(e.kids) // shared by conditions that name one thing twice
		slices.SortStableFunc(e.kids, func(a, b *expr) int { return a.price() - b.price() })
	}
}

func (e *expr) price() int {
	n := 0
	e.walk(func(t *test) {
		if t.kind == kindRegex {
			n = 1
		}
	})
	return n
}

// join makes one of several, and leaves a single one as it is.
func join(op byte, kids []*expr) *expr {
	if len(kids) == 1 {
		return kids[0]
	}
	return &expr{op: op, kids: kids}
}

// Words of a condition. A name may hold what other tools let into it.
var conditionWord = regexp.MustCompile(`\s*([()|]|[A-Za-z0-9_*?.\-]+|\S)`)

// parser reads a condition:
//
//	or   = and { "or" and }
//	and  = not { "and" not }
//	not  = "not" not | "(" or ")" | ("1" | "any" | "all") "of" ("them" | pattern) | name
type parser struct {
	doc   *document
	words []string
	line  int
	depth int
}

func (d *document) condition(s string, line int) (*expr, error) {
	p := &parser{doc: d, line: line}
	for _, m := range conditionWord.FindAllStringSubmatch(s, -1) {
		p.words = append(p.words, m[1])
	}
	if d.nodes -= len(p.words); d.nodes < 0 {
		return nil, at(line, "its condition has too many words")
	}
	e, err := p.or()
	if err == nil && len(p.words) > 0 {
		return nil, p.unexpected()
	}
	return e, err
}

func (p *parser) peek() string {
	if len(p.words) == 0 {
		return ""
	}
	return strings.ToLower(p.words[0])
}

func (p *parser) take(word string) bool {
	if p.peek() != word {
		return false
	}
	p.words = p.words[1:]
	return true
}

func (p *parser) unexpected() error {
	switch p.peek() {
	case "":
		return at(p.line, "the condition ends too early")
	case "|":
		return at(p.line, "the condition counts events (|): a launch is judged by itself")
	}
	return at(p.line, "the condition has %q where it should not be", p.words[0])
}

func (p *parser) or() (*expr, error)  { return p.chain("or", opOr, p.and) }
func (p *parser) and() (*expr, error) { return p.chain("and", opAnd, p.not) }

func (p *parser) chain(word string, op byte, next func() (*expr, error)) (*expr, error) {
	var kids []*expr
	for {
		e, err := next()
		if err != nil {
			return nil, err
		}
		if kids = append(kids, e); !p.take(word) {
			return join(op, kids), nil
		}
	}
}

func (p *parser) not() (*expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, at(p.line, "the condition is nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	if p.take("not") {
		e, err := p.not()
		return &expr{op: opNot, kids: []*expr{e}}, err
	}
	if p.take("(") {
		e, err := p.or()
		if err == nil && !p.take(")") {
			return nil, p.unexpected()
		}
		return e, err
	}
	if len(p.words) > 1 && strings.EqualFold(p.words[1], "of") {
		return p.quantity()
	}
	return p.name()
}

func (p *parser) quantity() (*expr, error) {
	op := byte(opOr)
	switch p.peek() {
	case "all":
		op = opAnd
	case "1", "any":
	default:
		return nil, at(p.line, "the condition asks for %q of something: only 1, any and all are known", p.words[0])
	}
	if p.words = p.words[2:]; len(p.words) == 0 {
		return nil, p.unexpected()
	}
	pattern := p.words[0]
	p.words = p.words[1:]
	var kids []*expr
	for _, name := range p.doc.order {
		if among(pattern, name) {
			kids = append(kids, p.doc.searches[name])
		}
	}
	if len(kids) == 0 {
		return nil, at(p.line, "the condition speaks of %s, and nothing is called so", pattern)
	}
	return join(op, kids), nil
}

// among says whether a name is meant by "them" or a pattern. A name that begins
// with _ is none of "them".
func among(pattern, name string) bool {
	if strings.EqualFold(pattern, "them") {
		return !strings.HasPrefix(name, "_")
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

func (p *parser) name() (*expr, error) {
	if len(p.words) == 0 {
		return nil, p.unexpected()
	}
	e, ok := p.doc.searches[p.words[0]]
	if !ok {
		switch p.peek() {
		case "and", "or", "|", "(", ")":
			return nil, p.unexpected()
		}
		return nil, at(p.line, "the condition speaks of %s, and nothing is called so", p.words[0])
	}
	p.words = p.words[1:]
	return e, nil
}
