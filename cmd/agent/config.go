package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"meetguard/internal/agent"
	"meetguard/internal/alert"
	"meetguard/internal/config"
	"meetguard/internal/device"
)

func (a *app) configCommand() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Show and validate the configuration", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(a.configShow(), a.configValidate(), a.configSchema())
	return c
}

func (a *app) configShow() *cobra.Command {
	var file string
	var asJSON, effective bool
	c := &cobra.Command{
		Use:   "show",
		Short: "Show the configuration in use, defaults included",
		Long: `Shows the configuration as a file that could be used. With --effective it says of
each key where its value comes from: default, file, env, or managed, which is
locked. A managed setting that cannot be used is told below.`,
		Example: "  meetguard config show --effective\n  meetguard config show --json --config my.yaml",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if effective {
				return a.showEffective(file, asJSON)
			}
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
	c.Flags().BoolVar(&effective, "effective", false, "say where each value comes from")
	return c
}

// shownSettings is what `config show --effective --json` prints.
type shownSettings struct {
	Settings []config.Setting `json:"settings"`
	Refused  []config.Refused `json:"refused"`
}

func effectiveSettings(file string) (shownSettings, error) {
	e, err := config.LoadLayers(config.Inputs{File: file, Env: os.Environ()})
	return shownSettings{e.Settings(), append([]config.Refused{}, e.Refused...)}, err
}

func (a *app) showEffective(file string, asJSON bool) error {
	shown, err := effectiveSettings(file)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(shown)
	}
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tVALUE\tFROM")
	for _, s := range shown.Settings {
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.Key, valueText(s.Value), originText(s.Origin))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range shown.Refused {
		fmt.Fprintf(a.out, "refused: %s (%s): %s\n", r.Key, r.From, r.Why)
	}
	return nil
}

// valueText is a value on one line, "-" for none.
func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		if v == "" {
			return "-"
		}
		shown, _ := alert.SafeText(v)
		return shown
	case []any:
		if len(v) == 0 {
			return "-"
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return string(text)
}

func originText(o config.Origin) string {
	text := o.Layer
	if o.Locked() {
		text += ", locked"
	}
	if o.From != "" {
		text += " (" + o.From + ")"
	}
	return text
}

func (a *app) configSchema() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema of the configuration file",
		Example: "  meetguard config schema >meetguard.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.out.Write(config.Schema())
			return err
		},
	}
}

func (a *app) configValidate() *cobra.Command {
	return &cobra.Command{
		Use:     "validate FILE",
		Short:   "Say everything that is wrong with a configuration file",
		Example: "  meetguard config validate /etc/meetguard/config.yaml",
		Args:    needArgs("name a configuration file"),
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
