package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestUnitOfAnotherProgram: the unit is that of the packages but for its program.
func TestUnitOfAnotherProgram(t *testing.T) {
	unit := serviceConfig("/opt/mg/meetguard").Option["SystemdScript"].(string)
	if !strings.Contains(unit, "ExecStart={{Path | cmdEscape}} run --service\n") || strings.Contains(unit, "/usr/bin/meetguard") {
		t.Error(unit)
	}
}

// TestIsJournal: only the file that JOURNAL_STREAM names leads to the journal.
func TestIsJournal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "x")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	st := fi.Sys().(*syscall.Stat_t)
	for stream, want := range map[string]bool{fmt.Sprintf("%d:%d", st.Dev, st.Ino): true, fmt.Sprintf("%d:%d", st.Dev, st.Ino+1): false, "": false, "x": false} {
		if got := isJournal(f, stream); got != want {
			t.Errorf("%q: %v", stream, got)
		}
	}
}

// TestHandOver: the service's account gets what root made in its folder, and
// neither what a link leads to nor what has a second name.
func TestHandOver(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: only root can give files away")
	}
	const account = 12345
	dir, outside := t.TempDir(), t.TempDir()
	secret := write(t, filepath.Join(outside, "secret"), "x")
	plain := write(t, filepath.Join(dir, "device.json"), "x")
	for _, err := range []error{os.Symlink(secret, filepath.Join(dir, "link")), os.Link(secret, filepath.Join(dir, "twin")), os.Chown(dir, account, account)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := handOver(dir); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]uint32{plain: account, secret: 0} {
		fi, err := os.Stat(path)
		if err != nil || fi.Sys().(*syscall.Stat_t).Uid != want {
			t.Errorf("%s: %+v, %v", path, fi, err)
		}
	}
}
