package agent

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// hindrances tells what keeps the agent with this process id from working, as far
// as it can be seen from outside: proc(5), cgroups(7) of both versions.
func hindrances(pid int, state string) []string {
	var out []string
	for _, why := range []string{stopped(pid), withoutHandles(pid), inFreezer(pid), throttled(pid), killedForMemory(pid), atMemoryLimit(pid),
		shortOfMemory(func(file string) string {
			return controlled(pid, "", file)
		}, func(file string) string { return controlled(pid, "memory", file) }), VolumeTrouble(state)} {
		if why != "" {
			out = append(out, why)
		}
	}
	return out
}

func procText(pid int, name string) string {
	data, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), name)) // what cannot be read hinders nobody
	return string(data)
}

// stopped reads the state behind the name of the process, which may hold anything.
func stopped(pid int) string {
	_, rest, _ := strings.Cut(procText(pid, "status"), "\nState:\t")
	if strings.HasPrefix(rest, "T") {
		return fmt.Sprintf("process %d is stopped (SIGSTOP); SIGCONT lets it go on", pid)
	}
	return ""
}

func withoutHandles(pid int) string {
	_, rest, _ := strings.Cut(procText(pid, "limits"), "\nMax open files")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return ""
	}
	limit, err := strconv.Atoi(fields[0])
	if err != nil {
		return ""
	}
	open, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "fd"))
	if err != nil || len(open)+2 < limit {
		return ""
	}
	return fmt.Sprintf("the agent has %d of the %d open files that it may have (RLIMIT_NOFILE)", len(open), limit)
}

// controlled reads a file of the control group that a process is in: of a
// controller of version 1, or of the one tree of version 2. It is "" if there is
// none.
func controlled(pid int, controller, file string) string {
	for line := range strings.Lines(procText(pid, "cgroup")) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for _, name := range strings.Split(parts[1], ",") {
			if name != controller {
				continue
			}
			data, err := os.ReadFile(path.Join("/sys/fs/cgroup", controller, parts[2], file))
			if err == nil {
				return string(bytes.TrimSpace(data))
			}
		}
	}
	return ""
}

func inFreezer(pid int) string {
	if s := controlled(pid, "freezer", "freezer.state"); s == "FROZEN" || s == "FREEZING" || strings.Contains(controlled(pid, "", "cgroup.events"), "frozen 1") {
		return "the control group of the agent is frozen"
	}
	return ""
}

// leastShare is the share of one core below which the agent cannot keep up.
const leastShare = 0.1

func throttled(pid int) string {
	quota, _ := strconv.ParseFloat(controlled(pid, "cpu", "cpu.cfs_quota_us"), 64)
	period, _ := strconv.ParseFloat(controlled(pid, "cpu", "cpu.cfs_period_us"), 64)
	if fields := strings.Fields(controlled(pid, "", "cpu.max")); len(fields) == 2 {
		quota, _ = strconv.ParseFloat(fields[0], 64)
		period, _ = strconv.ParseFloat(fields[1], 64)
	}
	if quota <= 0 || period <= 0 || quota/period >= leastShare {
		return ""
	}
	return fmt.Sprintf("the control group of the agent gives it %.1f %% of a core", 100*quota/period)
}

func killedForMemory(pid int) string {
	for _, text := range []string{controlled(pid, "memory", "memory.oom_control"), controlled(pid, "", "memory.events")} {
		if _, rest, ok := strings.Cut("\n"+text, "\noom_kill "); ok {
			count, _, _ := strings.Cut(rest, "\n")
			if n, err := strconv.Atoi(count); err == nil && n > 0 {
				return fmt.Sprintf("the control group of the agent lacked memory: %d processes in it were killed for that", n)
			}
		}
	}
	return ""
}

// From which share of its limit a process is short of memory, and how much of a
// minute it has to wait for memory to be (PSI).
const (
	memoryFull    = 0.95
	memoryWaiting = 10 // percent
	memoryLook    = 200 * time.Millisecond
)

