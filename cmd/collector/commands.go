package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Set by the linker (see scripts/dist.sh).
var (
	version  = "0.1.0"
	revision = "" // the commit that this was built from, "" where nobody said
)

func newRootCommand(stdout, stderr io.Writer) *cobra.Command {
	cmd := &cobra.Command{
		Use:           "meetguard-collector",
		Short:         "Take alerts from meetguard agents, keep them and show them",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
	})
	cmd.AddCommand(newServeCommand(stdout, stderr), newTokenCommand(stdout), newUserCommand(stdout), newStoreCommand(stdout, stderr), newVersionCommand(stdout))
	cmd.Version = thisBuild().String()
	return cmd
}

// buildInfo is the output of version.
type buildInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func thisBuild() buildInfo {
	return buildInfo{version, commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH}
}

func (b buildInfo) String() string {
	return fmt.Sprintf("%s (commit %s, %s, %s/%s)", b.Version, cmp.Or(b.Commit, "unknown"), b.Go, b.OS, b.Arch)
}

func newVersionCommand(stdout io.Writer) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return json.NewEncoder(stdout).Encode(thisBuild())
			}
			_, err := fmt.Fprintln(stdout, "meetguard-collector", thisBuild())
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// commit is what this was built from: what the linker was told, else what the Go
// tool stamped into the program, or "".
func commit() string {
	if revision != "" {
		return revision
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
