// Command meetguard is the endpoint agent: it watches download folders and
// launches for fake meeting software, and inspects files on demand.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"meetguard/internal/agent"
	"meetguard/internal/config"
)

// Set by the linker (see scripts/dist.sh).
var (
	version  = "dev"
	revision = "" // the commit that this was built from, "" where nobody said
)

// The exit codes of the contract.
const (
	exitClean = 0 // nothing found
	exitFound = 1 // something suspicious, malicious or incomplete was found
	exitError = 2 // the work could not be done
)

// errFound ends a command with exitFound and without a message: the findings
// are the message.
var errFound = errors.New("something was found")

func main() {
	if len(os.Args) > 1 && os.Args[1] == workerCommand {
		os.Exit(serveWorker(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// workerCommand is the hidden first argument of the inspection process.
const workerCommand = "inspection-worker"

func serveWorker(args []string) int {
	var cfg agent.ExaminerConfig
	if args, cfg.Unboxed = agent.CutUnboxed(args); len(args) == 3 {
		cfg.Rules, cfg.Anchors, cfg.Abused = args[0], args[1], args[2]
	}
	if err := agent.ServeWorker(cfg); err != nil {
		fmt.Fprintln(os.Stderr, "meetguard:", err)
		return exitError
	}
	return exitClean
}

// workerArgs is the command line that starts the inspection process: this
// same program.
func workerArgs(cfg config.Config) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program's own file: %w", err)
	}
	argv := []string{self, workerCommand}
	for _, path := range []string{cfg.Rules, cfg.Anchors, cfg.Abused} {
		if path != "" { // the worker has a working folder of its own
			if path, err = filepath.Abs(path); err != nil {
				return nil, fmt.Errorf("find a folder: %w", err)
			}
		}
		argv = append(argv, path)
	}
	return argv, nil
}

// app is what every command needs.
type app struct {
	ctx    context.Context
	out    io.Writer
	errOut io.Writer
}

func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	debug.SetGCPercent(400) // the heap is small, and the collector would run all the time
	a := &app{ctx: ctx, out: out, errOut: errOut}
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	switch err := root.ExecuteContext(ctx); {
	case err == nil:
		return exitClean
	case errors.Is(err, errFound):
		return exitFound
	default:
		fmt.Fprintln(errOut, "meetguard:", oneLine(err.Error()))
		return exitError
	}
}

// oneLine joins the lines of an error: several problems are told at once, but
// a message is one line.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "meetguard",
		Short: "Catches fake meeting software before it runs",
		Long: `meetguard looks at files and launches for one thing: they claim to be Zoom,
Teams or another meeting software, and cannot prove it. It only observes:
it never deletes, moves, blocks or runs what it finds.

Exit codes: 0 nothing found, 1 something suspicious, malicious or incomplete
was found, 2 the work could not be done.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return c.Help()
		},
	}
	root.AddCommand(a.scanCommand(), a.runCommand(), a.enrollCommand(), a.statusCommand(), a.doctorCommand(), a.selftestCommand(), a.notifyCommand(), a.supportCommand(), a.checkCommand(),
		a.replayCommand(), a.alertsCommand(), a.rulesCommand(), a.configCommand(), a.versionCommand(), a.manCommand(), a.boxProbeCommand(), a.serviceCommand(),
		a.setupCommand(), testLaunchCommand(), a.canaryLaunchCommand())
	complete(root)
	root.Version = versionText()
	return root
}
