//go:build !linux

package main

// afterEnrol has nothing to do: the service is root or SYSTEM, and its network
// is not closed.
func (a *app) afterEnrol(string) error { return nil }

// openNetwork does nothing, for the same reason.
func openNetwork(string) error { return nil }
