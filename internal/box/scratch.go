package box

import (
	"os"
	"path/filepath"
)

// Scratch fills a folder with what probes work on. Every user may write there:
// what is refused there the box refuses.
func Scratch(dir string) error {
	for _, name := range []string{"file", "victim", "from"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("inert"), 0o600); err != nil {
			return err
		}
		if err := os.Chmod(path, 0o666); err != nil {
			return err
		}
	}
	return os.Chmod(dir, 0o777)
}
