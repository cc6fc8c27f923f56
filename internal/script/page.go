package script

import (
	"bytes"
	"html"
	"io"
	"mime/quotedprintable"
	"strings"
	"sync"

	"meetguard"
)

// A page can have its reader run a command: it writes one to the clipboard and
// tells the reader to paste it (ClickFix). Documentation has copy buttons too,
// but it shows what it copies. What is stated here is a command that the page
// copies and does not show, beside instructions to run it.

const langPage = "html"

// Limits of one page.
const (
	maxPage       = 4 << 20 // bytes that are looked at
	maxCandidates = 4096    // texts that could be copied
	maxCommands   = 24      // of them, those that are analysed
	maxCommand    = 32 << 10
	maxInvisible  = 1 << 16 // tags that are read for what they hide
)

// pageWords are what a page must hold to be looked at: without one of them it
// neither copies nor hands out anything.
var pageWords = sync.OnceValue(func() *finder {
	return newFinder([]string{"clipboard", "execcommand", "createobjecturl", "mssaveoropenblob", "data:application", "search-ms:", "search:query", "download="})
})

// analysePage states what a HTML page, also one saved with all its parts or a
// picture in SVG, makes its reader run or keep. It returns nil for every other
// page: links are no business of this package.
func analysePage(data []byte) (*meetguard.Script, string) {
	encoding := encodingOf(data, "")
	data = data[:min(len(data), maxPage)]
	if encoding == utf16LE || encoding == utf16BE {
		data = []byte(decode(data, encoding))
	}
	if isMIMEPage(data) {
		data = []byte(unquoted(normalise(string(data))))
	}
	found := false
	if pageWords().until(data, func(int) bool { found = true; return true }); !found {
		return nil, ""
	}
	text := normalise(string(data))
	p := readPage(text)
	s := &meetguard.Script{Language: langPage, Encoding: encoding, Lines: strings.Count(text, "\n") + 1}
	traits := map[string]bool{}
	p.command(s, traits)
	if p.smuggles() {
		traits[TraitSmugglesProgram] = true
	}
	if hosts := searchHosts(text); len(hosts) > 0 {
		traits[TraitRemoteSearch] = true
		s.Hosts = append(s.Hosts, hosts...)
	}
	if len(traits) == 0 {
		return nil, ""
	}
	s.Traits = sortedKeys(traits)
	s.Pretexts = p.user.pretexts(langPage, 0)
	return s, p.user.banner()
}

