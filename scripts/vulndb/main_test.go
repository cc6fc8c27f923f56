package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestBuild(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{
		"GO-2026-0001.json": `{"id":"GO-2026-0001","modified":"2026-01-02T00:00:00Z","aliases":["CVE-2026-1"],"affected":[{"package":{"name":"stdlib"}},{"package":{"name":"stdlib"}}]}`,
		"GO-2026-0002.json": `{"id":"GO-2026-0002","modified":"2026-01-03T00:00:00Z","affected":[{"package":{"name":"example.com/m"}},{"package":{"name":"stdlib"}}]}`,
	} {
		if err := os.WriteFile(filepath.Join(from, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := build(from, to); n != 2 || err != nil {
		t.Fatalf("built %d entries, %v", n, err)
	}
	var modules []moduleIndex
	var db dbIndex
	for name, v := range map[string]any{"modules": &modules, "db": &db} {
		data, err := os.ReadFile(filepath.Join(to, "index", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, v); err != nil {
			t.Fatal(err)
		}
	}
	if len(modules) != 2 || modules[1].Path != "stdlib" || len(modules[1].Vulns) != 2 {
		t.Errorf("modules are %+v", modules)
	}
	if !db.Modified.Equal(time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the database is of %v", db.Modified)
	}
	if _, err := os.Stat(filepath.Join(to, "ID", "GO-2026-0002.json")); err != nil {
		t.Error(err)
	}
}

func TestBuildOfNothing(t *testing.T) {
	if _, err := build(t.TempDir(), t.TempDir()); err == nil {
		t.Error("an empty folder made a database: nothing would ever be found")
	}
}
