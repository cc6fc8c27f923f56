package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"meetguard/internal/collect"
)

// version is set by the release build: -ldflags "-X main.version=1.2.3".
var version = "0.1.0"

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
	cmd.AddCommand(newServeCommand(stderr), newVersionCommand(stdout))
	return cmd
}

// serveOptions are the flags of serve.
type serveOptions struct {
	listen string
	store  string
	state  string
}

func newServeCommand(stderr io.Writer) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Take alerts and show them until it is told to stop",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), o, slog.New(slog.NewTextHandler(stderr, nil)))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "listen", collect.DefaultListen, "loopback address and port to listen on; port 0 lets the system choose")
	flags.StringVar(&o.store, "store", "", "where alerts are kept, sqlite:PATH (default sqlite:"+collect.DefaultStore+" in the state folder)")
	flags.StringVar(&o.state, "state", "", "state folder (default the system's place for it)")
	return cmd
}

// serve binds the address before it touches the store, so that a start that
// cannot succeed leaves nothing behind.
func serve(ctx context.Context, o serveOptions, log *slog.Logger) (err error) {
	ln, err := collect.Listen(ctx, o.listen)
	if err != nil {
		return err
	}
	defer ln.Close() // also closed by Run; closing twice does no harm
	store, err := openStore(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	srv, err := collect.NewServer(store, log)
	if err != nil {
		return err
	}
	return srv.Run(ctx, ln)
}

func openStore(ctx context.Context, o serveOptions) (collect.Store, error) {
	if o.store != "" {
		return collect.OpenStore(ctx, o.store)
	}
	dir, err := collect.StateDir(o.state)
	if err != nil {
		return nil, err
	}
	return collect.OpenStore(ctx, "sqlite:"+filepath.Join(dir, collect.DefaultStore))
}

// buildInfo is the output of version.
type buildInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func newVersionCommand(stdout io.Writer) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := buildInfo{version, commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH}
			if asJSON {
				return json.NewEncoder(stdout).Encode(b)
			}
			_, err := fmt.Fprintf(stdout, "meetguard-collector %s (commit %s, %s, %s/%s)\n", b.Version, cmp.Or(b.Commit, "unknown"), b.Go, b.OS, b.Arch)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// commit is the revision that the Go tool stamped into the binary, or "".
func commit() string {
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
