package detect

import (
	"fmt"
	"net/netip"
	"strings"

	"meetguard"
)

// source is what a host is to those who install software.
type source int

const (
	sourceUnsaid  source = iota // no list of sources is there, or no host is named
	sourceStrange               // a name or address that nobody knows as a distributor
	sourceAnybody               // strangers put files there
	sourceForge                 // a stranger who published code under a name
	sourceKnown                 // a distributor, or a brand
	sourceInside                // the house itself, or a name that can be nobody's
)

// sourceBook is the list of sources by host, or host and owner.
type sourceBook map[string]source

// Know tells the judge where ordinary software comes from. Without it no rule
// calls a source strange.
func (j *Judge) Know(d meetguard.Distributors) {
	j.sources = sourceBook{}
	for kind, groups := range map[source][]meetguard.HostGroup{sourceKnown: d.Known, sourceForge: d.Forges, sourceAnybody: d.Anybody} {
		for _, g := range groups {
			for _, host := range g.Hosts {
				j.sources[host] = kind
			}
		}
	}
}

// source says what the host of a fetch is.
func (j *Judge) source(f meetguard.Fetch) source {
	n := parseHost(f.Host)
	switch {
	case len(j.sources) == 0 || n.wire == "":
		return sourceUnsaid
	case ownHouse(n.wire):
		return sourceInside
	case j.hosts.owner(n.wire).brand != nil && j.sources.of(n.wire, f.Owner) != sourceAnybody:
		return sourceKnown
	}
	return j.sources.of(n.wire, f.Owner)
}

// of looks for the longest entry that fits.
func (b sourceBook) of(host, owner string) source {
	for {
		if owner != "" {
			if kind, ok := b[host+"/"+owner]; ok {
				return kind
			}
		}
		if kind, ok := b[host]; ok {
			return kind
		}
		_, rest, ok := strings.Cut(host, ".")
		if !ok {
			return sourceStrange
		}
		host = rest
	}
}

// Names that no stranger can have: special use (RFC 6761, RFC 6762, RFC 8375),
// those of ICANN's list of names that collide with private ones, and the
// examples of RFC 2606, which belong to nobody. ".invalid" is not among them: who
// writes it stands for a stranger.
var insideTops = set(`local localhost localdomain lan corp internal intranet home private arpa example test`)

var documentation = []string{"example.com", "example.org", "example.net"}

// ownHouse holds for machines of the house.
func ownHouse(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return ownAddress(a)
	}
	for _, d := range documentation {
		if host == d || strings.HasSuffix(host, "."+d) {
			return true
		}
	}
	return insideTops[host[strings.LastIndexByte(host, '.')+1:]] || !strings.Contains(host, ".")
}

// overlay are addresses that networks laid over others give to the machines of
// one owner, and providers to lines behind them: nobody reaches them from the
// Internet. https://www.rfc-editor.org/rfc/rfc6598
var overlay = netip.MustParsePrefix("100.64.0.0/10")

// ownAddress says whether an address is none of the Internet.
func ownAddress(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsUnspecified() || a.IsLinkLocalUnicast() || overlay.Contains(a)
}

// strange says whether nobody of standing answers for what a fetch brings.
func (s source) strange() bool { return s == sourceStrange || s == sourceAnybody }

// sourceWord is how evidence speaks of a source.
func sourceWord(k source, f meetguard.Fetch) string {
	if k == sourceAnybody {
		return fmt.Sprintf("%s, where anybody can put a file", clip(f.Host))
	}
	return fmt.Sprintf("%s, which nobody knows as a source of software", clip(f.Host))
}
