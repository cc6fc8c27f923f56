//go:build unix

package device

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// closeToOthers takes every right on the state folder from group and others. A
// folder that everyone may write to is refused: somebody may already have put
// something into it.
func closeToOthers(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	info, err := dir.Stat()
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o002 != 0 {
		return errors.New("everyone may write to it; use a folder of the agent's own")
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	return dir.Chmod(0o700)
}

// private refuses a file that others may use: the key may be known to them.
func private(info fs.FileInfo) error {
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return fmt.Errorf("others may use it (mode %04o), so its key may be known; enrol again", perm)
	}
	return nil
}

// syncFolder makes renames in the folder last.
func syncFolder(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
