//go:build unix

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// guarded: the folder and every folder above it belong to root and nobody else
// may write there. Links on the way are resolved first.
func guarded(folder string) error {
	dir, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return err
	}
	for ; ; dir = filepath.Dir(dir) {
		fi, err := os.Lstat(dir)
		if err != nil {
			return err
		}
		st, ok := fi.Sys().(*syscall.Stat_t)
		if !ok || st.Uid != 0 || fi.Mode().Perm()&0o022 != 0 {
			return fmt.Errorf("%s may be written by others than root", dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}
