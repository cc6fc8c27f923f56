//go:build unix

package agent

import (
	"io/fs"
	"os/user"
	"strconv"
	"syscall"
)

// ownerOf names the account that owns a file; its number if it has no name.
func ownerOf(fi fs.FileInfo) string {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	id := strconv.FormatUint(uint64(st.Uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}
