package detect

import (
	"net/netip"
	"strings"

	"meetguard"
)

// Machines of the own house: what a firm's people bring from there, they bring
// because the firm told them to.

// insideTrusted is a script without the complaint that a server of the own
// network has no proper certificate.
func (s *subject) insideTrusted() *meetguard.Script {
	out := *s.Script
	out.Fetches = append([]meetguard.Fetch(nil), s.Script.Fetches...)
	for i := range out.Fetches {
		if s.ownNet(out.Fetches[i].Host) {
			out.Fetches[i].Insecure = false
		}
	}
	return &out
}

// inHouse says whether a host can only be of the own network.
func inHouse(host string) bool {
	if host == "" {
		return false
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return !a.IsUnspecified() && ownAddress(a)
	}
	return ownHouse(host)
}

// houseWords are words with which firms name what is theirs alone.
var houseWords = set(`corp lan intranet intern internal intra firma`)

// houseServers are the first labels of servers that firms have for themselves.
var houseServers = set(`wiki confluence jira gitlab nexus artifactory foreman satellite puppet pki wpad sharepoint`)

// houseName says whether a host is named as one of a firm's own: its server may
// have a certificate that only the firm knows.
func houseName(host string) bool {
	labels := ownLabels(host)
	if len(labels) > 1 && houseServers[labels[0]] {
		return true
	}
	for i, label := range labels {
		for _, word := range strings.Split(label, "-") {
			if houseWords[word] && (i > 0 || len(labels) > 1) {
				return true
			}
		}
	}
	return false
}

// ownNet says whether a host is of the own network, by what nobody else can have
// or by its name, as long as that is not put on for an occasion: a stranger may
// have such a name, so that it takes away what speaks of a host, and no more.
func (s *subject) ownNet(host string) bool {
	return inHouse(host) || host != "" && houseName(host) && s.judge.Host(host).Level == meetguard.Clean && !s.namedFor(host)
}

// fromOwnNet says whether all that a command line brings to run comes from the
// own network, in plain sight.
func (s *subject) fromOwnNet() bool {
	if len(s.code.run) == 0 || s.code.rawIP != "" || s.secretive() {
		return false
	}
	if _, troubles := s.code.trouble(); troubles > 0 {
		return false
	}
	for _, f := range s.Script.Fetches {
		if !s.ownNet(f.Host) || f.Hidden {
			return false
		}
	}
	return true
}

// secretive says whether the launch keeps out of sight, or its words.
func (s *subject) secretive() bool {
	l := s.run
	return l.does(meetguard.DeedHide) || l.ownWhat(meetguard.DeedEncoded, "powershell") || l.ownWhat(meetguard.DeedEncoded, "split")
}

// asksForServer says whether a script asks for the password of a server that is
// nobody's whom lures speak of, is no download, as far as is known, and does
// nothing else that speaks against it.
func (s *subject) asksForServer() bool {
	l := s.run
	for _, d := range l.own {
		switch d.Kind {
		case meetguard.DeedRun:
		case meetguard.DeedPrompt:
			if d.Host == "" || s.judge.official(d.Host) || toolHost(d.Host) || s.judge.Host(d.Host).Level != meetguard.Clean || s.namedFor(d.Host) {
				return false
			}
		default:
			return false
		}
	}
	for _, a := range append([]meetguard.Process{*l.Process}, l.Ancestors...) {
		if a.OriginHost != "" || landingPlace(a.Exe) && !sharedApp(a.Exe) {
			return false
		}
	}
	for _, st := range l.chain {
		for _, d := range st.Deeds {
			switch d.Kind {
			case meetguard.DeedCheck, meetguard.DeedUpload, meetguard.DeedFetchRun, meetguard.DeedSecret, meetguard.DeedPersist, meetguard.DeedDequarantine, meetguard.DeedResign:
				return false
			}
		}
	}
	return l.does(meetguard.DeedPrompt)
}

// asksForMaker says whether a window names whose password it wants, it is that of
// whoever gave out the script, of whom there is nothing to say, and the script does
// no more: schools give out such for their networks.
func (s *subject) asksForMaker() bool {
	l := s.run
	if !l.merelyPrompts() {
		return false
	}
	text := strings.ToLower(strings.Join(l.words(), " "))
	for _, a := range l.Ancestors {
		if h := a.OriginHost; h != "" && !s.strangeness(h).hostile() && s.namesake(h, text) {
			return true
		}
	}
	return false
}

// sharedApp says whether an app lies, in plain sight, in the folder that all users
// of a Mac have together.
func sharedApp(exe string) bool {
	low := slashed(exe)
	return strings.HasPrefix(low, "/users/shared/") && strings.Contains(low, ".app/contents/macos/") && !strings.Contains(low, "/.")
}
