// Package detect judges facts. It is pure: facts in, verdict out, no clock, no
// disk, no log. Its rules are a table (rules.go), its knowledge of brands is
// data (signatures/brands.yaml).
//
// Rules only accuse. What clears a file is a condition inside a rule, "claims
// Zoom and is not signed by Zoom", so that each finding is a reason to worry
// and none can be bought off by another. A fact that is unknown accuses nobody.
package detect

import (
	"path"
	"sort"
	"strconv"
	"strings"

	"meetguard"
)

// Scores from which a unit is suspicious and malicious. A score is the sum of
// the weights of its findings, at most 100.
const (
	suspiciousFrom = 40
	maliciousFrom  = 70
)

// maxDepth bounds how deep members of members are judged.
const maxDepth = 6

// Judge holds the brand catalogue, prepared. It is safe for concurrent use.
type Judge struct {
	brands  []*brand
	friends []meetguard.Friend
	names   map[string]bool // every alias and exclusion: words of the vocabulary

	owners map[string][]owner // who is called so
	begins map[string]bool    // words that a name may begin with

	readings *nameBook // of file names

	hosts   hostBook   // the same for the names of hosts
	sources sourceBook // where software comes from; empty if nobody said

	off map[string]bool // ids of rules that do not count
}

// New prepares a judge for a catalogue.
func New(brands []meetguard.Brand) *Judge {
	j := &Judge{names: map[string]bool{}, owners: map[string][]owner{}, begins: map[string]bool{}, readings: &nameBook{}}
	for _, b := range brands {
		p := prepare(b)
		j.brands = append(j.brands, p)
		for _, m := range []map[string]bool{p.aliases, p.weak, p.exclusions} {
			for name := range m {
				j.names[name] = true
			}
		}
	}
	for _, p := range j.brands {
		j.own(p, p.aliases, false)
		j.own(p, p.weak, true)
	}
	j.hosts = newHostBook(j.brands)
	return j
}

// owner is a brand that a name belongs to.
type owner struct {
	brand *brand
	weak  bool
}

func (j *Judge) own(b *brand, names map[string]bool, weak bool) {
	for name := range names {
		j.owners[name] = append(j.owners[name], owner{b, weak})
		for end := 1; end <= len(name); end++ {
			j.begins[name[:end]] = true
		}
	}
}

// Judge gives the verdict over one unit. Of a container it is the verdict over
// its worst member, if that is worse than the container's own.
// No friend counts, because no day is known: see JudgeOn.
func (j *Judge) Judge(f meetguard.Facts) meetguard.Verdict { return j.JudgeOn(f, "") }

func (j *Judge) judge(f meetguard.Facts, depth int, t trust) meetguard.Verdict {
	s := j.subject(f)
	s.vouched = t.vouched
	v := meetguard.Verdict{Level: meetguard.Clean, Findings: []meetguard.Finding{}}
	if s.claim != nil {
		v.Brand = s.claim.brand.ID
	}
	broken := false
	for _, r := range rules {
		if j.off[r.id] {
			continue
		}
		evidence, failed := r.ask(s)
		if failed {
			broken = true
			v.Findings = append(v.Findings, meetguard.Finding{Rule: r.id, Evidence: "This rule failed on these facts: what it looks for is not known."})
		}
		if evidence != "" {
			v.Findings = append(v.Findings, meetguard.Finding{Rule: r.id, Evidence: evidence, Technique: r.technique, Weight: r.weight})
			v.Score += r.weight
		}
	}
	v.Findings, v.Score = j.addMatches(v.Findings, v.Score, f)
	sort.SliceStable(v.Findings, func(a, b int) bool { return v.Findings[a].Weight > v.Findings[b].Weight })
	v.Score = min(v.Score, 100)
	v.Level = levelOf(v.Score, broken || blinded(f.Gaps))
	v = t.allowClaim(s, v)
	t.vouched = t.vouched || isInstaller(f.Format) && f.Signature.Status == meetguard.SignatureValid
	if depth < maxDepth {
		for _, m := range f.Members {
			v = worse(v, j.judge(m, depth+1, t), m.Path)
		}
	}
	return t.allowContent(f, v)
}

