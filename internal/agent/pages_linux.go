package agent

import (
	"bufio"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// dropFilePages lets go of the pages of this program's own file: starting reads
// most of it, and working little. What is needed again is in the page cache. Only
// mappings are touched that cannot be written to and hold no page of this process
// alone: nothing can be lost with them, see proc(5), smaps.
func dropFilePages() error {
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer f.Close()
	var at mapping
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if m, begins := parseMapping(lines.Text()); begins {
			at = m
			continue
		}
		if size, ok := strings.CutPrefix(lines.Text(), "Anonymous:"); ok && at.ofFile && strings.TrimSpace(size) == "0 kB" {
			if _, _, no := unix.Syscall(unix.SYS_MADVISE, at.from, at.size, unix.MADV_DONTNEED); no != 0 {
				return no
			}
		}
	}
	return lines.Err()
}

// mapping is one of smaps.
type mapping struct {
	from   uintptr
	size   uintptr
	ofFile bool // a file is mapped, privately and not to be written to
}

// parseMapping reads the first line of a mapping: address perms offset dev inode path.
func parseMapping(line string) (m mapping, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 5 {
		return m, false
	}
	low, high, ok := strings.Cut(fields[0], "-")
	from, err := strconv.ParseUint(low, 16, 64)
	to, err2 := strconv.ParseUint(high, 16, 64)
	if !ok || err != nil || err2 != nil {
		return m, false
	}
	perms := fields[1]
	ofFile := len(fields) > 5 && strings.HasPrefix(fields[5], "/") && len(perms) == 4 && perms[0] == 'r' && perms[1] == '-' && perms[3] == 'p'
	return mapping{from: uintptr(from), size: uintptr(to - from), ofFile: ofFile}, true
}
