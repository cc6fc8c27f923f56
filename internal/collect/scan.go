package collect

import (
	"bytes"
	"encoding/json"
	"strings"
)

// maxDepth is how deep values may lie in each other, as in encoding/json.
const maxDepth = 10000

// scanner reads JSON (RFC 8259) without decoding it: it finds where values begin
// and end, at the speed of memory. What it takes for valid is what encoding/json
// does; its own decoder costs ten times as much, and a batch needs a few values
// of each record only.
type scanner struct {
	text  []byte
	at    int
	depth int
	blank bool // there was white space between tokens
}

// space skips white space.
func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
			s.blank = true
		default:
			return
		}
	}
}

// take takes one byte if it comes next.
func (s *scanner) take(b byte) bool {
	if s.at < len(s.text) && s.text[s.at] == b {
		s.at++
		return true
	}
	return false
}

// value skips a value and returns its text, nil if it is none.
func (s *scanner) value() []byte {
	from := s.at
	if !s.skip() {
		return nil
	}
	return s.text[from:s.at]
}

func (s *scanner) skip() bool {
	if s.at >= len(s.text) {
		return false
	}
	switch c := s.text[s.at]; c {
	case '"':
		return s.str()
	case '{':
		return s.object(func([]byte, []byte) error { return nil }) == nil
	case '[':
		return s.list(func([]byte) error { return nil }) == nil
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	default:
		return s.number()
	}
}

func (s *scanner) word(word string) bool {
	if !bytes.HasPrefix(s.text[s.at:], []byte(word)) {
		return false
	}
	s.at += len(word)
	return true
}

func (s *scanner) str() bool {
	for s.at++; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return true
		case c < ' ':
			return false
		case c == '\\':
			if !s.escape() {
				return false
			}
		}
	}
	return false
}

// escape skips what follows a backslash, but for its last byte.
func (s *scanner) escape() bool {
	s.at++
	if s.at >= len(s.text) {
		return false
	}
	if s.text[s.at] != 'u' {
		return strings.IndexByte(`"\/bfnrt`, s.text[s.at]) >= 0
	}
	for range 4 {
		s.at++
		if s.at >= len(s.text) || !isHex(s.text[s.at]) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func (s *scanner) number() bool {
	s.take('-')
	if !s.take('0') && !s.digits() {
		return false
	}
	if s.take('.') && !s.digits() {
		return false
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		return s.digits()
	}
	return true
}

// digits skips at least one.
func (s *scanner) digits() bool {
	from := s.at
	for s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at > from
}

// errJSON says that a text is no JSON, or another value than it must be.
var errJSON = refuse(400, "not the JSON that was expected")

// object calls each with the members of the object that begins here: the key as
// it is written, without quotes, and the text of the value.
func (s *scanner) object(each func(key, value []byte) error) error {
	return s.members('{', '}', func() error {
		from := s.at
		if s.at >= len(s.text) || s.text[s.at] != '"' || !s.str() {
			return errJSON
		}
		key := s.text[from+1 : s.at-1]
		if s.space(); !s.take(':') {
			return errJSON
		}
		s.space()
		value := s.value()
		if value == nil {
			return errJSON
		}
		return each(key, value)
	})
}

// list calls each with the values of the list that begins here.
func (s *scanner) list(each func(value []byte) error) error {
	return s.members('[', ']', func() error {
		value := s.value()
		if value == nil {
			return errJSON
		}
		return each(value)
	})
}

// members calls one at the beginning of each member between two brackets.
func (s *scanner) members(begin, end byte, one func() error) error {
	if s.depth++; s.depth > maxDepth || !s.take(begin) {
		return errJSON
	}
	defer func() { s.depth-- }()
	if s.space(); s.take(end) {
		return nil
	}
	for {
		if err := one(); err != nil {
			return err
		}
		if s.space(); s.take(end) {
			return nil
		}
		if !s.take(',') {
			return errJSON
		}
		s.space()
	}
}

// rest tells whether nothing but white space is left.
func (s *scanner) rest() bool {
	s.space()
	return s.at == len(s.text)
}

// isTight tells whether a text is valid JSON without insignificant white space.
func isTight(text []byte) bool {
	s := scanner{text: text}
	return s.skip() && !s.blank && s.at == len(text)
}

// keyOf is the key that was written.
func keyOf(written []byte) string {
	if bytes.IndexByte(written, '\\') < 0 {
		return string(written)
	}
	return textOf([]byte(`"` + string(written) + `"`))
}

// textOf is the text that a JSON string stands for, "" for another value. The
// JSON is valid.
func textOf(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	if inner := value[1 : len(value)-1]; isPlainASCII(inner) {
		return string(inner)
	}
	var text string
	_ = json.Unmarshal(value, &text) // a valid string
	return text
}

// isPlainASCII tells whether a JSON string stands for the bytes in it.
func isPlainASCII(inner []byte) bool {
	for _, c := range inner {
		if c >= 0x80 || c == '\\' {
			return false
		}
	}
	return true
}

// numberOf is the digits of a JSON number as they were written, "" for another
// value.
func numberOf(value []byte) string {
	if len(value) == 0 || value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		return ""
	}
	return string(value)
}
