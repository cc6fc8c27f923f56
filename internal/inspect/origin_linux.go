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
	if raw.XDGURL, err = readAttribute(f, "user.xdg.origin.url"); err != nil {
		return raw, err
	}
	raw.XDGReferrer, err = readAttribute(f, "user.xdg.referrer.url")
	return raw, err
}
