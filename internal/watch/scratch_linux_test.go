package watch

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// scratchNeeds is what the folders of tests that run at the same time hold, in
// bytes, and much more. Containers have a small file system in memory.
const scratchNeeds = 512 << 20

// scratch is a new folder for tests that make many files: in memory, if there
// is such a file system with room.
func scratch(t *testing.T) string {
	t.Helper()
	var fs unix.Statfs_t
	if err := unix.Statfs("/dev/shm", &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < scratchNeeds {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("/dev/shm", "watch")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
