// Command sbom writes down what is inside the programs of `make dist`: beside
// each program a bill of materials (CycloneDX 1.5 JSON), and in one file the
// licences of everything that was linked. It fails if a licence is not one of
// those that the project may ship.
//
//	go run ./scripts/sbom -licenses FILE PROGRAM…
//
// Modules come from the build information that Go keeps in every program; what
// is not Go (libyara, the C library) comes from a file named parts beside it,
// which scripts/dist.sh writes: name, version, licence and the file of its text,
// separated by tabs.
package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// part is one thing inside a program: a Go module, the Go library or a C library.
type part struct {
	Name, Version string
	Sum           string // Go's checksum of a module, "" for others
	Purl          string
	Licenses      []string
	Texts         []string // the texts of its licences and notices
}

func main() {
	licenses := flag.String("licenses", "", "write the licences of all programs into this file")
	flag.Parse()
	if err := run(flag.Args(), *licenses); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(programs []string, licenses string) error {
	all := map[string]part{}
	for _, file := range programs {
		parts, err := inside(file)
		if err != nil {
			return err
		}
		doc, err := describe(file, parts)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file+".cdx.json", doc, 0o644); err != nil {
			return fmt.Errorf("write bill of materials: %w", err)
		}
		for _, p := range parts {
			all[p.Name+" "+p.Version] = p
		}
	}
	if err := refused(all); err != nil {
		return err
	}
	if licenses == "" {
		return nil
	}
	return os.WriteFile(licenses, texts(all), 0o644)
}

// inside lists what is in a program, sorted by name.
func inside(file string) ([]part, error) {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read what %s was built from: %w", file, err)
	}
	parts, err := goParts(info)
	if err != nil {
		return nil, err
	}
	if list, err := os.ReadFile(filepath.Join(filepath.Dir(file), "parts")); err == nil && usesC(info) {
		more, err := cParts(string(list))
		if err != nil {
			return nil, err
		}
		parts = append(parts, more...)
	}
	slices.SortFunc(parts, func(a, b part) int { return strings.Compare(a.Name, b.Name) })
	return parts, nil
}

func usesC(info *buildinfo.BuildInfo) bool {
	for _, s := range info.Settings {
		if s.Key == "CGO_ENABLED" {
			return s.Value == "1"
		}
	}
	return false
}

// goParts are the modules, as they were replaced, and Go's own library.
func goParts(info *buildinfo.BuildInfo) ([]part, error) {
	root, err := goRoot()
	if err != nil {
		return nil, err
	}
	std, err := licensed(part{Name: "stdlib", Version: strings.TrimPrefix(info.GoVersion, "go"), Purl: "pkg:golang/stdlib@" + strings.TrimPrefix(info.GoVersion, "go")}, root)
	if err != nil {
		return nil, err
	}
	parts := []part{std}
	var wanted []string
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		parts = append(parts, part{Name: m.Path, Version: m.Version, Sum: m.Sum, Purl: "pkg:golang/" + m.Path + "@" + m.Version})
		wanted = append(wanted, m.Path+"@"+m.Version)
	}
	folders, err := moduleFolders(wanted)
	if err != nil {
		return nil, err
	}
	for i := 1; i < len(parts); i++ {
		if parts[i], err = licensed(parts[i], folders[parts[i].Name]); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// goRoot is where Go's own library and its licence lie.
func goRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("find Go's own folder: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// moduleFolders asks the Go tool where the sources of modules lie.
func moduleFolders(modules []string) (map[string]string, error) {
	folders := map[string]string{}
	if len(modules) == 0 {
		return folders, nil
	}
	out, err := exec.Command("go", append([]string{"mod", "download", "-json"}, modules...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("find the sources of modules: %w", err)
	}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var m struct{ Path, Dir string }
		if err := dec.Decode(&m); err == io.EOF {
			return folders, nil
		} else if err != nil {
			return nil, fmt.Errorf("read where the sources of modules lie: %w", err)
		}
		folders[m.Path] = m.Dir
	}
}

// cParts reads the list that scripts/dist.sh leaves beside a program.
func cParts(list string) ([]part, error) {
	var parts []part
	for line := range strings.Lines(list) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 4 {
			return nil, fmt.Errorf("read parts: %q has not four columns", line)
		}
		text, err := os.ReadFile(f[3])
		if err != nil {
			return nil, fmt.Errorf("read the licence of %s: %w", f[0], err)
		}
		parts = append(parts, part{Name: f[0], Version: f[1], Purl: "pkg:generic/" + f[0] + "@" + f[1], Licenses: []string{f[2]}, Texts: []string{string(text)}})
	}
	return parts, nil
}
