package detect

import (
	"fmt"
	"strings"

	"meetguard"
)

// Rules about the shape of a chain: a way in, a loader or an interpreter on a
// place that anybody may write to, and the network or a way to stay. They hold
// where command lines and signatures are missing.

// loaderPlace: a loader of Windows is given a library from where no installed
// program has its own.
func loaderPlace(s *subject) string {
	l := s.run
	if l == nil || l.managed || l.name != "rundll32" && l.name != "regsvr32" || len(l.above) == 0 {
		return ""
	}
	for _, d := range l.own {
		if d.Kind != meetguard.DeedRun || d.What != l.name {
			continue
		}
		low := slashed(d.File)
		door := l.door()
		byHand := door != "" && !callers[door] || l.belowTyped() && coveredPlace(low) && bareIn(low, "c:/programdata/") || l.belowBlindShell() && (coveredPlace(low) || otherDrive(low) && strings.Count(low, "/") < 3 && !installedPlace(low)) // they have add-ins of their own
		switch {
		case byHand && (userPlace(low) && !ownLibrary(low) || otherDrive(low) && strings.Count(low, "/") < 3 && !installedPlace(low)):
		case l.name == "rundll32" && userPlace(low) && !tempPlace(low) && l.strayLibrary(low, l.Ancestors[0].Signature) && strings.HasPrefix(low, folderOf(slashed(l.Ancestors[0].Exe))):
		default:
			continue
		}
		return fmt.Sprintf("%s loads %s from where no installed program has its libraries.", l.shownRun(), quoted(baseName(d.File)))
	}
	return ""
}

// strayLibrary says whether a library in the folder of the program that has it
// loaded is none that a setup put there: nobody vouches for the program, as far as
// that is known, or the folder is one for no programs.
func (l *launch) strayLibrary(low string, sig *meetguard.Signature) bool {
	if sig == nil || signedWell(sig) || sig.Status == meetguard.SignatureUnknown {
		return landingPlace(low) || coveredPlace(low) || strings.Contains(low, "/appdata/local/packages/") || systemLibraries[strings.TrimSuffix(baseName(low), ".dll")]
	}
	return !ownLibrary(low)
}

// systemLibraries are libraries of Windows that programs load by their name alone,
// so that one beside them is taken for the system's.
// https://attack.mitre.org/techniques/T1574/001/
var systemLibraries = set(`version winhttp wininet dbghelp dbgcore userenv uxtheme cryptbase cryptsp profapi propsys secur32 wtsapi32 netapi32 dwmapi msimg32 iphlpapi dnsapi mpr oleacc powrprof samcli srvcli winmm textshaping edputil sspicli wldp`)

// ownLibrary says whether a library lies in a folder of its own where setups put
// what one user installs.
func ownLibrary(low string) bool {
	if rest, ok := strings.CutPrefix(low, "c:/programdata/"); ok { // drivers have theirs there, a folder for the maker and one for the goods
		return strings.Count(rest, "/") > 1 && !coveredPlace(low)
	}
	_, rest, ok := strings.Cut(low, "/appdata/local/")
	return ok && !strings.HasPrefix(rest, "temp/") && !strings.HasPrefix(rest, "packages/") && strings.Contains(rest, "/") && !coveredPlace(low)
}

// callers are programs for chat and meetings that open what others sent.
var callers = set(`telegram whatsapp discord slack teams ms-teams skype signal outlook olk`)

// otherDrive says whether a path lies on a drive that is not the system's: a
// mounted image or a stick.
func otherDrive(low string) bool {
	return len(low) > 2 && low[1] == ':' && low[2] == '/' && low[0] > 'c' && low[0] <= 'z'
}

// landedMinutes is how long after it landed a file counts as new.
const landedMinutes = 10

// folderOf is the folder of a path, with its slash.
func folderOf(low string) string { return low[:strings.LastIndexByte(low, '/')+1] }

// remoteTools let somebody in from afar.
var remoteTools = set(`anydesk rustdesk teamviewer ultraviewer supremo dwagent getscreen connectwisecontrol simplehelp meshagent aweray splashtop screenconnect parsecd`)

