//go:build !linux

package watch

import "testing"

// scratch is a new folder for tests that make many files.
func scratch(t *testing.T) string { return t.TempDir() }
