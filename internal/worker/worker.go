// Package worker runs work on hostile bytes in a child process: a warm process
// of the same program that gets open read-only files and a request, and
// answers with one bounded reply. A crash, a time-out or too much memory ends
// the child, never the caller.
//
// The package moves bytes and descriptors; what a request means is the
// business of its callers.
package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits of one exchange.
const (
	maxRequest = 2 << 20 // bytes
	maxReply   = 4 << 20 // bytes

	MaxFiles = 200 // descriptors that travel with one request; Linux allows 253 (SCM_MAX_FD)
)

// memoryLimit is what a child may allocate, in bytes. It holds the rules, the
// buffers of one file and the libraries' own needs several times over.
const memoryLimit = 768 << 20

// Config of a Pool.
type Config struct {
	Command []string      // argv of the child; it must call Serve
	Count   int           // children at most; 0 means 1
	Timeout time.Duration // for one request; 0 means 30 s
	Recycle int           // replace a child after so many requests; 0 means 20,000

	// A request that takes longer than Patience gives its place among Count to
	// another, as long as fewer than Spare do: one slow file must not keep the next
	// one waiting. 0 of either: none does.
	Patience time.Duration
	Spare    int

	Start func(*exec.Cmd) error // starts a child; nil means its own Start
	Log   *slog.Logger
}

// Failure says why a request got no answer: the child crashed, timed out, used
// too much memory or answered nonsense. The file of the request is incomplete.
type Failure struct {
	Reason string
	cause  error // one of those that Deaths counts, or nil
}

func (f *Failure) Error() string { return f.Reason }

func (f *Failure) Unwrap() error { return f.cause }

var errClosed = errors.New("the worker pool is closed")

// Pool keeps warm children. Its methods may be called concurrently. Children
// are started when they are needed; those beyond the first end after a while
// without work.
type Pool struct {
	cfg    Config
	slots  chan struct{} // one token for each child that may work
	spares chan struct{} // one token for each request that may give its slot away
	deaths deaths

	mu      sync.Mutex
	warm    []*child    // without work; the last used is the last
	overdue []*Underway // slow ones that would give their slot away, if there were a spare token
	reaper  *time.Timer
	closed  bool
	ended   chan struct{} // closed by Close
}

// idleLife is how long a child beyond the first is kept without work.
const idleLife = 2 * time.Minute

// NewPool prepares a pool. No child is started before the first Do.
func NewPool(cfg Config) *Pool {
	cfg.Count = max(cfg.Count, 1)
	if cfg.Timeout == 0 {
		cfg.Timeout = 30 * time.Second
	}
	if cfg.Recycle == 0 {
		cfg.Recycle = 20000
	}
	if cfg.Start == nil {
		cfg.Start = (*exec.Cmd).Start
	}
	p := &Pool{cfg: cfg, slots: make(chan struct{}, cfg.Count), spares: make(chan struct{}, cfg.Spare), ended: make(chan struct{})}
	for range cfg.Count {
		p.slots <- struct{}{}
	}
	for range cfg.Spare {
		p.spares <- struct{}{}
	}
	return p
}

// Do sends a request, in parts that arrive joined, and files, at most MaxFiles,
// to a child and returns its answer. A child that dies is replaced by another,
// which gets the request again. The error is a *Failure if the child could not do
// it, and another error if no child could be started or ctx ended.
func (p *Pool) Do(ctx context.Context, request [][]byte, files ...*os.File) ([]byte, error) {
	u, err := p.Begin(ctx, request, files...)
	if err != nil {
		return nil, err
	}
	return u.Wait()
}

// Underway is a request that a child has.
type Underway struct {
	pool  *Pool
	c     *child
	x     *exchange
	again func(*child) *exchange // sends the request to another child

	patience *time.Timer // nil for ever
	over     bool        // the answer is there; Pool.mu
	lent     bool        // somebody else has the slot; Pool.mu
}

// Begin is the first half of Do, for whoever has something to do while a child
// works. It waits for a child to be free. Wait must be called, once, and before
// the same goroutine asks for anything else: the child is kept for the answer.
func (p *Pool) Begin(ctx context.Context, request [][]byte, files ...*os.File) (*Underway, error) {
	if n := total(request); n > maxRequest {
		return nil, fmt.Errorf("send a request of %d bytes: more than %d", n, maxRequest)
	}
	select {
	case <-p.slots:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.ended:
		return nil, errClosed
	}
	c, err := p.take()
	if err != nil {
		p.slots <- struct{}{}
		return nil, err
	}
	u := &Underway{pool: p, c: c, x: c.begin(ctx, request, files, p.cfg.Timeout), again: func(c *child) *exchange {
		return c.begin(ctx, request, files, p.cfg.Timeout)
	}}
	if patience := p.patience(ctx); p.cfg.Spare > 0 && patience > 0 {
		u.patience = time.AfterFunc(patience, u.lend)
	}
	return u, nil
}

