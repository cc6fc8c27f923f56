//go:build unix && !linux

package desktop

import "os"

// readableBy gives a file to the user, who may read it. The folder stays root's,
// so they can neither remove it nor put another in its place.
func readableBy(f *os.File, uid uint32) error {
	if err := f.Chmod(0o400); err != nil {
		return err
	}
	return f.Chown(int(uid), -1)
}
