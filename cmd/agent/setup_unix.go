//go:build !windows

package main

import (
	"context"
	"fmt"
	"os"
	"syscall"
)

// ownFolder makes a folder for what the agent reads; everybody may read the
// configuration, which holds no secret. One that is there must belong to whoever
// runs this, and must not be a link.
func ownFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("%s does not belong to this account: remove it and try again", dir)
	}
	if err := os.Chmod(dir, info.Mode().Perm()&^0o022); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	return nil
}

// restartOnFailure has nothing to do here: the unit and the launchd file say it.
func restartOnFailure() error { return nil }

// waitForOthers has nothing to do here: a program that runs can be deleted.
func waitForOthers(context.Context) error { return nil }

func removeTree(dir string) error { return os.RemoveAll(dir) }
