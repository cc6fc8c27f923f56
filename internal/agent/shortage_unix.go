//go:build unix

package agent

import (
	"errors"
	"syscall"
)

// machineRefuses tells errors of a machine that lacks something for a moment.
func machineRefuses(err error) bool {
	for _, e := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EAGAIN, syscall.ENOSPC, syscall.ENOBUFS, syscall.EINTR, syscall.EIO} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
