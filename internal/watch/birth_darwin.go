package watch

import (
	"os"
	"syscall"
	"time"
)

// birth is in every stat result of macOS.
func birth(_ string, fi os.FileInfo) (time.Time, bool) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok || st.Birthtimespec.Nano() <= 0 {
		return time.Time{}, false
	}
	return time.Unix(0, st.Birthtimespec.Nano()), true
}
