package watch

import (
	"os"
	"syscall"
)

// IdentityOf reads the identity from a stat result, of a path or of an open
// handle.
func IdentityOf(fi os.FileInfo) Identity {
	id := Identity{Size: fi.Size(), MTime: fi.ModTime().UnixNano()}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		id.Dev, id.Ino, id.CTime = uint64(st.Dev), st.Ino, st.Ctimespec.Nano()
	}
	return id
}
