package detect

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"meetguard"
)

// scriptEditor: nothing honest fetches and runs code from Script Editor. One
// that only shows what it fetched is a hobby.
func scriptEditor(s *subject) string {
	l := s.run
	if l == nil || !l.hasAbove("script editor") {
		return ""
	}
	if found := castOf(l, editorCast); len(found) >= 2 && s.badCast(editorCast) && (editorCast[l.name] != "" || l.acts()) {
		return fmt.Sprintf("Script Editor led to %s: a script that somebody ran by hand does more than show something.", strings.Join(found, ", "))
	}
	for _, d := range l.own {
		if d.Kind == meetguard.DeedChmod && ownFolder(d.File) {
			continue
		}
		switch d.Kind {
		case meetguard.DeedFetch:
			if d.File != "" || len(d.Mark) > 0 && d.Mark[0] == "insecure" {
				return fmt.Sprintf("Script Editor led to %s: a script that somebody ran by hand fetches something.", l.shownRun())
			}
		case meetguard.DeedFetchRun, meetguard.DeedDequarantine, meetguard.DeedResign, meetguard.DeedChmod, meetguard.DeedPrompt, meetguard.DeedCheck, meetguard.DeedSecret, meetguard.DeedUpload, meetguard.DeedPersist:
			return fmt.Sprintf("Script Editor led to %s (%s): a script that somebody ran by hand does that.", l.shownRun(), d.Kind)
		case meetguard.DeedUnpack:
			if d.What == "osacompile" && !(l.known() && ownFolder(d.File) && ownFolder(d.From)) {
				return "Script Editor led to osacompile: a script that somebody ran by hand makes another one."
			}
		case meetguard.DeedRun:
			if tempPlace(d.File) {
				return "Script Editor led to a program in a temporary folder."
			}
		}
	}
	return ""
}

// ownFolder says whether a path lies where people keep what they write.
func ownFolder(p string) bool {
	return p != "" && home(slashed(p)) && !landingPlace(p) && !coveredPlace(p)
}

// editorCast: programs in groups that a lure needs several of.
var editorCast = map[string]string{"curl": "curl", "wget": "curl", "nscurl": "curl", "osascript": "osascript", "osacompile": "osacompile", "chmod": "chmod", "xattr": "xattr", "codesign": "xattr",
	"unzip": "unzip", "ditto": "unzip", "nohup": "nohup", "launchctl": "launchctl", "dscl": "dscl", "security": "security", "zip": "zip", "caffeinate": "caffeinate", "softwareupdate": "softwareupdate", "sqlite3": "sqlite3"}

// castOf are the groups of programs that one tree ran, in order of name.
func castOf(l *launch, groups map[string]string) []string {
	have := map[string]bool{}
	for name := range l.cast {
		if g := groups[name]; g != "" {
			have[g] = true
		}
	}
	var out []string
	for g := range have {
		out = append(out, g)
	}
	sort.Strings(out)
	return out
}

func (l *launch) hasAbove(name string) bool {
	for _, a := range l.above {
		if a == name {
			return true
		}
	}
	return false
}