// patienceKey is that of WithPatience in a context.
type patienceKey struct{}

// WithPatience has the requests of a context give their place away after another
// time than Config.Patience.
func WithPatience(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, patienceKey{}, d)
}

func (p *Pool) patience(ctx context.Context) time.Duration {
	if d, set := ctx.Value(patienceKey{}).(time.Duration); set {
		return d
	}
	return p.cfg.Patience
}

// lend gives the slot of a slow request to whoever waits for one, now or as soon
// as another slow one is over.
func (u *Underway) lend() {
	p := u.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if u.over {
		return
	}
	select {
	case <-p.spares:
		u.lent = true
		p.slots <- struct{}{}
	default:
		p.overdue = append(p.overdue, u)
	}
}

// giveBack ends a request: its slot is free again, or the token of its loan, which
// goes to the slow request that has waited longest for it.
func (u *Underway) giveBack() {
	p := u.pool
	if u.patience != nil {
		u.patience.Stop()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	u.over = true
	p.overdue = slices.DeleteFunc(p.overdue, func(o *Underway) bool { return o == u })
	switch {
	case u.lent && len(p.overdue) > 0:
		p.overdue[0].lent = true
		p.overdue = p.overdue[1:]
		p.slots <- struct{}{}
	case u.lent:
		p.spares <- struct{}{}
	default:
		p.slots <- struct{}{}
	}
}

// Wait is the second half of Do.
func (u *Underway) Wait() ([]byte, error) {
	p := u.pool
	defer u.giveBack()
	reply, err := u.x.end()
	p.deaths.note(err)
	var died *crash
	if errors.As(err, &died) {
		// It may have died before, or of something else: for lack of memory in the
		// system, or killed by somebody. A request that is to blame ends the next one
		// too.
		p.cfg.Log.Warn("Trying again with a new worker", "reason", err.Error(), "requests", u.c.served, "said", strconv.QuoteToASCII(u.c.stderr.String()))
		if u.c, err = start(p.cfg); err != nil {
			return nil, fmt.Errorf("start a worker: %w", err)
		}
		reply, err = u.again(u.c).end()
		p.deaths.note(err)
		switch {
		case errors.As(err, &died) && died.killed:
			err = ErrKilled
		case errors.As(err, &died):
			err = &died.Failure
		}
	}
	c := u.c
	if err != nil || c.served >= p.cfg.Recycle {
		if err != nil {
			p.cfg.Log.Debug("Replaced worker", "reason", err.Error(), "requests", c.served, "said", strconv.QuoteToASCII(c.stderr.String()))
		}
		c.end()
		return reply, err
	}
	p.give(c)
	return reply, nil
}

func total(parts [][]byte) (n int) {
	for _, p := range parts {
		n += len(p)
	}
	return n
}

func (p *Pool) take() (*child, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	if n := len(p.warm); n > 0 {
		c := p.warm[n-1]
		p.warm = p.warm[:n-1]
		return c, nil
	}
	c, err := start(p.cfg)
	if err != nil {
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	return c, nil
}

func (p *Pool) give(c *child) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		c.end()
		return
	}
	p.warm = append(p.warm, c)
	if len(p.warm) > 1 && p.reaper == nil {
		p.reaper = time.AfterFunc(idleLife, p.reap)
	}
}

// reap ends the children that did not work lately, but one.
func (p *Pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaper = nil
	for len(p.warm) > 1 {
		p.warm[0].end()
		p.warm = p.warm[1:]
	}
}

// Close ends all children. Requests under way are waited for.
func (p *Pool) Close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	close(p.ended)
	if p.reaper != nil {
		p.reaper.Stop()
	}
	p.mu.Unlock()
	for range p.cfg.Count {
		<-p.slots
	}
	for range p.cfg.Spare { // nobody is left to take one
		<-p.spares
	}
	for _, c := range p.warm {
		c.end()
	}
}

// child is one process and the parent's end of its channel.
type child struct {
	cmd    *exec.Cmd
	ch     *channel
	stderr *firstWords
	served int
}

func start(cfg Config) (*child, error) {
	c := &child{stderr: &firstWords{}}
	c.cmd = exec.Command(cfg.Command[0], cfg.Command[1:]...)
	c.cmd.Env = childEnv()
	c.cmd.Dir = os.TempDir()
	c.cmd.Stderr = c.stderr
	var err error
	if c.ch, err = startWithChannel(c.cmd, cfg.Start); err != nil {
		return nil, err
	}
	return c, nil
}

