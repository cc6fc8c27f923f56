//go:build unix

package watch

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"meetguard"
)

const (
	esloggerPath = "/usr/bin/eslogger"
	esLineMost   = 4 << 20 // bytes of a line: arguments and environment have at most 1 MiB, and JSON escapes them
	esSaidMost   = 4 << 10 // bytes kept of what it prints as errors
	esLeave      = 2 * time.Second
)

// esloggerSource runs Apple's eslogger, which listens to Endpoint Security. It
// needs root, macOS 13 and Full Disk Access.
func esloggerSource(program string, args ...string) source {
	return source{
		name: sourceESLogger, state: meetguard.SourceOK, patience: 5 * time.Second,
		detail: "every launch is told by the system with its arguments and its signature",
		hint:   "eslogger runs and is silent; look whether another version of macOS prints another shape",
		open:   func(_ context.Context, l *Launches) (listener, error) { return openESLogger(l, program, args...) },
	}
}

// esListener reads one eslogger.
type esListener struct {
	l     *Launches
	child *exec.Cmd
	out   io.ReadCloser
	said  saidTail
	gaps  esGaps
	once  sync.Once
}

// openESLogger starts the program. It gets a process group of its own, because
// it leaves out what its own group launches, and the launch that is the proof is
// of the group of this process. Its environment is empty.
func openESLogger(l *Launches, program string, args ...string) (*esListener, error) {
	e := &esListener{l: l, child: exec.Command(program, args...)}
	e.child.Dir, e.child.Env = "/", []string{"PATH=/usr/bin:/bin"}
	e.child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	e.child.Stderr = &e.said
	e.child.WaitDelay = esLeave
	var err error
	if e.out, err = e.child.StdoutPipe(); err == nil {
		err = e.child.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start eslogger: %w", err)
	}
	return e, nil
}

// close ends the program and what it may have started.
func (e *esListener) close() {
	e.once.Do(func() { _ = syscall.Kill(-e.child.Process.Pid, syscall.SIGKILL) })
}

// listen reads until the program ends. A line that cannot be read is a loss.
func (e *esListener) listen(ctx context.Context, tell func(told)) error {
	lines := bufio.NewReaderSize(e.out, 64<<10)
	var err error
	for err == nil {
		var line []byte
		var whole bool
		if line, whole, err = readLine(lines, esLineMost); len(bytes.TrimSpace(line)) > 0 {
			e.hear(line, whole, tell)
		}
	}
	e.close()
	ended := e.child.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return e.reason(ended)
}

// reason says why the program ended.
func (e *esListener) reason(ended error) error {
	said := e.said.String()
	if why := explainESLogger(said); why != "" {
		return errors.New(why)
	}
	if said == "" {
		return fmt.Errorf("eslogger ended: %w", errors.Join(errors.New("it said nothing"), ended))
	}
	return fmt.Errorf("eslogger ended: %q", said)
}

// hear acts on one line.
func (e *esListener) hear(line []byte, whole bool, tell func(told)) {
	t, err := esTold{}, errNoMessage
	if whole {
		t, err = parseESLogger(line)
	}
	if err != nil {
		e.gaps.begun = false // the number of this message is not known
		tell(told{kind: lost, count: 1})
		return
	}
	if missing := e.gaps.missing(t); missing > 0 {
		tell(told{kind: lost, count: missing})
	}
	if t.launch {
		if t.cut {
			e.l.cut.Add(1)
		}
		tell(told{kind: launched, proc: t.proc, seen: time.Now()})
	}
}

// readLine returns the next line, or the start of one that is longer than most
// bytes, of which the rest is dropped.
func readLine(r *bufio.Reader, most int) (line []byte, whole bool, err error) {
	whole = true
	for {
		piece, err := r.ReadSlice('\n')
		if room := most - len(line); len(piece) > room {
			piece, whole = piece[:room], false
		}
		line = append(line, piece...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, whole, err
		}
	}
}

// saidTail keeps the end of what a program prints as errors.
type saidTail struct {
	mu  sync.Mutex
	end []byte
}

// Write never fails.
func (s *saidTail) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end = append(s.end, b...)
	if over := len(s.end) - esSaidMost; over > 0 {
		s.end = append([]byte(nil), s.end[over:]...)
	}
	return len(b), nil
}

func (s *saidTail) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimSpace(strings.ToValidUTF8(string(s.end), "?"))
}