// shortOfMemory tells that a control group has no more memory to give: what it
// could give back, pages of files, does not count. The functions read its files in
// either version of control groups; "" stands for a file that is not there.
func shortOfMemory(v2, v1 func(file string) string) string {
	var why []string
	for _, g := range []struct {
		read                   func(string) string
		used, inactive, active string
		limits                 []string
	}{
		{v2, "memory.current", "inactive_file", "active_file", []string{"memory.high", "memory.max"}},
		{v1, "memory.usage_in_bytes", "total_inactive_file", "total_active_file", []string{"memory.limit_in_bytes"}},
	} {
		held := number(g.read(g.used))
		used := held - field(g.read("memory.stat"), g.inactive) - field(g.read("memory.stat"), g.active)
		for _, name := range g.limits {
			limit := number(g.read(name))
			if limit <= 0 || held < memoryFull*limit || used < memoryFull*limit && !turnedDown(g.read) {
				continue
			}
			why = append(why, fmt.Sprintf("the control group of the agent holds %.0f MiB of the %.0f MiB of memory that it may have (%s)", held/(1<<20), limit/(1<<20), name))
			break
		}
	}
	for line := range strings.Lines(v2("memory.pressure")) {
		rest, full := strings.CutPrefix(line, "full ")
		_, rest, found := strings.Cut(rest, "avg60=")
		share, _, _ := strings.Cut(rest, " ")
		if waits := number(share); full && found && waits >= memoryWaiting {
			why = append(why, fmt.Sprintf("the agent waits %.0f %% of the time for memory", waits))
		}
	}
	return strings.Join(why, "; ")
}

// turnedDown tells that a control group is refused memory just now: then even the
// pages of its own program are taken from it, to be read again at once.
func turnedDown(read func(file string) string) bool {
	count := func() float64 {
		events := read("memory.events")
		return number(read("memory.failcnt")) + field(events, "high") + field(events, "max")
	}
	before := count()
	time.Sleep(memoryLook)
	return count() > before
}

// number is 0 for what is none, such as the limit "max".
func number(text string) float64 {
	n, _ := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return n
}

// field is a value of a file of names and values, a pair on each line.
func field(text, name string) float64 {
	_, rest, _ := strings.Cut("\n"+text, "\n"+name+" ")
	value, _, _ := strings.Cut(rest, "\n")
	return number(value)
}

// atMemoryLimit tells that a process has nearly all that setrlimit(2) allows it.
func atMemoryLimit(pid int) string {
	for _, l := range []struct{ limit, used, name string }{{"Max data size", "VmData", "RLIMIT_DATA"}, {"Max address space", "VmSize", "RLIMIT_AS"}} {
		_, rest, _ := strings.Cut(procText(pid, "limits"), "\n"+l.limit)
		words := strings.Fields(rest)
		_, held, _ := strings.Cut(procText(pid, "status"), "\n"+l.used+":")
		has := strings.Fields(held)
		if len(words) == 0 || len(has) == 0 {
			continue
		}
		if most, used := number(words[0]), 1024*number(has[0]); most > 0 && used >= memoryFull*most {
			return fmt.Sprintf("the agent has %.0f MiB of the %.0f MiB of memory that it may have (%s)", used/(1<<20), most/(1<<20), l.name)
		}
	}
	return ""
}

// VolumeTrouble tells why nothing can be written to the volume of a folder, "" if
// something can.
func VolumeTrouble(dir string) string {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return ""
	}
	switch {
	case st.Flags&unix.ST_RDONLY != 0:
		return "the volume of the state folder is read-only"
	case st.Blocks > 0 && st.Bavail == 0:
		return "the volume of the state folder is full"
	case st.Files > 0 && st.Ffree == 0:
		return "the volume of the state folder has no file left to give (inodes)"
	}
	return ""
}
