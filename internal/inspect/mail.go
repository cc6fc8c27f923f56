package inspect

import (
	"bytes"
	"encoding/base64"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/url"
	"slices"
	"strings"

	"meetguard"
)

// Limits of one mail.
const (
	mailHead     = 16 << 10 // bytes of its header that are looked at
	maxMailBytes = 8 << 20  // bytes of it that are read
	maxMailPart  = 1 << 20  // decoded bytes of one body
	maxMailParts = 64
	maxMailDepth = 4
	maxMailText  = 64 << 10 // bytes of text that are kept
)

// TraitLinkMisleads is that of a mail with a link whose text is the address of
// another host.
const TraitLinkMisleads = "link-misleads"

// Mail is what a mail says of itself and where its links lead.
type Mail struct {
	Claims   []meetguard.Claim // its subject and the name of its sender
	Hosts    []string          // hosts that its links and its invitations lead to, at most 64
	Misled   []string          // of them, those whose link shows the address of another host
	Text     string            // its bodies of plain text, and what its pages show, at most 64 KiB
	Attaches bool              // there are attachments: unpack.WalkMail visits them
}

// IsMail tells if data is a mail as programs save it: RFC 5322 (.eml), also
// behind the line of a mailbox or the byte count of Apple Mail (.emlx).
func IsMail(name string, data []byte) bool {
	named := hasSuffixFold(name, ".eml") || hasSuffixFold(name, ".emlx")
	head := mailHeader(mailText(data))
	from := head["from"] != ""
	if named {
		return from && (head["subject"] != "" || head["date"] != "" || head["to"] != "")
	}
	return from && head["date"] != "" && head["message-id"] != "" && (head["received"] != "" || head["to"] != "" || head["return-path"] != "")
}

// ReadMail reads the bodies of a mail and of the mails inside it.
func ReadMail(data []byte) Mail {
	data = mailText(data[:min(len(data), maxMailBytes)])
	var m Mail
	head := mailHeader(data)
	if s := decodedWord(head["subject"]); s != "" {
		m.Claims = append(m.Claims, meetguard.Claim{Text: withoutPaths(s), Source: meetguard.ClaimSubject})
	}
	if name, _, ok := strings.Cut(decodedWord(head["from"]), "<"); ok && strings.TrimSpace(name) != "" {
		m.Claims = append(m.Claims, meetguard.Claim{Text: strings.Trim(strings.TrimSpace(name), `"`), Source: meetguard.ClaimSubject})
	}
	parts := maxMailParts
	m.entity(data, 0, &parts)
	return m
}

// mailText is the mail without what a mailbox or Apple Mail puts before it.
func mailText(data []byte) []byte {
	data = bytes.TrimPrefix(data, []byte(utf8Mark))
	line, rest, ok := bytes.Cut(data[:min(len(data), 512)], []byte("\n"))
	if !ok {
		return data
	}
	size := len(data[:min(len(data), 512)]) - len(rest)
	line = bytes.TrimSpace(line)
	if starts(line, "From ") || len(line) > 0 && len(bytes.Trim(line, "0123456789")) == 0 {
		return data[size:]
	}
	return data
}

// mailHeader reads the fields of a header, names in lower case, the first of
// each name. It is empty if the text does not begin with a field.
func mailHeader(data []byte) map[string]string {
	fields := map[string]string{}
	if len(data) == 0 || !('A' <= data[0]&^0x20 && data[0]&^0x20 <= 'Z') {
		return fields
	}
	text := data[:min(len(data), mailHead)]
	last := ""
	for len(text) > 0 {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		text = rest
		line = bytes.TrimRight(line, "\r")
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if last != "" {
				fields[last] += " " + strings.TrimSpace(string(line))
			}
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || len(name) > 64 || bytes.IndexByte(name, ' ') >= 0 {
			break
		}
		last = asciiLower(string(name))
		if _, known := fields[last]; known {
			last = ""
			continue
		}
		fields[last] = strings.TrimSpace(string(value))
	}
	return fields
}

// mailBody is what stands behind the header.
func mailBody(data []byte) []byte {
	a, b := bytes.Index(data, []byte("\n\n")), bytes.Index(data, []byte("\n\r\n"))
	switch {
	case a >= 0 && (b < 0 || a < b):
		return data[a+2:]
	case b >= 0:
		return data[b+3:]
	}
	return nil
}

// entity reads one MIME entity (RFC 2045, 2046).
func (m *Mail) entity(data []byte, depth int, parts *int) {
	head := mailHeader(data)
	m.content(head["content-type"], head["content-transfer-encoding"], head["content-disposition"], mailBody(data), depth, parts)
}

