//go:build !windows

package collect

import (
	"os"
	"path/filepath"
)

// defaultStateDir follows the file system hierarchy for root and the XDG base
// directories for anybody else; XDG wants a relative value to be ignored.
func defaultStateDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/meetguard-collector", nil
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "meetguard-collector"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", errNoHome
	}
	return filepath.Join(home, ".local", "state", "meetguard-collector"), nil
}
