package agent

import "golang.org/x/sys/unix"

const passing = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

// openStrict opens path if no element of it is a link, and says ELOOP if one is
// (O_NOFOLLOW_ANY, since macOS 11).
func openStrict(path string, flags int) (int, error) {
	return again(func() (int, error) { return unix.Open(path, flags&^unix.O_NOFOLLOW|unix.O_NOFOLLOW_ANY, 0) })
}
