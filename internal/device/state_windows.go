package device

import (
	"io/fs"
	"os"
)

// closeToOthers does nothing: on Windows the rights on the state folder are the
// access list that the installer gave it, which files in it inherit.
func closeToOthers(*os.Root) error { return nil }

// private does nothing, for the same reason.
func private(fs.FileInfo) error { return nil }

// syncFolder does nothing: NTFS keeps names in its journal, and a folder cannot
// be flushed without administrative rights.
func syncFolder(*os.Root) error { return nil }
