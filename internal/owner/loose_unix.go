//go:build unix

package owner

import (
	"os"
	"syscall"
)

// loose says whether anybody but root may write to a file or folder.
func loose(name string) bool {
	fi, err := os.Stat(name)
	if err != nil {
		return true
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	return !ok || st.Uid != 0 || fi.Mode().Perm()&0o022 != 0
}