// isPage tells markup that a browser shows.
func isPage(data []byte) bool {
	if isMIMEPage(data) {
		return true
	}
	head := data[:min(len(data), longLook)]
	if wide := wideLook(data); wide != nil {
		head = wide
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(head) == 0 || head[0] != '<' {
		return false
	}
	for rest := head; ; {
		n := bytes.IndexByte(rest, '<')
		if n < 0 {
			return false
		}
		rest = rest[n+1:]
		for _, tag := range []string{"html", "!doctype html", "svg", "head", "body", "script"} {
			if startsFold(rest, tag) {
				return true
			}
		}
	}
}

// isMIMEPage tells a page that was saved with its parts (RFC 2557).
func isMIMEPage(data []byte) bool {
	head := data[:min(len(data), shortLook)]
	return bytes.Contains(head, []byte("multipart/related")) && (bytes.Contains(head, []byte("MIME-Version")) || bytes.Contains(head, []byte("Mime-Version")))
}

// unquoted undoes the encoding that saved pages have; what is not encoded so
// stays as it is.
func unquoted(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		whole, soft := strings.CutSuffix(strings.TrimRight(line, "\r\n"), "=")
		plain, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(whole)))
		if err != nil {
			plain = []byte(whole)
		}
		b.Write(plain)
		if !soft {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// pageText is a page taken apart.
type pageText struct {
	visible    string   // what the reader sees, blanks single
	scripts    []string // texts of script elements and of event attributes
	candidates []string // texts that could be copied: attributes and form fields
	downloads  bool     // a link or script hands out a file
	user       reading
}

// readPage takes a page apart. Markup that is broken is read as far as it goes.
func readPage(text string) *pageText {
	p := &pageText{}
	var seen strings.Builder
	low := lowered(text)
	unseen := "" // the element whose text is not shown
	for at, tags := 0, 0; at < len(text) && tags < maxInvisible; tags++ {
		open := strings.IndexByte(text[at:], '<')
		if open < 0 {
			open = len(text) - at
		}
		p.content(text[at:at+open], unseen, &seen)
		at += open
		if strings.HasPrefix(text[at:], "<!--") {
			at += commentLength(text[at:])
			continue
		}
		end := tagLength(text[at:])
		tag := text[at : at+end]
		name := tagName(low[at : at+end])
		at += end
		switch {
		case name == "script" || name == "style":
			body := elementLength(low[at:], name)
			if name == "script" {
				p.scripts = append(p.scripts, strings.NewReplacer("<![CDATA[", "", "]]>", "").Replace(text[at:at+body]))
			}
			at += body
		case unseen != "" && name == "/"+unseen:
			unseen = ""
		case name != "" && name[0] != '/':
			p.attributes(tag)
			if unseen == "" && isUnseen(name, tag) {
				unseen = name
			}
			if name == "br" || name == "p" || name == "div" || name == "li" {
				seen.WriteByte(' ')
			}
		}
	}
	p.visible = strings.Join(strings.Fields(html.UnescapeString(seen.String())), " ")
	return p
}

func (p *pageText) content(text, unseen string, seen *strings.Builder) {
	if unseen == "" {
		seen.WriteString(text)
		return
	}
	if text = strings.TrimSpace(html.UnescapeString(text)); len(text) >= 8 {
		p.candidate(text)
	}
}

func (p *pageText) candidate(text string) {
	if len(p.candidates) < maxCandidates && len(text) <= maxCommand {
		p.candidates = append(p.candidates, text)
	}
}

func commentLength(s string) int {
	if n := strings.Index(s[4:], "-->"); n >= 0 {
		return 4 + n + 3
	}
	return len(s)
}

// tagLength is the size of the tag at the start of s; quotes may hold its end.
func tagLength(s string) int {
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && i > 0 && s[i-1] == '=':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	if n := strings.IndexByte(s, '>'); n >= 0 { // a quote that is never closed
		return n + 1
	}
	return len(s)
}

func tagName(tag string) string {
	tag = strings.Trim(tag, "<>")
	if n := strings.IndexAny(tag, " \t\n\r"); n >= 0 {
		tag = tag[:n]
	}
	if len(tag) > 16 {
		return "unknown"
	}
	return tag
}

func elementLength(low, name string) int {
	if n := strings.Index(low, "</"+name); n >= 0 {
		return n
	}
	return len(low)
}

// isUnseen holds for elements whose text is not read: form fields, which are
// copied from, and those that are put out of sight.
func isUnseen(name, tag string) bool {
	if name == "textarea" || name == "template" || name == "noscript" {
		return true
	}
	if name == "input" || name == "br" || name == "img" || name == "meta" || name == "link" || strings.HasSuffix(tag, "/>") {
		return false
	}
	style := strings.ToLower(strings.ReplaceAll(tag, " ", ""))
	for _, w := range []string{"display:none", "visibility:hidden", "opacity:0;", "opacity:0\"", "left:-9", "top:-9", "font-size:0", "clip:rect(0"} {
		if strings.Contains(style, w) {
			return true
		}
	}
	return false
}

// attributes reads the attributes of a tag that hold scripts or texts.
func (p *pageText) attributes(tag string) {
	for rest := tag; ; {
		equal := strings.IndexByte(rest, '=')
		if equal < 0 {
			return
		}
		name := strings.ToLower(strings.TrimSpace(rest[:equal]))
		name = name[strings.LastIndexAny(name, " \t\n\"'/")+1:]
		rest = strings.TrimLeft(rest[equal+1:], " \t\n")
		value := ""
		if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
			value, rest, _ = strings.Cut(rest[1:], rest[:1])
		} else if n := strings.IndexAny(rest, " \t\n>"); n >= 0 {
			value, rest = rest[:n], rest[n:]
		} else {
			value, rest = rest, ""
		}
		value = html.UnescapeString(value)
		switch {
		case strings.HasPrefix(name, "on"):
			p.scripts = append(p.scripts, value)
		case name == "download":
			p.downloads = true
		case name == "href" && strings.HasPrefix(strings.ToLower(value), "javascript:"):
			p.scripts = append(p.scripts, value[len("javascript:"):])
		case name == "href" && strings.HasPrefix(strings.ToLower(value), "data:"), strings.HasPrefix(name, "data-"), name == "value":
			p.candidate(value)
		}
	}
}
