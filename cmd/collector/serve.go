package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"meetguard/internal/collect"
	"meetguard/internal/store"
)

// place is where the collector's things are, by flags and the settings file.
type place struct {
	config string
	store  string
	state  string
	listen string
	metric string
	hosts  []string
	ca     string
}

// flags adds those that every command has which opens the store.
func (p *place) flags(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVar(&p.config, "config", "", "settings file, YAML (see docs/collector.md)")
	f.StringVar(&p.store, "store", "", "where everything is kept: sqlite:PATH or postgres://… (default sqlite:"+collect.DefaultStore+" in the state folder)")
	f.StringVar(&p.state, "state", "", "state folder (default the system's place for it)")
}

// settings are those of the file with the flags over them.
func (p *place) settings() (collect.Settings, error) {
	s, err := collect.LoadSettings(p.config)
	if err != nil {
		return s, err
	}
	for _, over := range []struct{ flag, to *string }{{&p.store, &s.Store}, {&p.listen, &s.Listen}, {&p.metric, &s.Metrics}, {&p.ca, &s.CADir}} {
		if *over.flag != "" {
			*over.to = *over.flag
		}
	}
	if len(p.hosts) > 0 {
		s.Hosts = p.hosts
	}
	return s, s.Validate()
}

// openStore opens what the settings name. Only the default place is made.
func (p *place) openStore(ctx context.Context, s collect.Settings) (store.Store, error) {
	if s.Store != "" {
		return store.Open(ctx, s.Store)
	}
	dir, err := collect.StateDir(p.state)
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, "sqlite:"+filepath.Join(dir, collect.DefaultStore))
}

