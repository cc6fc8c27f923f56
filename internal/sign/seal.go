package sign

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// _CodeSignature/CodeResources is a property list with the digests of a
// bundle's files and the rules by which they were chosen: "files" and "rules"
// in the old form (SHA-1, the resources alone), "files2" and "rules2" in the
// present one. Apple's resources.cpp in the Security project reads it. Its own
// digest stands in the code directory.
const (
	maxSeal      = 16 << 20 // bytes
	maxSealNodes = 1 << 18  // values, four for a file
	maxSealDepth = 8
	maxRules     = 64
	maxRule      = 256     // bytes of one pattern
	maxMatching  = 1 << 28 // bytes of names times bytes of patterns
)

// seal is a list of resources.
type seal struct {
	files map[string]sealedFile
	rules []sealRule
	spent int // of maxMatching
}

// sealedFile is what a seal says of one file.
type sealedFile struct {
	sha1, sha256 []byte
	link         string // where a symbolic link has to point to
	optional     bool   // may be missing: a localization
	nested       bool   // code with a signature of its own
}

// sealRule chooses files. Of several that fit, the one of most weight counts.
type sealRule struct {
	pattern *regexp.Regexp
	size    int
	omit    bool
	weight  float64
}

// readSeal reads a list of resources. The errors accuse no one: the bytes are
// those that the signer saw.
func readSeal(text []byte) (*seal, error) {
	if len(text) > maxSeal {
		return nil, limit("the list of resources is larger than 16 MiB")
	}
	p := plistReader{d: xml.NewDecoder(bytes.NewReader(text)), left: maxSealNodes}
	top, err := p.top()
	if err != nil {
		return nil, err
	}
	files, rules := dict(top["files2"]), dict(top["rules2"])
	if files == nil {
		files, rules = dict(top["files"]), dict(top["rules"])
	}
	s := &seal{files: map[string]sealedFile{}}
	for name, value := range files {
		s.files[plainPath(name)] = readSealed(value)
	}
	return s, s.addRules(rules)
}

// readSealed reads the entry of one file: a dictionary, or a bare SHA-1.
func readSealed(value any) sealedFile {
	if sum, ok := value.([]byte); ok {
		return sealedFile{sha1: sum}
	}
	d := dict(value)
	var f sealedFile
	f.sha1, _ = d["hash"].([]byte)
	f.sha256, _ = d["hash2"].([]byte)
	f.link, _ = d["symlink"].(string)
	f.optional, _ = d["optional"].(bool)
	_, f.nested = d["cdhash"]
	if _, named := d["requirement"]; named {
		f.nested = true
	}
	return f
}

// addRules reads the rules. Counted repetition is not used by Apple and would
// let a short pattern grow into a large program.
func (s *seal) addRules(rules map[string]any) error {
	if len(rules) > maxRules {
		return limit("the list of resources has too many rules")
	}
	for _, text := range slices.Sorted(maps.Keys(rules)) {
		value := rules[text]
		if len(text) > maxRule || strings.ContainsAny(text, "{") {
			return limit("a rule of the list of resources is not understood")
		}
		pattern, err := regexp.CompilePOSIX(text)
		if err != nil {
			return limit("a rule of the list of resources is not understood")
		}
		r := sealRule{pattern: pattern, size: len(text), weight: 1}
		r.omit, _ = dict(value)["omit"].(bool)
		if w, ok := dict(value)["weight"].(float64); ok {
			r.weight = w
		}
		if include, ok := value.(bool); ok && !include {
			r.omit = true
		}
		s.rules = append(s.rules, r)
	}
	return nil
}

// covers tells whether the rules put a file of this name into the list.
func (s *seal) covers(name string) (bool, error) {
	covered, best := false, -1.0
	for _, r := range s.rules {
		if s.spent += len(name) * r.size; s.spent > maxMatching {
			return false, limit("the bundle has more files than can be matched with its rules")
		}
		if r.weight > best && r.pattern.MatchString(name) {
			covered, best = !r.omit, r.weight
		}
	}
	return covered, nil
}

func (s *seal) hasNested() bool {
	for _, f := range s.files {
		if f.nested {
			return true
		}
	}
	return false
}

// dict is value if it is a dictionary, else nil, which reads as an empty one.
func dict(value any) map[string]any {
	d, _ := value.(map[string]any)
	return d
}

// plistReader reads an XML property list into maps, strings, bytes, numbers and
// booleans. Arrays and dates have no place in a list of resources and become
// nil.
type plistReader struct {
	d    *xml.Decoder
	left int // values that may still be read
}

const errPlist = limit("the list of resources is no XML property list")

// top reads the dictionary at the top.
func (p *plistReader) top() (map[string]any, error) {
	if e, err := p.next(); err != nil || e == nil || e.Name.Local != "plist" {
		return nil, errPlist
	}
	e, err := p.next()
	if err != nil || e == nil || e.Name.Local != "dict" {
		return nil, errPlist
	}
	return p.dict(1)
}

// next returns the next element that begins, or nil if the present one ends.
func (p *plistReader) next() (*xml.StartElement, error) {
	for {
		token, err := p.d.RawToken()
		if err != nil {
			return nil, errPlist
		}
		switch token := token.(type) {
		case xml.StartElement:
			if p.left--; p.left < 0 {
				return nil, limit("the list of resources has too many entries")
			}
			return &token, nil
		case xml.EndElement:
			return nil, nil
		}
	}
}

func (p *plistReader) dict(depth int) (map[string]any, error) {
	d := map[string]any{}
	for {
		e, err := p.next()
		if err != nil || e == nil {
			return d, err
		}
		if e.Name.Local != "key" {
			return nil, errPlist
		}
		key, err := p.text()
		if err != nil {
			return nil, err
		}
		if e, err = p.next(); err != nil || e == nil {
			return nil, errPlist
		}
		if d[key], err = p.value(e.Name.Local, depth); err != nil {
			return nil, err
		}
	}
}

// value reads the element of the given kind that has just begun.
func (p *plistReader) value(kind string, depth int) (any, error) {
	if depth > maxSealDepth {
		return nil, limit("the list of resources is nested too deeply")
	}
	switch kind {
	case "dict":
		return p.dict(depth + 1)
	case "array":
		return nil, p.skip(depth + 1)
	}
	text, err := p.text()
	if err != nil {
		return nil, err
	}
	switch kind {
	case "string":
		return text, nil
	case "true", "false":
		return kind == "true", nil
	case "data":
		data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return nil, errPlist
		}
		return data, nil
	case "integer", "real":
		n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return nil, errPlist
		}
		return n, nil
	}
	return nil, nil
}

// skip reads to the end of an array.
func (p *plistReader) skip(depth int) error {
	for {
		e, err := p.next()
		if err != nil || e == nil {
			return err
		}
		if _, err := p.value(e.Name.Local, depth); err != nil {
			return err
		}
	}
}

// text reads to the end of an element without children.
func (p *plistReader) text() (string, error) {
	var b strings.Builder
	for {
		token, err := p.d.RawToken()
		if err != nil {
			return "", errPlist
		}
		switch token := token.(type) {
		case xml.CharData:
			b.Write(token)
		case xml.StartElement:
			return "", errPlist
		case xml.EndElement:
			return b.String(), nil
		}
	}
}
