package script

import "strings"

// batchKnown are variables whose value is the same on nearly every Windows:
// tricks cut single letters out of them.
var batchKnown = map[string]string{
	"public": `C:\Users\Public`, "comspec": `C:\WINDOWS\system32\cmd.exe`, "systemroot": `C:\WINDOWS`, "windir": `C:\WINDOWS`,
	"programfiles": `C:\Program Files`, "programdata": `C:\ProgramData`, "allusersprofile": `C:\ProgramData`, "os": "Windows_NT",
	"pathext": ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC", "systemdrive": "C:",
}

// batch reads the lines of a Windows command script, and the script of another
// language that may stand behind them.
func (a *analysis) batch(text string, c context) {
	text, language, rest := splitPolyglot(text)
	a.batchLines(text, c)
	if language != "" {
		inner := c
		inner.pos = c.at(len(text))
		inner.aside = true
		a.unit(language, rest, inner)
	}
}

// splitPolyglot cuts a text that is a command script and, behind a comment of
// the other language that hides the commands from it, PowerShell or JScript.
func splitPolyglot(text string) (commands, language, rest string) {
	if strings.HasPrefix(text, "@@") {
		return splitMarked(text)
	}
	head := strings.TrimLeft(text[:min(len(text), 256)], " \t\n@")
	closer := ""
	switch {
	case strings.HasPrefix(head, "<#"):
		language, closer = langPowerShell, "#>"
	case strings.HasPrefix(head, "0</*"), strings.HasPrefix(strings.ToLower(head), "if (@"):
		language, closer = langJScript, "*/"
	default:
		return text, "", ""
	}
	// The first line may close a comment of its own: <# : batch portion #>
	from := lineLength(text) + 1
	n := strings.Index(text[min(from, len(text)):], closer)
	if n < 0 {
		return text, "", ""
	}
	at := min(from, len(text)) + n
	return text[:at], language, text[at+len(closer):]
}

// splitMarked cuts a text whose commands are marked by @@, which they drop from
// what they give to PowerShell.
func splitMarked(text string) (commands, language, rest string) {
	at := 0
	for at < len(text) && strings.HasPrefix(text[at:], "@@") {
		at = min(len(text), at+lineLength(text[at:])+1)
	}
	if low := strings.ToLower(text[:at]); !strings.Contains(low, "powershell") || !strings.Contains(low, "%~") {
		return text, "", ""
	}
	return text[:at], langPowerShell, text[at:]
}

func (a *analysis) batchLines(text string, c context) {
	for off := 0; off < len(text); {
		line, size := batchLine(text[off:])
		a.batchLine(line, off, c)
		off += size
		if at, full := a.toEnd(text, off, c); full && at < 0 {
			return
		} else if full {
			off = at
		}
	}
}

// batchLine returns the next line, continued ones joined, and its size.
func batchLine(s string) (line string, size int) {
	end := strings.IndexByte(s, '\n')
	if end < 0 {
		return s, len(s)
	}
	if end == 0 || s[end-1] != '^' {
		return s[:end], end + 1
	}
	var b strings.Builder
	for {
		b.WriteString(s[size : size+end-1])
		size += end + 1
		end = strings.IndexByte(s[size:], '\n')
		if end < 0 {
			b.WriteString(s[size:])
			return b.String(), len(s)
		}
		if end == 0 || s[size+end-1] != '^' {
			b.WriteString(s[size : size+end])
			return b.String(), size + end + 1
		}
	}
}

func (a *analysis) batchLine(line string, off int, c context) {
	bare := strings.TrimLeft(line, " \t@")
	if bare == "" || bare[0] == '\x1e' {
		return
	}
	if text, ok := batchComment(bare); ok {
		a.user.comment(text)
		return
	}
	if strings.HasPrefix(bare, ":") {
		return
	}
	if a.batchLoop(bare) {
		return
	}
	flat, changed := a.expandBatch(bare)
	if changed && a.spend(len(flat)) {
		a.keepJoined(flat)
	}
	a.batchCommands(flat, bare, c.at(off), c)
}

