package inspect

import (
	"bytes"

	"meetguard"
)

const (
	textHead = 4 << 10  // bytes looked at to tell a text
	htmlHead = 64 << 10 // bytes looked at for markup behind comments or other content
)

// sniffText tells the text formats that a signature or a name tells.
func sniffText(name string, data []byte) meetguard.Format {
	var buf [textHead / 2]byte
	text := asciiHead(data, &buf)
	switch {
	case isINIShortcut(text, hasSuffixFold(name, ".url")), isPlistShortcut(name, data), linkKind(name, data) != "":
		return meetguard.FormatShortcut
	case isHTML(text), isHTMLByName(name, data, text):
		return meetguard.FormatHTML
	case startsFold(trimBlank(text), "begin:vcalendar"):
		return meetguard.FormatICS
	case isShebang(text):
		return meetguard.FormatScript
	}
	return ""
}

// asciiHead returns the first htmlHead bytes of the text behind a byte order
// mark: for UTF-8 of data itself, and for UTF-16 its first characters in buf,
// with a question mark for whatever is not ASCII.
func asciiHead(data []byte, buf *[textHead / 2]byte) []byte {
	data = data[:min(len(data), htmlHead)]
	if starts(data, utf8Mark) {
		return data[len(utf8Mark):]
	}
	order := byteOrderMark(data)
	if order == nil {
		return data
	}
	n := 0
	for rest := data[2:]; len(rest) >= 2 && n < len(buf); rest = rest[2:] {
		buf[n] = '?'
		if unit := order.Uint16(rest); unit < 0x80 {
			buf[n] = byte(unit)
		}
		n++
	}
	return buf[:n]
}

func isBlank(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func trimBlank(text []byte) []byte {
	for len(text) > 0 && isBlank(text[0]) {
		text = text[1:]
	}
	return text
}

// isShebang tells a script by its first line. A Rust file may begin with an
// attribute, "#![…]", which is none.
func isShebang(text []byte) bool {
	if !starts(text, "#!") {
		return false
	}
	interpreter := bytes.TrimLeft(text[2:], " \t")
	return len(interpreter) > 0 && interpreter[0] > ' ' && interpreter[0] < 0x7f && interpreter[0] != '['
}

// isINIShortcut tells a Windows .url file or a desktop entry. A desktop entry
// has to be the first group, behind nothing but comments, and "#!" is a comment
// to it. The section of a .url may follow others; behind junk it counts only
// if the name says that Windows will read it so.
func isINIShortcut(text []byte, junk bool) bool {
	text = text[:min(len(text), textHead)]
	first := true
	for len(text) > 0 {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		text = rest
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0, line[0] == '#', line[0] == ';':
		case equalFold(line, "[internetshortcut]"):
			return true
		case line[0] == '[':
			if first && string(line) == "[Desktop Entry]" {
				return true
			}
			first = false
		case first && !junk:
			return false
		}
	}
	return false
}

// isPlistShortcut tells the link files of the Finder.
func isPlistShortcut(name string, data []byte) bool {
	for _, suffix := range [...]string{".webloc", ".inetloc", ".fileloc", ".ftploc", ".afploc", ".vncloc", ".mailloc", ".httploc"} {
		if hasSuffixFold(name, suffix) {
			return plistValue(data, "URL") != ""
		}
	}
	return false
}

// isHTML tells an HTML document: a doctype or an html tag behind nothing but
// space, comments and an XML declaration.
func isHTML(text []byte) bool {
	for {
		text = trimBlank(text)
		var closing string
		switch {
		case isTag(text, "<!doctype", "html"), isTag(text, "<html", ""):
			return true
		case starts(text, "<!--"):
			closing = "-->"
		case starts(text, "<?xml"):
			closing = "?>"
		default:
			return false
		}
		end := bytes.Index(text, []byte(closing))
		if end < 0 {
			return false
		}
		text = text[end+len(closing):]
	}
}

// isTag tells whether text begins with open and then, behind space, with word,
// and that the last of them ends there.
func isTag(text []byte, open, word string) bool {
	if !startsFold(text, open) {
		return false
	}
	text = text[len(open):]
	if word != "" {
		text = trimBlank(text)
		if !startsFold(text, word) {
			return false
		}
		text = text[len(word):]
	}
	return len(text) == 0 || isBlank(text[0]) || text[0] == '>' || text[0] == '/'
}

// isHTMLByName tells markup that a browser or mshta would take for HTML because
// of its name.
func isHTMLByName(name string, data, text []byte) bool {
	if hasSuffixFold(name, ".hta") {
		return containsFold(text, "<script") || containsFold(data, "<script") || containsFold(text, "<hta:")
	}
	if !hasSuffixFold(name, ".html") && !hasSuffixFold(name, ".htm") && !hasSuffixFold(name, ".xhtml") && !hasSuffixFold(name, ".shtml") {
		return false
	}
	text = trimBlank(text)
	if len(text) < 2 || text[0] != '<' {
		return false
	}
	c := text[1] | 0x20
	return text[1] == '!' || 'a' <= c && c <= 'z'
}

// containsFold looks for lower, which begins with '<', in the first htmlHead
// bytes of text, without case.
func containsFold(text []byte, lower string) bool {
	text = text[:min(len(text), htmlHead)]
	for {
		i := bytes.IndexByte(text, '<')
		if i < 0 {
			return false
		}
		text = text[i:]
		if startsFold(text, lower) {
			return true
		}
		text = text[1:]
	}
}
