package inspect

import (
	"html"
	"slices"
	"strings"
)

// linkKinds are further files that lead somewhere when they are opened, by
// extension, each with a text that its content has to hold: names alone do not
// tell.
var linkKinds = []struct{ extension, content string }{
	{".library-ms", "librarydescription"},             // a folder of folders, also of other machines
	{".searchconnector-ms", "searchconnector"},        // a search on another machine
	{".search-ms", "persistedquery"},                  // a saved search
	{".settingcontent-ms", "deeplink"},                // a command that looks like a page of the settings
	{".scf", "[shell]"},                               // a command of Windows Explorer; its icon may lie on a share
	{".appref-ms", "://"},                             // the address of a ClickOnce program
	{".application", "urn:schemas-microsoft-com:asm"}, // a ClickOnce program
	{".jnlp", "<jnlp"},                                // a Java Web Start program
	{".rdp", "full address"},                          // a remote desktop, which may ask for folders and the clipboard
}

// linkKind is the extension of a file that leads somewhere by its kind, "" for
// every other file.
func linkKind(name string, data []byte) string {
	for _, k := range linkKinds {
		if hasSuffixFold(name, k.extension) {
			if strings.Contains(asciiLower(textOf(data[:min(len(data), textHead)])), k.content) {
				return k.extension
			}
			return ""
		}
	}
	return ""
}

// kindShortcut tells where a file of one of those kinds leads.
func kindShortcut(kind, text string) Shortcut {
	switch kind {
	case ".settingcontent-ms":
		return Shortcut{Command: oneLine(html.UnescapeString(between(text, "<deeplink>", "</deeplink>"))), Shell: "bat"}
	case ".appref-ms":
		target, _, _ := strings.Cut(text, "#")
		return Shortcut{Hosts: hostList(strings.TrimSpace(target))}
	case ".rdp":
		return rdpShortcut(text)
	case ".application":
		return Shortcut{Hosts: markedHosts(text, `codebase="`, `"`)}
	case ".jnlp":
		return Shortcut{Hosts: merged(markedHosts(text, `codebase="`, `"`), markedHosts(text, `href="`, `"`))}
	case ".scf":
		return iniShortcut(text)
	}
	return Shortcut{Hosts: merged(markedHosts(text, "<url>", "</url>"), markedHosts(text, `path="`, `"`))}
}

// rdpShortcut reads the lines "name:type:value" of a remote desktop file.
func rdpShortcut(text string) Shortcut {
	var s Shortcut
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		_, value, _ := strings.Cut(rest, ":")
		switch asciiLower(name) {
		case "full address", "alternate full address", "gatewayhostname":
			s.Hosts = merged(s.Hosts, hostList("https://"+value))
		}
	}
	return s
}

// between is the text between two marks, which are in lower case.
func between(text, open, end string) string {
	low := asciiLower(text)
	from := strings.Index(low, open)
	if from < 0 {
		return ""
	}
	from += len(open)
	n := strings.Index(low[from:], end)
	if n < 0 {
		return ""
	}
	return text[from : from+n]
}

// markedHosts lists the hosts of the addresses that stand between two marks.
func markedHosts(text, open, end string) []string {
	var out []string
	low := asciiLower(text)
	for len(out) < maxHosts {
		from := strings.Index(low, open)
		if from < 0 {
			break
		}
		from += len(open)
		text, low = text[from:], low[from:]
		n := strings.Index(low, end)
		if n < 0 {
			break
		}
		out = merged(out, placeHosts(html.UnescapeString(text[:n])))
	}
	return out
}

// placeHosts is the host of an address or of a share.
func placeHosts(place string) []string {
	place = strings.TrimSpace(place)
	if strings.HasPrefix(place, `\\`) {
		place = "file:" + strings.ReplaceAll(place, `\`, "/")
	}
	return hostList(place)
}

// merged adds hosts that are not there yet, up to the limit.
func merged(hosts, more []string) []string {
	for _, h := range more {
		if len(hosts) < maxHosts && !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

// calendarHosts lists the hosts that an invitation names: of all addresses in
// it, and of its place and its link also without "https://".
func calendarHosts(text string) []string {
	text = unescapeCalendar(unfold(text))
	out := textHosts(text)
	for line := range strings.Lines(text) {
		property, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		name, _, _ := strings.Cut(property, ";")
		if ok && (strings.EqualFold(name, "location") || strings.EqualFold(name, "url") || strings.EqualFold(name, "x-google-conference")) {
			out = merged(out, bareHosts(value))
		}
	}
	return out
}

// bareHosts is the host of an address that has a path and no scheme.
func bareHosts(value string) []string {
	for word := range strings.FieldsSeq(value) {
		host, _, ok := strings.Cut(word, "/")
		if !ok || strings.Contains(word, "://") || strings.Count(host, ".") == 0 || strings.ContainsAny(host, "@:,()") {
			continue
		}
		if last := host[strings.LastIndexByte(host, '.')+1:]; len(last) >= 2 && strings.Trim(asciiLower(last), "abcdefghijklmnopqrstuvwxyz") == "" {
			return hostList("https://" + host)
		}
	}
	return nil
}

// Blocks behind the texts of a shell link: [MS-SHLLINK] 2.5.
const (
	environmentBlock = 0xa0000001 // the target with variables in it
	blockTextAt      = 268        // of the target in UTF-16, behind 260 bytes of ANSI
	blockTextSize    = 520
	maxBlocks        = 32
)

// environmentTarget reads the target that a shell link names by variables: it
// counts where the link has no other.
func environmentTarget(v *view, off uint64) string {
	for range maxBlocks {
		size, signature := uint64(v.u32(off)), v.u32(off+4)
		if v.err() != nil || size < 8 {
			return ""
		}
		if signature == environmentBlock && size >= blockTextAt+blockTextSize {
			return zeroEnded([]byte(decodeUTF16(v.cut(off+blockTextAt, blockTextSize), v.order)))
		}
		off += size
	}
	return ""
}
