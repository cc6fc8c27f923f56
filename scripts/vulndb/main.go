// Command vulndb makes a database that govulncheck reads from the entries of a
// checkout of golang/vulndb, for machines that cannot reach vuln.go.dev.
//
//	go run ./scripts/vulndb CHECKOUT/data/osv DATABASE
//
// The form of the database is that of https://go.dev/doc/security/vuln/database.
package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// entry is the part of an OSV record that the indexes repeat.
type entry struct {
	ID       string    `json:"id"`
	Modified time.Time `json:"modified"`
	Aliases  []string  `json:"aliases"`
	Affected []struct {
		Package struct {
			Name string `json:"name"`
		} `json:"package"`
	} `json:"affected"`
}

// The three indexes.
type (
	dbIndex struct {
		Modified time.Time `json:"modified"`
	}
	moduleIndex struct {
		Path  string      `json:"path"`
		Vulns []vulnIndex `json:"vulns"`
	}
	vulnIndex struct {
		ID       string    `json:"id"`
		Modified time.Time `json:"modified"`
		Aliases  []string  `json:"aliases,omitempty"`
	}
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: vulndb ENTRIES DATABASE")
		os.Exit(2)
	}
	n, err := build(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "vulndb:", err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "vulndb: %d entries\n", n)
}

// build reads every entry of a folder and returns how many there were.
func build(from, to string) (int, error) {
	files, err := filepath.Glob(filepath.Join(from, "GO-*.json"))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("no entries in %s", from)
	}
	for _, dir := range []string{"ID", "index"} {
		if err := os.MkdirAll(filepath.Join(to, dir), 0o755); err != nil {
			return 0, fmt.Errorf("make database: %w", err)
		}
	}
	db, modules, vulns := dbIndex{}, map[string][]vulnIndex{}, []vulnIndex{}
	for _, file := range files {
		e, err := copyEntry(file, filepath.Join(to, "ID"))
		if err != nil {
			return 0, err
		}
		if e.Modified.After(db.Modified) {
			db.Modified = e.Modified
		}
		vulns = append(vulns, vulnIndex{e.ID, e.Modified, e.Aliases})
		names := map[string]bool{}
		for _, a := range e.Affected {
			names[a.Package.Name] = true
		}
		for name := range names {
			modules[name] = append(modules[name], vulnIndex{ID: e.ID, Modified: e.Modified})
		}
	}
	var list []moduleIndex
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		list = append(list, moduleIndex{name, modules[name]})
	}
	for name, v := range map[string]any{"db": db, "modules": list, "vulns": vulns} {
		if err := writeJSON(filepath.Join(to, "index", name+".json"), v); err != nil {
			return 0, err
		}
	}
	return len(files), nil
}

func copyEntry(file, dir string) (entry, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return entry{}, fmt.Errorf("read entry: %w", err)
	}
	var e entry
	if err := json.Unmarshal(data, &e); err != nil {
		return entry{}, fmt.Errorf("read entry %s: %w", file, err)
	}
	return e, os.WriteFile(filepath.Join(dir, filepath.Base(file)), data, 0o644)
}

func writeJSON(file string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	return os.WriteFile(file, data, 0o644)
}
