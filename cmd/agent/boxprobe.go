package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"meetguard/internal/box"
)

// probed is what `box-probe --json` prints.
type probed struct {
	Level    box.Level     `json:"level"`
	Outcomes []box.Outcome `json:"probes"`
}

// boxProbeCommand tries on this machine what a file would try that took the
// inspection over. It is hidden: people need doctor, which tells the level.
func (a *app) boxProbeCommand() *cobra.Command {
	var asJSON, free bool
	var within string
	c := &cobra.Command{
		Use:   "box-probe",
		Short: "Try what an inspection process must not be able to do",
		Long: `Starts a process, shuts it in like one that inspects files, and has it try to open
files, connect, start programs and so on, all of it harmless. Exit code 1: the
system let something through.`,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if within != "" {
				return a.probeHere(within, free)
			}
			return a.probeBox(asJSON, free)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&free, "free", false, "without the box, to see what the probes are worth")
	c.Flags().StringVar(&within, "within", "", "folder of the probes")
	_ = c.Flags().MarkHidden("within")
	return c
}

// probeHere is what the process does that was started for the probes.
func (a *app) probeHere(scratch string, free bool) error {
	var p probed
	if !free {
		p.Level = box.Enter()
	}
	p.Outcomes = box.Try(scratch)
	return a.printJSON(p)
}

func (a *app) probeBox(asJSON, free bool) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program's own file: %w", err)
	}
	dir, err := os.MkdirTemp("", "meetguard-probe-")
	if err != nil {
		return fmt.Errorf("make a folder for the probes: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := box.Scratch(dir); err != nil {
		return fmt.Errorf("make a folder for the probes: %w", err)
	}
	start := new(box.Starter).Start
	if free {
		start = (*exec.Cmd).Start
	}
	out, err := printed(exec.CommandContext(a.ctx, self, "box-probe", "--within", dir, fmt.Sprintf("--free=%t", free)), start)
	if err != nil {
		return fmt.Errorf("run the probes: %w", err)
	}
	var p probed
	if err := json.Unmarshal(out, &p); err != nil {
		return fmt.Errorf("read what the probes say: %w", err)
	}
	if asJSON {
		err = a.printJSON(p)
	} else {
		err = a.printProbes(p)
	}
	for _, o := range p.Outcomes {
		if err == nil && !o.Refused {
			err = errFound
		}
	}
	return err
}

// printed starts a command and gives what it prints.
func printed(cmd *exec.Cmd, start func(*exec.Cmd) error) ([]byte, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	err = start(cmd)
	w.Close()
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(r)
	return out, errors.Join(err, cmd.Wait())
}

func (a *app) printProbes(p probed) error {
	fmt.Fprintln(a.out, p.Level)
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	held := 0
	for _, o := range p.Outcomes {
		word := "LET THROUGH"
		if o.Refused {
			word = "refused"
			held++
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", word, o.Name, o.Detail)
	}
	fmt.Fprintf(w, "%d of %d refused\n", held, len(p.Outcomes))
	return w.Flush()
}
