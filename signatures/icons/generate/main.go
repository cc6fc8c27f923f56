// Command generate draws the logos in signatures/icons/drawings and writes what
// is compared of them to signatures/icons.json. It is run by hand when a drawing
// changes, from the root of the repository:
//
//	go run ./signatures/icons/generate
//
// With -measure it writes nothing and tells which pictures in folders the
// present logos match: PNG, ICO and ICNS files, SVG files, and icon sets in the
// JSON form of Iconify, which are drawn in the colour of a logo.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"meetguard/internal/inspect"
)

// source is one line of drawings/sources.json.
type source struct {
	File    string `json:"file"`
	Brand   string `json:"brand"`
	Name    string `json:"name"`
	Source  string `json:"source"`
	License string `json:"license"`
	Ink     string `json:"ink,omitempty"` // colour of a drawing that has none
	Shapes  []int  `json:"shapes"`        // which of its shapes say whose it is: not the two holes of a face, nor a bare letter
}

func main() {
	root := flag.String("icons", "signatures/icons", "folder with the drawings")
	out := flag.String("out", "signatures/icons.json", "file to write, or to measure")
	measured := flag.Bool("measure", false, "match the pictures in the folders that are named")
	flag.Parse()
	err := error(nil)
	if *measured {
		err = measure(*out, flag.Args())
	} else {
		err = generate(*root, *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate(root, out string) error {
	sources, err := readSources(root)
	if err != nil {
		return err
	}
	var logos []inspect.Logo
	for _, s := range sources {
		d, err := s.drawing(root)
		if err != nil {
			return err
		}
		logos = append(logos, s.logos(d)...)
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetIndent("", "  ")
	if err := enc.Encode(logos); err != nil {
		return fmt.Errorf("write the logos: %w", err)
	}
	if err := os.WriteFile(out, text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the logos: %w", err)
	}
	return nil
}

func readSources(root string) ([]source, error) {
	data, err := os.ReadFile(filepath.Join(root, "drawings", "sources.json"))
	if err != nil {
		return nil, fmt.Errorf("read the sources: %w", err)
	}
	var list []source
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("read the sources: %w", err)
	}
	return list, nil
}

func (s source) drawing(root string) (*drawing, error) {
	f, err := os.Open(filepath.Join(root, "drawings", s.File))
	if err != nil {
		return nil, fmt.Errorf("read a drawing: %w", err)
	}
	defer f.Close()
	d, err := parseSVG(f, s.Ink)
	if err != nil {
		return nil, fmt.Errorf("draw %s: %w", s.File, err)
	}
	return d, nil
}

// logos are the shapes of a drawing that are compared.
func (s source) logos(d *drawing) []inspect.Logo {
	var out []inspect.Logo
	for i, l := range inspect.LogosOf(d.render(128, 4)) {
		if slices.Contains(s.Shapes, i) {
			l.Brand, l.Name, l.Source, l.License = s.Brand, s.Name, s.Source, s.License
			out = append(out, l)
		}
	}
	return out
}
