package detect

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"meetguard"
)

// A chain is weighed as a whole. Each thing that an attack must do and honest
// software seldom does is a clue, and clues of different kinds add up: how it
// began, where what it runs came from, how that is disguised, what it takes, and
// how it stays. No clue is enough alone, and none asks for the name of a tool.

// clue is one reason, of one kind. Of each kind the heaviest counts.
type clue struct {
	kind   string
	points int
	text   string
	host   string // of where something came from
	mere   bool   // that nobody knows the host is all that speaks against it
}

// enough is how many points a chain needs.
const enough = 60

// weighMinutes is how far apart launches of one tree may be to be weighed together:
// what runs for days below one program need not have one purpose.
const weighMinutes = 10

// scale holds the clues of one chain.
type scale struct {
	s    *subject
	l    *launch
	best map[string]clue

	hosts map[string]hostClue // what was found out of each host, once

	piped  bool // something in the chain takes what comes through a pipe
	opened bool // an interpreter or an installer was given what a stranger published
}

func (w *scale) add(kind string, points int, text string) {
	if points > w.best[kind].points {
		w.best[kind] = clue{kind: kind, points: points, text: text}
	}
}

func (w *scale) came(kind string, points int, text, host string) {
	if points > w.best[kind].points {
		w.best[kind] = clue{kind, points, text, host, w.host(host).mere}
	}
}

// Kinds of clues.
const (
	clueStart    = "start"
	cluePlace    = "place"
	clueOrigin   = "origin"
	clueSource   = "source"
	clueRun      = "run"
	clueDisguise = "disguise"
	clueStay     = "stay"
	clueSecret   = "secret"
	cluePack     = "pack"
	clueSend     = "send"
	cluePassword = "password"
	clueGate     = "gate"
	clueHide     = "hide"
	clueEncoded  = "encoded"
	clueOpen     = "open"
	clueLook     = "look"
	clueDetour   = "detour"
)

// hostile are the clues of which a chain needs one, and from how many points on:
// the others are habits of installers and administrators.
var hostile = map[string]int{clueOrigin: 30, cluePlace: 20, clueRun: 20, clueDetour: 15, clueSource: 15, clueDisguise: 15, clueSecret: 15, cluePassword: 15, clueSend: 15, clueOpen: 15, clueStay: 25, clueHide: 15, clueGate: 30, clueEncoded: 25}

// weighed: the clues of the chain are enough, and this launch brings one of
// them.
func weighed(s *subject) string {
	l := s.run
	if l == nil || l.managed {
		return ""
	}
	w := &scale{s: s, l: l, best: map[string]clue{}, hosts: map[string]hostClue{}}
	w.piped = takesPipe(l.own)
	for _, st := range l.chain {
		w.piped = w.piped || takesPipe(st.Deeds)
	}
	w.deeds(l.own, true)
	w.itself()
	w.fromFinger()
	if len(w.best) == 0 && len(l.fetched) == 0 && !tempPlace(l.Exe) && !s.mayBring() {
		return ""
	}
	for _, st := range l.chain {
		if sameTime(st, l.Process) && toDisk(st.Deeds) {
			w.place(st.Exe, nil)
		} else if sameTime(st, l.Process) {
			w.deeds(st.Deeds, false)
			w.place(st.Exe, nil)
		}
	}
	if l.blindDesk() {
		w.add(clueStart, 10, "the desktop started a shell, with what is not known")
	}
	for _, st := range l.pastedBeside() {
		w.deeds(st.Deeds, false)
		w.place(st.Exe, nil)
	}
	for _, d := range l.fetched {
		d.Mark = append([]string{"run"}, d.Mark...)
		w.bring(d)
	}
	w.besidePipe()
	w.toolsBeside()
	w.ran()
	w.freed()
	w.admits()
	w.starts()
	w.unknownStage()
	return w.verdict()
}

func sameTime(st meetguard.Step, p *meetguard.Process) bool {
	return st.Time.IsZero() || p.Started.IsZero() || p.Started.Sub(st.Time).Abs().Minutes() < weighMinutes
}

// besideSeconds is how far apart programs that one line starts are, and maxBeside
// how many of them count.
const (
	besideSeconds = 15
	maxBeside     = 3
)

