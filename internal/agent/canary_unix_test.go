//go:build unix

package agent

import "syscall"

const fullVolume = syscall.ENOSPC
