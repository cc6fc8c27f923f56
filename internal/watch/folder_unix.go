//go:build unix

package watch

import (
	"os"
	"syscall"
)

// openFolder opens a directory for listing. O_DIRECTORY and O_NONBLOCK keep it
// from hanging on a FIFO that took the place of the directory.
func openFolder(path string, follow bool) (*os.File, error) {
	flags := os.O_RDONLY | syscall.O_DIRECTORY | syscall.O_NONBLOCK
	if !follow {
		flags |= syscall.O_NOFOLLOW
	}
	return os.OpenFile(path, flags, 0)
}

// links is the number of names that the file has.
func links(fi os.FileInfo) uint64 {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink)
	}
	return 1
}
