package detect

import (
	"fmt"
	"strings"

	"meetguard"
)

// openers hand their user's documents to interpreters only if somebody built
// that into the document.
var openers = set(`winword excel powerpnt onenote outlook acrobat acrord32 foxitpdfreader hh wps et soffice.bin eqnedt32 mspub visio`)

// appletNames run a script that is dressed as an app.
var appletNames = set(`applet droplet`)

// workflows run what somebody put together of actions, a shell line among them.
var workflows = []string{"automator", "shortcuts", "workflow", "shortcutsmachelper"}

// starts weighs how the chain began.
func (w *scale) starts() {
	l := w.l
	w.start(program(l.Exe), l.Exe, l.Signature, l.OriginHost, l.Args, 0)
	for i, a := range l.Ancestors {
		if i > 8 {
			break
		}
		w.start(program(a.Exe), a.Exe, a.Signature, a.OriginHost, a.Args, i+1)
	}
	for _, st := range l.chain {
		if st.Link != meetguard.LinkAncestor {
			continue
		}
		for _, d := range st.Deeds {
			if d.Kind == meetguard.DeedRun && d.What != "program" && d.What != "unpack" && d.What != "open" && !packageScript([]string{"", d.File}) && !readSettings(d) && (landingPlace(d.File) || coveredPlace(d.File)) {
				points := 20
				if tempPlace(d.File) && !coveredPlace(d.File) && shells[d.What] {
					points = 15
				}
				w.add(clueStart, points, fmt.Sprintf("it began with %s", quoted(baseName(d.File))))
			}
		}
	}
	if door := l.door(); door != "" && interpreters[l.topOf(door)] {
		w.add(clueStart, 20, fmt.Sprintf("%s started it with a command", doorName(door)))
	}
	if l.pastedBelow() {
		for _, st := range l.session {
			for _, d := range st.Deeds {
				if points, text := w.from(d.Host); d.Kind == meetguard.DeedOrigin && points > 0 {
					w.came(clueOrigin, 10, "beside what was downloaded: "+text, d.Host)
				}
			}
		}
		w.add(clueStart, 15, "it began with a line in a terminal")
	}
}

// start weighs one program on the way.
func (w *scale) start(name, exe string, sig *meetguard.Signature, origin string, args []string, up int) {
	low := slashed(exe)
	if installedPlace(exe) && (sig == nil || signedWell(sig)) && w.s.namesake(origin, exe) {
		return
	}
	if up == 0 && len(w.l.fetched) > 0 {
		origin = "" // it is that of the download that was seen
	}
	if origin != "" && !inHouse(origin) && !(landingPlace(exe) && w.provenBrand(sig)) {
		if points, text := w.from(origin); points > 0 {
			w.came(clueOrigin, min(points, 30), "the download it began with: "+text, origin)
		}
	}
	switch {
	case name == "script editor", appletNames[name] && strings.HasSuffix(low, "/contents/macos/"+name):
		w.add(clueStart, 30, "it began with a script dressed as an app or opened by hand")
	case name == "hh", name == "mshta", name == "wscript", name == "cscript":
		if up > 0 && (len(args) < 2 || !inHouseScript(args)) {
			w.add(clueStart, 25, fmt.Sprintf("it began with %s", clip(name)))
		}
	case up > 0 && openers[name]:
		w.add(clueStart, 25, fmt.Sprintf("a document in %s started it", clip(name)))
	case workflow(low):
		w.add(clueStart, 25, "a workflow that somebody opened started it")
	case strings.Contains(low, "package_script_service") && origin != "":
		w.opened = true
		w.add(clueStart, 10, "the script of a package started it")
	case strings.Contains(low, "package_script_service"), strings.HasSuffix(low, ".postinst"), strings.HasSuffix(low, ".preinst"), packageScript(args):
		w.add(clueStart, 10, "the script of a package started it")
	case landingPlace(exe) && !interpreters[name], strings.Contains(low, "/programs/startup/"):
		if !w.beganBefore(exe, up) {
			w.unproven(exe, sig)
		}
	case origin != "" && name == "msiexec" && up > 0: // it runs what many honest packages bring along
		w.add(clueStart, 25, "the action of a package started it")
	case origin != "" && w.packaged():
		w.opened = true
		w.add(clueStart, 10, "the script of a package started it")
	case origin != "" && !inHouse(origin) && !w.known(origin):
		w.opened = true
		w.add(clueStart, 25, fmt.Sprintf("%s opened what came from %s", clip(name), clip(origin)))
	}
}

