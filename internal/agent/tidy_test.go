//go:build unix

package agent

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTidySetsAside holds that whatever bears the name of a state file and is none
// is kept under another name, that a link is not followed, and that nothing else is
// touched.
func TestTidySetsAside(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	put(t, outside, []byte("not the agent's"))
	for _, name := range []string{"journal", "journal.new", "alerts-000000000007.jsonl"} {
		if err := os.Symlink(outside, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(dir, "alerts.lock", "something"), nil)
	put(t, filepath.Join(dir, "rules", "own.yar"), nil)
	put(t, filepath.Join(dir, "canary"), nil)
	put(t, filepath.Join(dir, "status.json"), []byte("{}"))
	var k keepsake
	if !k.tidy(dir, slog.New(slog.DiscardHandler)) {
		t.Error("a folder with a status was lived in")
	}
	for _, name := range []string{"journal", "journal.new", "alerts-000000000007.jsonl", "alerts.lock", "canary"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is still there", name)
		}
		if _, err := os.Lstat(filepath.Join(dir, name+".aside-1")); err != nil {
			t.Errorf("%s was not kept: %v", name, err)
		}
		if src := k.sources(); len(src) != 1 || !strings.Contains(src[0].Detail, name+" was ") {
			t.Errorf("%s is not told: %+v", name, src)
		}
	}
	for _, name := range []string{"rules/own.yar", "status.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if data, err := os.ReadFile(outside); err != nil || string(data) != "not the agent's" {
		t.Errorf("outside: %q, %v", data, err)
	}
}
