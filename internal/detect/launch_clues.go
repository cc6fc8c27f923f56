package detect

import (
	"fmt"
	"regexp"
	"strings"

	"meetguard"
)

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
var startFiles = boolSet([]string{"authorized keys", "ssh", "profile", "user unit", "unit", "autostart", "native messaging host", "environment", "git hook", "launch agent", "launch daemon", "startup folder", "cron", "udev", "sudoers", "plug-in", "build hook", "login", "module", "link handler", "developer tool"})

// stays weighs what is to start by itself.
func (w *scale) stays(d meetguard.Deed) {
	low, points := slashed(d.File), 10
	if host := shareIn(low); publicAddress(host) {
		w.add(clueSource, 30, "what is to start lies on the share of a bare address ("+clip(host)+")")
		points = 30
	}
	for _, m := range makerNames {
		if strings.HasPrefix(baseName(low), m) && !signedWell(w.l.Signature) {
			points = 20
			if m == "com.apple." && !strings.HasPrefix(low, "/system/") {
				points = 30
			}
			w.strayMaker(strings.Split(strings.TrimPrefix(m, "com."), ".")[0])
		}
	}
	switch {
	case d.What == "hijack", d.What == "link handler", d.What == "environment hook", d.What == "folder action", d.What == "build hook", d.What == "login", coveredPlace(d.File), contains(d.Mark, "hidden script"), contains(d.Mark, "false name"), d.What == "login hook", d.What == "profile", d.What == "event", d.What == "preload", d.What == "authorized keys", (d.What == "at" || contains(d.Mark, "job")) && tempPlace(d.File), d.What == "startup folder" && w.l.name != "explorer":
		points = 30
	case strings.Contains(low, "/appdata/local/programs/"), d.What == "plug-in", d.What == "module":
	case d.What == "crontab", userPlace(d.File), d.What == "at", d.What == "autostart", d.What == "registry", d.What == "transfer job", d.What == "bus service", d.What == "native messaging host":
		points = max(points, 20)
	}
	for _, file := range []string{d.From, d.File} {
		if startFiles[d.What] && file == d.File || d.What == "crontab" && !landingPlace(file) { // the list itself
			continue
		}
		if coveredPlace(file) && !dotFile(file) && !strings.Contains(slashed(file), "/programs/startup/") {
			w.add(cluePlace, 20, fmt.Sprintf("%s is to start from where no setup puts anything", quoted(baseName(file))))
		}
	}
	if d.From != "" && tempPlace(d.From) && home(low) && w.s.soundsLike(d.From) && !signedWell(w.l.Signature) {
		points = max(points, 25)
		w.add(clueDisguise, 15, fmt.Sprintf("%s is named for the occasion", quoted(baseName(d.From))))
	}
	w.borrows(d)
	w.inBrandFolder(strings.SplitN(low, ".exe", 2)[0])
	w.add(clueStay, points, "something is to start by itself ("+clip(d.What)+")")
}

// strayMaker weighs that a program in the library of its user, in whose path a maker is
// not named, has something start by that maker's name.
func (w *scale) strayMaker(maker string) {
	if len(w.l.Ancestors) == 0 || strings.Contains(slashed(w.l.Ancestors[0].Exe), maker) {
		return
	}
	if a := w.l.Ancestors[0]; home(slashed(a.Exe)) && strings.Contains(slashed(a.Exe), "/library/") && w.byStray() {
		w.add(clueDisguise, 20, fmt.Sprintf("%s speaks in the name of another maker", quoted(baseName(a.Exe))))
	}
}

// borrows weighs that what is to start by itself is listed by the name of a brand that
// its path does not have, and that it is a tool which lets somebody in, in a folder of
// its user.
func (w *scale) borrows(d meetguard.Deed) {
	low := slashed(d.File)
	if !userPlace(low) {
		return
	}
	for _, m := range d.Mark {
		name, ok := strings.CutPrefix(m, "called ")
		if ok && otherBrand(name, low) {
			w.add(clueDisguise, 20, fmt.Sprintf("%s is listed as %s", quoted(baseName(low)), quoted(name)))
		}
	}
	if name := program(low); remoteTools[name] || letsIn[name] {
		w.add(clueOpen, 25, fmt.Sprintf("%s lets somebody in, from a folder of its user", quoted(baseName(low))))
	}
}

