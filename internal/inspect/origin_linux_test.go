package inspect

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestReadOrigin sets the attributes that Chromium sets, on a file that is then
// renamed: they are read from the descriptor, not from the path.
func TestReadOrigin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "Zoom.deb.crdownload")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := "https://cdn.invalid/" + strings.Repeat("x", 3000)
	if err := unix.Setxattr(path, "user.xdg.origin.url", []byte(long), 0); err != nil {
		if errors.Is(err, unix.ENOTSUP) {
			t.Fatal("the temporary folder takes no extended attributes: set TMPDIR to one that does")
		}
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Rename(path, strings.TrimSuffix(path, ".crdownload")); err != nil {
		t.Fatal(err)
	}
	raw, gaps := ReadOrigin(f)
	if string(raw.XDGURL) != long || raw.XDGReferrer != nil || len(gaps) > 0 {
		t.Errorf("URL of %d bytes, referrer %q, gaps %v", len(raw.XDGURL), raw.XDGReferrer, gaps)
	}
	if got := ParseOrigin(raw).Host; got != "cdn.invalid" {
		t.Errorf("host %q", got)
	}
}

func TestReadOriginGaps(t *testing.T) {
	f, err := os.Open("/proc/self/status") // a file system without attributes
	if err != nil {
		t.Fatal(err)
	}
	if _, gaps := ReadOrigin(f); len(gaps) > 0 {
		t.Errorf("gaps %v", gaps)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	_, gaps := ReadOrigin(f)
	if len(gaps) != 1 || gaps[0].Fact != "origin" || gaps[0].Blinding {
		t.Errorf("gaps of a closed file: %v", gaps)
	}
}
