package detect

import (
	"fmt"
	"slices"
	"strings"

	"meetguard"
)

// Rules over downloads that are run.

// fetchedRun: a download is run, in one command line or in several launches.
func fetchedRun(s *subject) string {
	l := s.run
	if l == nil || l.managed || len(l.fetched) == 0 || s.code.interpreted() {
		return ""
	}
	if !slices.ContainsFunc(l.fetched, func(d meetguard.Deed) bool { return !s.ownNet(d.Host) }) && !s.secretive() {
		return ""
	}
	return fmt.Sprintf("%s runs what was fetched with %s%s just before.", l.shownRun(), clip(l.fetched[0].What), fromHost(l.fetched[0].Host))
}

func fetchAddress(s *subject) string {
	l := s.run
	if l == nil || l.managed {
		return ""
	}
	for _, d := range l.fetched {
		if publicAddress(d.Host) {
			return fmt.Sprintf("What it runs was fetched from a bare address (%s).", clip(d.Host))
		}
		if contains(d.Mark, "insecure") && !s.ownNet(d.Host) && d.Host != "" && !s.named(d) {
			return fmt.Sprintf("What it runs was fetched from %s without a check of the server.", clip(d.Host))
		}
	}
	return ""
}

// named says whether somebody answers for what a host gives out, or it is only a
// source of packages that nothing is said against: that its server was not checked
// is then a habit of those who build.
func (s *subject) named(d meetguard.Deed) bool {
	switch k := s.judge.source(meetguard.Fetch{Host: d.Host}); {
	case k == sourceKnown || k == sourceForge:
		return true
	default:
		return d.What == "apt" && !s.strangeness(d.Host).hostile()
	}
}

// scriptEngines run files that somebody else wrote.
var scriptEngines = set(`node python python3 osascript wscript cscript mshta perl ruby`)

// fetchDrop: a script has something fetched from a bare address to a temporary
// or hidden file.
func fetchDrop(s *subject) string {
	l := s.run
	if l == nil || l.managed {
		return ""
	}
	led := false
	for i, a := range l.above[:min(len(l.above), 3)] {
		if shells[a] && idleShell(l.Ancestors[i]) {
			break
		}
		led = led || scriptEngines[a] && !l.ownEngine(i)
	}
	for _, d := range l.own {
		if !led || d.Kind != meetguard.DeedFetch || !publicAddress(d.Host) {
			continue
		}
		if tempPlace(d.File) || strings.HasPrefix(baseName(d.File), ".") {
			return fmt.Sprintf("A script has %s fetched from a bare address (%s).", quoted(baseName(d.File)), clip(d.Host))
		}
	}
	return ""
}

// ownEngine says whether an engine above the launch runs what its user keeps in a
// folder of his own, or was typed, as far as is known.
func (l *launch) ownEngine(i int) bool {
	a := l.Ancestors[i]
	if !portables[l.above[i]] || landingPlace(a.Exe) {
		return false
	}
	if len(a.Args) == 0 && a.CommandLine == "" {
		return i+1 < len(l.Ancestors) && idleShell(l.Ancestors[i+1])
	}
	return ownFolder(scriptOf(a))
}

func contains(list []string, want string) bool {
	for _, s := range list {
		if s == want {
			return true
		}
	}
	return false
}

func fetchLookalike(s *subject) string {
	l := s.run
	if l == nil || s.code != nil && s.code.lookalike.Host != "" {
		return ""
	}
	if h := l.OriginHost; h != "" {
		if v := s.judge.Host(h); v.Level != meetguard.Clean {
			return "The program was downloaded from a lookalike: " + v.Evidence
		}
	}
	for _, d := range append(append([]meetguard.Deed{}, l.own...), l.fetched...) {
		switch d.Kind {
		case meetguard.DeedFetch, meetguard.DeedFetchRun, meetguard.DeedUpload:
		default:
			continue
		}
		if d.Host == "" {
			continue
		}
		if v := s.judge.Host(d.Host); v.Level != meetguard.Clean {
			return "It speaks to a lookalike: " + v.Evidence
		}
	}
	return ""
}

// fetchBrand: code that is named like help for meeting software, and comes from
// elsewhere.
func fetchBrand(s *subject) string {
	l := s.run
	if l == nil || l.managed || installerTools[l.name] {
		return ""
	}
	for _, d := range l.fetched {
		if d.Host != "" && (s.judge.official(d.Host) || inHouse(d.Host) || toolHost(d.Host)) {
			continue
		}
		for _, name := range append([]string{d.File}, l.ranFiles()...) {
			if name != "" && codeName(name) && (s.soundsLike(name) || pretextName(name)) {
				return fmt.Sprintf("It runs %s, which is named like help for meeting software and was fetched from elsewhere%s.", quoted(baseName(name)), fromHost(d.Host))
			}
		}
	}
	return ""
}

