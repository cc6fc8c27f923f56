package detect

import (
	"fmt"
	"strings"

	"meetguard"
)

// What is weighed of downloads: where they come from and how they are run.

// bring weighs where something comes from.
func (w *scale) bring(d meetguard.Deed) {
	if contains(d.Mark, "answer") && !contains(d.Mark, "run") {
		return // what another machine said, and nobody ran it
	}
	points, text := w.from(d.Host)
	if points > 0 && contains(d.Mark, "hidden") && d.What != "msiexec" {
		w.add(clueHide, 15, "what is fetched is run out of sight")
	}
	if points > 10 && (contains(d.Mark, "insecure") || oddFetchers[d.What] || d.What == "name service") {
		points += 10
	}
	if points > 10 && w.host(d.Host).mere && d.File == "" && w.s.namesakeAbove(d.Host) {
		points = 10 // it asks its maker
	}
	if d.Kind == meetguard.DeedFetch && d.File == "" && !w.piped && !contains(d.Mark, "run") && !(w.host(d.Host).hostile() && w.l.blindDesk()) {
		points = min(points, 10) // an answer that is shown
	}
	if d.What == "share" && !contains(d.Mark, "run") && w.host(d.Host).mere {
		points = min(points, 10) // a folder of others, and nothing was run from it
	}
	w.came(clueSource, points, text, d.Host)
	if d.Kind == meetguard.DeedFetchRun && points > 0 && evaluators[d.What] {
		w.add(clueRun, atOnce(d), "what it brings is evaluated at once")
	} else if d.Kind == meetguard.DeedFetchRun && points > 0 {
		w.came(clueRun, atOnce(d), "what it brings is run at once", d.Host)
	}
	if w.host(d.Host).pretext {
		w.add(clueDisguise, 10, "a host is named for the occasion")
	}
}

// evaluators run a text that they have brought themselves, as no installation
// line of a maker does.
var evaluators = set(`ruby perl php python node osascript lua tclsh swift deno`)

// atOnce weighs that a download is run in one go. Packages of languages are
// installed that way every day.
func atOnce(d meetguard.Deed) int {
	if contains(d.Mark, "package") || contains(d.Mark, blindly) {
		return 10
	}
	if d.Kind == meetguard.DeedFetch {
		return 15 // a pipe, as in the installation lines of many makers
	}
	return 20
}

// takesPipe says whether a step runs, unpacks or decodes what comes to it
// through a pipe.
func takesPipe(list []meetguard.Deed) bool {
	for _, d := range list {
		switch d.Kind {
		case meetguard.DeedRead:
			return true
		case meetguard.DeedPersist:
			if contains(d.Mark, "pipe") {
				return true
			}
		case meetguard.DeedUnpack, meetguard.DeedEncoded:
			if d.From == "" && d.What != "eval" && d.What != "powershell" && d.What != "split" && d.What != "inline" {
				return true
			}
		}
	}
	return false
}

// oddFetchers are not made for bringing files, and honest scripts have better
// ones.
var oddFetchers = set(`certutil bitsadmin mpcmdrun desktopimgdownldr certoc certreq cmdl32 configsecuritypolicy imewdbld finger hh mspub msohtmed winword excel powerpnt extexport ieexplore nscurl openssl nc ncat netcat socat telnet ftp tftp msxsl wmic pubprn presentationhost ieexec`)

// ran weighs that what was brought is run.
func (w *scale) ran() {
	if w.best[clueSource].points > 0 {
		for _, d := range w.l.own {
			if d.Kind == meetguard.DeedRun && d.What != "unpack" && d.What != "open" && !givenPackage(d) && (coveredPlace(d.File) || hotPlace(d.File)) {
				points := 20
				if !coveredPlace(d.File) && w.best[clueSource].mere {
					points = 10
				} else if !coveredPlace(d.File) {
					points = 15
				}
				w.add(clueRun, points, fmt.Sprintf("%s is run, beside what was brought", quoted(baseName(d.File))))
			}
		}
	}
	for _, d := range w.l.fetched {
		if contains(d.Mark, encrypted) {
			w.add(clueEncoded, 25, fmt.Sprintf("what was fetched is decoded before it is run (%s)", quoted(baseName(d.File))))
		}
		switch {
		case w.best[clueSource].points == 0:
		case d.Kind == meetguard.DeedFetchRun || d.File == "":
			w.came(clueRun, atOnce(d), "what it brings is run at once", d.Host)
		case (coveredPlace(d.File) || tempPlace(d.File)) && !w.installs() && !w.movedOut(d):
			w.fromTemp(d)
		default:
			w.add(clueRun, 10, fmt.Sprintf("it is run (%s)", quoted(baseName(d.File))))
		}
	}
}

// movedOut says whether what came in an archive is run from a folder that is
// neither temporary nor hidden.
func (w *scale) movedOut(d meetguard.Deed) bool {
	if !archiveExt[pathExt(slashed(d.File))] {
		return false
	}
	for _, o := range w.l.own {
		if o.Kind == meetguard.DeedRun && o.What != "unpack" && (coveredPlace(o.File) || tempPlace(o.File)) {
			return false
		}
	}
	return true
}

// bareInTemp says whether a file lies in a temporary folder itself, and not in one
// that was made in it for the purpose.
func bareInTemp(p string) bool {
	low := strings.TrimPrefix(slashed(p), "/private")
	for _, folder := range []string{"/tmp/", "/var/tmp/", "/dev/shm/", "/appdata/local/temp/", "/windows/temp/", "/users/public/", "/users/shared/", "$tmpdir/"} {
		if bareIn(low, folder) {
			return true
		}
	}
	return false
}

// served says whether a service of the system led to the launch, and nobody's
// desktop, terminal or browser.
func (l *launch) served() bool {
	if len(l.above) < 2 || !systemDoors[l.above[len(l.above)-1]] && !serviceRoots[l.above[len(l.above)-1]] {
		return false
	}
	for i, a := range l.above[:len(l.above)-1] {
		if terminals[a] || desktops[a] || fileManagers[a] || browsers[a] || handlers[a] || a == "explorer" || a == "finder" || l.OS == "darwin" && strings.Contains(l.Ancestors[i].Exe, ".app/") {
			return false
		}
	}
	return true
}

// runsItself says whether the launch is one of a program by its own path, and not
// of one that is given something to run.
func (l *launch) runsItself() bool {
	for _, d := range l.own {
		if d.Kind == meetguard.DeedRun && d.What != "program" {
			return false
		}
	}
	return !interpreters[l.name] && !portables[l.name]
}

// fromTemp weighs that a download is run from a temporary folder. People who look
// into a script before they run it have it there.
func (w *scale) fromTemp(d meetguard.Deed) {
	text := fmt.Sprintf("it is run from where it was put (%s)", quoted(baseName(d.File)))
	if w.l.typed() && (shells[w.l.name] || w.l.name == "sudo" || w.l.name == "doas" || w.l.runsItself()) && !coveredPlace(d.File) && !hiddenName(baseName(slashed(d.File))) {
		w.came(clueRun, 15, text, d.Host)
		return
	}
	if w.best[clueSource].mere && w.l.pastedBelow() && !coveredPlace(d.File) && !bareInTemp(d.File) && !hiddenName(baseName(slashed(d.File))) {
		w.came(clueRun, 15, text, d.Host) // the lines of makers bring their installers that way
		return
	}
	if w.best[clueSource].mere && w.l.served() && !coveredPlace(d.File) {
		w.came(clueRun, 10, text, d.Host) // a build machine has its tools there
		return
	}
	w.add(clueRun, 20, text)
}