// pastedBeside are the launches before this one by the same shell, where the
// desktop of Windows started it and nothing is known of it: it may have been given
// all of them in one line.
func (l *launch) pastedBeside() []meetguard.Step {
	if len(l.above) < 2 || l.above[0] != "cmd" && l.above[0] != "powershell" && l.above[0] != "pwsh" || !l.blindParent() || l.above[1] != "explorer" {
		return nil
	}
	var out []meetguard.Step
	for _, st := range l.session {
		if st.PPID == l.PPID && (st.Time.IsZero() || l.Started.Sub(st.Time).Seconds() < besideSeconds) {
			out = append(out, st)
		}
	}
	if len(out) > maxBeside {
		return nil // somebody types
	}
	return out
}

// blindParent says whether nothing is known of what the parent was given.
func (l *launch) blindParent() bool {
	return len(l.Ancestors) > 0 && len(l.Ancestors[0].Args) == 0 && l.Ancestors[0].CommandLine == ""
}

func (w *scale) verdict() string {
	if o := w.best[clueOrigin]; o.host != "" && oneHouse(o.host, w.best[clueSource].host) {
		o.points /= 2 // one fact
		w.best[clueOrigin] = o
	}
	if o := w.best[clueOrigin]; o.mere && o.points > 15 && w.packaged() {
		o.points = 15 // its installer has shown who signed it, and asked
		w.best[clueOrigin] = o
	}
	sum, list, bad := 0, []clue{}, false
	for _, c := range w.best {
		sum += c.points
		list = append(list, c)
	}
	if w.best[cluePlace].points >= 20 && w.best[clueStay].points >= 20 {
		sum += 5 // what is out of the way is what stays
	}
	for k, from := range hostile {
		bad = bad || w.best[k].points >= from && !w.best[k].mere
	}
	if w.opened && w.best[clueOrigin].points >= 20 && sum >= enough+5 {
		bad = true // code of a stranger that somebody opened does several of these
	}
	if w.best[clueOrigin].points >= 20 && w.best[clueSecret].points >= 10 {
		bad = true // what came from a stranger has no business with private data
	}
	if o := w.best[clueOrigin]; o.points >= 20 && (w.best[clueStart].points >= 25 || w.best[clueStart].points >= 20 && w.best[clueHide].points >= 10) && w.host(o.host).pretext {
		bad = true // somebody opened the script of a stranger who speaks of meetings
	}
	if sum < enough || !bad || len(list) < 2 {
		return ""
	}
	sort.Slice(list, func(a, b int) bool {
		return list[a].points > list[b].points || list[a].points == list[b].points && list[a].kind < list[b].kind
	})
	var words []string
	for i, c := range list {
		if i < 5 {
			words = append(words, c.text)
		}
	}
	return fmt.Sprintf("Taken together, this chain is that of an attack (%s): %s.", w.l.via(), strings.Join(words, "; "))
}

