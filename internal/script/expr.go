package script

import (
	"slices"
	"strings"
)

// expressions reads a text of a language whose commands are built of string
// expressions.
func (a *analysis) expressions(d *dialect, text string, c context) {
	text = eventWords(d, text)
	if strings.Contains(text, "/*@cc_on") { // code to the Windows Script Host, a comment to all others
		text = strings.NewReplacer("/*@cc_on", "        ", "@*/", "   ").Replace(text)
	}
	switch d.lang {
	case langPowerShell:
		text = powerForms(text)
	case langJScript, langJavaScript, langJXA:
		text = mapForms(text)
	}
	l := &lexer{d: d, s: text, comment: a.user.comment, report: a.chain}
	j := &joiner{a: a, d: d}
	if d.lang == langAppleScript {
		a.consts["space"], a.consts["linefeed"] = value{text: " "}, value{text: "\n"}
		a.findHandlers(text)
	} else if folds(d.lang) {
		a.findFunctions(d.lang, text)
	}
	for toks := l.next(); toks != nil; toks = l.next() {
		if len(toks) >= maxTokens {
			a.cutShort()
		}
		loops := folds(d.lang) && strings.EqualFold(toks[0].text, "for")
		a.reduce(j, toks)
		a.statement(j, text[l.start:l.i], l.changed, c.at(l.start), c)
		if d.lang == langAppleScript {
			a.loop(j, text, l.i)
		} else if loops {
			l.i = max(l.i, a.foldLoop(d, text, l.start))
		}
		if at, full := a.toEnd(text, l.i, c); full && at < 0 {
			return
		} else if full {
			l.i = at
		}
	}
}

// reduce puts the strings of a statement together; what then still is a call of
// something that can be computed is computed.
func (a *analysis) reduce(j *joiner, toks []token) {
	j.reduce(toks)
	if !a.needsFolding(j.d, j.out) {
		return
	}
	if plain, ok := a.fold(j.d, toks); ok {
		j.reduce(plain)
		j.changed = true
	}
}

// eventWords replaces the raw Apple event codes that stand for commands.
func eventWords(d *dialect, text string) string {
	if d.lang != langAppleScript || !strings.Contains(text, "«event ") {
		return text
	}
	return strings.NewReplacer("«event sysoexec»", "do shell script", "«event sysodsct»", "run script", "«event sysoload»", "load script",
		"«event sysodlog»", "display dialog", "«class htxt»", "hidden answer").Replace(text)
}

// statement records one statement whose strings have been joined.
func (a *analysis) statement(j *joiner, raw string, changed bool, pos int, c context) {
	toks := j.out
	if len(toks) == 0 {
		return
	}
	s := stmt{lang: j.d.lang, pos: pos, text: strings.TrimSpace(raw), raw: raw}
	s.words = wordsOf(toks)
	if j.d.lang == langPowerShell {
		a.keepAlias(s.words)
	}
	if changed || j.changed {
		s.text = render(toks)
		if !a.spend(len(s.text)) {
			return
		}
		a.keepJoined(s.text)
	}
	s.assign = a.assignments(j.d, toks)
	if folds(j.d.lang) || j.d.lang == langPowerShell {
		a.keepCounts(j.d, toks)
	}
	if j.d.lang == langPython && len(toks) == 3 && toks[1].is("=") && toks[0].kind == wordToken && toks[2].kind == wordToken {
		if bare := toks[2].text[strings.LastIndexByte(toks[2].text, '.')+1:]; runners[langPython][bare] != "" && len(a.aliases) < 256 {
			a.aliases[toks[0].text] = toks[2].text
		}
	}
	if j.d.lang == langPowerShell {
		powerSigns(toks, &s)
	}
	if j.d.lang == langAppleScript {
		a.appleState(toks)
	}
	n := a.add(s, c)
	if n < 0 {
		return
	}
	a.readBlobs(toks)
	a.dialogText(n, toks)
	a.nestedIn(j.d, toks, n, c)
}

func wordsOf(toks []token) []string {
	words := make([]string, 0, len(toks))
	for i := range toks {
		t := &toks[i]
		switch {
		case t.kind == signToken:
		case t.list != nil:
			words = append(words, t.list...)
		default:
			words = append(words, t.value())
		}
	}
	return words
}

// render writes a statement with its strings joined.
func render(toks []token) string {
	var b strings.Builder
	for i := range toks {
		t := &toks[i]
		if t.space && i > 0 {
			b.WriteByte(' ')
		}
		if t.kind == textToken {
			b.WriteByte('"')
			b.WriteString(t.value())
			b.WriteByte('"')
			continue
		}
		b.WriteString(t.text)
	}
	return b.String()
}

