//go:build unix

package worker

import (
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
	head [4]byte
	oob  [256]byte // room for MaxFiles descriptors (cmsg(3))
}

// childFD is where a child finds its channel: the first of exec.Cmd.ExtraFiles.
const childFD = 3

func startWithChannel(cmd *exec.Cmd) (*channel, error) {
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
	if err := cmd.Start(); err != nil {
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

func (c *channel) send(payload []byte, files []*os.File) error {
	binary.BigEndian.PutUint32(c.head[:], uint32(len(payload)))
	var oob []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		oob = unix.UnixRights(fds...)
	}
	msg := append(c.head[:], payload...)
	n, err := retry(func() (int, error) { return unix.SendmsgN(c.fd, msg, oob, nil, noSignal) })
	for err == nil && n < len(msg) {
		msg = msg[n:]
		n, err = retry(func() (int, error) { return unix.SendmsgN(c.fd, msg, nil, nil, noSignal) })
	}
	return err
}

func (c *channel) receive(limit int) ([]byte, error) {
	if err := c.full(c.head[:]); err != nil {
		return nil, err
	}
	return c.body(limit)
}

func (c *channel) receiveWithFiles(limit int) ([]byte, []*os.File, error) {
	var oobn, flags int
	n, err := retry(func() (n int, err error) {
		n, oobn, flags, _, err = unix.Recvmsg(c.fd, c.head[:], c.oob[:], cloexec)
		return n, err
	})
	if err == nil && n == 0 {
		err = io.EOF
	}
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
	if err := c.full(c.head[n:]); err != nil {
		return nil, nil, err
	}
	body, err := c.body(limit)
	return body, files, err
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

func (c *channel) body(limit int) ([]byte, error) {
	n := binary.BigEndian.Uint32(c.head[:])
	if int64(n) > int64(limit) {
		return nil, fmt.Errorf("a message of %d bytes: more than %d", n, limit)
	}
	buf := make([]byte, n)
	return buf, c.full(buf)
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
