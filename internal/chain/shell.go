package chain

import (
	"regexp"
	"strings"

	"meetguard"
)

// shell reads a shell: what it is given with -c, or the file that it runs.
func (r *reader) shell(name string, args []string, depth int) {
	for i, a := range args {
		switch {
		case strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--") && strings.HasSuffix(a, "c") && i+1 < len(args):
			r.device(name, args[i+1])
			if text := strings.ToLower(clip(args[i+1])); (strings.HasPrefix(text, "$(") || strings.HasPrefix(text, "`")) && containsAny(text, "base64 -d", "base64 --decode", "xxd -r") {
				r.add(meetguard.Deed{Kind: meetguard.DeedEncoded, What: "base64"})
				r.add(meetguard.Deed{Kind: meetguard.DeedRead, What: name})
			}
			r.line(args[i+1], depth)
			return
		case strings.HasPrefix(a, "/dev/fd/"):
			r.add(meetguard.Deed{Kind: meetguard.DeedRead, What: name, Mark: []string{"descriptor"}})
			return
		case a == "-s" || a == "-":
			r.add(meetguard.Deed{Kind: meetguard.DeedRead, What: name})
			return
		case a == "-i": // behind it stand redirections
			return
		case strings.HasPrefix(a, "-") || strings.HasPrefix(a, "+"):
		default:
			r.add(meetguard.Deed{Kind: meetguard.DeedRun, File: a, What: name})
			return
		}
	}
	if len(args) == 0 {
		r.add(meetguard.Deed{Kind: meetguard.DeedRead, What: name})
	}
}

// pathWord is the first path in a line for crontab, behind when it is to run.
func pathWord(text string) string {
	for _, at := range []string{"@reboot", "* *", "@hourly", "@daily"} {
		if _, rest, ok := strings.Cut(text, at); ok {
			for _, w := range strings.Fields(rest) {
				if w = strings.Trim(w, `'"();`); strings.HasPrefix(w, "/") && !system(w) || strings.HasPrefix(w, "~/") || strings.HasPrefix(w, "$HOME/") {
					return w
				}
			}
		}
	}
	return ""
}

// takesCode says whether a program that stands behind a pipe takes its commands
// from there: it was given no file, no code and no module of its own.
func takesCode(name string, args []string) bool {
	if unwraps[name] {
		args = skipOptions(args)
		return len(args) > 0 && takesCode(Program(args[0]), args[1:])
	}
	if !wrapper[name] && !inlineHosts[plainTool(name)] {
		return false
	}
	for i, a := range args {
		switch {
		case a == "-" || a == "-s" || a == "--" || a == "/dev/stdin":
			return true
		case a == "-c" || a == "-e" || a == "-m" || a == "-r" || a == "-p" || codeFlag(plainTool(name), a):
			return false
		case strings.HasPrefix(a, "-"), i > 0 && args[i-1] == "-l":
		default:
			return false
		}
	}
	return true
}

// device reads whether a line of shell gives its input and output to a
// connection. Alone, the device only knocks at a port or asks a web server.
func (r *reader) device(name, text string) {
	_, rest, ok := strings.Cut(clip(text), "/dev/tcp/")
	if !ok || !containsAny(text, " -i", "0>&1", "0<&", "while read", "| sh", "|sh", "| bash", "|bash") {
		return
	}
	host, _, _ := strings.Cut(rest, "/")
	r.add(meetguard.Deed{Kind: meetguard.DeedConnect, What: name, Host: strings.ToLower(host[:min(len(host), 253)]), Mark: []string{"shell"}})
}

// line reads a line of shell code.
func (r *reader) line(text string, depth int) {
	list := commands(clip(text))
	for i, c := range list {
		words := c.words
		for len(words) > 1 && shellWords[words[0]] {
			words = words[1:]
		}
		if i > 32 || len(words) == 0 {
			return
		}
		name := Program(words[0])
		if c.piped && takesCode(name, words[1:]) {
			r.add(meetguard.Deed{Kind: meetguard.DeedRead, What: name})
			continue
		}
		if c.back {
			r.add(meetguard.Deed{Kind: meetguard.DeedHide, What: "background"})
		}
		words = r.redirected(name, words)
		if name == "crontab" && c.piped && i > 0 {
			r.add(meetguard.Deed{Kind: meetguard.DeedPersist, What: name, File: pathWord(text), Mark: []string{"job"}}) // not the list
			continue
		}
		sourced := words[0] == "." || words[0] == "source"
		if sourced {
			words[0], name = "sh", "sh"
		}
		if strings.HasPrefix(words[0], "/") || strings.HasPrefix(words[0], "./") || strings.HasPrefix(words[0], "~/") || strings.HasPrefix(words[0], "$") {
			r.add(meetguard.Deed{Kind: meetguard.DeedRun, File: words[0], What: "program"})
		}
		before := len(r.out)
		r.run(words, depth+1)
		if sourced && len(r.out) == before+1 && r.out[before].Kind == meetguard.DeedRun {
			r.out[before].Mark = append(r.out[before].Mark, "sourced")
		}
	}
}

