package watch

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestBundleAbove(t *testing.T) {
	for _, c := range []struct{ root, path, want string }{
		{"/d", "/d", ""},
		{"/d", "/d/Zoom.app", ""},
		{"/d", "/d/Zoom.app/Contents", "/d/Zoom.app"},
		{"/d", "/d/a/Zoom.APP/Contents/Inner.app/x", "/d/a/Zoom.APP"},
		{"/d", "/d/s.scptd/Contents/x", "/d/s.scptd"},
		{"/d", "/d/happ/x", ""},
		{"/d/X.app", "/d/X.app/Contents/x", ""},
	} {
		got := bundleAbove(filepath.FromSlash(c.root), filepath.FromSlash(c.path))
		if got != filepath.FromSlash(c.want) {
			t.Errorf("bundleAbove(%q, %q) = %q, want %q", c.root, c.path, got, c.want)
		}
	}
}

func TestTemporary(t *testing.T) {
	for name, want := range map[string]bool{
		"a.crdownload": true, "a.PART": true, "~$a.docx": true, ".DS_Store": true, "Desktop.ini": true, "x.tmp": true,
		"part": false, "a.parts": false, "download": false, "a.dmg": false, "": false,
	} {
		if temporary(name) != want {
			t.Errorf("temporary(%q) = %v", name, !want)
		}
	}
}

func TestOutermost(t *testing.T) {
	in := []string{"/a/b", "/a", "/ab", "/a", "/c/d/e", "/c/d"}
	for i := range in {
		in[i] = filepath.FromSlash(in[i])
	}
	want := []string{in[1], in[2], in[5]}
	if got := outermost(in); !slices.Equal(got, want) {
		t.Errorf("outermost(%q) = %q, want %q", in, got, want)
	}
}
