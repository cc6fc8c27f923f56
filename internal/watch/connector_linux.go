package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"meetguard"
)

const (
	connectorBuffer = 8 << 20 // bytes of the socket's queue; 8 MiB took 10,000 launches in a row without loss
	connectorGroup  = 1       // CN_IDX_PROC as a multicast group
	datagramMost    = 4096    // bytes; a message has less than 100
	connectorNice   = -10     // of the thread that reads: a busy machine has it wait for longer than short launches live
)

// connector reads the proc connector. Ends are not asked for: they would come
// as often as forks, and the arguments of a launch have to be read in a hurry.
type connector struct {
	fd       int
	over     *os.File // readable once the listener is to stop
	stop     *os.File // the other end of it
	listened chan struct{}
	procs    *procfs
}

// openConnector opens the socket and asks for events. Only root may.
func openConnector(context.Context, *Launches) (listener, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("it needs root")
	}
	procs, err := newProcfs()
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_CONNECTOR)
	if err != nil {
		return nil, fmt.Errorf("open proc connector: %w", err)
	}
	if err := listen(fd, filters()); err != nil {
		unix.Close(fd)
		return nil, err
	}
	over, stop, err := os.Pipe()
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("open proc connector: %w", err)
	}
	return &connector{fd: fd, over: over, stop: stop, procs: procs, listened: make(chan struct{})}, nil
}

// filters tells whether the kernel sends only what is asked for: since 6.6.
func filters() bool {
	var name unix.Utsname
	var major, minor int
	if unix.Uname(&name) == nil {
		_, _ = fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor) // what cannot be read is old
	}
	return major > 6 || (major == 6 && minor >= 6)
}

// close ends listen, which has to have been called.
func (c *connector) close() {
	c.stop.Close()
	<-c.listened
	c.over.Close()
	unix.Close(c.fd)
}

func listen(fd int, filter bool) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, connectorBuffer); err != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, connectorBuffer) // as much as is allowed
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: connectorGroup}); err != nil {
		return fmt.Errorf("bind proc connector: %w", err)
	}
	if err := unix.Sendto(fd, listenMessage(filter), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("ask proc connector for events: %w", err)
	}
	return nil
}

// listen reads /proc at once, because the process may be gone a moment later,
// and does nothing else that could take time. It has a thread of its own, which
// ends with it: the kernel wakes it sooner than the runtime would.
func (c *connector) listen(ctx context.Context, tell func(told)) error {
	defer close(c.listened)
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), connectorNice) // without the right it is only slower
	buf := make([]byte, datagramMost)
	hear := func(e procEvent) { tell(c.hear(e)) }
	for ctx.Err() == nil {
		n, from, err := unix.Recvfrom(c.fd, buf, 0)
		switch {
		case errors.Is(err, unix.EAGAIN):
			if err := c.wait(); err != nil {
				return err
			}
		case errors.Is(err, unix.ENOBUFS):
			tell(told{kind: lost, count: 1})
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("read proc connector: %w", err)
		case fromKernel(from):
			parseConnector(buf[:n], hear)
		}
	}
	return nil
}

// wait returns when there is something to read, or the listener is to stop.
func (c *connector) wait() error {
	fds := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}, {Fd: int32(c.over.Fd()), Events: unix.POLLIN}}
	if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("wait for proc connector: %w", err)
	}
	return nil
}

// fromKernel tells a message of the kernel from one that a program sent.
func fromKernel(from unix.Sockaddr) bool {
	addr, ok := from.(*unix.SockaddrNetlink)
	return ok && addr.Pid == 0
}

// hear makes of an event what can still be read.
func (c *connector) hear(e procEvent) told {
	if e.kind == procEventFork {
		return told{kind: forked, proc: meetguard.Process{PID: e.pid, PPID: e.parent, Started: c.procs.moment(e.time)}}
	}
	proc, _ := c.procs.describe(e.pid)
	return told{kind: launched, proc: proc, seen: time.Now()}
}
