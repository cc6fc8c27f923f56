package script

import (
	"encoding/base32"
	"strings"
)

// feed gives a text that has just become known to the interpreter at the end of
// the pipe that statement n starts: base64 -d <<E | sh.
func (a *analysis) feed(n int, c context) bool {
	for steps := 0; a.stmts[n].consumer > 0 && steps < 8; steps++ {
		n = a.stmts[n].consumer - 1
		s := &a.stmts[n]
		if programs[s.head] == "" || s.producer == 0 {
			continue
		}
		text, ok := a.printed(s.producer - 1)
		if ok {
			a.layer(a.inputLanguage(s.head, text), text, c.inside(s.pos), n+1)
		}
		return ok
	}
	return false
}

// laterCommand reads the commands that programs of Windows are given to run for
// every file, at a time or at the next start.
func (a *analysis) laterCommand(words []string, n int, c context) {
	option := map[string]string{"forfiles": "/c", "schtasks": "/tr", "reg": "/d", "pcalua": "-a"}[a.stmts[n].head]
	for i := 1; i+1 < len(words); i++ {
		if option != "" && strings.EqualFold(words[i], option) || option == "" && strings.EqualFold(words[i], "create") {
			a.nestedCommand(langBatch, words[i+1], n, c)
			return
		}
	}
}

// scheduled reads what is piped into at and crontab: lines of commands, behind
// the five fields of a time in the latter.
func (a *analysis) scheduled(head string, n int, c context) {
	s := &a.stmts[n]
	text := s.here
	if s.producer > 0 {
		text, _ = a.printed(s.producer - 1)
	}
	if text == "" {
		return
	}
	if head == "crontab" {
		text = withoutTimes(text)
	}
	a.nestedCommand(langShell, text, n, c)
}

