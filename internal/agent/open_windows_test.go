package agent

import (
	"errors"
	"path/filepath"
	"testing"
)

func TestOpenWithin(t *testing.T) {
	dir := t.TempDir()
	path := put(t, filepath.Join(dir, "watched", "file"), []byte("inert"))
	other := put(t, filepath.Join(dir, "watched-not", "file"), []byte("inert"))
	for _, tc := range []struct {
		path, root string
		want       error
	}{
		{path, "", nil}, {path, filepath.Join(dir, "watched"), nil}, {path, filepath.Join(dir, "WATCHED") + `\`, nil},
		{other, filepath.Join(dir, "watched"), errElsewhere},
	} {
		f, err := openWithin(tc.path, func() string { return tc.root })
		if err == nil {
			f.Close()
		}
		if !errors.Is(err, tc.want) {
			t.Errorf("%s within %s: %v, want %v", tc.path, tc.root, err, tc.want)
		}
	}
}
