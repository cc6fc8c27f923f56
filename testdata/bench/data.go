//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
)

// Sizes of the test data.
const (
	bigSize     = 200 << 20 // bytes
	maxTreeFile = 8 << 20   // bytes; larger files of the system are left out of the tree
	smallSize   = 2 << 10   // bytes
)

// once makes the folder name below e.dir with fill, unless an earlier run did.
func (e *env) once(name string, fill func(dir string) error) (string, error) {
	dir := filepath.Join(e.dir, name)
	done := filepath.Join(e.dir, name+".done")
	if _, err := os.Stat(done); err == nil {
		return dir, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := fill(dir); err != nil {
		return "", fmt.Errorf("make %s: %w", name, err)
	}
	return dir, os.WriteFile(done, nil, 0o644)
}

// tree copies n real files of the system and of the Go modules, the same ones
// for the same machine.
func (e *env) tree(n int) (string, error) {
	return e.once(fmt.Sprintf("tree-%d", n), func(dir string) error {
		roots := []string{"/usr"}
		if out, err := exec.Command("go", "env", "GOMODCACHE").Output(); err == nil {
			roots = append(roots, string(bytes.TrimSpace(out)))
		}
		files, err := realFiles(roots)
		if err != nil {
			return err
		}
		rand.New(rand.NewPCG(1, 1)).Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		for i, p := range files[:min(n, len(files))] {
			sub := filepath.Join(dir, fmt.Sprint(i/500))
			if err := os.MkdirAll(sub, 0o755); err != nil {
				return err
			}
			if err := copyFile(filepath.Join(sub, fmt.Sprintf("%04d-%s", i, filepath.Base(p))), p); err != nil && !errors.Is(err, fs.ErrPermission) {
				return err
			}
		}
		return nil
	})
}

func realFiles(roots []string) ([]string, error) {
	var out []string
	for _, root := range roots {
		err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return nil // what cannot be listed is not sampled
			}
			if fi, err := d.Info(); err == nil && fi.Size() > 0 && fi.Size() <= maxTreeFile {
				out = append(out, p)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	sort.Strings(out)
	return out, nil
}

func copyFile(to, from string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		w.Close()
		return err
	}
	return w.Close()
}

// text is honest text of n bytes.
func text(n int) []byte {
	return bytes.Repeat([]byte("benign text line 0123456789 meeting notes\n"), n/42+1)[:n]
}

// big makes one file of 200 MB: a megabyte of noise, one of text, and so on.
func (e *env) big() (string, error) {
	return e.once("big", func(dir string) error {
		f, err := os.Create(filepath.Join(dir, "big.bin"))
		if err != nil {
			return err
		}
		defer f.Close()
		noise := rand.NewChaCha8([32]byte{1})
		buf := make([]byte, 1<<20)
		for range bigSize / (2 << 20) {
			noise.Read(buf) // never fails
			if _, err := f.Write(append(buf, text(1<<20)...)); err != nil {
				return err
			}
		}
		return f.Close()
	})
}

func (e *env) small(n int) (string, error) {
	return e.once(fmt.Sprintf("small-%d", n), func(dir string) error {
		for i := range n {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.txt", i)), text(smallSize), 0o644); err != nil {
				return err
			}
		}
		return nil
	})
}

// peRules makes a configuration with fifty more rules that import libyara's pe
// module, as an operator would add them: in a folder named pe.
func (e *env) peRules() (config string, err error) {
	dir, err := e.once("rules", func(dir string) error {
		if err := os.MkdirAll(filepath.Join(dir, "pe"), 0o755); err != nil {
			return err
		}
		var b bytes.Buffer
		fmt.Fprintln(&b, `import "pe"`)
		for i := range 50 {
			fmt.Fprintf(&b, "rule bench_%d { strings: $a = \"bench marker %d\" ascii wide nocase condition: pe.number_of_sections > 3 and pe.version_info[\"ProductName\"] == \"bench %d\" and $a }\n", i, i, i)
		}
		return os.WriteFile(filepath.Join(dir, "pe", "bench.yar"), b.Bytes(), 0o644)
	})
	if err != nil {
		return "", err
	}
	config = filepath.Join(e.dir, "rules.yaml")
	return config, os.WriteFile(config, fmt.Appendf(nil, "rules: %q\n", dir), 0o644)
}
