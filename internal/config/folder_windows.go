package config

import (
	"os"

	"golang.org/x/sys/windows"
)

// programData asks the system and not the environment, which a service may be
// started with or without.
func programData() string {
	if dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, windows.KF_FLAG_DEFAULT); err == nil {
		return dir
	}
	return os.Getenv("ProgramData")
}
