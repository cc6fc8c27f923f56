package main

import (
	"os"
	"path/filepath"
	"strconv"

	"meetguard/internal/health"
)

// observeSystem reads the limits and rights that the agent depends on.
func observeSystem(o *health.Observed, pid int) {
	watches, ok1 := numberIn("/proc/sys/fs/inotify/max_user_watches")
	instances, ok2 := numberIn("/proc/sys/fs/inotify/max_user_instances")
	if ok1 && ok2 {
		o.Inotify = &health.Inotify{Watches: watches, Instances: instances, Used: watchesOf(pid)}
	}
	_, err := os.Stat("/sys/kernel/btf/vmlinux")
	o.Kernel = &health.Kernel{BTF: err == nil}
	if data, err := os.ReadFile(procFile(pid, "status")); err == nil && pid > 0 {
		o.Kernel.Caps, o.Kernel.HaveCaps = health.ParseCaps(data)
	}
}

func procFile(pid int, name string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), name)
}

func numberIn(path string) (int, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	return health.ParseNumber(data)
}

// watchesOf counts the inotify watches of a process, 0 if they cannot be read.
func watchesOf(pid int) int {
	files, err := os.ReadDir(procFile(pid, "fdinfo"))
	if err != nil || pid == 0 {
		return 0
	}
	n := 0
	for _, f := range files {
		if target, err := os.Readlink(procFile(pid, "fd/"+f.Name())); err != nil || target != "anon_inode:inotify" {
			continue
		}
		if data, err := os.ReadFile(procFile(pid, "fdinfo/"+f.Name())); err == nil {
			n += health.CountWatches(data)
		}
	}
	return n
}

// rivalsOf lists other agents that were started on the same state folder. One
// that names no folder uses the default one.
func rivalsOf(state string, pid int) []int {
	processes, err := os.ReadDir("/proc")
	if err != nil || pid == 0 {
		return nil
	}
	var out []int
	for _, p := range processes {
		other, err := strconv.Atoi(p.Name())
		if err != nil || other == pid || other == os.Getpid() {
			continue
		}
		data, err := os.ReadFile(procFile(other, "cmdline"))
		if err != nil {
			continue
		}
		if dir, runs := health.RunsAgent(data); runs && sameFolder(dir, state) {
			out = append(out, other)
		}
	}
	return out
}

func sameFolder(a, b string) bool {
	x, err1 := os.Stat(a) // #nosec G703 -- two folders are compared, nothing of them is told
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}