// deeds weighs what a step does.
func (w *scale) deeds(list []meetguard.Deed, own bool) {
	probes := 0
	for _, d := range list {
		switch d.Kind {
		case meetguard.DeedFetch, meetguard.DeedFetchRun:
			w.bring(d)
		case meetguard.DeedOrigin:
			if points, text := w.from(d.Host); points > 0 && !own && !(installedPlace(d.File) && w.s.namesake(d.Host, d.File)) {
				w.came(clueOrigin, min(points, 30), "the download it began with: "+text, d.Host)
			}
		case meetguard.DeedRun:
			w.runs(d)
			if contains(d.Mark, "arguments unknown") {
				w.blind(program(d.File), d.File)
			}
		case meetguard.DeedPersist:
			w.stays(d)
		case meetguard.DeedSecret:
			w.takes(d)
		case meetguard.DeedPack:
			if otherDrive(slashed(d.From)) && userPlace(d.File) {
				w.add(clueSource, 10, "something is copied from another drive")
			}
			if coveredPlace(d.File) && !dotFile(d.File) {
				w.add(cluePack, 10, "something is gathered where nobody looks")
				if low := slashed(d.File); home(low) && strings.Contains(low, "/library/.") {
					w.add(clueHide, 15, "something is put into a hidden folder of the library")
				}
			}
		case meetguard.DeedUpload:
			w.sends(d)
		case meetguard.DeedPrompt:
			w.add(cluePassword, 25, "a script asks for a password")
			if own && w.s.asksAsBrand() {
				w.add(clueDisguise, 20, "its window speaks of meeting software")
			}
		case meetguard.DeedCheck:
			if w.l.typed() {
				break
			}
			w.add(cluePassword, 30, "a script checks a password")
		case meetguard.DeedChmod:
			if contains(d.Mark, "setuid") {
				w.add(clueGate, 25, fmt.Sprintf("%s is given the rights of its owner", quoted(baseName(d.File))))
			}
		case meetguard.DeedDequarantine, meetguard.DeedResign:
			if low := slashed(d.File); d.Kind == meetguard.DeedResign && (strings.HasPrefix(low, "/library/") || strings.HasPrefix(low, "/applications/")) {
				points := 15
				if l := w.l; l.cast["rm"] && strings.HasPrefix(low, "/applications/") && !l.pastedBelow() && slices.ContainsFunc(l.Ancestors, func(a meetguard.Process) bool { return landingPlace(a.Exe) }) {
					points = 30 // what was there is gone
				}
				w.add(clueGate, points, "a program is signed anew")
			}
			if hotPlace(d.File) || landingPlace(d.File) || coveredPlace(d.File) {
				w.add(clueGate, 20, "the system's check of a file is put off")
			}
		case meetguard.DeedBlind:
			w.add(clueGate, 30, "the virus scanner is kept from looking")
		case meetguard.DeedTrust:
			if !inHouse(d.Host) {
				w.add(clueGate, 15, "a certificate or proxy is to be trusted")
			}
		case meetguard.DeedAdmit:
			if contains(d.Mark, "web") {
				w.add(clueOpen, 10, "a page of this machine is shown to others")
				break
			}
			if contains(d.Mark, renamed) {
				w.add(clueDisguise, 25, w.l.shownRun()+" is another tool by what it is told")
			}
			if d.What == "remote control" {
				w.broughtBefore()
				w.calledBrand(d)
			}
			if points, _ := w.from(d.Host); points > 0 && !w.l.typed() {
				w.add(clueOpen, 35, "a way back is opened for "+clip(d.Host))
			}
			points := 25
			if d.What == "account" && w.l.hasAbove("ansible-pull") || (d.What == "account" || d.What == "group") && ((w.l.ownScriptAbove() || w.l.blindAsRoot()) && w.l.pastedBelow() && len(w.l.fetched) == 0 && w.best[clueSource].points == 0) {
				points = 10 // who sets up machines makes accounts
			} else if d.What == "privacy list" && !w.l.typed() {
				points = 40
				w.byStray()
			}
			w.add(clueOpen, points, "a way in is opened for somebody else ("+clip(d.What)+")")
		case meetguard.DeedSpy:
			w.spies(d)
		case meetguard.DeedConnect:
			if contains(d.Mark, "shell") && d.Host == "" && w.l.typed() {
				w.add(clueOpen, 25, "a connection is given a shell")
			} else if contains(d.Mark, "shell") && !inHouse(d.Host) {
				w.add(clueOpen, 50, "a connection is given a shell")
			} else if points, _ := w.from(d.Host); points > 0 {
				w.add(clueOpen, 15, "code in a command line opens a connection to "+clip(d.Host))
			}
		case meetguard.DeedUnpack:
			if low := slashed(d.File); d.What == "certutil" && runExt[pathExt(low)] {
				w.add(clueEncoded, 25, fmt.Sprintf("%s is decoded out of a text", quoted(baseName(low))))
				if fileKey(d.File) == fileKey(w.l.Exe) {
					w.add(clueRun, 20, "and it is run")
				}
			}
		case meetguard.DeedHide:
			switch {
			case d.What == "background":
				w.add(clueHide, 5, "it goes on in the background")
			case d.What == "machine":
				w.machine(d)
			case d.What == "detour":
				w.add(clueDetour, 15, "a program is started by another's hand")
			default:
				w.add(clueHide, 10, "it works out of sight")
			}
		case meetguard.DeedEncoded:
			points, text := 15, "a command is encoded"
			if low := slashed(d.File); d.From != "" && tempPlace(low) && (pathExt(low) == ".sh" || scriptExt[pathExt(low)]) {
				points, text = 25, fmt.Sprintf("%s comes out of a cipher", quoted(baseName(low)))
			}
			w.add(clueEncoded, points, text)
		case meetguard.DeedProbe:
			if probes++; probes > 1 && own {
				w.add(clueLook, 5, "it looks around")
			}
		}
		w.disguised(d, own)
	}
}

// calledBrand weighs that a tool which lets somebody in is to be listed by the name of
// meeting software.
func (w *scale) calledBrand(d meetguard.Deed) {
	for _, m := range d.Mark {
		name, ok := strings.CutPrefix(m, "called ")
		for brand := range meetingNames {
			if ok && strings.HasPrefix(name, brand) {
				w.add(clueDisguise, 20, fmt.Sprintf("it is to be listed as %s", quoted(name)))
			}
		}
	}
}

