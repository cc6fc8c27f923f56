package script

import "strings"

// edited computes the forms of ${name…} that change a known value: ends cut
// off, parts replaced, letters made small or large. It returns false for what
// it does not know.
func edited(v, op string) (string, bool) {
	switch {
	case op == ",,":
		return strings.ToLower(v), true
	case op == "^^":
		return strings.ToUpper(v), true
	case strings.HasPrefix(op, "/"):
		all := strings.HasPrefix(op, "//")
		from, to, _ := strings.Cut(strings.TrimLeft(op[1:], "/"), "/")
		if isPattern(from) || from == "" || len(to) > len(from)+8 {
			return "", false
		}
		if all {
			return strings.ReplaceAll(v, from, to), true
		}
		return strings.Replace(v, from, to, 1), true
	case strings.HasPrefix(op, "%"):
		end := strings.TrimLeft(op, "%")
		if before, ok := strings.CutSuffix(end, "*"); ok && before != "" && !isPattern(before) { // ${x%Z*}
			at := strings.LastIndex(v, before)
			if strings.HasPrefix(op, "%%") {
				at = strings.Index(v, before)
			}
			if at >= 0 {
				v = v[:at]
			}
			return v, true
		}
		return strings.TrimSuffix(v, end), !isPattern(end)
	case strings.HasPrefix(op, "#"):
		start := strings.TrimLeft(op, "#")
		if behind, ok := strings.CutPrefix(start, "*"); ok && behind != "" && !isPattern(behind) {
			at := strings.Index(v, behind)
			if strings.HasPrefix(op, "##") {
				at = strings.LastIndex(v, behind)
			}
			if at >= 0 {
				v = v[at+len(behind):]
			}
			return v, true
		}
		return strings.TrimPrefix(v, start), !isPattern(start)
	}
	return "", false
}

func isPattern(s string) bool { return strings.ContainsAny(s, "*?[$\\") }

// itemMark separates the items of an array among the constant variables.
const itemMark = "\x1f"

// arrayLiteral reads the words of name=(…), whose bracket is at the cursor.
func (p *shellParser) arrayLiteral(name string) {
	p.i++
	var items []string
	constant := true
	for p.i < len(p.s) && p.s[p.i] != ')' {
		if c := p.s[p.i]; isBlank(c) || c == '\n' {
			p.i++
			continue
		}
		start := p.i
		w := p.word()
		if p.i == start {
			p.i++
			constant = false
			continue
		}
		constant = constant && !w.open && !w.subst
		items = append(items, w.text)
	}
	p.i = min(p.i+1, len(p.s))
	p.cur.end = p.i
	delete(p.a.vars, name+"[]")
	if text := strings.Join(items, itemMark); constant && len(items) > 0 && len(text) <= maxValue && p.a.spend(len(text)) {
		p.a.vars[name+"[]"] = text
	}
}

// arrayPart resolves ${name[…]} of a constant array.
func (p *shellParser) arrayPart(name, op string) (string, bool) {
	text, ok := p.a.vars[name+"[]"]
	end := strings.IndexByte(op, ']')
	if !ok || end < 0 || end != len(op)-1 || !p.a.spend(len(text)) {
		return "", false
	}
	switch at := op[1:end]; at {
	case "*":
		sep := p.a.vars["IFS"]
		return strings.ReplaceAll(text, itemMark, sep[:min(len(sep), 1)]), true
	case "@":
		return strings.ReplaceAll(text, itemMark, " "), true
	default:
		items := strings.Split(text, itemMark)
		n, ok := smallInt(at)
		if n < 0 {
			n += len(items)
		}
		if !ok || n < 0 || n >= len(items) {
			return "", false
		}
		return items[n], true
	}
}

// cutColumns computes cut -c and cut -d -f of one line.
func cutColumns(text string, args []string) (string, bool) {
	var span, sep string
	fields := false
	for i := 0; i < len(args); i++ {
		w := args[i]
		value := func() string {
			if len(w) > 2 {
				return w[2:]
			}
			if i++; i < len(args) {
				return args[i]
			}
			return ""
		}
		switch {
		case strings.HasPrefix(w, "-c"), strings.HasPrefix(w, "-b"):
			span = value()
		case strings.HasPrefix(w, "-f"):
			span, fields = value(), true
		case strings.HasPrefix(w, "-d"):
			sep = value()
		default:
			return "", false
		}
	}
	first, last, ranged := strings.Cut(span, "-")
	if !ranged {
		last = first
	}
	from, ok1 := smallInt(first)
	to, ok2 := smallInt(last)
	if ranged && last == "" {
		to, ok2 = 1<<20, true
	}
	if ranged && first == "" {
		from, ok1 = 1, true
	}
	if !ok1 || !ok2 || from < 1 || to < from || fields && len(sep) != 1 || strings.Contains(strings.TrimRight(text, "\n"), "\n") {
		return "", false
	}
	if !fields {
		sep = ""
	}
	parts := strings.Split(strings.TrimRight(text, "\n"), sep)
	if from > len(parts) {
		return "", true
	}
	return strings.Join(parts[from-1:min(to, len(parts))], sep), true
}

// withoutClass computes s/[abc]//g for a class of plain characters.
func withoutClass(text, class, to string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case !strings.ContainsRune(class, r):
			return r
		case to == "":
			return -1
		}
		return rune(to[0])
	}, text)
}

// keepShellAlias remembers another name for a command: alias get='curl -s'.
func (a *analysis) keepShellAlias(words []string) {
	for _, w := range words {
		if name, v, ok := strings.Cut(w, "="); ok && isName([]byte(name)) && len(a.aliases) < 256 && len(v) <= 1024 && v != "" {
			a.aliases["$"+name] = v
		}
	}
}

// unaliased puts what an alias stands for in its place.
func (a *analysis) unaliased(words []string) []string {
	if len(a.aliases) == 0 || len(words) == 0 {
		return words
	}
	if v, ok := a.aliases["$"+words[0]]; ok {
		return append(strings.Fields(v), words[1:]...)
	}
	return words
}
