package inspect

import (
	"os"

	"golang.org/x/sys/unix"
)

// noAttribute is what the system says of an attribute that a file has not.
const noAttribute = unix.ENODATA

// readOrigin reads what the XDG specification of extended attributes names.
// Chromium writes both, wget only if asked to, Firefox neither.
func readOrigin(f *os.File) (raw RawOrigin, err error) {
	if !anyAttribute(f) {
		return raw, nil
	}
	if raw.XDGURL, err = readAttribute(f, "user.xdg.origin.url"); err != nil {
		return raw, err
	}
	raw.XDGReferrer, err = readAttribute(f, "user.xdg.referrer.url")
	return raw, err
}

// anyAttribute spares most files two questions. Where it cannot be told, they
// are asked.
func anyAttribute(f *os.File) bool {
	conn, err := f.SyscallConn()
	if err != nil {
		return true
	}
	n := 0
	closed := conn.Control(func(fd uintptr) { n, err = unix.Flistxattr(int(fd), nil) })
	return closed != nil || err != nil || n > 0
}
