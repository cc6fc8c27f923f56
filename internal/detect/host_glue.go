package detect

import (
	"strings"

	"meetguard"
)

const (
	joins     = "it joins the name with words and numbers that its real hosts do not use"
	numbers   = "it imitates the numbered servers behind the name"
	underSale = "it is the name alone under a suffix where names of others are bought cheaply"
	atHosting = "it is the name at a service where anybody may take one"
)

// glued finds names that are put together from a brand's word and others. The
// label that somebody had to choose must hold known words only: a word of its
// own makes it another name that holds the word (zoomcar, teamwork). It is read
// as it stands, with digits for letters (z00m), and with rn for m.
func (h *hostBook) glued(n hostName) imitation {
	label := n.registrable()
	if f := h.gluedAs(n, label); f.brand != nil {
		return f
	}
	if strings.ContainsAny(label, "013457") {
		rs := []rune(label)
		undigit(rs)
		if read := string(rs); read != label {
			if f := h.gluedAs(n, read); f.brand != nil {
				return f
			}
		}
	}
	if read := strings.ReplaceAll(strings.ReplaceAll(label, "rn", "m"), "vv", "w"); read != label {
		return h.gluedAs(n, read)
	}
	return imitation{}
}

func (h *hostBook) gluedAs(n hostName, label string) imitation {
	t := h.count(label)
	if t.stem == nil {
		return h.unnamed(n, t)
	}
	t.altered = t.altered || label != n.registrable()
	why := t.reason(n)
	if why == "" {
		why = h.bare(n, t)
	}
	if why == "" {
		return imitation{}
	}
	return imitation{t.stem.brand, why, t.level(n)}
}

// tally counts the words of a label.
type tally struct {
	stem    *stem
	apart   bool   // the stem stands between hyphens
	first   bool   // the stem stands first
	off     string // how it is misspelled
	plainly bool   // so that it can be no other word
	altered bool   // it was found only with digits or rn read as letters
	after   bool   // a word of meetings stands behind it
	invited bool   // join or get stands before it

	n      [numberWord + 1]int // words of each kind
	apartN [numberWord + 1]int // those that stand between hyphens
	served bool                // a number as servers have it: us02, 02, 07web
	zero   bool                // one that begins with a zero
	web    bool
	words  int
}

func (h *hostBook) count(label string) tally {
	ws := h.wordsOf(label)
	t := tally{words: len(ws)}
	for i, w := range ws {
		if w.kind == stemWord && (t.stem == nil || w.stem.phrase && !t.stem.phrase) {
			t.stem, t.apart, t.off, t.plainly = w.stem, w.apart(), w.off, w.plainly
			t.first = i == 0
			t.web = t.web || strings.HasPrefix(w.text, "web")
			continue
		}
		t.n[w.kind]++
		if w.apart() {
			t.apartN[w.kind]++
		}
		t.web = t.web || w.text == "web"
		t.after = t.after || t.stem != nil && w.kind == meetingWord
		t.invited = t.invited || t.stem == nil && (w.text == "join" || w.text == "get")
		t.zero = t.zero || w.kind == numberWord && w.text[0] == '0' && len(w.text) == 2
		t.served = t.served || w.kind == numberWord && isServer(ws, i)
	}
	return t
}

// isServer: 02, 071; us12; 12web. Numbers of other kinds stand in honest names:
// zoom24, studio54.
func isServer(ws []word, i int) bool {
	text := ws[i].text
	if len(text) < 2 || len(text) > 3 {
		return false
	}
	return text[0] == '0' || i > 0 && ws[i-1].kind == regionWord || i+1 < len(ws) && strings.HasPrefix(ws[i+1].text, "web")
}

// reason says why the words beside a stem make it a claim, or "".
func (t tally) reason(n hostName) string {
	strong := t.n[installWord] + t.n[meetingWord]
	if t.stem.phrase {
		strong++
	}
	if t.n[unknownWord] > 1 || t.n[unknownWord] == 1 && !(t.apart && t.n[installWord] > 0 && strong > 1) {
		return ""
	}
	switch {
	case t.served && t.stem.need != needInstall:
		return numbers
	case t.off != "" && (t.plainly || strong+t.apartN[placeWord] > 0 || n.top() == homeTop(t.stem.brand)):
		return "it " + t.off
	case t.altered && t.stem.need < needMeeting:
		return "it is spelled to be read as " + t.stem.text
	case n.how == scripts && t.stem.need < needInstall:
		return "it is spelled with letters that only look like " + t.stem.text
	case t.stem.phrase, t.enough(n, strong):
		return joins
	}
	return ""
}

