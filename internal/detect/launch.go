package detect

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"meetguard"
)

// launch is a launch with the questions that rules ask of it and of its chain.
type launch struct {
	*meetguard.Process
	name    string           // plain name of its program
	above   []string         // plain names of its ancestors, parent first
	own     []meetguard.Deed // what it does itself
	chain   []meetguard.Step // what else belongs to it: one tree or one file
	session []meetguard.Step // what the same terminal or desktop started within minutes
	managed bool             // software management, or the system itself, started it
	backup  bool             // a backup program or its owner handles the data
	fetched []meetguard.Deed // downloads whose result this launch runs
	cast    map[string]bool  // plain names of all programs of its tree
	kinds   map[string]bool  // secrets taken in the chain
}

// program is the plain name of an executable: lower case, no folder, no .exe.
func program(exe string) string {
	name := strings.TrimSuffix(strings.ToLower(baseName(exe)), ".exe")
	if plain := strings.TrimRight(name, ".0123456789"); plain != name && versioned[plain] {
		if plain == "python" {
			return "python3"
		}
		return plain
	}
	return name
}

// versioned are interpreters that systems install under a name with their
// version.
var versioned = set(`python pythonw ruby perl php lua node tclsh`)

// takeLaunch prepares a launch for the rules. What software management runs is
// not judged by the habits of its command lines: those that lures borrow are
// its own.
func (s *subject) takeLaunch() {
	p := s.Process
	l := &launch{Process: p, name: program(p.Exe), cast: map[string]bool{}, kinds: map[string]bool{}}
	s.run = l
	for _, a := range p.Ancestors {
		l.above = append(l.above, program(a.Exe))
	}
	l.managed = managedBy(p)
	l.split(s.Story)
	if s.asksForServer() || s.asksForMaker() {
		l.own = slices.DeleteFunc(slices.Clone(l.own), func(d meetguard.Deed) bool { return d.Kind == meetguard.DeedPrompt })
	}
	l.fetched = l.findFetched()
	if s.Script == nil {
		return
	}
	s.code = newCode(s.judge, s.insideTrusted())
	if (l.managed || webDAVCookie(p) || opensPage(p) || elsewhere[l.name] && !l.breaksOut() || s.fromOwnNet()) && s.code.lookalike.Host == "" {
		s.code = nil
	}
}

// elsewhere are programs whose command line is run in a container or on another
// machine.
var elsewhere = set(`docker podman nerdctl kubectl oc lxc multipass vagrant`)

// breaksOut says whether a command for a container is run outside of it.
func (l *launch) breaksOut() bool {
	all := " " + strings.Join(l.Args, " ") + " "
	return strings.Contains(all, " chroot /") || strings.Contains(all, " nsenter ") && (strings.Contains(all, " -t 1 ") || strings.Contains(all, "--target 1 "))
}

// webDAVCookie: the system's own WebDAV client takes over a cookie of the
// browser. It runs nothing from the address that it is given.
func webDAVCookie(p *meetguard.Process) bool {
	return program(p.Exe) == "rundll32" && strings.Contains(strings.ToLower(strings.Join(p.Args, " ")+p.CommandLine), `system32\davclnt.dll,davsetcookie `)
}

// opensPage: a library of the system's own is told to open an address in the
// browser. It runs nothing from there.
func opensPage(p *meetguard.Process) bool {
	low := strings.ToLower(strings.Join(p.Args, " ") + p.CommandLine)
	return program(p.Exe) == "rundll32" && strings.Contains(low, "url.dll,") && strings.Contains(low, "http") && !strings.Contains(low, "javascript:")
}

// split sorts the story.
func (l *launch) split(story []meetguard.Step) {
	l.cast[l.name] = true
	for _, st := range story {
		switch st.Link {
		case meetguard.LinkSelf:
			l.own = st.Deeds
		case meetguard.LinkSession:
			l.session = append(l.session, st)
		default:
			l.chain = append(l.chain, st)
			if st.Link != meetguard.LinkFile {
				l.cast[program(st.Exe)] = true
			}
		}
		if st.Link == meetguard.LinkSession {
			continue
		}
		for _, d := range st.Deeds {
			if d.Kind == meetguard.DeedSecret && !fetchers[program(st.Exe)] && !(st.Link != meetguard.LinkSelf && toDisk(st.Deeds)) {
				l.kinds[d.What] = true
			}
		}
	}
	l.backup = l.isBackup()
}

// publicAddress says whether a host is an address of the Internet and no name.
func publicAddress(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && !ownAddress(a)
}

