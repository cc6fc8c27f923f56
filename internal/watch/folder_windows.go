package watch

import "os"

// openFolder opens a directory for listing.
func openFolder(path string, _ bool) (*os.File, error) { return os.Open(path) }

// links is not part of a stat result on Windows.
func links(os.FileInfo) uint64 { return 1 }
