package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/kardianos/service"
	"github.com/spf13/cobra"

	"meetguard/internal/agent"
	"meetguard/internal/config"
)

// memoryTarget is the heap size from which the collector works harder, in
// bytes; the agent itself needs a few megabytes.
const memoryTarget = 64 << 20

func (a *app) runCommand() *cobra.Command {
	var file, state, collector string
	var folders []string
	c := &cobra.Command{
		Use:   "run",
		Short: "Watch download folders and launches, in the foreground or as a service",
		Long: `Watches the download and desktop folders of every user, or those given with
--watch, and program launches. Alerts go to alerts.jsonl in the state folder and
to the collector that this machine is enrolled at (see enroll), or to the one on
this machine that --collector names. SIGTERM ends it cleanly.`,
		Example: "  meetguard run\n  meetguard run --watch ~/Downloads --state /tmp/mg --collector http://127.0.0.1:8765",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := config.Load(file)
			if err != nil {
				return err
			}
			if c.Flags().Changed("state") {
				cfg.State = state
			}
			if c.Flags().Changed("collector") {
				cfg.Collector = collector
			}
			return a.runAgent(cfg, folders)
		},
	}
	c.Flags().StringVar(&file, "config", "", "configuration file (default "+config.DefaultPath()+", if it exists)")
	c.Flags().StringArrayVar(&folders, "watch", nil, "watch this folder and no home folders; may be given again")
	c.Flags().StringVar(&state, "state", "", "state folder (default "+config.Default().State+")")
	c.Flags().StringVar(&collector, "collector", "", "base URL of a collector")
	return c
}

func (a *app) runAgent(cfg config.Config, folders []string) error {
	debug.SetMemoryLimit(memoryTarget)
	if len(folders) > 0 {
		cfg.Watch = folders
	}
	for i, f := range cfg.Watch {
		abs, err := filepath.Abs(f)
		if err != nil {
			return fmt.Errorf("watch %s: %w", f, err)
		}
		cfg.Watch[i] = abs
	}
	if err := cfg.Validate(); err != nil {
		return err
	}
	argv, err := workerArgs(cfg)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(a.errOut, nil))
	ag, err := agent.New(a.ctx, agent.Options{Config: cfg, Fixed: len(cfg.Watch) > 0, Worker: argv, Version: version, Log: log})
	if err != nil {
		return err
	}
	if service.Interactive() {
		return ag.Run(a.ctx)
	}
	return runService(ag)
}

// program is the agent as a service manager sees it.
type program struct {
	agent *agent.Agent
	stop  context.CancelFunc
	done  chan error
}

func runService(ag *agent.Agent) error {
	p := &program{agent: ag, done: make(chan error, 1)}
	s, err := service.New(p, &service.Config{Name: "meetguard", DisplayName: "meetguard", Description: "Catches fake meeting software before it runs"})
	if err != nil {
		return fmt.Errorf("become a service: %w", err)
	}
	return s.Run()
}

// Start returns at once, as service managers want. An agent that ends by
// itself ends the process, so that the manager starts it again.
func (p *program) Start(service.Service) error {
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go func() {
		err := p.agent.Run(ctx)
		p.done <- err
		if ctx.Err() == nil {
			os.Exit(exitError)
		}
	}()
	return nil
}

// Stop waits until everything is written.
func (p *program) Stop(service.Service) error {
	if p.stop == nil {
		return errors.New("the agent was not started")
	}
	p.stop()
	return <-p.done
}
