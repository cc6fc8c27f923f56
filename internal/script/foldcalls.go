package script

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// foldable are the functions that a reckoner computes, lower case.
var foldable = func() map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(`chr chrw chrb ord asc ascw mid len cint clng cbyte int hex split join array ubound lbound strreverse replace left right lcase ucase trim cstr str
		string.fromcharcode parseint number atob unescape decodeuricomponent range bytes bytearray list tuple reversed map string.fromcharcode.apply math.floor
		base64.b64decode b64decode bytes.fromhex bytearray.fromhex codecs.decode binascii.unhexlify decode fromhex`) {
		set[w] = true
	}
	return set
}()

func isFoldable(name string) bool { return foldable[name] }

// compute computes a function of constants.
func (f *reckoner) compute(name string, args []quantity) (quantity, bool) {
	if len(args) == 0 || !f.pays(1+len(args)/8) {
		return quantity{}, false
	}
	a := args[0]
	switch name {
	case "chr", "chrw", "chrb":
		return runeText(a)
	case "ord", "asc", "ascw":
		for _, r := range a.s {
			return number(int(r)), true
		}
		return quantity{}, false
	case "string.fromcharcode":
		return charText(args)
	case "len":
		return number(len(f.elements(a))), a.kind != 'n'
	case "ubound":
		return number(len(a.l) - 1), a.kind == 'l'
	case "lbound":
		return number(0), a.kind == 'l'
	case "cint", "clng", "cbyte", "number", "math.floor":
		n, ok := a.count()
		return number(n), ok
	case "int", "parseint":
		return parsed(args)
	case "hex":
		return textOf(strings.ToUpper(strconv.FormatInt(int64(a.n), 16))), a.isCount() && a.n >= 0
	case "array":
		return list(args), true
	case "list", "tuple", "bytes", "bytearray":
		return list(f.elements(a)), a.kind != 'n'
	case "reversed":
		l := slices.Clone(f.elements(a))
		slices.Reverse(l)
		return list(l), true
	case "range":
		return ranged(args)
	case "bytes.fromhex", "bytearray.fromhex", "binascii.unhexlify", "fromhex":
		return hexBytes(a)
	}
	return f.textCall(name, args)
}

// charText joins the characters with some numbers.
func charText(numbers []quantity) (quantity, bool) {
	var b strings.Builder
	for _, n := range numbers {
		c, ok := runeText(n)
		if !ok {
			return quantity{}, false
		}
		b.WriteString(c.s)
	}
	return textOf(b.String()), b.Len() <= maxValue
}

// parsed computes int("…", base) and parseInt("…", base).
func parsed(args []quantity) (quantity, bool) {
	if len(args) == 1 {
		n, ok := args[0].count()
		return number(n), ok
	}
	text := strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(args[0].text()), "0x"), "#")
	if args[1].n < 2 || args[1].n > 36 {
		return quantity{}, false
	}
	n, err := strconv.ParseInt(text, args[1].n, 32)
	return number(int(n)), err == nil
}

func ranged(args []quantity) (quantity, bool) {
	from, to, step := 0, args[0].n, 1
	if len(args) > 1 {
		from, to = args[0].n, args[1].n
	}
	if len(args) > 2 {
		step = args[2].n
	}
	var l []quantity
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		if len(l) >= maxFoldList {
			return quantity{}, false
		}
		l = append(l, number(i))
	}
	return list(l), step != 0
}

func hexBytes(v quantity) (quantity, bool) {
	text := strings.ReplaceAll(v.s, " ", "")
	if !v.isText() || len(text)%2 != 0 || len(text) > maxFoldList {
		return quantity{}, false
	}
	l := make([]quantity, 0, len(text)/2)
	for i := 0; i < len(text); i += 2 {
		hi, lo := digitValue(text[i]), digitValue(text[i+1])
		if hi > 15 || lo > 15 {
			return quantity{}, false
		}
		l = append(l, number(hi<<4|lo))
	}
	return list(l), true
}

