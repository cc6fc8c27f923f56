package chain

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unsafe"

	"meetguard"
)

// Limits of what is remembered.
const (
	maxNodes     = 16_384          // launches
	maxArgs      = 4 << 20         // bytes of arguments, of all launches together
	maxFiles     = 4_096           // files that launches made
	maxSessions  = 512             // terminals, desktops, browsers
	maxSteps     = 48              // of one chain
	maxSession   = 48              // launches with deeds in one session
	maxAncestors = 16              // of one launch
	maxStory     = 64              // steps told of one launch
	sessionSpan  = 5 * time.Minute // launches of a session further apart do not belong together
	fileSpan     = 2 * time.Hour   // after that a file is a file like any other
	execSpan     = 30 * time.Second
)

// Tracker remembers launches. It belongs to one goroutine.
type Tracker struct {
	nodes    map[int]*node
	order    []*node // ring, oldest at next
	next     int
	args     int // bytes of arguments that are held
	bare     int // in order: what is older has lost its arguments
	files    map[string]*trace
	fileRing []string
	fileNext int
	sessions map[*node]*session
	held     []*node // keys of sessions, oldest first
	pack     opened  // the package that was opened last
	chains   int
}

// node is one launch. It lives as long as its children are remembered.
type node struct {
	proc   meetguard.Process
	parent *node
	root   *node // the topmost launch below a program that opens doors
	depth  int
	group  *group
	door   bool
	held   int // bytes of its arguments that count
}

// group is a chain: launches that one program led to, or that handle the same
// files.
type group struct {
	id    string
	into  *group // it was joined to another
	steps []entry
}

func (g *group) top() *group {
	for g.into != nil {
		if g.into.into != nil {
			g.into = g.into.into // shorter the next time
		}
		g = g.into
	}
	return g
}

type entry struct {
	step meetguard.Step
	node *node
}

// trace is a file that a launch made.
type trace struct {
	group  *group
	at     time.Time
	folder bool // what lies in it came with it
}

// session is what a terminal, a desktop or a browser started lately.
type session struct{ steps []entry }

// New gives a tracker that remembers nothing yet.
func New() *Tracker {
	return &Tracker{nodes: map[int]*node{}, order: make([]*node, maxNodes), files: map[string]*trace{},
		fileRing: make([]string, maxFiles), sessions: map[*node]*session{}}
}

// Ancestry takes a launch into the tree and, where its source knows none, gives
// it its ancestors. A launch of a known process id is another process, unless a
// wrapper such as a shell became another program.
func (t *Tracker) Ancestry(p *meetguard.Process) {
	n := &node{proc: *p}
	n.proc.Ancestors = nil
	t.packages(n)
	old := t.nodes[p.PID]
	switch {
	case old != nil && became(old, p):
		n.parent = old
	case p.PPID != p.PID && p.PPID != 0:
		n.parent = t.nodes[p.PPID]
	}
	if n.parent == nil && len(p.Ancestors) > 0 {
		n.parent = t.learn(p.Ancestors)
	}
	if n.parent != nil {
		if n.depth = n.parent.depth + 1; n.depth > 4*maxAncestors {
			n.parent, n.depth = cut(n.parent, maxAncestors), maxAncestors
		}
	}
	t.keep(n.settle())
	if len(p.Ancestors) == 0 {
		for a := n.parent; a != nil && len(p.Ancestors) < maxAncestors; a = a.parent {
			p.Ancestors = append(p.Ancestors, a.proc)
		}
	}
}

// became says whether a process, and not another one of the same number, runs
// a new program: shells and their like do that with their last command.
func became(old *node, p *meetguard.Process) bool {
	if p.OS == "windows" || old.proc.PPID != p.PPID || !wrapper[Program(old.proc.Exe)] {
		return false
	}
	d := p.Started.Sub(old.proc.Started)
	return p.Started.IsZero() || old.proc.Started.IsZero() || d >= 0 && d < execSpan
}

var wrapper = set(`sh bash zsh dash ksh fish env sudo doas nohup nice timeout setsid xargs arch caffeinate su login`)

// learn takes over ancestors that the source knows and the tracker does not.
func (t *Tracker) learn(list []meetguard.Process) *node {
	var above *node
	for i := min(len(list), maxAncestors) - 1; i >= 0; i-- {
		n := t.nodes[list[i].PID]
		if n == nil || n.proc.Exe != list[i].Exe {
			n = &node{proc: list[i], parent: above, depth: min(len(list), maxAncestors) - 1 - i}
			n.proc.Ancestors = nil
			t.keep(n.settle())
		}
		above = n
	}
	return above
}

