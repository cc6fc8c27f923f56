package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/kardianos/service"
	"github.com/spf13/cobra"

	"meetguard/internal/agent"
	"meetguard/internal/config"
)

func (a *app) runCommand() *cobra.Command {
	var file, state, collector string
	var folders []string
	var asService bool
	c := &cobra.Command{
		Use:   "run",
		Short: "Watch download folders and launches, in the foreground or as a service",
		Long: `Watches the download and desktop folders of every user, or those given with
--watch, and program launches. Alerts go to alerts.jsonl in the state folder and
to the collector that this machine is enrolled at (see enroll), or to the one on
this machine that --collector names. SIGTERM ends it cleanly. SIGHUP has it read
its configuration and rules again, without losing an event; the log names the
keys that need a restart. docs/service.md tells what --service adds; the units
that meetguard service install makes use it.`,
		Example: "  meetguard run\n  meetguard run --watch ~/Downloads --state /tmp/mg --collector http://127.0.0.1:8765",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			in := config.Inputs{File: file, Env: os.Environ()}
			if c.Flags().Changed("state") {
				in.Flags = append(in.Flags, config.Flag{Name: "--state", Key: "state", Values: []string{state}})
			}
			if c.Flags().Changed("collector") {
				in.Flags = append(in.Flags, config.Flag{Name: "--collector", Key: "collector", Values: []string{collector}})
			}
			if len(folders) > 0 {
				in.Flags = append(in.Flags, config.Flag{Name: "--watch", Key: "watch", Values: folders})
			}
			err := a.runAgent(in, asService)
			tellEnd(err, asService)
			return err
		},
	}
	c.Flags().StringVar(&file, "config", "", "configuration file (default "+config.DefaultPath()+", if it exists)")
	c.Flags().StringArrayVar(&folders, "watch", nil, "watch this folder and no home folders; may be given again")
	c.Flags().StringVar(&state, "state", "", "state folder (default "+config.Default().State+")")
	c.Flags().StringVar(&collector, "collector", "", "base URL of a collector")
	c.Flags().BoolVar(&asService, "service", false, "run for a service manager: prove every ten minutes that files and launches are seen, and end with an error if not")
	return c
}

// runAgent runs the agent until it is told to end. Folders named on the command
// line may be relative.
func (a *app) runAgent(in config.Inputs, asService bool) error {
	agent.Thrifty(agent.AgentRoom)
	if err := absolute(in.Flags); err != nil {
		return err
	}
	log := newLog(a.errOut, asService)
	p := &program{ctx: a.ctx, in: in, manager: newManager(asService, log), log: log, done: make(chan error, 1)}
	switch {
	case !service.Interactive():
		return runService(p)
	case asService:
		return runUnseen(p)
	}
	return p.foreground()
}

// settingsFile is the file that a configuration comes from, "" if there is none.
func settingsFile(eff config.Effective) string {
	for _, o := range eff.Origins {
		if o.Layer == config.LayerFile {
			return o.From
		}
	}
	return ""
}

// absolute makes the folders of --watch absolute.
func absolute(flags []config.Flag) error {
	for _, f := range flags {
		if f.Key != "watch" {
			continue
		}
		for i, dir := range f.Values {
			abs, err := filepath.Abs(dir)
			if err != nil {
				return fmt.Errorf("watch %s: %w", dir, err)
			}
			f.Values[i] = abs
		}
	}
	return nil
}

// program is the agent as a service manager sees it. It is opened when the
// manager has been answered: Windows gives a process 30 s for that, wine 10, and
// on a busy machine the rules take longer.
type program struct {
	ctx      context.Context
	in       config.Inputs
	manager  *manager
	log      *slog.Logger
	agent    *agent.Agent
	reloader *reloader
	stop     context.CancelFunc
	done     chan error
}

// open reads the configuration and opens everything that the agent needs.
func (p *program) open() error {
	eff, err := config.LoadLayers(p.in)
	if err != nil {
		return err
	}
	cfg := eff.Config
	argv, err := workerArgs(cfg)
	if err != nil {
		return err
	}
	tellManaged(eff, p.log)
	if err := easeTimers(); err != nil { // it works all the same, with more CPU
		p.log.Debug("Timers not eased", "reason", err)
	}
	p.agent, err = agent.New(p.ctx, agent.Options{Config: cfg, Fixed: len(cfg.Watch) > 0, Worker: argv, Notify: notifyArgs(argv[0]), Version: version, Refused: eff.Refused, File: settingsFile(eff),
		Canary: p.manager.canary([]string{argv[0], canaryCommand}), Live: p.manager.live, Log: p.log})
	if err != nil {
		return err
	}
	p.reloader = &reloader{in: p.in, agent: p.agent, manager: p.manager, config: cfg, log: p.log}
	return nil
}

func runService(p *program) error {
	s, err := service.New(p, serviceConfig(""))
	if err != nil {
		return fmt.Errorf("become a service: %w", err)
	}
	return s.Run()
}

// foreground runs the agent until the context of the program ends.
func (p *program) foreground() error {
	if err := p.open(); err != nil {
		return err
	}
	stop := context.AfterFunc(p.ctx, p.manager.stopping)
	defer stop()
	go p.reloader.run(p.ctx)
	return p.agent.Run(p.ctx)
}

// Start returns when the agent is open, and leaves it running. An agent that ends
// by itself ends the process, so that the manager starts it again.
func (p *program) Start(service.Service) error {
	if err := p.open(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go p.reloader.run(ctx)
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
	p.manager.stopping()
	p.stop()
	return <-p.done
}
