package inspect

import (
	"os"

	"golang.org/x/sys/unix"
)

// noAttribute is what the system says of an attribute that a file has not.
const noAttribute = unix.ENOATTR

// readOrigin reads the quarantine mark and the list of URLs that Safari,
// Chromium and AirDrop leave for Spotlight.
func readOrigin(f *os.File) (raw RawOrigin, err error) {
	if raw.Quarantine, err = readAttribute(f, "com.apple.quarantine"); err != nil {
		return raw, err
	}
	raw.WhereFroms, err = readAttribute(f, "com.apple.metadata:kMDItemWhereFroms")
	return raw, err
}
