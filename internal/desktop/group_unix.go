//go:build unix

package desktop

import (
	"os/user"
	"strconv"
)

// groupOf is the main group of a user. One that no list names gets the group of
// its own number, which gives no right that counts.
func groupOf(uid uint32) uint32 {
	if u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10)); err == nil {
		if gid, err := strconv.ParseUint(u.Gid, 10, 32); err == nil {
			return uint32(gid)
		}
	}
	return uid
}
