package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unsafe"

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

// removeTree deletes a folder with what is in it, and no more than the links in it.
// os.RemoveAll deletes by a call that Windows has since 2017 and wine 8 has not:
// what it leaves is deleted one by one.
func removeTree(dir string) error {
	if err := os.RemoveAll(dir); err == nil {
		return nil
	}
	var paths []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	})
	for _, path := range slices.Backward(paths) { // a folder comes before what is in it
		err = errors.Join(err, os.Remove(path))
	}
	return err
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

// waitForOthers waits until no other process of this program runs, and ends those
// that still do after ten seconds. A service says that it has stopped before its
// process has ended, and the file of a process cannot be deleted.
func waitForOthers(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program's own file: %w", err)
	}
	for patience := 100; ctx.Err() == nil && patience > -100; patience-- {
		others, err := processesOf(self)
		if err != nil || len(others) == 0 {
			return err
		}
		if patience <= 0 {
			for _, pid := range others {
				end(pid)
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("processes of %s do not end", self)
}

// end ends a process, if it is still there.
func end(pid uint32) {
	p, err := windows.OpenProcess(windows.PROCESS_TERMINATE, false, pid)
	if err != nil {
		return
	}
	defer windows.CloseHandle(p)
	_ = windows.TerminateProcess(p, exitError)
}

// processesOf lists the processes of a program, this one left out.
func processesOf(program string) ([]uint32, error) {
	list, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	defer windows.CloseHandle(list)
	var pids []uint32
	entry := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	for err = windows.Process32First(list, &entry); err == nil; err = windows.Process32Next(list, &entry) {
		if entry.ProcessID != windows.GetCurrentProcessId() && strings.EqualFold(imageOf(entry.ProcessID), program) {
			pids = append(pids, entry.ProcessID)
		}
	}
	return pids, nil
}

// imageOf is the program of a process, "" if that cannot be learned.
func imageOf(pid uint32) string {
	p, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return ""
	}
	defer windows.CloseHandle(p)
	var path [windows.MAX_LONG_PATH]uint16
	n := uint32(len(path))
	if windows.QueryFullProcessImageName(p, 0, &path[0], &n) != nil {
		return ""
	}
	return windows.UTF16ToString(path[:n])
}
