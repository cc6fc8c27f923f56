package inspect

import (
	"html"
	"strings"

	"meetguard"
)

const (
	maxMarkup = 256 << 10 // bytes of a document in which its title is looked for
	maxMeta   = 256       // meta tags looked at
)

// htmlClaims reads what a page calls itself: its title, the name of its site
// (Open Graph), and the name that a HTML application gives its window.
func htmlClaims(data []byte, c *collector) {
	text := textOf(data[:min(len(data), maxMarkup)])
	lower := asciiLower(text)
	if at := strings.Index(lower, "<title"); at >= 0 {
		if open := strings.IndexByte(text[at:], '>'); open >= 0 {
			title := text[at+open+1:]
			end := strings.IndexByte(title, '<')
			if end < 0 {
				end = min(len(title), maxClaimText)
			}
			c.claim(meetguard.ClaimTitle, oneLine(html.UnescapeString(title[:end])))
		}
	}
	for at, n := 0, 0; n < maxMeta; n++ {
		next := strings.IndexByte(lower[at:], '<')
		if next < 0 {
			return
		}
		at += next + 1
		end := strings.IndexByte(lower[at:], '>')
		if end < 0 {
			return
		}
		if tag := text[at : at+end]; startsFold([]byte(tag), "meta") || startsFold([]byte(tag), "hta:application") {
			c.metaClaim(tag)
		} else {
			n-- // other tags do not count
		}
	}
}

// metaClaim reads one tag.
func (c *collector) metaClaim(tag string) {
	a := attributes(tag)
	switch {
	case a["property"] == "og:site_name", a["name"] == "application-name":
		c.claim(meetguard.ClaimTitle, oneLine(html.UnescapeString(a["content"])))
	case a["applicationname"] != "":
		c.claim(meetguard.ClaimTitle, oneLine(html.UnescapeString(a["applicationname"])))
	}
}

// attributes splits a tag into its attributes, names in lower case.
func attributes(tag string) map[string]string {
	out := map[string]string{}
	for len(out) < 16 {
		equal := strings.IndexByte(tag, '=')
		if equal < 0 {
			break
		}
		words := strings.Fields(tag[:equal])
		tag = strings.TrimLeft(tag[equal+1:], " \t\r\n")
		var value string
		if tag != "" && (tag[0] == '"' || tag[0] == '\'') {
			value, tag, _ = strings.Cut(tag[1:], tag[:1])
		} else {
			end := strings.IndexAny(tag, " \t\r\n")
			if end < 0 {
				end = len(tag)
			}
			value, tag = tag[:end], tag[end:]
		}
		if len(words) > 0 {
			out[asciiLower(words[len(words)-1])] = value
		}
	}
	return out
}

// asciiLower lowers ASCII letters and nothing else, so that offsets stay.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// shortcutClaims reads what a shortcut says of itself and what it opens: base
// names only, since folders hold the names of users.
func shortcutClaims(data []byte, c *collector) {
	data = data[:min(len(data), maxShortcut)]
	if starts(data, "L\x00\x00\x00") {
		l := readShellLink(data)
		c.claim(meetguard.ClaimTarget, l.target)
		c.claim(meetguard.ClaimShortcut, l.name)
		c.claim(meetguard.ClaimShortcutIcon, lastElement(l.icon))
		return
	}
	for line := range strings.Lines(textOf(data)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			continue
		}
		key, _, _ = strings.Cut(asciiLower(strings.TrimSpace(key)), "[") // Name[de]
		switch value = strings.TrimSpace(value); key {
		case "name", "genericname", "comment":
			c.claim(meetguard.ClaimShortcut, value)
		case "icon", "iconfile":
			c.claim(meetguard.ClaimShortcutIcon, lastElement(value))
		case "exec":
			first, _, _ := strings.Cut(value, " ")
			c.claim(meetguard.ClaimTarget, lastElement(first))
		}
	}
}

// calendarClaims reads what an invitation shows: its summary, its place and the
// name of who sent it (RFC 5545). Of an address in them only the host is kept.
func calendarClaims(data []byte, c *collector) {
	text := unfold(textOf(data[:min(len(data), maxShortcut)]))
	for line := range strings.Lines(text) {
		property, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		name, parameters, _ := strings.Cut(property, ";")
		switch asciiLower(name) {
		case "summary", "location":
			c.claim(meetguard.ClaimSubject, withoutPaths(unescapeCalendar(value)))
		case "organizer":
			for _, p := range strings.Split(parameters, ";") {
				if cn, ok := cutPrefixFold(p, "cn="); ok {
					c.claim(meetguard.ClaimSubject, strings.Trim(cn, `"`))
				}
			}
		}
	}
}

func unescapeCalendar(s string) string {
	return strings.NewReplacer(`\n`, " ", `\N`, " ", `\,`, ",", `\;`, ";", `\\`, `\`).Replace(s)
}

// withoutPaths leaves of every address its host: paths and queries hold ids and
// passwords of meetings.
func withoutPaths(text string) string {
	fields := strings.Fields(text)
	for i, f := range fields {
		if strings.Contains(f, "://") {
			fields[i] = hostOf(f)
		}
	}
	return strings.Join(fields, " ")
}
