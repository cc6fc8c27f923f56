package collect

import (
	"os"
	"syscall"
)

// memoryNeeds is what a server and the stores of tests hold, in bytes, and much
// more. Containers have a small file system in memory.
const memoryNeeds = 1 << 30

// makeInMemory makes a folder in memory, if there is room.
func makeInMemory(name string) (string, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &fs); err != nil {
		return "", err
	}
	if fs.Bavail*uint64(fs.Bsize) < memoryNeeds {
		return "", syscall.ENOSPC
	}
	return os.MkdirTemp("/dev/shm", name)
}
