package script

import "slices"

// matcher finds many words in one pass (Aho and Corasick, 1975). ASCII case is
// ignored; other letters have to be lower case in both.
type matcher struct {
	class   [256]uint8 // byte to column of next
	columns int
	next    []uint16 // state*columns + column to state
	ends    [][]uint16
	words   []pattern
}

// pattern is one word. A word written "<x" or "x>" must not touch another
// letter, digit or underscore on that side.
type pattern struct {
	size        int
	left, right bool
}

func parsePattern(s string) (string, pattern) {
	var p pattern
	if len(s) > 1 && s[0] == '<' {
		p.left, s = true, s[1:]
	}
	if len(s) > 1 && s[len(s)-1] == '>' {
		p.right, s = true, s[:len(s)-1]
	}
	p.size = len(s)
	return s, p
}

func newMatcher(words []string) *matcher {
	m := &matcher{columns: 1, ends: make([][]uint16, 1)}
	texts := make([]string, len(words))
	for i, w := range words {
		text, p := parsePattern(w)
		texts[i] = text
		m.words = append(m.words, p)
		m.addClasses(text)
	}
	m.next = make([]uint16, m.columns)
	for i, text := range texts {
		m.insert(text, uint16(i))
	}
	m.link()
	return m
}

func (m *matcher) addClasses(text string) {
	for i := range len(text) {
		c := text[i]
		if m.class[c] != 0 {
			continue
		}
		m.class[c] = uint8(m.columns)
		if c >= 'a' && c <= 'z' {
			m.class[c-'a'+'A'] = uint8(m.columns)
		}
		m.columns++
	}
}

func (m *matcher) insert(text string, id uint16) {
	state := 0
	for i := range len(text) {
		at := state*m.columns + int(m.class[text[i]])
		if m.next[at] == 0 {
			m.next[at] = uint16(len(m.ends))
			m.ends = append(m.ends, nil)
			m.next = append(m.next, make([]uint16, m.columns)...)
		}
		state = int(m.next[at])
	}
	m.ends[state] = append(m.ends[state], id)
}

// link turns the tree into an automaton that never steps back: a missing edge
// becomes the edge of the longest suffix that is in the tree.
func (m *matcher) link() {
	fail := make([]uint16, len(m.ends))
	queue := make([]uint16, 0, len(m.ends))
	for c := range m.columns {
		if s := m.next[c]; s != 0 {
			queue = append(queue, s)
		}
	}
	for len(queue) > 0 {
		state := int(queue[0])
		queue = queue[1:]
		suffix := int(fail[state])
		m.ends[state] = append(m.ends[state], m.ends[suffix]...)
		for c := range m.columns {
			at, other := state*m.columns+c, m.next[suffix*m.columns+c]
			if s := m.next[at]; s != 0 {
				fail[s] = other
				queue = append(queue, s)
			} else {
				m.next[at] = other
			}
		}
	}
}

// scan calls hit with the number and the start of every word found in s.
func (m *matcher) scan(s string, hit func(id, start int)) {
	state := 0
	for i := range len(s) {
		state = int(m.next[state*m.columns+int(m.class[s[i]])])
		if len(m.ends[state]) == 0 {
			continue
		}
		for _, id := range m.ends[state] {
			p := m.words[id]
			start := i + 1 - p.size
			if p.left && start > 0 && isWordByte(s[start-1]) || p.right && i+1 < len(s) && isWordByte(s[i+1]) {
				continue
			}
			hit(int(id), start)
		}
	}
}

// bits is a set of word numbers.
type bits [8]uint64

func (b *bits) set(n int)      { b[n>>6] |= 1 << (n & 63) }
func (b *bits) has(n int) bool { return b[n>>6]&(1<<(n&63)) != 0 }
func (b *bits) empty() bool    { return *b == bits{} }

func (b *bits) meets(o *bits) bool {
	for i := range b {
		if b[i]&o[i] != 0 {
			return true
		}
	}
	return false
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c >= 0x80
}

// sortedKeys returns the members of a set in order, nil if there is none.
func sortedKeys(set map[string]bool) []string {
	var keys []string
	for k := range set {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
