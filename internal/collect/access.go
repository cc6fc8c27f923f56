package collect

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"meetguard/internal/people"
	"meetguard/internal/store"
)

// access is who may use a route.
type access struct {
	kind   callerKind
	action people.Action // of a person
}

// public is for everybody, also without a name.
func public() access { return access{kind: nobody} }

// device is for agents that have proved who they are.
func device() access { return access{kind: agent} }

// person is for people whose role allows the action.
func person(a people.Action) access { return access{kind: human, action: a} }

// name is the x-role of openapi.yaml.
func (a access) name() string {
	switch a.kind {
	case agent:
		return "device"
	case human:
		return string(a.action)
	}
	return "public"
}

// route is one line of the interface; openapi.yaml describes each.
type route struct {
	method, path string
	access       access
	body         int64 // most bytes of the body, 0: none is allowed
	handler      http.HandlerFunc
}

// routes is the whole interface.
func (s *Server) routes() []route {
	var all []route
	for _, part := range [][]route{s.metaRoutes(), s.intakeRoutes(), s.apiRoutes(), s.pageRoutes()} {
		all = append(all, part...)
	}
	return all
}

// callerKind is what a caller has proved to be.
type callerKind int

const (
	nobody callerKind = iota
	agent             // a device, by certificate or bearer
	human             // an account, by session or API token
	open              // whoever is on this machine, while the collector is unused
)

// caller is who sent a request.
type caller struct {
	Kind    callerKind
	User    store.User
	Session store.Session
	Agent   store.AgentStatus
	Scope   store.Scope
	Name    string // for the audit: the account, or "agent:" and uid, or "local"
	Address string // that the request came from, without port
}

// may tells whether the caller may do it. What reaches beyond groups is not for
// people who are limited to some.
func (c caller) may(a people.Action) bool {
	switch role := people.Role(c.User.Role); {
	case c.Kind == open:
		return true
	case c.Kind != human:
		return false
	case c.Scope.All:
		return role.May(a)
	default:
		return role.MayWithin(a)
	}
}

type callerKey struct{}

// callerOf returns who sent the request, as the guard found out.
func callerOf(r *http.Request) caller {
	c, _ := r.Context().Value(callerKey{}).(caller)
	return c
}

// guard stands before a handler: it finds out who calls, whether they may, and
// bounds what they can take.
func (s *Server) guard(rt route) http.Handler {
	handle := s.handle(rt)
	if rt.access.kind != agent {
		return handle
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { apart(func() { handle(w, r) }) })
}

// apart runs do in a goroutine of its own and waits for it. The goroutine of a
// connection keeps the deepest stack that it ever needed for a long time, and an
// agent's connection is kept for days: what a batch needs is given back at once,
// some 25 KiB for each of ten thousand.
func apart(do func()) {
	var fault any
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { fault = recover() }()
		do()
	}()
	if <-done; fault != nil {
		panic(fault)
	}
}

func (s *Server) handle(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		out := &recorder{ResponseWriter: w}
		start := s.now()
		defer func() { s.observe(rt.method+" "+rt.path, out.code(), s.now().Sub(start).Seconds()) }()
		defer s.survive(out, r)
		r, err := s.admit(out, r, rt)
		if err != nil {
			s.failRoute(out, r, rt, err)
			return
		}
		rt.handler(out, r)
	}
}

// survive turns a panic of a handler into an answer, and into one line of ours.
func (s *Server) survive(w *recorder, r *http.Request) {
	fault := recover()
	if fault == nil {
		return
	}
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(http.ErrAbortHandler) // an answer that is cut off on purpose
	}
	s.log.Error("Handler panicked", "route", r.Pattern, "fault", visible(fmtFault(fault)), "stack", string(debug.Stack()))
	if w.status == 0 {
		writeProblem(w, http.StatusInternalServerError, "a fault of the collector")
	}
}

