package detect

import "strings"

// wordKind says what a word of a host name is there for.
type wordKind int

const (
	unknownWord wordKind = iota
	stemWord             // stands for a brand
	installWord          // promises an installer, an update or a repair
	meetingWord          // speaks of a meeting
	placeWord            // names a place or a part of a service
	deviceWord           // camera and microphone: with "zoom" also those of lenses and recorders
	fillWord             // says nothing
	regionWord           // a country, real or invented
	numberWord
)

// roleWords are the words that lookalikes are glued from besides a brand: the
// grammar of threat reports. No word stands in two lists.
var roleWords = map[wordKind]string{
	installWord: `install installer installers installation setup download downloads downloader update updates updater upgrade upgrader
		sdk support fix hotfix repair patch driver drivers client extension plugin launcher desktop`,
	meetingWord: `meet meets meeting meetings join joining call calls videocall videocalls conf conference conferences conferencing webinar
		webinars invite invites invitation invitations interview interviews`,
	placeWord:  `web live room rooms app apps online cloud tech help portal secure login signin account accounts verify api cdn official`,
	deviceWord: `video audio cam camera mic microphone`,
	fillWord: `www get go free pc win windows mac macos linux android ios latest new my the for to on in at your now pro plus full version com net org biz
		link start launch host hosting hd`,
	regionWord: `us usa uk gb uu ue eu ca au nz de ch fr be nl it es pt ie se no fi dk pl cz sk hu ro bg gr tr il ae sa za eg ng ke pk lk sg hk tw cn jp kr
		th vn ph id mx br ar cl pe ru ua kz`,
}

// need says how much must stand beside a stem until it is a claim.
type need int

const (
	needAny     need = iota // the word was coined for the brand: anything will do
	needRole                // others use the word too: a word that speaks of software or of meetings, or a place set apart
	needRegion              // the same, and the brand numbers its hosts by region
	needMeeting             // an ordinary word: meetings or installers only
	needInstall             // free software that anybody serves under its name: installers only
)

// stem is a word that stands for a brand in a host name.
type stem struct {
	text   string
	brand  *brand
	need   need
	phrase bool // holds the claim in itself: msteams, zoommeeting
}

// needs of stems that were not coined for their brand alone.
var needs = map[string]need{
	"zoom": needRegion, "slack": needRole, "discord": needRole, "telegram": needRole, "bluejeans": needRole,
	"teams": needMeeting, "whereby": needMeeting, "8x8": needMeeting,
	"jitsi": needInstall,
}

// makers begin, or if they are no abbreviations end, the stems that hold a claim in themselves.
var makers = strings.Fields(`ms msft microsoft google cisco amazon aws tencent signal chime`)

// serverBrand numbers its hosts: us02web.zoom.us.
const serverBrand = "zoom"

func (h *hostBook) addStem(b *brand, text string) {
	if len(b.Hosts) == 0 {
		return // nothing to compare with
	}
	s := &stem{text: text, brand: b, need: needs[text], phrase: isPhrase(b, text)}
	keep(h.stems, text, s)
	if rest, ok := strings.CutPrefix(text, "ms"); ok && h.vocabular[rest] == placeWord {
		return // "mslive" may be anything, "ms-live" is read as Microsoft's: only where joinStems finds it
	}
	h.vocabular[text] = stemWord
	if len(text) >= 4 {
		keep(h.twinStems, skeleton(text), s)
	}
	if (!s.phrase || len(text) >= 9) && s.need != needMeeting && s.need != needInstall {
		h.coined = append(h.coined, s)
	}
	if b.ID == serverBrand {
		h.servers = b
	}
}

// isPhrase holds for a stem that is made of another stem of the brand and more,
// or of its maker's name and more.
func isPhrase(b *brand, text string) bool {
	for _, other := range b.LookalikeStems {
		if other != text && strings.Contains(text, other) {
			return true
		}
	}
	for _, m := range makers {
		if strings.HasPrefix(text, m) || len(m) > 3 && strings.HasSuffix(text, m) {
			return true
		}
	}
	return false
}

// cheapTops are top-level domains where lookalikes are registered by the
// hundred, and hardly ever the name that a company is known by.
var cheapTops = set(`top buzz run xyz click cc store vip work icu cyou sbs rest bond cfd quest monster cam live online site website space fun shop club
	biz live link pw tk ml ga cf gq su`)

