package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestModulesMayBeUsed: every module that programs or tests of any system are
// built with has a licence that is allowed, so that a new dependency shows here
// and not when a release is made.
func TestModulesMayBeUsed(t *testing.T) {
	all := map[string]part{}
	for _, goos := range []string{"linux", "windows", "darwin"} {
		cmd := exec.Command("go", "list", "-e", "-deps", "-test", "-tags", "yara yara_static yara_no_pkg_config netgo osusergo",
			"-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}", "./...", "./testdata/hostile", "./testdata/specimens", "./testdata/reliability")
		cmd.Dir, cmd.Env = "../..", append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=1")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list for %s: %v", goos, err)
		}
		for line := range strings.Lines(string(out)) {
			fields := strings.Split(strings.TrimSpace(line), "\t")
			if len(fields) != 3 || all[fields[0]].Name != "" {
				continue
			}
			p, err := licensed(part{Name: fields[0], Version: fields[1]}, fields[2])
			if err != nil {
				t.Fatal(err)
			}
			all[fields[0]] = p
		}
	}
	if len(all) < 40 {
		t.Errorf("only %d modules were found", len(all))
	}
	t.Logf("%d modules", len(all))
	if err := refused(all); err != nil {
		t.Error(err)
	}
}