func withoutTimes(text string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		fields := 5
		if strings.HasPrefix(line, "@") {
			fields = 1
		}
		for ; fields > 0; fields-- {
			_, line, _ = strings.Cut(strings.TrimLeft(line, " \t"), " ")
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// awkCommands reads the commands that an awk program runs: system("…") and
// "…" | getline, also of texts side by side and of a variable.
func (a *analysis) awkCommands(words []string, n int, c context) {
	c.aside = true
	for _, w := range words[1:] {
		if !strings.Contains(w, "system(") && !strings.Contains(w, "getline") && !strings.Contains(w, "| \"") && !strings.Contains(w, "|\"") {
			continue
		}
		literals := strings.Split(strings.ReplaceAll(w, `\"`, "\x00"), `"`)
		for i := 1; i < min(len(literals), 64); i += 2 {
			before := strings.TrimRight(literals[i-1], " \t(")
			text := literals[i]
			for i+2 < len(literals) && strings.TrimSpace(literals[i+1]) == "" {
				i += 2
				text += literals[i]
			}
			after := ""
			if i+1 < len(literals) {
				after = strings.TrimLeft(literals[i+1], " \t")
			}
			name, isSet := strings.CutSuffix(before, "=")
			name = name[strings.LastIndexAny(name, " \t;{")+1:]
			called := isSet && name != "" && strings.Contains(w, "system("+name+")")
			if called || strings.HasSuffix(before, "system") || strings.HasPrefix(after, "|") && !strings.HasPrefix(after, "||") {
				a.nestedCommand(langShell, strings.ReplaceAll(text, "\x00", `"`), n, c)
			}
		}
	}
}

// decodedFile reads what certutil -decode makes of the script itself, which
// carries the text between the marks of a certificate.
func (a *analysis) decodedFile(words []string, n int, c context) {
	if len(words) < 4 || !containsFold(words, "-decode") && !containsFold(words, "/decode") && !containsFold(words, "-decodehex") {
		return
	}
	body := a.written(words[len(words)-2])
	if strings.Contains(strings.ToLower(words[len(words)-2]), "%~") || strings.HasPrefix(words[len(words)-2], "%0") {
		body = a.source
	}
	if _, rest, ok := strings.Cut(body, "-----BEGIN"); ok {
		_, rest, _ = strings.Cut(rest, "\n")
		body, _, _ = strings.Cut(rest, "-----END")
	}
	text, ok := decodeBlob(strings.TrimSpace(body))
	if !ok {
		return
	}
	out := strings.ToLower(words[len(words)-1])
	language := layerLanguage(text)
	if dot := strings.LastIndexByte(out, '.'); dot >= 0 && scriptExtensions[out[dot:]] != "" {
		language = scriptExtensions[out[dot:]]
	}
	if language != "" {
		a.layer(language, text, c.inside(a.stmts[n].pos), n+1)
	}
}

// ownLines is the part of the script itself that a command cuts out: what
// stands behind the code, as tail -n 1 "$0" reads it. Commands that are harder
// to follow are taken to mean the encoded lines at the end.
func (a *analysis) ownLines(s *stmt) (string, bool) {
	if len(s.cmd) < 2 || s.cmd[len(s.cmd)-1] != "$0" && s.cmd[len(s.cmd)-1] != "$BASH_SOURCE" && s.in != "$0" {
		return "", false
	}
	source := strings.TrimRight(a.source, " \t\n")
	if s.head == "tail" {
		count := optionValue(s.cmd, "-n", "--lines")
		if count == "" {
			count = strings.TrimLeft(strings.TrimPrefix(s.cmd[1], "-n"), "-")
		}
		if from, ok := smallInt(strings.TrimPrefix(count, "+")); ok && from > 0 {
			return cutLines(source, from, strings.HasPrefix(count, "+")), true
		}
	}
	return encodedEnd(source), true
}

// cutLines returns the lines from the n-th on, or the last n.
func cutLines(text string, n int, from bool) string {
	at := 0
	if from {
		for ; n > 1 && at < len(text); n-- {
			at += lineLength(text[at:]) + 1
		}
		return text[min(at, len(text)):]
	}
	at = len(text)
	for ; n > 0 && at > 0; n-- {
		at = strings.LastIndexByte(text[:at], '\n')
	}
	return text[max(at, 0):]
}

// encodedEnd returns the lines at the end of a text that could be encoded.
func encodedEnd(text string) string {
	at := len(text)
	for at > 0 {
		start := strings.LastIndexByte(text[:at], '\n') + 1
		if line := text[start:at]; line != "" && !isEncodedShape(line) {
			break
		}
		at = max(start-1, 0)
	}
	return text[at:]
}

// translated computes tr: sets of characters with ranges, -d, and -c with -d.
func translated(text string, args []string) (string, bool) {
	deletes, squeeze := false, false
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && args[0] != "--" {
		switch args[0] {
		case "-d":
			deletes = true
		case "-s":
			squeeze = true
		default:
			return "", false
		}
		args = args[1:]
	}
	if len(args) == 0 || len(args) == 1 && !deletes && !squeeze {
		return "", false
	}
	from := characterSet(args[0])
	if deletes {
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune(from, r) {
				return -1
			}
			return r
		}, text), true
	}
	if len(args) < 2 {
		return text, true
	}
	table, to := map[rune]rune{}, []rune(characterSet(args[1]))
	for i, r := range []rune(from) {
		if _, known := table[r]; !known && len(to) > 0 {
			table[r] = to[min(i, len(to)-1)]
		}
	}
	return strings.Map(func(r rune) rune {
		if t, ok := table[r]; ok {
			return t
		}
		return r
	}, text), true
}

// characterSet spells the ranges and classes of tr in full.
func characterSet(s string) string {
	s = strings.NewReplacer("[:lower:]", "a-z", "[:upper:]", "A-Z", "[:digit:]", "0-9", "[:alpha:]", "A-Za-z", "[:space:]", " \t\n", "[:punct:]", "").Replace(unescapeC(s))
	var b strings.Builder
	r := []rune(s)
	for i := 0; i < len(r); i++ {
		if i+2 < len(r) && r[i+1] == '-' && r[i] <= r[i+2] && r[i+2]-r[i] < 256 {
			for c := r[i]; c <= r[i+2]; c++ {
				b.WriteRune(c)
			}
			i += 2
			continue
		}
		b.WriteRune(r[i])
	}
	return b.String()
}

