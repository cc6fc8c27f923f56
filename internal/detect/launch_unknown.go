package detect

import (
	"fmt"
	"strings"

	"meetguard"
)

// Launches of which no more is known than the program, its place and who started
// it. That nothing is known of the arguments supports what else is found, and
// never clears it.

// unknownStep says whether nothing is known of the arguments of a step.
func unknownStep(st meetguard.Step) bool {
	for _, d := range st.Deeds {
		if d.Kind == meetguard.DeedRun && contains(d.Mark, "arguments unknown") {
			return true
		}
	}
	return false
}

// pipeSeconds is how far apart the programs of one line start.
const pipeSeconds = 20

// besidePipe weighs a program that fetches and, right behind it and of the same
// parent, an interpreter, of which nothing is known: it may take what comes. What
// the same shell started in between belongs to them.
func (w *scale) besidePipe() {
	l := w.l
	self := meetguard.Step{PID: l.PID, PPID: l.PPID, Exe: l.Exe, Deeds: l.own, Time: l.Started}
	all := append(append([]meetguard.Step{}, l.session...), l.chain...)
	for _, st := range append([]meetguard.Step{self}, l.chain...) {
		reads := unknownStep(st) && (shells[program(st.Exe)] || program(st.Exe) == "osascript")
		if !reads && (st.Link != "" || !tempPlace(st.Exe) && !coveredPlace(st.Exe)) {
			continue
		}
		from, ok := w.fetchBefore(all, st)
		if !ok {
			continue
		}
		w.add(clueSource, 10, "something is fetched")
		if !reads {
			continue
		}
		w.add(clueRun, 10, "an interpreter starts right behind what fetches something")
		for _, o := range all {
			if o.PPID == st.PPID && o.PID != st.PID && !o.Time.Before(from.Time) && !o.Time.After(st.Time) {
				w.deeds(o.Deeds, false)
			}
		}
	}
}

// fromFinger weighs that a shell of Windows which is given nothing starts right behind
// finger, of the same parent: it takes what comes from there.
func (w *scale) fromFinger() {
	l := w.l
	if l.name != "cmd" && l.name != "powershell" || len(l.words()) > 1 || l.parent() != "cmd" {
		return
	}
	for _, st := range append(append([]meetguard.Step{}, l.session...), l.chain...) {
		if st.PPID == l.PPID && program(st.Exe) == "finger" && soon(st, l.Process) {
			w.deeds(st.Deeds, false)
			w.add(clueRun, 25, "a shell takes what finger brings")
		}
	}
}

// stageReaders are interpreters that an app has no need of.
var stageReaders = set(`osascript python python3 perl ruby php node`)

// fetchBefore is a program that fetches before a step, of the same parent: one of
// which nothing is known, or that puts what it brings into a temporary folder.
func (w *scale) fetchBefore(steps []meetguard.Step, st meetguard.Step) (meetguard.Step, bool) {
	for _, o := range steps {
		if age := st.Time.Sub(o.Time).Seconds(); o.PPID != st.PPID || o.PID == st.PID || !fetchers[program(o.Exe)] || !st.Time.IsZero() && (age < -1 || age > pipeSeconds) {
			continue
		}
		if unknownStep(o) {
			return o, true
		}
		for _, d := range o.Deeds {
			if d.Kind == meetguard.DeedFetch && tempPlace(d.File) && w.host(d.Host).points > 0 {
				return o, true
			}
		}
	}
	return meetguard.Step{}, false
}

// servedParts are parts of Windows that a service starts and nothing else: what an
// interpreter starts under such a name is made to be taken
// for it, or is filled with other code.
// https://attack.mitre.org/techniques/T1055/012/
var servedParts = set(`svchost dllhost taskhostw runtimebroker spoolsv sihost`)

// wrongParent is the program that started a part of Windows in the place of the
// service that does.
func (l *launch) wrongParent() string {
	if l.OS != "windows" || !servedParts[l.name] || len(l.above) == 0 {
		return ""
	}
	if p := l.parent(); interpreters[p] && p != "msiexec" {
		return p
	}
	return ""
}

// connectors speak to the network and run what they are told.
var connectors = set(`socat nc ncat netcat telnet openssl perl php lua awk gawk`)

// lookers ask what machine this is and who uses it.
var lookers = set(`whoami id uname hostname sw_vers ipconfig ifconfig`)

// remoteShell: a program for connections, or an interpreter that nobody uses as a
// terminal, has a shell below it that takes commands, and the first is who and
// where it is.
func (l *launch) remoteShell() bool {
	if !lookers[l.name] || len(l.above) < 2 || !shells[l.above[0]] || !idleShell(l.Ancestors[0]) || !connectors[l.above[1]] {
		return false
	}
	given := len(l.Ancestors[0].Args) > 1 // -i
	return given || !portables[l.above[1]] && l.above[1] != "awk" && l.above[1] != "gawk"
}

// unknownChild: of a launch nothing is known but that a program starts it that has
// no reason to.
func (s *subject) unknownChild() string {
	l := s.run
	if l.known() || len(l.above) < 2 {
		return ""
	}
	p, pp := l.above[0], l.above[1]
	host := l.name == "powershell" || l.name == "pwsh" || l.name == "cmd" || l.name == "mshta" || windowsHosts[l.name]
	switch {
	case !host || !l.blindParent():
	case p == "wmic":
		return "wmic starts " + l.shownRun() + ", as a style sheet with code in it does."
	case p == "ssh" && pp == "explorer":
		return fmt.Sprintf("Windows Explorer started %s, and that %s, as a line that is pasted into the Run window does.", clip(p), l.shownRun())
	}
	return ""
}

