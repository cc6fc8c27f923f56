package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// source is one text of chains.
//
//	system darwin
//	chain 03 x4 one sentence: what happens, and why it is an attack
//	Terminal
//	  zsh -l
//	    curl -fsSL https://…   ;; after=20s; cwd=/tmp
//
// A chain has an id, may be repeated (x4), and holds one launch a line, below
// its parent by two spaces. <<a||b>> stands for alternatives, one of which each
// repetition takes. A launch begins with a program: a short name that
// programs.go knows, or a path, in double quotes if it holds spaces. After
// " ;; " stand what else is known of it: sig, cwd, user, origin, after.
// A line that begins with # is a remark.
type source struct {
	name   string // of the file, without its ending
	system string
	chains []chain
	noise  []chain // what else runs while a chain does
}

type chain struct {
	id      string
	times   int
	about   string
	entries []entry
}

// entry is one launch as it is written.
type entry struct {
	depth int
	text  string
}

// words is the launch of an entry, its alternatives chosen.
type words struct {
	program string
	rest    string // the arguments
	attrs   map[string]string
}

func readSource(file string) (*source, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	base := file[strings.LastIndexByte(file, '/')+1:]
	s := &source{name: strings.TrimSuffix(base, ".txt")}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if err := s.line(lines.Text()); err != nil {
			return nil, fmt.Errorf("%s line %d: %w", file, n, err)
		}
	}
	return s, lines.Err()
}

func (s *source) line(text string) error {
	switch {
	case strings.TrimSpace(text) == "" || strings.HasPrefix(text, "#"):
		return nil
	case strings.HasPrefix(text, "system "):
		s.system = text[len("system "):]
		return nil
	case strings.HasPrefix(text, "chain "):
		return s.begin(text[len("chain "):])
	case len(s.chains) == 0:
		return fmt.Errorf("a launch before the first chain")
	}
	body := strings.TrimLeft(text, " ")
	indent := len(text) - len(body)
	if indent%2 != 0 {
		return fmt.Errorf("indented by %d spaces", indent)
	}
	e := entry{depth: indent / 2, text: body}
	c := &s.chains[len(s.chains)-1]
	if e.depth > 0 && (len(c.entries) == 0 || e.depth > c.entries[len(c.entries)-1].depth+1) {
		return fmt.Errorf("the launch has no parent")
	}
	c.entries = append(c.entries, e)
	return nil
}

func (s *source) begin(text string) error {
	id, rest, _ := strings.Cut(text, " ")
	c := chain{id: id, times: 1, about: rest}
	if word, more, _ := strings.Cut(rest, " "); strings.HasPrefix(word, "x") {
		if n, err := strconv.Atoi(word[1:]); err == nil && n > 0 {
			c.times, c.about = n, more
		}
	}
	for _, other := range s.chains {
		if other.id == id {
			return fmt.Errorf("there is another chain %s", id)
		}
	}
	s.chains = append(s.chains, c)
	return nil
}

// read takes the text of a launch apart.
func read(text string) (words, error) {
	body, rest, _ := strings.Cut(text, " ;; ")
	attrs, err := readAttrs(strings.ReplaceAll(rest, " ;; ", "; "))
	if err != nil {
		return words{}, err
	}
	w := words{attrs: attrs}
	body = strings.TrimSpace(body)
	if strings.HasPrefix(body, `"`) {
		end := strings.IndexByte(body[1:], '"')
		if end < 0 {
			return words{}, fmt.Errorf("an open quotation mark")
		}
		w.program, w.rest = body[1:end+1], strings.TrimSpace(body[end+2:])
		return w, nil
	}
	w.program, w.rest, _ = strings.Cut(body, " ")
	return w, nil
}

func readAttrs(text string) (map[string]string, error) {
	attrs := map[string]string{}
	for _, a := range strings.Split(text, "; ") {
		if a = strings.TrimSpace(a); a == "" {
			continue
		}
		key, value, ok := strings.Cut(a, "=")
		if !ok || !known[key] {
			return nil, fmt.Errorf("what is %q", a)
		}
		attrs[key] = value
	}
	return attrs, nil
}

// known are the names of attributes.
var known = map[string]bool{"sig": true, "cwd": true, "user": true, "origin": true, "after": true}