// assignments keeps the constants that a statement sets, and returns the name
// of the variable that takes the statement's result.
func (a *analysis) assignments(d *dialect, toks []token) string {
	if d.lang == langAppleScript {
		return a.appleAssignment(d, toks)
	}
	target := ""
	for i := 1; i+1 < len(toks); i++ {
		if !toks[i].is("=") || toks[i-1].kind != wordToken || toks[i+1].is("=") {
			continue
		}
		name := d.name(toks[i-1].text)
		if target == "" {
			target = name
		}
		if d.lang == langPowerShell && i+2 < len(toks) && a.keepList(name, toks[i+1:]) {
			continue
		}
		a.keep(name, toks[i+1:])
	}
	if target == "" {
		target = a.appended(d, toks)
	}
	return target
}

// appended handles "name += value".
func (a *analysis) appended(d *dialect, toks []token) string {
	if len(toks) < 4 || !toks[1].is("+") || !toks[2].is("=") {
		return ""
	}
	name := ""
	if toks[0].kind == wordToken {
		name = d.name(toks[0].text)
	}
	return name
}

// keep remembers a constant: the value has to end the statement or be followed
// by a comma.
func (a *analysis) keep(name string, rest []token) {
	v := &rest[0]
	if v.kind != textToken || v.size() > maxValue || len(rest) > 1 && !rest[1].is(",") {
		delete(a.consts, name)
		return
	}
	if len(a.consts) > 1<<14 || !a.spend(v.size()) {
		return
	}
	list := v.list
	if n, turned := a.rotations[name]; turned && len(list) > 0 {
		n %= len(list)
		list = slices.Concat(list[n:], list[:n])
	}
	a.consts[name] = value{text: v.value(), list: list}
}

func (a *analysis) appleAssignment(d *dialect, toks []token) string {
	for i := 0; i+2 < len(toks) && i < 4; i++ {
		word := strings.ToLower(toks[i].text)
		switch {
		case word == "set" && strings.EqualFold(toks[i+2].text, "to") && i+3 < len(toks):
			name := d.name(toks[i+1].text)
			a.keep(name, toks[i+3:])
			return name
		case word == "property" && toks[i+2].is(":") && i+3 < len(toks):
			name := d.name(toks[i+1].text)
			a.keep(name, toks[i+3:])
			return name
		}
	}
	return ""
}

// powerSigns reads what PowerShell writes with signs: pipes into something,
// redirections into nothing.
func powerSigns(toks []token, s *stmt) {
	for i := range toks {
		if toks[i].is(">") && i+1 < len(toks) && strings.EqualFold(toks[i+1].text, "$null") {
			s.quiet = true
		}
	}
}

// runners are the functions that execute what they are given, by language; the
// value is the language they execute.
var runners = map[string]map[string]string{
	langPython: {"system": langShell, "popen": langShell, "run": langShell, "call": langShell, "check_call": langShell, "check_output": langShell,
		"getoutput": langShell, "exec": langPython, "eval": langPython, "popen2": langShell, "spawn": langShell, "startfile": langBatch},
	langVBScript: {"run": langBatch, "exec": langBatch, "shellexecute": langBatch, "execute": langVBScript, "executeglobal": langVBScript, "eval": langVBScript, "create": langBatch},
	langJScript:  {"run": langBatch, "exec": langBatch, "shellexecute": langBatch, "eval": langJScript, "function": langJScript, "create": langBatch},
	langJavaScript: {"exec": langShell, "execsync": langShell, "spawn": langShell, "spawnsync": langShell, "execfile": langShell, "eval": langJavaScript, "function": langJavaScript,
		"execfilesync": langShell},
	langJXA: {"doshellscript": langShell, "eval": langJXA, "system": langShell},
	langPowerShell: {"iex": langPowerShell, "invoke-expression": langPowerShell, "start-process": langBatch, "saps": langBatch, "create": langPowerShell, "cmd": langBatch, "cmd.exe": langBatch,
		"powershell": langBatch, "powershell.exe": langBatch, "pwsh": langBatch, "start": langBatch, "run": langBatch, "shellexecute": langBatch, "mshta": langBatch, "mshta.exe": langBatch,
		"wscript": langBatch, "cscript": langBatch, "bitsadmin": langBatch, "certutil": langBatch, "certutil.exe": langBatch, "msiexec": langBatch, "msiexec.exe": langBatch,
		"rundll32": langBatch, "regsvr32": langBatch, "curl.exe": langBatch, "schtasks": langBatch, "attrib": langBatch, "bash": langShell, "sh": langShell, "osascript": langShell},
	langAutoIt:     {"run": langBatch, "runwait": langBatch, "shellexecute": langBatch},
	langAutoHotkey: {"run": langBatch, "runwait": langBatch},
	"perl":         {"system": langShell, "exec": langShell, "qx": langShell}, "ruby": {"system": langShell, "exec": langShell, "qx": langShell},
	"php": {"system": langShell, "exec": langShell, "shell_exec": langShell, "passthru": langShell, "popen": langShell, "qx": langShell},
}