func batchComment(bare string) (string, bool) {
	if strings.HasPrefix(bare, "::") {
		return bare[2:], true
	}
	if len(bare) >= 3 && strings.EqualFold(bare[:3], "rem") && (len(bare) == 3 || isBlank(bare[3])) {
		return bare[3:], true
	}
	return "", false
}

// expandBatch removes carets and replaces constant variables. Short pieces that
// meet count as a chain.
func (a *analysis) expandBatch(line string) (string, bool) {
	if strings.IndexByte(line, '^') < 0 && strings.IndexByte(line, '%') < 0 && strings.IndexByte(line, '!') < 0 {
		return line, false
	}
	var b strings.Builder
	var k pieces
	changed := false
	for i := 0; i < len(line); {
		start, before := i, b.Len()
		switch c := line[i]; {
		case c == '^' && i+1 < len(line):
			b.WriteByte(line[i+1])
			i += 2
			changed = true
		case c == '%' || c == '!':
			v, n, ok := a.batchVariable(line[i:])
			if !ok && n > 2 && i > 0 && isLetter(line[i-1]) && i+n < len(line) && isLetter(line[i+n]) && c == '%' {
				v, ok = "", true // in the middle of a word a name that nobody set stands for nothing
			}
			if ok && a.spend(len(v)) {
				changed = true
			} else {
				v = line[i : i+n]
			}
			b.WriteString(v)
			i += n
		default:
			for i < len(line) && line[i] != '^' && line[i] != '%' && line[i] != '!' {
				i++
			}
			b.WriteString(line[start:i])
		}
		if strings.ContainsAny(b.String()[before:], " \t&|") {
			k.chain = 0
		}
		k.add(strings.Trim(b.String()[before:], " \t"))
	}
	if changed {
		a.chain(k.best)
	}
	return b.String(), changed
}

// batchVariable resolves %NAME%, %NAME:~n,m%, %NAME:a=b% and the same between
// exclamation marks. It returns how many bytes the reference takes.
func (a *analysis) batchVariable(s string) (value string, size int, ok bool) {
	end := strings.IndexByte(s[1:min(len(s), 200)], s[0])
	if end <= 0 {
		return "", 1, false
	}
	name, edit, edited := strings.Cut(s[1:1+end], ":")
	if strings.ContainsAny(name, " \t\"<>|&") {
		return "", 1, false
	}
	name = strings.ToLower(name)
	v, known := a.vars["%"+name]
	if !known && edited {
		v, known = batchKnown[name]
	}
	if !known {
		return "", end + 2, false
	}
	if edited && strings.HasPrefix(edit, "~") {
		v = sliceOf(v, edit[1:], ",")
	} else if from, to, found := strings.Cut(edit, "="); found && from != "" {
		v = strings.ReplaceAll(v, strings.TrimPrefix(from, "*"), to)
	}
	return v, end + 2, true
}

// batchCommands splits a line at & && || | and records the commands.
func (a *analysis) batchCommands(line, raw string, pos int, c context) {
	quoted := false
	start, from := 0, 0
	for i := 0; i <= len(line); i++ {
		if i < len(line) {
			if n := forSource(line[start:], i-start); n > 0 {
				i += n // the command that a loop reads has pipes of its own
			}
			if line[i] == '"' {
				quoted = !quoted
			}
			if quoted || line[i] != '&' && line[i] != '|' || i > 0 && line[i] == '&' && line[i-1] == '>' {
				continue
			}
		}
		n := a.batchCommand(line[start:i], raw, pos, from, c)
		from = 0
		if i+1 < len(line) && line[i] == '|' && line[i+1] != '|' {
			from = n + 1
		}
		start = i + 1
	}
}

