package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"meetguard/internal/agent"
	"meetguard/internal/config"
	"meetguard/internal/device"
)

func (a *app) configCommand() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Show and validate the configuration", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(a.configShow(), a.configValidate())
	return c
}

func (a *app) configShow() *cobra.Command {
	var file string
	var asJSON bool
	c := &cobra.Command{
		Use:   "show",
		Short: "Show the configuration in use, defaults included",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := loadWhole(file)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(cfg)
			}
			text, err := cfg.YAML()
			if err != nil {
				return err
			}
			_, err = a.out.Write(text)
			return err
		},
	}
	c.Flags().StringVar(&file, "config", "", "configuration file (default "+config.DefaultPath()+", if it exists)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (a *app) configValidate() *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE",
		Short: "Say everything that is wrong with a configuration file",
		Args:  needArgs("name a configuration file"),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, f := range args {
				cfg, err := loadWhole(f)
				if err != nil {
					return a.listProblems(f, err)
				}
				fmt.Fprintf(a.out, "%s: good\n", f)
				for _, friend := range cfg.Stopped(time.Now()) {
					fmt.Fprintf(a.out, "%s: friends: %q stopped counting on %s\n", f, friend.Name, friend.Expires)
				}
			}
			return nil
		},
	}
}

// listProblems prints one problem a line if there are several, and gives the
// error that ends the command: that is one line in any case.
func (a *app) listProblems(file string, err error) error {
	problems := strings.Split(err.Error(), "\n")
	if len(problems) == 1 {
		return err
	}
	for _, p := range problems {
		fmt.Fprintf(a.out, "%s: %s\n", file, strings.TrimPrefix(p, file+": "))
	}
	return fmt.Errorf("%s: mend the %d problems that are listed above", file, len(problems))
}

// loadWhole loads a configuration and holds it to the brand catalogue too, so
// that everything wrong with it is told at once.
func loadWhole(file string) (config.Config, error) {
	cfg, err := config.Load(file)
	_, wrong := agent.Catalogue(cfg)
	err = errors.Join(err, wrong)
	for _, named := range []struct{ key, path string }{{"rules", cfg.Rules}, {"anchors", cfg.Anchors}, {"abused", cfg.Abused},
		{"collector_ca", cfg.CollectorCA}, {"client_certificate", cfg.ClientCertificate}, {"client_key", cfg.ClientKey}} {
		if named.path == "" || named.key == "collector_ca" && named.path == device.TrustSystem {
			continue
		}
		if _, missing := os.Stat(named.path); missing != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", named.key, missing))
		}
	}
	return cfg, err
}