// blindLoader: something that is named like meeting software, and lies where
// downloads land, starts a loader, which the real one never does.
func blindLoader(s *subject) string {
	l := s.run
	if l == nil || l.managed {
		return ""
	}
	if app, inside, ok := strings.Cut(slashed(l.Exe), ".app/contents/macos/"); ok && remoteTools[inside] && s.soundsLike(app+".app") {
		return fmt.Sprintf("%s calls itself meeting software, and it is %s that runs in it.", quoted(baseName(app)+".app"), l.shownRun())
	}
	if name := s.brandStarts(); name != "" {
		return fmt.Sprintf("%s calls itself meeting software and starts %s, as the real one never does.", quoted(name), l.shownRun())
	}
	if l.known() || len(l.above) == 0 {
		return ""
	}
	p := l.Ancestors[0]
	public := strings.Contains(slashed(p.Exe), "/users/public/")
	if l.name != "mshta" && !(public && (l.name == "rundll32" || l.name == "powershell" || l.name == "cmd")) {
		return ""
	}
	if !landingPlace(p.Exe) || signedWell(p.Signature) || !s.soundsLike(p.Exe) {
		return ""
	}
	return fmt.Sprintf("%s calls itself meeting software and starts %s, as the real one never does.", quoted(baseName(p.Exe)), l.shownRun())
}

// inlineCode: code in a command line opens a connection and hands it a shell,
// or is decoded by an interpreter that something brought with it.
func inlineCode(s *subject) string {
	l := s.run
	if l == nil || l.managed {
		return ""
	}
	for _, d := range l.own {
		switch {
		case d.Kind == meetguard.DeedConnect && contains(d.Mark, "shell") && !inHouse(d.Host) && !(d.Host == "" && l.typed()): // who learns of networks listens on his own machine
			return fmt.Sprintf("%s opens a connection and gives it a shell.", l.shownRun())
		case (landingPlace(l.Exe) || coveredPlace(l.Exe)) && (d.Kind == meetguard.DeedConnect || d.Kind == meetguard.DeedEncoded && d.What == "inline"):
			return fmt.Sprintf("%s lies where any program may write and runs code that its command line hides.", l.shownRun())
		}
	}
	return ""
}

// portables are interpreters and tool chains that run what they are given.
var portables = set(`node python python3 pythonw php perl ruby deno bun go java javaw lua autoit3 wscript tclsh`)

// portable: an interpreter runs from a temporary folder into which the same
// chain unpacked it, or below something that was opened by hand.
func portable(s *subject) string {
	l := s.run
	if l == nil || l.managed {
		return ""
	}
	exe := l.Exe
	if !portables[l.name] || !tempPlace(exe) {
		return ""
	}
	brought := ""
	for _, st := range append(append([]meetguard.Step{}, l.session...), l.chain...) {
		for _, d := range st.Deeds {
			if to := fileKey(d.File); d.Kind == meetguard.DeedUnpack && len(to) > 5 && strings.HasPrefix(fileKey(exe), to+"/") {
				brought = "was unpacked"
			}
		}
	}
	for _, a := range l.Ancestors {
		if windowsHosts[program(a.Exe)] || landingPlace(a.Exe) && !tempPlace(a.Exe) && !signedWell(a.Signature) {
			brought = "was brought by " + clip(baseName(a.Exe))
		}
	}
	if l.name == "go" && contains(l.Args, "run") || bundles[l.name] {
		if file := l.scriptBeside(exe); file != "" {
			brought = "was brought with " + clip(baseName(file))
		}
	}
	if brought == "" || l.ownJava() || l.name == "go" && l.known() && !contains(l.Args, "run") {
		return ""
	}
	return fmt.Sprintf("%s runs from a temporary folder, to which it %s.", l.shownRun(), brought)
}

// scriptBeside is the shell script above a launch that lies in the folder into which
// its program was unpacked.
func (l *launch) scriptBeside(exe string) string {
	folder := strings.TrimPrefix(folderOf(slashed(exe)), "/private")
	folder = strings.TrimSuffix(strings.TrimSuffix(folder, "bin/"), "go/")
	if strings.Count(folder, "/") < 4 && !strings.HasPrefix(folder, "/tmp/") || folder == "/tmp/" {
		return "" // the temporary folder itself
	}
	for i, a := range l.Ancestors {
		if file := scriptOf(a); shells[l.above[i]] && strings.HasPrefix(strings.TrimPrefix(slashed(file), "/private"), folder) {
			return file
		}
	}
	return ""
}

// bundles are tool chains and interpreters that no installer brings to run its own
// parts.
var bundles = set(`deno bun autoit3`)

