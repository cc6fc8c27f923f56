//go:build unix

package agent

import (
	"errors"
	"syscall"
)

// volumeRefuses tells errors of a volume that takes no more.
func volumeRefuses(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EROFS)
}
