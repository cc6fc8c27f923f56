package watch

import (
	"slices"
	"strings"
	"time"
	"unsafe"

	"meetguard"
)

// Limits of the process table.
const (
	tableMost     = 4096             // processes held before the ended ones are looked for
	tableAge      = 10 * time.Minute // time after which they are anyway, if more than tableFew are held
	tableFew      = 256
	argsHeld      = 4 << 10 // bytes of arguments kept of each
	ancestorsMost = 16      // ancestors in an event
	chainMost     = 64      // ancestors kept; then the chain is cut to ancestorsMost
)

// node is a process at one time. It never changes once it is in the table, so
// that it may be read elsewhere; it lives as long as a descendant does.
type node struct {
	proc   meetguard.Process // without Ancestors
	parent *node
	depth  int
	forked bool // proc is the parent's but for PID, PPID and Started
}

// table knows the processes and who started them. A parent that ended stays
// known to its children. It belongs to one goroutine.
type table struct {
	live     map[int]*node
	prune    int       // size at which ended processes are looked for
	pruned   time.Time // when that was done
	describe func(pid int) (meetguard.Process, error)
}

func newTable(describe func(int) (meetguard.Process, error)) *table {
	return &table{live: map[int]*node{}, prune: tableMost, describe: describe}
}

// sameStart tells one process from another of the same number. The kernel
// counts starts in nanoseconds, /proc in ticks of 10 ms, and gopsutil from a
// time of boot that is rounded.
func sameStart(a, b time.Time) bool { return a.Sub(b).Abs() < startJitter }

// put makes proc a child of parent.
func (t *table) put(proc meetguard.Process, parent *node, forked bool) *node {
	proc.Args, proc.CommandLine = holdArgs(proc.Args), holdText(proc.CommandLine)
	n := &node{proc: proc, parent: parent, forked: forked}
	if parent != nil {
		if n.depth = parent.depth + 1; n.depth > chainMost {
			n.parent, n.depth = cut(parent, ancestorsMost), ancestorsMost
		}
	}
	t.live[proc.PID] = n
	return n
}

// holdArgs cuts long arguments: many processes may be held, for long.
func holdArgs(args []string) []string {
	room := argsHeld
	for i, arg := range args {
		if room -= len(arg) + int(unsafe.Sizeof(arg)); room < 0 {
			held := make([]string, i)
			for j := range held {
				held[j] = strings.Clone(args[j])
			}
			return held
		}
	}
	return args
}

// holdText cuts a long command line.
func holdText(text string) string {
	if len(text) <= argsHeld {
		return text
	}
	return strings.Clone(text[:argsHeld])
}

// cut copies the nearest nodes of a chain, so that the rest can be freed.
func cut(n *node, keep int) *node {
	if n == nil || keep == 0 {
		return nil
	}
	return &node{proc: n.proc, parent: cut(n.parent, keep-1), depth: keep - 1, forked: n.forked}
}

// fork notes a new process, which runs what its parent runs.
func (t *table) fork(pid, parent int, now time.Time) {
	above := t.find(parent, 0)
	proc := meetguard.Process{PID: pid, PPID: parent, Started: now}
	if above != nil {
		proc = above.proc
		proc.PID, proc.PPID, proc.Started = pid, parent, now
	}
	t.put(proc, above, true)
}

// exec notes a launch. The parent is the one that forked the process, if that
// was seen: the system names another one if the parent has ended since.
func (t *table) exec(proc meetguard.Process) *node {
	old := t.live[proc.PID]
	if old != nil && old.parent != nil && (proc.Started.IsZero() || sameStart(old.proc.Started, proc.Started)) {
		proc.PPID = old.proc.PPID
		return t.put(proc, old.parent, false)
	}
	return t.put(proc, t.find(proc.PPID, 0), false)
}

// end forgets a process, but not to its children.
func (t *table) end(pid int, started time.Time) {
	if n := t.live[pid]; n != nil && sameStart(n.proc.Started, started) {
		delete(t.live, pid)
	}
}

// find returns a process, and learns it and its ancestors from the system if
// it is not known.
func (t *table) find(pid, depth int) *node {
	if n := t.live[pid]; n != nil || pid <= 0 || depth > ancestorsMost {
		return n
	}
	proc, err := t.describe(pid)
	if err != nil {
		return nil
	}
	return t.put(proc, t.find(proc.PPID, depth+1), false)
}

// missed tells whether proc is a launch that the table has not seen.
func (t *table) missed(proc meetguard.Process) bool {
	n := t.live[proc.PID]
	return n == nil || !sameStart(n.proc.Started, proc.Started) || n.proc.Exe != proc.Exe
}

// holds tells whether the table has seen this very launch.
func (t *table) holds(proc meetguard.Process) bool {
	n := t.live[proc.PID]
	return n != nil && !n.forked && !t.missed(proc) && slices.Equal(n.proc.Args, holdArgs(proc.Args))
}

// forgetEnded drops the processes that are not among pids, once there are many
// or it has not been done for long.
func (t *table) forgetEnded(now time.Time, pids func() ([]int, error)) {
	if len(t.live) < t.prune && (len(t.live) < tableFew || now.Sub(t.pruned) < tableAge) {
		return
	}
	if running, err := pids(); err == nil {
		t.keep(running)
	}
	t.prune, t.pruned = max(tableMost, 2*len(t.live)), now
}

func (t *table) keep(running []int) {
	kept := make(map[int]*node, len(running))
	for _, pid := range running {
		if n := t.live[pid]; n != nil {
			kept[pid] = n
		}
	}
	t.live = kept
}

// launch is the node as a launch, without its ancestors.
func (n *node) launch(source string, user func(string) string) *meetguard.Process {
	p := n.proc
	p.User, p.Source = user(p.User), source
	return &p
}

// above lists the ancestors of a node, parent first.
func (n *node) above(user func(string) string) []meetguard.Process {
	list := make([]meetguard.Process, 0, min(n.depth, ancestorsMost))
	for a := n.parent; a != nil && len(list) < ancestorsMost; a = a.parent {
		list = append(list, a.proc)
		above := &list[len(list)-1]
		above.User = user(above.User)
	}
	return slices.Clip(list)
}
