package config

import (
	"os"
	"testing"
)

// TestGuardedWindows holds the check to two folders whose rights are known: the
// system's own, and that of a user's temporary files.
func TestGuardedWindows(t *testing.T) {
	if err := guarded(os.Getenv("SystemRoot")); err != nil {
		t.Error(err)
	}
	if err := guarded(os.TempDir()); err == nil {
		t.Errorf("%s counts as guarded", os.TempDir())
	}
	if err := guarded(os.TempDir() + `\none`); err == nil {
		t.Error("a folder that is not there counts as guarded")
	}
}