// toolsBeside weighs that a tool chain, of which no more is known, ran in a temporary
// folder to which it came with the shell script that started it, and that the same
// terminal fetched something right before the script.
func (w *scale) toolsBeside() {
	l := w.l
	all := append(append([]meetguard.Step{}, l.session...), l.chain...)
	for _, st := range append([]meetguard.Step{{Exe: l.Exe, Deeds: l.own}}, l.chain...) {
		if name := program(st.Exe); name != "go" && !bundles[name] || !unknownStep(st) || !tempPlace(st.Exe) || l.scriptBeside(st.Exe) == "" {
			continue
		}
		w.add(clueRun, 25, clip(program(st.Exe))+" was brought along with the script that started it")
		for _, a := range l.chain {
			if _, ok := w.fetchBefore(all, a); ok && a.Link == meetguard.LinkAncestor {
				w.add(clueSource, 10, "something is fetched")
			}
		}
	}
}

// ownJava says whether a launch is of the Java that big setups unpack with
// themselves, to a folder of its own, and no script host had it brought.
func (l *launch) ownJava() bool {
	if l.name != "java" && l.name != "javaw" || coveredPlace(l.Exe) {
		return false
	}
	if _, byScript := l.under(windowsHosts); byScript {
		return false
	}
	parts := strings.Split(folderOf(slashed(l.Exe)), "/")
	return len(parts) > 3 && parts[len(parts)-2] == "bin" && (strings.HasPrefix(parts[len(parts)-3], "jre") || strings.HasPrefix(parts[len(parts)-3], "jdk") || strings.HasPrefix(parts[len(parts)-3], "java"))
}

// hiddenFile: a program or script whose name is hidden runs from a temporary
// or system folder, or something is fetched to such a name.
func hiddenFile(s *subject) string {
	l := s.run
	if l == nil || l.managed {
		return ""
	}
	if low := slashed(l.Exe); tempPlace(low) && coveredPlace(low) && strings.Contains(low, "/.") && !interpreters[l.name] && !signedWell(l.Signature) && !(l.OS == "windows" && l.Signature == nil) { // a dot hides nothing there: bundles of WiX unpack to .be
		return fmt.Sprintf("%s runs from a hidden folder of what is not to stay.", quoted(baseName(l.Exe)))
	}
	for _, d := range l.own {
		base := baseName(d.File)
		if len(base) < 2 || base[0] != '.' {
			continue
		}
		low := slashed(d.File)
		system := strings.HasPrefix(low, "/usr/") || strings.HasPrefix(low, "/opt/") || strings.HasPrefix(low, "/lib/")
		switch {
		case d.Kind == meetguard.DeedRun && d.What != "unpack" && (tempPlace(low) || system && d.What == "program"):
			return fmt.Sprintf("%s, a hidden file, is run from where nobody looks.", quoted(base))
		case d.Kind == meetguard.DeedFetch && tempPlace(low) && !inHouse(d.Host) && !toolHost(d.Host) && s.strangeness(d.Host).hostile(): // lines of the status bar keep there what they asked for
			return fmt.Sprintf("Something is fetched%s to %s, a hidden file.", fromHost(d.Host), quoted(base))
		}
	}
	return ""
}

// trusts: a certificate or a proxy that was fetched by hand is made one that
// the system trusts.
func trusts(s *subject) string {
	l := s.run
	if l == nil || l.managed {
		return ""
	}
	for _, d := range l.own {
		switch {
		case d.Kind != meetguard.DeedTrust:
		case d.Host != "" && !inHouse(d.Host) && s.judge.Host(d.Host).Level != meetguard.Clean:
			return fmt.Sprintf("All connections are to go by way of %s, a lookalike.", clip(d.Host))
		case d.File != "" && tempPlace(d.File) && l.fetchedBadly(d.File):
			return fmt.Sprintf("%s, which was fetched without a check of the server, is to be trusted by the system.", quoted(baseName(d.File)))
		}
	}
	return ""
}

// fetchedBadly says whether the chain fetched a file without a check of its
// server.
func (l *launch) fetchedBadly(file string) bool {
	for _, st := range append(append([]meetguard.Step{{Deeds: l.own}}, l.session...), l.chain...) {
		for _, d := range st.Deeds {
			if d.Kind == meetguard.DeedFetch && fileKey(d.File) == fileKey(file) && !inHouse(d.Host) && contains(d.Mark, "insecure") {
				return true
			}
		}
	}
	return false
}

