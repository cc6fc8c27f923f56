package detect

import (
	"fmt"
	"slices"
	"strings"

	"meetguard"
)

// hostClue is how strange a host is.
type hostClue struct {
	points  int
	text    string
	pretext bool // its name speaks of meetings and of mending, or has a brand's name in it
	mere    bool // that nobody knows it is all that speaks against it
}

// hostile says whether there is more to say of a host than that nobody knows it.
func (c hostClue) hostile() bool { return c.points > 0 && !c.mere }

// from says how strange a host is.
func (w *scale) from(host string) (int, string) {
	c := w.host(host)
	return c.points, c.text
}

func (w *scale) host(host string) hostClue {
	if host == "" || inHouse(host) {
		return hostClue{}
	}
	c, ok := w.hosts[host]
	if !ok {
		c = w.s.strangeness(host)
		if c.mere && w.s.installedBy(w.l, host) {
			c = hostClue{} // an installed program brings what is its maker's
		}
		w.hosts[host] = c
	}
	return c
}

func (s *subject) strangeness(host string) hostClue {
	if publicAddress(host) {
		return hostClue{points: 30, text: fmt.Sprintf("something comes from a bare address (%s)", clip(host))}
	}
	kind := s.judge.source(meetguard.Fetch{Host: host})
	if kind == sourceInside {
		return hostClue{}
	}
	if s.judge.Host(host).Level != meetguard.Clean {
		return hostClue{points: 40, text: fmt.Sprintf("something comes from a lookalike (%s)", clip(host)), pretext: true}
	}
	pretext := s.namedFor(host)
	if kind == sourceStrange && s.ownNet(host) {
		return hostClue{10, fmt.Sprintf("something comes from a host that is named like one of the house (%s)", clip(host)), false, true}
	}
	switch kind {
	case sourceStrange:
		return hostClue{25, fmt.Sprintf("something comes from a host that nobody knows (%s)", clip(host)), pretext, !pretext}
	case sourceAnybody:
		return hostClue{20, fmt.Sprintf("something comes from where anybody can put a file (%s)", clip(host)), pretext, !pretext}
	}
	return hostClue{}
}

// occasions are words of the hosts of lures: what the victim is told that it is
// about.
var occasions = set(`meet meets meeting meetings call calls callroom join invite invitation interview interviews hiring hire recruit recruiter recruiting talent candidate onboarding assessment
	camera cam webcam mic microphone audio sound voice headset speaker video codec webrtc rtc driver drivers screenshare conference conferencing webinar transcript transcripts transcriber recording recordings
	room rooms lobby captions backgrounds dial dialin softphone
	verify verification captcha fix fixes repair patch troubleshoot diag vc videoconf softcam virtualcam`)

// namedFor: the name of a host speaks of meetings or of mending, or has the name
// of a brand in it. Every firm has a sub-domain for its drivers and one for those
// who join it, so that below the name that somebody registered one such word is
// none.
func (s *subject) namedFor(host string) bool {
	if s.judge.official(host) {
		return false
	}
	labels, words := ownLabels(host), 0
	for i, label := range labels {
		own := i == len(labels)-1
		for _, word := range strings.Split(label, "-") {
			switch said := occasions[word] || s.twoOccasions(word); {
			case len(s.judge.owners[word]) > 0, said && own:
				return true
			case said:
				words++
			}
		}
	}
	return words > 1 || len(labels) > 0 && pretextName(labels[len(labels)-1])
}

// ownLabels are the labels of a host without the public suffix: the last is the
// one that somebody registered.
func ownLabels(host string) []string {
	n := parseHost(host)
	return n.labels[:max(len(n.labels)-n.suffix, 0)]
}

// namesake says whether something is called like the host that it came from, as
// what a maker gives out on its own host is.
func (s *subject) namesake(host, name string) bool {
	if host == "" || s.namedFor(host) {
		return false
	}
	labels, low := ownLabels(host), strings.ToLower(name)
	if len(labels) == 0 {
		return false
	}
	for _, word := range strings.Split(labels[len(labels)-1], "-") {
		if len(word) > 3 && strings.Contains(low, word) {
			return true
		}
	}
	return false
}

// namesakeAbove says whether a program that led to the launch is called like a
// host.
func (s *subject) namesakeAbove(host string) bool {
	for _, a := range s.run.Ancestors {
		if s.namesake(host, baseName(a.Exe)) {
			return true
		}
	}
	return false
}

