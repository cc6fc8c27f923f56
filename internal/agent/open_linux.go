package agent

import (
	"errors"

	"golang.org/x/sys/unix"
)

// passing are the flags of a folder on the way: a right to list it is not needed.
const passing = unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

// openStrict opens path if no element of it is a link, and says ELOOP if one is.
// The kernel sees to that in one call since Linux 5.6; where it does not know the
// call, or a container forbids it, the path is gone element by element.
func openStrict(path string, flags int) (int, error) {
	how := unix.OpenHow{Flags: uint64(flags), Resolve: unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS}
	fd, err := again(func() (int, error) { return unix.Openat2(unix.AT_FDCWD, path, &how) })
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EAGAIN) {
		return stepwise(path, flags)
	}
	return fd, err
}