// replaced: what was fetched takes the place of an installed app and is signed
// anew.
func replaced(s *subject) string {
	l := s.run
	if l == nil || l.managed || !l.does(meetguard.DeedResign) {
		return ""
	}
	if _, ok := l.under(builders); ok {
		return ""
	}
	f, ok := l.deed(meetguard.DeedFetch)
	if !ok || toolHost(f.Host) || inHouse(f.Host) {
		return ""
	}
	for _, d := range l.own {
		if low := slashed(d.File); d.Kind == meetguard.DeedResign && strings.HasPrefix(low, "/applications/") && l.cast["rm"] && !((l.ownScriptAbove() || l.pastedBelow()) && s.namesake(f.Host, d.File)) {
			return fmt.Sprintf("%s is replaced by what was fetched%s and signed anew.", quoted(baseName(d.File)), fromHost(f.Host))
		}
	}
	return ""
}

// ownScriptAbove says whether a script in a folder of its user led to the launch.
func (l *launch) ownScriptAbove() bool {
	for i, a := range l.Ancestors {
		file, shell := scriptOf(a), shells[l.above[i]]
		if l.above[i] == "sudo" && len(a.Args) > 2 && shells[program(a.Args[1])] {
			file, shell = a.Args[2], true
		}
		if rest, ok := strings.CutPrefix(file, "./"); ok {
			file = a.Cwd + "/" + rest
		}
		if shell && ownFolder(file) {
			return true
		}
	}
	return false
}

// blindAsRoot says whether a shell of which nothing is known, and that sudo started,
// led to the launch with all rights.
func (l *launch) blindAsRoot() bool {
	for i, a := range l.Ancestors {
		if shells[l.above[i]] && len(a.Args) == 0 && a.CommandLine == "" && i+1 < len(l.above) && l.above[i+1] == "sudo" {
			return l.User == "root"
		}
	}
	return false
}

// reported: what was gathered in a temporary folder is sent to a bare address
// or to a messenger's bot, by no program that is installed.
func reported(s *subject) string {
	l := s.run
	if l == nil || l.managed || !l.ledFromUser() {
		return ""
	}
	for _, d := range l.own {
		switch {
		case d.Kind != meetguard.DeedUpload:
		case d.What == "telegram bot":
			return fmt.Sprintf("%s sends something to a bot of a messenger (%s).", l.shownRun(), l.via())
		case tempPlace(d.File) && publicAddress(d.Host):
			return fmt.Sprintf("%s is sent from a temporary folder to a bare address (%s).", quoted(baseName(d.File)), clip(d.Host))
		}
	}
	return ""
}

// ledFromUser says whether a program or script that lies where any program may
// write led to the launch.
func (l *launch) ledFromUser() bool {
	for _, a := range l.Ancestors {
		name := program(a.Exe)
		own := portables[name] || interpreters[name] || ownTool(a.Exe) // they lie below a home for developers, and what they run tells
		if (own && (landingPlace(a.Exe) || coveredPlace(a.Exe)) || !own && userPlace(a.Exe) && !(a.Signature == nil && installedPlace(a.Exe))) && !signedWell(a.Signature) {
			return true
		}
		if !interpreters[name] {
			continue
		}
		for i, w := range a.Args {
			if i > 0 && i < 4 && tempPlace(w) && !strings.HasPrefix(w, "-") {
				return true
			}
		}
		if program(a.Exe) == "cmd" && tempPlace(a.CommandLine) {
			return true
		}
	}
	return false
}

// ownTool says whether a program lies where the tools of developers put what they
// make for their user.
func ownTool(exe string) bool {
	low := slashed(exe)
	for _, folder := range []string{"/.local/bin/", "/go/bin/", "/.cargo/bin/"} {
		if bareIn(low, folder) && !hiddenName(baseName(low)) {
			return true
		}
	}
	return false
}

