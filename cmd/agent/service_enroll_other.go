//go:build !linux

package main

// afterEnrol has nothing to do: the service is root or SYSTEM, and its network
// is not closed.
func (a *app) afterEnrol(string) error { return nil }