// oneHouse says whether two hosts are of one owner.
func oneHouse(a, b string) bool {
	if a == b {
		return true
	}
	x, y := parseHost(a), parseHost(b)
	return len(x.labels) > x.suffix && len(y.labels) > y.suffix && slices.Equal(x.labels[len(x.labels)-x.suffix-1:], y.labels[len(y.labels)-y.suffix-1:])
}

// toMaker says whether a host is of those that gave out one of the programs
// above a launch.
func (s *subject) toMaker(host string) bool {
	if host == "" || !s.strangeness(host).mere {
		return false
	}
	for _, a := range append([]meetguard.Process{*s.run.Process}, s.run.Ancestors...) {
		if a.OriginHost != "" && oneHouse(host, a.OriginHost) || installedPlace(a.Exe) && s.namesake(host, a.Exe) {
			return true
		}
	}
	return false
}

// installedBy says whether an installed program, as far as is known a signed one,
// that is called like a host led to a launch.
func (s *subject) installedBy(l *launch, host string) bool {
	if host == "" {
		return false
	}
	for i, a := range l.Ancestors {
		if packagedNow(l.Ancestors[i+1:], host) {
			continue // its package is being installed: it is what is in question
		}
		if installedPlace(a.Exe) && (a.Signature == nil || signedWell(a.Signature) || strings.Contains(slashed(a.Exe), ":/program files")) && s.namesake(host, a.Exe) {
			return true
		}
	}
	return false
}

// packagedNow says whether the script of a package from a host is above a program.
func packagedNow(above []meetguard.Process, host string) bool {
	for _, a := range above {
		if a.OriginHost != "" && oneHouse(a.OriginHost, host) && packageScript(a.Args) {
			return true
		}
	}
	return false
}

// uploadHost is where a launch sends something.
func (l *launch) uploadHost() string {
	for _, st := range append([]meetguard.Step{{Deeds: l.own}}, l.chain...) {
		for _, d := range st.Deeds {
			if d.Kind == meetguard.DeedUpload && d.Host != "" {
				return d.Host
			}
		}
	}
	return ""
}

// nextTo are words that stand next to an occasion in the names of hosts.
var nextTo = set(`test check help support kit hd pro now live setup tool tools update app suite hub client install pair sync link plus`)

// twoOccasions says whether a word is put together of two of them.
func (s *subject) twoOccasions(word string) bool {
	for i := 3; i+2 < len(word) && i < 16; i++ {
		a, b := word[:i], word[i:]
		if (occasions[a] || len(s.judge.owners[a]) > 0) && (occasions[b] || nextTo[b]) || nextTo[a] && occasions[b] {
			return true
		}
	}
	return false
}

