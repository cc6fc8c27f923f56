package detect

import (
	"fmt"
	"strings"

	"meetguard"
)

// Rules over doors: the desktop, a browser or a terminal that somebody was told to
// paste a line into, and the script hosts behind them.

// door is what a person opened something with: the desktop, a browser, a mail,
// chat or archive program. Between it and the launch there are interpreters
// with something to do, and nothing else.
func (l *launch) door() string {
	for i, a := range l.above {
		if a == "explorer" || browsers[a] || handlers[a] {
			return a
		}
		if !interpreters[a] && !launchers[a] || i > 4 || idleShell(l.Ancestors[i]) && !(i+1 < len(l.above) && browsers[l.above[i+1]]) { // nobody types below a browser
			return ""
		}
	}
	return ""
}

// idleShell: a shell that was given nothing to do belongs to a person who
// types.
func idleShell(p meetguard.Process) bool {
	name := program(p.Exe)
	if !shells[name] && name != "cmd" && name != "powershell" && name != "pwsh" {
		return false
	}
	if len(p.Args) == 3 && p.Args[1] == "--login" && p.Args[2] == "-i" {
		return true
	}
	return len(p.Args) == 0 && p.CommandLine == "" || len(p.Args) == 1 || len(p.Args) == 2 && (strings.HasPrefix(p.Args[1], "-l") || strings.HasPrefix(p.Args[1], "-i") || strings.EqualFold(p.Args[1], "-nologo") || strings.EqualFold(p.Args[1], "-noexit"))
}

// runBox: the desktop or a browser starts a script host with an address or
// with a command that nobody can read: Win+R, or a shortcut.
func runBox(s *subject) string {
	l := s.run
	if l == nil || l.managed || !interpreters[l.name] && !fetchers[l.name] && !launchers[l.name] {
		return ""
	}
	door := l.door()
	if door == "" || handlers[door] && l.does(meetguard.DeedRead) {
		return ""
	}
	runs := !handlers[door] || l.runsMore() // macros fill tables with what they fetch
	switch {
	case l.does(meetguard.DeedFetchRun) && !s.trustedOnly():
	case l.does(meetguard.DeedFetch) && l.does(meetguard.DeedEncoded, meetguard.DeedHide, meetguard.DeedUnpack) && !s.trustedOnly():
	case l.does(meetguard.DeedFetch) && runs && l.name != "curl" && !s.trustedOnly() && l.outsideFetch() && !(s.onlyPapers() && !l.runsMore()):
	case l.does(meetguard.DeedEncoded) && (l.does(meetguard.DeedHide) || l.ownWhat(meetguard.DeedEncoded, "powershell")):
	default:
		return ""
	}
	return fmt.Sprintf("%s started %s with a command that fetches or hides what it runs: somebody was told to paste or open it.", doorName(door), l.shownRun())
}

// runsMore says whether a command runs anything but the interpreter that reads it
// and the program that fetches.
func (l *launch) runsMore() bool {
	for _, d := range l.own {
		if d.Kind == meetguard.DeedRead || d.Kind == meetguard.DeedRun && d.File != l.Exe && !(d.What == "program" && fetchers[program(d.File)]) {
			return true
		}
	}
	return false
}

func doorName(door string) string {
	if door == "explorer" {
		return "Windows Explorer"
	}
	return clip(door)
}

func (l *launch) ownWhat(kind, what string) bool {
	for _, d := range l.own {
		if d.Kind == kind && d.What == what {
			return true
		}
	}
	return false
}

// trustedOnly says whether the launch fetches from the own network and from
// brands alone.
func (s *subject) trustedOnly() bool {
	any := false
	for _, d := range s.run.own {
		if d.Kind == meetguard.DeedFetch || d.Kind == meetguard.DeedFetchRun {
			if !inHouse(d.Host) && !s.wellKnown(d) && (d.Host == "" || !s.judge.official(d.Host)) && (s.secretive() || !s.ownNet(d.Host)) {
				return false
			}
			any = true
		}
	}
	return any
}

// wellKnown says whether a maker whom everybody knows gives out what is fetched, and
// it is fetched in plain sight: his own documents have the line.
func (s *subject) wellKnown(d meetguard.Deed) bool {
	return s.judge.source(meetguard.Fetch{Host: d.Host}) == sourceKnown && !s.secretive() && !s.run.does(meetguard.DeedUnpack)
}

func (l *launch) outsideFetch() bool {
	for _, d := range l.own {
		if (d.Kind == meetguard.DeedFetch || d.Kind == meetguard.DeedFetchRun) && !toolHost(d.Host) && !inHouse(d.Host) {
			return true
		}
	}
	return false
}

