package chain

import "strings"

// maxWords bounds the words of one command line.
const maxWords = 4096

// Split cuts a command line into its arguments by the rules of an operating
// system: windows, or anything else for POSIX.
func Split(system, line string) []string {
	if system == "windows" {
		return splitWindows(line)
	}
	return splitPOSIX(line)
}

// splitWindows follows the rules of CommandLineToArgvW: quotes group, 2n
// backslashes before a quote are n, 2n+1 are n and a quote.
// https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-commandlinetoargvw
func splitWindows(line string) []string {
	var out []string
	var word strings.Builder
	open, any := false, false
	for i := 0; i < len(line) && len(out) < maxWords; i++ {
		c := line[i]
		switch {
		case (c == ' ' || c == '\t') && !open:
			if any {
				out = append(out, word.String())
			}
			word.Reset()
			any = false
		case c == '\\':
			end := i
			for end < len(line) && line[end] == '\\' {
				end++
			}
			n := end - i
			any = true
			if end == len(line) || line[end] != '"' {
				word.WriteString(line[i:end])
				i = end - 1
				continue
			}
			word.WriteString(line[i : i+n/2])
			i = end - 1
			if n%2 == 1 {
				word.WriteByte('"')
				i = end
			}
		case c == '"':
			open, any = !open, true
		default:
			word.WriteByte(c)
			any = true
		}
	}
	if any && len(out) < maxWords {
		out = append(out, word.String())
	}
	return out
}

// splitPOSIX follows the quoting of a shell, without expanding anything.
func splitPOSIX(line string) []string {
	var out []string
	for _, c := range commands(line) {
		out = append(out, c.words...)
	}
	return out[:min(len(out), maxWords)]
}

// command is one simple command of a shell line.
type command struct {
	words []string
	piped bool // its input is the output of the command before
	back  bool // it runs in the background
}

// commands cuts a line of shell code into simple commands. What it cannot
// follow stays in the words.
func commands(line string) []command {
	var out []command
	var word strings.Builder
	cur, any := command{}, false
	total := 0
	flushWord := func() {
		if any && total < maxWords {
			cur.words = append(cur.words, word.String())
			total++
		}
		word.Reset()
		any = false
	}
	flush := func() {
		flushWord()
		if len(cur.words) > 0 {
			out = append(out, cur)
		}
		cur = command{}
	}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case '\'', '"':
			end := i + 1
			for end < len(line) && line[end] != c {
				if c == '"' && line[end] == '\\' && end+1 < len(line) {
					end++
				}
				word.WriteByte(line[end])
				end++
			}
			i, any = end, true
		case '\\':
			if i+1 < len(line) {
				i++
				if line[i] != '\n' {
					word.WriteByte(line[i])
					any = true
				}
			}
		case ' ', '\t', '\r':
			flushWord()
		case '\n', ';', '(', ')':
			if c == '(' && any { // $(…): its own words, in the same command
				flushWord()
				continue
			}
			flush()
		case '|':
			flush()
			if i+1 < len(line) && line[i+1] == '|' {
				i++
			} else {
				cur.piped = true
			}
		case '&':
			if i+1 < len(line) && line[i+1] == '&' {
				i++
				flush()
			} else if i > 0 && line[i-1] == '>' || i+1 < len(line) && line[i+1] == '>' {
				word.WriteByte(c)
				any = true
			} else {
				cur.back = true
				flush()
			}
		default:
			word.WriteByte(c)
			any = true
		}
	}
	flush()
	return out
}