// letsIn are the programs of tools for help at a distance that are called by other
// names than these.
var letsIn = set(`client32 rutserv rfusclient winvnc tvnserver dwagsvc sragent srserver aa_v3 ltsvc remoting_host`)

// inBrandFolder weighs that an interpreter lies in a folder of the user that is named
// for meeting software: no maker brings one there.
func (w *scale) inBrandFolder(low string) {
	low = slashed(low)
	if folder := baseName(strings.TrimSuffix(folderOf(low), "/")); portables[program(low)] && userPlace(low) && folder != "" && (w.s.soundsLike(folder) || pretextName(folder)) {
		w.add(clueDisguise, 30, fmt.Sprintf("%s lies in a folder that is named for meeting software", quoted(baseName(low))))
	}
}

// otherBrand says whether a name is that of meeting software and a promise to help with
// it, and a path does not have it. By the name alone some list what lies in a folder of
// their maker.
func otherBrand(name, low string) bool {
	name = strings.ToLower(name)
	found := false
	for brand := range meetingNames {
		if rest := strings.Trim(strings.TrimPrefix(name, brand), " _-"); strings.HasPrefix(name, brand) && (mends[rest] || offers[rest]) {
			if strings.Contains(low, strings.TrimPrefix(brand, "ms")) || strings.Contains(low, "microsoft") || strings.Contains(low, "cisco") {
				return false // their makers have folders with their own names
			}
			found = true
		}
	}
	return found
}

// shareIn is the machine of a share that a command line names.
func shareIn(low string) string {
	_, rest, ok := strings.Cut(strings.ReplaceAll(low, "://", ""), "//")
	if !ok {
		return ""
	}
	end := strings.IndexAny(rest, "/@: ")
	return rest[:max(end, 0)]
}

// backup says whether what is copied is a backup, as far as nothing goes to a
// machine that nobody knows.
func (w *scale) backup() bool {
	if !w.l.backup && !w.s.installedBy(w.l, w.l.uploadHost()) {
		return false
	}
	if !w.l.backup {
		return true
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
	case !l.typed() && l.printsSeveral():
		w.add(clueSecret, 40, "private data of several kinds is read at once")
	case l.typed() && strong:
		w.add(clueSecret, 20, "private data is taken ("+clip(d.What)+")")
	case strong && len(l.kinds) > 1:
		w.add(clueSecret, 40, "private data of several kinds is taken")
	case strong:
		w.add(clueSecret, 35, "private data is taken ("+clip(d.What)+")")
	case d.What == "history" && !l.typed() && w.sendsToOccasion():
		w.add(clueSecret, 30, "what was visited is sent away")
	case d.What == "cloud" && !l.typed() && contains(d.Mark, "cat"):
		w.add(clueSecret, 20, "keys of the user are read")
	case d.What == "ssh" && !l.typed() && w.sendsToOccasion():
		w.add(clueSecret, 30, "the keys of ssh are sent away")
	case len(l.kinds) > 1, d.What == "passwords":
		w.add(clueSecret, 20, "private data is looked for or taken ("+clip(d.What)+")")
	default:
		w.add(clueSecret, 10, "private data is taken ("+clip(d.What)+")")
	}
}

// sendsToOccasion says whether the launch speaks to a host that is named for the
// occasion, to send what it has read.
func (w *scale) sendsToOccasion() bool {
	for _, d := range w.l.own {
		if (d.Kind == meetguard.DeedUpload || d.Kind == meetguard.DeedConnect) && w.host(d.Host).pretext {
			return true
		}
	}
	return false
}

// printsSeveral says whether the launch shows secrets of several kinds to
// whoever reads its output, a key among them.
func (l *launch) printsSeveral() bool {
	kinds := map[string]bool{}
	for _, d := range l.own {
		if d.Kind == meetguard.DeedSecret && contains(d.Mark, "cat") {
			kinds[d.What] = true
		}
	}
	return len(kinds) > 1 && (kinds["ssh"] || kinds["wallet"] || kinds["cloud"])
}