// neverBelowBrand are programs that no meeting software starts.
var neverBelowBrand = set(`curl wget certutil bitsadmin mshta dscl powershell`)

// brandStarts is the program that calls itself meeting software, lies where its
// user may write and starts, by a shell or by itself, what the real one never does.
func (s *subject) brandStarts() string {
	l := s.run
	if l.known() || !neverBelowBrand[l.name] {
		return ""
	}
	for i, a := range l.Ancestors[:min(len(l.Ancestors), 2)] {
		low := slashed(a.Exe)
		name := a.Exe
		if app, _, ok := strings.Cut(low, ".app/contents/macos/"); ok {
			name = app + ".app"
		}
		if l.name == "powershell" && i == 0 && l.above[0] != "cmd" {
			return "" // some look for the screens of a machine that way
		}
		if (userPlace(low) || home(low) && strings.Contains(low, "/applications/")) && !signedWell(a.Signature) && (s.soundsLike(name) || s.soundsLike(a.Exe)) {
			return baseName(a.Exe)
		}
		if i == 0 && !(l.blindParent() && (l.above[0] == "cmd" || shells[l.above[0]])) {
			return ""
		}
	}
	return ""
}

// officeStray says whether a program of an office lies anywhere but in the folder
// of its suite: its libraries are taken from beside it there.
func officeStray(low string) bool {
	name := strings.TrimSuffix(baseName(low), ".exe")
	return strings.HasSuffix(low, ".exe") && (officePrograms[name] || name == "onedrivestandaloneupdater") && userPlace(low) && !strings.Contains(low, "office") && !strings.Contains(low, "/onedrive/") && !strings.Contains(low, "/windowsapps/")
}

// mayBring says whether a launch counts of which nothing is known, or which is of a
// download: an interpreter may run anything.
func (s *subject) mayBring() bool {
	l := s.run
	return l.OriginHost != "" && s.strangeness(l.OriginHost).hostile() || !l.known() && (stageReaders[l.name] || l.name == "powershell" || windowsHosts[l.name])
}

// unknownStage weighs that something of a stranger who speaks of meetings was opened
// by hand and has an interpreter run what is not known, or asks for all rights.
func (w *scale) unknownStage() {
	l := w.l
	if l.relay() {
		w.add(clueDetour, 35, "one script host after the other starts the next")
	}
	o := w.best[clueOrigin]
	if o.points < 20 || o.mere || w.best[clueStart].points < 20 {
		return
	}
	if (l.name == "sudo" || l.name == "pkexec") && l.OriginHost == o.host {
		w.add(clueGate, 10, "it asks for all rights")
	}
	for _, st := range append([]meetguard.Step{{Exe: l.Exe, Deeds: l.own}}, l.chain...) {
		if name := program(st.Exe); unknownStep(st) && (stageReaders[name] || name == "powershell" || name == "wscript" || name == "cscript") && !landingPlace(st.Exe) {
			w.add(clueRun, 10, fmt.Sprintf("it has %s run something", clip(name)))
		}
	}
}

// handedOver weighs an interpreter that another language's started on a script in a
// hidden folder.
func (w *scale) handedOver(d meetguard.Deed) {
	if !portables[d.What] || d.What == w.l.parent() || !portables[w.l.parent()] || !coveredPlace(d.File) {
		return
	}
	w.add(clueDetour, 15, fmt.Sprintf("%s has %s run what is hidden", clip(w.l.parent()), clip(d.What)))
}

// promisesFix says whether a name promises to mend something: the brands renew and set
// up, and mend nothing.
func promisesFix(name string) bool {
	for _, w := range []string{"fix", "patch", "repair"} {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}

// relay says whether four script hosts and loaders of Windows start one another: a
// shortcut or a pasted line that has each hide the next.
func (l *launch) relay() bool {
	seen := map[string]bool{}
	for _, name := range append([]string{l.name}, l.above...) {
		if !relayed[name] {
			break
		}
		seen[name] = true
	}
	return len(seen) > 3 && (seen["wscript"] || seen["cscript"] || seen["mshta"])
}

// relayed are programs of Windows that run what they are given.
var relayed = set(`cmd powershell pwsh wscript cscript mshta rundll32 regsvr32`)

// maxOfLine is how many programs a line that is pasted starts one after the other.
const maxOfLine = 6

// oneOfMany says whether the program that started a launch has started so many others
// that somebody types into it.
func (l *launch) oneOfMany() bool {
	n := 0
	for _, st := range append(append([]meetguard.Step{}, l.session...), l.chain...) {
		if st.PPID == l.PPID && st.Link != meetguard.LinkSelf {
			n++
		}
	}
	return n > maxOfLine
}

// blindDesk says whether the desktop of Windows started the shells above a launch,
// of which nothing is known.
func (l *launch) blindDesk() bool {
	for i, a := range l.above {
		if a == "explorer" {
			return i > 0 && !l.oneOfMany()
		}
		if a != "cmd" && a != "powershell" && a != "pwsh" || len(l.Ancestors[i].Args) > 0 || l.Ancestors[i].CommandLine != "" || i > 3 {
			return false
		}
	}
	return false
}
