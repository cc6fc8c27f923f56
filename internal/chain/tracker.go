package chain

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"
	"unique"
	"unsafe"

	"meetguard"
)

// Limits of what is remembered.
const (
	maxNodes     = 16_384          // launches
	maxArgs      = 4 << 20         // bytes of arguments, of all launches together
	maxTold      = 4 << 20         // bytes of deeds, of all launches together
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
	args     budget
	told     budget
	shared   map[[5]string]*deeds // see same
	files    map[string]*trace
	fileRing []string
	fileNext int
	sessions map[*node]*session
	held     []*node // keys of sessions, oldest first
	pack     opened  // the package that was opened last
	chains   int32
}

// budget is what something takes of all launches together, in bytes.
type budget struct {
	used int
	bare int // in order: what is older has none of it any more
}

// node is one launch. It lives as long as its children are remembered. There are
// thousands: what many have in common is held once, and what a launch was given in
// one text.
type node struct {
	of      unique.Handle[program]
	given   string // the arguments, each behind its length, and the command line
	started time.Time
	deeds   *deeds
	parent  *node
	root    *node // the topmost launch below a program that opens doors
	group   *group
	pid     int32
	ppid    int32
	words   int32 // arguments that it was given
	depth   int16
	door    bool
	counts  bool // what it was given is in the account
	gone    bool // pushed out by newer launches: it is in no account any more
}

// deeds are those of one launch, or of many.
type deeds struct {
	list []meetguard.Deed
	size int // bytes of them that count
}

func (n *node) did() []meetguard.Deed {
	if n.deeds == nil {
		return nil
	}
	return n.deeds.list
}

// args are the arguments, and line is the command line, where there are none.
func (n *node) args() []string {
	if n.words == 0 {
		return nil
	}
	args := make([]string, n.words)
	rest := n.given
	for i := range args {
		args[i], rest = nextWord(rest)
	}
	return args
}

func (n *node) line() string {
	rest := n.given
	for range n.words {
		_, rest = nextWord(rest)
	}
	return rest
}

// give has the node hold what its launch was given, in a text of its own.
func (n *node) give(args []string, line string) {
	size := len(line)
	for _, a := range args {
		size += (bits.Len(uint(len(a)|1))+6)/7 + len(a)
	}
	var own strings.Builder
	own.Grow(size)
	for _, a := range args {
		var length [binary.MaxVarintLen64]byte
		own.Write(length[:binary.PutUvarint(length[:], uint64(len(a)))])
		own.WriteString(a)
	}
	own.WriteString(line)
	n.given, n.words = own.String(), int32(len(args))
}

// nextWord takes the first argument off what a launch was given.
func nextWord(given string) (word, rest string) {
	size, at := 0, 0
	for shift := 0; ; shift += 7 {
		b := given[at]
		at++
		if size |= int(b&0x7f) << shift; b < 0x80 {
			return given[at : at+size], given[at+size:]
		}
	}
}

// program is what launches of one program have in common, mostly.
type program struct {
	os, exe, cwd, user, source, origin string
	signature                          *meetguard.Signature
}

func nodeOf(p *meetguard.Process, parent *node) *node {
	n := &node{of: unique.Make(program{p.OS, p.Exe, p.Cwd, p.User, p.Source, p.OriginHost, p.Signature}),
		started: p.Started, pid: int32(p.PID), ppid: int32(p.PPID), parent: parent}
	n.give(p.Args, p.CommandLine)
	return n
}

func (n *node) exe() string { return n.of.Value().exe }

// proc is the launch as it was told, without its ancestors and what was stripped.
func (n *node) proc() meetguard.Process {
	of := n.of.Value()
	return meetguard.Process{PID: int(n.pid), PPID: int(n.ppid), OS: of.os, Exe: of.exe, Args: n.args(), CommandLine: n.line(), Cwd: of.cwd, User: of.user,
		Started: n.started, Source: of.source, Signature: of.signature, OriginHost: of.origin}
}