// admit finds the caller and refuses what may not be.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, rt route) (*http.Request, error) {
	c := caller{Address: addressOf(r), Name: "nobody"}
	err := boundBody(w, r, rt.body) // before the caller is found: a signature is over the body
	if err == nil {
		err = s.checkTransport(r, rt)
	}
	if err == nil {
		c, err = s.caller(r, rt, c)
	}
	r = r.WithContext(context.WithValue(r.Context(), callerKey{}, c))
	if err != nil {
		return r, err
	}
	if err := welcome(w, r, c); err != nil {
		return r, err
	}
	if err := s.limits.take(c, rt, s.now()); err != nil {
		return r, err
	}
	return r, s.mayUse(c, rt)
}

// errPlain is the answer to HTTP where only HTTPS is taken.
var errPlain = refuse(http.StatusForbidden, "this collector is in use: call it by https")

// checkTransport refuses plain HTTP but for what an unused collector on
// loopback may answer, and for the signs of life.
func (s *Server) checkTransport(r *http.Request, rt route) error {
	if r.TLS != nil {
		return nil
	}
	if isForAll(rt.path) {
		return nil
	}
	isOpen, err := s.isOpen(r)
	if err == nil && !isOpen {
		err = errPlain
	}
	return err
}

// isForAll tells what says nothing about anybody and is answered by plain HTTP
// too: signs of life, and the files that make a refusal readable.
func isForAll(path string) bool {
	return isSignOfLife(path) || path == "/style.css" || path == "/app.js" || path == "/icon.svg"
}

func isSignOfLife(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == "/openapi.yaml"
}

// caller tells who sent the request. Whoever shows something that does not hold
// is refused and not taken for nobody, but on public routes.
func (s *Server) caller(r *http.Request, rt route, c caller) (caller, error) {
	if r.TLS == nil {
		if isForAll(rt.path) {
			return c, nil
		}
		c.Kind, c.Name, c.Scope = open, "local", store.Everything
		c.User = store.User{Name: "local", Role: string(people.Admin)}
		return c, nil
	}
	if rt.access.kind == agent {
		status, err := s.identify(r)
		if err != nil {
			return c, err
		}
		c.Kind, c.Agent, c.Name = agent, status, "agent:"+status.UID
		return c, nil
	}
	return s.person(r, rt, c)
}

// errNoLogin is the answer to whoever is not logged in.
var errNoLogin = refuse(http.StatusUnauthorized, "log in first, or send an API token that is valid")

// person looks for a session or an API token.
func (s *Server) person(r *http.Request, rt route, c caller) (caller, error) {
	secret, shown := sessionSecret(r)
	if !shown {
		return c, nil
	}
	session, user, err := s.session(r.Context(), secret)
	switch {
	case errors.Is(err, store.ErrNotFound) && rt.access.kind == nobody:
		return c, nil
	case errors.Is(err, store.ErrNotFound):
		return c, errNoLogin
	case err != nil:
		return c, err
	}
	c.Kind, c.User, c.Session, c.Scope, c.Name = human, user, session, user.Scope(), user.Name
	return c, nil
}

// errMustChange is the answer to everything but a change of the password.
var errMustChange = refuse(http.StatusForbidden, "change your password first")

// mayUse is the one place where the right to use a route is decided. What a
// route shows of other groups is decided by the Scope that handlers give to the
// store.
func (s *Server) mayUse(c caller, rt route) error {
	switch {
	case rt.access.kind == nobody, c.Kind == open:
		return nil
	case rt.access.kind == agent && c.Kind == agent:
		return nil
	case rt.access.kind == agent, c.Kind == nobody:
		return errNoLogin
	case !c.may(rt.access.action):
		return refuse(http.StatusForbidden, "your role does not allow this, or your account is limited to groups")
	case c.User.MustChange && rt.access.action != people.SelfManage:
		return errMustChange
	}
	return nil
}

