//go:build unix

package alert

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// closeToOthers takes every right on the state folder from group and others. A
// folder that everyone may write to is refused: somebody may already have put
// something into it. So is one of another user, who could take any right back.
func closeToOthers(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	info, err := dir.Stat()
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("it belongs to user %d and not to the agent's, %d; use a folder of the agent's own", st.Uid, os.Geteuid())
	}
	if info.Mode().Perm()&0o002 != 0 {
		return errors.New("everyone may write to it; use a folder of the agent's own")
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	return dir.Chmod(0o700)
}

// syncFolder makes renames and new names in the folder last.
func syncFolder(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// lockFile takes the lock without waiting. The system drops it with the process.
func lockFile(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errLocked
	}
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return nil
}

// diskFull says that there was no room.
func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
