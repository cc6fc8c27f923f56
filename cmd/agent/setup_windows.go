package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

// onlyAdmins is a list of rights in the security descriptor definition language:
// protected from what is inherited, everything for the system and administrators,
// nothing for anybody else, and the same for whatever is made inside.
const onlyAdmins = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

// ownFolder makes a folder that only administrators and the system can use.
// Everybody may make folders in ProgramData: one that somebody else made before,
// or a link, is set aside, with whatever was put there.
func ownFolder(dir string) error {
	sd, err := windows.SecurityDescriptorFromString(onlyAdmins)
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if foreign(dir) {
		if err := os.Rename(dir, fmt.Sprintf("%s.foreign-%d", dir, time.Now().Unix())); err != nil {
			return fmt.Errorf("set %s aside, which somebody else made: %w", dir, err)
		}
	}
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	attr := windows.SecurityAttributes{SecurityDescriptor: sd}
	err = windows.CreateDirectory(name, &attr)
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make folder %s: %w", dir, err)
	}
	acl, _, err := sd.DACL()
	if err == nil {
		err = windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, acl, nil)
	}
	if err != nil {
		return fmt.Errorf("protect %s: %w", dir, err)
	}
	return nil
}

// foreign says whether a folder is there that neither administrators, the system
// nor the account that runs this own.
func foreign(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil {
		return false
	}
	if !info.IsDir() {
		return true
	}
	sd, err := windows.GetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return true
	}
	owner, _, err := sd.Owner()
	if err != nil || owner == nil {
		return true
	}
	self, err := windows.GetCurrentProcessToken().GetTokenUser()
	return !owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) && !owner.IsWellKnown(windows.WinLocalSystemSid) &&
		(err != nil || !owner.Equals(self.User.Sid))
}

// restartOnFailure has Windows start the service again two seconds after it
// ended in any way but on request, each time, and forget failures after a day.
func restartOnFailure() error {
	m, err := mgr.Connect()
	if err != nil {
		return fmt.Errorf("reach the service manager: %w", err)
	}
	defer m.Disconnect()
	s, err := m.OpenService("meetguard")
	if err != nil {
		return fmt.Errorf("open the service: %w", err)
	}
	defer s.Close()
	again := mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: 2 * time.Second}
	if err := s.SetRecoveryActions([]mgr.RecoveryAction{again, again, again}, 24*60*60); err != nil {
		return fmt.Errorf("have the service start again: %w", err)
	}
	// wine's service manager does not know this one
	if err := s.SetRecoveryActionsOnNonCrashFailures(true); err != nil && !errors.Is(err, windows.ERROR_INVALID_LEVEL) {
		return fmt.Errorf("have the service start again: %w", err)
	}
	return nil
}
