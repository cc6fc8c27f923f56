//go:build unix

package agent

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps a file for reading. The mapping is private; reading it faults
// if the file is cut short meanwhile, which the caller must be ready for.
func mapFile(f *os.File, size int64) ([]byte, func(), error) {
	data, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, err
	}
	return data, func() { _ = unix.Munmap(data) }, nil
}

// reserve gives zeroed memory that takes room only where it is written to.
func reserve(size int) ([]byte, func(), error) {
	mem, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, nil, err
	}
	return mem, func() { _ = unix.Munmap(mem) }, nil
}
