package health

import (
	"bytes"
	"path/filepath"
	"strconv"
	"strings"
)

// ParseCaps reads the effective capabilities from proc_pid_status(5).
func ParseCaps(status []byte) (caps uint64, ok bool) {
	for line := range bytes.Lines(status) {
		if rest, found := bytes.CutPrefix(line, []byte("CapEff:")); found {
			n, err := strconv.ParseUint(string(bytes.TrimSpace(rest)), 16, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// CountWatches counts the inotify watches in proc_pid_fdinfo(5).
func CountWatches(fdinfo []byte) int {
	n := 0
	for line := range bytes.Lines(fdinfo) {
		if bytes.HasPrefix(line, []byte("inotify wd:")) {
			n++
		}
	}
	return n
}

// ParseNumber reads a file that holds one number, as those below /proc/sys do.
func ParseNumber(data []byte) (int, bool) {
	n, err := strconv.Atoi(strings.TrimSpace(string(data)))
	return n, err == nil && n >= 0
}

// RunsAgent reads proc_pid_cmdline(5) and says whether it is that of an agent,
// and with which state folder; "" if it names none.
func RunsAgent(cmdline []byte) (state string, runs bool) {
	args := strings.Split(strings.TrimRight(string(cmdline), "\x00"), "\x00")
	if len(args) < 2 || args[1] != "run" || !strings.HasPrefix(filepath.Base(args[0]), "meetguard") {
		return "", false
	}
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, "--state="); ok {
			return value, true
		}
		if arg == "--state" && i+1 < len(args) {
			return args[i+1], true
		}
	}
	return "", true
}