// substituted computes sed with substitutions of plain text: s/a/b/g;s/c//g.
func substituted(text string, args []string) (string, bool) {
	done := false
	for _, w := range args {
		if w == "-e" || w == "-E" || w == "-r" {
			continue
		}
		for w != "" {
			w = strings.TrimLeft(w, "; \n")
			if len(w) < 4 || w[0] != 's' && w[0] != 'y' {
				return text, done && w == ""
			}
			if w[0] == 'y' {
				parts := strings.SplitN(w[2:], w[1:2], 3)
				if len(parts) < 3 || len(parts[0]) != len(parts[1]) {
					return "", false
				}
				text, _ = translated(text, []string{strings.ReplaceAll(parts[0], "-", "\\055"), parts[1]})
				w, done = parts[2], true
				continue
			}
			parts := strings.SplitN(w[2:], w[1:2], 3)
			if len(parts) == 3 && len(parts[0]) > 2 && parts[0][0] == '[' && parts[0][len(parts[0])-1] == ']' && !strings.ContainsAny(parts[0][1:len(parts[0])-1], "^[]-\\") && len(parts[1]) <= 1 && strings.HasPrefix(parts[2], "g") {
				text = withoutClass(text, parts[0][1:len(parts[0])-1], parts[1])
				w, done = strings.TrimLeft(parts[2], "gI"), true
				continue
			}
			if len(parts) < 3 || parts[0] == "" || strings.ContainsAny(parts[0], `.*[]^$+?(){}`) || len(parts[1]) > len(parts[0])+8 {
				return "", false
			}
			count := 1
			if strings.HasPrefix(parts[2], "g") {
				count = -1
			}
			text = replaceLines(text, strings.ReplaceAll(parts[0], `\`, ""), parts[1], count)
			w = strings.TrimLeft(parts[2], "gI0123456789")
			done = true
		}
	}
	return text, done
}

func replaceLines(text, from, to string, count int) string {
	if from == "" {
		return text
	}
	if count < 0 || !strings.Contains(text, "\n") {
		return strings.Replace(text, from, to, count)
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.Replace(lines[i], from, to, count)
	}
	return strings.Join(lines, "\n")
}

func decodeBase32(s string) (string, bool) {
	s = strings.ToUpper(strings.TrimRight(strings.Map(dropSpace, s), "="))
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(s)
	if err != nil || len(raw) == 0 {
		return "", false
	}
	return layerText(raw)
}

// encoders are programs that undo an encoding, if they are told to; editors can
// spell a command out of any text.
func isDecoder(s *stmt, editors bool) bool {
	switch s.head {
	case "base64", "gbase64", "base32", "basenc", "uudecode":
		return strings.Contains(s.text, "-d") || strings.Contains(s.text, "-D") || strings.Contains(s.text, "--decode") || s.head == "uudecode"
	case "openssl":
		return strings.Contains(s.text, " -d")
	case "xxd":
		return strings.Contains(s.text, "-r")
	case "rev":
		return true
	case "tr", "sed", "awk", "perl", "cut", "gunzip", "zcat", "gzip", "python", "bzip2", "xz":
		return editors
	}
	return false
}

// decodesAndRuns holds for an interpreter whose input, or whose argument, comes
// out of a decoder that was fed with text of the script.
func (a *analysis) decodesAndRuns(s *stmt) bool {
	from := s.producer
	decoder, edited := isDecoder(s, false), s.embedded && isDecoder(s, true)
	for steps := 0; from > 0 && steps < 10; steps++ {
		p := &a.stmts[from-1]
		decoder = decoder || isDecoder(p, false)
		edited = edited || isDecoder(p, true)
		if p.producer == 0 {
			if decoder {
				return true
			}
			return edited && (p.here != "" || a.printsText(p))
		}
		from = p.producer
	}
	return false
}

// printsText holds for commands that print text of the script itself.
func (a *analysis) printsText(s *stmt) bool {
	switch s.head {
	case "echo", "printf":
		return true
	case "tail", "head", "sed", "awk":
		return strings.Contains(s.text, "$0")
	}
	return false
}

// decodedInput finds out for every interpreter whether it runs decoded text.
func (a *analysis) decodedInput(i int) bool {
	s := &a.stmts[i]
	if s.lang != langShell {
		return false
	}
	if programs[s.head] != "" && programs[s.head] != "direct" && programs[s.head] != "installer" && s.producer > 0 {
		return !s.keepsToItself(false) && a.decodesAndRuns(s)
	}
	// The last command of a substitution that a command executes: eval "$(…)".
	if s.embedded && s.consumer > 0 && isDecoder(s, true) {
		reader := &a.stmts[s.consumer-1]
		if programs[reader.head] != "" && programs[reader.head] != "direct" && reader.assign == "" && !reader.keepsToItself(true) {
			return isDecoder(s, false) || a.decodesAndRuns(s)
		}
	}
	return false
}
