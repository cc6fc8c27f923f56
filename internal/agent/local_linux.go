package agent

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// local remembers for each device whether its file system is one of this
// machine's own disks.
var local sync.Map // uint64 ─► bool

// readsAtOnce says whether a read of the file cannot hang: FUSE and network file
// systems answer when their servers like to, and then it is the worker that has
// to wait, because it can be ended.
func readsAtOnce(f *os.File, device uint64) bool {
	if known, ok := local.Load(device); ok {
		return known.(bool)
	}
	var st unix.Statfs_t
	err := unix.Fstatfs(int(f.Fd()), &st)
	is := err == nil && localKind(int64(st.Type))
	local.Store(device, is)
	return is
}

// localKind knows the file systems of local disks and memory by their magic
// (statfs(2)).
func localKind(magic int64) bool {
	switch magic {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC, unix.F2FS_SUPER_MAGIC, unix.OVERLAYFS_SUPER_MAGIC, 0x2fc12fc1: // the last is ZFS
		return true
	}
	return false
}
