package main

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"meetguard/internal/agent"
	"meetguard/internal/config"
	"meetguard/internal/device"
)

func (a *app) enrollCommand() *cobra.Command {
	var file, state, tokenFile string
	c := &cobra.Command{
		Use:   "enroll URL TOKEN",
		Short: "Enrol this machine at a collector",
		Long: `Makes a key on this machine and has the collector sign it. The token carries
the fingerprint of the collector's CA, so that nobody else can answer. Run it
again with a new token if the collector says that this identity counts no more:
alerts that wait are delivered then. An agent that runs takes the new identity
within minutes; one that is started without --collector delivers to this one.`,
		Example: "  meetguard enroll https://collector.example:8765 mgenroll_…\n  meetguard enroll https://collector.example:8765 --token-file /run/token",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := config.Load(file)
			if err != nil {
				return err
			}
			if c.Flags().Changed("state") {
				cfg.State = state
			}
			token, err := enrolToken(args[1:], tokenFile)
			if err != nil {
				return err
			}
			return a.enroll(cfg, args[0], token)
		},
	}
	c.Flags().StringVar(&file, "config", "", "configuration file (default "+config.DefaultPath()+", if it exists)")
	c.Flags().StringVar(&state, "state", "", "state folder of the agent")
	c.Flags().StringVar(&tokenFile, "token-file", "", "read the token from this file, so that no process list shows it")
	return c
}

func enrolToken(args []string, file string) (string, error) {
	switch {
	case len(args) == 1 && file == "":
		return args[0], nil
	case len(args) == 0 && file != "":
		return device.ReadToken(file)
	}
	return "", errors.New("give the token once: as the second word, or in a file with --token-file")
}

func (a *app) enroll(cfg config.Config, collector, token string) error {
	configured := cfg.Collector
	cfg.Collector = collector
	who, err := agent.Enrol(a.ctx, cfg, version, token, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	fmt.Fprintln(a.out, who)
	if configured != "" && !device.SameCollector(configured, collector) {
		fmt.Fprintf(a.errOut, "the configuration names another collector, %s: set collector to %s\n", configured, collector)
	}
	return a.afterEnrol(cfg.State)
}
