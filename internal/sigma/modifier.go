package sigma

import (
	"encoding/base64"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"go.yaml.in/yaml/v3"
)

// shape is how a value has to stand in a field.
type shape byte

const (
	equal shape = iota
	contain
	begin
	end
)

// modifiers are what stands behind the name of a field, in any order. Only the
// steps that change the value keep theirs.
type modifiers struct {
	shape  shape
	kind   kind
	all    bool
	not    bool // neq
	cased  bool
	flags  string   // of a regular expression
	order  string   // gt, gte, lt, lte
	change []string // windash, base64, wide, …
}

func modifiersOf(words []string, line int) (modifiers, error) {
	var m modifiers
	regex := false
	for _, w := range words {
		regex = regex || w == "re"
	}
	for _, w := range words {
		switch w {
		case "contains":
			m.shape = contain
		case "startswith":
			m.shape = begin
		case "endswith":
			m.shape = end
		case "all":
			m.all = true
		case "neq":
			m.not = true
		case "cased":
			m.cased = true
		case "re":
			m.kind = kindRegex
		case "cidr":
			m.kind = kindNetwork
		case "exists":
			m.kind = kindExists
		case "fieldref":
			m.kind = kindField
		case "gt", "gte", "lt", "lte":
			m.kind, m.order = kindNumber, w
		case "windash", "base64", "base64offset", "wide", "utf16le", "utf16be", "utf16":
			m.change = append(m.change, w)
		case "i", "m", "s":
			if !regex {
				return m, at(line, "the modifier %q belongs to re only", w)
			}
			m.flags += w
		case "expand":
			return m, at(line, "the modifier expand asks for a list of its user's own network, and there is none here")
		default:
			return m, at(line, "the modifier %q is not known", w)
		}
	}
	if m.kind != kindText && len(m.change) > 0 {
		return m, at(line, "%s changes text, and the other modifiers do not ask for text", m.change[0])
	}
	return m, nil
}

// value compiles one value of an item.
func (d *document) value(field int, m modifiers, n *yaml.Node) (*test, error) {
	if n.Kind != yaml.ScalarNode {
		return nil, at(n.Line, "a value is text, a number, true, false or null")
	}
	t := &test{field: field, other: noField, kind: m.kind, shape: m.shape, cased: m.cased, not: m.not}
	var err error
	switch {
	case n.Tag == "!!null":
		t.kind = kindNull
	case m.kind == kindText:
		t.patterns, err = d.texts(m, n)
	case m.kind == kindRegex:
		t.regex, err = expression(m.flags, n)
	case m.kind == kindNetwork:
		if t.network, err = netip.ParsePrefix(n.Value); err != nil {
			err = at(n.Line, "%q is no network: %v", n.Value, err)
		}
	case m.kind == kindExists:
		if t.exists, err = strconv.ParseBool(n.Value); err != nil {
			err = at(n.Line, "exists is true or false, not %q", n.Value)
		}
	case m.kind == kindField:
		t.other = d.fields.id(n.Value)
	case m.kind == kindNumber:
		t.order = m.order
		if t.number, err = strconv.ParseFloat(n.Value, 64); err != nil {
			err = at(n.Line, "%q is no number", n.Value)
		}
	}
	return t, err
}

// maxRegex bounds a regular expression, in bytes.
const maxRegex = 4096

func expression(flags string, n *yaml.Node) (*regexp.Regexp, error) {
	text := n.Value
	if len(text) > maxRegex {
		return nil, at(n.Line, "a regular expression has at most %d bytes", maxRegex)
	}
	if flags != "" {
		text = "(?" + flags + ")" + text
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, at(n.Line, "the regular expression cannot be used (RE2 has no look-around): %v", err)
	}
	return re, nil
}

// texts gives the patterns that one value stands for.
func (d *document) texts(m modifiers, n *yaml.Node) ([]pattern, error) {
	values := []glob{parseGlob(n.Value)}
	for _, change := range m.change {
		var next []glob
		for _, v := range values {
			changed, ok := changes[change](v)
			if !ok {
				return nil, at(n.Line, "%s cannot be done to %q: it has wildcards or too many dashes", change, n.Value)
			}
			next = append(next, changed...)
		}
		values = next
	}
	if d.patterns -= len(values); d.patterns < 0 {
		return nil, at(n.Line, "its values stand for more than %d patterns", maxPatterns)
	}
	out := make([]pattern, len(values))
	for i, v := range values {
		out[i] = newPattern(v, m.shape, m.cased)
	}
	return out, nil
}

var changes = map[string]func(glob) ([]glob, bool){
	"windash":      windash,
	"base64":       onText(func(s string) []string { return []string{base64.StdEncoding.EncodeToString([]byte(s))} }),
	"base64offset": onText(base64Offsets),
	"wide":         onText(func(s string) []string { return []string{wide(s, false)} }),
	"utf16le":      onText(func(s string) []string { return []string{wide(s, false)} }),
	"utf16be":      onText(func(s string) []string { return []string{wide(s, true)} }),
	"utf16":        onText(func(s string) []string { return []string{"\xff\xfe" + wide(s, false)} }),
}

// onText is a change of plain text: what an encoding of a wildcard is, nobody
// can say.
func onText(change func(string) []string) func(glob) ([]glob, bool) {
	return func(g glob) ([]glob, bool) {
		s, plain := g.plain()
		if !plain {
			return nil, false
		}
		var out []glob
		for _, v := range change(s) {
			out = append(out, plainGlob(v))
		}
		return out, true
	}
}

func wide(s string, bigEndian bool) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		low, high := byte(u), byte(u>>8)
		if bigEndian {
			low, high = high, low
		}
		b.WriteByte(low)
		b.WriteByte(high)
	}
	return b.String()
}

// base64Offsets are the three encodings that text can have inside a longer one,
// each without the letters that its neighbours share.
func base64Offsets(s string) []string {
	var out []string
	for i, from := range []int{0, 2, 3} {
		code := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", i) + s))
		to := len(code) - []int{0, 3, 2}[(len(s)+i)%3]
		if from < to {
			out = append(out, code[from:to])
		}
	}
	return out
}

// dashes are the characters that programs of Windows take for the beginning of
// an option.
var dashes = []rune{'-', '/', '–', '—', '―'}

// maxDashes bounds the options in one value: each multiplies its patterns by
// five.
const maxDashes = 4

// windash gives a value with every dash of an option exchanged for each of its
// kin. A dash belongs to an option if a word follows it and none goes before.
func windash(g glob) ([]glob, bool) {
	var at []int
	for i, c := range g {
		if c.wild || c.r != '-' && c.r != '/' {
			continue
		}
		if (i == 0 || !isWord(g[i-1])) && i+1 < len(g) && isWord(g[i+1]) {
			at = append(at, i)
		}
	}
	if len(at) > maxDashes {
		return nil, false
	}
	out := []glob{g}
	for _, i := range at {
		var next []glob
		for _, v := range out {
			for _, dash := range dashes {
				c := append(glob(nil), v...)
				c[i].r = dash
				next = append(next, c)
			}
		}
		out = next
	}
	return out, true
}

func isWord(c char) bool {
	return !c.wild && (c.r == '_' || c.r >= '0' && c.r <= '9' || c.r >= 'a' && c.r <= 'z' || c.r >= 'A' && c.r <= 'Z' || c.r > 127 && !isDash(c.r))
}

func isDash(r rune) bool { return r == '–' || r == '—' || r == '―' }
