package detect

import (
	"fmt"
	"sort"
	"strings"
	"time"

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
}

// enough is how many points a chain needs.
const enough = 60

// weighSpan is how far apart launches of one tree may be to be weighed together:
// what runs for days below one program need not have one purpose.
const weighSpan = 10 * time.Minute

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
		w.best[kind] = clue{kind, points, text, host}
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
var hostile = map[string]int{clueOrigin: 30, cluePlace: 20, clueRun: 20, clueDetour: 15, clueSource: 15, clueDisguise: 15, clueSecret: 15, cluePassword: 15, clueSend: 15, clueOpen: 15, clueStay: 25, clueGate: 30}

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
	if len(w.best) == 0 && len(l.fetched) == 0 {
		return ""
	}
	for _, st := range l.chain {
		if sameTime(st.Time, l.Started) {
			w.deeds(st.Deeds, false)
			w.place(st.Exe, nil)
		}
	}
	for _, d := range l.fetched {
		d.Mark = append([]string{"run"}, d.Mark...)
		w.bring(d)
	}
	w.ran()
	w.admits()
	w.starts()
	return w.verdict()
}

func sameTime(a, b time.Time) bool { return a.IsZero() || b.IsZero() || b.Sub(a).Abs() < weighSpan }

func (w *scale) verdict() string {
	if o := w.best[clueOrigin]; o.host != "" && o.host == w.best[clueSource].host {
		o.points /= 2 // one fact
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
		bad = bad || w.best[k].points >= from
	}
	if w.opened && w.best[clueOrigin].points >= 20 && sum >= enough+5 {
		bad = true // code of a stranger that somebody opened does several of these
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
		case meetguard.DeedRun:
			w.runs(d)
			if contains(d.Mark, "arguments unknown") {
				w.blind(program(d.File))
			}
		case meetguard.DeedPersist:
			w.stays(d)
		case meetguard.DeedSecret:
			w.takes(d)
		case meetguard.DeedPack:
			if coveredPlace(d.File) && !dotFile(d.File) {
				w.add(cluePack, 10, "something is gathered where nobody looks")
			}
		case meetguard.DeedUpload:
			w.sends(d)
		case meetguard.DeedPrompt:
			w.add(cluePassword, 25, "a script asks for a password")
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
				w.add(clueGate, 15, "a program is signed anew")
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
			if points, _ := w.from(d.Host); points > 0 && !w.l.typed() {
				w.add(clueOpen, 35, "a way back is opened for "+clip(d.Host))
			}
			w.add(clueOpen, 25, "a way in is opened for somebody else ("+clip(d.What)+")")
		case meetguard.DeedSpy:
			w.add(clueOpen, 15, "the "+clip(d.What)+" is taken")
		case meetguard.DeedConnect:
			if contains(d.Mark, "shell") && !inHouse(d.Host) {
				w.add(clueOpen, 50, "a connection is given a shell")
			}
		case meetguard.DeedHide:
			switch {
			case d.What == "background":
				w.add(clueHide, 5, "it goes on in the background")
			case d.What == "detour":
				w.add(clueDetour, 15, "a program is started by another's hand")
			default:
				w.add(clueHide, 10, "it works out of sight")
			}
		case meetguard.DeedEncoded:
			w.add(clueEncoded, 15, "a command is encoded")
		case meetguard.DeedProbe:
			if probes++; probes > 1 && own {
				w.add(clueLook, 5, "it looks around")
			}
		}
		w.disguised(d, own)
	}
}

// bring weighs where something comes from.
func (w *scale) bring(d meetguard.Deed) {
	if contains(d.Mark, "answer") && !contains(d.Mark, "run") {
		return // what another machine said, and nobody ran it
	}
	points, text := w.from(d.Host)
	if points > 0 && (contains(d.Mark, "insecure") || oddFetchers[d.What]) {
		points += 10
	}
	if d.Kind == meetguard.DeedFetch && d.File == "" && !w.piped && !contains(d.Mark, "run") {
		points = min(points, 10) // an answer that is shown
	}
	w.came(clueSource, points, text, d.Host)
	if d.Kind == meetguard.DeedFetchRun && points > 0 {
		w.add(clueRun, atOnce(d), "what it brings is run at once")
	}
	if w.host(d.Host).pretext {
		w.add(clueDisguise, 10, "a host is named for the occasion")
	}
}

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
var oddFetchers = set(`certutil bitsadmin mpcmdrun desktopimgdownldr certoc certreq cmdl32 configsecuritypolicy imewdbld finger hh mspub msohtmed winword excel powerpnt extexport ieexplore nscurl openssl nc ncat netcat socat telnet ftp tftp name msxsl wmic pubprn presentationhost ieexec name-service`)