var installerTools = set(`installer dpkg apt apt-get rpm dnf yum msiexec hdiutil open winget choco brew`)

func (l *launch) ranFiles() []string {
	var out []string
	for _, d := range l.own {
		if d.Kind == meetguard.DeedRun && d.What != "unpack" && d.What != "installer" && d.What != "msiexec" && d.What != "hdiutil" {
			out = append(out, d.File)
		}
	}
	return out
}

// codeName: names of what an interpreter runs, or a program without one.
func codeName(name string) bool {
	base := strings.ToLower(baseName(name))
	if i := strings.LastIndexByte(base, '.'); i > 0 {
		switch base[i:] {
		case ".pkg", ".dmg", ".deb", ".rpm", ".msi", ".msix", ".appimage", ".json", ".txt":
			return false
		}
	}
	return true
}

// soundsLike says whether a file name claims a brand.
func (s *subject) soundsLike(name string) bool {
	for _, c := range s.judge.claimsOf([]meetguard.Claim{{Text: baseName(name), Source: meetguard.ClaimFileName}}) {
		if c.strength == claims {
			return true
		}
	}
	return false
}

// What lures promise to mend, and how they call it. A kit for developers, a codec
// and a driver have honest installers by the thousand: only who says that one is
// to be mended counts.
var (
	devices = set(`audio camera cam webcam microphone mic video meeting meetings interview`)
	parts   = set(`sdk codec codecs driver drivers`)
	mends   = set(`fix fixes fixer hotfix update updater updates upgrade patch patcher repair repairs`)
	offers  = set(`install installer setup support driver drivers helper service`)
	fillers = set(`zoom teams ms msteams meet webex google slack web hd pro tool tools kit the my new and auto quick`)
)

// pretextName: two words of the pretext in one name, such as camera and fix, as
// words or put together of such words.
func pretextName(name string) bool {
	var device, part, mend, offer bool
	for _, token := range strings.FieldsFunc(strings.ToLower(baseName(name)), func(r rune) bool { return r < 'a' || r > 'z' }) {
		for _, w := range wordsOf(token, 0) {
			device, part = device || devices[w], part || parts[w]
			mend, offer = mend || mends[w], offer || offers[w]
		}
	}
	return device && (mend || offer) || part && mend
}

// wordsOf takes a token apart into words of the pretext and of those that stand
// between them, and is nothing where there is any other.
func wordsOf(token string, depth int) []string {
	for _, list := range []map[string]bool{devices, parts, mends, offers, fillers} {
		if list[token] {
			return []string{token}
		}
	}
	if depth > 3 || len(token) > 40 {
		return nil
	}
	for i := len(token) - 2; i > 1; i-- {
		head := token[:i]
		if !devices[head] && !parts[head] && !mends[head] && !offers[head] && !fillers[head] {
			continue
		}
		if rest := wordsOf(token[i:], depth+1); rest != nil {
			return append([]string{head}, rest...)
		}
	}
	return nil
}

// fetchHidden: what was fetched is run out of sight, or while something
// harmless is shown.
func fetchHidden(s *subject) string {
	l := s.run
	if l == nil || l.managed || len(l.fetched) == 0 || s.code.interpreted() {
		return ""
	}
	hosted := false
	for _, d := range l.fetched {
		hosted = hosted || inHouse(d.Host) || toolHost(d.Host)
	}
	if hosted {
		return ""
	}
	if d, ok := l.deed(meetguard.DeedHide); ok && !(d.What == "background" && l.keepsServer(s)) {
		return fmt.Sprintf("It runs what was fetched out of sight (%s).", clip(d.What))
	}
	for _, st := range append(append([]meetguard.Step{}, l.chain...), l.session...) {
		for _, d := range st.Deeds {
			if d.Kind == meetguard.DeedDecoy && (d.What == "softwareupdate" || d.Host != "" && s.judge.official(d.Host)) {
				return "It runs what was fetched while something harmless is shown."
			}
		}
	}
	return ""
}

// keepsServer says whether what was fetched lies in a folder of its owner, in
// plain sight, and comes from hosts of which there is nothing to say: servers of
// games and models are left running that way.
func (l *launch) keepsServer(s *subject) bool {
	for _, d := range l.fetched {
		if d.Kind != meetguard.DeedFetch || d.File == "" || landingPlace(d.File) || coveredPlace(d.File) || hiddenName(baseName(slashed(d.File))) {
			return false
		}
		if c := s.strangeness(d.Host); c.points > 0 && !c.mere {
			return false
		}
	}
	return true
}

