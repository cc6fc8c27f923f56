//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// reloadRequests are the SIGHUPs of this process.
func reloadRequests() (requests <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}