// childEnv is the whole environment of a child: nothing of the user's own. The
// runtime collects early, because a child holds little and lives long.
func childEnv() []string {
	env := []string{"GOGC=400", "GOMEMLIMIT=128MiB", "GOMAXPROCS=1", "GOTRACEBACK=none",
		"MALLOC_ARENA_MAX=1", "MALLOC_TRIM_THRESHOLD_=1048576", "MALLOC_MMAP_THRESHOLD_=1048576"} // C memory goes back to the system, but for what the next scan needs again
	for _, name := range []string{"SystemRoot", "TMPDIR", "TEMP"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// exchange is one question to a child, and the answer to come.
type exchange struct {
	c       *child
	ended   func() error // why the context did
	limit   time.Duration
	timer   *time.Timer
	stop    func() bool // no more watching of ctx
	sending error

	mu                  sync.Mutex
	timedOut, cancelled bool
}

// begin sends a request. The child is killed at the deadline: a parser in a loop
// or in C does not listen to anything milder.
func (c *child) begin(ctx context.Context, request [][]byte, files []*os.File, limit time.Duration) *exchange {
	x := &exchange{c: c, ended: ctx.Err, limit: limit}
	x.timer = time.AfterFunc(limit, x.kill(&x.timedOut))
	x.stop = context.AfterFunc(ctx, x.kill(&x.cancelled))
	c.served++
	x.sending = c.ch.send(request, files)
	return x
}

func (x *exchange) kill(flag *bool) func() {
	return func() {
		x.mu.Lock()
		*flag = true
		x.mu.Unlock()
		_ = x.c.cmd.Process.Kill()
	}
}

// end waits for the answer.
func (x *exchange) end() (reply []byte, err error) {
	defer x.timer.Stop()
	defer x.stop()
	c := x.c
	if err = x.sending; err == nil {
		reply, err = c.ch.receive(maxReply)
	}
	if err == nil {
		return reply, nil
	}
	c.end()
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.cancelled:
		return nil, x.ended()
	case x.timedOut:
		return nil, &Failure{fmt.Sprintf("the inspection took longer than %s and was ended", x.limit), errSlow}
	case lacksMemory(c.stderr.String()):
		return nil, &Failure{"the inspection needed more memory than it may have and was ended", errMemory}
	case errors.Is(err, errTooLong):
		return nil, &Failure{"the inspection crashed on this file (its answer is too long)", errNonsense}
	}
	ended := c.cmd.ProcessState.String()
	return nil, &crash{Failure{Reason: "the inspection crashed on this file (" + ended + ")"}, ended == "signal: killed"}
}

// errTooLong says that a message is larger than its reader allows.
var errTooLong = errors.New("a message is too long")

// crash is the failure of a child that ended without being asked to.
type crash struct {
	Failure
	killed bool // by somebody else: no parser does that to itself
}

// ErrKilled says that two children in turn were killed by somebody else: by the
// kernel, for want of memory in the system, or by hand.
var ErrKilled = errors.New("the inspection was killed from outside: see whether the system lacks memory")

// lacksMemory knows what the runtimes say when they get no more: Go, the C
// library, and the race detector of the tests.
func lacksMemory(said string) bool {
	for _, s := range []string{"out of memory", "cannot allocate memory", "failed to allocate", "Cannot allocate memory"} {
		if strings.Contains(said, s) {
			return true
		}
	}
	return false
}

// end kills the child and waits for it and for its last words. It may be called
// twice.
func (c *child) end() {
	if c.cmd.ProcessState == nil {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	}
	c.ch.close()
}

// Handler does the work of one request in the child. It need not close files.
type Handler func(request []byte, files []*os.File) []byte

// Serve is the child's side: it answers requests until the parent closes the
// channel. box is called once before the first request, after the process has
// loaded what it needs: it is the place where a process gives up its rights.
func Serve(handle Handler, box func() error) error {
	ch, err := inherited()
	if err != nil {
		return err
	}
	if err := limitSelf(); err != nil {
		return fmt.Errorf("limit the worker: %w", err)
	}
	if box != nil {
		if err := box(); err != nil {
			return fmt.Errorf("box the worker: %w", err)
		}
	}
	for {
		request, files, err := ch.receiveWithFiles(maxRequest)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("receive a request: %w", err)
		}
		reply := handle(request, files)
		for _, f := range files {
			f.Close()
		}
		if err := ch.send([][]byte{reply}, nil); err != nil {
			return fmt.Errorf("send a reply: %w", err)
		}
	}
}

// firstWords keeps the first bytes that a child wrote to stderr: what it died
// of. They tell a lack of memory from other crashes, and are shown quoted and to
// whoever looks for a fault only, because a hostile file may shape them.
type firstWords struct {
	mu  sync.Mutex
	buf []byte
}

func (w *firstWords) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	room := max(0, 4096-len(w.buf))
	w.buf = append(w.buf, p[:min(len(p), room)]...)
	return len(p), nil
}

func (w *firstWords) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.buf)
}