func (w *scale) sends(d meetguard.Deed) {
	if w.backup() || inHouse(d.Host) {
		return
	}
	if len(w.l.kinds) == 0 && w.s.toMaker(d.Host) {
		w.came(clueSend, 15, "something is sent to "+clip(d.Host), d.Host)
		return
	}
	points, _ := w.from(d.Host)
	if w.host(d.Host).pretext {
		w.add(clueDisguise, 10, "a host is named for the occasion")
	}
	if points > 0 && (w.l.packedGoods(d.File) || w.l.toAccount(d) || w.l.served() && w.host(d.Host).mere && len(w.l.kinds) == 0) {
		w.came(clueSend, 20, "something is sent to "+clip(d.Host), d.Host)
		return
	}
	if points > 0 && (coveredPlace(d.File) && !tempPlace(d.File) || tempPlace(d.File) && !copiers[d.What] && (!w.host(d.Host).mere || len(w.l.kinds) > 0 || !w.l.pastedBelow())) && archiveExt[pathExt(slashed(d.File))] {
		w.add(cluePack, 10, "it was gathered where nobody looks")
	}
	if points > 0 {
		for _, o := range w.l.own {
			if o.Kind == meetguard.DeedSecret && o.What != "history" {
				w.add(clueHide, 10, "what is private is sent as it is")
			}
		}
	}
	switch {
	case d.What == "telegram bot" && d.File == "" && len(w.l.kinds) == 0 && !w.piped:
		w.add(clueSend, 15, "a message is sent to a bot of a messenger")
	case d.What == "telegram bot":
		w.add(clueSend, 25, "something is sent to a bot of a messenger")
	case points > 0 && !publicAddress(d.Host) && copiers[d.What]: // people have machines of their own
		w.add(clueSend, 15, "something is sent to "+clip(d.Host))
	case publicAddress(d.Host) && (tempPlace(d.File) || coveredPlace(d.File)):
		w.add(clueSend, 35, "something from a temporary folder is sent to a bare address ("+clip(d.Host)+")")
	case d.Host == "" && userPlace(w.l.Exe) && (tempPlace(d.File) || coveredPlace(d.File) || coveredPlace(w.l.Exe)):
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

// ownAction are the names that Windows Installer gives to the libraries of a
// package's own actions, which rundll32 loads from a temporary folder.
var ownAction = regexp.MustCompile(`^msi[0-9a-f]{1,5}\.tmp(-.*)?$`)

// unfinished says whether a name is hidden while a file is written, as whoever
// writes first and renames then does.
func unfinished(name string) bool {
	return hiddenName(name) && unfinishedExt[pathExt(name)]
}

var unfinishedExt = set(`.tmp .part .partial .filepart .new .swp .lock .download .crdownload`)

// disguised weighs names of files that are made to be overlooked.
func (w *scale) disguised(d meetguard.Deed, own bool) {
	switch d.Kind {
	case meetguard.DeedFetch, meetguard.DeedRun, meetguard.DeedPersist, meetguard.DeedChmod, meetguard.DeedUnpack, meetguard.DeedPack, meetguard.DeedUpload, meetguard.DeedEncoded:
	default:
		return
	}
	if low := slashed(d.File); d.Kind == meetguard.DeedRun && (d.What == "regsvr32" || d.What == "rundll32") && otherDrive(low) && dataExt[pathExt(low)] && pathExt(low) != ".dll" {
		w.add(clueDisguise, 40, fmt.Sprintf("%s is loaded as a library", quoted(baseName(low))))
		w.add(clueDetour, 20, fmt.Sprintf("%s is handed to %s", quoted(baseName(low)), clip(d.What)))
	}
	if d.File == "" || d.What == "unpack" || !userPlace(d.File) && !coveredPlace(d.File) {
		return
	}
	name := strings.ToLower(baseName(d.File))
	if ownAction.MatchString(name) {
		return
	}
	if (d.What == "rundll32" || d.What == "regsvr32") && d.Kind == meetguard.DeedRun && !libraryExt[pathExt(name)] {
		w.add(clueDisguise, 40, fmt.Sprintf("%s is loaded as a library", quoted(name)))
	}
	if d.Kind == meetguard.DeedPack && systemFolder(d.From) && runExt[pathExt(name)] {
		w.add(clueDisguise, 25, fmt.Sprintf("a program of the system is copied to %s", quoted(name)))
	}
	if d.Kind == meetguard.DeedUnpack && paperExt[pathExt(slashed(d.From))] {
		w.add(clueDisguise, 20, fmt.Sprintf("%s is an archive by the name of something else", quoted(baseName(d.From))))
	}
	switch {
	case d.Kind == meetguard.DeedPack && unfinished(name), readSettings(d), d.Kind == meetguard.DeedFetch && d.What == "git" && dotFile(d.File):
	case hiddenName(name) && !(devFolders[name] && dotFile(d.File)) && !loginFile(slashed(d.File)) && (coveredPlace(d.File) || tempPlace(d.File)) && (d.Kind != meetguard.DeedPack && d.Kind != meetguard.DeedPersist || !dotFile(d.File)):
		w.add(clueDisguise, 20, fmt.Sprintf("%s is hidden", quoted(name)))
	case systemLike(strings.TrimSuffix(name, ".exe")) && !strings.Contains(slashed(d.File), ".app/contents/"):
		w.add(clueDisguise, 25, fmt.Sprintf("%s is named like a part of the system", quoted(name)))
	case d.Kind == meetguard.DeedRun && own && landingPlace(d.File) && !signedWell(w.l.Signature) && w.s.soundsLike(name) && promisesFix(name):
		points := 30
		if tempPlace(d.File) {
			points = 40 // nobody put it there by hand
		}
		w.add(clueDisguise, points, fmt.Sprintf("%s is named like a fix of meeting software", quoted(name)))
	case d.Kind == meetguard.DeedRun && landingPlace(d.File) && runExt[pathExt(name)] && pretextName(baseName(strings.TrimSuffix(folderOf(slashed(d.File)), "/"))):
		w.add(clueDisguise, 15, fmt.Sprintf("%s lies in a folder that is named for the occasion", quoted(name)))
	case d.Kind != meetguard.DeedPack && codeName(name) && tempPlace(d.File) && (pretextName(name) && !w.makersOwn(name) || own && w.s.soundsLike(name)):
		w.add(clueDisguise, 15, fmt.Sprintf("%s is named for the occasion", quoted(name)))
	}
}

// paperExt are endings of what nobody unpacks.
var paperExt = set(`.pdf .txt .jpg .jpeg .png .gif .ico .mp3 .mp4 .wav .doc .log .css .bmp`)

// makersOwn says whether something has the name of the host that the chain began
// with.
func (w *scale) makersOwn(name string) bool {
	if w.s.namesake(w.l.OriginHost, name) {
		return true
	}
	for _, a := range w.l.Ancestors {
		if w.s.namesake(a.OriginHost, name) {
			return true
		}
	}
	return false
}

// renamed marks a tool whose name is not its own.
const renamed = "renamed"

// spies weighs what is seen and heard of the user: the more senses, the less it
// is a picture that somebody wanted.
func (w *scale) spies(d meetguard.Deed) {
	senses := map[string]bool{d.What: true}
	for _, st := range w.l.chain {
		for _, o := range st.Deeds {
			if o.Kind == meetguard.DeedSpy {
				senses[o.What] = true
			}
		}
	}
	points := 15
	if len(senses) > 1 {
		points = 30
	}
	w.add(clueOpen, points, "the "+clip(d.What)+" is taken")
	if coveredPlace(d.File) {
		w.add(cluePack, 15, "what is taken is gathered where nobody looks")
	}
	if contains(d.Mark, renamed) && userPlace(w.l.Exe) {
		w.add(clueDisguise, 20, w.l.shownRun()+" is another tool by what it is told")
	}
}

// machine weighs a virtual machine without a window: developers have them, by
// their name and in folders of their own.
func (w *scale) machine(d meetguard.Deed) {
	w.add(clueHide, 10, "a machine without a window is started")
	if contains(d.Mark, renamed) {
		w.add(clueDisguise, 25, w.l.shownRun()+" is a virtual machine by what it is told")
	}
	if userPlace(d.File) && (tempPlace(d.File) || strings.Contains(slashed(d.File), "c:/programdata/")) {
		w.add(clueDetour, 15, "what works in it is not seen from outside")
	}
}

// proxies run what they are handed, where their name is what is seen.
var proxies = set(`cmstp odbcconf regasm regsvcs installutil infdefaultinstall mavinject diskshadow pcwrun ie4uinit appvlp presentationhost regsvr32`)

// scriptExt are the endings of what only an interpreter reads.
var scriptExt = set(`.ahk .au3 .a3x .py .pyw .pyc .pyz .lua .luac .js .mjs .cjs .jsc .php .rb .pl .tcl .nut .jar .vbs .ps1 .dat .r .groovy .kts .wren`)

// entryArg is how a library and where to enter it are told in one word.
var entryArg = regexp.MustCompile(`(?i)^"?[^,|]*\.[a-z0-9]{1,5}"?,(#[0-9]+|[a-z_][a-z0-9_]*)$`)

// loadsByEntry says whether a program is told what only the loader of Windows is,
// and has another name.
func loadsByEntry(l *launch) bool {
	return l.OS == "windows" && l.name != "rundll32" && len(l.words()) > 1 && entryArg.MatchString(l.words()[1])
}

// words are the arguments of the launch, of its command line where nothing else
// is known.
func (l *launch) words() []string {
	if len(l.Args) > 0 || strings.Contains(l.CommandLine, `"`) {
		return l.Args
	}
	return strings.Fields(l.CommandLine)
}

// paperApp says whether an app is named like a document.
func paperApp(low string) bool {
	name, _, ok := strings.Cut(low, ".app/contents/")
	return ok && documentExt[pathExt(name)]
}

// startsBrought is the interpreter that a command line starts, where downloads
// land, with what it runs beside it.
func (l *launch) startsBrought() string {
	for _, d := range l.own {
		if d.Kind != meetguard.DeedRun || d.What != "program" || d.File == l.Exe || !portables[program(d.File)] || !landingPlace(d.File) {
			continue
		}
		for _, o := range l.own {
			if o.Kind == meetguard.DeedRun && portables[o.What] && o.File != d.File && folderOf(slashed(o.File)) == folderOf(slashed(d.File)) {
				return d.File
			}
		}
	}
	return ""
}

// broughtAlong says whether a program is an interpreter, by name or not, with a
// script beside it.
func broughtAlong(l *launch) bool {
	folder := folderOf(slashed(l.Exe))
	if portables[l.name] {
		for _, d := range l.own {
			if d.Kind == meetguard.DeedRun && d.What != "program" && folderOf(slashed(d.File)) == folder {
				return true
			}
		}
		return false
	}
	for i, a := range l.Args {
		if low := slashed(a); i > 0 && scriptExt[pathExt(low)] && folderOf(low) == folder {
			return true
		}
	}
	return false
}

// unpackedHere weighs that a program runs from a hidden folder into which its chain
// has unpacked or copied it.
func (w *scale) unpackedHere() {
	if !coveredPlace(w.l.Exe) || w.l.typed() && w.l.runsItself() {
		return
	}
	key := fileKey(w.l.Exe)
	for _, st := range append(append([]meetguard.Step{}, w.l.session...), w.l.chain...) {
		for _, d := range st.Deeds {
			to := fileKey(d.File)
			if (d.Kind == meetguard.DeedUnpack || d.Kind == meetguard.DeedPack && tempPlace(d.From)) && len(to) > 5 && (key == to || strings.HasPrefix(key, to+"/")) {
				w.add(clueRun, 20, fmt.Sprintf("%s is run where it was put", quoted(baseName(w.l.Exe))))
			}
		}
	}
}

// freed weighs that a program runs from a temporary folder after the mark of its
// download was taken off.
func (w *scale) freed() {
	if !tempPlace(w.l.Exe) && !coveredPlace(w.l.Exe) || signedWell(w.l.Signature) {
		return
	}
	w.unpackedHere()
	for _, st := range w.l.chain {
		for _, d := range st.Deeds {
			if d.Kind == meetguard.DeedChmod && coveredPlace(w.l.Exe) && !w.l.typed() && fileKey(d.File) == fileKey(w.l.Exe) {
				w.add(clueRun, 20, fmt.Sprintf("%s is run after it was made a program", quoted(baseName(w.l.Exe))))
			}
			if d.Kind == meetguard.DeedDequarantine && fileKey(d.File) == fileKey(w.l.Exe) {
				w.add(clueRun, 20, fmt.Sprintf("%s is run after its mark was taken off", quoted(baseName(w.l.Exe))))
			}
		}
	}
}
