//go:build !linux

package agent

// dropFilePages does nothing: other systems take such pages back by themselves.
func dropFilePages() error { return nil }
