package collect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// DefaultStore is the name of the store's file in the state folder.
const DefaultStore = "meetguard-collector.db"

// StateDir makes sure that the state folder exists and returns it. An empty
// name stands for the folder that the system has for it. A folder that is made
// here is for its owner only. The error is one line.
func StateDir(dir string) (string, error) {
	if dir == "" {
		var err error
		if dir, err = defaultStateDir(); err != nil {
			return "", fmt.Errorf("find the state folder: %w; name one with --state", err)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the state folder %q: %w; name another with --state", dir, reason(err))
	}
	return filepath.Clean(dir), nil
}

// errNoHome says that the environment names no home folder.
var errNoHome = errors.New("the environment names no home folder")

// reason takes the path out of an error that will name the path anyway.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
