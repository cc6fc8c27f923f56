package watch

import (
	"os"
	"testing"
)

// scratch is a new folder for tests that make many files: in memory, if there
// is such a file system.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "watch")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
