// Command generate writes the recorded launch chains of testdata/chains from
// the texts in its folder source: one JSONL file for each system and family,
// in the form that `meetguard replay` reads.
//
// The texts are written by hand; what varies from one repetition to the next
// (people, numbers, times, alternatives) is chosen by a hash, so that the same
// text always gives the same bytes. Nothing of it is ever run: the command
// lines are text, and the hosts of lures end in .invalid.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	root := flag.String("root", "testdata/chains", "the folder that holds source, malicious and benign")
	flag.Parse()
	files, err := generate(*root)
	if err == nil {
		err = write(*root, files)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(2)
	}
}

// kinds are the folders of chains.
var kinds = []string{"malicious", "benign"}

// generate returns the content of each JSONL file by its name below root.
func generate(root string) (map[string][]byte, error) {
	noise, err := readNoise(filepath.Join(root, "source", "noise"))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, kind := range kinds {
		sources, err := filepath.Glob(filepath.Join(root, "source", kind, "*.txt"))
		if err != nil {
			return nil, err
		}
		for _, name := range sources {
			s, err := readSource(name)
			if err != nil {
				return nil, err
			}
			if kind == "malicious" {
				s.noise = noise[s.system]
			}
			base := strings.TrimSuffix(filepath.Base(name), ".txt") + ".jsonl"
			if files[kind+"/"+base], err = s.lines(); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return files, nil
}

func readNoise(dir string) (map[string][]chain, error) {
	noise := map[string][]chain{}
	names, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		s, err := readSource(name)
		if err != nil {
			return nil, err
		}
		noise[s.system] = append(noise[s.system], s.chains...)
	}
	return noise, nil
}

// lines are the launches of all chains of a source, one JSON object a line.
func (s *source) lines() ([]byte, error) {
	launches, err := s.expand()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, l := range launches {
		if err := enc.Encode(l); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// write replaces the generated files below root.
func write(root string, files map[string][]byte) error {
	for _, kind := range kinds {
		old, err := filepath.Glob(filepath.Join(root, kind, "*.jsonl"))
		if err != nil {
			return err
		}
		for _, name := range old {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
		if err := os.MkdirAll(filepath.Join(root, kind), 0o755); err != nil {
			return err
		}
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(root, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