// door is what a person opened something with: the desktop, a browser, a mail,
// chat or archive program. Between it and the launch there are interpreters
// with something to do, and nothing else.
func (l *launch) door() string {
	for i, a := range l.above {
		if a == "explorer" || browsers[a] || handlers[a] {
			return a
		}
		if !interpreters[a] && !launchers[a] || i > 4 || idleShell(l.Ancestors[i]) {
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
	case l.does(meetguard.DeedFetch) && runs && l.name != "curl" && !s.trustedOnly() && l.outsideFetch():
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
			if !inHouse(d.Host) && (d.Host == "" || !s.judge.official(d.Host)) {
				return false
			}
			any = true
		}
	}
	return any
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
		if !known && l.runsFrom(installedPlace) && !l.does(meetguard.DeedFetch, meetguard.DeedFetchRun) {
			return ""
		}
		switch {
		case known && strings.Contains(file, "://"), known && landingPlace(file), known && userPlace(file) && l.acts():
		case !known && l.known() && !l.acts():
			return ""
		case !known && i+1 < len(l.above) && (l.above[i+1] == "explorer" || browsers[l.above[i+1]] || handlers[l.above[i+1]]):
		case !known && name == "mshta":
		default:
			return ""
		}
		return fmt.Sprintf("A script that was opened with %s started %s.", clip(name), l.shownRun())
	}
	return ""
}

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
	if text := l.blindAtDoor(); text != "" || !windowsHosts[l.name] {
		return text
	}
	door := l.door()
	file, known := hostFile(*l.Process)
	switch {
	case (browsers[door] || handlers[door]) && (!known || landingPlace(file) || strings.Contains(file, "://")):
		return fmt.Sprintf("%s opened a script with %s.", clip(door), l.shownRun())
	case (door == "explorer" || l.belowBlindShell()) && known && tempPlace(file):
		return fmt.Sprintf("Somebody opened a script in a temporary folder with %s.", l.shownRun())
	case door == "explorer" && known && landingPlace(file) && (s.soundsLike(file) || pretextName(file)):
		return fmt.Sprintf("Somebody opened %s, a script that is named like an update or a fix of meeting software.", quoted(baseName(file)))
	}
	return ""
}

// neverOpened are tools that fetch or run by what they are told, and that nobody
// opens from the desktop without telling them anything.
var neverOpened = set(`certutil bitsadmin finger curl forfiles cmstp certreq desktopimgdownldr`)

