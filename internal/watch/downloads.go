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

// DownloadsAbove returns the folders in which new ones of Downloads are to be
// expected: homes that lack one of the usual folders, and the folders that homes
// lie in. A folder of another name that somebody chooses is found when Downloads
// is asked the next time.
func DownloadsAbove() []string {
	var above []string
	for _, home := range homeDirs() {
		above = append(above, filepath.Dir(home))
		for _, dir := range usualFolders(home) {
			if _, err := os.Stat(dir); err != nil {
				above = append(above, home)
			}
		}
	}
	slices.Sort(above)
	return slices.Compact(above)
}
