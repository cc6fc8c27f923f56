package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"meetguard/internal/config"
	"meetguard/internal/device"
)

// tokenFile is the name of the enrolment token's file, beside the configuration.
const tokenFile = "enroll.token"

// setupCommand is what packages call when they install, where the system's own
// installer cannot do it: Windows Installer writes no file from a property.
func (a *app) setupCommand() *cobra.Command {
	var s setup
	var purge, wait, network bool
	var file, tokens string
	c := &cobra.Command{
		Use:    "setup",
		Short:  "Make the agent's folder, and its configuration if there is none",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			s.config, s.state = config.DefaultPath(), config.Default().State
			if wait {
				return waitForOthers(a.ctx)
			}
			if network {
				return openNetwork(file)
			}
			if purge {
				return s.purge()
			}
			if tokens != "" {
				token, err := device.ReadToken(tokens)
				if err != nil {
					return err
				}
				s.token = token
			}
			return s.run()
		},
	}
	c.Flags().StringVar(&s.collector, "collector", "", "base URL of the collector, for a configuration that is not there yet")
	c.Flags().StringVar(&s.token, "token", "", "enrolment token, kept in a file that only administrators can read")
	c.Flags().StringVar(&tokens, "token-file", "", "read the token from this file, so that no process list shows it")
	c.Flags().BoolVar(&s.service, "service", false, "have the system's service manager start the agent again when it fails")
	c.Flags().BoolVar(&wait, "wait", false, "wait until no other process of this program runs, and end those that stay")
	c.Flags().BoolVar(&network, "network", false, "let the service reach the network, if its configuration names a collector elsewhere")
	c.Flags().StringVar(&file, "config", "", "with --network: the configuration file (default "+config.DefaultPath()+", if it exists)")
	c.Flags().BoolVar(&purge, "purge", false, "delete state and configuration")
	return c
}

// setup is one call of the command. An empty collector or token is none, as
// Windows Installer hands on a property that nobody set.
type setup struct {
	config, state    string // the file and the folder
	collector, token string
	service          bool
}

func (s setup) run() error {
	// Windows and macOS keep the state there too; on Linux systemd makes its folder.
	if err := ownFolder(filepath.Dir(s.config)); err != nil {
		return err
	}
	token := filepath.Join(filepath.Dir(s.config), tokenFile)
	if s.token != "" {
		if err := writeSecret(token, s.token+"\n"); err != nil {
			return err
		}
	}
	if err := s.configure(token); err != nil {
		return err
	}
	if s.service {
		return restartOnFailure()
	}
	return nil
}

// configure writes a configuration, unless there is one: that is the
// administrator's, and an upgrade keeps it.
func (s setup) configure(token string) error {
	if s.collector == "" {
		return nil
	}
	data, err := yaml.Marshal(map[string]string{"collector": s.collector, "enroll_token_file": token})
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	f, err := os.OpenFile(s.config, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// writeSecret replaces a file by one that nobody else could read at any time.
func writeSecret(path, text string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write enrolment token: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write enrolment token: %w", err)
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// purge deletes everything that the agent ever wrote, and its configuration.
func (s setup) purge() error {
	return errors.Join(removeTree(s.state), removeTree(filepath.Dir(s.config)))
}
