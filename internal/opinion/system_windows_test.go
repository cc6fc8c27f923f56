package opinion

import (
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
	v, err = a.Ask(t.Context(), filepath.Join(t.TempDir(), "none.exe"), meetguard.FormatPE)
	if err == nil && (len(v) != 1 || v[0].Trusted) {
		t.Errorf("gone: %+v", v)
	}
	t.Logf("gone: %+v, %v", v, err)
}

// TestWindowsOnSamples only tells what the system says of the files named in
// MEETGUARD_SAMPLES, and holds that it says something.
func TestWindowsOnSamples(t *testing.T) {
	for _, name := range filepath.SplitList(os.Getenv("MEETGUARD_SAMPLES")) {
		v, err := New(Options{}).Ask(t.Context(), name, meetguard.FormatPE)
		if err != nil || len(v) != 1 || v[0].Code == "" {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		t.Logf("%s: %+v", filepath.Base(name), v)
	}
}