func (l *launch) does(kinds ...string) bool {
	for _, d := range l.own {
		for _, k := range kinds {
			if d.Kind == k {
				return true
			}
		}
	}
	return false
}

// deed is the first deed of a kind in the chain, the launch's own first.
func (l *launch) deed(kinds ...string) (meetguard.Deed, bool) {
	for _, k := range kinds {
		for _, d := range l.own {
			if d.Kind == k {
				return d, true
			}
		}
		for i := len(l.chain) - 1; i >= 0; i-- {
			for _, d := range l.chain[i].Deeds {
				if d.Kind == k {
					return d, true
				}
			}
		}
	}
	return meetguard.Deed{}, false
}

// acts says whether the launch itself does something that matters.
func (l *launch) acts() bool {
	for _, d := range l.own {
		switch d.Kind {
		case meetguard.DeedRun:
			if d.What != "program" || userPlace(d.File) {
				return true
			}
		case meetguard.DeedErase, meetguard.DeedPack, meetguard.DeedOrigin:
		default:
			return true
		}
	}
	return false
}

// parent is the plain name of the program that started the launch.
func (l *launch) parent() string {
	if len(l.above) == 0 {
		return ""
	}
	return l.above[0]
}

func (l *launch) under(names map[string]bool) (string, bool) {
	for _, a := range l.above {
		if names[a] {
			return a, true
		}
	}
	return "", false
}

// known says whether the launch came with its command line.
func (l *launch) known() bool { return len(l.Args) > 1 || l.CommandLine != "" }

// findFetched finds the downloads that this launch runs: in its own command
// line, through a pipe, or by the file.
func (l *launch) findFetched() []meetguard.Deed {
	var out []meetguard.Deed
	reads := false
	ran := []string{}
	for _, d := range l.own {
		switch d.Kind {
		case meetguard.DeedFetchRun:
			out = append(out, d)
		case meetguard.DeedRead:
			reads = true
		case meetguard.DeedRun, meetguard.DeedChmod:
			if d.What != "unpack" && d.File != "" {
				ran = append(ran, fileKey(d.File))
			}
		}
	}
	// a shell of which no more is known, right behind a download that goes nowhere else
	blind := !l.known() && len(l.Args) == 0 && shells[l.name] && (shells[l.parent()] || handovers[l.parent()])
	compiles := !l.known() && len(l.Args) == 0 && codeReaders[l.name] && shells[l.parent()]
	steps := append(append([]meetguard.Step{}, l.session...), l.chain...)
	steps = append(steps, meetguard.Step{PID: l.PID, PPID: l.PPID, Deeds: l.own, Time: l.Started, Link: meetguard.LinkSelf})
	flows := flowsOf(steps)
	for _, st := range steps {
		for _, d := range st.Deeds {
			if d.Kind != meetguard.DeedFetch {
				continue
			}
			switch {
			case st.Link == meetguard.LinkSelf && d.File == "" && readBeside(steps, l.Process):
				out = append(out, d)
			case (reads || blind) && d.File == "" && st.PPID == l.PPID && soon(st, l.Process) && (st.Link == meetguard.LinkSelf || !shells[program(st.Exe)]):
				if !reads {
					d.Mark = append([]string{blindly}, d.Mark...)
				}
				out = append(out, d)
			case compiles && d.File == "" && st.PPID == l.PPID && soon(st, l.Process) && publicAddress(d.Host) && !contains(d.Mark, "answer"):
				d.Mark = append([]string{blindly}, d.Mark...)
				out = append(out, d)
			case d.File != "" && len(ran) > 0 && ranFrom(fileKey(d.File), ran, flows, 0):
				if decodedFrom(steps, fileKey(d.File), ran) {
					d.Mark = append([]string{encrypted}, d.Mark...)
				}
				out = append(out, d)
			}
		}
	}
	return out
}

// codeReaders are interpreters that take code from a pipe, and that nobody puts
// there to work on what is fetched.
var codeReaders = set(`swift osascript deno bun lua tclsh`)

// readBeside says whether a shell beside a launch, of the same parent, waits for
// what it brings at a descriptor that another program fills.
func readBeside(steps []meetguard.Step, p *meetguard.Process) bool {
	for _, st := range steps {
		if st.Link == meetguard.LinkSelf || st.PPID != p.PPID || !shells[program(st.Exe)] || !soon(st, p) {
			continue
		}
		for _, d := range st.Deeds {
			if d.Kind == meetguard.DeedRead && contains(d.Mark, "descriptor") {
				return true
			}
		}
	}
	return false
}

