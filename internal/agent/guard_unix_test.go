//go:build unix

package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"meetguard/internal/config"
)

func TestLooseSettings(t *testing.T) {
	if os.Geteuid() != 0 {
		if got := loose(config.Config{Rules: t.TempDir()}, ""); got != nil {
			t.Errorf("a user's own agent: %v", got)
		}
		return
	}
	dir := t.TempDir() // below the folder for temporary files, where everybody may write
	got := loose(config.Config{Rules: dir, Anchors: "/etc", Abused: filepath.Join(dir, "none")}, "/etc/passwd")
	if len(got) != 2 || !strings.HasPrefix(got[0], "rules: ") || !strings.HasPrefix(got[1], "abused: ") {
		t.Errorf("%q", got)
	}
	a := &Agent{loose: got}
	if s := a.settings(); len(s) != 1 || s[0].State != "degraded" || !strings.HasPrefix(s[0].Detail, "not the administrator's alone: rules: ") {
		t.Errorf("told as %+v", s)
	}
}
