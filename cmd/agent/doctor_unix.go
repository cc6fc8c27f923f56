//go:build unix

package main

import (
	"fmt"
	"io/fs"
	"os/user"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// openToOthers says who else may read or write a folder, "" for nobody. What the
// owner of the folder may, root may too.
func openToOthers(dir string, fi fs.FileInfo) string {
	if fi.Mode().Perm()&0o077 != 0 {
		return fmt.Sprintf("%s may be read or written by others than its owner (%s)", dir, fi.Mode().Perm())
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok && syscall.Geteuid() == 0 && st.Uid != 0 && !isServiceAccount(st.Uid) {
		return fmt.Sprintf("%s belongs to user %d and not to root", dir, st.Uid)
	}
	return ""
}

// isServiceAccount knows the account that the unit of systemd runs the agent as.
func isServiceAccount(uid uint32) bool {
	u, err := user.LookupId(strconv.Itoa(int(uid)))
	return err == nil && u.Username == serviceName
}

// freeSpace is what may still be written to the volume of a folder, in bytes.
func freeSpace(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil
}