// step is the launch as a part of a story.
func (n *node) step(link string) meetguard.Step {
	return meetguard.Step{Time: n.started, PID: int(n.pid), PPID: int(n.ppid), Exe: n.exe(), Link: link, Deeds: n.did()}
}

// group is a chain: launches that one program led to, or that handle the same
// files.
type group struct {
	began  int64  // in seconds since 1970; with pid and number its name
	into   *group // it was joined to another
	steps  []*node
	pid    int32
	number int32
}

// name is how alerts tell one chain from another.
func (g *group) name() string {
	return fmt.Sprintf("%s/%d/%d", time.Unix(g.began, 0).UTC().Format(time.RFC3339), g.pid, g.number)
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

// trace is a file that a launch made.
type trace struct {
	group  *group
	at     time.Time
	folder bool // what lies in it came with it
}

// session is what a terminal, a desktop or a browser started lately.
type session struct{ steps []*node }

// New gives a tracker that remembers nothing yet.
func New() *Tracker {
	return &Tracker{nodes: map[int]*node{}, shared: map[[5]string]*deeds{}, order: make([]*node, maxNodes), files: map[string]*trace{},
		fileRing: make([]string, maxFiles), sessions: map[*node]*session{}}
}

// Ancestry takes a launch into the tree and, where its source knows none, gives
// it its ancestors. A launch of a known process id is another process, unless a
// wrapper such as a shell became another program.
func (t *Tracker) Ancestry(p *meetguard.Process) {
	n := nodeOf(t.packages(p), nil)
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
			p.Ancestors = append(p.Ancestors, a.proc())
		}
	}
}

// became says whether a process, and not another one of the same number, runs
// a new program: shells and their like do that with their last command.
func became(old *node, p *meetguard.Process) bool {
	if p.OS == "windows" || int(old.ppid) != p.PPID || !wrapper[Program(old.exe())] {
		return false
	}
	d := p.Started.Sub(old.started)
	return p.Started.IsZero() || old.started.IsZero() || d >= 0 && d < execSpan
}

var wrapper = set(`sh bash zsh dash ksh fish env sudo doas nohup nice timeout setsid xargs arch caffeinate su login`)

// learn takes over ancestors that the source knows and the tracker does not.
func (t *Tracker) learn(list []meetguard.Process) *node {
	var above *node
	for i := min(len(list), maxAncestors) - 1; i >= 0; i-- {
		n := t.nodes[list[i].PID]
		if n == nil || n.exe() != list[i].Exe {
			n = nodeOf(&list[i], above)
			n.depth = int16(min(len(list), maxAncestors) - 1 - i)
			t.keep(n.settle())
		}
		above = n
	}
	return above
}

func (t *Tracker) keep(n *node) {
	if old := t.order[t.next]; old != nil {
		if t.nodes[int(old.pid)] == old {
			delete(t.nodes, int(old.pid))
		}
		t.strip(old)
		t.release(old)
		old.gone = true
		for _, b := range []*budget{&t.args, &t.told} {
			if b.bare == t.next {
				b.bare = (b.bare + 1) % len(t.order)
			}
		}
	}
	t.order[t.next] = n
	t.next = (t.next + 1) % len(t.order)
	t.nodes[int(n.pid)] = n
	n.counts = true
	t.spend(&t.args, len(n.given), maxArgs, t.strip)
}

// spend takes something into account and has the oldest launches lose theirs
// until all of it is within the bound again.
func (t *Tracker) spend(b *budget, n, most int, drop func(*node)) {
	for b.used += n; b.used > most; b.bare = (b.bare + 1) % len(t.order) {
		drop(t.order[b.bare])
	}
}