// byStray says, and weighs, that a program in a folder of its user, for which nobody vouches, and
// no interpreter, started the launch.
func (w *scale) byStray() bool {
	if len(w.l.Ancestors) == 0 {
		return false
	}
	a := w.l.Ancestors[0]
	stray := userPlace(a.Exe) && !signedWell(a.Signature) && !interpreters[w.l.above[0]] && !portables[w.l.above[0]] && !installedPlace(a.Exe)
	if stray {
		w.add(clueStart, 20, fmt.Sprintf("it began with %s, in a folder of its user", quoted(baseName(a.Exe))))
	}
	return stray
}

// broughtBefore weighs that the same terminal brought something from a host that
// there is more to say of than that nobody knows it, before it let somebody in.
func (w *scale) broughtBefore() {
	for _, st := range w.l.session {
		for _, d := range st.Deeds {
			if d.Kind == meetguard.DeedFetch && d.File != "" && w.host(d.Host).hostile() && sameTime(st, w.l.Process) {
				points, text := w.from(d.Host)
				w.came(clueSource, points, text, d.Host)
			}
		}
	}
}

// runs weighs where the program or the script of a step lies.
func (w *scale) runs(d meetguard.Deed) {
	low := slashed(d.File)
	switch {
	case d.What == "unpack" || d.What == "hdiutil" || d.What == "open" && !coveredPlace(d.File):
		return
	case d.What == "package":
		if w.s.soundsLike(d.File) && landingPlace(low) {
			w.add(clueDisguise, 10, fmt.Sprintf("%s is installed by hand", quoted(baseName(low))))
		}
		return
	case ownAction.MatchString(strings.ToLower(baseName(d.File))), givenPackage(d), readSettings(d):
		return
	case (d.What == "rundll32" || d.What == "regsvr32") && (bareIn(low, "/appdata/local/temp/") || bareIn(low, "%temp%/")):
		w.add(cluePlace, 20, fmt.Sprintf("%s is loaded from a temporary folder", quoted(baseName(low))))
	}
	if d.What == "rundll32" && home(low) && strings.Contains(low, "/appdata/roaming/") {
		w.add(clueDetour, 15, fmt.Sprintf("%s is loaded from a profile", quoted(baseName(low))))
	}
	if proxies[d.What] && (landingPlace(low) || coveredPlace(low)) {
		w.add(clueDetour, 20, fmt.Sprintf("%s is handed to %s", quoted(baseName(low)), clip(d.What)))
	}
	if portables[d.What] && dataExt[pathExt(low)] && (landingPlace(low) || coveredPlace(low)) {
		w.add(clueDisguise, 20, fmt.Sprintf("%s is code by the name of something else", quoted(baseName(low))))
	}
	if shells[d.What] && dataExt[pathExt(low)] && strings.HasPrefix(low, "/volumes/") && strings.Count(low, "/") == 3 {
		points := 20
		if w.s.soundsLike(strings.Split(low, "/")[2]) || w.s.soundsLike(low) || pretextName(low) {
			points = 35
		}
		w.add(clueDisguise, points, fmt.Sprintf("%s, on an image, is code by the name of something else", quoted(baseName(low))))
	}
	if portables[d.What] && pathExt(low) == "" && coveredPlace(low) && strings.Contains(low, "/.") {
		w.add(clueDisguise, 10, fmt.Sprintf("%s is code without an ending, in a hidden folder", quoted(baseName(low))))
	}
	if windowsHosts[d.What] && dataExt[pathExt(low)] && userPlace(low) {
		w.add(clueDisguise, 35, fmt.Sprintf("%s is code by the name of something else", quoted(baseName(low))))
	}
	if officeStray(low) {
		w.add(clueDisguise, 35, fmt.Sprintf("%s runs far from the suite that it is of", quoted(baseName(low))))
	}
	w.handedOver(d)
	w.place(d.File, nil)
}

// readSettings says whether a shell reads a file of settings (`. ./.env`): its
// name is hidden, as those of settings are, and it lies in plain sight.
func readSettings(d meetguard.Deed) bool {
	low := slashed(d.File)
	i := strings.LastIndexByte(low, '/')
	return contains(d.Mark, "sourced") && hiddenName(baseName(low)) && i > 0 && !coveredPlace(low[:i]+"/x") && !tempPlace(low) && !landingPlace(low)
}

// givenPackage says whether the system's own installer is given a package in a
// temporary folder, where everybody puts what is to be installed.
func givenPackage(d meetguard.Deed) bool {
	low := slashed(d.File)
	return systemInstallers[d.What] && tempPlace(low) && !hiddenName(baseName(low)) && !strings.Contains(low, "/.") && !strings.Contains(low, "/users/public/") && !strings.HasPrefix(low, "/users/shared/")
}