// textCall computes the functions of texts.
func (f *reckoner) textCall(name string, args []quantity) (quantity, bool) {
	s := args[0].text()
	count := func(i int) int {
		if i < len(args) {
			n, _ := args[i].count()
			return n
		}
		return -1
	}
	switch {
	case !f.pays(len(s) / 16):
		return quantity{}, false
	case name == "join": // VBScript's Join(list, separator)
		sep := " "
		if len(args) > 1 {
			sep = args[1].s
		}
		return textOf(joinedText(args[0].l, sep)), args[0].kind == 'l' && len(sep) <= 8
	case name == "codecs.decode":
		if len(args) > 1 && strings.Contains(strings.ToLower(args[1].s), "rot") {
			return textOf(rotated(s)), true
		}
		if len(args) > 1 && args[1].s == "hex" {
			return hexBytes(args[0])
		}
	case args[0].kind == 'l':
	case name == "mid" && count(1) >= 1:
		r := []rune(s)
		from := min(count(1)-1, len(r))
		to := len(r)
		if len(args) > 2 {
			to = min(len(r), from+max(0, count(2)))
		}
		return textOf(string(r[from:to])), true
	case name == "left" && count(1) >= 0:
		return textOf(s[:min(len(s), count(1))]), true
	case name == "right" && count(1) >= 0:
		return textOf(s[len(s)-min(len(s), count(1)):]), true
	case name == "split":
		return splitText(s, args[1:], " ")
	case name == "strreverse":
		return textOf(reversed(s)), true
	case name == "replace" && len(args) >= 3 && args[1].s != "" && len(args[2].s) <= len(args[1].s)+8:
		return textOf(strings.ReplaceAll(s, args[1].s, args[2].s)), true
	case name == "lcase":
		return textOf(strings.ToLower(s)), true
	case name == "ucase":
		return textOf(strings.ToUpper(s)), true
	case name == "trim", name == "cstr", name == "str":
		return textOf(strings.TrimSpace(s)), true
	case name == "unescape", name == "decodeuricomponent":
		return textOf(percentDecoded(s)), true
	case strings.HasSuffix(name, "b64decode"), name == "atob":
		text, ok := decodeBase64(s)
		return textOf(text), ok
	}
	return quantity{}, false
}

func splitText(s string, by []quantity, standard string) (quantity, bool) {
	sep := standard
	if len(by) > 0 {
		sep = by[0].s
	}
	parts := strings.SplitN(s, sep, maxFoldList+1)
	if len(parts) > maxFoldList {
		return quantity{}, false
	}
	return texts(parts), true
}

// rotated turns the alphabet by thirteen letters.
func rotated(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return 'a' + (r-'a'+13)%26
		case r >= 'A' && r <= 'Z':
			return 'A' + (r-'A'+13)%26
		}
		return r
	}, s)
}

// members computes what stands behind the dots: properties and methods.
func (f *reckoner) members(v quantity, path string) (quantity, bool) {
	names := strings.Split(path, ".")
	for i, name := range names {
		called := i == len(names)-1 && f.isNext("(")
		name = strings.ToLower(name)
		if !called {
			if name != "length" || v.kind == 'n' {
				return quantity{}, false
			}
			v = number(len(f.elements(v)))
			continue
		}
		if name == "map" && f.d.lang != langPython {
			return f.mappedBy(v)
		}
		args, ok := f.methodArguments(name)
		if !ok {
			return quantity{}, false
		}
		return f.method(v, name, args)
	}
	return v, true
}

// mappedBy computes list.map(c => expression), with the number of the item as a
// second parameter.
func (f *reckoner) mappedBy(v quantity) (quantity, bool) {
	f.i++
	var params []string
	for f.i < len(f.toks) && len(params) < 4 && !f.isNext("=") {
		if t := &f.toks[f.i]; t.kind == wordToken {
			params = append(params, f.d.name(t.text))
		}
		f.i++
	}
	if !f.take("=") || !f.take(">") || len(params) == 0 {
		return quantity{}, false
	}
	start, end, outer := f.i, f.i, f.env
	defer func() { f.env = outer }()
	f.env = maps.Clone(outer)
	if f.env == nil {
		f.env = map[string]quantity{}
	}
	out := quantity{kind: 'l'}
	for i, e := range f.elements(v) {
		f.i = start
		f.env[params[0]] = e
		if len(params) > 1 {
			f.env[params[1]] = number(i)
		}
		item, ok := f.expression()
		if !ok || !f.pays(2) {
			return quantity{}, false
		}
		end = f.i
		out.l = append(out.l, item)
	}
	f.i = end
	return out, f.take(")")
}

