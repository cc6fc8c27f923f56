package inspect

import (
	"html"
	"slices"
	"strings"
)

// maxPageTags bounds the tags of a page that are read for where they lead.
const maxPageTags = 4096

// leading are the attributes by which a tag takes its reader elsewhere.
var leading = map[string]string{"a": "href", "area": "href", "form": "action", "iframe": "src", "frame": "src", "meta": "content"}

// PageHosts lists the hosts that the links, forms, frames and redirections of a
// HTML page lead to, at most 64, in the first 256 KiB. Addresses in its text do
// not count: reports write of them.
func PageHosts(data []byte) []string {
	text := textOf(data[:min(len(data), maxMarkup)])
	var out []string
	for n := 0; n < maxPageTags && len(out) < maxHosts; n++ {
		_, rest, ok := strings.Cut(text, "<")
		if !ok {
			break
		}
		tag, after, ok := strings.Cut(rest, ">")
		if !ok {
			break
		}
		text = after
		name := tag
		if end := strings.IndexAny(tag, " \t\r\n\f/"); end >= 0 {
			name = tag[:end]
		}
		attribute := leading[asciiLower(name)]
		if attribute == "" {
			continue
		}
		for _, h := range hostList(address(html.UnescapeString(attributes(tag)[attribute]))) {
			if !slices.Contains(out, h) {
				out = append(out, h)
			}
		}
	}
	return out
}

// address is the URL in an attribute: all of it, or what follows "url=" in the
// content of a redirection. An address without a scheme takes that of the page.
func address(value string) string {
	value = strings.TrimSpace(value)
	if at := strings.Index(asciiLower(value), "url="); at >= 0 && !strings.Contains(value[:at], "://") {
		value = strings.Trim(value[at+len("url="):], `"' `)
	}
	if strings.HasPrefix(value, "//") {
		value = "https:" + value
	}
	return value
}
