//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// family is a process and its descendants, as far as they live.
func family(pid int) []int {
	out := []int{pid}
	for i := 0; i < len(out); i++ {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", out[i]))
		for _, t := range tasks {
			data, _ := os.ReadFile(t) // gone is gone
			for _, f := range strings.Fields(string(data)) {
				if child, err := strconv.Atoi(f); err == nil {
					out = append(out, child)
				}
			}
		}
	}
	return out
}

// procField is the first number behind key in a file of /proc/PID, 0 if the
// process is gone.
func procField(pid int, file, key string) int64 {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	return field(data, key)
}

func field(data []byte, key string) int64 {
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), key); ok {
			if f := strings.Fields(rest); len(f) > 0 {
				n, _ := strconv.ParseInt(f[0], 10, 64)
				return n
			}
		}
	}
	return 0
}

// wakeups is how often the threads of a process went to sleep by themselves,
// and so were woken.
func wakeups(pid int) int64 {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	var n int64
	for _, t := range tasks {
		data, _ := os.ReadFile(t)
		n += field(data, "voluntary_ctxt_switches:")
	}
	return n
}

// familyCPU is the CPU time of a process and its descendants, as far as they
// live, in seconds.
func familyCPU(pid int) float64 {
	var ns float64
	for _, p := range family(pid) {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p))
		for _, t := range tasks {
			data, _ := os.ReadFile(t) // the first number, see the kernel's sched-stats.rst
			if f := strings.Fields(string(data)); len(f) > 0 {
				n, _ := strconv.ParseFloat(f[0], 64)
				ns += n
			}
		}
	}
	return ns / 1e9
}
