//go:build !windows

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"meetguard/internal/config"
)

// newSetup is a call on folders of the test.
func newSetup(t *testing.T) setup {
	dir := t.TempDir()
	return setup{config: filepath.Join(dir, "etc", "config.yaml"), state: filepath.Join(dir, "state"), collector: "https://collector.invalid:8443", token: "mgenroll_secret"}
}

func TestSetupMakesWhatTheAgentNeeds(t *testing.T) {
	s := newSetup(t)
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(s.config)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Collector != s.collector {
		t.Errorf("collector is %q", cfg.Collector)
	}
	if data, err := os.ReadFile(cfg.EnrollTokenFile); err != nil || string(data) != "mgenroll_secret\n" {
		t.Errorf("the token's file holds %q, %v", data, err)
	}
	for path, want := range map[string]fs.FileMode{cfg.EnrollTokenFile: 0o600, s.config: 0o644, filepath.Dir(s.config): 0o755} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v (%v)", path, info.Mode().Perm(), want, err)
		}
	}
}

func TestSetupKeepsAConfiguration(t *testing.T) {
	s := newSetup(t)
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	const own = "collector: https://own.invalid\n"
	if err := os.WriteFile(s.config, []byte(own), 0o644); err != nil {
		t.Fatal(err)
	}
	s.token = "mgenroll_second"
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(s.config); string(data) != own {
		t.Errorf("the configuration became %q", data)
	}
	if data, _ := os.ReadFile(filepath.Join(filepath.Dir(s.config), tokenFile)); string(data) != "mgenroll_second\n" {
		t.Errorf("the token is %q", data)
	}
}

func TestSetupWithoutPropertiesWritesNothing(t *testing.T) {
	s := newSetup(t)
	s.collector, s.token = "", ""
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(filepath.Dir(s.config)); len(files) != 0 {
		t.Errorf("made %v", files)
	}
}

func TestSetupRefusesALink(t *testing.T) {
	s := newSetup(t)
	if err := os.Symlink(t.TempDir(), filepath.Dir(s.config)); err != nil {
		t.Fatal(err)
	}
	if err := s.run(); err == nil {
		t.Error("took a link as its folder")
	}
}

func TestPurge(t *testing.T) {
	s := newSetup(t)
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(s.state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.purge(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{s.state, filepath.Dir(s.config)} {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
}
