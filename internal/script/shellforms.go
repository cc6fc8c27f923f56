package script

import (
	"regexp"
	"strconv"
	"strings"
)

// numberLoop is the loop by which shells make a text of numbers:
// for b in 1 2 3; do s="$s$(printf "\\$(printf %o $((b ^ 37)))")"; done.
var numberLoop = regexp.MustCompile(`for (\w+) in ([0-9xa-fA-F \t]+?)[ \t]*[;\n]\s*do\s+(?:(\w+)(\+?)=(?:"?\$\{?\w+\}?)?)?"?(?:\$\(|` + "`" + `)?printf [^\n;]{0,40}?printf '?"?[^\n;]{0,8}%0?3?o'?"? "?\$\(\( *\$?\{?(\w+)\}? *([-+^]) *\$?\{?(\w+)\}? *\)\)[^\n;]{0,16}[;\n]\s*done`)

// shellForms writes such a loop as the assignment that it amounts to. The text
// keeps its length: offsets into it stay true.
func shellForms(text string) string {
	if !strings.Contains(text, "$((") || !strings.Contains(text, "printf") || !strings.Contains(text, "for ") {
		return text
	}
	return numberLoop.ReplaceAllStringFunc(text, func(s string) string {
		m := numberLoop.FindStringSubmatch(s)
		key, ok := shellNumber(text, m[7])
		if !ok || m[3] == "" || m[5] != m[1] {
			return s
		}
		var b strings.Builder
		for n := range strings.FieldsSeq(m[2]) {
			c, err := strconv.ParseInt(n, 0, 16)
			switch m[6] {
			case "^":
				c ^= key
			case "+":
				c += key
			case "-":
				c -= key
			}
			if err != nil || c <= 0 || c > 255 {
				return s
			}
			b.WriteByte(byte(c))
		}
		form := m[3] + "='" + strings.ReplaceAll(b.String(), "'", `'\''`) + "'"
		if len(form) > len(s) || !isText([]byte(b.String())) {
			return s
		}
		return padTo(form, len(s))
	})
}

// shellNumber is a number, or what a text gives the variable of that name.
func shellNumber(text, word string) (int64, bool) {
	n, err := strconv.ParseInt(word, 0, 16)
	if err == nil {
		return n, true
	}
	_, value, ok := strings.Cut("\n"+strings.NewReplacer(";", "\n", " ", "\n", "\t", "\n").Replace(text), "\n"+word+"=")
	if !ok {
		return 0, false
	}
	value, _, _ = strings.Cut(value, "\n")
	n, err = strconv.ParseInt(strings.Trim(value, `"'`), 0, 16)
	return n, err == nil
}
