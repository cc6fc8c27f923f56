//go:build !linux && !darwin && !windows

package device

// machineIDs knows nothing here.
func machineIDs() (id, boot string) { return "", "" }
