package script

import (
	"regexp"
	"strings"
)

// spelling is a loop of a command script that puts a text together:
// for %%i in (a b c) do [call] set x=….
var spelling = regexp.MustCompile(`(?i)^for\s+(%%\w|%\w)\s+in\s*\(([^)*?%!]+)\)\s*do\s*\(?\s*@?(call\s+)?(set\s+.+?)\)?\s*$`)

// batchLoop computes such a loop. It returns false for every other line.
func (a *analysis) batchLoop(line string) bool {
	if len(line) < 12 || line[0]|0x20 != 'f' {
		return false
	}
	m := spelling.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	items := strings.FieldsFunc(m[2], func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == '\t' })
	if len(items) > 2048 {
		return false
	}
	for _, item := range items {
		text := strings.ReplaceAll(m[4], m[1], strings.Trim(item, `"`))
		if m[3] != "" {
			text = strings.ReplaceAll(text, "%%", "%")
		}
		if !a.spend(len(text)) {
			return true
		}
		flat, _ := a.expandBatch(text)
		s := stmt{lang: langBatch, text: flat}
		if s.words = batchWords(flat, &s); len(s.words) > 0 {
			a.batchSet(&s, flat)
		}
	}
	return true
}

// batchEcho is the text that echo prints, quotes kept.
func batchEcho(s *stmt) string {
	text := strings.TrimSpace(s.text)
	if len(text) > 4 && strings.EqualFold(text[:4], "echo") {
		text = strings.TrimPrefix(text[4:], ".")
	}
	quoted := false
	for i := range len(text) {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == '>' && !quoted:
			return strings.TrimRight(strings.TrimSpace(text[:i]), "12")
		}
	}
	return strings.TrimSpace(text)
}

// writtenScript reads the script that a command script has written before and
// now runs.
func (a *analysis) writtenScript(words []string, n int, c context) {
	for _, w := range words[1:] {
		dot := strings.LastIndexByte(w, '.')
		if dot < 0 || strings.HasPrefix(w, "/") || scriptExtensions[strings.ToLower(w[dot:])] == "" {
			continue
		}
		if text := a.written(w); text != "" {
			a.nestedCommand(scriptExtensions[strings.ToLower(w[dot:])], text, n, c)
		}
		return
	}
}