var shellWords = set(`if then else elif do while until ! { time`)

// cmd reads the command processor of Windows.
func (r *reader) cmd(args []string, depth int) {
	for i, a := range args {
		if low := strings.ToLower(a); strings.HasPrefix(low, "/c") || strings.HasPrefix(low, "/k") || strings.HasPrefix(low, "/r") {
			rest := append([]string{}, args[i+1:]...)
			if len(a) > 2 {
				rest = append([]string{a[2:]}, rest...)
			}
			r.batch(strings.Join(quoteAll(rest), " "), depth)
			return
		}
	}
}

func quoteAll(words []string) []string {
	if len(words) == 1 {
		return words
	}
	out := make([]string, len(words))
	for i, w := range words {
		if out[i] = w; strings.ContainsAny(w, " \t") {
			out[i] = `"` + w + `"`
		}
	}
	return out
}

func (r *reader) batch(text string, depth int) {
	text = spelled(strings.ReplaceAll(clip(text), "^", ""))
	r.loops(text, depth)
	for i, part := range strings.FieldsFunc(text, func(c rune) bool { return c == '&' || c == '|' || c == '\n' || c == '(' || c == ')' }) {
		words := splitWindows(strings.TrimSpace(part))
		if len(words) > 2 && strings.EqualFold(words[0], "start") && strings.EqualFold(words[1], "/min") {
			r.add(meetguard.Deed{Kind: meetguard.DeedHide, What: "minimized"})
		}
		for len(words) > 1 && (strings.EqualFold(words[0], "start") || strings.EqualFold(words[0], "call") || words[0] == "" || strings.HasPrefix(words[0], "/") || strings.HasPrefix(words[0], "@")) {
			words = words[1:]
		}
		if i > 32 || len(words) == 0 {
			return
		}
		words = r.redirected(Program(words[0]), words)
		if strings.ContainsAny(words[0], `\%`) || runs[extension(words[0])] {
			r.add(meetguard.Deed{Kind: meetguard.DeedRun, File: words[0], What: "program"})
		}
		r.run(words, depth+1)
	}
}

// loop is a loop of cmd over what a command says that runs each line of it.
var loop = regexp.MustCompile("(?i)\\bfor\\s+/f\\b[^()]*\\bin\\s*\\(\\s*['`]([^'`()]{1,512})['`]\\s*\\)\\s*do\\s+(?:call\\s+|start\\s+(?:/\\w+\\s+)*|cmd(?:\\.exe)?\\s+/c\\s+)?\"?%%?~?[a-z]\\b\"?\\s*(?:$|[&|)\"])")

// intoShell is a command whose output an interpreter of Windows takes as its own.
var intoShell = regexp.MustCompile(`(?i)(?:^|[&(])\s*([^&|()]{1,512}?)\|\s*(?:cmd|powershell|pwsh)(?:\.exe)?(?:\s+-(?:nop|noprofile|c|command)?)*\s*(?:$|[&")\n])`)

// setting is a variable that a line of cmd sets.
var setting = regexp.MustCompile(`(?i)\bset\s+"?([a-z_][a-z0-9_]{0,31})=([^&|"\n]{0,512})`)

// maxSettings bounds the variables of one line.
const maxSettings = 16

// spelled is a line of cmd with the variables that it sets itself written out.
func spelled(text string) string {
	for _, m := range setting.FindAllStringSubmatch(text, maxSettings) {
		value := strings.TrimSpace(m[2])
		if len(text) > maxLine {
			break
		}
		for _, sign := range []string{"!", "%"} {
			text = replaceFold(text, sign+m[1]+sign, value)
		}
	}
	return text[:min(len(text), maxLine)]
}

// replaceFold replaces a word in whatever case it is written.
func replaceFold(text, word, by string) string {
	var out strings.Builder
	low, word := lowered(text), lowered(word)
	for n := 0; out.Len() < maxLine; n++ {
		i := strings.Index(low, word)
		if i < 0 {
			break
		}
		out.WriteString(text[:i])
		out.WriteString(by)
		text, low = text[i+len(word):], low[i+len(word):]
	}
	return out.String() + text
}

// loops notes that what a command brings is run line by line, or goes into a shell.
func (r *reader) loops(text string, depth int) {
	m := loop.FindStringSubmatch(text)
	if m == nil {
		m = intoShell.FindStringSubmatch(text)
	}
	if m == nil {
		return
	}
	inner := reader{cwd: r.cwd, windows: r.windows, user: r.user}
	inner.run(splitWindows(strings.TrimLeft(m[1], "\" @")), depth+1)
	for _, d := range inner.out {
		if d.Kind == meetguard.DeedFetch && d.File == "" {
			r.add(meetguard.Deed{Kind: meetguard.DeedFetchRun, What: d.What, Host: d.Host})
		}
	}
}

var runs = set(`.exe .scr .bat .cmd .vbs .js .hta .ps1 .msi .com .pif .wsf .vbe .jse`)

func extension(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 && !strings.ContainsAny(name[i:], `/\`) {
		return strings.ToLower(name[i:])
	}
	return ""
}
