package watch

import "path/filepath"

// downloadFolders are those of every home in /Users. That of guests and the
// shared one have no such folders, or do no harm.
func downloadFolders() []string {
	var dirs []string
	for _, home := range homeDirs() {
		dirs = append(dirs, usualFolders(home)...)
	}
	return dirs
}

func homeDirs() []string {
	homes, _ := filepath.Glob("/Users/*") // fails for a bad pattern only
	return homes
}
