package inspect

import (
	"encoding/binary"
	"path"
	"slices"
	"strings"
)

// Shortcut is what a shortcut or an invitation leads to.
type Shortcut struct {
	Command string   // command line that it runs, "" if it opens an address
	Shell   string   // extension of the language of Command: "bat" or "sh"
	Hosts   []string // hosts that it opens
}

const (
	maxShortcut = 1 << 20 // bytes of one that is looked at
	maxHosts    = 64
)

// ReadShortcut tells where a .lnk, .url, .webloc, .fileloc, .inetloc, .desktop
// or a file of linkKinds leads, and what hosts a calendar file names.
func ReadShortcut(name string, data []byte) Shortcut {
	data = data[:min(len(data), maxShortcut)]
	switch {
	case starts(data, "L\x00\x00\x00"):
		return Shortcut{Command: readShellLink(data).command(), Shell: "bat"}
	case strings.EqualFold(path.Ext(name), ".ics") || starts(data, "BEGIN:VCALENDAR"):
		return Shortcut{Hosts: calendarHosts(textOf(data))}
	case linkKind(name, data) != "":
		return kindShortcut(linkKind(name, data), textOf(data))
	case starts(data, "bplist") || strings.Contains(textOf(data[:min(len(data), 1024)]), "<plist"):
		return Shortcut{Hosts: hostList(plistValue(data, "URL"))}
	}
	return iniShortcut(textOf(data))
}

// iniShortcut reads the keys of .url ([InternetShortcut]) and .desktop files
// (Desktop Entry Specification).
func iniShortcut(text string) Shortcut {
	var s Shortcut
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "url":
			s.Hosts = merged(s.Hosts, hostList(strings.TrimSpace(value)))
		case "iconfile", "workingdirectory": // Windows looks there as soon as the folder is shown
			if strings.HasPrefix(strings.TrimSpace(value), `\\`) {
				s.Hosts = merged(s.Hosts, placeHosts(value))
			}
		case "exec":
			s.Command, s.Shell = strings.TrimSpace(value), "sh"
		}
	}
	return s
}

// hostList is the host of an address, file://host/share included, or nothing.
func hostList(address string) []string {
	h := hostOf(address)
	if rest, ok := cutPrefixFold(address, "file://"); ok && h == "" {
		h, _, _ = strings.Cut(strings.TrimLeft(rest, `/\`), "/")
		h, _, _ = strings.Cut(h, "@") // host@SSL, as WebDAV addresses have it
		h = cleanHost(h)
	}
	if rest, ok := cutPrefixFold(address, "search"); ok && h == "" { // search-ms:…&crumb=location:\\host\share
		if _, place, ok := strings.Cut(asciiLower(rest), "location:"); ok {
			return placeHosts(strings.NewReplacer("%5c", `\`, "/", `\`).Replace(place))
		}
	}
	if h == "" || !strings.Contains(h, ".") {
		return nil
	}
	return []string{h}
}

// unfold joins the continued lines of iCalendar (RFC 5545, 3.1).
func unfold(s string) string {
	return strings.NewReplacer("\r\n ", "", "\r\n\t", "", "\n ", "", "\n\t", "").Replace(s)
}

// CalendarText is what an invitation shows: its lines as they were before they
// were folded and escaped.
func CalendarText(data []byte) string {
	text := unfold(textOf(data[:min(len(data), maxShortcut)]))
	return strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\\`, `\`, "DESCRIPTION:", "\n").Replace(text)
}

// textHosts lists the hosts of the http addresses in running text.
func textHosts(text string) []string {
	var out []string
	for len(out) < maxHosts {
		at := strings.Index(text, "://")
		if at < 0 {
			break
		}
		rest := text[at+3:]
		end := strings.IndexAny(rest, " \t\r\n\"'<>\\;,)")
		if end < 0 {
			end = len(rest)
		}
		for _, h := range hostList("https://" + rest[:min(end, 2048)]) {
			if !slices.Contains(out, h) {
				out = append(out, h)
			}
		}
		text = rest[end:]
	}
	return out
}

// Flags of a shell link and the size of its header: [MS-SHLLINK] 2.1.
const (
	linkHasIDList     = 1 << 0
	linkHasInfo       = 1 << 1
	linkHasName       = 1 << 2
	linkHasRelative   = 1 << 3
	linkHasWorkingDir = 1 << 4
	linkHasArguments  = 1 << 5
	linkHasIcon       = 1 << 6
	linkIsUnicode     = 1 << 7
	linkHeader        = 76
)

// shellLink is what a .lnk says in words.
type shellLink struct {
	target    string // base name of what it opens
	arguments string
	name      string // description
	icon      string // file that its icon is taken from
}

// command is the target and the arguments as one command line.
func (l shellLink) command() string { return strings.TrimSpace(l.target + " " + l.arguments) }

// readShellLink reads a .lnk; of one that is cut off, what can be read.
func readShellLink(data []byte) shellLink {
	v := little(data)
	flags := v.u32(20)
	off := uint64(linkHeader)
	var l shellLink
	if flags&linkHasIDList != 0 {
		off += 2 + uint64(v.u16(off))
	}
	if flags&linkHasInfo != 0 {
		size := uint64(v.u32(off))
		if base := uint64(v.u32(off + 16)); base >= 28 && base < size { // LocalBasePathOffset, 2.3
			l.target = zeroEnded(v.cut(off+base, min(size-base, 1024)))
		}
		off += size
	}
	texts := map[uint32]string{}
	for _, bit := range []uint32{linkHasName, linkHasRelative, linkHasWorkingDir, linkHasArguments, linkHasIcon} {
		if flags&bit != 0 {
			texts[bit], off = linkText(v, off, flags&linkIsUnicode != 0)
		}
	}
	l.name, l.icon, l.arguments = texts[linkHasName], texts[linkHasIcon], texts[linkHasArguments]
	if v.err() != nil && l.arguments == "" {
		return shellLink{name: l.name}
	}
	if l.target == "" {
		l.target = texts[linkHasRelative]
	}
	if l.target == "" {
		l.target = environmentTarget(little(data), off)
	}
	l.target = lastElement(l.target)
	return l
}

// lastElement is the base name of a path of any system. Folders stay out: they
// hold the names of users.
func lastElement(p string) string {
	p = strings.Trim(p, "\" ")
	return p[strings.LastIndexAny(p, `\/`)+1:]
}

// linkText reads one counted string ([MS-SHLLINK] 2.4).
func linkText(v *view, off uint64, wide bool) (string, uint64) {
	n := uint64(v.u16(off))
	off += 2
	if wide {
		return decodeUTF16(v.cut(off, 2*n), binary.LittleEndian), off + 2*n
	}
	return string(v.cut(off, n)), off + n
}

func zeroEnded(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}