// enough says whether what stands beside the stem is as much as it needs.
func (t tally) enough(n hostName, strong int) bool {
	place := t.apartN[placeWord]
	if n.isSold() {
		place++
	}
	if n.top() == homeTop(t.stem.brand) && (t.apart || t.first) {
		place += t.n[placeWord] + t.n[deviceWord] + t.n[regionWord]
	}
	switch t.stem.need {
	case needAny:
		return strong+place+t.n[placeWord]+t.n[deviceWord]+t.n[regionWord]+t.n[numberWord]+t.apartN[fillWord] > 0
	case needRole:
		return strong+place > 0
	case needRegion:
		return strong+place+t.apartN[regionWord] > 0
	case needMeeting:
		return t.n[installWord] > 0 || t.after || t.invited // "meet the teams" speaks of people
	}
	return t.n[installWord] > 0
}

// homeTop is the country that a brand's host is known by: us of zoom.us.
func homeTop(b *brand) string {
	host := b.Hosts[0]
	if top := host[strings.LastIndexByte(host, '.')+1:]; len(top) == 2 {
		return top
	}
	return ""
}

// level: letters of other scripts, and the brand's numbered web servers with
// their dots left out, have no innocent reading.
func (t tally) level(n hostName) meetguard.Level {
	if n.how == scripts || t.served && t.web && t.stem.brand.ID == serverBrand {
		return meetguard.Malicious
	}
	return meetguard.Suspicious
}

// bare judges a stem with nothing beside it by where it stands.
func (h *hostBook) bare(n hostName, t tally) string {
	if t.words != 1 || t.stem.need > needRegion {
		return ""
	}
	coined := t.stem.need == needAny
	switch suffix := n.privateSuffix(); {
	case suffix != "" && !n.isSold():
		if (coined || t.stem.need == needRegion) && !forges[suffix] {
			return atHosting
		}
	case coined && cheapTops[n.top()], servingTops[n.top()]:
		return underSale
	}
	for _, label := range n.above() {
		above := h.count(label)
		if above.served {
			return numbers
		}
		if above.n[unknownWord] == 0 && above.n[meetingWord]+above.n[installWord] > 0 && cheapTops[n.top()] {
			return joins
		}
	}
	return ""
}

// unnamed judges a name whose registrable label holds no stem: Zoom's numbered
// servers without the name (us05cloud.live), and names made of role words alone
// with the brand in front (webex.join-meeting.example).
func (h *hostBook) unnamed(n hostName, t tally) imitation {
	above := n.above()
	for i, label := range above {
		if label == serverBrand && i > 0 && h.isWebServer(above[i-1]) {
			return imitation{h.servers, numbers, meetguard.Suspicious}
		}
	}
	strong := t.n[installWord] + t.n[meetingWord]
	if t.n[unknownWord] > 0 || t.words == 0 {
		return imitation{}
	}
	if h.servers != nil && t.looksServed(n) {
		return imitation{h.servers, numbers, meetguard.Suspicious}
	}
	if strong == 0 || t.words < 2 && !cheapTops[n.top()] && !n.isSold() {
		return imitation{}
	}
	for _, label := range above {
		if s := h.count(label); s.stem != nil && s.n[unknownWord] == 0 && s.stem.need != needInstall && (s.stem.need != needMeeting || t.n[meetingWord] > 0) {
			return imitation{s.stem.brand, joins, meetguard.Suspicious}
		}
	}
	return imitation{}
}

// looksServed: us05cloud, 02live under us.com: a region, a number that begins
// with a zero and a part of the service, and nothing else.
func (t tally) looksServed(n hostName) bool {
	return t.zero && (t.n[regionWord] == 1 || n.isSold()) && t.n[placeWord] == 1 && t.words == 2+t.n[regionWord]
}

func (h *hostBook) isWebServer(label string) bool {
	t := h.count(label)
	return t.served && t.web && t.n[regionWord] > 0 && t.words == 3
}
