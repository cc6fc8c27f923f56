package sigma

import (
	"slices"
	"strings"
)

// gram is how many bytes of a needed text are looked for. Shorter texts are not
// used: they stand everywhere.
const gram = 4

// index chooses the rules of one system that a launch could match. For each
// rule it knows texts of which one has to stand in a field; four bytes of each
// are looked for in one pass over the field. A rule of which no text is needed
// is always chosen.
type index struct {
	rules  []*rule
	always []int
	fields []gramSet // by field
}

// gramSet maps four bytes to the rules that wait for them.
type gramSet struct {
	rules map[uint32][]int
	maybe *[1024]uint64 // a bit for each hash of four bytes in the map: most places are told by it; nil for no rules
}

func hash(g uint32) uint32 { return g * 2654435761 >> 16 }

func pack(s string, i int) uint32 {
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}

// need is a text that has to stand in a field.
type need struct {
	field int
	text  string // lower case, at least gram bytes
}

func newIndex(all []*rule, os string, fields int) *index {
	x := &index{fields: make([]gramSet, fields)}
	common := map[need]int{}
	var wanted [][][]need
	for _, r := range all {
		if !slices.Contains(r.info.Products, os) {
			continue
		}
		x.rules = append(x.rules, r)
		choices := needs(r.when)
		wanted = append(wanted, choices)
		for _, choice := range choices {
			for _, n := range choice {
				common[n]++
			}
		}
	}
	grams := map[uint32]int{}
	for n := range common {
		for i := 0; i+gram <= len(n.text); i++ {
			grams[pack(n.text, i)]++
		}
	}
	for i, choices := range wanted {
		x.add(i, cheapest(choices, common), grams)
	}
	return x
}

// add has a rule wait for the rarest four bytes of each of its texts.
func (x *index) add(rule int, texts []need, grams map[uint32]int) {
	if texts == nil {
		x.always = append(x.always, rule)
		return
	}
	for _, n := range texts {
		best, count := uint32(0), -1
		for i := 0; i+gram <= len(n.text); i++ {
			if g := pack(n.text, i); count < 0 || grams[g] < count {
				best, count = g, grams[g]
			}
		}
		set := &x.fields[n.field]
		if set.maybe == nil {
			set.maybe, set.rules = new([1024]uint64), map[uint32][]int{}
		}
		if !slices.Contains(set.rules[best], rule) {
			set.rules[best] = append(set.rules[best], rule)
		}
		h := hash(best)
		set.maybe[h/64&1023] |= 1 << (h % 64)
	}
}

// cheapest takes the choice whose texts fewest rules share: those stand in the
// fewest launches.
func cheapest(choices [][]need, common map[need]int) []need {
	var best []need
	cost := 0
	for _, c := range choices {
		sum := 0
		for _, n := range c {
			sum += common[n]
		}
		if best == nil || sum < cost {
			best, cost = c, sum
		}
	}
	return best
}

// needs gives sets of texts, of each of which one has to stand in its field for
// the condition to hold. None if nothing can be said.
func needs(e *expr) [][]need {
	switch e.op {
	case opAnd:
		var out [][]need
		for _, k := range e.kids {
			out = append(out, needs(k)...)
		}
		return out
	case opOr:
		var all []need
		for _, k := range e.kids {
			choices := needs(k)
			if len(choices) == 0 {
				return nil
			}
			all = append(all, slices.MinFunc(choices, func(a, b []need) int { return len(a) - len(b) })...)
		}
		return [][]need{all}
	case opNot:
		return nil
	}
	return e.test.needs()
}

func (t *test) needs() [][]need {
	if t.field < 0 || t.not {
		return nil
	}
	switch t.kind {
	case kindText:
	case kindRegex:
		return t.regexNeeds()
	default:
		return nil
	}
	var out []need
	for i := range t.patterns {
		text := t.patterns[i].longest()
		if len(text) < gram {
			return nil
		}
		out = append(out, need{t.field, text})
	}
	return [][]need{out}
}

func (t *test) regexNeeds() (out [][]need) {
	for _, choice := range literals(t.regex) {
		var one []need
		for _, text := range choice {
			one = append(one, need{t.field, text})
		}
		out = append(out, one)
	}
	return out
}

// longest is the longest piece of plain text of a pattern, in lower case.
func (p *pattern) longest() string {
	best := ""
	for i := range p.pieces {
		if one := &p.pieces[i]; one.any == nil && len(one.text) > len(best) {
			best = one.text
		}
	}
	return strings.ToLower(best)
}

// candidates gives the rules that a launch could match, in the order of loading.
func (x *index) candidates(l *launch) []*rule {
	marked := make([]uint64, (len(x.rules)+63)/64)
	for _, i := range x.always {
		marked[i/64] |= 1 << (i % 64)
	}
	for id := range x.fields {
		if x.fields[id].maybe == nil {
			continue
		}
		for _, s := range l.value(id).low {
			x.fields[id].mark(s, marked)
		}
	}
	var out []*rule
	for i, r := range x.rules {
		if marked[i/64]&(1<<(i%64)) != 0 {
			out = append(out, r)
		}
	}
	return out
}

func (set *gramSet) mark(s string, marked []uint64) {
	for i := 0; i+gram <= len(s); i++ {
		g := pack(s, i)
		h := hash(g)
		if set.maybe[h/64&1023]&(1<<(h%64)) == 0 {
			continue
		}
		for _, r := range set.rules[g] {
			marked[r/64] |= 1 << (r % 64)
		}
	}
}