func (t *Tracker) keep(n *node) {
	if old := t.order[t.next]; old != nil {
		if t.nodes[old.proc.PID] == old {
			delete(t.nodes, old.proc.PID)
		}
		t.strip(old)
		if t.bare == t.next {
			t.bare = (t.bare + 1) % len(t.order)
		}
	}
	t.order[t.next] = n
	t.next = (t.next + 1) % len(t.order)
	t.nodes[n.proc.PID] = n
	n.held = argBytes(&n.proc)
	for t.args += n.held; t.args > maxArgs; t.bare = (t.bare + 1) % len(t.order) {
		t.strip(t.order[t.bare])
	}
}

// strip takes the arguments of an old launch away, but for the first word: a
// launch may have 32 KiB of them, whoever is nobody can make thousands of such,
// and a node may live for as long as its descendants do.
func (t *Tracker) strip(n *node) {
	t.args -= n.held
	n.held = 0
	if len(n.proc.Args) > 0 {
		n.proc.Args = []string{strings.Clone(n.proc.Args[0][:min(len(n.proc.Args[0]), maxWord)])}
	}
	n.proc.CommandLine = ""
}

// maxWord is how much is kept of the first word, in bytes.
const maxWord = 256

func argBytes(p *meetguard.Process) int {
	n := len(p.CommandLine)
	for _, a := range p.Args {
		n += len(a) + int(unsafe.Sizeof(a))
	}
	return n
}

// cut copies the nearest nodes of a line of ancestors, so that the rest can be
// freed.
func cut(n *node, keep int) *node {
	if n == nil || keep == 0 {
		return nil
	}
	above := &node{proc: n.proc, parent: cut(n.parent, keep-1), depth: keep - 1, group: n.group}
	return above.settle()
}

// Add takes a launch that Ancestry knows into a chain and gives its facts the
// story so far. It is called for each launch, in order.
func (t *Tracker) Add(f *meetguard.Facts) {
	p := f.Process
	n := t.nodes[p.PID]
	if n == nil || n.proc.Exe != p.Exe {
		return
	}
	step := meetguard.Step{Time: p.Started, PID: p.PID, PPID: p.PPID, Exe: p.Exe, Link: meetguard.LinkSelf, Deeds: Deeds(f)}
	holder := t.holder(n)
	g := t.group(n)
	g = t.joinPipe(t.joinFiles(g, step), n, step, holder)
	n.group = g
	e := entry{step, n}
	f.Story = t.story(g, e, holder)
	f.Chain = g.id
	g.add(e)
	if holder != nil && len(step.Deeds) > 0 {
		t.session(holder).add(e)
	}
}

// group is the chain of a launch: that of its parent, or a new one below a
// program that starts things which have nothing to do with one another.
func (t *Tracker) group(n *node) *group {
	if n.parent != nil && n.parent.group != nil && !n.parent.door {
		return n.parent.group.top()
	}
	g := &group{}
	t.chains++
	g.id = fmt.Sprintf("%s/%d/%d", n.proc.Started.UTC().Format(time.RFC3339), n.proc.PID, t.chains)
	if n.parent != nil && !n.parent.door { // an ancestor that was not seen to start
		n.parent.group = g
	}
	return g
}

// joinFiles joins the chain with those that made the files of a step, and notes
// the files that it makes.
func (t *Tracker) joinFiles(g *group, step meetguard.Step) *group {
	for _, d := range step.Deeds {
		for _, file := range []string{d.From, d.File} {
			if file == "" {
				continue
			}
			if tr := t.find(file, step.Time); tr != nil && tr.group.top() != g {
				g = merge(tr.group.top(), g)
			}
		}
	}
	for _, d := range step.Deeds {
		switch d.Kind {
		case meetguard.DeedFetch, meetguard.DeedUnpack, meetguard.DeedPack, meetguard.DeedDequarantine, meetguard.DeedResign, meetguard.DeedChmod, meetguard.DeedPersist, meetguard.DeedEncoded, meetguard.DeedHide:
			t.note(d, g, step.Time)
		}
	}
	return g
}

// pipeSpan is how far apart the programs of one pipe are seen to start.
const pipeSpan = 20 * time.Second

// joinPipe joins an interpreter that takes its commands from a pipe with what
// brought or decoded them beside it.
func (t *Tracker) joinPipe(g *group, n *node, step meetguard.Step, holder *node) *group {
	s := t.sessions[holder]
	if holder == nil || s == nil || !readsPipe(n, step) {
		return g
	}
	for _, e := range s.steps {
		if e.step.PPID != step.PPID || step.Time.Sub(e.step.Time).Abs() > pipeSpan && !step.Time.IsZero() || e.node.group.top() == g || typed[Program(e.step.Exe)] {
			continue
		}
		for _, d := range e.step.Deeds {
			if d.File == "" && (d.Kind == meetguard.DeedFetch || d.Kind == meetguard.DeedEncoded) {
				g = merge(e.node.group.top(), g)
				break
			}
		}
	}
	return g
}