func (a *analysis) batchCommand(text, raw string, pos, from int, c context) int {
	whole := strings.TrimLeft(text, " \t@")
	text = strings.Trim(text, " \t()@")
	if text == "" {
		return -1
	}
	if !strings.HasPrefix(whole, "(") && len(whole) > 4 && strings.EqualFold(whole[:4], "set ") && !strings.HasSuffix(text, `"`) {
		text = whole // blanks at the end belong to the value
	}
	s := stmt{lang: langBatch, text: text, raw: raw, pos: pos, producer: from}
	s.words = batchWords(text, &s)
	if len(s.words) == 0 {
		return -1
	}
	a.batchSet(&s, text)
	forSet(&s)
	n := a.add(s, c)
	if n < 0 {
		return -1
	}
	if from > 0 {
		a.stmts[from-1].consumer = n + 1
	}
	if inner := forCommand(text); inner != "" {
		a.nestedCommand(langBatch, inner, n, c)
	}
	a.afterCommand(n, c)
	return n
}

// forSource is the size of the command at place i of "for /f … in ('…') do", up
// to its end, 0 if there is none.
func forSource(text string, i int) int {
	if !strings.HasPrefix(text[i:], "('") || !startsFold([]byte(strings.TrimLeft(text[:i], " \t@(")), "for /f") {
		return 0
	}
	return max(strings.LastIndex(text[i:], "')"), 0)
}

// forCommand is the command whose output "for /f … in ('…') do" reads.
func forCommand(text string) string {
	if len(text) < 7 || !strings.EqualFold(text[:6], "for /f") {
		return ""
	}
	for _, mark := range []string{"'", "`"} {
		if _, rest, ok := strings.Cut(text, "("+mark); ok {
			if end := strings.LastIndex(rest, mark+")"); end > 0 {
				return rest[:end]
			}
		}
	}
	return ""
}

// forSet notes the variable that takes what a loop reads: for … do set x=%%i.
func forSet(s *stmt) {
	if !strings.EqualFold(s.words[0], "for") || s.assign != "" {
		return
	}
	for i, w := range s.words {
		if strings.EqualFold(w, "set") && i+1 < len(s.words) {
			if name, v, ok := strings.Cut(s.words[i+1], "="); ok && strings.HasPrefix(v, "%") {
				s.assign = strings.ToLower(name)
			}
		}
	}
}

// batchWords splits a command into words without quotes and takes redirections
// out of it.
func batchWords(text string, s *stmt) []string {
	var words []string
	for i := 0; i < len(text); {
		if isBlank(text[i]) || text[i] == ',' {
			i++
			continue
		}
		if text[i] == '>' || text[i] == '<' || (text[i] == '1' || text[i] == '2') && i+1 < len(text) && text[i+1] == '>' {
			i = batchRedirect(text, i, s)
			continue
		}
		start, quoted := i, false
		for i < len(text) && (quoted || !isBlank(text[i]) && text[i] != '>' && text[i] != '<') {
			if text[i] == '"' {
				quoted = !quoted
			}
			i++
		}
		words = append(words, strings.ReplaceAll(text[start:i], `"`, ""))
	}
	return words
}

func batchRedirect(text string, i int, s *stmt) int {
	second := text[i] == '2'
	for i < len(text) && strings.IndexByte("12<>&", text[i]) >= 0 {
		i++
	}
	for i < len(text) && isBlank(text[i]) {
		i++
	}
	start := i
	for i < len(text) && !isBlank(text[i]) {
		i++
	}
	switch target := strings.Trim(text[start:i], `"`); {
	case strings.EqualFold(target, "nul"):
		s.quiet = s.quiet || !second
	case !second && target != "":
		s.out = target
	}
	return i
}

// batchSet keeps the value of "set NAME=value".
func (a *analysis) batchSet(s *stmt, text string) {
	if !strings.EqualFold(s.words[0], "set") || len(text) < 5 {
		return
	}
	body := strings.TrimLeft(text[3:], " \t")
	if strings.HasPrefix(body, `"`) {
		body = strings.Trim(strings.TrimSpace(body), `"`)
	}
	name, v, ok := strings.Cut(body, "=")
	if !ok || strings.HasPrefix(name, "/") || !a.spend(len(v)) || len(v) > maxValue {
		return
	}
	name = strings.ToLower(strings.TrimSpace(name))
	s.assign = name
	a.vars["%"+name] = v
	a.noteBlob(v)
}
