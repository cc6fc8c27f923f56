package agent

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"meetguard"
)

// laid makes a file of a size with texts at offsets and holes between.
func laid(t *testing.T, name string, size int64, at map[int64]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	for off, text := range at {
		if _, err := f.WriteAt([]byte(text), off); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// TestSparseFileIsReadAsAnyOther: what is mapped and hashed of a file with holes is
// its content, byte for byte, wherever the holes are.
func TestSparseFileIsReadAsAnyOther(t *testing.T) {
	const mib = 1 << 20
	for name, tc := range map[string]struct {
		size   int64
		at     map[int64]string
		sparse bool
	}{
		"ends":       {40 * mib, map[int64]string{0: "MZ head", 40*mib - 4: "tail"}, true},
		"middle":     {40*mib + 17, map[int64]string{20*mib + 5: strings.Repeat("x", 3*mib)}, true},
		"nothing":    {40 * mib, nil, true},
		"small hole": {40 * mib, map[int64]string{0: strings.Repeat("y", 30*mib)}, false},
		"combed": {64 * mib, func() map[int64]string {
			m := map[int64]string{}
			for off := int64(0); off < 64*mib; off += 512 << 10 {
				m[off] = "z"
			}
			return m
		}(), false},
	} {
		path := laid(t, "a.bin", tc.size, tc.at)
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		s, release := mapSparse(f, tc.size)
		if (s != nil) != tc.sparse {
			t.Errorf("%s: sparse %v, want %v", name, s != nil, tc.sparse)
			continue
		}
		if s == nil {
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(want)
		if !bytes.Equal(s.data, want) || s.sum() != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: another content or sum", name)
		}
		for off, text := range tc.at {
			if !bytes.Contains(s.dense, []byte(text)) {
				t.Errorf("%s: the rules do not see what is at %d", name, off)
			}
		}
		if len(s.dense) > 4*mib {
			t.Errorf("%s: the rules see %d bytes", name, len(s.dense))
		}
		release()
	}
}

// TestSparseFileJustBelowTheLimit: a file of nearly two gigabytes that takes a few
// blocks on the disk has its true sum, and is not clean for being large.
func TestSparseFileJustBelowTheLimit(t *testing.T) {
	in := inspector(t, workerArg)
	const size = maxFile - 1
	const want = "af1421c090775494bfe284039be92bd687e67582854cf17a11cbbff5226aae27" // of the line and 2,147,483,637 zeros
	f, v := verdict(t, in, laid(t, "Zoom.sh", size, map[int64]string{0: "#!/bin/sh\n"}))
	if f.Size != size || f.SHA256 != want || v.Level == meetguard.Clean {
		t.Errorf("%d bytes, sum %s, level %s, gaps %v", f.Size, f.SHA256, v.Level, f.Gaps)
	}
}
