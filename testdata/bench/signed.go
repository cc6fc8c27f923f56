//go:build linux

package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"meetguard"
	"meetguard/internal/sign"
)

//go:embed signed.txt
var signedPrograms string

// verify checks the signature of one file and nothing else.
func verify(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	v, err := sign.New()
	if err != nil {
		return err
	}
	format := meetguard.FormatMachO
	if strings.HasSuffix(path, ".exe") {
		format = meetguard.FormatPE
	}
	if sig, gaps := v.Verify(f, fi.Size(), format, time.Now()); sig.Status != meetguard.SignatureValid {
		return fmt.Errorf("%s is %s %s %s %v", filepath.Base(path), sig.Status, sig.Chain, sig.Detail, gaps)
	}
	return nil
}

// measureSigned compares the check of a signature with SHA-256 of the same
// file, for the large programs of signed.txt.
func measureSigned(e *env) ([]result, error) {
	dir := filepath.Join(e.dir, "signed")
	fetch := exec.Command("scripts/samples.sh", "testdata/bench/signed.txt", dir)
	fetch.Stderr = os.Stderr
	if err := fetch.Run(); err != nil {
		return nil, fmt.Errorf("fetch the signed programs: %w", err)
	}
	var out []result
	for line := range strings.Lines(signedPrograms) {
		fields := strings.Fields(strings.SplitN(line, "#", 2)[0])
		if len(fields) != 2 {
			continue
		}
		path := filepath.Join(dir, strings.NewReplacer("@", "-", "/", "-").Replace(strings.TrimPrefix(fields[0], "@")), "package", fields[1])
		ratio, took, err := e.ratios(path, func() (usage, error) { return run(e.self, "floor", "verify", path) })
		if err != nil {
			return nil, fmt.Errorf("check the signature of %s: %w", filepath.Base(path), err)
		}
		memory := each(took, func(u usage) float64 { return u.memory / (1 << 20) })
		fi, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("%s, %d MB", filepath.Base(path), fi.Size()>>20)
		out = append(out, atMost("CPU of the signature check of "+name+" / SHA-256 of it", ratio, 1.3, "×"), atMost("peak memory of that check", memory, 40, " MB"))
	}
	return out, nil
}