// readsPipe holds also for a shell of which no more is known than that a shell
// started it, and for tools that unpack what comes.
func readsPipe(n *node, step meetguard.Step) bool {
	name := Program(n.proc.Exe)
	for _, d := range step.Deeds {
		if d.Kind == meetguard.DeedRead || d.Kind == meetguard.DeedPersist && Program(n.proc.Exe) == "tee" || d.Kind == meetguard.DeedUnpack && d.From == "" || d.Kind == meetguard.DeedEncoded && d.From == "" {
			return true
		}
	}
	return len(n.proc.Args) == 0 && n.parent != nil && typed[Program(n.parent.proc.Exe)] && (typed[name] || inlineHosts[plainTool(name)])
}

func merge(into, g *group) *group {
	into.steps = append(into.steps, g.steps...)
	if over := len(into.steps) - maxSteps; over > 0 {
		into.steps = append([]entry(nil), into.steps[over:]...)
	}
	g.into, g.steps = into, nil
	return into
}

// find looks for the file, and for a folder above it that something was
// unpacked into.
func (t *Tracker) find(file string, now time.Time) *trace {
	own := fileKey(file)
	for key := own; len(key) > 5; {
		if tr := t.files[key]; tr != nil && (key == own || tr.folder) && (now.IsZero() || tr.at.IsZero() || now.Sub(tr.at) < fileSpan) {
			return tr
		}
		i := strings.LastIndexByte(key, '/')
		if i <= 0 {
			return nil
		}
		key = key[:i]
	}
	return nil
}

func (t *Tracker) note(d meetguard.Deed, g *group, at time.Time) {
	key := fileKey(d.File)
	if len(key) <= 5 || shared[key] {
		return
	}
	folder := d.Kind == meetguard.DeedUnpack || strings.HasSuffix(key, ".app")
	if folder && strings.Count(key, "/") < 4 && !strings.HasPrefix(key, "/tmp/") && !strings.HasPrefix(key, "/var/tmp/") && !strings.HasPrefix(key, "~tmp~/") && !strings.HasSuffix(key, ".app") && key != "/volumes" {
		folder = false // Downloads, a home: much lies there that came otherwise
	}
	if _, ok := t.files[key]; !ok {
		delete(t.files, t.fileRing[t.fileNext])
		t.fileRing[t.fileNext] = key
		t.fileNext = (t.fileNext + 1) % len(t.fileRing)
	}
	t.files[key] = &trace{g, at, folder}
}

// shared folders say nothing of who handles what in them.
var shared = set(`/tmp /var/tmp /private/tmp /dev/shm /applications /users/shared /usr/local /usr/local/bin /opt /usr/bin /home /root /users c:/windows/temp c:/users/public c:/programdata c:/temp`)

// temps are the names of the temporary folder.
var temps = strings.NewReplacer("%temp%", "~tmp~", "%tmp%", "~tmp~", "$env:temp", "~tmp~", "$env:tmp", "~tmp~", "$tmpdir", "~tmp~", "${tmpdir}", "~tmp~")

