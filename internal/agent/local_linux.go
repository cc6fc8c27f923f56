package agent

import (
	"os"

	"golang.org/x/sys/unix"
)

// readsAtOnce says whether a read of the file cannot hang: FUSE and network file
// systems answer when their servers like to, and then it is the worker that has
// to wait, because it can be ended. It is asked for each file: the number of a
// device that is gone goes to the next one.
func readsAtOnce(f *os.File) bool {
	conn, err := f.SyscallConn()
	if err != nil {
		return false
	}
	var st unix.Statfs_t
	closed := conn.Control(func(fd uintptr) { err = unix.Fstatfs(int(fd), &st) })
	return closed == nil && err == nil && localKind(int64(st.Type))
}

// localKind knows the file systems of local disks and memory by their magic
// (statfs(2)).
func localKind(magic int64) bool {
	const zfs = 0x2fc12fc1
	switch magic {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC, unix.F2FS_SUPER_MAGIC, unix.OVERLAYFS_SUPER_MAGIC, zfs:
		return true
	}
	return false
}
