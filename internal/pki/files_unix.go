//go:build unix

package pki

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// private refuses a file that group or others may read or write.
func private(info fs.FileInfo) error {
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return fmt.Errorf("others may use it (mode %04o); make it 0600", perm)
	}
	return nil
}

// syncFolder makes new names in the folder last.
func syncFolder(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