// strip takes the arguments of an old launch away, but for the first word: a
// launch may have 32 KiB of them, whoever is nobody can make thousands of such,
// and a node may live for as long as its descendants do.
func (t *Tracker) strip(n *node) {
	if n.counts {
		t.args.used -= len(n.given)
		n.counts = false
		n.bare()
	}
}

func (n *node) bare() {
	if n.words == 0 {
		n.given = ""
		return
	}
	first, _ := nextWord(n.given)
	n.give([]string{first[:min(len(first), maxWord)]}, "")
}

// fewDeeds is what the deeds of a launch may take, in bytes, that is so old that
// it counts no more, but lives on in the story of its chain.
const fewDeeds = 512

// release takes the deeds of an old launch out of the account, and away if they
// are many.
func (t *Tracker) release(n *node) {
	if n.deeds == nil {
		return
	}
	if n.deeds.size > fewDeeds {
		t.mute(n)
		return
	}
	t.told.used -= n.deeds.size
	n.deeds.size = 0 // of those that many share it is none
}

// mute takes the deeds of a launch away, for the same reason.
func (t *Tracker) mute(n *node) {
	if n.deeds != nil {
		t.told.used -= n.deeds.size
		n.deeds = nil
	}
}

// remember keeps the deeds of a launch, with texts of their own: those of its
// arguments would hold all of these.
func (t *Tracker) remember(n *node, done []meetguard.Deed) {
	t.mute(n)
	if n.deeds = t.same(n, done); n.deeds != nil || len(done) == 0 {
		return
	}
	list := make([]meetguard.Deed, len(done))
	size := 0
	for i, d := range done {
		d.File, d.From, d.Host, d.What = ownText(d.File, n), ownText(d.From, n), ownText(d.Host, n), ownText(d.What, n)
		d.Mark = slices.Clone(d.Mark)
		for k := range d.Mark {
			d.Mark[k] = strings.Clone(d.Mark[k])
			size += len(d.Mark[k])
		}
		list[i] = d
		size += int(unsafe.Sizeof(d)) + len(d.File) + len(d.From) + len(d.Host) + len(d.What)
	}
	n.deeds = &deeds{list, size}
	t.spend(&t.told, size, maxTold, t.mute)
}

// maxSame bounds the deeds that launches share, and sameMost the texts of one, in
// bytes.
const (
	maxSame  = 512
	sameMost = 256
)

// same gives the deeds of a launch that did one thing as many others did: ran its
// program, mostly. They are held once, and in no account.
func (t *Tracker) same(n *node, done []meetguard.Deed) *deeds {
	if len(done) != 1 || len(done[0].Mark) > 0 {
		return nil
	}
	d := done[0]
	if d.File != n.exe() || len(d.File)+len(d.From)+len(d.Host)+len(d.What) > sameMost {
		return nil
	}
	key := [...]string{d.Kind, d.File, d.From, d.Host, d.What}
	shared, known := t.shared[key]
	if !known {
		if len(t.shared) >= maxSame {
			clear(t.shared)
		}
		for i := range key {
			key[i] = strings.Clone(key[i])
		}
		shared = &deeds{list: []meetguard.Deed{{Kind: key[0], File: key[1], From: key[2], Host: key[3], What: key[4]}}}
		t.shared[key] = shared
	}
	return shared
}

// ownText copies a text, unless it is the path of the launch's program.
func ownText(s string, n *node) string {
	if exe := n.exe(); s == exe {
		return exe
	}
	return strings.Clone(s)
}

// maxWord is how much is kept of the first word, in bytes.
const maxWord = 256

// cut copies the nearest nodes of a line of ancestors, so that the rest can be
// freed. The copies are in no account: they have no arguments but the first word,
// and no deeds.
func cut(n *node, keep int) *node {
	if n == nil || keep == 0 {
		return nil
	}
	above := *n
	above.parent, above.depth, above.counts, above.deeds = cut(n.parent, keep-1), int16(keep-1), false, nil
	settled := above.settle() // by its arguments
	settled.bare()
	return settled
}

