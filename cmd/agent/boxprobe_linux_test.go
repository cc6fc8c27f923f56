package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestBoxProbe(t *testing.T) {
	for args, want := range map[string]int{"--free=false": exitClean, "--free": exitFound} {
		r := command(t, "box-probe", "--json", args)
		var p probed
		if err := json.Unmarshal([]byte(r.out), &p); err != nil || r.code != want || len(p.Outcomes) < 40 {
			t.Errorf("%s: exit %d, want %d: %v, %s%s", args, r.code, want, err, r.out, r.errOut)
		}
	}
}

// TestBoxProbeOfThePackagedService: systemd gives the agent an account and four
// capabilities, and its inspection process keeps the account. It can do as little
// with it as with one of its own.
func TestBoxProbeOfThePackagedService(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("NOT TESTED: only root can become another account")
		return
	}
	dir, err := os.MkdirTemp("", "meetguard-unit-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	self := filepath.Join(dir, "meetguard") // where the account can go
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(os.Args[0], self); err != nil {
		data, err := os.ReadFile(os.Args[0])
		if err == nil {
			err = os.WriteFile(self, data, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(self, "box-probe", "--json")
	cmd.Env, cmd.Dir = append(os.Environ(), asMain+"=1", "TMPDIR=/tmp"), "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 64997, Gid: 64997},
		AmbientCaps: []uintptr{unix.CAP_DAC_READ_SEARCH, unix.CAP_SYS_PTRACE, unix.CAP_BPF, unix.CAP_PERFMON}}
	out, err := cmd.Output()
	var p probed
	if err != nil || json.Unmarshal(out, &p) != nil || len(p.Outcomes) < 40 || !p.Level.Full() {
		t.Errorf("%v: %s", err, out)
	}
}
