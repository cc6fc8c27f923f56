package watch

import (
	"os"
	"path/filepath"
	"slices"
)

// Downloads returns the download and desktop folders of every user of this
// machine, as far as they exist, sorted. Asked again later it finds the ones
// of new users.
func Downloads() []string {
	var found []string
	for _, dir := range downloadFolders() {
		if fi, err := os.Stat(dir); err == nil && fi.IsDir() {
			found = append(found, filepath.Clean(dir))
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// usualFolders are the folders of a home that nothing else was said about.
func usualFolders(home string) []string {
	return []string{filepath.Join(home, "Downloads"), filepath.Join(home, "Desktop")}
}
