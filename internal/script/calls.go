package script

import (
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// call evaluates the functions that obfuscators build strings with. out[o-1] is
// the name, out[o] the bracket; args are the arguments if all are constant.
func (j *joiner) call(o int, args []string, constant bool) bool {
	name := strings.ToLower(j.out[o-1].text)
	if dot := strings.LastIndexAny(name, ".:"); dot >= 0 {
		name = name[dot+1:]
	}
	if o >= 2 && j.out[o-2].kind == textToken && j.out[o-1].text[0] == '.' {
		return j.method(o, name, args, constant)
	}
	empty := j.d.lang == langAppleScript && len(j.out) == o+1
	if empty {
		args = []string{""} // a handler without parameters has one without a name
	} else if !constant {
		return false
	}
	if o >= 3 && j.out[o-2].is(".") && j.out[o-3].kind == textToken && j.packing(o, name, args) {
		return true
	}
	if h, ok := j.a.handlers[name]; ok && j.d.lang == langAppleScript {
		text, ok := j.a.callHandler(j.d, h, args)
		if !ok {
			return false
		}
		space := j.out[o-1].space
		j.out = j.out[:o-1]
		t := newText(text)
		t.space = space
		j.changed = true
		j.pushText(t)
		return true
	}
	if empty {
		return false
	}
	parts, ok := evaluate(name, args)
	if !ok {
		return false
	}
	if name == "b64decode" || name == "frombase64string" || name == "atob" {
		j.a.noteBlob(args[0])
	}
	space := j.out[o-1].space
	j.out = j.out[:o-1]
	j.dropCast()
	if parts == nil { // a list of characters for the caller to join
		j.pushList(charsOf(args), space)
		return true
	}
	t := j.joined(parts, "")
	t.space = space
	j.pushText(t)
	return true
}

// dropCast removes the type that a static method was called on.
func (j *joiner) dropCast() {
	if n := len(j.out); n > 0 && j.out[n-1].kind == wordToken && strings.HasPrefix(j.out[n-1].text, "[") {
		j.out = j.out[:n-1]
	}
}

// evaluate computes a function of constants; parts are to be joined.
func evaluate(name string, args []string) (parts []string, ok bool) {
	one := len(args) == 1
	switch name {
	case "chr", "chrw", "chrb", "fromcharcode", "fromcodepoint", "bytes", "bytearray":
		return charsOf(args), len(args) > 0
	case "strreverse":
		return []string{reversed(args[0])}, one
	case "unescape", "decodeuricomponent", "decodeuri", "unquote":
		return []string{percentDecoded(args[0])}, one
	case "ucase", "lcase", "cstr", "str", "getstring", "trim":
		return args, one
	case "b64decode", "frombase64string", "atob":
		if one {
			if text, ok := decodeBase64(args[0]); ok {
				return []string{text}, true
			}
		}
	case "b85decode", "a85decode", "b32decode":
		if one {
			if text, ok := decodeSmall(name, args[0]); ok {
				return []string{text}, true
			}
		}
	case "pack":
		if len(args) >= 2 {
			if text, ok := packed(args[0], args[1:]); ok {
				return []string{text}, true
			}
		}
	case "fromhex", "unhexlify":
		if one {
			if raw, err := hex.DecodeString(strings.ReplaceAll(args[0], " ", "")); err == nil && isText(raw) {
				return []string{string(raw)}, true
			}
		}
	case "replace":
		if len(args) >= 3 && args[1] != "" && len(args[2]) <= len(args[1])+8 {
			return []string{strings.ReplaceAll(args[0], args[1], args[2])}, true
		}
	case "join":
		if len(args) >= 2 && len(args[0]) <= 8 {
			return interleave(args[1:], args[0]), true
		}
	}
	return nil, false
}

func interleave(parts []string, sep string) []string {
	if sep == "" {
		return parts
	}
	var out []string
	for i, p := range parts {
		if i > 0 {
			out = append(out, sep)
		}
		out = append(out, p)
	}
	return out
}

// method evaluates a method of the constant out[o-2].
func (j *joiner) method(o int, name string, args []string, constant bool) bool {
	self := &j.out[o-2]
	space := self.space
	var result []string
	list := false
	switch name {
	case "join":
		parts, sep := args, ""
		if self.list != nil {
			parts = self.list
			if len(args) == 1 {
				sep = args[0]
			}
		} else {
			sep = self.value()
			if !constant {
				parts = j.charExpression(o)
			}
		}
		if parts == nil || len(sep) > 8 {
			return false
		}
		result = interleave(parts, sep)
	case "split":
		if self.list != nil || len(args) > 1 {
			return false
		}
		list = true
		result = strings.Split(self.value(), append(args, "")[0])
		if len(result) > 1<<14 {
			return false
		}
	case "reverse":
		if self.list == nil {
			return false
		}
		list = true
		result = slices.Clone(self.list)
		slices.Reverse(result)
	case "replace":
		if self.list != nil || len(args) != 2 || args[0] == "" || len(args[1]) > len(args[0])+8 {
			return false
		}
		result = []string{strings.ReplaceAll(self.value(), args[0], args[1])}
	case "decode", "encode", "tostring", "trim", "tolower", "strip", "lower", "invoke", "tochararray":
		if self.list != nil {
			return false
		}
		result = []string{self.value()}
	default:
		return false
	}
	size := 0
	for _, r := range result {
		size += len(r)
	}
	if !j.a.spend(size) {
		return false
	}
	j.out = j.out[:o-2]
	if list {
		j.changed = true
		j.pushList(result, space)
		return true
	}
	t := j.joined(result, "")
	t.space = space
	j.pushText(t)
	return true
}

// charExpression finds the numbers of "chr(x) for x in […]" and "map(chr,[…])".
func (j *joiner) charExpression(o int) []string {
	var numbers []string
	spells := false
	for i := o + 1; i < len(j.out); i++ {
		spells = spells || j.out[i].text == "chr"
		if t := &j.out[i]; t.kind == signToken && strings.Contains("^+-*%", t.text) {
			return nil // they are changed first: see fold.go
		}
		if j.out[i].list != nil {
			numbers = j.out[i].list
		}
	}
	if !spells || numbers == nil {
		return nil
	}
	return charsOf(numbers)
}

// charOf is the character with a decimal or hexadecimal number.
func charOf(number string) string {
	n, err := strconv.ParseUint(strings.TrimSpace(number), 0, 32)
	if err != nil || n > 0x10ffff {
		return ""
	}
	return string(rune(n))
}

func charsOf(numbers []string) []string {
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = charOf(n)
		if out[i] == "" {
			out[i] = n
		}
	}
	return out
}

func reversed(s string) string {
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}

func percentDecoded(s string) string {
	if out, err := url.PathUnescape(s); err == nil {
		return out
	}
	return s
}
