// Command pack writes content.zip, in which the program carries its catalogue
// and rules: `go generate ./signatures`. They are packed because the text of a
// rule is what the rule looks for: in the open, the program would find itself,
// and so would the products of others.
package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// parts is what is packed: files and folders.
var parts = []string{"abused.csv", "brands.yaml", "icons.json", "process", "sources.yaml", "yara"}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run() error {
	packed, err := pack(os.DirFS("."))
	if err != nil {
		return err
	}
	return os.WriteFile("content.zip", packed, 0o644)
}

// pack gives the same bytes for the same files, whenever and wherever it runs.
func pack(root fs.FS) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, part := range parts {
		err := fs.WalkDir(root, part, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			return add(z, root, name)
		})
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", part, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func add(z *zip.Writer, root fs.FS, name string) error {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return err
	}
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}