// servingTops are top-level domains that say what a word before them is for.
var servingTops = set(`download support live online`)

// forges give accounts a host by their name: zoom.github.io is zoom's account.
var forges = set(`github.io gitlab.io readthedocs.io gitbook.io codeberg.page sourceforge.io`)

// word is one word of a label.
type word struct {
	text  string
	kind  wordKind
	stem  *stem // if kind is stemWord
	begin bool  // of what stands between two hyphens
	end   bool
	off   string // "" or how the stem is misspelled
	// plainly: misspelled so that it can be no other word
	plainly bool
}

func (w word) apart() bool { return w.begin && w.end }

// wordsOf cuts a label into words: at hyphens, between letters and digits, and
// where known words are run together. The names of brands that are spread over
// several of them are joined again.
func (h *hostBook) wordsOf(label string) []word {
	var out []word
	for part := range strings.FieldsFuncSeq(label, func(r rune) bool { return r == '-' || r == '_' }) {
		at := len(out)
		out = h.cutPart(out, part)
		out[at].begin, out[len(out)-1].end = true, true
	}
	out = h.joinStems(out)
	for i := 0; i < len(out); i++ {
		if out[i].kind != unknownWord || !out[i].apart() || h.misspelled(&out[i]) || i+1 == len(out) {
			continue
		}
		pair := word{text: out[i].text + out[i+1].text, begin: true, end: out[i+1].end}
		if h.misspelled(&pair) { // mircosoft-teams
			out[i] = pair
			out = append(out[:i+1], out[i+2:]...)
		}
	}
	return out
}

func (h *hostBook) cutPart(out []word, part string) []word {
	digits := strings.ContainsAny(part, "0123456789")
	for len(part) > 0 {
		number := isDigit(part[0])
		end := 1
		for end < len(part) && isDigit(part[end]) == number {
			end++
		}
		if number {
			out = append(out, word{text: part[:end], kind: numberWord})
		} else {
			out = h.cutRun(out, part[:end], digits)
		}
		part = part[end:]
	}
	return out
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// cutRun cuts letters that are run together into known words, the fewest
// possible, or leaves them whole. Words of two letters count only beside a
// number: "zoomin" is no zoom in India, "us02" is a region.
func (h *hostBook) cutRun(out []word, run string, numbered bool) []word {
	if kind, ok := h.vocabular[run]; ok || len(run) > 40 || h.excluded[run] {
		return append(out, word{text: run, kind: kind, stem: h.stems[run]})
	}
	shortest := 3
	if numbered {
		shortest = 2
	}
	var count, from [41]int8 // of the words that end here, and where the last begins
	for end := shortest; end <= len(run); end++ {
		for start := max(0, end-longestWord); start <= end-shortest; start++ {
			if start > 0 && count[start] == 0 || count[end] > 0 && count[start]+1 >= count[end] {
				continue
			}
			if _, ok := h.vocabular[run[start:end]]; ok {
				count[end], from[end] = count[start]+1, int8(start)
			}
		}
	}
	n := int(count[len(run)])
	if n == 0 {
		return append(out, word{text: run})
	}
	at := len(out)
	out = append(out, make([]word, n)...)
	for end := len(run); n > 0; n-- {
		text := run[from[end]:end]
		out[at+n-1] = word{text: text, kind: h.vocabular[text], stem: h.stems[text]}
		end = int(from[end])
	}
	return out
}

// longestWord bounds the words that are looked for in letters run together.
const longestWord = 20

// joinStems puts together stems that are spread over up to four words, with or
// without hyphens: ms-teams, 8x8, zoom-us.
func (h *hostBook) joinStems(ws []word) []word {
	out := ws[:0]
	for i := 0; i < len(ws); i++ {
		w, n := ws[i], 1
		joined := ws[i].text
		for k := i + 1; k < min(i+4, len(ws)); k++ {
			joined += ws[k].text
			if s := h.stems[joined]; s != nil {
				w = word{text: joined, kind: stemWord, stem: s, begin: ws[i].begin, end: ws[k].end}
				n = k - i + 1
			}
		}
		out = append(out, w)
		i += n - 1
	}
	return out
}
