package opinion

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"meetguard"
)

// TestWindowsSpeaks asks the real system about this test binary, which nobody
// signed, and about a file that is gone.
func TestWindowsSpeaks(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	a := New(Options{})
	v, err := a.Ask(t.Context(), self, meetguard.FormatPE)
	if err != nil || len(v) != 1 || v[0].Trusted || v[0].Code != "TRUST_E_NOSIGNATURE" {
		t.Errorf("unsigned: %+v, %v", v, err)
	}
	if v, err := a.Ask(t.Context(), self+".none", meetguard.FormatPE); err == nil {
		t.Errorf("a file that is gone: %+v", v)
	}
}

// TestWindowsOnSamples asks about really signed files of the sample folder, and
// about one of them with a byte changed. Which roots a machine trusts is its
// own affair; that it tells these apart is not.
func TestWindowsOnSamples(t *testing.T) {
	const folder = "../../build/samples/node-notifier-10.0.1/package/vendor/snoreToast"
	good, err := filepath.Abs(filepath.Join(folder, "snoretoast-x64.exe"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(good)
	if errors.Is(err, os.ErrNotExist) {
		t.Fatal("there are no sample files, make them with `make samples`")
	}
	if err != nil {
		t.Fatal(err)
	}
	data[0x1400] ^= 0xff
	changed := filepath.Join(t.TempDir(), "changed.exe")
	if err := os.WriteFile(changed, data, 0o644); err != nil {
		t.Fatal(err)
	}
	a := New(Options{})
	v, err := a.Ask(t.Context(), good, meetguard.FormatPE)
	if err != nil || len(v) != 1 || v[0].Code == "TRUST_E_NOSIGNATURE" || v[0].Code == "TRUST_E_BAD_DIGEST" {
		t.Errorf("signed: %+v, %v", v, err)
	}
	t.Logf("signed: %+v", v)
	v, err = a.Ask(t.Context(), changed, meetguard.FormatPE)
	if err != nil || len(v) != 1 || v[0].Code != "TRUST_E_BAD_DIGEST" {
		t.Errorf("changed: %+v, %v", v, err)
	}
}
