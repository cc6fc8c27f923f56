package detect

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"meetguard"
)

// strength says how plainly a name claims a brand.
type strength int

const (
	noClaim strength = iota
	mention          // the brand's name stands among other words: third-party tools do that too
	claims           // the name says "I am the brand's software"
)

// brand is a catalogue entry prepared for matching.
type brand struct {
	meetguard.Brand
	aliases, weak, exclusions, files, companies, subjects, teams map[string]bool
}

func prepare(b meetguard.Brand) *brand {
	p := &brand{Brand: b, aliases: lowerSet(b.Aliases), weak: lowerSet(b.WeakAliases), exclusions: lowerSet(b.Exclusions),
		files: lowerSet(b.Files), companies: lowerSet(b.Companies), subjects: lowerSet(b.Subjects), teams: lowerSet(b.TeamIDs)}
	return p
}

func lowerSet(list []string) map[string]bool {
	out := make(map[string]bool, len(list))
	for _, s := range list {
		out[strings.ToLower(s)] = true
	}
	return out
}

// claim is one brand claim of a unit.
type claim struct {
	brand    *brand
	strength strength
	source   meetguard.Claim
}

// copyMark is what browsers and people add to a file name: " (1)", "-2", " copy".
var (
	copyMark    = regexp.MustCompile(`(?i)([ _-]*\(\d{1,3}\)|[ _-]+copy( \d+)?|[ _-]+kopie)$`)
	versionMark = regexp.MustCompile(`(?i)([ _-]*v?\d+(\.\d+){1,4}|[ _-](x64|x86|x86_64|arm64|amd64|universal|win|mac|setup-\d+))+$`)
)

// fileStem splits a name into its plain stem and its extension, without the
// marks of copies and versions.
func fileStem(name string) (stem, ext string) {
	stem, ext = plainStem(name), strings.ToLower(path.Ext(strings.TrimRight(name, ". ")))
	stem = copyMark.ReplaceAllString(stem, "")
	stem = versionMark.ReplaceAllString(stem, "")
	return strings.TrimSpace(stem), ext
}

// claimsOf finds the strongest claim of each brand in the names of a unit.
func (j *Judge) claimsOf(list []meetguard.Claim) []claim {
	var out []claim
	var read []reading
	for _, c := range list {
		read = append(read, j.read(c)...)
	}
	for _, b := range j.brands {
		best := claim{brand: b}
		for _, r := range read {
			if s := j.strengthOf(b, r); s > best.strength {
				best.strength, best.source = s, r.Claim
			}
		}
		if icon, ok := b.icon(list); ok && best.strength < claims {
			if s := b.iconStrength(read); s > best.strength {
				best.strength, best.source = s, icon
			}
		}
		if best.strength > noClaim {
			out = append(out, best)
		}
	}
	return out
}

// reading is a claim with its words, which all brands look at.
type reading struct {
	meetguard.Claim
	words  []string
	places map[*brand][]place
	guised bool     // not as the letters are, but as they look
	files  []string // the ways in which a file name may be an official one
}

// read gives the readings of a claim: of a file name there may be several.
func (j *Judge) read(c meetguard.Claim) []reading {
	switch c.Source {
	case meetguard.ClaimFileName:
		return j.readings.of(c.Text, func() (out []reading) {
			for i, name := range guises(c.Text) {
				r := j.readName(c, name)
				r.guised = i > 0
				out = append(out, r)
			}
			return out
		})
	case meetguard.ClaimShortcutIcon:
		return []reading{j.readName(c, c.Text)}
	case meetguard.ClaimBanner:
		return j.readBanner(c)
	}
	return []reading{j.readText(c, c.Text)}
}

// nameBook remembers how file names are read. Of a launch the names of all that
// belongs to it are read, and most were read for the launch before: that took a
// fifth of judging one.
type nameBook struct {
	mu    sync.Mutex
	known map[string][]reading // which nobody changes
}

