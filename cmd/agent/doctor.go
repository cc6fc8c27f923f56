package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"meetguard"
	"meetguard/internal/agent"
	"meetguard/internal/config"
	"meetguard/internal/health"
	"meetguard/signatures"
)

func (a *app) doctorCommand() *cobra.Command {
	var file, state string
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Find out what keeps the agent from seeing, and say what to do",
		Long: `Tells what status tells, and looks from outside: the limits and rights of the
system, the state folder, the way to the collector step by step, the clock, the
age of the rules, managed settings, and whether an inspection process starts and
recognises the test lure. It changes nothing.

Exit code 1: something blinds the agent. docs/troubleshooting.md explains every
finding.`,
		Example: "  sudo meetguard doctor\n  meetguard doctor --json --state /var/lib/meetguard",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			found := health.Judge(a.observe(file, state))
			if asJSON {
				if err := a.printJSON(diagnosis{found, health.Blinded(found)}); err != nil {
					return err
				}
			} else if err := a.printFindings(found); err != nil {
				return err
			}
			if health.Blinded(found) {
				return errFound
			}
			return nil
		},
	}
	c.Flags().StringVar(&file, "config", "", "configuration file (default "+config.DefaultPath()+", if it exists)")
	c.Flags().StringVar(&state, "state", "", "state folder of the agent")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// diagnosis is what `doctor --json` prints.
type diagnosis struct {
	Findings []health.Finding `json:"findings"`
	Blind    bool             `json:"blind"`
}

func (a *app) printFindings(found []health.Finding) error {
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	for _, f := range found {
		fmt.Fprintf(w, "%s\t%s\t%s\n", strings.ToUpper(string(f.Grade)), f.ID, f.What)
		if f.Do != "" {
			fmt.Fprintf(w, "\t\t→ %s\n", f.Do)
		}
	}
	return w.Flush()
}

// observe looks at everything that a finding can come from.
func (a *app) observe(file, state string) health.Observed {
	o := health.Observed{OS: runtime.GOOS, Now: time.Now(), Rules: signatures.Version()}
	eff, err := config.LoadLayers(config.Inputs{File: file, Env: os.Environ()})
	cfg := eff.Config
	if err != nil {
		o.ConfigError, cfg = oneLine(err.Error()), config.Default()
	}
	for _, r := range eff.Refused {
		o.Refused = append(o.Refused, strings.TrimPrefix(r.Key+": ", ": ")+r.Why)
	}
	if state != "" {
		cfg.State = state
	}
	if abs, err := filepath.Abs(cfg.State); err == nil {
		cfg.State = abs
	}
	pid := observeAgent(cfg.State, &o)
	observeSystem(&o, pid)
	folder := observeState(cfg.State)
	folder.Needs = uint64(cfg.LogMiB) << 20
	o.State = &folder
	o.Rivals = rivalsOf(cfg.State, pid)
	o.Worker = a.observeWorker(cfg)
	a.observeCollector(cfg, &o)
	return o
}

// observeAgent takes over what the running agent tells, and returns its process
// id, 0 if it does not run.
func observeAgent(state string, o *health.Observed) int {
	s, err := agent.ReadStatus(state)
	if err != nil {
		o.Agent.Why = err.Error()
		return 0
	}
	if s.Silent != "" {
		o.Agent.Why = s.Silent
		return 0
	}
	o.Agent.Running = true
	for _, src := range s.Sources {
		o.Sources = append(o.Sources, src.SourceStatus)
	}
	for _, f := range s.Folders {
		o.Folders = append(o.Folders, health.Folder{Path: f.Path, User: f.User, State: f.State, Why: f.Why})
	}
	return s.PID
}

// observeState looks at the folder that everything is kept in.
func observeState(dir string) health.StateFolder {
	s := health.StateFolder{Path: dir}
	fi, err := os.Lstat(dir)
	if err == nil {
		var d *os.File
		if d, err = os.Open(dir); err == nil {
			d.Close()
		}
	}
	if err != nil {
		s.Err = err.Error()
		return s
	}
	if !fi.IsDir() {
		s.Err = dir + " is no folder"
		return s
	}
	s.Problem, s.Refuses = openToOthers(dir, fi), agent.VolumeTrouble(dir)
	if s.Free, err = freeSpace(dir); err != nil {
		s.Err = fmt.Sprintf("ask for the free space of %s: %v", dir, err)
	}
	return s
}

func (a *app) observeWorker(cfg config.Config) *health.Worker {
	in, err := a.inspector(cfg, 1)
	if err != nil {
		return &health.Worker{Err: oneLine(err.Error())}
	}
	defer in.Close()
	found, err := in.TryLure(a.ctx)
	if err != nil {
		return &health.Worker{Err: oneLine(err.Error())}
	}
	return &health.Worker{Found: found, Box: in.Box().String()}
}

func (a *app) observeCollector(cfg config.Config, o *health.Observed) {
	steps, skew, err := agent.ProbeCollector(a.ctx, cfg)
	if err != nil {
		o.Sources = append(o.Sources, meetguard.SourceStatus{Name: "identity", State: meetguard.SourceDegraded, Detail: oneLine(err.Error())})
	}
	for _, s := range steps {
		o.Collector = append(o.Collector, health.Step{Name: s.Name, OK: s.OK, Detail: oneLine(s.Detail)})
	}
	o.Skew = skew
}
