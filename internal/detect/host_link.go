package detect

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/publicsuffix"

	"meetguard"
)

const (
	maxLinks    = 256      // of one text
	maxLinkText = 64 << 10 // bytes of text that are read
	maxNested   = 4        // how often a link is looked for inside a link
)

// link is where one address in a text leads.
type link struct {
	host   string // as parseHost has it on the wire
	user   string // what stands before an @, which leads nowhere
	scheme string // lower case; "" for a bare name
}

// HostsIn lists the hosts that a text leads to, each once, in the order of the
// text and at most 256: those of links with a scheme, of bare names under a
// top-level domain that exists, and of links inside links (url=https%3A//…). It
// reads what analysts write (hxxp://evil[.]example) and takes a host out of a
// link as browsers do: what stands before an @ is none, a backslash is a slash,
// percent escapes and dots of other scripts are resolved.
func HostsIn(text string) []string {
	var out []string
	for _, l := range linksIn(text) {
		if l.host != "" && !slices.Contains(out, l.host) {
			out = append(out, l.host)
		}
	}
	return out
}

// Links judges every link in a text that somebody received, and what has the
// form of a host if the text is nothing else. Besides the host it judges the
// form: a link that shows a brand's host where it does not lead, and one that
// opens an installed program instead of a page. Running text without a link
// gives nothing.
func (j *Judge) Links(text string) []HostVerdict {
	var out []HostVerdict
	for _, l := range linksIn(text) {
		if v := j.link(l); !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		if l := onlyName(text); l.host != "" {
			out = append(out, j.link(l))
		}
	}
	return out
}

// onlyName reads a text that is nothing but a name, of whatever kind.
func onlyName(text string) link {
	text = strings.TrimSpace(refang(text))
	if _, _, ok := cutScheme(text); ok || strings.ContainsFunc(text, unicode.IsSpace) {
		return link{}
	}
	return authority(bareEnd(text))
}

func (j *Judge) link(l link) HostVerdict {
	v := j.Host(l.host)
	program, deep := programLinks[l.scheme]
	switch shown := parseHost(l.user).wire; {
	case deep && l.host == "":
		v.Brand = program.brand
		v.Evidence = fmt.Sprintf("A %s: link opens %s as it is installed here and names no host.", l.scheme, program.name)
	case deep:
		v.Evidence = fmt.Sprintf("A %s: link opens %s as it is installed here, with a host: %s", l.scheme, program.name, v.Evidence)
	case shown != "" && shown != l.host && strings.Contains(shown, "."):
		if b := j.hosts.owner(shown).brand; b != nil && j.hosts.owner(l.host).brand != b {
			v.Brand, v.Level = b.ID, meetguard.Malicious
			v.Evidence = fmt.Sprintf("The link shows %s before an @, which leads nowhere: it goes to %s.", clip(shown), clip(l.host))
		}
	}
	return v
}

// programLinks are the schemes that programs of the brands register: they open
// the program and no page.
var programLinks = map[string]struct{ brand, name string }{
	"zoommtg": {"zoom", "Zoom"}, "zoomus": {"zoom", "Zoom"}, "zoomphonecall": {"zoom", "Zoom"}, "zoomrc": {"zoom", "Zoom"},
	"msteams": {"msteams", "Microsoft Teams"}, "ms-teams": {"msteams", "Microsoft Teams"},
	"webex": {"webex", "Cisco Webex"}, "webexteams": {"webex", "Cisco Webex"}, "ciscospark": {"webex", "Cisco Webex"}, "wbx": {"webex", "Cisco Webex"},
	"slack": {"slack", "Slack"}, "gotomeeting": {"goto", "GoTo Meeting"}, "gotoopener": {"goto", "GoTo Meeting"},
	"rcapp": {"ringcentral", "RingCentral"}, "lark": {"lark", "Lark"}, "feishu": {"lark", "Feishu"}, "skype": {"skype", "Skype"},
	"discord": {"discord", "Discord"}, "tg": {"telegram", "Telegram"}, "wemeet": {"tencentmeeting", "Tencent Meeting"},
	"jitsi-meet": {"jitsi", "Jitsi Meet"}, "whatsapp": {"whatsapp", "WhatsApp"}, "sgnl": {"signal", "Signal"},
}

// linksIn finds the links of a text.
func linksIn(text string) []link {
	var out []link
	fields := strings.FieldsFunc(refang(text[:min(len(text), maxLinkText)]), endsLink)
	for _, field := range fields {
		if out = appendLinks(out, field, maxNested); len(out) >= maxLinks {
			return out[:maxLinks]
		}
	}
	return out
}

// endsLink: what no link in a text holds.
func endsLink(r rune) bool {
	return r <= ' ' || strings.ContainsRune("\"'`<>|^{}\u00a0\u2028\u2029\ufffd", r) || unicode.IsSpace(r)
}