func (m *Mail) content(kind, encoding, disposition string, body []byte, depth int, parts *int) {
	if *parts--; *parts < 0 || depth > maxMailDepth {
		return
	}
	media, params, err := mime.ParseMediaType(kind)
	if err != nil {
		media, _, _ = strings.Cut(asciiLower(kind), ";")
	}
	if kind == "" {
		media = "text/plain"
	}
	switch {
	case strings.HasPrefix(media, "multipart/") && params["boundary"] != "":
		r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
		for *parts > 0 {
			p, err := r.NextRawPart()
			if err != nil {
				return
			}
			inner, _ := io.ReadAll(io.LimitReader(p, maxMailBytes)) // of a part that is cut off, what there is
			m.content(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p.Header.Get("Content-Disposition"), inner, depth+1, parts)
		}
	case media == "message/rfc822":
		m.entity(decodedPart(encoding, body), depth+1, parts)
	case strings.HasPrefix(asciiLower(disposition), "attachment"):
		m.Attaches = true
	case media == "text/html":
		text := decodedPart(encoding, body)
		m.hosts(PageHosts(text))
		m.misleading(textOf(text))
		m.text(shownText(textOf(text)))
	case media == "text/calendar":
		m.hosts(calendarHosts(textOf(decodedPart(encoding, body))))
	case media == "text/plain":
		text := textOf(decodedPart(encoding, body))
		m.hosts(textHosts(text))
		m.text(text)
	default:
		m.Attaches = true
	}
}

func (m *Mail) text(s string) {
	if room := maxMailText - len(m.Text) - 1; room > 0 {
		m.Text += strings.ToValidUTF8(s[:min(len(s), room)], "") + "\n"
	}
}

// blocks end a line in what a page shows.
var blocks = strings.NewReplacer("<br", "\n<br", "<p", "\n<p", "</p", "\n</p", "<pre", "\n<pre", "</pre", "\n</pre", "<div", "\n<div", "<li", "\n<li", "<tr", "\n<tr", "</td", " </td", "<code", "\n<code", "</code", "\n</code")

// PageText is the text of a page in HTML without its tags, of the first 256 KiB.
// It is "" for a page without a command line that could be meant for its reader.
func PageText(data []byte) string {
	data = data[:min(len(data), pageBytes)]
	if !hasAny(data, "curl", "mshta", "powershell", "PowerShell", "iwr", "irm", "wget", "base64", "osascript") {
		return ""
	}
	return shownText(textOf(data))
}

// shownText is the text of a page without its tags.
func shownText(text string) string {
	return html.UnescapeString(markup.ReplaceAllString(blocks.Replace(text), " "))
}

func (m *Mail) hosts(list []string) {
	for _, h := range list {
		if len(m.Hosts) < maxHosts && !slices.Contains(m.Hosts, h) {
			m.Hosts = append(m.Hosts, h)
		}
	}
}

// decodedPart undoes the transfer encoding of a part, as far as it is sound.
func decodedPart(encoding string, body []byte) []byte {
	var r io.Reader = bytes.NewReader(body)
	switch asciiLower(strings.TrimSpace(encoding)) {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	}
	out, _ := io.ReadAll(io.LimitReader(r, maxMailPart)) // what was decoded before an error counts
	return out
}

// decodedWord reads the encoded words of a header field (RFC 2047).
func decodedWord(s string) string {
	if plain, err := new(mime.WordDecoder).DecodeHeader(s); err == nil {
		return plain
	}
	return s
}

// misleading notes the links that show the address of one host and lead to
// another. Newsletters do that to count clicks: it is a fact, no reproach.
func (m *Mail) misleading(text string) {
	low := asciiLower(text)
	for at, n := 0, 0; n < maxPageTags; n++ {
		open := strings.Index(low[at:], "<a ")
		if open < 0 {
			return
		}
		at += open
		head := strings.IndexByte(text[at:], '>')
		if head < 0 {
			return
		}
		target := hostList(address(attributes(text[at : at+head])["href"]))
		end := strings.Index(low[at+head:], "</a")
		if end < 0 {
			return
		}
		shown := shownHost(text[at+head+1 : at+head+end])
		at += head + end
		if len(target) == 1 && shown != "" && shown != target[0] && !strings.HasSuffix(shown, "."+target[0]) && !strings.HasSuffix(target[0], "."+shown) && !slices.Contains(m.Misled, target[0]) && len(m.Misled) < maxHosts {
			m.Misled = append(m.Misled, target[0])
		}
	}
}

// shownHost is the host that a link shows, "" if its text is no address.
func shownHost(text string) string {
	for strings.HasPrefix(strings.TrimSpace(text), "<") { // <b>https://…</b>
		_, rest, ok := strings.Cut(text, ">")
		if !ok {
			return ""
		}
		text = rest
	}
	text, _, _ = strings.Cut(strings.TrimSpace(text), "<")
	if strings.ContainsAny(text, " \n") || !strings.Contains(text, ".") || strings.Contains(text, "@") {
		return ""
	}
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	if u, err := url.Parse(text); err != nil || u.Path == "" && strings.Count(u.Host, ".") == 0 {
		return ""
	}
	if hosts := hostList(text); len(hosts) == 1 {
		return hosts[0]
	}
	return ""
}
