package main

import (
	"fmt"
	"io/fs"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"meetguard/internal/health"
)

// processCreation is the subcategory "Process Creation" of the audit policy,
// from ntsecapi.h (Audit_DetailedTracking_ProcessCreation).
var processCreation = windows.GUID{Data1: 0x0cce922b, Data2: 0x69ae, Data3: 0x11d9, Data4: [8]byte{0xbe, 0xd3, 0x50, 0x50, 0x54, 0x50, 0x30, 0x30}}

// auditSuccess is POLICY_AUDIT_EVENT_SUCCESS of ntsecapi.h.
const auditSuccess = 1

// auditPolicy is AUDIT_POLICY_INFORMATION of ntsecapi.h.
type auditPolicy struct {
	Subcategory windows.GUID
	Auditing    uint32
	Category    windows.GUID
}

// observeSystem asks what Windows writes into its security log.
func observeSystem(o *health.Observed, _ int) {
	o.Audit = &health.Audit{}
	o.Audit.ProcessCreation, o.Audit.Known = auditsProcesses()
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System\Audit`, registry.QUERY_VALUE)
	if err != nil {
		return
	}
	defer k.Close()
	n, _, err := k.GetIntegerValue("ProcessCreationIncludeCmdLine_Enabled")
	o.Audit.CommandLine = err == nil && n == 1
}

func auditsProcesses() (on, known bool) {
	lib := windows.NewLazySystemDLL("advapi32.dll")
	query, free := lib.NewProc("AuditQuerySystemPolicy"), lib.NewProc("AuditFree")
	if query.Find() != nil || free.Find() != nil {
		return false, false
	}
	guid := processCreation
	var policy *auditPolicy
	ok, _, _ := query.Call(uintptr(unsafe.Pointer(&guid)), 1, uintptr(unsafe.Pointer(&policy)))
	if ok&0xff == 0 || policy == nil { // the answer is a BOOLEAN, one byte
		return false, false
	}
	defer free.Call(uintptr(unsafe.Pointer(policy)))
	return policy.Auditing&auditSuccess != 0, true
}

// openToOthers says who else may write to a folder, "" for nobody: administrators
// and the system own it and hold the rights alone.
func openToOthers(dir string, _ fs.FileInfo) string {
	sd, err := windows.GetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Sprintf("who may write to %s cannot be read: %v", dir, err)
	}
	acl, _, err := sd.DACL()
	if err != nil || acl == nil {
		return dir + " may be written by everybody"
	}
	const write = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER | windows.GENERIC_WRITE | windows.GENERIC_ALL
	for i := range uint32(acl.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if windows.GetAce(acl, i, &ace) != nil || ace.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE || ace.Mask&write == 0 {
			continue
		}
		sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart))
		if anybody(sid) {
			return fmt.Sprintf("%s may be written by %s", dir, sid)
		}
	}
	return ""
}

// anybody knows the groups that every user is in.
func anybody(sid *windows.SID) bool {
	for _, kind := range []windows.WELL_KNOWN_SID_TYPE{windows.WinWorldSid, windows.WinAuthenticatedUserSid, windows.WinBuiltinUsersSid, windows.WinInteractiveSid} {
		if sid.IsWellKnown(kind) {
			return true
		}
	}
	return false
}

// freeSpace is what may still be written to the volume of a folder, in bytes.
func freeSpace(dir string) (uint64, error) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	err = windows.GetDiskFreeSpaceEx(name, &free, nil, nil)
	return free, err
}
