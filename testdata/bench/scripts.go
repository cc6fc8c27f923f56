//go:build linux

package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"

	"meetguard/testdata/specimens"
)

// Numbers and sizes of the scripts.
const (
	scriptCount = 1000
	scriptSize  = 10 << 10 // bytes of a script that is measured alone
	zippedSize  = 2 << 10  // bytes of a script in the archive
)

// externals are what the rules for scripts ask of the analysis. The raw command
// has no analysis, so it gets values that let every rule look at its strings.
var externals = []string{"mg_name=a.sh", "mg_ext=sh", "mg_origin=x", "mg_signature=unknown", "mg_size=10240", "mg_language=shell", "mg_traits= shell ",
	"mg_blank_run=0", "mg_code_after=false", "mg_concat=0", "mg_layers=0", "mg_fetches=1", "mg_fetch_run=true", "mg_cradles=curl pipe sh", "mg_pretexts=1"}

// comments are the endings of scripts with what begins a comment there.
var comments = map[string]string{".sh": "# ", ".command": "# ", ".ps1": "# ", ".py": "# ", ".applescript": "-- ", ".scpt": "-- ", ".bat": "rem ", ".cmd": "rem ", ".vbs": "' "}

// scripts makes n different scripts of size bytes: lures and honest ones in
// turns, filled up with lines that call functions.
func scripts(n, size int) []specimens.Specimen {
	var seeds, out []specimens.Specimen
	lures, honest := specimens.Lures(), specimens.Benign()
	for i := range max(len(lures), len(honest)) {
		for _, list := range [][]specimens.Specimen{lures, honest} {
			if s := list[i%len(list)]; s.Wrapper == "plain" && comments[path.Ext(s.Name)] != "" && len(s.Data) < size*3/4 && !bytes.Contains(s.Data, []byte{0}) {
				seeds = append(seeds, s)
			}
		}
	}
	for i := range n {
		s := seeds[i%len(seeds)]
		mark := comments[path.Ext(s.Name)]
		data := fmt.Appendf(bytes.Clone(s.Data), "\n%sscript %d\n", mark, i)
		for line := 0; len(data) < size; line++ {
			data = fmt.Appendf(data, "write_log \"step %d of %d: settings of the client\" %d\n", line, i, line*i)
		}
		s.Name, s.Data = fmt.Sprintf("%04d%s", i, path.Ext(s.Name)), data[:size]
		out = append(out, s)
	}
	return out
}

// scriptFolder writes scripts into one folder.
func (e *env) scriptFolder(size int) (string, error) {
	return e.once(fmt.Sprintf("scripts-%d", size), func(dir string) error {
		for _, s := range scripts(scriptCount, size) {
			if err := os.WriteFile(filepath.Join(dir, s.Name), s.Data, 0o644); err != nil {
				return err
			}
		}
		return nil
	})
}

// scriptZip packs the folder of small scripts.
func (e *env) scriptZip() (string, error) {
	dir, err := e.once("scripts-zip", func(dir string) error {
		var buf bytes.Buffer
		w := zip.NewWriter(&buf)
		for _, s := range scripts(scriptCount, zippedSize) {
			f, err := w.Create("scripts/" + s.Name)
			if err == nil {
				_, err = f.Write(s.Data)
			}
			if err != nil {
				return err
			}
		}
		if err := w.Close(); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "scripts.zip"), buf.Bytes(), 0o644)
	})
	return filepath.Join(dir, "scripts.zip"), err
}

// yara runs the raw command with the rules for scripts over a folder or file.
func (e *env) yara(target string) (usage, error) {
	rules, err := filepath.Glob("signatures/yara/script/*.yar")
	if err != nil || len(rules) == 0 {
		return usage{}, errors.Join(err, errors.New("no rules below signatures/yara/script: run in the root of the repository"))
	}
	args := []string{"--recursive", "--no-warnings", "--threads=1"}
	for _, x := range externals {
		args = append(args, "-d", x)
	}
	return run("yara", append(append(args, rules...), target)...)
}

// perScript is the CPU of one script in seconds: that of all less that of one,
// which is the start of the program and of its rules.
func perScript(all, one string, look func(string) (usage, error)) (float64, error) {
	whole, err := look(all)
	if err != nil {
		return 0, err
	}
	start, err := look(one)
	return (whole.cpu - start.cpu) / (scriptCount - 1), err
}

// measureScripts holds one script and an archive of small ones against their
// bars, beside what the raw command takes for its rules alone.
func measureScripts(e *env) ([]result, error) {
	if _, err := exec.LookPath("yara"); err != nil {
		return nil, fmt.Errorf("%w: install the Debian package yara", err)
	}
	dir, err := e.scriptFolder(scriptSize)
	if err != nil {
		return nil, err
	}
	first, err := filepath.Glob(filepath.Join(dir, "0000.*"))
	if err != nil || len(first) != 1 {
		return nil, errors.Join(err, fmt.Errorf("no first script in %s", dir))
	}
	agent := func(p string) (usage, error) { return e.scan(p) }
	var ours, raw series
	for range e.rounds {
		a, err := perScript(dir, first[0], agent)
		if err != nil {
			return nil, err
		}
		y, err := perScript(dir, first[0], e.yara)
		if err != nil {
			return nil, err
		}
		ours, raw = append(ours, a*1e3), append(raw, y*1e3)
	}
	zipped, err := e.measureZip()
	return append([]result{atMost("script of 10 KB: CPU to a verdict", ours, 2, " ms"), told("the same scripts: CPU of the raw yara command", raw, " ms")}, zipped...), err
}

func (e *env) measureZip() ([]result, error) {
	archive, err := e.scriptZip()
	if err != nil {
		return nil, err
	}
	dir, err := e.scriptFolder(zippedSize)
	if err != nil {
		return nil, err
	}
	var wall, cpu, raw series
	for range e.rounds {
		a, err := e.scan(archive)
		if err != nil {
			return nil, err
		}
		y, err := e.yara(dir)
		if err != nil {
			return nil, err
		}
		wall, cpu, raw = append(wall, a.wall), append(cpu, a.cpu), append(raw, y.wall)
	}
	return []result{atMost("zip of 1,000 small scripts: start to verdict", wall, 1, " s"), told("CPU of that", cpu, " s"),
		told("the raw yara command on the unpacked scripts: start to end", raw, " s")}, nil
}
