//go:build unix

package worker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// channel is one end of a stream socket pair. A message is a length of four
// bytes, big endian, and as many bytes; a descriptor travels with the length.
// The calls block their thread on purpose: for a strict question and answer
// that costs less than the runtime's poller.
type channel struct {
	fd   int
	head [headSize]byte
	oob  [1 << 10]byte // room for MaxFiles descriptors (cmsg(3))
	buf  []byte        // the last message
}

const headSize = 4

// childFD is where a child finds its channel: the first of exec.Cmd.ExtraFiles.
const childFD = 3

func startWithChannel(cmd *exec.Cmd, start func(*exec.Cmd) error) (*channel, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, fmt.Errorf("make a socket pair: %w", err)
	}
	for _, fd := range pair {
		unix.CloseOnExec(fd)
	}
	theirs := os.NewFile(uintptr(pair[1]), "worker")
	defer theirs.Close()
	cmd.ExtraFiles = []*os.File{theirs}
	if err := start(cmd); err != nil {
		unix.Close(pair[0])
		return nil, err
	}
	return &channel{fd: pair[0]}, nil
}

func inherited() (*channel, error) {
	unix.CloseOnExec(childFD)
	if _, err := unix.GetsockoptInt(childFD, unix.SOL_SOCKET, unix.SO_TYPE); err != nil {
		return nil, errors.New("this command is started by meetguard itself and does nothing alone")
	}
	return &channel{fd: childFD}, nil
}

func (c *channel) close() {
	if c.fd >= 0 {
		unix.Close(c.fd)
		c.fd = -1
	}
}

// send sends the parts of one message, and the files with its first bytes.
func (c *channel) send(parts [][]byte, files []*os.File) error {
	binary.BigEndian.PutUint32(c.head[:], uint32(total(parts)))
	var oob []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		oob = unix.UnixRights(fds...)
	}
	for left := append([][]byte{c.head[:]}, parts...); len(left) > 0; oob = nil {
		n, err := retry(func() (int, error) { return unix.SendmsgBuffers(c.fd, left, oob, nil, noSignal) })
		if err != nil {
			return err
		}
		for len(left) > 0 && n >= len(left[0]) {
			n -= len(left[0])
			left = left[1:]
		}
		if n > 0 {
			left[0] = left[0][n:]
		}
	}
	return nil
}

// receive gives the next message. Descriptors that came with it are not taken:
// a child has none to give.
func (c *channel) receive(limit int) ([]byte, error) {
	if err := await(c.fd); err != nil {
		return nil, err
	}
	n, err := retry(func() (int, error) { return unix.Read(c.fd, c.room(readSize)) })
	if err != nil {
		return nil, err
	}
	body, err := c.rest(n, limit)
	return bytes.Clone(body), err // the buffer belongs to the next exchange
}

// receiveWithFiles gives the next message, valid until the next call, and the
// files that came with it.
func (c *channel) receiveWithFiles(limit int) ([]byte, []*os.File, error) {
	if err := await(c.fd); err != nil {
		return nil, nil, err
	}
	var oobn, flags int
	n, err := retry(func() (n int, err error) {
		n, oobn, flags, _, err = unix.Recvmsg(c.fd, c.room(readSize), c.oob[:], cloexec)
		return n, err
	})
	if err == nil && flags&unix.MSG_CTRUNC != 0 {
		err = errors.New("more descriptors than there is room for")
	}
	if err != nil {
		return nil, nil, err
	}
	files, err := passed(c.oob[:oobn])
	if err != nil {
		return nil, nil, err
	}
	body, err := c.rest(n, limit)
	return body, files, err
}

// readSize is how much of a message one call takes: most are smaller, and then
// one call is all.
const readSize = 64 << 10

// room makes sure that the buffer holds n bytes.
func (c *channel) room(n int) []byte {
	if len(c.buf) < n {
		c.buf = append(make([]byte, 0, n), c.buf...)[:n]
	}
	return c.buf
}

// rest reads what is missing of a message of which n bytes are in the buffer.
func (c *channel) rest(n, limit int) ([]byte, error) {
	if n == 0 {
		return nil, io.EOF
	}
	if n < headSize {
		if err := c.full(c.buf[n:headSize]); err != nil {
			return nil, err
		}
		n = headSize
	}
	size := binary.BigEndian.Uint32(c.buf)
	if int64(size) > int64(limit) {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", errTooLong, size, limit)
	}
	end := headSize + int(size)
	if n > end {
		return nil, errors.New("a message longer than it says")
	}
	buf := c.room(end)
	return buf[headSize:end], c.full(buf[n:end])
}

func passed(oob []byte) ([]*os.File, error) {
	if len(oob) == 0 {
		return nil, nil
	}
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(msgs) != 1 {
		return nil, fmt.Errorf("read passed descriptors: %d messages: %w", len(msgs), err)
	}
	fds, err := unix.ParseUnixRights(&msgs[0])
	if err != nil {
		return nil, fmt.Errorf("read passed descriptors: %w", err)
	}
	files := make([]*os.File, len(fds))
	for i, fd := range fds {
		if cloexec == 0 {
			unix.CloseOnExec(fd)
		}
		files[i] = os.NewFile(uintptr(fd), "file")
	}
	return files, nil
}

func (c *channel) full(buf []byte) error {
	for len(buf) > 0 {
		n, err := retry(func() (int, error) { return unix.Read(c.fd, buf) })
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrUnexpectedEOF
		}
		buf = buf[n:]
	}
	return nil
}

func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != syscall.EINTR {
			return n, err
		}
	}
}