func newServeCommand(stdout, stderr io.Writer) *cobra.Command {
	var p place
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Take alerts and show them until it is told to stop",
		Long: `Take alerts and show them until it is told to stop.

At the first start it makes its certificate authority and prints the line that
enrols the first agents, and the first log-in of the console. Many collectors
can serve one PostgreSQL side by side.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), p, stdout, slog.New(slog.NewTextHandler(stderr, nil)))
		},
	}
	p.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&p.listen, "listen", "", "address and port of agents, programs and people; port 0 lets the system choose (default "+collect.DefaultListen+")")
	f.StringVar(&p.metric, "metrics", "", `address and port of Prometheus metrics, "off" for none (default `+collect.DefaultMetrics+")")
	f.StringSliceVar(&p.hosts, "host", nil, "name or address that agents call this collector by; may be given many times")
	f.StringVar(&p.ca, "ca", "", "folder of the certificate authority (default: it stands in the store)")
	return cmd
}

// serve binds the address before it touches the store, so that a start that
// cannot succeed leaves nothing behind.
func serve(ctx context.Context, p place, stdout io.Writer, log *slog.Logger) (err error) {
	s, err := p.settings()
	if err != nil {
		return err
	}
	ln, err := collect.Listen(ctx, s.Listen)
	if err != nil {
		return unlessStopped(ctx, log, err)
	}
	defer ln.Close() // also closed by Run; closing twice does no harm
	st, err := p.openStore(ctx, s)
	if err != nil {
		return unlessStopped(ctx, log, err)
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	srv, err := prepare(ctx, p, s, st, ln, stdout, log)
	if err != nil {
		return err
	}
	return runBoth(ctx, s, srv, ln, log)
}

// unlessStopped is an error of the start, but none if the start was broken off:
// whoever stops a collector that is still opening its store has stopped it. The
// next start goes on where this one was.
func unlessStopped(ctx context.Context, log *slog.Logger, err error) error {
	if ctx.Err() == nil {
		return err
	}
	log.Info("Stopped before it served", "error", err)
	return nil
}

// firstStart is the most that a first start may take once it has begun to make
// what it prints.
const firstStart = 30 * time.Second

// prepare makes the server, and at the first start the authority, the token and
// the account. It is not broken off halfway: a token or a password that stands in
// the store and was told to nobody is lost, since the next start is not the first.
func prepare(ctx context.Context, p place, s collect.Settings, st store.Store, ln net.Listener, stdout io.Writer, log *slog.Logger) (*collect.Server, error) {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), firstStart)
	defer done()
	cfg, created, err := configure(ctx, s, st, ln, log)
	if err != nil {
		return nil, err
	}
	srv, err := collect.NewServer(cfg)
	if err != nil || !created {
		return srv, err
	}
	return srv, welcome(ctx, p, cfg, srv, stdout)
}

func configure(ctx context.Context, s collect.Settings, st store.Store, ln net.Listener, log *slog.Logger) (collect.Config, bool, error) {
	cfg := collect.Config{Store: st, Log: log, Version: version, Interval: s.Interval, Retention: s.Keep(),
		Hosts: collect.Hosts(s.Hosts, ln.Addr()), Loopback: collect.IsLoopback(ln.Addr()), PublicURL: s.PublicURL}
	if cfg.PublicURL == "" {
		cfg.PublicURL = collect.URL(s.Hosts, ln.Addr())
	}
	var created bool
	var err error
	if cfg.Authority, created, err = collect.OpenAuthority(ctx, st, s.CADir); err != nil {
		return cfg, false, err
	}
	if cfg.Secret, err = collect.OpenSecret(ctx, st); err != nil {
		return cfg, false, err
	}
	return cfg, created, s.Apply(&cfg)
}

// welcome prints what the first start has made: the line that enrols agents, and
// the first log-in. The password goes to a terminal or into a file, never into a
// log.
func welcome(ctx context.Context, p place, cfg collect.Config, srv *collect.Server, stdout io.Writer) error {
	secret, err := collect.FirstToken(ctx, cfg.Store, time.Now())
	if err != nil {
		return err
	}
	name, password, err := srv.FirstAccount(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "Enrol agents with:  %s\n", cfg.Authority.EnrolLine(cfg.PublicURL, secret))
	if password == "" {
		return nil
	}
	if isTerminal(stdout) {
		fmt.Fprintf(stdout, "Console:  %s  log in as %s with %s\n", cfg.PublicURL, name, password)
		return nil
	}
	path, err := keepPassword(p, name, password)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "Console:  %s  the first log-in stands in %s\n", cfg.PublicURL, path)
	return nil
}

// firstLogin is the file with the first log-in, in the state folder.
const firstLogin = "first-login.txt"

func keepPassword(p place, name, password string) (string, error) {
	dir, err := p.privateDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, firstLogin)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("keep the first log-in: %w; remove the file or reset the password with meetguard-collector user reset", err)
	}
	_, err = fmt.Fprintf(f, "name:     %s\npassword: %s\n", name, password)
	return path, errors.Join(err, f.Close())
}

// privateDir is the state folder, or the folder of the SQLite file if only that
// was named.
func (p *place) privateDir() (string, error) {
	if path, ok := strings.CutPrefix(p.store, "sqlite:"); ok && p.state == "" {
		return filepath.Abs(filepath.Dir(path))
	}
	return collect.StateDir(p.state)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// runBoth serves agents and people, and metrics beside them.
func runBoth(ctx context.Context, s collect.Settings, srv *collect.Server, ln net.Listener, log *slog.Logger) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return srv.Run(ctx, ln) })
	group.Go(func() error { return boundGarbage(ctx) })
	if s.Metrics != "off" {
		metrics, err := collect.Listen(ctx, s.Metrics)
		if err != nil { // a second collector on this machine, most likely: not worth an end
			log.Warn("No metrics", "error", err)
			return group.Wait()
		}
		group.Go(func() error { return serveMetrics(ctx, metrics, srv.MetricsHandler()) })
	}
	return group.Wait()
}

func serveMetrics(ctx context.Context, ln net.Listener, h http.Handler) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", h)
	web := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 8 << 10}
	stop := context.AfterFunc(ctx, func() { web.Close() })
	defer stop()
	if err := web.Serve(ln); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve metrics: %w", err)
	}
	return nil
}