// hostClue is how strange a host is.
type hostClue struct {
	points  int
	text    string
	pretext bool // its name speaks of meetings and of mending, or has a brand's name in it
}

// from says how strange a host is.
func (w *scale) from(host string) (int, string) {
	c := w.host(host)
	return c.points, c.text
}

func (w *scale) host(host string) hostClue {
	if host == "" || inHouse(host) {
		return hostClue{}
	}
	c, ok := w.hosts[host]
	if !ok {
		c = w.s.strangeness(host)
		w.hosts[host] = c
	}
	return c
}

func (s *subject) strangeness(host string) hostClue {
	if publicAddress(host) {
		return hostClue{points: 30, text: fmt.Sprintf("something comes from a bare address (%s)", clip(host))}
	}
	kind := s.judge.source(meetguard.Fetch{Host: host})
	if kind == sourceInside {
		return hostClue{}
	}
	if s.judge.Host(host).Level != meetguard.Clean {
		return hostClue{40, fmt.Sprintf("something comes from a lookalike (%s)", clip(host)), true}
	}
	switch kind {
	case sourceStrange:
		return hostClue{25, fmt.Sprintf("something comes from a host that nobody knows (%s)", clip(host)), s.namedFor(host)}
	case sourceAnybody:
		return hostClue{20, fmt.Sprintf("something comes from where anybody can put a file (%s)", clip(host)), s.namedFor(host)}
	}
	return hostClue{}
}

// occasions are words of the hosts of lures: what the victim is told that it is
// about.
var occasions = set(`meet meets meeting meetings call calls callroom join invite invitation interview interviews hiring hire recruit recruiter recruiting talent candidate onboarding assessment
	camera cam webcam mic microphone audio sound voice headset speaker video codec webrtc rtc driver drivers screenshare conference conferencing webinar transcript transcripts transcriber recording recordings
	verify verification captcha fix fixes repair patch troubleshoot diag`)

// namedFor: the name of a host speaks of meetings or of mending, or has the name
// of a brand in it.
func (s *subject) namedFor(host string) bool {
	for _, word := range strings.FieldsFunc(host, func(c rune) bool { return c == '.' || c == '-' }) {
		if occasions[word] || len(s.judge.owners[word]) > 0 {
			return true
		}
	}
	return pretextName(host)
}

// blindClues are what a tool alone stands for where its arguments are unknown.
var blindClues = map[string]clue{
	"curl": {kind: clueSource, points: 10, text: "something is fetched"}, "wget": {kind: clueSource, points: 10, text: "something is fetched"}, "nscurl": {kind: clueSource, points: 10, text: "something is fetched"},
	"certutil": {kind: clueSource, points: 10, text: "something is fetched or decoded"}, "bitsadmin": {kind: clueSource, points: 10, text: "something is fetched"},
	"launchctl": {kind: clueStay, points: 10, text: "a service is handled"}, "crontab": {kind: clueStay, points: 10, text: "the list of cron is handled"}, "schtasks": {kind: clueStay, points: 10, text: "a task is handled"}, "at": {kind: clueStay, points: 10, text: "a job is left"},
	"zip": {kind: cluePack, points: 5, text: "something is packed"}, "ditto": {kind: cluePack, points: 5, text: "something is packed"},
	"dscl": {kind: cluePassword, points: 10, text: "accounts are handled"}, "security": {kind: clueSecret, points: 10, text: "keychains are handled"}, "zenity": {kind: cluePassword, points: 10, text: "a window asks for something"},
	"xattr": {kind: clueGate, points: 10, text: "marks of a file are handled"}, "codesign": {kind: clueGate, points: 10, text: "a signature is handled"},
	"attrib": {kind: clueHide, points: 5, text: "a file is hidden"}, "base64": {kind: clueEncoded, points: 10, text: "something is decoded"}, "openssl": {kind: clueEncoded, points: 5, text: "something is decoded"},
	"mshta": {kind: clueDetour, points: 15, text: "mshta runs"}, "regsvr32": {kind: clueDetour, points: 5, text: "a library is loaded"}, "sqlite3": {kind: clueSecret, points: 5, text: "a store is read"}, "screencapture": {kind: clueOpen, points: 10, text: "the screen is taken"},
	"whoami": {kind: clueLook, points: 5, text: "it looks around"}, "systeminfo": {kind: clueLook, points: 5, text: "it looks around"}, "ioreg": {kind: clueLook, points: 5, text: "it looks around"}, "nohup": {kind: clueHide, points: 5, text: "it goes on in the background"},
}