// Add takes a launch that Ancestry knows into a chain and gives its facts the
// story so far. It is called for each launch, in order.
func (t *Tracker) Add(f *meetguard.Facts) { t.Hold(f) }

// Place is where a launch stands in its chain.
type Place struct{ n *node }

// Hold is Add for a launch of which more is learned later, see Complete. What
// starts meanwhile finds it in its place. The place is nil if the launch is not
// known.
func (t *Tracker) Hold(f *meetguard.Facts) *Place {
	p := f.Process
	n := t.nodes[p.PID]
	if n == nil || n.exe() != p.Exe {
		return nil
	}
	step := ownStep(f)
	holder := t.holder(n)
	g := t.join(n, t.group(n), step, holder)
	f.Story = t.story(g, n, step, holder, false)
	f.Chain = g.name()
	t.remember(n, step.Deeds)
	g.add(n)
	if holder != nil && len(step.Deeds) > 0 {
		t.session(holder).add(n)
	}
	return &Place{n}
}

// Complete tells what a launch does by all that is known of it, after others were
// added behind it, and gives its facts the chain and the story as they are now: in
// the order of starting, so that the launch itself need not be the last.
func (t *Tracker) Complete(at *Place, f *meetguard.Facts) {
	if at == nil {
		return
	}
	n := at.n
	step := ownStep(f)
	holder := t.holder(n)
	g := t.join(n, n.group.top(), step, holder)
	if n.deeds != nil && !n.gone { // else they were given up already
		t.remember(n, step.Deeds)
	}
	f.Story = t.story(g, n, step, holder, true)
	f.Chain = g.name()
}

func ownStep(f *meetguard.Facts) meetguard.Step {
	p := f.Process
	return meetguard.Step{Time: p.Started, PID: p.PID, PPID: p.PPID, Exe: p.Exe, Link: meetguard.LinkSelf, Deeds: Deeds(f)}
}

// join takes a launch into its group and those that its step leads to.
func (t *Tracker) join(n *node, g *group, step meetguard.Step, holder *node) *group {
	n.group = t.joinPipe(t.joinFiles(g, step), n, step, holder)
	return n.group
}

// group is the chain of a launch: that of its parent, or a new one below a
// program that starts things which have nothing to do with one another.
func (t *Tracker) group(n *node) *group {
	if n.parent != nil && n.parent.group != nil && !n.parent.door {
		return n.parent.group.top()
	}
	t.chains++
	g := &group{began: n.started.Unix(), pid: n.pid, number: t.chains}
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
		if int(e.ppid) != step.PPID || step.Time.Sub(e.started).Abs() > pipeSpan && !step.Time.IsZero() || e.group.top() == g || typed[Program(e.exe())] {
			continue
		}
		for _, d := range e.did() {
			if d.File == "" && (d.Kind == meetguard.DeedFetch || d.Kind == meetguard.DeedEncoded) || pipedFetch[Program(e.exe())] && n.words == 0 && e.words == 0 {
				g = merge(e.group.top(), g)
				break
			}
		}
	}
	return g
}

// pipedFetch bring what a pipe hands on: of two programs beside one another of which
// nothing is known, the second may take what the first brings.
var pipedFetch = set(`curl wget`)

// readsPipe holds also for a shell of which no more is known than that a shell
// started it, and for tools that unpack what comes.
func readsPipe(n *node, step meetguard.Step) bool {
	name := Program(n.exe())
	for _, d := range step.Deeds {
		if d.Kind == meetguard.DeedRead || d.Kind == meetguard.DeedPersist && name == "tee" || d.Kind == meetguard.DeedUnpack && d.From == "" || d.Kind == meetguard.DeedEncoded && d.From == "" {
			return true
		}
	}
	return n.words == 0 && n.parent != nil && typed[Program(n.parent.exe())] && (typed[name] || inlineHosts[plainTool(name)])
}

