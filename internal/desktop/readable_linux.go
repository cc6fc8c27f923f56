package desktop

import (
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// The entries of a POSIX access list as the kernel keeps it (posix_acl_xattr.h).
const (
	aclVersion   = 2
	aclUserObj   = 0x01
	aclUser      = 0x02
	aclGroupObj  = 0x04
	aclMask      = 0x10
	aclOther     = 0x20
	aclUndefined = 0xffffffff
)

// readableBy lets one user read a file of ours, and nobody else. The owner of a
// file may do that; giving it away would need a right of root.
func readableBy(f *os.File, uid uint32) error {
	list := binary.LittleEndian.AppendUint32(nil, aclVersion)
	for _, e := range []struct {
		tag, rights uint16
		id          uint32
	}{{aclUserObj, 6, aclUndefined}, {aclUser, 4, uid}, {aclGroupObj, 0, aclUndefined}, {aclMask, 4, aclUndefined}, {aclOther, 0, aclUndefined}} {
		list = binary.LittleEndian.AppendUint16(list, e.tag)
		list = binary.LittleEndian.AppendUint16(list, e.rights)
		list = binary.LittleEndian.AppendUint32(list, e.id)
	}
	if err := unix.Fsetxattr(int(f.Fd()), "system.posix_acl_access", list, 0); err != nil {
		return fmt.Errorf("let user %d read %s: %w", uid, f.Name(), err)
	}
	return nil
}
