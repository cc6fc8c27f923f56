package agent

import (
	"errors"

	"golang.org/x/sys/windows"
)

// volumeRefuses tells errors of a volume that takes no more.
func volumeRefuses(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL) || errors.Is(err, windows.ERROR_WRITE_PROTECT)
}