// Bounds of a nameBook. When it is full it is begun anew.
const (
	namesMost = 512
	nameMost  = 128 // bytes of one
)

func (b *nameBook) of(name string, read func() []reading) []reading {
	b.mu.Lock()
	defer b.mu.Unlock()
	out, known := b.known[name]
	if known {
		return out
	}
	out = read()
	if len(b.known) >= namesMost {
		b.known = nil
	}
	if b.known == nil {
		b.known = map[string][]reading{}
	}
	if len(name) <= nameMost {
		b.known[strings.Clone(name)] = out
	}
	return out
}

func (j *Judge) readName(c meetguard.Claim, name string) reading {
	stem, ext := fileStem(name)
	r := j.readText(c, stem)
	plain := strings.ToLower(readAs(stem))
	r.files = []string{plain + ext, strings.ToLower(name), strings.Join(words(stem), "") + ext}
	return r
}

// readBanner reads running text. A name that is an ordinary word too ("teams")
// is looked for line by line: what a text speaks of elsewhere gives it no
// meaning, and neither does a line about the people who wrote it.
func (j *Judge) readBanner(c meetguard.Claim) []reading {
	whole := j.readText(c, c.Text)
	weak := whole.part(func(p place) bool { return !p.weak })
	whole.dropPhrases(c.Text)
	out := []reading{whole}
	if !weak {
		return out
	}
	for line := range strings.Lines(c.Text) {
		if aboutPeople.MatchString(line) {
			continue
		}
		r := j.readText(c, line)
		r.part(func(p place) bool { return p.weak })
		if r.dropPhrases(line); len(r.places) > 0 {
			out = append(out, r)
		}
	}
	return out
}

// aboutPeople is how scripts name who wrote them and who answers for them.
var aboutPeople = regexp.MustCompile(`(?i)^\W*(maintain|author|written by|created by|copyright|contribut|contact|credit|@author)`)

// dropPhrases leaves out names that are there only because words of a sentence
// were joined: "go to the meeting" speaks of no GoTo Meeting.
func (r *reading) dropPhrases(text string) {
	if strings.Contains(strings.ToLower(readAs(text)), "goto") {
		return
	}
	r.part(func(p place) bool { return r.words[p.at] != "go" || p.n < 2 || r.words[p.at+1] != "to" })
}

// part keeps the places for which keep holds, and says whether there were others.
func (r *reading) part(keep func(place) bool) (others bool) {
	for b, places := range r.places {
		kept := slices.DeleteFunc(slices.Clone(places), func(p place) bool { return !keep(p) })
		others = others || len(kept) < len(places)
		if r.places[b] = kept; len(kept) == 0 {
			delete(r.places, b)
		}
	}
	return others
}

func (j *Judge) readText(c meetguard.Claim, text string) reading {
	r := reading{Claim: c, words: j.split(text)}
	r.places = j.places(r.words)
	return r
}

func (j *Judge) strengthOf(b *brand, c reading) strength {
	switch c.Source {
	case meetguard.ClaimFileName, meetguard.ClaimShortcutIcon:
		for _, f := range c.files {
			if b.files[f] {
				return claims
			}
		}
	case meetguard.ClaimBundleID, meetguard.ClaimSigningID, meetguard.ClaimPKGID:
		return b.bundleStrength(c.Text)
	case meetguard.ClaimCompanyName, meetguard.ClaimMSIMaker:
		if b.companies[strings.ToLower(strings.TrimSpace(readAs(c.Text)))] {
			return claims
		}
		return noClaim // "Zoom Corporation" makes recorders: only the exact company counts
	case meetguard.ClaimOriginal, meetguard.ClaimInternal:
		if b.files[strings.ToLower(c.Text)] {
			return claims
		}
		return noClaim
	case meetguard.ClaimBanner:
		return textStrength(c.words, c.places[b])
	case meetguard.ClaimTarget, meetguard.ClaimIcon:
		return noClaim // a shortcut to Zoom.exe opens Zoom; icons are judged beside the names, see iconStrength
	case meetguard.ClaimTitle, meetguard.ClaimSubject:
		if len(c.places[b]) > 0 {
			return mention // pages and invitations speak of brands: that makes them no software
		}
		return noClaim
	}
	if found := c.places[b]; len(found) > 0 {
		return b.nameStrength(c.words, found[0])
	}
	return noClaim
}

