package collect

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// What a client may take before it is cut off.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = time.Minute
	writeTimeout      = time.Minute
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 16 << 10
	stopTimeout       = 10 * time.Second // for requests that run when the server ends
)

// Server answers agents, programs and people.
type Server struct {
	store Store
	log   *slog.Logger
	now   func() time.Time
	pages *template.Template
	slots chan struct{} // one for each batch that is unpacked at the moment
}

// NewServer makes a server over the store, which stays the caller's to close.
func NewServer(store Store, log *slog.Logger) (*Server, error) {
	pages, err := parsePages()
	if err != nil {
		return nil, fmt.Errorf("parse pages: %w", err)
	}
	return &Server{store: store, log: log, now: time.Now, pages: pages, slots: make(chan struct{}, maxUnpacking)}, nil
}

// Run serves on the listener until ctx ends, then lets running requests finish
// and returns nil. It closes the listener. Once "Listening" is logged, requests
// are answered.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ln) }()
	s.log.Info("Listening", "address", ln.Addr().String())
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.stop(ctx, srv)
	<-ended
	s.log.Info("Stopped")
	return nil
}

// stop lets running requests finish, and cuts off those that take too long:
// what was not answered will be sent again.
func (s *Server) stop(ctx context.Context, srv *http.Server) {
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := srv.Shutdown(limit); err != nil {
		s.log.Warn("Requests cut off", "error", err)
		if err := srv.Close(); err != nil {
			s.log.Warn("Connections not closed", "error", err)
		}
	}
}

// route is one line of the interface; openapi.yaml describes each.
type route struct {
	method, path string
	handler      http.HandlerFunc
}

func (s *Server) routes() []route {
	return []route{
		{"POST", "/v1/agent/batch", s.postBatch},
		{"GET", "/v1/alerts", s.getAlerts},
		{"GET", "/v1/alerts/{id}", s.getAlert},
		{"GET", "/v1/agents", s.getAgents},
		{"GET", "/openapi.yaml", s.getOpenAPI},
		{"GET", "/healthz", s.getHealth},
		{"GET", "/readyz", s.getReady},
		{"GET", "/", s.getAlertsPage},
		{"GET", "/alerts/{id}", s.getAlertPage},
		{"GET", "/style.css", s.getStyle},
	}
}

// Handler returns the whole interface with its guards.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		path := r.path
		if path == "/" {
			path = "/{$}" // the page itself, not everything below it
		}
		mux.HandleFunc(r.method+" "+path, r.handler)
	}
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, http.StatusForbidden, "requests of other sites are refused")
	}))
	return withHeaders(loopbackHostOnly(guard.Handler(withProblems(mux))))
}

// contentPolicy allows our own style sheet and forms, and nothing else: no
// script can run even if markup got through.
const contentPolicy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

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

func loopbackHostOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopbackHost(r.Host) {
			writeProblem(w, http.StatusMisdirectedRequest, "the Host header must name this machine: localhost or a loopback address")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// withProblems answers what no route takes (404, 405) in the form of all other
// errors.
func withProblems(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		probe := &statusProbe{header: w.Header()}
		mux.ServeHTTP(probe, r)
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

// fail answers an error: a refusal in its own words, anything else as a fault
// of ours that is logged and not told.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		writeProblem(w, refused.status, refused.detail)
	case errors.Is(err, ErrNotFound):
		writeProblem(w, http.StatusNotFound, ErrNotFound.Error())
	case r.Context().Err() != nil: // the client left: nobody reads an answer
	default:
		s.log.Error("Request not answered", "route", r.Pattern, "error", err)
		w.Header().Set("Retry-After", "30")
		writeProblem(w, http.StatusServiceUnavailable, "the store does not answer, try again")
	}
}