// nestedIn reads the commands that a statement executes.
func (a *analysis) nestedIn(d *dialect, toks []token, n int, c context) {
	if d.lang == langAppleScript {
		a.appleNested(toks, n, c)
		return
	}
	known := runners[d.lang]
	for i := range toks {
		if toks[i].kind != wordToken {
			continue
		}
		name := strings.ToLower(toks[i].text)
		bare := name
		if dot := strings.LastIndexAny(name, ".:"); dot >= 0 && !strings.HasSuffix(name, ".exe") {
			bare = name[dot+1:]
		}
		language, ok := known[bare]
		if !ok || bare == "create" && !strings.Contains(strings.ToLower(toks[max(0, i-1)].text), "process") && !strings.Contains(name, "::create") {
			continue
		}
		from := i + 1
		lead := ""
		if d.lang == langPowerShell && language != langPowerShell && bare != "start-process" && bare != "saps" && bare != "start" {
			lead = bare + " "
		}
		text, hidden := a.argument(toks[from:])
		if text == "" && i >= 2 && language == langPowerShell && toks[i-1].is("|") && toks[i-2].kind == textToken && toks[i-2].list == nil { // 'text' | iex
			text = toks[i-2].value()
		}
		if text == "" || strings.HasPrefix(text, "$") && (language == d.lang || !strings.Contains(text, " ")) && language != langPowerShell {
			continue
		}
		a.runNested(language, lead+text, hidden, n, c)
		return
	}
}

// runNested reads the text that statement n executes. What the text fetches and
// prints is the statement's result.
func (a *analysis) runNested(language, text string, hidden bool, n int, c context) {
	if len(text) < 3 {
		return
	}
	inner := c.inside(a.stmts[n].pos)
	inner.hidden = inner.hidden || hidden || a.stmts[n].hidden
	if language == langBatch && !strings.Contains(text, "\n") && strings.HasPrefix(text, "/") {
		language = langShell
	}
	first := len(a.stmts)
	a.unit(language, text, inner)
	a.stmts[n].carries = len(a.stmts) > first
	a.resultOf(n, first)
}

// resultOf makes statement n the reader of what the last command from first on
// prints.
func (a *analysis) resultOf(n, first int) {
	for i := len(a.stmts) - 1; i >= first; i-- {
		s := &a.stmts[i]
		if s.consumer == 0 && s.out == "" && !s.behind {
			s.consumer, s.through = n+1, true
		}
	}
}

// argument is commandText, paid for: calls in calls would read what is behind them
// once each.
func (a *analysis) argument(toks []token) (text string, hidden bool) {
	if a.arguments < len(toks) {
		a.cutShort()
		return "", false
	}
	a.arguments -= len(toks)
	return commandText(toks)
}

// commandText spells the argument that a function executes: joined literals as
// they are, unknown parts as $name, further arguments after a blank. hidden
// holds for a window style of 0 at the end.
func commandText(toks []token) (text string, hidden bool) {
	var b strings.Builder
	lastSign := ""
	for i := range toks {
		t := &toks[i]
		switch {
		case t.kind == signToken:
			if t.text == ";" || t.text == "|" || t.text == "}" {
				return b.String(), hidden
			}
			lastSign = t.text
			if t.text == "," && b.Len() > 0 {
				b.WriteByte(' ')
			}
		case t.kind == textToken && t.list != nil:
			b.WriteString(strings.Join(t.list, " "))
		case t.kind == textToken:
			if t.space && lastSign == "" && b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(t.value())
			lastSign = ""
		case t.kind == numberToken:
			hidden = hidden || lastSign == "," && t.text == "0" && b.Len() > 0
		default:
			if !writeCommandWord(&b, t.text, lastSign) {
				return b.String(), hidden
			}
			lastSign = ""
		}
	}
	return b.String(), hidden
}

// writeCommandWord writes a word of the argument. It returns false where the
// argument ends and the function's own options begin.
func writeCommandWord(b *strings.Builder, word, lastSign string) bool {
	switch strings.ToLower(word) {
	case "quoted", "form", "of", "posix", "path", "as", "text", "string", "-filepath", "-argumentlist", "-command", "my", "the":
		return true
	case "with", "without", "altering", "administrator", "user", "password":
		return lastSign != ""
	}
	if lastSign == "" && b.Len() > 0 {
		b.WriteByte(' ')
	}
	if strings.ContainsAny(word[:1], "$-/%") || strings.Contains(word, "://") || lastSign == "" && b.Len() > 0 {
		b.WriteString(word)
		return true
	}
	if isName([]byte(word)) {
		b.WriteByte('$')
	}
	b.WriteString(word)
	return true
}
