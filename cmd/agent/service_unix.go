//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ownProgram is the file of this program. A service runs what lies there, so
// nobody but root may be able to change it or a folder above it.
func ownProgram() (string, error) {
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		return "", fmt.Errorf("find this program's own file: %w", err)
	}
	for path := self; ; path = filepath.Dir(path) {
		fi, err := os.Lstat(path)
		if err != nil {
			return "", fmt.Errorf("look at this program's own file: %w", err)
		}
		st, ok := fi.Sys().(*syscall.Stat_t)
		if !ok || st.Uid != 0 || fi.Mode().Perm()&0o022 != 0 {
			return "", fmt.Errorf("%s may be changed by others than root: put the program into /usr/local/bin first", path)
		}
		if path == filepath.Dir(path) {
			return self, nil
		}
	}
}
