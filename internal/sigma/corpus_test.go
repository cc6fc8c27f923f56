package sigma

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpus reads the process_creation rules of a copy of the public collection,
// which is not part of this repository.
func corpus(t testing.TB) []Source {
	dir := os.Getenv("MEETGUARD_SIGMA_RULES")
	if dir == "" {
		t.Skip("NOT RUN: MEETGUARD_SIGMA_RULES names no copy of a public rule collection")
	}
	var out []Source
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(p, ".yml") || strings.Contains(p, "regression_data") || strings.Contains(p, "/deprecated/") || strings.Contains(p, "/unsupported/") || strings.Contains(p, "/tests/") {
			return err
		}
		text, err := os.ReadFile(p)
		if err == nil && strings.Contains(string(text), "category: process_creation") {
			out = append(out, Source{strings.TrimPrefix(p, dir), string(text)})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPublicRulesLoad(t *testing.T) {
	files := corpus(t)
	rs, problems := Load(files)
	t.Logf("%d files, %d rules, %d problems", len(files), len(rs.rules), len(problems))
	for _, p := range problems {
		t.Log(p)
	}
	if len(problems)*100 > len(files) {
		t.Errorf("more than one in a hundred public rules is refused")
	}
	for os, set := range rs.sets {
		t.Logf("%s: %d rules, %d always", os, len(set.rules), len(set.always))
	}
}
