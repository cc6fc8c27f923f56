package detect

import (
	"fmt"
	"strings"

	"meetguard"
)

// Rules over what a chain goes back to.

// lureRoot: the chain began with something that somebody opened by hand, and
// this launch does what a document or a call never needs.
func lureRoot(s *subject) string {
	l := s.run
	if l != nil && l.merelyPrompts() {
		return "" // it may be the password of anything
	}
	if l != nil && len(l.kinds) == 0 && l.does(meetguard.DeedUpload) && s.merelyAsks() && len(l.fetched) == 0 && len(l.own) < 3 && l.pastedBelow() {
		return "" // logs are sent to a maker's helpers like that
	}
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

// merelyPrompts says whether a window that asks for a password is all that the
// chain does of what lures do.
func (l *launch) merelyPrompts() bool {
	if !l.does(meetguard.DeedPrompt) || len(l.fetched) > 0 {
		return false
	}
	for _, st := range append([]meetguard.Step{{Deeds: l.own}}, l.chain...) {
		for _, d := range st.Deeds {
			switch d.Kind {
			case meetguard.DeedCheck, meetguard.DeedUpload, meetguard.DeedFetchRun, meetguard.DeedSecret, meetguard.DeedPersist, meetguard.DeedDequarantine, meetguard.DeedResign, meetguard.DeedBlind, meetguard.DeedEncoded, meetguard.DeedConnect:
				return false
			}
		}
	}
	return true
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
	if file := s.brandAgent(); file != "" {
		return fmt.Sprintf("A script puts %s where things start by themselves, under the name of meeting software, as the real one never does.", quoted(baseName(file)))
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

// brandAgent is a launch agent with the name of meeting software that a script
// copies into a home. What the brands have there they write themselves, or their
// packages do.
func (s *subject) brandAgent() string {
	l := s.run
	if !fileWriters[l.name] || !shells[l.parent()] {
		return ""
	}
	for _, a := range l.Ancestors {
		if signedWell(a.Signature) && installedPlace(a.Exe) && !interpreters[program(a.Exe)] && !terminals[program(a.Exe)] || packageScript(a.Args) || program(a.Exe) == "package_script_service" {
			return ""
		}
	}
	for _, d := range l.own {
		low := slashed(d.File)
		if d.Kind != meetguard.DeedPersist || !home(low) || !strings.Contains(low, "/launchagents/") || l.typed() && !tempPlace(d.From) {
			continue
		}
		for _, part := range strings.Split(strings.TrimSuffix(baseName(low), ".plist"), ".") {
			if len(s.judge.owners[part]) > 0 && meetingNames[part] {
				return d.File
			}
		}
	}
	return ""
}

// fileWriters put a file where it is told.
var fileWriters = set(`cp mv tee install ditto ln`)

// meetingNames are parts of the identifiers of meeting software.
var meetingNames = set(`zoom zoomus msteams teams teams2 webex gotomeeting bluejeans ringcentral jitsi`)

// tempUpload: an archive in a temporary folder is sent away.
func tempUpload(s *subject) string {
	l := s.run
	if l == nil || l.managed {
		return ""
	}
	for _, d := range l.own {
		if d.Kind != meetguard.DeedUpload || !tempPlace(d.File) || inHouse(d.Host) || d.What == "telegram bot" || l.packedGoods(d.File) || l.toAccount(d) {
			continue
		}
		switch low := strings.ToLower(d.File); {
		case strings.HasSuffix(low, ".zip"), strings.HasSuffix(low, "gz"), strings.HasSuffix(low, ".tar"), strings.HasSuffix(low, ".7z"), strings.HasSuffix(low, ".rar"):
			return fmt.Sprintf("An archive in a temporary folder (%s) is sent away%s.", quoted(baseName(d.File)), fromHost(d.Host))
		}
	}
	return ""
}

// toAccount says whether something is sent with the login that its user has saved
// for that host, and no secret is in the chain: thieves have no account with him.
func (l *launch) toAccount(d meetguard.Deed) bool {
	return contains(d.Mark, "account") && len(l.kinds) == 0
}

// packedGoods says whether an archive is known to hold what is nobody's secret.
func (l *launch) packedGoods(file string) bool {
	found := false
	for _, st := range append([]meetguard.Step{{Deeds: l.own}}, l.chain...) {
		for _, d := range st.Deeds {
			switch {
			case d.Kind == meetguard.DeedSecret:
				return false
			case d.Kind == meetguard.DeedPack && fileKey(d.File) == fileKey(file):
				low := slashed(d.From)
				if !strings.HasPrefix(low, "/var/log/") && !strings.Contains(low, "/library/logs/") && !l.ownGoods(d) {
					return false
				}
				found = true
			}
		}
	}
	return found
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
	root, blindRoot := "", false // of an installer on an image of which nobody knows who signed it
	for i, a := range l.Ancestors {
		name := program(a.Exe)
		if landingPlace(a.Exe) && !signedWell(a.Signature) || name == "applet" || name == "script editor" {
			root, blindRoot = baseName(a.Exe), a.Signature == nil && strings.HasPrefix(slashed(a.Exe), "/volumes/") && !s.soundsLike(appName(a.Exe)) && !pretextName(appName(a.Exe))
		}
		if i > 6 {
			break
		}
	}
	if root == "" {
		return ""
	}
	found := castOf(l, thiefCast)
	if len(found) < 2 || thiefCast[l.name] == "" || !s.badCast(thiefCast) || blindRoot && !s.knownCast(thiefCast) {
		return ""
	}
	return fmt.Sprintf("%s led to %s: together they ask for, check, gather or bring what an app has no need of.", quoted(root), strings.Join(found, ", "))
}

// appName is the name of the app that a program lies in, or its own.
func appName(exe string) string {
	if app, _, ok := strings.Cut(slashed(exe), ".app/"); ok {
		return baseName(app) + ".app"
	}
	return baseName(exe)
}

// knownCast says whether of one of those programs more is known than that it ran, and
// it is strange.
func (s *subject) knownCast(groups map[string]string) bool {
	bad, _ := s.sortCast(groups)
	return len(bad) > 0
}

var thiefCast = map[string]string{"osascript": "osascript", "dscl": "dscl", "security": "security", "curl": "curl", "nscurl": "curl", "zip": "zip", "ditto": "zip", "xattr": "xattr", "codesign": "xattr",
	"powershell": "powershell", "pwsh": "powershell", "mshta": "mshta", "wscript": "wscript", "cscript": "wscript", "certutil": "certutil", "bitsadmin": "certutil"}

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
		if !landingPlace(a.Exe) && !strings.Contains(slashed(a.Exe), "/appdata/local/apps/2.0/") || signedWell(a.Signature) {
			continue // ClickOnce runs what it has brought from there
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
