//go:build !windows

package owner

func programFiles() string { return "" }

func uninstallEntries() ([]entry, error) { return nil, nil }