func merge(into, g *group) *group {
	into.steps = append(into.steps, g.steps...)
	if over := len(into.steps) - maxSteps; over > 0 {
		into.steps = append([]*node(nil), into.steps[over:]...)
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

func (s *session) add(n *node) {
	if len(s.steps) >= maxSession {
		s.steps = append(s.steps[:0], s.steps[1:]...)
	}
	s.steps = append(s.steps, n)
}

func (g *group) add(n *node) {
	if len(g.steps) >= maxSteps {
		i := 0
		for k := range g.steps { // what did nothing goes first
			if len(g.steps[k].did()) == 0 {
				i = k
				break
			}
		}
		g.steps = append(g.steps[:i], g.steps[i+1:]...)
	}
	g.steps = append(g.steps, n)
}

// story tells the chain of a launch, oldest first. The launch itself is the last,
// unless it is late: others were added since.
func (t *Tracker) story(g *group, n *node, own meetguard.Step, holder *node, late bool) []meetguard.Step {
	out := make([]meetguard.Step, 0, len(g.steps)+1)
	if holder != nil {
		if s := t.sessions[holder]; s != nil {
			for _, o := range s.steps {
				if o.group.top() != g && near(o.started, own.Time) && !(late && o.started.After(own.Time)) {
					out = append(out, o.step(meetguard.LinkSession))
				}
			}
		}
	}
	above := make([]*node, 0, maxAncestors)
	for a := n.parent; a != nil && len(above) < maxAncestors; a = a.parent {
		above = append(above, a)
	}
	place := -1
	for _, o := range g.steps {
		link := meetguard.LinkFile
		if late && place < 0 && (o == n || o.started.After(own.Time)) { // it may have been pushed out
			place = len(out)
		}
		switch {
		case o == n:
			continue
		case slices.Contains(above, o):
			link = meetguard.LinkAncestor
		case o.root == n.root:
			link = meetguard.LinkTree
		}
		out = append(out, o.step(link))
	}
	if place < 0 {
		place = len(out)
	}
	if over := len(out) - maxStory + 1; over > 0 {
		out, place = out[over:], max(0, place-over)
	}
	return slices.Insert(out, place, own)
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
	terminal iterm2 iterm gnome-terminal-server gnome-terminal gnome-terminal- konsole xterm alacritty kitty wezterm-gui warp hyper windowsterminal xfce4-terminal tilix ghostty ptyxis kgx foot terminator mate-terminal lxterminal qterminal rio tabby guake yakuake openconsole mintty git-bash
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
	name := Program(n.exe())
	if doors[name] || n.pid == firstProcess && n.of.Value().os != "windows" || strings.HasSuffix(name, " helper (plugin)") || strings.HasSuffix(name, " helper (renderer)") {
		return true
	}
	if n.parent != nil && n.words == 1 && wrapper[Program(n.parent.exe())] {
		return false // behind a pipe: it takes its commands from there
	}
	if n.parent != nil && n.given == "" && doors[Program(n.parent.exe())] && typed[name] {
		return !clicked[Program(n.parent.exe())] // what a terminal starts is mostly that
	}
	return typed[name] && interactive(n.args(), n.line(), name)
}

// clicked are the doors behind which nobody types: a shell that one of them starts
// was given something to run, known or not.
var clicked = set(`plasmashell gnome-shell nautilus dolphin thunar finder dock chrome msedge firefox brave safari opera arc chromium vivaldi iexplore`)

// typed are the shells that people type into.
var typed = set(`sh bash zsh fish dash ksh tcsh cmd powershell pwsh`)

// interactive: a shell without a script, such as the one in a terminal.
func interactive(words []string, line, name string) bool {
	if !typed[name] {
		return false
	}
	if len(words) == 0 {
		return line != "" && !strings.ContainsAny(strings.TrimSpace(line), " ")
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