// icon is the claim that a file makes by carrying the brand's logo.
func (b *brand) icon(list []meetguard.Claim) (meetguard.Claim, bool) {
	for _, c := range list {
		if name, ok := strings.CutSuffix(c.Text, " logo"); ok && c.Source == meetguard.ClaimIcon && name == b.Name {
			return c, true
		}
	}
	return meetguard.Claim{}, false
}

// iconStrength judges a logo by the names beside it. A program that calls itself
// nothing in particular ("setup.exe") is what its icon shows; one with a name of
// its own may be somebody's add-on.
func (b *brand) iconStrength(read []reading) strength {
	for _, r := range read {
		if r.guised {
			continue // as it is read at a glance, a word may be none
		}
		switch r.Source {
		case meetguard.ClaimFileName, meetguard.ClaimProductName, meetguard.ClaimDescription, meetguard.ClaimMSIProduct, meetguard.ClaimBundleName, meetguard.ClaimBundleShow:
		default:
			continue
		}
		for _, w := range r.words {
			if len(w) > 2 && !speaksOfIntent(w) && !plainWords[w] && !isNumber(w) && !b.weak[w] && !b.aliases[w] && !occasionWords[w] {
				return mention
			}
		}
	}
	return claims
}

// occasionWords are what else lures are called: they name no product.
var occasionWords = set(`interview invite invitation invited link viewer player recording schedule agenda start run open launch secure security network required
	manual auto automatic wizard web application program exe bin tmp temp test untitled document doc pdf`)

func (b *brand) bundleStrength(id string) strength {
	id = strings.ToLower(id)
	for _, want := range b.BundleIDs {
		want = strings.ToLower(want)
		if id == want || strings.HasSuffix(want, "*") && strings.HasPrefix(id, strings.TrimSuffix(want, "*")) {
			return claims
		}
	}
	return noClaim
}

// nameStrength judges a product or file name: short, and meant as a name.
func (b *brand) nameStrength(ws []string, found place) strength {
	at, n, weak := found.at, found.n, found.weak
	if at > 0 && (ws[at-1] == "for" || ws[at-1] == "with" || ws[at-1] == "to" || ws[at-1] == "via") {
		return mention // "Krisp for Zoom" is not Zoom
	}
	rest := append(append([]string{}, ws[:at]...), ws[at+n:]...)
	known, intent, other, plain := 0, 0, 0, 0
	initials := false // "TeamsSetup_c_w_": letters that stand alone count once
	for _, w := range rest {
		switch {
		case speaksOfIntent(w):
			intent++
			if !deviceWords[w] {
				plain++
			}
		case plainWords[w] || isNumber(w) || b.weak[w] || b.aliases[w]:
			known++
		case len(w) == 1 && (initials || !weak):
		default:
			initials = initials || len(w) == 1
			other++
		}
	}
	switch {
	case other > 0 && other > intent:
		return mention
	case weak && other > 0 && plain == 0:
		return mention // "ZOOM H6 Audio Driver" is a recorder
	case intent > 0:
		return claims
	case !weak && other == 0:
		return claims
	case weak && other == 0 && known == 0 && b.hasFile(ws[at:at+n]):
		return claims // Zoom.exe, Teams.app: the whole name
	case weak && other == 0 && known > 0 && b.hasFile(ws[at:at+n]) && len(ws) <= 5:
		return claims // Zoom_5.17_x64
	}
	return mention
}

func (b *brand) hasFile(ws []string) bool {
	stem := strings.Join(ws, "")
	for f := range b.files {
		if strings.TrimSuffix(f, path.Ext(f)) == stem {
			return true
		}
	}
	return false
}

