package detect

import (
	"fmt"
	"strings"

	"meetguard"
)

// HostVerdict is the judgement over one host name.
type HostVerdict struct {
	Host     string          `json:"host"`  // in lower case, as it goes over the wire: letters that are not ASCII in Punycode
	Brand    string          `json:"brand"` // whose it is, or whom it imitates; "" if neither
	Level    meetguard.Level `json:"level"`
	Evidence string          `json:"evidence"` // one sentence; of an imitation it names the real host
}

// Host judges whether a host is a brand's own, imitates one, or has nothing to
// do with any. It looks at the name alone, which may have a port, the brackets
// of an IPv6 address, percent escapes and letters of any script. The judgement
// over Host of a verdict is the same verdict.
func (j *Judge) Host(host string) HostVerdict {
	n := parseHost(host)
	v := HostVerdict{Host: n.wire, Level: meetguard.Clean}
	switch {
	case n.wire == "":
		v.Evidence = "It is no name of a host."
		return v
	case n.address:
		v.Evidence = fmt.Sprintf("%s is an address and claims no meeting brand.", clip(n.wire))
		return v
	}
	if b := j.hosts.owner(n.wire).brand; b != nil {
		v.Brand, v.Evidence = b.ID, fmt.Sprintf("%s belongs to %s.", clip(n.wire), b.Name)
		return v
	}
	if f := j.imitates(n); f.brand != nil {
		v.Brand, v.Level = f.brand.ID, f.level
		v.Evidence = fmt.Sprintf("%s does not belong to %s: %s. The real host is %s.", clip(n.wire), f.brand.Name, f.why, f.brand.Hosts[0])
		return v
	}
	v.Evidence = fmt.Sprintf("%s claims no meeting brand.", clip(n.wire))
	return v
}

// official says whether a host is a brand's own.
func (j *Judge) official(host string) bool { return j.hosts.owner(parseHost(host).wire).brand != nil }

// imitation is the brand that a host is made to be read as, and why; the zero
// value if there is none.
type imitation struct {
	brand *brand
	why   string
	level meetguard.Level
}

// imitates asks one question after another, those without an innocent answer
// first.
func (j *Judge) imitates(n hostName) imitation {
	if len(n.labels) < 2 || n.isClosed() || n.isCarrier() {
		return imitation{}
	}
	if f := j.hosts.homograph(n); f.brand != nil {
		return f
	}
	if f := j.hosts.borrowed(n); f.brand != nil {
		return f
	}
	if f := j.hosts.glued(n); f.brand != nil {
		return f
	}
	if rest, ok := unreserved(n.wire); ok {
		return j.imitates(parseHost(rest))
	}
	return imitation{}
}

// unreserved gives the name that somebody put a reserved top level behind, so
// that nobody can reach it by mistake (RFC 2606): reports do it, and specimens.
func unreserved(host string) (string, bool) {
	for _, top := range []string{".invalid", ".test", ".example"} {
		if rest, ok := strings.CutSuffix(host, top); ok && strings.Contains(rest, ".") {
			return rest, true
		}
	}
	return "", false
}

// hostBook is what the catalogue says of the names of hosts.
type hostBook struct {
	own       map[string]*brand   // official hosts
	ownTwins  map[string]ownHost  // the same by skeleton
	heads     map[string]ownHost  // what a forged name begins with, by skeleton
	stems     map[string]*stem    // words that stand for a brand
	twinStems map[string]*stem    // the same by skeleton
	coined    []*stem             // stems that are long and invented enough to be known when misspelled
	vocabular map[string]wordKind // stems and what lookalikes are glued from besides
	excluded  map[string]bool     // names that hold a stem and are something else
	servers   *brand              // the brand whose hosts are numbered: zoom
}

// ownHost is an official host, and whose it is.
type ownHost struct {
	brand *brand
	host  string
}

func newHostBook(brands []*brand) hostBook {
	h := hostBook{own: map[string]*brand{}, ownTwins: map[string]ownHost{}, heads: map[string]ownHost{}, stems: map[string]*stem{},
		twinStems: map[string]*stem{}, vocabular: map[string]wordKind{}, excluded: map[string]bool{}}
	for kind, list := range roleWords {
		for _, w := range strings.Fields(list) {
			h.vocabular[w] = kind
		}
	}
	for _, b := range brands {
		for _, host := range b.Hosts {
			h.addHost(b, host)
		}
		for name := range b.exclusions {
			h.excluded[name] = true
		}
		for _, text := range b.LookalikeStems {
			h.addStem(b, strings.ToLower(text))
		}
	}
	return h
}

func (h *hostBook) addHost(b *brand, host string) {
	own := ownHost{b, host}
	keep(h.own, host, b)
	if name, _, _ := strings.Cut(host, "."); len(name) < 4 {
		return // too short to be told from chance: t.me, wa.me, jit.si
	}
	keep(h.ownTwins, skeleton(host), own)
	for _, head := range headsOf(host) {
		keep(h.heads, skeleton(head), own)
	}
}

// keep leaves what comes first in the catalogue.
func keep[V any](m map[string]V, key string, v V) {
	if _, ok := m[key]; !ok {
		m[key] = v
	}
}

// owner is the official host that a host in lower case is or lies under, and
// whose it is; the zero value if there is none.
func (h *hostBook) owner(host string) ownHost {
	for {
		if b := h.own[host]; b != nil {
			return ownHost{b, host}
		}
		_, rest, ok := strings.Cut(host, ".")
		if !ok {
			return ownHost{}
		}
		host = rest
	}
}

func clip(s string) string {
	if len(s) > 120 {
		s = s[:120] + "…"
	}
	return printable(s)
}
