package alert

import (
	"regexp"
	"strings"
)

// redacted stands where something private stood.
const redacted = "‹redacted›"

// secretName matches the last word of an option, variable or header whose value
// is private.
const secretName = `(?:password|passwd|passphrase|pwd|token|secret|credentials?|cookie|bearer|signature|api[-_]?key|access[-_]?key|key|auth|authorization)`

// A value is a quoted string or everything up to white space, with the word
// before it that says how to read it.
const secretValue = `(?:(?:bearer|basic|digest)\s+)?(?:"[^"]*"?|'[^']*'?|[^\s"']+)`

var (
	// scheme://user:password@host:port/path?query
	reURL = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)([^\s"'<>]*)`)
	// Authorization: Bearer abc, Cookie: a=b; c=d (as in curl -H "…")
	reHeader = regexp.MustCompile(`(?i)(["'][a-z0-9-]*` + secretName + `:\s*|\b[a-z0-9-]*` + secretName + `:\s+)[^"'\r\n]+`)
	// --token abc, /password:abc, API_KEY=abc, -AccessToken abc
	reOption = regexp.MustCompile(`(?i)((?:^|[\s"'(;&|])(?:--?|/)?[a-z0-9_.-]*` + secretName + `)(\s*=\s*|:\s*)(` + secretValue + `)`)
	reSpaced = regexp.MustCompile(`(?i)((?:^|[\s"'(;&|])(?:--?|/)[a-z0-9_.-]*` + secretName + `["']?)(\s+)(` + secretValue + `)`)
	// curl -u name:password
	reLogin = regexp.MustCompile(`(\s(?:-u|-U|--user|--proxy-user)[ =]["']?[^\s:"']+:)([^\s"']+)`)
	// A run that may be base64, base64url or hexadecimal.
	reRun = regexp.MustCompile(`[A-Za-z0-9+/_=-]{20,}`)
)

// Redact returns a command line without what it should not tell: URLs are cut to
// scheme://host/…, values of options, variables and headers named after
// passwords, tokens, secrets, keys and authorization are replaced, and so are
// opaque runs of 20 characters and more that look like base64 or hexadecimal.
// It would rather take too much than too little. It never fails; its answer is
// at most a few times as long as s.
func Redact(s string) string {
	s = reURL.ReplaceAllStringFunc(s, redactURL)
	s = reHeader.ReplaceAllString(s, "${1}"+redacted)
	s = reOption.ReplaceAllString(s, "${1}${2}"+redacted)
	s = reSpaced.ReplaceAllString(s, "${1}${2}"+redacted)
	s = reLogin.ReplaceAllString(s, "${1}"+redacted)
	return redactRuns(s)
}

func redactURL(url string) string {
	scheme, rest, _ := strings.Cut(url, "://")
	host, tail := rest, ""
	if i := strings.IndexAny(rest, `/?#\`); i >= 0 {
		host, tail = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	if tail != "" && tail != "/" {
		tail = "/…"
	}
	return scheme + "://" + host + tail
}

// redactRuns replaces opaque runs. A run that starts like a path is judged
// element by element, so that a path stays readable; any other is one token even
// if it holds slashes, as base64 does.
func redactRuns(s string) string {
	var b strings.Builder
	last := 0
	for _, at := range reRun.FindAllStringIndex(s, -1) {
		run := s[at[0]:at[1]]
		b.WriteString(s[last:at[0]])
		b.WriteString(redactRun(run, at[0] > 0 && strings.IndexByte(`.~:\%}`, s[at[0]-1]) >= 0))
		last = at[1]
	}
	b.WriteString(s[last:])
	return b.String()
}

func redactRun(run string, inPath bool) string {
	parts := strings.Split(run, "/")
	isPath := inPath || strings.HasPrefix(run, "/")
	for i, part := range parts {
		name, value, assigned := strings.Cut(part, "=")
		switch {
		case opaque(part) && !isPath:
			return redacted
		case assigned && opaque(value):
			parts[i] = name + "=" + redacted
		case opaque(part):
			parts[i] = redacted
		}
	}
	return strings.Join(parts, "/")
}

// opaque tells a token from words. Words joined by dashes or capitals change
// seldom between letters and digits and hold few capitals; base64 and
// hexadecimal do neither. 20 characters of base64 hold three digits on average.
func opaque(s string) bool {
	if len(s) < 20 {
		return false
	}
	var upper, lower, digits, turns int
	hex := true
	wasDigit, wasLetter := false, false
	for i := range len(s) {
		c := s[i]
		digit, letter := c >= '0' && c <= '9', c|0x20 >= 'a' && c|0x20 <= 'z'
		if digit && wasLetter || letter && wasDigit {
			turns++
		}
		switch {
		case digit:
			digits++
		case letter && c < 'a':
			upper++
		case letter:
			lower++
		}
		hex = hex && (digit || c|0x20 >= 'a' && c|0x20 <= 'f')
		wasDigit, wasLetter = digit, letter
	}
	letters := upper + lower
	mixed := upper*4 >= letters && lower*4 >= letters
	return hex && digits > 0 || letters == 0 && digits > 0 || turns >= 3 || letters >= 16 && mixed || strings.HasSuffix(s, "=")
}
