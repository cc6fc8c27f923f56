package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"meetguard/internal/config"
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
			cfg, err := config.Load(file)
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
				if _, err := config.Load(f); err != nil {
					return err
				}
				fmt.Fprintf(a.out, "%s: good\n", f)
			}
			return nil
		},
	}
}