// fileKey is a path so that all spellings of it are equal.
func fileKey(p string) string {
	p = strings.ToLower(strings.ReplaceAll(strings.Trim(p, `"' `), `\`, "/"))
	if strings.ContainsAny(p, "%$") {
		p = temps.Replace(p)
	}
	if i := strings.Index(p, "/appdata/local/temp"); i >= 0 {
		p = "~tmp~" + p[i+len("/appdata/local/temp"):]
	}
	p = strings.TrimPrefix(p, "/private")
	p = strings.ReplaceAll(p, "//", "/")
	p = strings.ReplaceAll(p, "/./", "/")
	p = strings.TrimPrefix(p, "./")
	p = strings.TrimSuffix(p, "/")
	return p
}

// holder is the terminal, desktop or browser above a launch: what starts things
// because its user said so.
func (t *Tracker) holder(n *node) *node {
	for a, i := n.parent, 0; a != nil && i < maxAncestors; a, i = a.parent, i+1 {
		if a.door {
			return a
		}
	}
	return nil
}

func (t *Tracker) session(holder *node) *session {
	s := t.sessions[holder]
	if s == nil {
		s = &session{}
		if len(t.held) >= maxSessions {
			delete(t.sessions, t.held[0])
			t.held = append(t.held[:0], t.held[1:]...)
		}
		t.sessions[holder] = s
		t.held = append(t.held, holder)
	}
	return s
}

func (s *session) add(e entry) {
	if len(s.steps) >= maxSession {
		s.steps = append(s.steps[:0], s.steps[1:]...)
	}
	s.steps = append(s.steps, e)
}

func (g *group) add(e entry) {
	if len(g.steps) >= maxSteps {
		i := 0
		for k := range g.steps { // what did nothing goes first
			if len(g.steps[k].step.Deeds) == 0 {
				i = k
				break
			}
		}
		g.steps = append(g.steps[:i], g.steps[i+1:]...)
	}
	g.steps = append(g.steps, e)
}

// story tells the chain of a launch, oldest first, the launch itself last.
func (t *Tracker) story(g *group, e entry, holder *node) []meetguard.Step {
	out := make([]meetguard.Step, 0, len(g.steps)+1)
	if holder != nil {
		if s := t.sessions[holder]; s != nil {
			for _, o := range s.steps {
				if o.node.group.top() != g && near(o.step.Time, e.step.Time) {
					out = append(out, linked(o.step, meetguard.LinkSession))
				}
			}
		}
	}
	above := make([]*node, 0, maxAncestors)
	for a := e.node.parent; a != nil && len(above) < maxAncestors; a = a.parent {
		above = append(above, a)
	}
	for _, o := range g.steps {
		link := meetguard.LinkFile
		switch {
		case slices.Contains(above, o.node):
			link = meetguard.LinkAncestor
		case o.node.root == e.node.root:
			link = meetguard.LinkTree
		}
		out = append(out, linked(o.step, link))
	}
	if over := len(out) - maxStory + 1; over > 0 {
		out = out[over:]
	}
	return append(out, e.step)
}

func linked(s meetguard.Step, link string) meetguard.Step {
	s.Link = link
	return s
}

func near(a, b time.Time) bool {
	if a.IsZero() || b.IsZero() {
		return true
	}
	return b.Sub(a).Abs() < sessionSpan
}

// settle finds what a launch is below of. The parent is settled before.
func (n *node) settle() *node {
	n.door, n.root = opensDoors(n), n
	if n.parent != nil && !n.parent.door {
		n.root = n.parent.root
	}
	return n
}

// doors are programs that start things which have nothing to do with one
// another but that one person, or the system, wanted them.
var doors = set(`launchd systemd init explorer finder dock userinit services svchost wininit winlogon runtimebroker sihost taskhostw taskeng
	terminal iterm2 iterm gnome-terminal-server gnome-terminal gnome-terminal- konsole xterm alacritty kitty wezterm-gui warp hyper windowsterminal xfce4-terminal tilix ghostty openconsole mintty git-bash
	loginwindow login sshd gnome-shell plasmashell xfce4-session gnome-session-binary kwin_x11 kwin_wayland cinnamon mate-session sway nautilus dolphin thunar xdg-open
	chrome msedge firefox brave safari opera arc chromium vivaldi iexplore
	cron crond tmux screen code cursor runtimebroker containerd-shim containerd-shim-runc-v2 dockerd
	ccmexec omadmclient intunemanagementextension microsoft.management.services.intunewindowsagent agentexecutor jamf`)

// firstProcess is the first of a Unix system, whatever its program: it takes in
// every process whose parent has ended, and its path cannot always be read.
const firstProcess = 1

// opensDoors says whether what a program starts has no more in common than the
// minutes. A shell that was given nothing to run is a person at a keyboard.
func opensDoors(n *node) bool {
	name := Program(n.proc.Exe)
	if doors[name] || n.proc.PID == firstProcess && n.proc.OS != "windows" || strings.HasSuffix(name, " helper (plugin)") || strings.HasSuffix(name, " helper (renderer)") {
		return true
	}
	if n.parent != nil && len(n.proc.Args) == 1 && wrapper[Program(n.parent.proc.Exe)] {
		return false // behind a pipe: it takes its commands from there
	}
	if n.parent != nil && len(n.proc.Args) == 0 && n.proc.CommandLine == "" && doors[Program(n.parent.proc.Exe)] && typed[name] {
		return true // what a terminal or the desktop starts is mostly that
	}
	return interactive(&n.proc, name)
}

// typed are the shells that people type into.
var typed = set(`sh bash zsh fish dash ksh tcsh cmd powershell pwsh`)

// interactive: a shell without a script, such as the one in a terminal.
func interactive(p *meetguard.Process, name string) bool {
	if !typed[name] {
		return false
	}
	words := p.Args
	if len(words) == 0 {
		return p.CommandLine != "" && !strings.ContainsAny(strings.TrimSpace(p.CommandLine), " ")
	}
	for _, w := range words[1:] {
		switch strings.ToLower(w) {
		case "-l", "-i", "-il", "-li", "--login", "--interactive", "-nologo", "-noexit", "/k":
		default:
			return false
		}
	}
	return true
}

// Program is the plain name of an executable of any system: lower case, no
// folder, no .exe.
func Program(exe string) string {
	if i := strings.LastIndexAny(exe, `/\`); i >= 0 {
		exe = exe[i+1:]
	}
	return strings.TrimSuffix(strings.ToLower(exe), ".exe")
}

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}
