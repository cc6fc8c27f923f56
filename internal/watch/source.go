package watch

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"time"

	"meetguard"
)

const (
	earlyMost  = 64 << 10               // what is kept of what is told during the self-test
	proofTime  = 2 * time.Second        // for the self-test, where the source does not say otherwise
	proofAgain = 500 * time.Millisecond // a source may begin to hear after it is open, and miss the first launch
)

// kind says what a source tells.
type kind int

const (
	forked   kind = iota // a process has begun, running what its parent runs
	launched             // it runs a program now
	ended                // it is over
	lost                 // count launches were lost
)

// told is what a source tells of one process. Only a launch fills more of proc
// than PID, PPID and Started.
type told struct {
	kind  kind
	proc  meetguard.Process
	seen  time.Time // of a launch
	count int64     // of lost
}

// source is one way to hear of launches.
type source struct {
	name   string
	state  meetguard.SourceState // while it works
	detail string
	proven bool // opening it is proof enough
	// patience is how long the launch that is the proof may take to be told; 0
	// is proofTime.
	patience time.Duration
	hint     string // why it may tell nothing, and what to do
	open     func(ctx context.Context, l *Launches) (listener, error)
}

// listener is a source that is open. It is told to stop by its ctx and close,
// both from another goroutine.
type listener interface {
	listen(ctx context.Context, tell func(told)) error
	close()
}

// running is a source at work. What it tells is heard in its own goroutine:
// handing it to another one would cost more than hearing it.
type running struct {
	source
	ended chan error
	stop  func() // and wait until it has

	mu    sync.Mutex
	hear  func(told) // nil during the self-test
	early []told     // told until then
	word  string     // the last argument of the launch that is the proof
	proof chan struct{}
}

// tell is called by the listener. It waits while the processes are listed; the
// kernel queues meanwhile.
func (r *running) tell(t told) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hear != nil {
		r.hear(t)
		return
	}
	r.keep(t)
	if args := t.proc.Args; t.kind == launched && len(args) > 0 && args[len(args)-1] == r.word {
		select {
		case r.proof <- struct{}{}:
		default:
		}
	}
}

// best starts the first source that works. The error says why those before it
// do not, or why none does.
func (l *Launches) best(ctx context.Context, among []source) (*running, error) {
	var why []error
	for _, s := range among {
		r, err := l.start(ctx, s)
		if err == nil {
			return r, errors.Join(why...)
		}
		why = append(why, fmt.Errorf("%s: %w", s.name, err))
		l.log.Debug("A source of launches does not work", "source", s.name, "reason", err)
	}
	return nil, errors.Join(why...)
}

// start opens a source and has it prove itself.
func (l *Launches) start(ctx context.Context, s source) (*running, error) {
	ears, err := s.open(ctx, l)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &running{source: s, ended: make(chan error, 1), word: "meetguard-self-test-" + rand.Text(), proof: make(chan struct{}, 1)}
	over := make(chan struct{})
	go func() {
		defer close(over)
		r.ended <- ears.listen(ctx, r.tell)
	}()
	r.stop = func() {
		cancel()
		ears.close()
		<-over
	}
	if err := r.prove(ctx); err != nil {
		r.stop()
		if errors.Is(err, errNoProof) && s.hint != "" {
			err = fmt.Errorf("%w: %s", err, s.hint)
		}
		return nil, err
	}
	return r, nil
}

var errNoProof = errors.New("it told nothing of a launch made to test it")

// prove launches a program that does nothing, again and again, until its launch
// is told with its arguments.
func (r *running) prove(ctx context.Context) error {
	if r.proven {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(r.patience, proofTime))
	defer cancel()
	for {
		if done, err := r.proveOnce(ctx); done {
			return err
		}
	}
}

// proveOnce launches the program and waits for a while.
func (r *running) proveOnce(ctx context.Context) (done bool, err error) {
	// It waits for its input, so that there is time to read its arguments, and
	// ends when that does.
	words := proofProgram(r.word)
	child := exec.CommandContext(ctx, words[0], words[1:]...)
	input, err := child.StdinPipe()
	if err != nil {
		return true, fmt.Errorf("launch a program to test it: %w", err)
	}
	if err := child.Start(); err != nil {
		if ctx.Err() != nil {
			return true, errNoProof
		}
		return true, fmt.Errorf("launch a program to test it: %w", err)
	}
	again := time.NewTimer(proofAgain)
	defer again.Stop()
	done = true
	select {
	case <-r.proof:
	case broke := <-r.ended:
		err = errors.Join(errors.New("it ended at once"), broke)
	case <-ctx.Done():
		err = errNoProof
	case <-again.C:
		done = false
	}
	input.Close()
	_ = child.Wait() // whatever it says: only its launch matters
	return done, err
}

// keep holds what is told until somebody hears it.
func (r *running) keep(t told) {
	if len(r.early) < earlyMost {
		r.early = append(r.early, t)
		return
	}
	if t.kind == launched {
		t.count = 1
	}
	r.early[earlyMost-1] = told{kind: lost, count: r.early[earlyMost-1].count + t.count}
}