// boundBody limits the body, and refuses one where none belongs.
func boundBody(w http.ResponseWriter, r *http.Request, limit int64) error {
	if limit > 0 && r.ContentLength > limit {
		return refuse(http.StatusRequestEntityTooLarge, "the body is too large") // none of it is read
	}
	if limit > 0 && r.ContentLength < 0 {
		// No client of ours sends a body of unknown length, and one that gives both
		// lengths wants a proxy and us to read two different requests.
		return refuse(http.StatusLengthRequired, "send the body with a Content-Length")
	}
	if limit > 0 {
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		return nil
	}
	if r.ContentLength == 0 {
		return nil
	}
	return refuse(http.StatusRequestEntityTooLarge, "this request has no body")
}

// failRoute answers a refusal of the guard: to a person on a page with the
// log-in, to anybody else with a problem.
func (s *Server) failRoute(w http.ResponseWriter, r *http.Request, rt route, err error) {
	if errors.Is(err, errNoLogin) {
		if isPage(rt) && r.Method == http.MethodGet {
			http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="meetguard"`)
	}
	if isPage(rt) {
		s.failPage(w, r, err)
		return
	}
	s.fail(w, r, err)
}

// isPage tells a page for people, or what belongs to one, from the interface for
// programs, which is what openapi.yaml describes.
func isPage(rt route) bool { return !strings.HasPrefix(rt.path, "/v1/") && !isSignOfLife(rt.path) }

// openRecheck is how long an answer to "is the collector unused" holds.
const openRecheck = time.Second

// settingClosed is the setting that closes an unused collector for good.
const settingClosed = "closed"

// isOpen tells whether whoever is on this machine may do everything: the
// listener is on loopback, the connection too, nobody has logged in yet, and no
// agent has enrolled.
func (s *Server) isOpen(r *http.Request) (bool, error) {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !s.cfg.Loopback || local == nil || !isLoopbackHost(local.String()) {
		return false, nil
	}
	return s.unused(r.Context())
}

func (s *Server) unused(ctx context.Context) (bool, error) {
	s.openMu.Lock()
	defer s.openMu.Unlock()
	if s.closed || s.now().Before(s.openUntil) {
		return !s.closed, nil
	}
	_, closed, err := s.store.Setting(ctx, settingClosed)
	if err != nil {
		return false, err
	}
	enrolled, err := s.store.Enrolled(ctx)
	if err != nil {
		return false, err
	}
	s.closed = closed || enrolled > 0
	s.openUntil = s.now().Add(openRecheck)
	return !s.closed, nil
}

// closeOpen ends the time in which an unused collector is open. It is called
// before the first enrolment or log-in is answered.
func (s *Server) closeOpen(ctx context.Context) error {
	s.openMu.Lock()
	defer s.openMu.Unlock()
	if s.closed {
		return nil
	}
	if _, err := s.store.SetSettingOnce(ctx, settingClosed, s.now().UTC().Format(time.RFC3339)); err != nil {
		return err
	}
	s.closed = true
	return nil
}

// addressOf is where the request came from, without port.
func addressOf(r *http.Request) string {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return ap.Addr().Unmap().WithZone("").String()
}

// record writes what was done into the audit. It is called after the act; an
// act whose line cannot be written is told as a fault, so that it is seen.
func (s *Server) record(r *http.Request, action, target, detail string) error {
	c := callerOf(r)
	return s.recordAs(r, c.Name, action, target, detail)
}

// recordAs is record for an act whose author is not the caller, as a log-in.
func (s *Server) recordAs(r *http.Request, who, action, target, detail string) error {
	return s.store.Record(context.WithoutCancel(r.Context()), s.auditEntry(r, who, action, target, detail))
}

func (s *Server) auditEntry(r *http.Request, who, action, target, detail string) store.AuditEntry {
	return store.AuditEntry{
		ID: store.NewID(), At: s.now(), Who: column(who, maxLabel), Action: action,
		Target: column(target, maxLabel), Detail: column(detail, maxText), Address: addressOf(r),
	}
}
