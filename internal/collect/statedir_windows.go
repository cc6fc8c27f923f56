package collect

import (
	"os"
	"path/filepath"
)

// defaultStateDir is in the profile that does not roam: a service account has
// one of its own.
func defaultStateDir() (string, error) {
	dir, err := os.UserCacheDir() // %LocalAppData%
	if err != nil {
		return "", errNoHome
	}
	return filepath.Join(dir, "meetguard-collector"), nil
}