// dropped: a script host leads to a program where no setup puts one.
func dropped(s *subject) string {
	l := s.run
	if l == nil || l.managed || interpreters[l.name] || signedWell(l.Signature) || !userPlace(l.Exe) {
		return ""
	}
	low := slashed(l.Exe)
	if len(l.above) > 1 && shells[l.above[0]] && desktops[l.above[1]] && (bareIn(low, "/dev/shm/") || strings.HasPrefix(low, "/tmp/") && bareIn(low, "/tmp/") || bareIn(low, "/var/tmp/")) {
		return fmt.Sprintf("%s had a shell start %s in a temporary folder.", clip(l.above[1]), l.shownRun())
	}
	_, under, roaming := strings.Cut(low, "/appdata/roaming/")
	for i, a := range l.above {
		switch {
		case windowsHosts[a] && (l.door() != "" || l.belowTyped()) && tempPlace(low):
			return fmt.Sprintf("%s led to %s, which lies in a temporary folder.", clip(a), l.shownRun())
		case (a == "powershell" || a == "pwsh") && len(l.Ancestors[i].Args) == 0 && i == 0 && len(l.above) > 1 && (l.above[1] == "explorer" || browsers[l.above[1]]) && bareIn(low, "/appdata/local/temp/"):
			return fmt.Sprintf("%s, which nobody typed into, led to %s in the temporary folder.", clip(a), l.shownRun())
		case (a == "rundll32" || a == "regsvr32") && len(l.Ancestors[i].Args) == 0 && l.door() == "explorer":
			return fmt.Sprintf("Somebody opened a library with %s, and it led to %s.", clip(a), l.shownRun())
		case (a == "powershell" || windowsHosts[a]) && roaming && !strings.Contains(under, "/") && !idleShell(l.Ancestors[i]):
			return fmt.Sprintf("%s led to %s, which lies where no setup puts a program.", clip(a), l.shownRun())
		case !interpreters[a]:
			return doubleName(l, low)
		}
	}
	return doubleName(l, low)
}

// belowTyped says whether somebody typed what led to the launch into a shell of
// Windows.
func (l *launch) belowTyped() bool {
	for i, a := range l.above {
		if (a == "cmd" || a == "powershell" || a == "pwsh") && idleShell(l.Ancestors[i]) && i+1 < len(l.above) && l.above[i+1] == "explorer" {
			return true
		}
	}
	return false
}

// doubleName: a program in a temporary folder with the name of something else.
func doubleName(l *launch, low string) string {
	stem, ok := strings.CutSuffix(baseName(low), ".exe")
	if !ok || !tempPlace(low) {
		return ""
	}
	for _, ext := range []string{".msi", ".pdf", ".doc", ".docx", ".mp4", ".zip", ".ics", ".jpg", ".png", ".txt"} {
		if strings.HasSuffix(stem, ext) {
			return fmt.Sprintf("%s is a program in a temporary folder that is named like something else.", quoted(baseName(l.Exe)))
		}
	}
	return ""
}

// hiddenTask: a script of the user is to be started out of sight again and
// again.
func hiddenTask(s *subject) string {
	l := s.run
	if l == nil || l.managed {
		return ""
	}
	for _, d := range l.own {
		if d.Kind == meetguard.DeedPersist && contains(d.Mark, "hidden script") {
			return "A script that lies where any program may write is to be started out of sight."
		}
	}
	return ""
}

// storeChild: a package of the store's kind that is named like meeting
// software, and not of the publisher of Microsoft's own, starts PowerShell.
func storeChild(s *subject) string {
	l := s.run
	if l == nil || l.managed || l.name != "powershell" && l.name != "pwsh" || len(l.above) == 0 {
		return ""
	}
	_, pack, ok := strings.Cut(slashed(l.Ancestors[0].Exe), "/windowsapps/")
	if !ok || strings.Contains(pack, "__8wekyb3d8bbwe/") {
		return ""
	}
	name, _, _ := strings.Cut(pack, "_")
	if !s.soundsLike(name) && !s.soundsLike(strings.TrimSuffix(name, "desktop")) {
		return ""
	}
	return fmt.Sprintf("%s, a package that calls itself meeting software, starts PowerShell, as the real one never does.", quoted(name))
}

// landedRun: what runs came to this machine minutes ago and nobody vouches for
// it. By itself that is everybody's Monday.
func landedRun(s *subject) string {
	if s.run == nil || s.run.managed || s.Landed == nil || s.Landed.Host == "" || inHouse(s.Landed.Host) || s.judge.official(s.Landed.Host) {
		return ""
	}
	age := s.run.Started.Sub(s.Landed.Time).Minutes()
	if s.run.Started.IsZero() || age < 0 || age > landedMinutes || !s.landedUnproven() {
		return ""
	}
	return fmt.Sprintf("It was run within minutes of its download from %s.", clip(s.Landed.Host))
}

// landedUnproven says whether what landed is known to be unsigned, or is a
// script.
func (s *subject) landedUnproven() bool {
	for _, m := range s.Members {
		if m.Role == "argument" && (m.Script != nil || m.Format == meetguard.FormatScript) {
			return true
		}
	}
	return s.Signature.Status == meetguard.SignatureUnsigned || s.Signature.Status == meetguard.SignatureAdhoc
}
