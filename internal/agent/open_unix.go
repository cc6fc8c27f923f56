//go:build unix

package agent

import (
	"os"

	"golang.org/x/sys/unix"
)

// openFile opens a file for reading without following a link in its last
// element and without waiting, should it be a pipe after all.
func openFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
}
