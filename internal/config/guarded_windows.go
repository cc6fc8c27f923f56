package config

import (
	"fmt"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// The rights of a folder that the check is about, from winnt.h.
const (
	// with which its content can be changed, or its protection lifted: add file,
	// add folder, delete child, delete, and those that hold or give them
	changeIt = 0x2 | 0x4 | replaceIn | windows.DELETE | windows.GENERIC_WRITE
	// with which a folder in it can be replaced by another one
	replaceIn = 0x40 | windows.WRITE_DAC | windows.WRITE_OWNER | windows.GENERIC_ALL
)

// inheritOnly marks an entry that speaks of what lies in a folder only.
const inheritOnly = 0x8

// trustedInstaller is the service that owns Windows' own folders.
const trustedInstaller = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

// guarded: administrators and the system own the folder, nobody else may write
// there, and nobody else may replace it from above.
func guarded(folder string) error {
	if err := ruled(folder, changeIt, false); err != nil {
		return err
	}
	for dir := filepath.Dir(folder); ; dir = filepath.Dir(dir) {
		if err := ruled(dir, replaceIn, true); err != nil || dir == filepath.Dir(dir) {
			return err
		}
	}
}

// ruled says whether only administrators own a folder and hold any of the
// rights there. With itself, entries about what lies in the folder do not count.
func ruled(folder string, rights windows.ACCESS_MASK, itself bool) error {
	sd, err := windows.GetNamedSecurityInfo(folder, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("read who may write to %s: %w", folder, err)
	}
	if owner, _, err := sd.Owner(); err != nil || !isAdmin(owner) {
		return fmt.Errorf("%s does not belong to administrators", folder)
	}
	acl, _, err := sd.DACL()
	if err != nil || acl == nil { // without a list everybody may do everything
		return fmt.Errorf("%s has no list of who may write there", folder)
	}
	for i := range uint32(acl.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(acl, i, &ace); err != nil {
			return fmt.Errorf("read who may write to %s: %w", folder, err)
		}
		if itself && ace.Header.AceFlags&inheritOnly != 0 || ace.Header.AceType == windows.ACCESS_DENIED_ACE_TYPE {
			continue
		}
		if !harmless(ace, rights) {
			return fmt.Errorf("%s may be written by others than administrators", folder)
		}
	}
	return nil
}

// harmless says whether an entry gives none of the rights, or only to
// administrators. Kinds of entry whose form is another are never harmless.
func harmless(ace *windows.ACCESS_ALLOWED_ACE, rights windows.ACCESS_MASK) bool {
	if ace.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE {
		return false
	}
	return ace.Mask&rights == 0 || isAdmin((*windows.SID)(unsafe.Pointer(&ace.SidStart)))
}

// isAdmin knows administrators, the system, the installer of Windows, and
// "creator owner": who may create in such a folder is one of the others.
func isAdmin(sid *windows.SID) bool {
	return sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) || sid.IsWellKnown(windows.WinLocalSystemSid) ||
		sid.IsWellKnown(windows.WinCreatorOwnerSid) || sid.String() == trustedInstaller
}
