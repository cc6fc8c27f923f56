package detect

import (
	"strings"

	"meetguard"
)

var twins = strings.NewReplacer("rn", "m", "vv", "w", "1", "l", "i", "l", "0", "o", "5", "s")

// skeleton folds what looks alike in a small font: i, l and 1; o and 0; rn and
// m; vv and w; letters that stand there more than twice.
func skeleton(s string) string {
	s = twins.Replace(s)
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if i >= 2 && s[i] == s[i-1] && s[i] == s[i-2] {
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// homograph: the name is read as a brand's own host and is another.
func (h *hostBook) homograph(n hostName) imitation {
	if own := h.owner(n.read); own.brand != nil {
		return imitation{own.brand, "it is spelled with letters that only look like " + own.host, meetguard.Malicious}
	}
	for sk := skeleton(n.read); ; {
		if own, ok := h.ownTwins[sk]; ok {
			return imitation{own.brand, "it is spelled to be read as " + own.host, meetguard.Malicious}
		}
		_, rest, ok := strings.Cut(sk, ".")
		if !ok {
			return imitation{}
		}
		sk = rest
	}
}

// headTops are the top-level domains of official hosts that somebody else's
// name is not cut into by chance: discord.dev.acme.example is a discord server
// for development, zoom.us.acme.example is none in America.
var headTops = set(`com org net us cn`)

// headsOf is how a forged name begins: with an official host, or with one that
// has the maker's name before a suffix of its own (meet.google.com-join.us,
// meet.google.us-join.com).
func headsOf(host string) []string {
	cut := strings.LastIndexByte(host, '.')
	if !headTops[host[cut+1:]] {
		return nil
	}
	heads := []string{host}
	if dot := strings.LastIndexByte(host[:cut], '.'); dot > 0 && cut-dot > 6 {
		heads = append(heads, host[:cut])
	}
	return heads
}

// borrowed: somebody else's name with a brand's host at its left, or one that
// reads like it: zoom.us.join.example, us02web.zoom.us-join.example. Where
// nothing but the public suffix follows (zoom.com.br) it is simply another name.
func (h *hostBook) borrowed(n hostName) imitation {
	rest := len(strings.Join(n.labels[len(n.labels)-n.icann:], "."))
	sk := skeleton(n.read)
	limit := len(sk) - len(skeleton(n.read[len(n.read)-rest:])) - 1
	for start := 0; start < limit; start++ {
		if start > 0 && !isBorder(sk[start-1]) {
			continue
		}
		dots := 0
		for end := start + 1; end <= limit && dots < 5; end++ {
			if !isBorder(sk[end]) {
				continue
			}
			dots++
			if own, ok := h.heads[sk[start:end]]; ok {
				return imitation{own.brand, "it shows " + own.host + " and belongs to " + clip(n.owned()), n.levelOfHead(end, limit)}
			}
		}
	}
	return imitation{}
}

// levelOfHead: where the head ends in a suffix that is for sale (skype.com.se) the
// name may be the brand's own for another country.
func (n hostName) levelOfHead(end, limit int) meetguard.Level {
	if end == limit && n.suffix > n.icann {
		return meetguard.Suspicious
	}
	return meetguard.Malicious
}

// isBorder holds for what ends a word of a host name in the eye of a reader: no
// letter and no digit.
func isBorder(c byte) bool {
	return c < 0x80 && !isDigit(c) && (c < 'a' || c > 'z')
}

// owned is the part of a name that somebody registered, as it goes over the wire.
func (n hostName) owned() string {
	labels := strings.Split(n.wire, ".")
	return strings.Join(labels[max(0, len(labels)-n.icann-1):], ".")
}

// misspelled makes a word that reads like a stem, or is one with a slip of the
// finger, that stem.
func (h *hostBook) misspelled(w *word) bool {
	if len(w.text) < 4 || len(w.text) > 24 || h.excluded[w.text] || !isASCII(w.text) {
		return false
	}
	if s := h.twinStems[skeleton(w.text)]; s != nil {
		w.kind, w.stem, w.off = stemWord, s, "is spelled to be read as "+s.text
		w.plainly = len(s.text) >= 4 && s.need < needMeeting
		return true
	}
	for _, s := range h.coined {
		if slip := slipOf(w.text, s.text, s.phrase); slip != "" {
			w.kind, w.stem, w.off = stemWord, s, slip+" "+s.text
			w.plainly = len(s.text) >= 7 && !honest[w.text]
			return true
		}
	}
	return false
}

// honest words are one slip from a stem and words of their own: telegra.ph is
// Telegram's, and Germans write telegramm.
var honest = set(`bluejean bluebeans telegra telegramm`)

// slipOf says how a word comes from a stem by one slip: the ways in which
// domains are squatted. Short stems, and those made of words, are too close to
// other words for all but two of them (webex and weex, skype and skye, slack
// and snack, teamsroom and teamroom).
func slipOf(text, stem string, phrase bool) string {
	if len(stem) < 4 {
		return ""
	}
	long := len(stem) >= 7 && !phrase
	switch i := differ(text, stem); len(text) - len(stem) {
	case 1:
		if i > 0 && text[i] == text[i-1] && text[i+1:] == stem[i:] {
			return "doubles a letter of"
		}
	case -1:
		if long && text[i:] == stem[i+1:] {
			return "leaves out a letter of"
		}
	case 0:
		if len(stem) >= 5 && i+1 < len(stem) && text[i] == stem[i+1] && text[i+1] == stem[i] && text[i+2:] == stem[i+2:] {
			return "swaps two letters of"
		}
		if long && i < len(stem) && text[i+1:] == stem[i+1:] && (near(text[i], stem[i]) || i > 0 && text[i] == text[i-1]) {
			return "changes a letter of"
		}
	}
	return ""
}

// differ is the index of the first byte in which two words differ.
func differ(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return i
}

// near: keys that lie side by side, or letters one bit apart, which a failing
// memory turns into one another.
func near(a, b byte) bool {
	x := a ^ b
	return x&(x-1) == 0 || strings.IndexByte(beside[b], a) >= 0
}

// beside are the keys around each key of an English keyboard.
var beside = map[byte]string{
	'q': "wa", 'w': "qeas", 'e': "wrsd", 'r': "etdf", 't': "ryfg", 'y': "tugh", 'u': "yihj", 'i': "uojk", 'o': "ipkl", 'p': "ol",
	'a': "qwsz", 's': "awedzx", 'd': "serfxc", 'f': "drtgcv", 'g': "ftyhvb", 'h': "gyujbn", 'j': "huiknm", 'k': "jiolm", 'l': "kop",
	'z': "asx", 'x': "zsdc", 'c': "xdfv", 'v': "cfgb", 'b': "vghn", 'n': "bhjm", 'm': "njk",
}
