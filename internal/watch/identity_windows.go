package watch

import (
	"os"
	"syscall"
)

// IdentityOf reads the identity from a stat result, of a path or of an open
// handle. A stat result on Windows holds neither the file index nor the change
// time, so Dev and Ino stay zero and CTime is the creation time: a rewrite
// that keeps the size and sets the write time back is not told apart.
func IdentityOf(fi os.FileInfo) Identity {
	id := Identity{Size: fi.Size(), MTime: fi.ModTime().UnixNano()}
	if st, ok := fi.Sys().(*syscall.Win32FileAttributeData); ok {
		id.CTime = st.CreationTime.Nanoseconds()
	}
	return id
}
