package watch

import (
	"os"
	"syscall"
	"time"
)

// birth is the creation time of a stat result of Windows.
func birth(_ string, fi os.FileInfo) (time.Time, bool) {
	st, ok := fi.Sys().(*syscall.Win32FileAttributeData)
	if !ok {
		return time.Time{}, false
	}
	return time.Unix(0, st.CreationTime.Nanoseconds()), true
}