// pasted: a line typed into a terminal that fetches and runs, with a mark that
// installers of well-known tools do not have.
func pasted(s *subject) string {
	l := s.run
	if l == nil || l.managed || !s.code.interpreted() {
		return ""
	}
	p := l.parent()
	if !shells[p] && !terminals[p] && p != "login" {
		return ""
	}
	f, _ := s.code.cradle()
	_, troubles := s.code.trouble()
	if !f.Insecure && s.code.rawIP == "" && s.code.lookalike.Host == "" && troubles == 0 || inHouse(f.Host) {
		return ""
	}
	return fmt.Sprintf("A line in a terminal fetches%s and runs what it gets.", from(f))
}

// hostChild: a script that was opened by hand brings in another interpreter.
func hostChild(s *subject) string {
	l := s.run
	if l == nil || l.managed || !lolbins[l.name] && !(l.name == "cmd" && l.does(meetguard.DeedFetch, meetguard.DeedFetchRun)) {
		return ""
	}
	for i, a := range l.Ancestors {
		name := program(a.Exe)
		if !windowsHosts[name] {
			if !interpreters[name] {
				return ""
			}
			continue
		}
		file, known := hostFile(a)
		if !known && l.known() && !l.actsFrom(file) {
			return ""
		}
		switch {
		case known && name == "mshta" && !l.known() && userPlace(file) && (l.name == "powershell" || l.name == "pwsh"):
		case known && strings.Contains(file, "://"), known && landingPlace(file) && (!ownDesktop(file) && !l.known() && !blindLoaders[l.name] || l.actsFrom(file)), known && userPlace(file) && l.actsFrom(file):
		case !known && l.known() && !l.acts():
			return ""
		case !known && i+1 < len(l.above) && (l.above[i+1] == "explorer" && (l.known() || fetchers[l.name]) || browsers[l.above[i+1]] || handlers[l.above[i+1]]):
		case !known && name == "mshta" && !blindLoaders[l.name]:
		default:
			return ""
		}
		return fmt.Sprintf("A script that was opened with %s started %s.", clip(name), l.shownRun())
	}
	return ""
}

