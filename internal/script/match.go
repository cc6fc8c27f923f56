package script

import (
	"slices"
	"strings"
)

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
	m := &matcher{columns: 1}
	texts := make([]string, len(words))
	for i, w := range words {
		text, p := parsePattern(w)
		texts[i] = text
		m.words = append(m.words, p)
		m.addClasses(text)
	}
	size := 1
	for _, text := range texts {
		size += len(text)
	}
	m.next = make([]uint16, m.columns, size*m.columns) // as many states as letters at most
	m.ends = append(make([][]uint16, 0, size), nil)
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

// finder finds words of at least three bytes in large data of which hardly any
// holds one. It looks at three bytes at a time without remembering what came
// before, which is several times as fast as a matcher. ASCII case is ignored.
type finder struct {
	words  []string
	begins [1 << 16 / 64]uint64 // hashes of the first three bytes of words
	starts map[uint32][]int     // those bytes to the words
}

func newFinder(words []string) *finder {
	f := &finder{words: words, starts: map[uint32][]int{}}
	for i, w := range words {
		three := fold(w[0])<<8 | fold(w[1])<<16 | fold(w[2])<<24
		f.starts[three] = append(f.starts[three], i)
		h := hashThree(three)
		f.begins[h>>6] |= 1 << (h & 63)
	}
	return f
}

// fold maps letters of either case to one value; what it does to other bytes it
// does to those of the words as well.
func fold(c byte) uint32 { return uint32(c | 0x20) }

func hashThree(three uint32) uint32 { return three * 0x9e3779b1 >> 16 }

// until calls hit with the number of every word found in data until it says
// that it has seen enough.
func (f *finder) until(data []byte, hit func(id int) bool) {
	three := uint32(0)
	for i, c := range data {
		three = three>>8 | fold(c)<<24
		if h := hashThree(three &^ 0xff); f.begins[h>>6]&(1<<(h&63)) == 0 || i < 2 {
			continue
		}
		for _, id := range f.starts[three&^0xff] {
			if at := data[i-2:]; len(at) >= len(f.words[id]) && strings.EqualFold(string(at[:len(f.words[id])]), f.words[id]) && hit(id) {
				return
			}
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
