package watch

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// birth asks with statx(2): since Linux 4.11, on most file systems.
func birth(path string, _ os.FileInfo) (time.Time, bool) {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BTIME, &st)
	if err != nil || st.Mask&unix.STATX_BTIME == 0 {
		return time.Time{}, false
	}
	return time.Unix(st.Btime.Sec, int64(st.Btime.Nsec)), true
}