// blindAtDoor: of a launch nothing is known but that a browser, or the desktop
// itself, started what only a pasted line has them start.
func (l *launch) blindAtDoor() string {
	switch p := l.parent(); {
	case l.known():
	case browsers[p] && (l.name == "powershell" || l.name == "pwsh"):
		return fmt.Sprintf("%s started %s, as a line that is pasted into its windows does.", clip(p), l.shownRun())
	case p == "explorer" && neverOpened[l.name]:
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
	for _, d := range l.own {
		if d.Kind == meetguard.DeedFetchRun && (d.What == "mshta" || d.What == "regsvr32" || d.What == "rundll32" || contains(d.Mark, "share")) && !inHouse(d.Host) {
			return fmt.Sprintf("%s runs code from the network%s.", clip(d.What), fromHost(d.Host))
		}
	}
	return ""
}

func fromHost(host string) string {
	if host == "" {
		return ""
	}
	return " (" + clip(host) + ")"
}

// lureRoot: the chain began with something that somebody opened by hand, and
// this launch does what a document or a call never needs.
func lureRoot(s *subject) string {
	l := s.run
	if l == nil || l.managed || !l.does(meetguard.DeedFetchRun, meetguard.DeedDequarantine, meetguard.DeedResign, meetguard.DeedPrompt, meetguard.DeedCheck, meetguard.DeedSecret,
		meetguard.DeedUpload, meetguard.DeedPersist, meetguard.DeedBlind, meetguard.DeedEncoded) && len(l.fetched) == 0 {
		return ""
	}
	for i, a := range l.Ancestors {
		name := program(a.Exe)
		switch {
		case name == "script editor":
			return "It goes back to a script in Script Editor."
		case windowsHosts[name]:
			return fmt.Sprintf("It goes back to a script that was opened with %s.", clip(name))
		case interpreters[name] && len(scriptOf(a)) > 0 && landingPlace(scriptOf(a)) && !tempPlace(scriptOf(a)):
			return fmt.Sprintf("It goes back to %s, a script that was run from where downloads land.", quoted(baseName(scriptOf(a))))
		case landingPlace(a.Exe) && !signedWell(a.Signature):
			return fmt.Sprintf("It goes back to %s, which was run from where downloads land.", quoted(baseName(a.Exe)))
		case (name == "applet" || strings.HasSuffix(slashed(a.Exe), "/contents/macos/applet")) && !inHouse(a.OriginHost):
			return "It goes back to a script that is dressed as an app."
		case (interpreters[name] && name != "cmd") && i+1 < len(l.above) && l.above[i+1] == "explorer" && !idleShell(a) && len(a.Args) > 1 && commandFlag(a):
			return "It goes back to a command that somebody was told to paste or open."
		}
	}
	return ""
}

// scriptOf is the file that an interpreter was given to run.
func scriptOf(p meetguard.Process) string {
	if len(p.Args) > 1 && !strings.HasPrefix(p.Args[1], "-") && strings.ContainsAny(p.Args[1], `/\`) {
		return p.Args[1]
	}
	return ""
}

// tempAgent: a script in a temporary folder arranges for something to be
// started with the user's session.
func tempAgent(s *subject) string {
	l := s.run
	if l == nil || l.managed {
		return ""
	}
	for _, d := range l.own {
		low := slashed(d.File)
		if d.Kind != meetguard.DeedPersist || !(userPlace(d.File) && (strings.Contains(low, "/launchagents/") || strings.Contains(low, "/autostart/") || strings.Contains(low, "/systemd/user/") || strings.Contains(low, "/startup/")) || d.What == "run key") {
			continue
		}
		for _, a := range l.Ancestors {
			if interpreters[program(a.Exe)] && tempPlace(scriptOf(a)) {
				return fmt.Sprintf("%s, a script in a temporary folder, arranges for something to start by itself.", quoted(baseName(scriptOf(a))))
			}
		}
	}
	return ""
}

// tempUpload: an archive in a temporary folder is sent away.
func tempUpload(s *subject) string {
	l := s.run
	if l == nil || l.managed {
		return ""
	}
	for _, d := range l.own {
		if d.Kind != meetguard.DeedUpload || !tempPlace(d.File) || inHouse(d.Host) {
			continue
		}
		switch low := strings.ToLower(d.File); {
		case strings.HasSuffix(low, ".zip"), strings.HasSuffix(low, "gz"), strings.HasSuffix(low, ".tar"), strings.HasSuffix(low, ".7z"), strings.HasSuffix(low, ".rar"):
			return fmt.Sprintf("An archive in a temporary folder (%s) is sent away%s.", quoted(baseName(d.File)), fromHost(d.Host))
		}
	}
	return ""
}

// brandTemp: something that is named like meeting software is opened in a
// temporary folder, or its download mark is taken away there.
func brandTemp(s *subject) string {
	l := s.run
	if l == nil || l.managed || s.claim != nil {
		return ""
	}
	for _, d := range l.own {
		if (d.Kind == meetguard.DeedRun || d.Kind == meetguard.DeedDequarantine || d.Kind == meetguard.DeedResign) && d.What != "unpack" && tempPlace(d.File) && s.soundsLike(d.File) && codeName(d.File) && !signedWell(l.Signature) {
			return fmt.Sprintf("%s is named like meeting software and lies in a temporary folder.", quoted(baseName(d.File)))
		}
	}
	return ""
}

func commandFlag(p meetguard.Process) bool {
	for _, a := range p.Args[1:] {
		low := strings.ToLower(a)
		if strings.HasPrefix(low, "-e") || strings.HasPrefix(low, "-c") || strings.HasPrefix(low, "-w") || strings.Contains(low, "://") {
			return true
		}
	}
	return false
}

func signedWell(s *meetguard.Signature) bool {
	return s != nil && s.Status == meetguard.SignatureValid && s.Abused == ""
}

// shape: programs that together, below one thing that somebody opened, take
// what they have no business with, whatever their command lines say.
func shape(s *subject) string {
	l := s.run
	if l == nil || l.managed {
		return ""
	}
	root := ""
	for i, a := range l.Ancestors {
		name := program(a.Exe)
		if landingPlace(a.Exe) && !signedWell(a.Signature) || name == "applet" || name == "script editor" {
			root = baseName(a.Exe)
		}
		if i > 6 {
			break
		}
	}
	if root == "" {
		return ""
	}
	found := castOf(l, thiefCast)
	if len(found) < 2 || thiefCast[l.name] == "" || !s.badCast(thiefCast) {
		return ""
	}
	return fmt.Sprintf("%s led to %s: together they ask for, check, gather or bring what an app has no need of.", quoted(root), strings.Join(found, ", "))
}

// badCast says whether those programs do more than any app may: two of which one
// does something that is known to be strange, or three of which nothing is known.
func (s *subject) badCast(groups map[string]string) bool {
	bad, blind := map[string]bool{}, map[string]bool{}
	for _, st := range append([]meetguard.Step{{Exe: s.run.Exe, Deeds: s.run.own}}, s.run.chain...) {
		group := groups[program(st.Exe)]
		if group == "" || st.Link == meetguard.LinkFile {
			continue
		}
		for _, d := range st.Deeds {
			switch {
			case contains(d.Mark, "arguments unknown"):
				blind[group] = true
			case d.Kind == meetguard.DeedUpload && len(s.run.kinds) == 0 && s.toMaker(d.Host), d.Kind == meetguard.DeedRun, d.Kind == meetguard.DeedOrigin, d.Kind == meetguard.DeedFetch && (s.ownUpdate(d.Host) || d.File == "" && s.strangeness(d.Host).mere && !s.piped()):
			case d.Kind == meetguard.DeedProbe, d.Kind == meetguard.DeedDecoy, d.Kind == meetguard.DeedErase, d.Kind == meetguard.DeedPack && !coveredPlace(d.File), d.Kind == meetguard.DeedUnpack && ownFolder(d.File) && ownFolder(d.From), d.Kind == meetguard.DeedChmod && ownFolder(d.File):
			default:
				bad[group] = true
			}
		}
	}
	for g := range bad {
		delete(blind, g)
	}
	return len(bad) > 0 && len(bad)+len(blind) > 1 || len(blind) > 2
}

// piped says whether something of the chain takes what comes through a pipe.
func (s *subject) piped() bool {
	for _, st := range append([]meetguard.Step{{Deeds: s.run.own}}, s.run.chain...) {
		if takesPipe(st.Deeds) {
			return true
		}
	}
	return false
}

// ownUpdate says whether a program brings something from where it came from
// itself, or from a source of software.
func (s *subject) ownUpdate(host string) bool {
	if host == "" || !s.judge.source(meetguard.Fetch{Host: host}).strange() {
		return host != ""
	}
	for _, a := range s.run.Ancestors {
		if s.namesake(host, a.OriginHost) || s.namesake(host, a.Exe) {
			return true
		}
	}
	return false
}

var thiefCast = map[string]string{"osascript": "osascript", "dscl": "dscl", "security": "security", "curl": "curl", "nscurl": "curl", "zip": "zip", "ditto": "zip", "xattr": "xattr", "codesign": "xattr",
	"powershell": "powershell", "pwsh": "powershell", "mshta": "mshta", "wscript": "wscript", "cscript": "wscript", "certutil": "certutil", "bitsadmin": "certutil"}

// fetchedRun: a download is run, in one command line or in several launches.
func fetchedRun(s *subject) string {
	l := s.run
	if l == nil || l.managed || len(l.fetched) == 0 || s.code.interpreted() {
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
		if contains(d.Mark, "insecure") && !inHouse(d.Host) && !houseName(d.Host) && d.Host != "" {
			return fmt.Sprintf("What it runs was fetched from %s without a check of the server.", clip(d.Host))
		}
	}
	return ""
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
		led = led || scriptEngines[a]
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

// pretextName: two words of the pretext in one name, such as camera and fix.
func pretextName(name string) bool {
	low, n := strings.ToLower(baseName(name)), 0
	for _, group := range [][]string{{"audio", "camera", "cam", "micro", "video", "codec", "sdk", "meeting", "interview", "driver", "webcam"}, {"fix", "update", "patch", "repair", "install", "support", "driver", "helper", "service"}} {
		for _, w := range group {
			if strings.Contains(low, w) {
				n++
				break
			}
		}
	}
	return n == 2
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
	if d, ok := l.deed(meetguard.DeedHide); ok {
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

// decodedPipe: an interpreter takes its commands from a decoder.
func decodedPipe(s *subject) string {
	l := s.run
	if l == nil || l.managed || !l.does(meetguard.DeedRead) || l.does(meetguard.DeedFetchRun) {
		return "" // what it reads is what it fetches
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
	return fmt.Sprintf("It takes the download mark or the signature check away from %s, or runs it after that.", quoted(baseName(d.File)))
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
	return tempPlace(p) || strings.HasPrefix(low, "/users/") && strings.Contains(low, "/library/") && !strings.Contains(low, "/developer/") || strings.HasPrefix(low, "~/library/")
}

// typed says whether somebody typed the launch into a terminal. A shell of
// which nothing is known, and that no terminal started, is a script.
func (l *launch) typed() bool {
	if len(l.Ancestors) == 0 || !shells[l.parent()] || !idleShell(l.Ancestors[0]) {
		return false
	}
	if len(l.Ancestors) == 1 || len(l.Ancestors[0].Args) > 0 {
		return true
	}
	a := l.Ancestors[1]
	return !userPlace(a.Exe) && program(a.Exe) != "applet"
}

// passwordCheck: a script checks the password that somebody typed.
func passwordCheck(s *subject) string {
	l := s.run
	if l == nil || l.managed || !l.does(meetguard.DeedCheck) || l.typed() {
		return "" // somebody who types it checks his own
	}
	if len(l.above) == 0 && !l.does(meetguard.DeedPrompt) {
		return "" // who started it is not known: programs of administrators check passwords too
	}
	return fmt.Sprintf("A script checks a password with %s (%s).", l.shownRun(), l.via())
}

// fromHouse says whether a program of the house's own led to the launch.
func (l *launch) fromHouse() bool {
	for _, a := range l.Ancestors {
		if inHouse(a.OriginHost) {
			return true
		}
	}
	return false
}

func passwordAsk(s *subject) string {
	l := s.run
	if l == nil || l.managed || !l.does(meetguard.DeedPrompt) || l.ownWhat(meetguard.DeedPrompt, "sudo") || l.fromHouse() {
		return ""
	}
	return fmt.Sprintf("%s asks for a password in a window of its own.", l.shownRun())
}

// strongSecrets: what no script has business with.
var strongSecrets = []string{"telegram", "keychain", "browser", "wallet"}

func (l *launch) strong() []string {
	var out []string
	for _, k := range strongSecrets {
		if l.kinds[k] {
			out = append(out, k)
		}
	}
	return out
}

// ownGoods says whether what is packed is told and is nobody's secret: a folder
// that somebody works in, and not one where programs keep their data.
func (l *launch) ownGoods(d meetguard.Deed) bool {
	from := slashed(d.From)
	return from != "" && !l.does(meetguard.DeedSecret) && !tempPlace(from) && !coveredPlace(from) && !strings.Contains(from, "/.") && !strings.Contains(from, "/library/") &&
		!strings.Contains(from, "/appdata/") && !strings.HasPrefix(from, ".") && !strings.ContainsAny(from, "$%*~")
}

func secretTaken(s *subject) string {
	l := s.run
	if l == nil || l.managed || l.backup || len(l.strong()) == 0 || !l.does(meetguard.DeedSecret, meetguard.DeedUpload, meetguard.DeedPack) || s.installedBy(l, l.uploadHost()) {
		return ""
	}
	if l.typed() && !l.does(meetguard.DeedUpload) {
		return "" // people move what is theirs; where it goes tells the rest
	}
	if !l.does(meetguard.DeedSecret, meetguard.DeedUpload) && slices.ContainsFunc(l.own, l.ownGoods) {
		return ""
	}
	return fmt.Sprintf("%s handles private data of other programs (%s).", l.shownRun(), strings.Join(l.strong(), ", "))
}

func secretMany(s *subject) string {
	l := s.run
	if l == nil || l.managed || l.backup || !l.does(meetguard.DeedSecret) || len(l.strong()) == 0 || l.typed() {
		return ""
	}
	kinds := map[string]bool{}
	for k := range l.kinds {
		kinds[k] = true
	}
	for _, st := range l.session {
		for _, d := range st.Deeds {
			if d.Kind == meetguard.DeedSecret && !fetchers[program(st.Exe)] {
				kinds[d.What] = true
			}
		}
	}
	if len(kinds) < 2 {
		return ""
	}
	return "Private data of several kinds is gathered within minutes."
}

func secretPacked(s *subject) string {
	l := s.run
	if l == nil || l.managed || l.backup || len(l.strong()) == 0 || l.typed() {
		return ""
	}
	for _, d := range l.own {
		if d.Kind == meetguard.DeedPack && tempPlace(d.File) && !l.ownGoods(d) {
			return fmt.Sprintf("It is gathered in a temporary folder (%s).", quoted(baseName(d.File)))
		}
	}
	return ""
}

func secretSent(s *subject) string {
	l := s.run
	if l == nil || l.managed || l.backup || len(l.kinds) == 0 {
		return ""
	}
	for _, d := range l.own {
		if d.Kind == meetguard.DeedUpload && s.installedBy(l, d.Host) {
			return ""
		}
		if d.Kind == meetguard.DeedUpload && !inHouse(d.Host) && (len(l.strong()) > 0 || len(l.kinds) > 1) {
			return fmt.Sprintf("Private data (%s) is sent away with %s%s.", strings.Join(l.strong(), ", "), l.shownRun(), fromHost(d.Host))
		}
	}
	return ""
}

// noProgramPlace says whether a path lies where the system keeps no programs.
// What caches and fonts are called on macOS has folders of its own, with apps
// of updaters in it: only what lies in the folder itself counts.
func noProgramPlace(low string) bool {
	switch folderOf(low) {
	case "/library/caches/", "/library/fonts/", "/library/osrecovery/", "/library/logs/", "/library/preferences/", "c:/windows/fonts/", "c:/windows/debug/", "c:/windows/media/":
		return true
	}
	return strings.HasPrefix(baseName(low), "com.apple.") && folderOf(low) == "/library/privilegedhelpertools/"
}

// systemName: a program that calls itself a part of the system, where anybody
// can put it.
func systemName(s *subject) string {
	l := s.run
	if l == nil || l.managed || s.Signature.Status == meetguard.SignatureValid && !l.does(meetguard.DeedFetch) {
		return ""
	}
	for _, d := range l.own {
		if low := slashed(d.File); d.Kind == meetguard.DeedFetch && strings.HasPrefix(baseName(low), "com.apple.") && strings.HasPrefix(low, "/library/") && !inHouse(d.Host) && !toolHost(d.Host) {
			return fmt.Sprintf("Something is fetched%s to %s, under the name of the platform's own.", fromHost(d.Host), quoted(baseName(d.File)))
		}
	}
	if s.Signature.Status == meetguard.SignatureValid {
		return ""
	}
	name := strings.TrimLeft(l.name, ".")
	if low := slashed(l.Exe); noProgramPlace(low) && (strings.HasPrefix(name, "com.apple.") || s.Signature.Status == meetguard.SignatureAdhoc || s.Signature.Status == meetguard.SignatureUnsigned) {
		return fmt.Sprintf("%s runs from a folder that holds no programs.", quoted(baseName(l.Exe)))
	}
	part := systemNames[name] || strings.HasPrefix(name, "com.apple.") || strings.HasPrefix(name, "kworker")
	if !part || !userPlace(l.Exe) || strings.Contains(slashed(l.Exe), ".app/contents/") && !strings.HasPrefix(name, "com.apple.") {
		return ""
	}
	return fmt.Sprintf("%s is named like a part of the system and runs from where any program may write.", quoted(baseName(l.Exe)))
}

// brandChild: a program that calls itself meeting software and lies where
// downloads land starts what its maker's programs never do.
func brandChild(s *subject) string {
	l := s.run
	if l == nil || l.managed || !interpreters[l.name] && !lolbins[l.name] && thiefCast[l.name] == "" {
		return ""
	}
	if !l.does(meetguard.DeedFetch, meetguard.DeedFetchRun, meetguard.DeedEncoded, meetguard.DeedHide, meetguard.DeedBlind, meetguard.DeedSecret, meetguard.DeedCheck, meetguard.DeedPrompt, meetguard.DeedPersist, meetguard.DeedDequarantine) &&
		!(l.name == "rundll32" && l.runsFrom(func(p string) bool { return userPlace(p) && !tempPlace(p) })) { // installers unpack theirs to temporary folders
		return ""
	}
	for _, a := range l.Ancestors {
		if !landingPlace(a.Exe) || signedWell(a.Signature) {
			continue
		}
		name := a.Exe
		if app, _, ok := strings.Cut(slashed(a.Exe), ".app/"); ok {
			name = app + ".app"
		}
		if s.soundsLike(name) || s.soundsLike(a.Exe) {
			return fmt.Sprintf("%s calls itself meeting software and starts %s, as the real one never does.", quoted(baseName(name)), l.shownRun())
		}
	}
	return ""
}

func (l *launch) runsFrom(place func(string) bool) bool {
	for _, d := range l.own {
		if d.Kind == meetguard.DeedRun && d.What != "program" && place(d.File) {
			return true
		}
	}
	return false
}

// persisted: something that was just fetched, or lies in a temporary folder, or
// is named like the platform's own, is arranged to start by itself.
func persisted(s *subject) string {
	l := s.run
	if l == nil || l.managed {
		return ""
	}
	for _, d := range l.own {
		if d.Kind != meetguard.DeedPersist {
			continue
		}
		low := slashed(d.File)
		switch {
		case strings.Contains(low, "/users/") && strings.Contains(low, "launchagents/com.apple."), strings.HasPrefix(low, "~/library/launchagents/com.apple."):
			return fmt.Sprintf("%s is to start by itself under the name of the platform's own.", quoted(baseName(d.File)))
		case tempPlace(d.File):
			return "Something in a temporary folder is to start by itself."
		}
		if f, ok := l.deed(meetguard.DeedFetch, meetguard.DeedFetchRun); ok && !toolHost(f.Host) && !inHouse(f.Host) && !s.namesake(f.Host, d.File) {
			return "What was fetched just before is to start by itself."
		}
	}
	return ""
}

func blinds(s *subject) string {
	l := s.run
	if l == nil || l.managed || !l.does(meetguard.DeedBlind) || s.code != nil && s.trait("defender-exclusion", "kill-security") && defender(s) != "" {
		return ""
	}
	return fmt.Sprintf("%s keeps the virus scanner from looking.", l.shownRun())
}

// encodedRun: an encoded command that a person's program started.
func encodedRun(s *subject) string {
	l := s.run
	if l == nil || l.managed || !l.ownWhat(meetguard.DeedEncoded, "powershell") || len(l.above) == 0 {
		return ""
	}
	p := l.Ancestors[0]
	if door := l.door(); door == "" && (!landingPlace(p.Exe) || signedWell(p.Signature)) {
		return ""
	}
	return fmt.Sprintf("%s was given an encoded command by %s.", l.shownRun(), clip(l.parent()))
}
