// Package config reads what may change how the agent runs: one YAML file, the
// environment, the command line, and the settings that an administrator manages
// from afar, which win. Every key has a default and none is needed. Unknown keys
// are errors, and all problems are reported at once.
package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"go.yaml.in/yaml/v3"

	"meetguard"
)

// Config is what an operator can set. The comments are shown by `config show`
// and stand in README.md too.
type Config struct {
	Watch             []string           `yaml:"watch"`              // folders instead of every user's download and desktop folders
	State             string             `yaml:"state"`              // folder of the alert log, the journal and the cursor
	Collector         string             `yaml:"collector"`          // base URL of a collector: https, or http on this machine; "" for the one that this machine is enrolled at, if it is
	CollectorCA       string             `yaml:"collector_ca"`       // "" for the CA of the enrolment token; "system" or a PEM file where a proxy opens TLS, or for a certificate of another CA
	EnrollTokenFile   string             `yaml:"enroll_token_file"`  // file with an enrolment token, read on each try while this machine is not enrolled
	ClientCertificate string             `yaml:"client_certificate"` // PEM file from the operator's own CA, in the place of enrolment; needs collector_ca
	ClientKey         string             `yaml:"client_key"`         // PEM file with its key
	Launches          string             `yaml:"launches"`           // auto, ebpf, proc-connector, etw, sysmon, security-log, eslogger, poll or off
	Files             string             `yaml:"files"`              // auto, inotify or fsnotify
	Rules             string             `yaml:"rules"`              // folder with further YARA rules, read beside those inside the program
	ProcessRules      string             `yaml:"process_rules"`      // folder with further Sigma rules over launches (process_creation), read beside those inside the program
	Anchors           string             `yaml:"anchors"`            // folder with further trust anchors for code signing, PEM
	Abused            string             `yaml:"abused"`             // file with further certificates known to be abused, CSV like signatures/abused.csv
	LogMiB            int                `yaml:"log_mib"`            // bound of the alert log, MiB
	Workers           int                `yaml:"workers"`            // inspection processes, 1 to 8
	Brands            []meetguard.Brand  `yaml:"brands"`             // further brands, or additions to known ones by their id; the keys of signatures/brands.yaml
	Friends           []meetguard.Friend `yaml:"friends"`            // who may carry a brand's name, see friends.go
	Notify            Notify             `yaml:"notify"`             // what the person at the keyboard is told, see notify.go
}

// Default is the configuration without a file.
func Default() Config {
	return Config{State: defaultState(), Launches: "auto", Files: "auto", LogMiB: 256, Workers: 1, Notify: Notify{Enabled: true}}
}

// defaultState is the system's place for root and for a service of systemd, which
// names it in STATE_DIRECTORY, and the user's for others.
func defaultState() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(programData(), "MeetGuard")
	}
	if dir := os.Getenv("STATE_DIRECTORY"); dir != "" {
		return dir
	}
	if os.Geteuid() == 0 {
		if runtime.GOOS == "darwin" {
			return "/Library/Application Support/MeetGuard"
		}
		return "/var/lib/meetguard"
	}
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "meetguard")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = os.TempDir()
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Application Support", "MeetGuard")
	}
	return filepath.Join(home, ".local", "state", "meetguard")
}

// DefaultPath is where the file is looked for if none is named. It need not
// exist.
func DefaultPath() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(programData(), "MeetGuard", "config.yaml")
	}
	if runtime.GOOS == "darwin" {
		return "/Library/Application Support/MeetGuard/config.yaml"
	}
	return "/etc/meetguard/config.yaml"
}

// Load reads every layer but the command line: the file at path, or DefaultPath
// if path is "" and that exists, the environment, and the managed settings.
func Load(path string) (Config, error) {
	e, err := LoadLayers(Inputs{File: path, Env: os.Environ()})
	return e.Config, err
}

// Parse reads YAML over c and validates the result.
func Parse(data []byte, c *Config) error {
	if err := decodeStrict(data, c); err != nil {
		return err
	}
	return c.Validate()
}

// decodeStrict reads YAML over c. A key that c does not have is an error.
func decodeStrict(data []byte, c *Config) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	err := dec.Decode(c)
	var te *yaml.TypeError
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &te):
		var all []error
		for _, e := range te.Errors {
			all = append(all, errors.New(e))
		}
		return errors.Join(all...)
	}
	return err
}

// Validate returns every problem of c, joined.
func (c Config) Validate() error {
	var all []error
	oneOf := func(key, value string, allowed ...string) {
		for _, a := range allowed {
			if value == a {
				return
			}
		}
		all = append(all, fmt.Errorf("%s: %q is not one of %v", key, value, allowed))
	}
	oneOf("launches", c.Launches, "auto", "ebpf", "proc-connector", "etw", "sysmon", "security-log", "eslogger", "poll", "off")
	oneOf("files", c.Files, "auto", "inotify", "fsnotify")
	if c.State == "" {
		all = append(all, errors.New("state: a folder is needed"))
	}
	if c.LogMiB < 1 || c.LogMiB > 65536 {
		all = append(all, fmt.Errorf("log_mib: %d is not between 1 and 65536", c.LogMiB))
	}
	if c.Workers < 1 || c.Workers > 8 {
		all = append(all, fmt.Errorf("workers: %d is not between 1 and 8", c.Workers))
	}
	for _, w := range c.Watch {
		if !filepath.IsAbs(w) {
			all = append(all, fmt.Errorf("watch: %q is not an absolute path", w))
		}
	}
	if (c.ClientCertificate == "") != (c.ClientKey == "") {
		all = append(all, errors.New("client_certificate, client_key: one needs the other"))
	}
	if c.ClientCertificate != "" && c.CollectorCA == "" {
		all = append(all, errors.New("client_certificate: it needs collector_ca too, who does not enrol has no CA from a token"))
	}
	all = append(all, c.Notify.problems()...)
	return errors.Join(append(all, checkFriends(c.Friends)...)...)
}

// YAML renders c as a file that Load takes.
func (c Config) YAML() ([]byte, error) { return yaml.Marshal(c) } // #nosec G117 -- names of files with secrets, no secrets

// MarshalJSON renders c with the keys of the file.
func (c Config) MarshalJSON() ([]byte, error) {
	text, err := c.YAML()
	if err != nil {
		return nil, err
	}
	var keys map[string]any
	if err := yaml.Unmarshal(text, &keys); err != nil {
		return nil, err
	}
	return json.Marshal(keys)
}
