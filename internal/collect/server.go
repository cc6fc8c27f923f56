package collect

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"meetguard/internal/exits"
	"meetguard/internal/people"
	"meetguard/internal/pki"
	"meetguard/internal/store"
)

// What a client may take before it is cut off.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = time.Minute
	writeTimeout      = time.Minute
	idleSpare         = time.Minute // that a connection is kept beyond the longest interval which an agent is asked for
	maxHeaderBytes    = 16 << 10
	stopTimeout       = 10 * time.Second // for requests that run when the server ends
)

// Server answers agents, programs and people.
type Server struct {
	cfg       Config
	store     store.Store
	log       *slog.Logger
	now       func() time.Time
	pages     *template.Template
	authority *pki.Authority // nil: nobody can enrol, and there is no TLS
	version   string
	name      string // of this collector among others on the same store
	limits    *limiters
	enrolling *gate // enrolments are as costly as handshakes
	metrics   *metrics

	slots   chan struct{} // one for each batch that is unpacked at the moment
	waiting atomic.Int64  // batches that wait for a slot
	beats   *beatKeeper
	pace    *pace
	clones  *cloneWatch
	badges  *badges

	jobs     chan struct{} // tells the worker that there is a job
	live     *hub          // of live events
	ending   chan struct{} // closed when the server stops: streams end by themselves
	endOnce  sync.Once
	sealer   *people.Sealer
	hasher   *people.Hasher
	throttle *people.Throttle
	oidc     *people.OIDC // nil: people log in here only
	pumps    []*exits.Pump

	openMu    sync.Mutex
	closed    bool      // the collector was used: it is open to nobody any more
	openUntil time.Time // until then it counts as unused without asking the store
}

// NewServer makes a server; it starts nothing.
func NewServer(cfg Config) (*Server, error) {
	cfg, err := cfg.filled()
	if err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	pages, err := parsePages(cfg.Now)
	if err != nil {
		return nil, fmt.Errorf("parse pages: %w", err)
	}
	sealer, err := people.NewSealer(cfg.Secret)
	if err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	var oidc *people.OIDC
	if cfg.OIDC != nil {
		if oidc, err = people.NewOIDC(*cfg.OIDC, sealer, nil); err != nil {
			return nil, err
		}
	}
	s := &Server{
		cfg: cfg, store: cfg.Store, log: cfg.Log, now: cfg.Now, pages: pages,
		authority: cfg.Authority, version: cfg.Version, name: store.NewID(),
		limits: newLimiters(cfg.Limits), enrolling: newGate(), metrics: newMetrics(cfg.Version, cfg.Store.Engine()),
		slots: make(chan struct{}, maxUnpacking), beats: newBeatKeeper(), pace: newPace(cfg.Interval), clones: newCloneWatch(), badges: newBadges(),
		jobs: make(chan struct{}, 1), live: newHub(), ending: make(chan struct{}),
		sealer: sealer, hasher: people.NewHasher(), throttle: people.NewThrottle(triesIn(cfg.Store)), oidc: oidc,
	}
	if s.pumps, err = s.newPumps(cfg.Exits); err != nil {
		return nil, err
	}
	s.metrics.registry.MustRegister(exitMetrics{s})
	return s, nil
}

// Run serves on the listener until ctx ends, then lets running requests finish
// and returns nil. It closes the listener. Once "Listening" is logged, requests
// are answered. TLS and plain connections come by the same port; what a plain
// one may do is decided for each request.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	split := newSplitter(ln)
	plain, secure := s.httpServer(), s.httpServer()
	if s.authority != nil {
		secure.TLSConfig = s.authority.TLSConfig(s.cfg.Hosts, s.now)
		split.tls = secure.TLSConfig
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := ended(split.run()); err != nil || ctx.Err() != nil {
			return err
		}
		return errors.New("serve: the listener was closed by somebody else")
	})
	group.Go(func() error { return ended(plain.Serve(split.plain)) })
	if s.authority != nil {
		group.Go(func() error { return ended(secure.Serve(split.secure)) })
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
	return []func(context.Context) error{s.storeBeats, s.watchSilence, s.retain, s.gauge, s.runJobs, s.runEvents, s.feedExits}
}

func (s *Server) httpServer() *http.Server {
	return &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       max(s.cfg.Interval, longest) + idleSpare,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnContext:       withVisitor,
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
	s.end()
	for _, srv := range servers {
		if err := srv.Shutdown(limit); err != nil {
			s.log.Warn("Requests cut off", "error", err)
			srv.Close()
		}
	}
}

// Handler returns the whole interface with its guards.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range s.routes() {
		path := rt.path
		if path == "/" {
			path = "/{$}" // the page itself, not everything below it
		}
		mux.Handle(rt.method+" "+path, s.guard(rt))
	}
	sites := http.NewCrossOriginProtection()
	sites.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, http.StatusForbidden, "requests of other sites are refused")
	}))
	return withHeaders(plainLoopbackHost(sites.Handler(s.withProblems(mux))))
}

// end lets go of those who look on: their answers never end by themselves.
func (s *Server) end() { s.endOnce.Do(func() { close(s.ending) }) }

// contentPolicy allows our own files and forms, and nothing else: no script and
// no style within a page counts, even if markup got through.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// plainLoopbackHost takes plain HTTP only if the Host header means this machine:
// a page whose name was bound to loopback sends that name.
func plainLoopbackHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil && !isLoopbackHost(r.Host) {
			writeProblem(w, http.StatusMisdirectedRequest, "by plain HTTP the Host header must name this machine: localhost or a loopback address")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// withProblems answers what no route takes (404, 405) in the form of all other
// errors: under /v1 with a problem, anywhere else with a page.
func (s *Server) withProblems(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		probe := &statusProbe{header: w.Header()}
		mux.ServeHTTP(probe, r)
		if reads := r.Method == http.MethodGet || r.Method == http.MethodHead; reads && !strings.HasPrefix(r.URL.Path, "/v1/") {
			s.failPage(w, r, store.ErrNotFound)
			return
		}
		writeProblem(w, probe.status, "")
	})
}

// statusProbe takes the status and the headers of an answer and drops its body.
type statusProbe struct {
	header http.Header
	status int
}

func (p *statusProbe) Header() http.Header         { return p.header }
func (p *statusProbe) WriteHeader(status int)      { p.status = status }
func (p *statusProbe) Write(b []byte) (int, error) { return len(b), nil }

// fail answers an error: a refusal in its own words, what is not there or not as
// the caller thought with its status, anything else as a fault of ours that is
// logged and not told.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var refused *refusal
	var often *tooMany
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &refused):
		writeProblemCode(w, refused.status, refused.detail, refused.code)
	case errors.As(err, &often):
		writeTooMany(w, often)
	case errors.As(err, &large):
		writeProblem(w, http.StatusRequestEntityTooLarge, "the body is too large")
	case errors.Is(err, store.ErrNotFound):
		writeProblem(w, http.StatusNotFound, store.ErrNotFound.Error())
	case errors.Is(err, store.ErrTaken):
		writeProblem(w, http.StatusConflict, store.ErrTaken.Error())
	case errors.Is(err, store.ErrChanged):
		writeProblem(w, http.StatusConflict, store.ErrChanged.Error())
	case r.Context().Err() != nil: // the client left: nobody reads an answer
	default:
		s.log.Error("Request not answered", "route", r.Pattern, "error", err)
		w.Header().Set("Retry-After", "30")
		writeProblem(w, http.StatusServiceUnavailable, "the store does not answer, try again")
	}
}