// encrypted marks a download that was decoded before it was run.
const encrypted = "encrypted"

// decodedFrom says whether one of the files that were run was decoded from the
// download.
func decodedFrom(steps []meetguard.Step, file string, ran []string) bool {
	for _, st := range steps {
		for _, d := range st.Deeds {
			if d.Kind == meetguard.DeedEncoded && fileKey(d.From) == file && contains(ran, fileKey(d.File)) {
				return true
			}
		}
	}
	return false
}

// handovers start a shell in their own place.
var handovers = set(`nohup setsid env sudo timeout`)

// blindly marks a download that a shell beside it takes, as far as is known.
const blindly = "blindly"

// flow is one file that was made of another: unpacked, copied, decoded.
type flow struct{ from, to string }

// flowsOf are the flows of all steps, by keys.
func flowsOf(steps []meetguard.Step) []flow {
	var out []flow
	for _, st := range steps {
		archive, to := "", ""
		for _, d := range st.Deeds {
			switch {
			case d.From != "" && d.File != "":
				out = append(out, flow{fileKey(d.From), fileKey(d.File)})
			case d.Kind == meetguard.DeedRun && d.What == "unpack":
				archive = fileKey(d.File)
			case d.Kind == meetguard.DeedUnpack:
				to = fileKey(d.File)
			}
		}
		if archive != "" && to != "" {
			out = append(out, flow{archive, to})
		}
	}
	return out
}

// ranFrom says whether one of the files that were run is the one that was
// fetched, or came out of it.
func ranFrom(file string, ran []string, flows []flow, depth int) bool {
	for _, r := range ran {
		if r == file || len(file) >= len("/volumes") && strings.HasPrefix(r, file+"/") {
			return true
		}
	}
	if depth == 0 && ranBeside(file, ran) {
		return true
	}
	if depth > 2 {
		return false
	}
	for _, f := range flows {
		if len(f.to) > 4 && f.to != file && (f.from == file || strings.HasPrefix(f.from, file+"/")) && ranFrom(f.to, ran, flows, depth+1) {
			return true
		}
	}
	return false
}

// ranBeside says whether something was run that is called like the download and lies
// beside it, or in a folder that is called like it: what unpacked or decoded it is
// not known.
func ranBeside(file string, ran []string) bool {
	if !landingPlace(file) && !strings.HasPrefix(file, "~tmp~/") {
		return false
	}
	ext := pathExt(file)
	stem := strings.TrimSuffix(strings.TrimSuffix(file, ext), ".tar")
	if folderOf(file) == stem || ext != "" && !archiveExt[ext] && ext != ".txt" && ext != ".b64" {
		return false
	}
	for _, r := range ran {
		if strings.HasPrefix(r, stem+"/") || strings.TrimSuffix(r, pathExt(r)) == stem && pathExt(r) != "" && r != file {
			return true
		}
	}
	return false
}

// soon: two launches of one pipe start together.
func soon(st meetguard.Step, p *meetguard.Process) bool {
	if st.Time.IsZero() || p.Started.IsZero() {
		return true
	}
	return p.Started.Sub(st.Time).Abs().Seconds() < 20
}

// fileKey is a path so that all spellings of it are equal.
func fileKey(p string) string {
	p = strings.ToLower(strings.ReplaceAll(strings.Trim(p, `"' `), `\`, "/"))
	for _, t := range []string{"%temp%", "%tmp%", "$env:temp", "$env:tmp", "$tmpdir", "${tmpdir}"} {
		p = strings.ReplaceAll(p, t, "~tmp~")
	}
	if i := strings.Index(p, "/appdata/local/temp"); i >= 0 {
		p = "~tmp~" + p[i+len("/appdata/local/temp"):]
	}
	p = strings.TrimPrefix(p, "/private")
	return strings.TrimSuffix(strings.TrimPrefix(strings.ReplaceAll(p, "//", "/"), "./"), "/")
}

// shownRun names a launch for evidence.
func (l *launch) shownRun() string {
	if l.name == "" {
		return "A program"
	}
	return clip(l.name)
}

// via tells who led to the launch.
func (l *launch) via() string {
	if len(l.above) == 0 {
		return l.shownRun()
	}
	names := []string{}
	for i := min(len(l.above), 3) - 1; i >= 0; i-- {
		names = append(names, clip(l.above[i]))
	}
	return fmt.Sprintf("%s → %s", strings.Join(names, " → "), l.shownRun())
}
