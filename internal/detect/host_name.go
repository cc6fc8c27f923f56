package detect

import (
	"net/netip"
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
	"golang.org/x/text/unicode/norm"
)

// maxHost is the length of the longest name that DNS carries, in bytes
// (RFC 1035, 2.3.4).
const maxHost = 253

// maxWritten is the length of the longest way to write such a name, in bytes:
// each of them as three letters beyond ASCII in percent escapes.
const maxWritten = 9 * maxHost

// disguise is how the letters of a host differ from those it is read as.
type disguise int

const (
	undisguised disguise = iota
	accents              // Latin letters with marks: zoöm
	scripts              // letters of other scripts that look Latin: zооm
)

// hostName is a host taken apart.
type hostName struct {
	wire    string   // lower case, ASCII, no last dot; "" if it can be no host
	labels  []string // as a reader sees them
	read    string   // labels joined
	suffix  int      // how many labels the public suffix has
	icann   int      // how many of them a registry runs, and no company
	address bool     // an IP address in any notation that browsers take
	how     disguise
}

// browser maps host names as browsers do (UTS 46, non-transitional), but lets
// pass what a resolver has to refuse.
var browser = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false), idna.CheckJoiners(false))

func parseHost(s string) hostName {
	n := hostName{wire: wireName(s)}
	if n.wire == "" {
		return n
	}
	if n.address = isAddress(n.wire); n.address {
		return n
	}
	n.read = n.wire
	if strings.Contains(n.wire, "xn--") {
		n.unmask()
	}
	n.labels = strings.Split(n.read, ".")
	suffix, icann := publicsuffix.PublicSuffix(n.wire)
	n.suffix = strings.Count(suffix, ".") + 1
	if n.icann = n.suffix; !icann && n.suffix > 1 {
		n.icann = 1
	}
	return n
}

// unmask reads each label in Punycode as a reader does.
func (n *hostName) unmask() {
	labels := strings.Split(n.wire, ".")
	for i, label := range labels {
		shown, err := browser.ToUnicode(label)
		if err != nil || !strings.HasPrefix(label, "xn--") {
			continue
		}
		read := strings.Map(markless, strings.ToLower(readAs(shown)))
		labels[i] = read
		switch {
		case !isASCII(read): // read as what it is
		case isASCII(plain(shown)):
			n.how = max(n.how, accents)
		default:
			n.how = scripts
		}
	}
	n.read = strings.Join(labels, ".")
}

// markless turns what is no letter and no digit into a hyphen: a dot or a slash
// that only a reader sees ends no label.
func markless(r rune) rune {
	if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' {
		return r
	}
	return '-'
}

// wireName is the host that a browser would ask for, or "".
func wireName(s string) string {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	if len(s) > maxWritten {
		return ""
	}
	if inner, _, ok := strings.Cut(strings.TrimPrefix(s, "["), "]"); ok && s[0] == '[' {
		return addressName(inner)
	}
	if strings.Count(s, ":") > 1 {
		return addressName(s)
	}
	s, _, _ = strings.Cut(s, ":")
	if strings.Contains(s, "%") {
		decoded, err := url.PathUnescape(s)
		if err != nil {
			return ""
		}
		s = decoded
	}
	s = strings.ToLower(s)
	if !isASCII(s) || strings.Contains(s, "xn--") {
		s = mapped(s)
	}
	s = strings.TrimSuffix(s, ".")
	if len(s) > maxHost || !isWire(s) {
		return ""
	}
	return s
}

// mapped is a name with letters beyond ASCII as it goes over the wire, or "".
// A label in Punycode that does not decode is left as it is: it is a name all
// the same.
func mapped(s string) string {
	out, err := browser.ToASCII(s)
	if err == nil {
		return out
	}
	labels := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(".。．｡", r) })
	for i, label := range labels {
		if isASCII(label) {
			continue
		}
		ascii, err := browser.ToASCII(label)
		if err != nil {
			return ""
		}
		labels[i] = ascii
	}
	return strings.Join(labels, ".")
}

func addressName(s string) string {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return ""
	}
	return a.WithZone("").String()
}

// isWire says whether a name holds nothing but what hosts on the wire do.
func isWire(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
		case c == '.' && i > 0 && s[i-1] != '.':
		default:
			return false
		}
	}
	return s != "" && s[len(s)-1] != '.'
}

// isAddress holds for an IP address, also in the forms that browsers take for
// one: 0x7f.1, 3232235777. A name whose last label is a number is never asked
// of DNS (WHATWG URL, "ends in a number").
func isAddress(s string) bool {
	if strings.Contains(s, ":") {
		return true
	}
	last := s[strings.LastIndexByte(s, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return isNumber(last)
}

// registrable is the label that somebody had to choose, left of the public
// suffix; "" if the name is a suffix itself.
func (n hostName) registrable() string {
	if i := len(n.labels) - n.suffix - 1; i >= 0 {
		return n.labels[i]
	}
	return ""
}

// above is what stands left of the registrable label.
func (n hostName) above() []string { return n.labels[:max(0, len(n.labels)-n.suffix-1)] }

func (n hostName) top() string { return n.labels[len(n.labels)-1] }

// privateSuffix is the suffix that a company runs for its customers, or "".
func (n hostName) privateSuffix() string {
	if n.icann == n.suffix {
		return ""
	}
	return strings.Join(n.labels[len(n.labels)-n.suffix:], ".")
}

// isSold: us.com, cn.com, it.com: suffixes that a company sells to look like
// those of a country.
func (n hostName) isSold() bool {
	first, last, _ := strings.Cut(n.privateSuffix(), ".")
	return soldFirst[first] && len(last) <= 3
}

var soldFirst = set(roleWords[regionWord] + " co com in jpn mex")

// closedTop are top-level domains that are not sold to everybody, or that no
// registry has: names in them are given by somebody who knows the holder.
var closedTop = set(`edu gov mil int arpa local localdomain lan internal intranet corp home private localhost onion`)

// closedSecond are labels of public suffixes with the same rule: ac.uk, gov.au.
var closedSecond = set(`ac edu gov gob gouv govt mil k12 sch`)

// isClosed says whether the suffix of a name is out of reach for somebody who
// makes lookalikes.
func (n hostName) isClosed() bool {
	return closedTop[n.top()] || n.icann > 1 && closedSecond[n.labels[len(n.labels)-n.icann]]
}

// carriers hold other names in front of their own for honest reasons: sessions
// through a proxy, translations, delivery networks, the libraries' proxy.
var carriers = set(`mcas.ms mcas-gov.us mcas-gov.ms translate.goog ampproject.org edgekey.net edgesuite.net akamaiedge.net akadns.net cloudflare.net oclc.org`)

func (n hostName) isCarrier() bool {
	return carriers[strings.Join(n.labels[len(n.labels)-2:], ".")]
}

// plain drops the marks of letters and nothing else.
func plain(s string) string {
	var out strings.Builder
	for _, r := range norm.NFKD.String(s) {
		if !unicode.Is(unicode.Mn, r) {
			out.WriteRune(r)
		}
	}
	return out.String()
}
