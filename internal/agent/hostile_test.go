//go:build unix

package agent

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"meetguard"
	"meetguard/testdata/hostile"
)

// TestHostileFiles is the short form of `make hostile`: after each of sixty files
// (eight with the race detector, which slows them twentyfold) that attack their reader a known lure is found, no parser has failed, and what
// cannot be read within bounds is not clean.
func TestHostileFiles(t *testing.T) {
	in := inspector(t, workerArg)
	count, broken := 60, []string{"crashed", "the parser failed", "was ended"}
	if raced {
		count, broken = 8, broken[:2]
	}
	for i, it := range hostile.Brief(hostileSeed, count) {
		dir := t.TempDir()
		if err := it.Place(dir); err != nil {
			t.Fatal(err)
		}
		f, _, err := in.Inspect(context.Background(), filepath.Join(dir, it.Name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s, %s: %v", it.Kind, it.What, err)
		}
		v := in.Judge(f)
		for _, why := range reasonsOf(f) {
			if slices.ContainsFunc(broken, func(b string) bool { return strings.Contains(why, b) }) {
				t.Errorf("%s, %s: %s", it.Kind, it.What, why)
			}
		}
		if it.Over && v.Level == meetguard.Clean {
			t.Errorf("%s, %s: clean, although it cannot be read to its end", it.Kind, it.What)
		}
		if _, v := verdict(t, in, put(t, filepath.Join(dir, hostile.LureName), hostile.Lure(i))); v.Level != meetguard.Malicious {
			t.Errorf("the lure after %s, %s is %s", it.Kind, it.What, v.Level)
		}
	}
}

// hostileSeed makes the same files in each run; the long form takes others.
const hostileSeed = 11

// reasonsOf are the reasons of all gaps of a unit and what is in it.
func reasonsOf(f meetguard.Facts) []string {
	var out []string
	for _, g := range f.Gaps {
		out = append(out, g.Reason)
	}
	for _, m := range f.Members {
		out = append(out, reasonsOf(m)...)
	}
	return out
}