// actsFrom says whether the launch does something that matters, other than to run
// what lies where only installed or own things do, or beside the script that led
// to it.
func (l *launch) actsFrom(script string) bool {
	if !l.acts() {
		return false
	}
	for _, d := range l.own {
		switch d.Kind {
		case meetguard.DeedErase, meetguard.DeedPack, meetguard.DeedOrigin:
		case meetguard.DeedRun:
			low := slashed(d.File)
			if userPlace(low) && (landingPlace(low) || coveredPlace(low) || folderOf(low) != folderOf(slashed(script))) {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// blindLoaders put in drivers and packages every day, and what is told of them
// without their arguments is nothing.
var blindLoaders = set(`rundll32 regsvr32 msiexec`)

// hostFile is what a script host was given to run.
func hostFile(p meetguard.Process) (string, bool) {
	for i, a := range p.Args {
		if i > 0 && !strings.HasPrefix(a, "/") && !strings.HasPrefix(a, "-") {
			return a, true
		}
	}
	return "", len(p.Args) > 1
}

// doorHost: a browser, chat, mail or archive program opens a script.
func doorHost(s *subject) string {
	l := s.run
	if l == nil || l.managed || len(l.above) == 0 {
		return ""
	}
	if file := l.insideDocument(); file != "" {
		return fmt.Sprintf("%s opened %s, a script that was in a document.", clip(l.parent()), quoted(baseName(file)))
	}
	if text := s.unknownChild(); text != "" {
		return text
	}
	if text := l.blindAtDoor(); text != "" || !windowsHosts[l.name] {
		return text
	}
	door := l.door()
	file, known := hostFile(*l.Process)
	switch {
	case browsers[door] && known && ownScriptName(s, file): // what it does tells the rest
		return ""
	case (officePrograms[door] || browsers[door] && l.name != "mshta" && len(l.above) == 1) && !known: // macros of firms, and links of theirs, have helpers of their own
		return ""
	case (browsers[door] || handlers[door]) && (!known || landingPlace(file) || strings.Contains(file, "://")):
		return fmt.Sprintf("%s opened a script with %s.", clip(door), l.shownRun())
	case (door == "explorer" || l.belowBlindShell()) && known && tempPlace(file):
		return fmt.Sprintf("Somebody opened a script in a temporary folder with %s.", l.shownRun())
	case door == "explorer" && known && landingPlace(file) && (s.soundsLike(file) || pretextName(file)):
		return fmt.Sprintf("Somebody opened %s, a script that is named like an update or a fix of meeting software.", quoted(baseName(file)))
	}
	return ""
}

// officePrograms fill tables and letters by macros.
var officePrograms = set(`winword excel powerpnt`)

// ownScriptName says whether a script in the folder for downloads itself is for
// one of the script hosts of every day and is called by nothing that lures are:
// schools and firms give out such scripts on their pages.
func ownScriptName(s *subject, file string) bool {
	low := slashed(file)
	name := baseName(low)
	ext := pathExt(low)
	stem := strings.TrimSuffix(name, ext)
	return home(low) && bareIn(low, "/downloads/") && (ext == ".vbs" || ext == ".wsf") && pathExt(stem) == "" && !s.soundsLike(name) && !pretextName(name) && !lureWords(s, stem)
}

// lureWords says whether one of the words of a name is of those with which lures
// speak of meetings and of mending, or is of a brand.
func lureWords(s *subject, stem string) bool {
	for _, word := range strings.FieldsFunc(stem, func(r rune) bool { return r < 'a' || r > 'z' }) {
		if occasions[word] || mends[word] || devices[word] || parts[word] || len(s.judge.owners[word]) > 0 || s.twoOccasions(word) {
			return true
		}
	}
	return false
}

// insideDocument is the script that a program for documents has taken out of one
// and given to an interpreter.
func (l *launch) insideDocument() string {
	if !openers[l.parent()] || !interpreters[l.name] {
		return ""
	}
	for _, d := range l.own {
		low := slashed(d.File)
		if d.Kind == meetguard.DeedRun && runExt[pathExt(low)] && (strings.Contains(low, "/onenote/") && strings.Contains(low, "/exported/") || strings.Contains(low, "/content.outlook/")) {
			return d.File
		}
	}
	return ""
}

// neverOpened are tools that fetch or run by what they are told, and that nobody
// opens from the desktop without telling them anything.
var neverOpened = set(`certutil bitsadmin finger curl forfiles cmstp certreq desktopimgdownldr`)

// blindAtDoor: of a launch nothing is known but that a browser, or the desktop
// itself, started what only a pasted line has them start.
func (l *launch) blindAtDoor() string {
	if l.remoteShell() {
		return fmt.Sprintf("%s asks where it is, below a shell that %s started.", l.shownRun(), clip(l.above[1]))
	}
	switch p := l.parent(); {
	case (p == "rundll32" || p == "regsvr32") && len(l.above) > 1 && l.above[1] == "explorer" && l.blindParent() && (l.name == "cmd" || l.name == "powershell" || l.name == "schtasks" || l.name == "reg"):
		return fmt.Sprintf("Somebody opened a library with %s, and it started %s.", clip(p), l.shownRun())
	case l.known():
	case browsers[p] && (l.name == "powershell" || l.name == "pwsh"):
		return fmt.Sprintf("%s started %s, as a line that is pasted into its windows does.", clip(p), l.shownRun())
	case p == "explorer" && neverOpened[l.name] && systemFolder(l.Exe):
		return fmt.Sprintf("Windows Explorer started %s, as a line that is pasted into the Run window does.", l.shownRun())
	}
	return ""
}

// belowBlindShell says whether a shell of which nothing is known, and that the
// desktop or a terminal of Windows started, led to the launch.
func (l *launch) belowBlindShell() bool {
	p := l.parent()
	return (p == "cmd" || p == "powershell" || p == "pwsh") && len(l.Ancestors[0].Args) == 0 && len(l.above) > 1 && (l.above[1] == "explorer" || l.above[1] == "windowsterminal" || l.above[1] == "conhost")
}

// remoteHost: programs of Windows that run what they are given an address of.
func remoteHost(s *subject) string {
	l := s.run
	if l == nil || l.managed {
		return ""
	}
	if host := webShare(l.Exe); host != "" && !inHouse(host) && s.strangeness(host).points > 0 && !s.strangeness(host).mere {
		return fmt.Sprintf("%s runs from a share on the web (%s).", l.shownRun(), clip(host))
	}
	for _, d := range l.own {
		if d.Kind == meetguard.DeedFetchRun && (d.What == "mshta" || d.What == "regsvr32" || d.What == "rundll32" || contains(d.Mark, "share")) && !s.ownNet(d.Host) {
			return fmt.Sprintf("%s runs code from the network%s.", clip(d.What), fromHost(d.Host))
		}
	}
	return ""
}

// webShare is the host of a program that lies on a share by WebDAV, or on one of
// a bare address.
func webShare(exe string) string {
	rest, ok := strings.CutPrefix(strings.ToLower(exe), `\\`)
	if !ok {
		return ""
	}
	host, _, _ := strings.Cut(rest, `\`)
	name, web, _ := strings.Cut(host, "@")
	if web == "" && !strings.Contains(rest, `\davwwwroot\`) && !publicAddress(name) {
		return ""
	}
	return name
}

func fromHost(host string) string {
	if host == "" {
		return ""
	}
	return " (" + clip(host) + ")"
}
