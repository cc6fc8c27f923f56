package agent

import (
	"path/filepath"
	"testing"

	"meetguard"
	"meetguard/internal/opinion"
	"meetguard/internal/owner"
)

func TestSecondOpinions(t *testing.T) {
	root := t.TempDir()
	put(t, filepath.Join(root, "var/lib/dpkg/info/zoom.list"), []byte("/opt/zoom/zoom\n"))
	s := &second{system: opinion.New(opinion.Options{}), owners: owner.New(root)}
	first := []meetguard.Gap{{Fact: "names"}}
	f := meetguard.Facts{Path: "/opt/zoom/zoom", SHA256: "h", Format: meetguard.FormatELF, Gaps: first}
	s.complete(t.Context(), meetguard.ProcessStarted, &f)
	if f.Package == nil || f.Package.Name != "zoom" || len(f.Gaps) != 1 {
		t.Errorf("%+v", f)
	}
	gone := meetguard.Facts{Path: filepath.Join(root, "Zoom.exe"), SHA256: "h", Format: meetguard.FormatPE}
	s.complete(t.Context(), meetguard.ProcessStarted, &gone)
	if gone.Package != nil || gone.OS != nil || len(gone.Gaps) != 1 || gone.Gaps[0].Fact != "os verdict" || gone.Gaps[0].Blinding {
		t.Errorf("a file that is gone: %+v", gone)
	}
	put(t, filepath.Join(root, "var/lib/dpkg/diversions"), []byte("one line\n"))
	f.Package, f.Gaps = nil, first
	s.complete(t.Context(), meetguard.ProcessStarted, &f)
	if f.Package != nil || len(f.Gaps) != 2 || f.Gaps[1].Fact != "package" {
		t.Errorf("records that cannot be read: %+v", f)
	}
	unread := meetguard.Facts{Path: "/opt/zoom/zoom", Format: meetguard.FormatOther}
	if s.complete(t.Context(), meetguard.ProcessStarted, &unread); unread.Package != nil {
		t.Errorf("a file that nobody read: %+v", unread)
	}
}
