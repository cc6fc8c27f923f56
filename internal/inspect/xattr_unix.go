//go:build linux || darwin

package inspect

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// readAttribute reads an extended attribute of an open file. It is nil if the
// file has none of that name, or the file system none at all. One longer than
// maxOrigin, which only macOS can hold, is an error: the call gives no part.
func readAttribute(f *os.File, name string) ([]byte, error) {
	value, err := getAttribute(f, name, make([]byte, 1<<10))
	if errors.Is(err, unix.ERANGE) {
		value, err = getAttribute(f, name, make([]byte, maxOrigin))
	}
	switch {
	case errors.Is(err, noAttribute), errors.Is(err, unix.ENOTSUP):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read attribute %s: %w", name, err)
	}
	return value, nil
}

// getAttribute reads an attribute into buf. It asks the descriptor, so that the
// answer is about the file that was opened, whatever its path names by now.
func getAttribute(f *os.File, name string, buf []byte) ([]byte, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var n int
	var failed error
	err = conn.Control(func(fd uintptr) {
		n, failed = unix.Fgetxattr(int(fd), name, buf)
		for failed == unix.EINTR { // network file systems are interrupted
			n, failed = unix.Fgetxattr(int(fd), name, buf)
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	return buf[:n], nil
}
