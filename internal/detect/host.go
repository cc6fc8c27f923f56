package detect

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"meetguard"
)

// HostVerdict is the judgement over one host name.
type HostVerdict struct {
	Host     string          `json:"host"`
	Brand    string          `json:"brand"`
	Level    meetguard.Level `json:"level"`
	Evidence string          `json:"evidence"`
}

// roles are the words that lookalike hosts are glued from besides the brand
// (the grammar of threat reports: region and number, role, platform).
var roles = set(`web live meet meets meeting meetings join room rooms call calls sdk support update updates upgrade install installer download downloads
	app apps client desktop tech fix help video audio conf conference invite invites online cloud portal secure login host hosting link go start launch
	drivers driver cam camera api cdn us uk eu ca au de fr jp kr sg in www my the official ms microsoft google cisco com net work works team teams`)

// Host judges whether a host is a brand's own, imitates one, or has nothing to
// do with any. It looks at the name alone.
func (j *Judge) Host(host string) HostVerdict {
	host = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(host)), ".")
	v := HostVerdict{Host: host, Level: meetguard.Clean}
	if b := j.owner(host); b != nil {
		v.Brand, v.Evidence = b.ID, fmt.Sprintf("%s belongs to %s.", host, b.Name)
		return v
	}
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") {
		v.Evidence = fmt.Sprintf("%s claims no meeting brand.", clip(host))
		return v
	}
	if b, why, level := j.imitates(host); b != nil {
		v.Brand, v.Level = b.ID, level
		v.Evidence = fmt.Sprintf("%s is not %s's: %s.", clip(host), b.Name, why)
		return v
	}
	v.Evidence = fmt.Sprintf("%s claims no meeting brand.", clip(host))
	return v
}

func (j *Judge) official(host string) bool { return j.owner(strings.ToLower(host)) != nil }

func (j *Judge) owner(host string) *brand {
	for _, b := range j.brands {
		for _, h := range b.Hosts {
			if host == h || strings.HasSuffix(host, "."+h) {
				return b
			}
		}
	}
	return nil
}

// imitates finds the brand that a host is made to be read as.
func (j *Judge) imitates(host string) (*brand, string, meetguard.Level) {
	shown := host
	if u, err := idna.ToUnicode(host); err == nil {
		shown = u
	}
	read := strings.ToLower(readAs(shown))
	if read != host {
		if b := j.owner(read); b != nil {
			return b, "it is spelled with letters that only look like " + read, meetguard.Malicious
		}
	}
	suffix, _ := publicsuffix.PublicSuffix(read)
	labels := strings.Split(strings.TrimSuffix(strings.TrimSuffix(read, suffix), "."), ".")
	if b, h := j.leftPart(read, suffix); b != nil {
		return b, fmt.Sprintf("it begins like %s, but belongs to %s", h, registrable(read)), meetguard.Malicious
	}
	if b, why, level := j.glued(labels, suffix, words); b != nil {
		return b, why, level
	}
	return j.glued(labels, suffix, plainWordsOf)
}

// leftPart: a brand's host, or one that reads like it, at the left of somebody
// else's name: zoom.us.join.example, meet.google.com-join.us. Where the rest is
// the public suffix itself (zoom.com.br) it is simply another name.
func (j *Judge) leftPart(host, suffix string) (*brand, string) {
	sk := skeleton(host)
	for _, b := range j.brands {
		for i, h := range b.Hosts {
			hs := b.twinHosts[i]
			if !strings.HasPrefix(sk, hs) || len(sk) <= len(hs)+1 || sk[len(hs)] != '.' && sk[len(hs)] != '-' {
				continue
			}
			if len(h) < len(host)-len(suffix) {
				return b, h
			}
		}
	}
	return nil, ""
}

func registrable(host string) string {
	if r, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return r
	}
	return host
}

// glued: a brand's word and nothing else but role words, regions and numbers
// in the registrable label, with at least one of them somewhere. A suffix that
// a registrar sells to look like a country's .com counts as one.
func (j *Judge) glued(labels []string, suffix string, cut func(string) []string) (*brand, string, meetguard.Level) {
	var found *brand
	extra := 0
	if sold(suffix) {
		extra++
	}
	for i, label := range labels {
		for _, p := range j.hostWords(label, cut) {
			b := j.stem(p)
			if b != nil && (found == nil || !roles[p]) {
				found = b
			}
			switch {
			case b != nil && !roles[p], p == "www":
			case roles[p] || regions[p] || isNumber(p), len(label) == len(p) && isTopLevel(p):
				extra++
			case i == len(labels)-1:
				return nil, "", "" // a word of its own in the registrable name: another name that holds the word
			}
		}
	}
	if found == nil || extra == 0 {
		return nil, "", ""
	}
	return found, "it joins the brand's name with words and numbers that its real hosts do not use", meetguard.Suspicious
}

// isTopLevel: a label that is a top-level domain itself, biz in zoom.biz.example.
func isTopLevel(label string) bool {
	suffix, icann := publicsuffix.PublicSuffix(label)
	return icann && suffix == label
}

// sold: us.com, cn.com, it.com, com.im: private suffixes of two short labels.
func sold(suffix string) bool {
	_, icann := publicsuffix.PublicSuffix("x." + suffix)
	first, last, two := strings.Cut(suffix, ".")
	return !icann && two && len(first) <= 3 && len(last) <= 3
}

// regions are the country and region codes, real and invented, that lookalikes
// glue to a brand.
var regions = set(`us usa uk gb uu ue eu ca au nz de at ch fr be nl it es pt ie se no fi dk pl cz sk hu ro bg gr tr il ae sa za eg ng ke in pk lk sg hk tw cn jp kr
	my th vn ph id mx br ar cl pe ru ua kz`)

// stem finds the brand for one word of a host, also misspelled in ways that
// the eye passes over.
func (j *Judge) stem(p string) *brand {
	if b := j.stems[p]; b != nil || len(p) < 5 {
		return b
	}
	return j.twinStems[skeleton(p)]
}

var twins = strings.NewReplacer("rn", "m", "vv", "w", "1", "l", "i", "l", "0", "o", "5", "s")

// skeleton folds what looks alike in a small font: i, l and 1; o and 0; rn and
// m; vv and w; doubled letters more than two.
func skeleton(s string) string {
	s = twins.Replace(s)
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if i >= 2 && s[i] == s[i-1] && s[i] == s[i-2] {
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// hostWords splits a label at hyphens and digits, and run-together words into
// known ones.
func (j *Judge) hostWords(label string, cut func(string) []string) []string {
	known := func(w string) bool { return roles[w] || j.stem(w) != nil }
	var out []string
	for _, w := range cut(label) {
		if j.excluded[w] {
			out = append(out, w)
			continue
		}
		out = append(out, segment(w, known)...)
	}
	return out
}

func clip(s string) string {
	if len(s) > 120 {
		s = s[:120] + "…"
	}
	return printable(s)
}
