package worker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"golang.org/x/sys/windows"
)

// channel is a pair of pipes: the child's standard input and output. A message
// is a length of four bytes and a count of handles of four, big endian, the
// handles of eight bytes each, valid in the child, and the payload.
type channel struct {
	in      io.ReadCloser
	out     io.WriteCloser
	process windows.Handle // the child, for handing it a file; 0 in the child
	silent  chan struct{}  // closed when the child has said its last on stderr
}

const headSize = 8

// startWithChannel gives the child files for its standard streams: whatever
// starts it need not know of more.
func startWithChannel(cmd *exec.Cmd, start func(*exec.Cmd) error) (*channel, error) {
	var p pipes
	defer p.closeTheirs()
	in, out, said := p.from(), p.to(), p.from()
	if p.err != nil {
		p.closeOurs()
		return nil, fmt.Errorf("make pipes: %w", p.err)
	}
	words := cmd.Stderr
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.theirs[1], p.theirs[0], p.theirs[2]
	if err := start(cmd); err != nil {
		p.closeOurs()
		return nil, err
	}
	process, err := windows.OpenProcess(windows.PROCESS_DUP_HANDLE, false, uint32(cmd.Process.Pid))
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		p.closeOurs()
		return nil, fmt.Errorf("open the worker: %w", err)
	}
	c := &channel{in: in, out: out, process: process, silent: make(chan struct{})}
	go func() {
		defer close(c.silent)
		defer said.Close()
		_, _ = io.Copy(words, said)
	}()
	return c, nil
}

// pipes are made in a row, and err is what went wrong with one of them.
type pipes struct {
	ours, theirs []*os.File
	err          error
}

// from makes a pipe that they write to, and gives the other end.
func (p *pipes) from() *os.File {
	r, w := p.pipe()
	return p.keep(r, w)
}

// to makes a pipe that they read from, and gives the other end.
func (p *pipes) to() *os.File {
	r, w := p.pipe()
	return p.keep(w, r)
}

func (p *pipes) pipe() (r, w *os.File) {
	if p.err == nil {
		r, w, p.err = os.Pipe()
	}
	return r, w
}

func (p *pipes) keep(ours, theirs *os.File) *os.File {
	if p.err == nil {
		p.ours, p.theirs = append(p.ours, ours), append(p.theirs, theirs)
	}
	return ours
}

func (p *pipes) closeOurs() {
	for _, f := range p.ours {
		f.Close()
	}
}

func (p *pipes) closeTheirs() {
	for _, f := range p.theirs {
		f.Close()
	}
}

func inherited() (*channel, error) { return &channel{in: os.Stdin, out: os.Stdout}, nil }

// close waits for the last words of the child, which has ended.
func (c *channel) close() {
	c.in.Close()
	c.out.Close()
	if c.process != 0 {
		_ = windows.CloseHandle(c.process)
		c.process = 0
		<-c.silent
	}
}

func (c *channel) send(parts [][]byte, files []*os.File) error {
	size := total(parts)
	msg := make([]byte, headSize, headSize+8*len(files)+size)
	binary.BigEndian.PutUint32(msg, uint32(size))
	binary.BigEndian.PutUint32(msg[4:], uint32(len(files)))
	for _, f := range files {
		var theirs windows.Handle
		err := windows.DuplicateHandle(windows.CurrentProcess(), windows.Handle(f.Fd()), c.process, &theirs,
			windows.GENERIC_READ, false, 0)
		if err != nil {
			return fmt.Errorf("hand the file to the worker: %w", err)
		}
		msg = binary.BigEndian.AppendUint64(msg, uint64(theirs))
	}
	for _, p := range parts {
		msg = append(msg, p...)
	}
	_, err := c.out.Write(msg)
	return err
}

func (c *channel) receive(limit int) ([]byte, error) {
	body, _, err := c.receiveWithFiles(limit)
	return body, err
}

func (c *channel) receiveWithFiles(limit int) ([]byte, []*os.File, error) {
	var head [headSize]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		if errors.Is(err, os.ErrClosed) {
			err = io.EOF
		}
		return nil, nil, err
	}
	n, count := binary.BigEndian.Uint32(head[:]), binary.BigEndian.Uint32(head[4:])
	if int64(n) > int64(limit) || count > MaxFiles {
		return nil, nil, fmt.Errorf("%w: %d bytes with %d files, the limit is %d", errTooLong, n, count, limit)
	}
	handles := make([]byte, 8*count)
	if _, err := io.ReadFull(c.in, handles); err != nil {
		return nil, nil, err
	}
	files := make([]*os.File, count)
	for i := range files {
		files[i] = os.NewFile(uintptr(binary.BigEndian.Uint64(handles[8*i:])), "file")
	}
	body := make([]byte, n)
	_, err := io.ReadFull(c.in, body)
	return body, files, err
}

// limitSelf does nothing: on Windows memory is bounded by the job that the
// process puts itself into with its box.
func limitSelf() error { return nil }