// blindClues are what a tool alone stands for where its arguments are unknown.
var blindClues = map[string]clue{
	"curl": {kind: clueSource, points: 10, text: "something is fetched"}, "wget": {kind: clueSource, points: 10, text: "something is fetched"}, "nscurl": {kind: clueSource, points: 10, text: "something is fetched"},
	"certutil": {kind: clueSource, points: 10, text: "something is fetched or decoded"}, "bitsadmin": {kind: clueSource, points: 10, text: "something is fetched"},
	"launchctl": {kind: clueStay, points: 10, text: "a service is handled"}, "crontab": {kind: clueStay, points: 10, text: "the list of cron is handled"}, "schtasks": {kind: clueStay, points: 10, text: "a task is handled"}, "at": {kind: clueStay, points: 10, text: "a job is left"},
	"zip": {kind: cluePack, points: 5, text: "something is packed"}, "ditto": {kind: cluePack, points: 5, text: "something is packed"},
	"dscl": {kind: cluePassword, points: 10, text: "accounts are handled"}, "security": {kind: clueSecret, points: 10, text: "keychains are handled"}, "zenity": {kind: cluePassword, points: 10, text: "a window asks for something"},
	"xattr": {kind: clueGate, points: 10, text: "marks of a file are handled"}, "codesign": {kind: clueGate, points: 10, text: "a signature is handled"},
	"attrib": {kind: clueHide, points: 5, text: "a file is hidden"}, "base64": {kind: clueEncoded, points: 10, text: "something is decoded"}, "openssl": {kind: clueEncoded, points: 5, text: "something is decoded"},
	"mshta": {kind: clueDetour, points: 15, text: "mshta runs"}, "regsvr32": {kind: clueDetour, points: 5, text: "a library is loaded"}, "sqlite3": {kind: clueSecret, points: 5, text: "a store is read"}, "screencapture": {kind: clueOpen, points: 10, text: "the screen is taken"},
	"nc": {kind: clueSend, points: 10, text: "a connection is opened"}, "ncat": {kind: clueSend, points: 10, text: "a connection is opened"}, "socat": {kind: clueSend, points: 10, text: "a connection is opened"}, "certreq": {kind: clueSend, points: 10, text: "something is sent"}, "croc": {kind: clueSend, points: 15, text: "something is sent"}, "wormhole": {kind: clueSend, points: 15, text: "something is sent"},
	"socketfilterfw": {kind: clueGate, points: 10, text: "the firewall is handled"}, "esentutl": {kind: clueSecret, points: 10, text: "a store is copied"},
	"gpg": {kind: cluePack, points: 5, text: "something is packed"}, "cpio": {kind: cluePack, points: 5, text: "something is packed"}, "makecab": {kind: cluePack, points: 5, text: "something is packed"},
	"cmstp": {kind: clueDetour, points: 15, text: "cmstp runs"}, "odbcconf": {kind: clueDetour, points: 15, text: "odbcconf runs"}, "finger": {kind: clueSource, points: 25, text: "something is fetched by finger"}, "ansible-pull": {kind: clueSource, points: 10, text: "something is fetched"},
	"useradd": {kind: clueOpen, points: 10, text: "an account is made"}, "reg": {kind: clueStay, points: 5, text: "the registry is handled"}, "sc": {kind: clueStay, points: 5, text: "a service is handled"}, "systemctl": {kind: clueStay, points: 5, text: "a service is handled"},
	"gpresult": {kind: clueLook, points: 5, text: "it looks around"}, "quser": {kind: clueLook, points: 5, text: "it looks around"}, "nbtstat": {kind: clueLook, points: 5, text: "it looks around"}, "nltest": {kind: clueLook, points: 5, text: "it looks around"},
	"whoami": {kind: clueLook, points: 5, text: "it looks around"}, "systeminfo": {kind: clueLook, points: 5, text: "it looks around"}, "ioreg": {kind: clueLook, points: 5, text: "it looks around"}, "nohup": {kind: clueHide, points: 5, text: "it goes on in the background"},
}

// broughtClues are what tools stand for that are installed where they belong, or
// were brought along to send something away or to open a way in.
var broughtClues = map[string]clue{
	"rclone": {kind: clueSend, points: 25, text: "what copies folders to others was brought along"}, "rar": {kind: cluePack, points: 15, text: "what packs was brought along"},
	"cloudflared": {kind: clueOpen, points: 25, text: "what opens a way in was brought along"}, "ngrok": {kind: clueOpen, points: 25, text: "what opens a way in was brought along"}, "frpc": {kind: clueOpen, points: 25, text: "what opens a way in was brought along"},
	"chisel": {kind: clueOpen, points: 25, text: "what opens a way in was brought along"}, "plink": {kind: clueOpen, points: 25, text: "what opens a way in was brought along"},
}

// blind weighs a tool of which no more is known than that it ran.
func (w *scale) blind(name, file string) {
	if c, ok := broughtClues[name]; ok && coveredPlace(file) {
		w.add(c.kind, c.points, c.text)
	}
	if c, ok := blindClues[name]; ok && !(c.kind == cluePassword && w.packaged()) { // packages make accounts for what they install
		if _, builds := w.l.under(builders); builds && (name == "codesign" || name == "xattr") {
			return
		}
		if name == "mshta" && w.belowSetup() {
			c.points = 10
		}
		w.add(c.kind, c.points, c.text)
	}
}

// belowSetup says whether a program that somebody downloaded led to one that it
// has unpacked to a temporary folder of its own, as setups do, which show their
// pages with mshta.
func (w *scale) belowSetup() bool {
	for i, a := range w.l.Ancestors {
		_, rest, ok := strings.Cut(slashed(a.Exe), "/appdata/local/temp/")
		if !ok || !strings.Contains(rest, "/") || i+1 >= len(w.l.Ancestors) {
			continue
		}
		top := w.l.Ancestors[i+1].Exe
		return strings.Contains(slashed(top), "/downloads/") && !w.s.soundsLike(top) && !w.s.soundsLike(a.Exe) && !pretextName(top) && !pretextName(a.Exe)
	}
	return false
}
