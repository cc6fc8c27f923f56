package agent

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Room is how much garbage a process may hold beside what it has in use, in bytes:
// two thirds of that, but at least and at most so much.
type Room struct{ Least, Most int64 }

// The rooms of the two processes.
var (
	AgentRoom  = Room{Least: 5 << 20, Most: 10 << 20}
	workerRoom = Room{Least: 16 << 20, Most: 32 << 20}
)

// Thrifty has this process collect garbage when there is some, and never else. Left
// to itself the runtime collects every two minutes, which was most of what an agent
// at rest cost, and lets garbage grow to a multiple of what is in use, or, where a
// fixed limit stands above that, collects without end. So the limit follows what
// is in use, after each collection.
func Thrifty(r Room) {
	debug.SetGCPercent(-1)
	r.follow()
}

// follow sets the limit, and again after the next collection.
func (r Room) follow() {
	debug.SetMemoryLimit(readUsage().limit(r))
	runtime.AddCleanup(&witness{}, Room.follow, r)
}

// witness is found to be garbage by each collection.
type witness struct{ _ [2]*witness }

// usage is what a process has of the system, in bytes.
type usage struct {
	mapped  int64 // all but what was given back
	objects int64 // in use or garbage
	live    int64 // that the last collection found in use
	free    int64 // neither: the runtime keeps it
}

// readUsage stops nothing, unlike runtime.ReadMemStats.
func readUsage() usage {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	metrics.Read(s)
	v := func(i int) int64 { return int64(s[i].Value.Uint64()) } // #nosec G115 -- bytes of memory
	return usage{mapped: v(0) - v(1), objects: v(2), live: v(3), free: v(4)}
}

// spare is what the runtime keeps below a limit, see memoryLimitHeapGoal in its
// mgcpacer.go: a mebibyte or three in a hundred.
const spare = 3 << 19

// limit leaves the room. It is never below what is mapped: until that is given
// back, the runtime would take each byte of it for one too much, and collect all
// the time.
func (u usage) limit(r Room) int64 {
	room := min(max(u.live/3*2, r.Least), r.Most)
	return max(u.live+room+u.mapped-u.free-u.objects+spare, u.mapped)
}

// restMost is the garbage that is not worth a collection, in bytes.
const restMost = 2 << 20

// rest gives back what a process that is about to sleep does not need.
func rest() {
	if u := readUsage(); u.objects-u.live+u.free > restMost {
		giveBack()
	}
}

// giveBack returns to the system what this process does not need now.
func giveBack() {
	debug.FreeOSMemory()
	_ = dropFilePages() // without it the process only looks larger
}
