//go:build !windows

package config

// programData is a folder that Windows alone has.
func programData() string { return "" }
