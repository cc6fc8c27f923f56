package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"empty":         {"", ""},
		"good":          {"watch: [/home/a/Downloads]\nlaunches: poll\n", ""},
		"unknown key":   {"wacth: [/x]\n", "field wacth not found"},
		"wrong type":    {"workers: many\n", "cannot unmarshal"},
		"bad choice":    {"launches: never\n", `"never" is not one of`},
		"relative path": {"watch: [Downloads]\n", "not an absolute path"},
		"no YAML":       {"{", "did not find"},
	} {
		t.Run(name, func(t *testing.T) {
			c := Default()
			err := Parse([]byte(tc.in), &c)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("Parse: %v, want %q", err, tc.want)
			}
		})
	}
}

func TestEveryProblemIsTold(t *testing.T) {
	c := Default()
	err := Parse([]byte("launches: x\nfiles: y\nworkers: 99\nlog_mib: 0\n"), &c)
	for _, key := range []string{"launches", "files", "workers", "log_mib"} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%q does not name %s", err, key)
		}
	}
}

func TestShownConfigLoadsAgain(t *testing.T) {
	want := Default()
	want.Watch = []string{"/srv/incoming"}
	text, err := want.YAML()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil || got.Watch[0] != want.Watch[0] || got.State != want.State {
		t.Errorf("Load of what YAML gave: %+v, %v", got, err)
	}
}

func TestNamedFileMustExist(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml")); err == nil {
		t.Error("a missing named file was accepted")
	}
}