// textStrength judges running text that a user reads: a brand's name beside
// words of a repair or an update.
func textStrength(ws []string, found []place) strength {
	if len(found) == 0 {
		return noClaim
	}
	for _, p := range found {
		for i := max(0, p.at-8); i < min(len(ws), p.at+p.n+8); i++ {
			if speaksOfIntent(ws[i]) {
				return claims
			}
		}
	}
	return mention
}

// split cuts text into words and run-together words into known ones, at most
// 600 of them.
func (j *Judge) split(text string) []string {
	var out []string
	for _, w := range words(text) {
		out = append(out, segment(w, j.known)...)
		if len(out) > 600 {
			break
		}
	}
	return out
}

func (j *Judge) known(w string) bool { return intentWords[w] || plainWords[w] || j.names[w] }

// place is where a brand's name stands in words.
type place struct {
	at, n int
	weak  bool
}

// places finds every brand's names in words in one pass: a name may be spread
// over up to four of them. An exclusion at the same place hides it.
func (j *Judge) places(ws []string) map[*brand][]place {
	var out map[*brand][]place
	for i := range ws {
		if !j.begins[ws[i]] {
			continue
		}
		for k := min(4, len(ws)-i); k >= 1; k-- {
			joined := ws[i]
			if k > 1 {
				joined = strings.Join(ws[i:i+k], "")
			}
			for _, o := range j.owners[joined] {
				if o.brand.excluded(ws, i, k) {
					continue
				}
				if out == nil {
					out = map[*brand][]place{}
				}
				if had := out[o.brand]; len(had) == 0 || had[len(had)-1].at < i {
					out[o.brand] = append(had, place{i, k, o.weak})
				}
			}
		}
	}
	return out
}

func (b *brand) excluded(ws []string, at, n int) bool {
	for i := max(0, at-2); i <= at; i++ {
		joined := ""
		for k := i; k < len(ws) && k < at+n+3; k++ {
			joined += ws[k]
			if k >= at && b.exclusions[joined] {
				return true
			}
		}
	}
	return false
}

func isNumber(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// proof is what the signature says of a brand claim.
type proof int

const (
	proofUnknown  proof = iota // the signature could not be learned, or the format carries none
	proven                     // signed by the brand
	unsigned                   // no signature, or one without identity
	otherSigner                // validly signed by somebody else
	untrusted                  // signed by somebody nobody vouches for
	broken                     // the signature does not fit the file
	untrustedSelf              // in the brand's own name, but nobody vouches for it
)

func (b *brand) proof(s meetguard.Signature) proof {
	named := b.subjects[strings.ToLower(s.Subject)] || b.subjects[strings.ToLower(s.CommonName)] || b.companies[strings.ToLower(s.Subject)] || b.companies[strings.ToLower(s.CommonName)]
	switch s.Status {
	case meetguard.SignatureValid:
		for _, r := range s.Remarks {
			if r == "code_after_block" { // it proves who made a part of the script
				return proofUnknown
			}
		}
		if b.subjects[strings.ToLower(s.Subject)] || s.TeamID != "" && b.teams[strings.ToLower(s.TeamID)] {
			return proven
		}
		if named { // by the name of the maker, of which it is not known whether he signs with it
			return proofUnknown
		}
		return otherSigner
	case meetguard.SignatureUnsigned, meetguard.SignatureAdhoc:
		return unsigned
	case meetguard.SignatureInvalid:
		switch s.Chain {
		case "expired", "not_yet_valid": // intact, and by a signer that an anchor vouched for once
			if named {
				return proofUnknown
			}
			return otherSigner
		case "wrong_usage", "revoked":
			return untrusted
		}
		return broken
	case meetguard.SignatureUntrusted:
		if named || s.ClaimedTeam != "" && b.teams[strings.ToLower(s.ClaimedTeam)] {
			return untrustedSelf
		}
		return untrusted
	}
	return proofUnknown
}