// blind weighs a tool of which no more is known than that it ran.
func (w *scale) blind(name string) {
	if c, ok := blindClues[name]; ok {
		w.add(c.kind, c.points, c.text)
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
	case (d.What == "rundll32" || d.What == "regsvr32") && (bareIn(low, "/appdata/local/temp/") || bareIn(low, "%temp%/")):
		w.add(cluePlace, 20, fmt.Sprintf("%s is loaded from a temporary folder", quoted(baseName(low))))
	}
	w.place(d.File, nil)
}

// oddEnding are endings of programs that hardly anybody knows as such.
var oddEnding = set(`.scr .pif .com`)

// place weighs where something that runs lies, and what it is called.
func (w *scale) place(file string, sig *meetguard.Signature) {
	if signedWell(sig) {
		return
	}
	if strings.Contains(slashed(file), "/programs/startup/") {
		w.add(cluePlace, 25, fmt.Sprintf("%s lies in the folder of what starts by itself", quoted(baseName(file))))
	}
	if coveredPlace(file) {
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
	if low := slashed(l.Exe); userPlace(low) && oddEnding[pathExt(low)] {
		w.add(clueDisguise, 20, fmt.Sprintf("%s is a program by its ending alone", quoted(baseName(low))))
	}
	if portables[l.name] && userPlace(l.Exe) {
		for _, d := range l.own {
			if d.Kind == meetguard.DeedRun && d.What != "program" && folderOf(slashed(d.File)) == folderOf(slashed(l.Exe)) {
				w.add(clueRun, 20, fmt.Sprintf("%s was brought along with what it runs", l.shownRun()))
			}
		}
	}
}

// ran weighs that what was brought is run.
func (w *scale) ran() {
	if w.best[clueSource].points > 0 {
		for _, d := range w.l.own {
			if d.Kind == meetguard.DeedRun && d.What != "unpack" && d.What != "open" && (coveredPlace(d.File) || hotPlace(d.File)) {
				points := 20
				if !coveredPlace(d.File) {
					points = 10
				}
				w.add(clueRun, points, fmt.Sprintf("%s is run, beside what was brought", quoted(baseName(d.File))))
			}
		}
	}
	for _, d := range w.l.fetched {
		switch {
		case w.best[clueSource].points == 0:
		case d.Kind == meetguard.DeedFetchRun || d.File == "":
			w.add(clueRun, atOnce(d), "what it brings is run at once")
		case (coveredPlace(d.File) || tempPlace(d.File)) && !w.installs():
			w.add(clueRun, 20, fmt.Sprintf("it is run from where it was put (%s)", quoted(baseName(d.File))))
		default:
			w.add(clueRun, 10, fmt.Sprintf("it is run (%s)", quoted(baseName(d.File))))
		}
	}
}

// systemInstallers take a package or an image and look at its signature, or ask.
var systemInstallers = set(`installer package msiexec hdiutil open`)

// installs says whether the launch gives what it was given to such an installer.
func (w *scale) installs() bool {
	any := false
	for _, d := range w.l.own {
		if d.Kind == meetguard.DeedRun && d.What != "program" && d.What != "unpack" {
			if !systemInstallers[d.What] {
				return false
			}
			any = true
		}
	}
	return any
}

// admits weighs ways in that are opened one after the other: an account, its
// rights, and a service to come by.
func (w *scale) admits() {
	what := map[string]bool{}
	steps := append(append([]meetguard.Step{{Deeds: w.l.own}}, w.l.chain...), w.l.session...)
	for _, st := range steps {
		for _, d := range st.Deeds {
			if d.Kind == meetguard.DeedAdmit && d.What != "tunnel" {
				what[d.What] = true
			}
		}
	}
	if w.l.does(meetguard.DeedAdmit) && len(what) > 2 {
		w.add(clueOpen, 50, "several ways in are opened for somebody else")
	} else if w.l.does(meetguard.DeedAdmit) && len(what) > 1 {
		w.add(clueOpen, 30, "ways in are opened for somebody else")
	}
}

// makerNames begin the names of what belongs to makers that everybody trusts.
var makerNames = []string{"com.apple.", "com.google.", "com.microsoft.", "com.adobe.", "us.zoom.", "com.zoom", "com.cisco.", "com.webex."}

// startFiles are the kinds of things to start where the file that is named is
// not what is started.
var startFiles = boolSet([]string{"authorized keys", "ssh", "profile", "user unit", "unit", "autostart", "native messaging host", "environment", "git hook", "launch agent", "launch daemon", "startup folder", "cron", "udev", "sudoers"})

// stays weighs what is to start by itself.
func (w *scale) stays(d meetguard.Deed) {
	low, points := slashed(d.File), 10
	for _, m := range makerNames {
		if strings.HasPrefix(baseName(low), m) && !signedWell(w.l.Signature) {
			points = 20
			if m == "com.apple." && !strings.HasPrefix(low, "/system/") {
				points = 30
			}
		}
	}
	switch {
	case coveredPlace(d.File), contains(d.Mark, "hidden script"), contains(d.Mark, "false name"), d.What == "login hook", d.What == "profile", d.What == "event", d.What == "preload", d.What == "authorized keys", d.What == "at" && tempPlace(d.File), d.What == "startup folder" && w.l.name != "explorer":
		points = 30
	case strings.Contains(low, "/appdata/local/programs/"):
	case d.What == "crontab", userPlace(d.File), d.What == "at", d.What == "autostart", d.What == "registry", d.What == "transfer job", d.What == "native messaging host":
		points = max(points, 20)
	}
	for _, file := range []string{d.From, d.File} {
		if startFiles[d.What] && file == d.File {
			continue
		}
		if coveredPlace(file) && !dotFile(file) && !strings.Contains(slashed(file), "/programs/startup/") {
			w.add(cluePlace, 20, fmt.Sprintf("%s is to start from where no setup puts anything", quoted(baseName(file))))
		}
	}
	w.add(clueStay, points, "something is to start by itself ("+clip(d.What)+")")
}

// backup says whether what is copied is a backup, as far as nothing goes to a
// machine that nobody knows.
func (w *scale) backup() bool {
	if !w.l.backup {
		return false
	}
	for _, d := range w.l.own {
		if points, _ := w.from(d.Host); d.Kind == meetguard.DeedUpload && points > 0 {
			return false
		}
	}
	return true
}

func (w *scale) takes(d meetguard.Deed) {
	l := w.l
	if w.backup() {
		return
	}
	strong := len(l.strong()) > 0 || l.kinds["messages"] || l.kinds["vault"]
	switch {
	case l.typed() && strong:
		w.add(clueSecret, 20, "private data is taken ("+clip(d.What)+")")
	case strong && len(l.kinds) > 1:
		w.add(clueSecret, 40, "private data of several kinds is taken")
	case strong:
		w.add(clueSecret, 35, "private data is taken ("+clip(d.What)+")")
	case len(l.kinds) > 1, d.What == "passwords":
		w.add(clueSecret, 20, "private data is looked for or taken ("+clip(d.What)+")")
	default:
		w.add(clueSecret, 10, "private data is taken ("+clip(d.What)+")")
	}
}

func (w *scale) sends(d meetguard.Deed) {
	if w.backup() || inHouse(d.Host) {
		return
	}
	points, _ := w.from(d.Host)
	if points > 0 && (coveredPlace(d.File) || tempPlace(d.File) && !copiers[d.What]) && archiveExt[pathExt(slashed(d.File))] {
		w.add(cluePack, 10, "it was gathered where nobody looks")
	}
	switch {
	case d.What == "telegram bot":
		w.add(clueSend, 25, "something is sent to a bot of a messenger")
	case points > 0 && !publicAddress(d.Host) && copiers[d.What]: // people have machines of their own
		w.add(clueSend, 15, "something is sent to "+clip(d.Host))
	case publicAddress(d.Host) && (tempPlace(d.File) || coveredPlace(d.File)):
		w.add(clueSend, 35, "something from a temporary folder is sent to a bare address ("+clip(d.Host)+")")
	case d.Host == "" && userPlace(w.l.Exe) && (tempPlace(d.File) || coveredPlace(d.File)):
		w.add(clueSend, 25, fmt.Sprintf("%s was brought along and sends something away", w.l.shownRun()))
	case points > 0 && (tempPlace(d.File) || coveredPlace(d.File)):
		w.add(clueSend, 30, "something from a temporary folder is sent to "+clip(d.Host))
	case points > 0:
		w.add(clueSend, 20, "something is sent to "+clip(d.Host))
	case d.Host == "" && (tempPlace(d.File) || coveredPlace(d.File)):
		w.add(clueSend, 15, "something from a temporary folder is sent away")
	}
}

// copiers send files to machines that let their user in by name.
var copiers = set(`scp rsync sftp`)

var archiveExt = set(`.zip .tar .gz .tgz .7z .rar .aar .bz2 .xz .zst .bin .dat .enc .cab .dmg .gpg`)

// disguised weighs names of files that are made to be overlooked.
func (w *scale) disguised(d meetguard.Deed, own bool) {
	switch d.Kind {
	case meetguard.DeedFetch, meetguard.DeedRun, meetguard.DeedPersist, meetguard.DeedChmod, meetguard.DeedUnpack, meetguard.DeedPack, meetguard.DeedUpload, meetguard.DeedEncoded:
	default:
		return
	}
	if d.File == "" || d.What == "unpack" || !userPlace(d.File) && !coveredPlace(d.File) {
		return
	}
	name := strings.ToLower(baseName(d.File))
	if (d.What == "rundll32" || d.What == "regsvr32") && d.Kind == meetguard.DeedRun && !libraryExt[pathExt(name)] {
		w.add(clueDisguise, 30, fmt.Sprintf("%s is loaded as a library", quoted(name)))
	}
	if d.Kind == meetguard.DeedPack && systemFolder(d.From) && runExt[pathExt(name)] {
		w.add(clueDisguise, 25, fmt.Sprintf("a program of the system is copied to %s", quoted(name)))
	}
	switch {
	case hiddenName(name) && (coveredPlace(d.File) || tempPlace(d.File)) && (d.Kind != meetguard.DeedPack && d.Kind != meetguard.DeedPersist || !dotFile(d.File)):
		w.add(clueDisguise, 20, fmt.Sprintf("%s is hidden", quoted(name)))
	case systemLike(strings.TrimSuffix(name, ".exe")) && !strings.Contains(slashed(d.File), ".app/contents/"):
		w.add(clueDisguise, 25, fmt.Sprintf("%s is named like a part of the system", quoted(name)))
	case d.Kind != meetguard.DeedPack && codeName(name) && tempPlace(d.File) && (pretextName(name) || own && w.s.soundsLike(name)):
		w.add(clueDisguise, 15, fmt.Sprintf("%s is named for the occasion", quoted(name)))
	}
}

// systemLike says whether a name is that of a part of a system, or would be
// taken for one.
func systemLike(name string) bool {
	name = strings.TrimPrefix(name, ".")
	if i := strings.IndexAny(name, "-_. "); i > 3 && systemNames[name[:i]] {
		return true
	}
	return systemNames[name] || strings.HasPrefix(name, "com.apple.") || strings.HasPrefix(name, "kworker") || strings.HasPrefix(name, "systemd-")
}

var libraryExt = set(`.dll .cpl .ocx .ax .drv .tsp .sct .inf`)

// systemFolder says whether a path is that of a program of the system.
func systemFolder(p string) bool {
	low := slashed(p)
	return strings.Contains(low, "/windows/system32/") || strings.Contains(low, "/windows/syswow64/") || strings.HasPrefix(low, "%windir%") || strings.HasPrefix(low, "%systemroot%") ||
		strings.HasPrefix(low, "/usr/bin/") || strings.HasPrefix(low, "/bin/")
}

func hiddenName(name string) bool { return len(name) > 1 && name[0] == '.' && name[1] != '.' }

// devFolders are hidden folders of a home that tools of developers and of the
// desktop run programs from.
var devFolders = set(`.cargo .rustup .nvm .npm .npm-global .nodenv .pyenv .rbenv .rvm .asdf .sdkman .deno .bun .go .gvm .goenv .jenv .dotnet .nuget .gradle .m2 .ivy2 .venv .virtualenvs .tox .poetry .pixi .conda .mamba .local .vscode .vscode-server .cursor .cursor-server .windsurf .idea .git .config .docker .krew .helm .kube .volta .fnm .proto .mise .juliaup .ghcup .opam .cabal .stack .elan .composer .gem .yarn .pnpm .pnpm-store .linuxbrew .oh-my-zsh .fzf .tmux .vim .emacs.d .steam .var .wine .minecraft .jdks .android .flutter .pub-cache .swiftpm .swiftly .foundry .avm .nix-profile .dropbox-dist .toolbox .antigen .zinit .zplug .hammerspoon .claude .codex .ansible .vagrant.d .platformio .espressif .arduino15 .x64 .next .output .cache .ollama .lmstudio .modular .wasmtime .wasmer .kiro .jupyter .ipython .rd .colima .orbstack .lima .bin .dapr .terraform .tfenv .pulumi .fly .railway .turso .modal .duckdb .atuin .starship .zed .zed_server .fleet .trunk .hex .mix .asdf-vm .phpenv .symfony5 .symfony .ddev .lando .istioctl .linkerd2 .kn .okteto .tilt-dev .serverless .amplify .wakatime .bazel .ccache .pre-commit .nox .hatch .uv .rye .sonar .snyk .semgrep .codeium .tabnine .copilot .continue .node .node_modules .node-gyp .electron .electron-gyp .expo .cocoapods .fastlane .gitpod .devcontainer .dev .dotfiles .mozilla`)

// coveredPlace says whether a path lies where no setup puts a program and nobody
// looks: hidden folders and names, shared and public folders, the folders of a
// profile themselves.
func coveredPlace(p string) bool {
	low := slashed(p)
	if low == "" {
		return false
	}
	switch {
	case strings.Contains(low, "/tmp/.mount_"), strings.Contains(low, "/node_modules/"), strings.Contains(low, "/.git/"), strings.Contains(low, "/site-packages/"):
		return false
	case strings.HasPrefix(low, "/users/shared/"), strings.HasPrefix(low, "/dev/shm/"), strings.HasPrefix(low, "/memfd:"), strings.Contains(low, "/users/public/"), noProgramPlace(low), strings.Contains(low, "/.local/state/"), strings.Contains(low, "/programs/startup/"):
		return true
	case bareIn(low, "/appdata/roaming/"), bareIn(low, "/appdata/local/"), bareIn(low, "c:/programdata/"), bareIn(low, "%appdata%/"), bareIn(low, "%localappdata%/"), bareIn(low, "c:/perflogs/"), bareIn(low, "%programdata%/"), bareIn(low, "c:/windows/temp/"):
		return runExt[pathExt(low)] || pathExt(low) == ".dll" || pathExt(low) == ".js"
	case home(low) && (bareIn(low, "/library/caches/") || bareIn(low, "/library/logs/") || bareIn(low, "/library/preferences/") || bareIn(low, "/library/fonts/") || bareIn(low, "/library/") || bareIn(low, "/library/application support/") || bareIn(low, "/library/cookies/")):
		return pathExt(low) != ".plist" && pathExt(low) != ".log" && pathExt(low) != ".zip"
	}
	if home(low) && (bareIn(low, "/.config/") || bareIn(low, "/.local/")) && (pathExt(low) == "" || pathExt(low) == ".sh") {
		return true
	}
	parts := strings.Split(low, "/")
	for i, part := range parts {
		if !hiddenName(part) || devFolders[part] && i < len(parts)-1 || i == 0 && part == "." || strings.HasPrefix(part, ".tmp") && i < len(parts)-1 || i+2 < len(parts) && parts[i+1] == "bin" && home(low) {
			continue // ~/.tool/bin/tool is how tools of developers are laid out
		}
		return true
	}
	return false
}

// dotFile says whether a path is that of a settings file in a home.
func dotFile(p string) bool {
	low := slashed(p)
	return hiddenName(baseName(low)) && (strings.HasPrefix(low, "~/") && strings.Count(low, "/") == 1 || home(low) && strings.Count(low, "/") == 3)
}

func home(low string) bool {
	return strings.HasPrefix(low, "/users/") || strings.HasPrefix(low, "/home/") || strings.HasPrefix(low, "/root/") || strings.HasPrefix(low, "~/") || strings.HasPrefix(low, "$home/") || len(low) > 9 && low[1:9] == ":/users/"
}

// bareIn says whether a path lies directly in a folder.
func bareIn(low, folder string) bool {
	_, rest, ok := strings.Cut(low, folder)
	return ok && !strings.Contains(rest, "/")
}

func pathExt(low string) string {
	if i := strings.LastIndexByte(low, '.'); i > strings.LastIndexByte(low, '/') {
		return low[i:]
	}
	return ""
}