// mapFunction is a function that only returns an expression, given to map.
var mapFunction = regexp.MustCompile(`\.map\(\s*function\s*\(([\w$,\s]{1,40})\)\s*\{\s*return\b([^{};]{1,400});?\s*\}`)

// mapForms writes such functions as arrows, which have no braces that would end
// a statement. The text keeps its length: offsets into it stay true.
func mapForms(text string) string {
	if !strings.Contains(text, ".map(") || !strings.Contains(text, "function") {
		return text
	}
	return mapFunction.ReplaceAllStringFunc(text, func(s string) string {
		m := mapFunction.FindStringSubmatch(s)
		return padTo(".map(("+m[1]+")=>"+m[2], len(s))
	})
}

// methodArguments are those of a call; of map and forEach they would be
// functions, which are not computed.
func (f *reckoner) methodArguments(name string) ([]quantity, bool) {
	args, ok := f.arguments()
	if name == "join" && len(args) == 1 && args[0].kind == 'c' {
		args[0].kind = 'l'
	}
	return args, ok
}

func (f *reckoner) method(v quantity, name string, args []quantity) (quantity, bool) {
	if !f.pays(1 + len(v.s)/16 + len(v.l)/8) {
		return quantity{}, false
	}
	at := 0
	if len(args) > 0 {
		at = args[0].n
	}
	switch name {
	case "charcodeat", "codepointat":
		l := f.elements(v)
		if !v.isText() || at < 0 || at >= len(l) {
			return quantity{}, false
		}
		return f.compute("ord", []quantity{l[at]})
	case "charat":
		l := f.elements(v)
		if !v.isText() || at < 0 || at >= len(l) {
			return quantity{}, false
		}
		return l[at], true
	case "substr", "substring", "slice":
		return f.part(v, name, args)
	case "split":
		if !v.isText() {
			return quantity{}, false
		}
		if len(args) > 0 && args[0].s == "" {
			return list(f.elements(v)), true
		}
		return splitText(v.s, args, " ")
	case "reverse":
		l := slices.Clone(v.l)
		slices.Reverse(l)
		return list(l), v.kind == 'l'
	case "join":
		if v.isText() && f.d.lang == langPython { // "".join(list)
			items := args
			if len(args) == 1 && args[0].kind == 'l' {
				items = args[0].l
			}
			return textOf(joinedText(items, v.s)), len(v.s) <= 8
		}
		sep := ","
		if len(args) > 0 {
			sep = args[0].s
		}
		return textOf(joinedText(v.l, sep)), v.kind == 'l' && len(sep) <= 8
	case "replace":
		if !v.isText() || len(args) != 2 || args[0].s == "" || len(args[1].s) > len(args[0].s)+8 {
			return quantity{}, false
		}
		return textOf(strings.ReplaceAll(v.s, args[0].s, args[1].s)), true
	case "decode", "tostring", "trim", "strip", "encode":
		if v.kind == 'l' { // bytes
			return charText(v.l)
		}
		return textOf(v.text()), true
	case "tolowercase", "lower":
		return textOf(strings.ToLower(v.text())), v.isText()
	case "concat":
		return f.operate(v, "+", args[0])
	}
	return quantity{}, false
}

// part computes substr, substring and slice.
func (f *reckoner) part(v quantity, name string, args []quantity) (quantity, bool) {
	l := f.elements(v)
	if len(args) == 0 {
		return quantity{}, false
	}
	from, to := clampIndex(args[0].n, len(l)), len(l)
	if len(args) > 1 {
		to = args[1].n
		if name == "substr" {
			to += from
		}
		to = clampIndex(to, len(l))
	}
	if from > to {
		return textOf(""), v.isText()
	}
	if v.isText() {
		return textOf(joinedText(l[from:to], "")), true
	}
	return list(l[from:to]), true
}
