//go:build unix

package alert

import (
	"os"
	"strings"
	"testing"
)

func TestStateOfAnotherUserIsRefused(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := closeToOthers(root); err != nil {
		t.Errorf("a folder of one's own: %v", err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, 1000, 0); err != nil {
			t.Fatal(err)
		}
	} else if root, err = os.OpenRoot("/"); err != nil {
		t.Fatal(err)
	}
	if err := closeToOthers(root); err == nil || !strings.Contains(err.Error(), "belongs to user") {
		t.Errorf("a folder of another user: %v", err)
	}
}
