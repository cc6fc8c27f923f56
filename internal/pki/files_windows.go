package pki

import (
	"io/fs"
	"os"
)

// private does nothing: on Windows the rights on the folder are the access list
// that the installer gave it, which files in it inherit.
func private(fs.FileInfo) error { return nil }

// syncFolder does nothing: NTFS keeps names in its journal, and a folder cannot
// be flushed without administrative rights.
func syncFolder(*os.Root) error { return nil }
