//go:build linux

package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
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
		ratio, memory, err := e.signedCost(path)
		if err != nil {
			return nil, err
		}
		fi, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("%s, %d MB", filepath.Base(path), fi.Size()>>20)
		out = append(out, atMost("CPU of the signature check of "+name+" / SHA-256 of it", ratio, 1.3, "×"), atMost("peak memory of that check", memory, 40, " MB"))
	}
	return out, nil
}

// signedCost measures in turns. What both programs cost to start is in both.
func (e *env) signedCost(path string) (ratio, memory series, err error) {
	if _, err := e.hash(path); err != nil { // fills the page cache
		return nil, nil, err
	}
	for range e.rounds {
		floor, err := e.hash(path)
		if err != nil {
			return nil, nil, err
		}
		cmd := exec.Command(e.self, "floor", "verify", path)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, nil, fmt.Errorf("check the signature of %s: %w", filepath.Base(path), err)
		}
		use := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		ratio, memory = append(ratio, cpu.Seconds()/floor), append(memory, float64(use.Maxrss)/1024)
	}
	return ratio, memory, nil
}
