package main

import (
	"io"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"meetguard/internal/agent"
)

// canaryCommand is the hidden command that makes the test launch of the canary.
// The agent does not look at programs that it starts itself, so this one starts
// another.
const canaryCommand = "canary-launch"

func (a *app) canaryLaunchCommand() *cobra.Command {
	return &cobra.Command{Use: canaryCommand + " WORD", Hidden: true, Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		cmd := exec.CommandContext(a.ctx, self, agent.TestLaunch, agent.TestMark, args[0])
		if err := cmd.Start(); err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, os.Stdin) // ends when the agent has seen it, or has ended
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil
	}}
}