// defanged are the ways in which analysts take the bite out of an address.
var defanged = strings.NewReplacer("[.]", ".", "(.)", ".", "{.}", ".", "[dot]", ".", "(dot)", ".", "{dot}", ".", "[DOT]", ".", "(DOT)", ".",
	"[:]", ":", "[://]", "://", ":[//]", "://", "[/]", "/", "[@]", "@", "[at]", "@", "[.", ".", ".]", ".", `\.`, ".")

func refang(text string) string {
	if !strings.ContainsAny(text, `[({\`) {
		return text
	}
	return defanged.Replace(text)
}

// appendLinks reads one field: a link, a bare name, and the links inside it.
func appendLinks(out []link, field string, depth int) []link {
	scheme, rest, ok := cutScheme(field)
	if !ok {
		if l := bareName(field); l.host != "" {
			out = append(out, l)
		}
		return out
	}
	here, inner := authorityEnd(rest)
	l := link{scheme: scheme}
	if here != "" {
		l = authority(here)
		l.scheme = scheme
	}
	if _, deep := programLinks[scheme]; deep && !strings.Contains(l.host, ".") {
		l.host, l.user = "", "" // tg://resolve, zoommtg://join: a command, no host
		out = append(out, l)
	} else if l.host != "" {
		out = append(out, l)
	}
	if depth == 0 {
		return out
	}
	return appendNested(out, inner, depth)
}

// appendNested finds the links that a link carries in its path or query, as
// redirections and mail filters do.
func appendNested(out []link, s string, depth int) []link {
	for range 2 {
		if strings.Contains(s, "://") || !strings.Contains(s, "%") {
			break
		}
		decoded, err := url.PathUnescape(s)
		if err != nil {
			break
		}
		s = decoded
	}
	at := strings.Index(s, "://")
	if at < 0 {
		return out
	}
	for at > 0 && isSchemeByte(s[at-1]) {
		at--
	}
	if end := strings.IndexFunc(s, endsLink); end > at {
		s = s[:end]
	}
	return appendLinks(out, s[at:], depth-1)
}

func isSchemeByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c) || c == '+' || c == '.' || c == '-' || c == '*'
}

// cutScheme finds the first link in a field and gives its scheme and what
// follows it, from the host on where it has one.
func cutScheme(field string) (scheme, rest string, ok bool) {
	if at := strings.Index(strings.ReplaceAll(field, `\`, "/"), "://"); at >= 0 {
		start := at
		for start > 0 && isSchemeByte(field[start-1]) {
			start--
		}
		return realScheme(field[start:at]), field[at+1:], start < at
	}
	at := strings.IndexByte(field, ':')
	if at <= 0 {
		return "", "", false
	}
	scheme = realScheme(strings.TrimLeft(field[:at], "(["))
	if scheme == "mailto" {
		return scheme, field[at+1:], true
	}
	if _, deep := programLinks[scheme]; deep || scheme == "http" || scheme == "https" {
		return scheme, field[at+1:], true
	}
	return "", "", false
}

// realScheme reads hxxp, h**p and the like as http.
func realScheme(s string) string {
	s = strings.ToLower(s)
	for _, p := range []string{"hxxp", "h**p", "htxp", "hxtp", "hxxx"} {
		if rest, ok := strings.CutPrefix(s, p); ok && (rest == "" || rest == "s") {
			return "http" + rest
		}
	}
	return s
}

// authorityEnd cuts what stands between the slashes after a scheme and the
// path. Browsers take any number of slashes, either way round.
func authorityEnd(s string) (here, path string) {
	s = strings.TrimLeft(s, `/\`)
	if end := strings.IndexAny(s, `/\?#`); end >= 0 {
		return s[:end], s[end:]
	}
	return s, ""
}

// authority reads "user:password@host:port". The last @ counts.
func authority(s string) link {
	var l link
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		l.user, s = s[:at], s[at+1:]
		if decoded, err := url.PathUnescape(l.user); err == nil {
			l.user = decoded
		}
		l.user = strings.TrimFunc(l.user, endsLink)
		l.user, _, _ = strings.Cut(l.user, "/")
	}
	if !strings.HasPrefix(s, "[") {
		if end := strings.IndexAny(s, ",;!*)]"); end >= 0 {
			s = s[:end] // of the sentence around it
		}
		s = strings.TrimRight(s, ".")
	}
	l.host = parseHost(s).wire
	return l
}

func bareEnd(s string) string {
	here, _ := authorityEnd(s)
	return here
}

// bareName reads a field without a scheme: a host under a top-level domain that
// exists, with or without a path.
func bareName(field string) link {
	here := strings.TrimLeft(bareEnd(field), "([*_")
	if !strings.ContainsAny(here, ".。．｡") {
		return link{}
	}
	l := authority(here)
	if _, err := netip.ParseAddr(l.host); err == nil {
		return l
	}
	if suffix, icann := publicsuffix.PublicSuffix(l.host); !strings.Contains(l.host, ".") || !icann && !strings.Contains(suffix, ".") && !reserved[suffix] {
		return link{}
	}
	return l
}

// reserved are the top-level domains for examples and tests (RFC 2606).
var reserved = set(`invalid example test`)
