package collect

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"meetguard/internal/pki"
	"meetguard/internal/store"
)

// What a client may take before it is cut off.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = time.Minute
	writeTimeout      = time.Minute
	idleTimeout       = 5 * time.Minute // agents report each minute: their connections are kept
	maxHeaderBytes    = 16 << 10
	stopTimeout       = 10 * time.Second // for requests that run when the server ends
)

// DefaultGroup is the group of agents whose token names none.
const DefaultGroup = "default"

// Config is what a server is made of. Only Store and Log are needed: without an
// authority nobody can enrol.
type Config struct {
	Store     store.Store
	Log       *slog.Logger
	Authority *pki.Authority
	Hosts     []string // names and addresses for the server's certificate
	Version   string
	Interval  time.Duration // between heartbeats; 0: DefaultInterval
	Retention Retention     // zero keeps everything
	PublicURL string        // where agents and people find the collector
	Secret    []byte        // 32 bytes that the collectors of a store share: seals cookies and TOTP secrets
	Now       func() time.Time
}

// Server answers agents, programs and people.
type Server struct {
	store     store.Store
	log       *slog.Logger
	now       func() time.Time
	pages     *template.Template
	authority *pki.Authority
	hosts     []string
	version   string
	name      string // of this collector among others on the same store
	retention Retention
	loopback  bool // only this machine can reach the listener

	slots   chan struct{} // one for each batch that is unpacked at the moment
	waiting atomic.Int64  // batches that wait for a slot
	beats   *beatKeeper
	pace    *pace
	clones  *cloneWatch
	metrics *metrics
}

// NewServer makes a server over the store, which stays the caller's to close.
func NewServer(cfg Config) (*Server, error) {
	pages, err := parsePages()
	if err != nil {
		return nil, fmt.Errorf("parse pages: %w", err)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Interval <= 0 {
		cfg.Interval = DefaultInterval
	}
	return &Server{
		store: cfg.Store, log: cfg.Log, now: cfg.Now, pages: pages, authority: cfg.Authority, hosts: cfg.Hosts, version: cfg.Version,
		name: store.NewID(), retention: cfg.Retention,
		slots: make(chan struct{}, maxUnpacking), beats: newBeatKeeper(), pace: newPace(cfg.Interval), clones: newCloneWatch(),
		metrics: newMetrics(cfg.Version, cfg.Store.Engine()),
	}, nil
}

// Run serves on the listener until ctx ends, then lets running requests finish
// and returns nil. It closes the listener. Once "Listening" is logged, requests
// are answered. TLS and plain connections come by the same port; what a plain
// one may do is decided for each request.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	s.loopback = isLoopback(ln.Addr())
	split := newSplitter(ln)
	plain, secure := s.httpServer(), s.httpServer()
	if s.authority != nil {
		secure.TLSConfig = s.authority.TLSConfig(s.hosts, s.now)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return ended(split.run()) })
	group.Go(func() error { return ended(plain.Serve(split.plain)) })
	if s.authority != nil {
		group.Go(func() error { return ended(secure.ServeTLS(split.secure, "", "")) })
	}
	group.Go(func() error {
		<-ctx.Done()
		s.stop(ctx, ln, plain, secure)
		return nil
	})
	for _, work := range s.background() {
		group.Go(func() error { return work(ctx) })
	}
	s.log.Info("Listening", "address", ln.Addr().String())
	err := group.Wait()
	s.log.Info("Stopped")
	return err
}

// background is the work that runs beside the answers.
func (s *Server) background() []func(context.Context) error {
	return []func(context.Context) error{s.storeBeats, s.watchSilence, s.retain, s.gauge}
}

func (s *Server) httpServer() *http.Server {
	return &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // handshakes that fail are the network's daily noise
	}
}

// ended takes an end that was asked for out of the errors.
func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}

// stop lets running requests finish, and cuts off those that take too long:
// what was not answered will be sent again.
func (s *Server) stop(ctx context.Context, ln net.Listener, servers ...*http.Server) {
	ln.Close() // Run's own end closes it too
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	for _, srv := range servers {
		if err := srv.Shutdown(limit); err != nil {
			s.log.Warn("Requests cut off", "error", err)
			srv.Close()
		}
	}
}