// decodedPipe: an interpreter takes its commands from a decoder.
func decodedPipe(s *subject) string {
	l := s.run
	if l == nil || l.managed || !l.does(meetguard.DeedRead) || l.does(meetguard.DeedFetchRun) {
		return "" // what it reads is what it fetches
	}
	if len(l.own) > 2 && shells[l.name] && l.decodesToShell() {
		return fmt.Sprintf("%s decodes a text and runs it.", l.shownRun())
	}
	for _, st := range append(append([]meetguard.Step{}, l.session...), l.chain...) {
		if st.PPID != l.PPID || !soon(st, l.Process) {
			continue
		}
		for _, d := range st.Deeds {
			if d.Kind == meetguard.DeedEncoded && (d.What == "base64" || d.What == "openssl" || d.What == "xxd") && d.File == "" {
				return fmt.Sprintf("%s runs commands that %s decodes for it.", l.shownRun(), clip(d.What))
			}
		}
	}
	return ""
}

// decodesToShell says whether a line hands what it decodes to a shell, and has
// no file of its own in between.
func (l *launch) decodesToShell() bool {
	decodes := false
	for _, d := range l.own {
		switch d.Kind {
		case meetguard.DeedEncoded:
			decodes = decodes || d.File == "" && d.From == "" && (d.What == "base64" || d.What == "xxd" || d.What == "openssl")
		case meetguard.DeedRead:
			if decodes && shells[d.What] {
				return true
			}
		}
	}
	return false
}

// unmarked: the download mark or the signature of something is changed, and it
// lies where no installed program does.
func unmarked(s *subject) string {
	l := s.run
	if l == nil || l.managed || s.code != nil && s.trait("dequarantine", "resign") {
		return ""
	}
	if _, ok := l.under(builders); ok {
		return ""
	}
	d, ok := l.deed(meetguard.DeedDequarantine, meetguard.DeedResign)
	if !ok || d.File == "" || !hotPlace(d.File) || !(l.does(meetguard.DeedDequarantine, meetguard.DeedResign) || len(l.fetched) > 0 || l.runs(d.File)) {
		return ""
	}
	for _, f := range l.fetched {
		if toolHost(f.Host) {
			return ""
		}
	}
	if l.compiled() {
		return ""
	}
	return fmt.Sprintf("It takes the download mark or the signature check away from %s, or runs it after that.", quoted(baseName(d.File)))
}

// compilers make programs, which whoever made them signs by himself.
var compilers = set(`swiftc swift clang clang++ gcc g++ cc c++ ld rustc go cmake xcrun ninja`)

// compiled says whether a compiler ran beside the launch, and nothing was brought
// from elsewhere: what is signed was made here.
func (l *launch) compiled() bool {
	if !l.does(meetguard.DeedResign) || l.does(meetguard.DeedDequarantine) {
		return false
	}
	built := false
	for _, st := range append(append([]meetguard.Step{}, l.session...), l.chain...) {
		built = built || compilers[program(st.Exe)] && !userPlace(st.Exe)
		if fetchers[program(st.Exe)] {
			return false
		}
		for _, d := range st.Deeds {
			if d.Kind == meetguard.DeedFetch || d.Kind == meetguard.DeedFetchRun {
				return false
			}
		}
	}
	return built
}

func (l *launch) runs(file string) bool {
	key := fileKey(file)
	for _, d := range l.own {
		if d.Kind == meetguard.DeedRun && (fileKey(d.File) == key || strings.HasPrefix(fileKey(d.File), key+"/")) {
			return true
		}
	}
	return false
}

// hotPlace: temporary folders and hidden ones, where lures put things and
// people do not.
func hotPlace(p string) bool {
	low := slashed(p)
	if audioPlugIn(low) {
		return false
	}
	return tempPlace(p) || strings.HasPrefix(low, "/users/") && strings.Contains(low, "/library/") && !strings.Contains(low, "/developer/") || strings.HasPrefix(low, "~/library/")
}

// audioPlugIn says whether a path is that of a plug-in for programs of music, in plain
// sight: those of hobbyists are not signed, and come with the advice to free them.
func audioPlugIn(low string) bool {
	_, rest, ok := strings.Cut(low, "/library/audio/plug-ins/")
	return ok && !strings.HasPrefix(rest, ".") && !strings.Contains(rest, "/.")
}

// encodedRun: an encoded command that a person's program started.
func encodedRun(s *subject) string {
	l := s.run
	if l == nil || l.managed || !l.ownWhat(meetguard.DeedEncoded, "powershell") || len(l.above) == 0 {
		return ""
	}
	p := l.Ancestors[0]
	if door := l.door(); door == "" && (!landingPlace(p.Exe) || signedWell(p.Signature) || p.Signature == nil && !s.soundsLike(p.Exe) && !pretextName(p.Exe)) {
		return ""
	}
	return fmt.Sprintf("%s was given an encoded command by %s.", l.shownRun(), clip(l.parent()))
}