// ask runs one rule. A rule that panics costs its own finding, never the agent.
func (r rule) ask(s *subject) (evidence string, failed bool) {
	defer func() {
		if recover() != nil {
			evidence, failed = "", true
		}
	}()
	return r.check(s), false
}

// worse keeps the verdict over a container, or takes over that of a member.
func worse(own, member meetguard.Verdict, name string) meetguard.Verdict {
	if rank(member.Level) < rank(own.Level) || rank(member.Level) == rank(own.Level) && member.Score <= own.Score {
		return own
	}
	if member.Level == meetguard.Clean {
		if own.Brand == "" {
			own.Brand = member.Brand
		}
		return own
	}
	member.Inner = path.Join(name, member.Inner)
	return member
}

func rank(l meetguard.Level) int {
	switch l {
	case meetguard.Malicious:
		return 3
	case meetguard.Suspicious:
		return 2
	case meetguard.Incomplete:
		return 1
	}
	return 0
}

func levelOf(score int, blind bool) meetguard.Level {
	switch {
	case score >= maliciousFrom:
		return meetguard.Malicious
	case score >= suspiciousFrom:
		return meetguard.Suspicious
	case blind:
		return meetguard.Incomplete
	}
	return meetguard.Clean
}

func blinded(gaps []meetguard.Gap) bool {
	for _, g := range gaps {
		if g.Blinding {
			return true
		}
	}
	return false
}

// severityWeight is what a YARA match weighs by the severity in its metadata.
var severityWeight = map[string]int{"critical": 90, "high": 70, "medium": 25, "low": 10, "info": 0}

// noSeverity is what a match weighs whose rule says nothing of severity or
// score: an operator who brought the rule wants to hear of it.
const noSeverity = 50

// MatchWeight is what a match of a YARA rule with that metadata weighs. The rules
// inside the program have a severity in words. Those of others have a number
// from 0 to 100, "score" or "severity", or nothing.
func MatchWeight(meta map[string]string) int {
	if w, ok := severityWeight[meta["severity"]]; ok {
		return w
	}
	for _, key := range []string{"score", "severity"} {
		if n, err := strconv.Atoi(meta[key]); err == nil {
			return min(max(n, 0), severityWeight["critical"])
		}
	}
	return noSeverity
}

// addMatches turns YARA matches into findings. A match without weight is
// context and stands in the facts only.
func (j *Judge) addMatches(findings []meetguard.Finding, score int, f meetguard.Facts) ([]meetguard.Finding, int) {
	for _, m := range f.Matches {
		w := MatchWeight(m.Meta)
		if w == 0 {
			continue
		}
		id := m.Meta["id"]
		if id == "" {
			id = m.Rule
		}
		if j.off[id] {
			continue
		}
		evidence := m.Meta["description"]
		if evidence == "" {
			evidence = "It matches the YARA rule " + m.Rule
		}
		findings = append(findings, meetguard.Finding{Rule: id, Evidence: sentence(evidence), Technique: m.Meta["technique"], Weight: w})
		score += w
	}
	return findings, score
}

func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s != "" && !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// subject is one unit with what several rules ask about it.
type subject struct {
	meetguard.Facts
	vouched bool // it came in a package that somebody signed with a name
	judge   *Judge
	name    string  // base name
	ext     string  // lower case, with the dot
	claim   *claim  // the brand it claims, nil if none
	proof   proof   // of that claim
	code    *code   // nil if it is no script
	run     *launch // nil if it is no launch
}

func (j *Judge) subject(f meetguard.Facts) *subject {
	s := &subject{Facts: f, judge: j, name: baseName(f.Path)}
	s.ext = strings.ToLower(path.Ext(s.name))
	if s.Process != nil {
		s.takeLaunch()
	} else if s.Script != nil {
		s.code = newCode(j, s.Script)
	}
	if s.isProgram() || s.isPackage() || s.Script != nil || s.isLink() {
		s.chooseClaim()
	}
	if s.run != nil && s.proof != proven && inHouse(s.run.OriginHost) {
		s.claim = nil // the house gave it out
	}
	if s.claim != nil && s.proof != proven && s.otherGoods() {
		s.claim = nil
	}
	return s
}

