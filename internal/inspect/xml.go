package inspect

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
)

// The limits of XML. Reading 40,000 tokens takes about fifteen milliseconds.
const (
	maxXML     = 256 << 10 // bytes of one document; one element may be all attributes, which take many times their size
	maxTokens  = 40_000    // of all documents of one file
	maxDepth   = 64
	maxElement = 4 << 10 // bytes kept of the text of one element
)

// element is an XML element whose end was just read.
type element struct {
	path  []string // local names from the root to this one
	attrs []xml.Attr
	text  []byte // what stands in it outside its children
}

// is tells whether the element has this path.
func (e *element) is(path ...string) bool {
	if len(e.path) != len(path) {
		return false
	}
	for i, name := range path {
		if e.path[i] != name {
			return false
		}
	}
	return true
}

func (e *element) attr(name string) string {
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// walkXML calls visit for each element at its end. It is lenient, since what
// these documents are made for is lenient too: it ignores namespaces, unknown
// entities and the declared encoding. No entity is ever expanded or fetched.
// All documents of one file share the count of tokens.
func (c *collector) walkXML(data []byte, visit func(element)) error {
	if len(data) > maxXML {
		return malformed("XML document is too large")
	}
	if byteOrderMark(data) != nil {
		data = []byte(textOf(data))
	}
	dec := xml.NewDecoder(bytes.NewReader(data))
	dec.Strict = false
	dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var path []string
	var open []element
	for ; c.tokens < maxTokens; c.tokens++ {
		token, err := dec.RawToken()
		if errors.Is(err, io.EOF) && len(open) == 0 {
			return nil
		}
		if err != nil {
			return malformed("XML is malformed")
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(path) == maxDepth {
				return malformed("XML is nested too deeply")
			}
			path = append(path, t.Name.Local)
			open = append(open, element{attrs: t.Attr})
		case xml.EndElement:
			if len(open) == 0 || path[len(path)-1] != t.Name.Local {
				return malformed("XML elements are not closed in order")
			}
			last := open[len(open)-1]
			last.path = path
			visit(last)
			path, open = path[:len(path)-1], open[:len(open)-1]
		case xml.CharData:
			if n := len(open); n > 0 {
				text := &open[n-1].text
				*text = append(*text, t[:min(len(t), maxElement-len(*text))]...)
			}
		}
	}
	return malformed("XML has too many elements")
}
