package watch

import "path/filepath"

// downloadFolders are those of every home in /Users. That of guests and the
// shared one have no such folders, or do no harm.
func downloadFolders() []string {
	homes, err := filepath.Glob("/Users/*")
	if err != nil {
		return nil
	}
	var dirs []string
	for _, home := range homes {
		dirs = append(dirs, usualFolders(home)...)
	}
	return dirs
}
