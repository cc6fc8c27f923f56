package agent

import (
	"errors"

	"golang.org/x/sys/windows"
)

// machineRefuses tells errors of a machine that lacks something for a moment, and
// of a file that somebody else holds open.
func machineRefuses(err error) bool {
	for _, e := range []windows.Errno{windows.ERROR_TOO_MANY_OPEN_FILES, windows.ERROR_NOT_ENOUGH_MEMORY, windows.ERROR_OUTOFMEMORY, windows.ERROR_NO_SYSTEM_RESOURCES,
		windows.ERROR_COMMITMENT_LIMIT, windows.ERROR_SHARING_VIOLATION, windows.ERROR_LOCK_VIOLATION} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