// beganBefore says whether a program where downloads land is not what the chain
// began with: the chain has fetched it, somebody has typed its path, or an
// installed program has started it.
func (w *scale) beganBefore(exe string, up int) bool {
	l := w.l
	if len(l.fetched) > 0 && w.best[clueSource].mere && (up == 0 || l.pastedBelow() && !bareInTemp(exe)) {
		return true
	}
	return up == 0 && (l.typed() && !coveredPlace(exe) && l.runsItself() || l.byInstalled())
}

// byInstalled says whether an installed program, which is no way in, started the
// launch.
func (l *launch) byInstalled() bool {
	p := l.parent()
	return p != "" && installedPlace(l.Ancestors[0].Exe) && !browsers[p] && !handlers[p] && !openers[p] && !interpreters[p] && !portables[p] && !shells[p] && !terminals[p] && !fileManagers[p] && !desktops[p]
}

// packaged says whether the service that runs the scripts of packages led here.
func (w *scale) packaged() bool {
	for _, a := range w.l.above {
		if a == "package_script_service" || a == "dpkg" || a == "rpm" {
			return true
		}
	}
	return false
}

// packageScript says whether an interpreter runs a script of an installer
// package, of which the system shows its user the name and the signer.
func packageScript(args []string) bool {
	for i, a := range args {
		if i > 0 && i < 3 && (strings.Contains(a, "/PKInstallSandbox.") || strings.Contains(a, "/var/lib/dpkg/info/")) {
			return true
		}
	}
	return false
}

// known says whether a host is one that gives out ordinary software.
func (w *scale) known(host string) bool {
	points, _ := w.from(host)
	return points == 0
}

// inHouseScript: the script of a logon or of an installed program.
func inHouseScript(args []string) bool {
	low := slashed(args[len(args)-1])
	for _, a := range args[1:] {
		if a = slashed(a); !strings.HasPrefix(a, "/") && strings.ContainsAny(a, "/:") {
			low = a
			break
		}
	}
	return !landingPlace(low) && !userPlace(low) && !strings.Contains(low, "://")
}

func workflow(low string) bool {
	for _, w := range workflows {
		if strings.Contains(low, w) {
			return strings.Contains(low, "/contents/macos/")
		}
	}
	return false
}

// unproven weighs a program that lies where downloads land.
func (w *scale) unproven(exe string, sig *meetguard.Signature) {
	if strings.Contains(slashed(exe), "/tmp/.mount_") {
		return
	}
	text := fmt.Sprintf("it began with %s, where downloads land", quoted(baseName(exe)))
	switch {
	case sig == nil || sig.Status == meetguard.SignatureUnknown:
		w.add(clueStart, 20, text)
	case sig.Status != meetguard.SignatureValid || sig.Abused != "":
		w.add(clueStart, 30, text+" and nobody vouches for")
	case !w.provenBrand(sig):
		w.add(clueStart, 10, text)
	}
}

// provenBrand: a signature of a brand of the catalogue.
func (w *scale) provenBrand(sig *meetguard.Signature) bool {
	if !signedWell(sig) {
		return false
	}
	for _, b := range w.s.judge.brands {
		if b.proof(*sig) == proven {
			return true
		}
	}
	return false
}

// topOf is the program that a door started.
func (l *launch) topOf(door string) string {
	for i, a := range l.above {
		if a == door {
			if i == 0 {
				return l.name
			}
			return l.above[i-1]
		}
	}
	return ""
}

// pastedBelow says whether the launch goes back to a line that somebody typed
// or pasted into a terminal.
func (l *launch) pastedBelow() bool {
	for i, a := range l.above {
		if !shells[a] && a != "powershell" && a != "pwsh" && a != "cmd" || !idleShell(l.Ancestors[i]) {
			continue
		}
		if i+1 == len(l.above) || terminals[l.above[i+1]] || l.above[i+1] == "login" {
			return true
		}
	}
	return false
}

// brandOrigin: a program that calls itself meeting software came from a host
// that is not its maker's, and nobody knows as a source of software.
func brandOrigin(s *subject) string {
	if s.run == nil || s.run.managed || s.claim == nil || s.proof == proven || s.run.OriginHost == "" || !landingPlace(s.run.Exe) && !otherDrive(slashed(s.run.Exe)) {
		return ""
	}
	h := s.run.OriginHost
	if inHouse(h) || s.judge.official(h) || s.judge.source(meetguard.Fetch{Host: h}) != sourceStrange && !publicAddress(h) {
		return ""
	}
	return fmt.Sprintf("It calls itself %s software (%s) and came from %s, which is not %s's host.", s.claim.brand.Name, s.claim.shown(), clip(h), s.claim.brand.Name)
}