// dataExt are endings of what no interpreter is honestly given to run.
var dataExt = set(`.dat .bin .txt .log .tmp .jpg .jpeg .png .gif .ico .mp4 .mp3 .wav .pdf .doc .docx .db .dll .sys .cfg .ini .json`)

// oddEnding are endings of programs that hardly anybody knows as such.
var oddEnding = set(`.scr .pif .com`)

// place weighs where something that runs lies, and what it is called.
func (w *scale) place(file string, sig *meetguard.Signature) {
	if signedWell(sig) {
		return
	}
	if sideloaded(slashed(file)) {
		w.add(cluePlace, 20, fmt.Sprintf("%s is of a package that its store never saw", quoted(baseName(file))))
	}
	if strings.Contains(slashed(file), "/programs/startup/") {
		w.add(cluePlace, 25, fmt.Sprintf("%s lies in the folder of what starts by itself", quoted(baseName(file))))
	}
	if low := slashed(file); strings.HasPrefix(low, "/volumes/") && !hiddenName(baseName(low)) && coveredPlace(file) {
		w.add(cluePlace, 15, fmt.Sprintf("%s runs from a hidden folder of an image", quoted(baseName(file)))) // old setups keep their parts there
	} else if home(low) && bareIn(low, "/library/") && coveredPlace(file) {
		w.add(cluePlace, 25, fmt.Sprintf("%s runs from the folder of folders", quoted(baseName(file))))
	} else if coveredPlace(file) || home(low) && strings.Contains(low, "/library/application support/com.apple.") {
		w.add(cluePlace, 20, fmt.Sprintf("%s runs from where no setup puts anything", quoted(baseName(file))))
	}
}

// itself weighs the program of the launch.
func (w *scale) itself() {
	l := w.l
	w.place(l.Exe, l.Signature)
	if odd := oddParents[l.parent()]; (odd || opensScripts[l.parent()]) && (interpreters[l.name] || lolbins[l.name] || odd && userPlace(l.Exe)) && l.name != l.parent() {
		points := 15
		if !odd {
			points = 10
		}
		w.add(clueDetour, points, fmt.Sprintf("%s starts %s", clip(l.parent()), l.shownRun()))
	}
	if hiddenName(baseName(slashed(l.Exe))) && coveredPlace(l.Exe) && !signedWell(l.Signature) {
		w.add(clueDisguise, 25, fmt.Sprintf("%s is a hidden program", quoted(baseName(l.Exe))))
	}
	if low := slashed(l.Exe); userPlace(low) && oddEnding[pathExt(low)] {
		w.add(clueDisguise, 20, fmt.Sprintf("%s is a program by its ending alone", quoted(baseName(low))))
	}
	if (tempPlace(l.Exe) || coveredPlace(l.Exe)) && loadsByEntry(l) {
		w.add(clueRun, 30, fmt.Sprintf("%s is given a library and where to enter it, as rundll32 is", l.shownRun()))
		w.add(clueDisguise, 30, l.shownRun()+" is another tool by what it is told")
	}
	for _, p := range append([]meetguard.Process{*l.Process}, l.Ancestors...) {
		if l.OS == "darwin" && strayDaemon(p) {
			points := 25
			if !l.pastedBelow() && l.Exe != p.Exe {
				points = 45 // it does things for somebody
			}
			w.add(clueDisguise, points, fmt.Sprintf("%s is named like a part of the system", quoted(baseName(p.Exe))))
		}
	}
	if app, _, _ := strings.Cut(strings.TrimSuffix(program(appName(l.Exe)), ".app"), "-"); coveredPlace(l.Exe) && (letsIn[l.name] || remoteTools[app]) {
		w.add(clueOpen, 25, fmt.Sprintf("%s lets somebody in, from where no setup puts anything", quoted(app)))
	}
	w.inBrandFolder(l.Exe)
	if low := slashed(l.Exe); landingPlace(low) && paperApp(low) {
		w.add(clueDisguise, 25, fmt.Sprintf("%s is an app that is named like a document", quoted(baseName(strings.SplitN(low, ".app/", 2)[0]))))
	}
	if file := l.startsBrought(); file != "" {
		w.add(clueRun, 20, fmt.Sprintf("%s was brought along with what it runs", quoted(baseName(file))))
	}
	if userPlace(l.Exe) && !signedWell(l.Signature) && broughtAlong(l) {
		w.add(clueRun, 20, fmt.Sprintf("%s was brought along with what it runs", l.shownRun()))
	}
}
