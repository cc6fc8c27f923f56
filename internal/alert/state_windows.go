package alert

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// closeToOthers does nothing: on Windows the rights on the state folder are the
// access list that the installer gave it, which files in it inherit.
func closeToOthers(*os.Root) error { return nil }

// syncFolder does nothing: NTFS keeps names in its journal, and a folder cannot
// be flushed without administrative rights.
func syncFolder(*os.Root) error { return nil }

// lockFile takes the lock without waiting. The system drops it with the process.
func lockFile(f *os.File) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errLocked
	}
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return nil
}

// diskFull says that there was no room.
func diskFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}