// chooseClaim takes the brand that matters: one that is proven clears the
// others ("Zoom Plugin for Microsoft Outlook" signed by Zoom), else the first
// that is plainly claimed.
func (s *subject) chooseClaim() {
	all := s.judge.claimsOf(s.Claims)
	for i := range all {
		if all[i].brand.proof(s.Signature) == proven {
			s.claim, s.proof = &all[i], proven
			return
		}
	}
	for i := range all {
		if s.plainly(all[i]) && s.claim == nil && !s.otherHouse(all[i].brand) {
			s.claim, s.proof = &all[i], all[i].brand.proof(s.Signature)
		}
	}
}

// otherHouse says whether a program is of another house of the same name, such as
// the maker of recorders: by its proper signature, or by the host that it came from.
func (s *subject) otherHouse(b *brand) bool {
	if signedWell(&s.Signature) && b.exclusions[lettersOf(s.Signature.Subject)] {
		return true
	}
	if s.run == nil || s.run.OriginHost == "" || s.Signature.Status != meetguard.SignatureUnknown || s.judge.Host(s.run.OriginHost).Level != meetguard.Clean {
		return false
	}
	labels := ownLabels(s.run.OriginHost)
	if len(labels) == 0 || len(labels[len(labels)-1]) < 8 {
		return false
	}
	for name := range b.exclusions {
		if strings.HasPrefix(name, labels[len(labels)-1]) && strings.HasPrefix("corporation", strings.TrimPrefix(labels[len(labels)-1], b.ID)) {
			return true
		}
	}
	return false
}

// lettersOf are the letters of a name, in lower case.
func lettersOf(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// plainly says whether a claim counts. In a script whose text speaks of meeting
// trouble the bare name of a brand is enough.
func (s *subject) plainly(c claim) bool {
	if c.strength == claims {
		return true
	}
	if s.code == nil {
		return false
	}
	_, trouble := s.code.trouble()
	return trouble > 0
}

// isProgram: formats that run or install when they are opened, and that their
// makers sign.
func (s *subject) isProgram() bool {
	switch s.Format {
	case meetguard.FormatPE, meetguard.FormatMachO, meetguard.FormatMSI, meetguard.FormatApp, meetguard.FormatPKG, meetguard.FormatMSIX:
		return !s.isLibrary()
	}
	return false
}

// carriesProof: formats whose signature proves who made them. Many honest disk
// images have none, because what is in them is signed.
func (s *subject) carriesProof() bool { return s.isProgram() || s.Format == meetguard.FormatDMG }

// isLibrary: parts of programs that nobody opens by hand. They carry brand
// words for honest reasons (discord_game_sdk.dll).
func (s *subject) isLibrary() bool {
	switch s.ext {
	case ".dll", ".node", ".sys", ".pyd", ".ocx", ".drv", ".dylib", ".so", ".bundle", ".o", ".a", ".mui", ".efi", ".cpl", ".tlb", ".ax":
		return true
	}
	return false
}

// isPackage: formats that hold programs and mostly carry no signature.
func (s *subject) isPackage() bool {
	return s.Format == meetguard.FormatDMG || s.Format == meetguard.FormatISO
}

func (s *subject) isLink() bool {
	return s.Format == meetguard.FormatShortcut || s.Format == meetguard.FormatHTML || s.Format == meetguard.FormatICS || s.Script != nil && s.Script.Language == "mail"
}

// opens says whether opening the unit by hand runs something.
func (s *subject) opens() bool {
	return s.isProgram() || s.isPackage() || s.Script != nil || s.Format == meetguard.FormatShortcut || s.Format == meetguard.FormatAppleScript
}

// trait is true of none where what the script says was set aside, as of a
// command that software management runs.
func (s *subject) trait(names ...string) bool {
	if s.Script == nil || s.code == nil {
		return false
	}
	for _, have := range s.Script.Traits {
		for _, want := range names {
			if have == want {
				return true
			}
		}
	}
	return false
}

// baseName takes the last element of a path of any system.
func baseName(p string) string {
	if i := strings.LastIndexAny(p, `/\`); i >= 0 && i+1 < len(p) {
		p = p[i+1:]
	}
	return p
}
