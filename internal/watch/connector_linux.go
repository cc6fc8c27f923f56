package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"meetguard"
)

const (
	connectorBuffer = 8 << 20         // bytes of the socket's queue; 8 MiB took 10,000 launches in a row without loss
	connectorGroup  = 1               // CN_IDX_PROC as a multicast group
	launchesHeld    = 1024            // launches between reader and emit
	proofTime       = 2 * time.Second // for the self-test
	datagramMost    = 4096            // bytes; a message has less than 100
)

// connector reads the proc connector. Its reader owns the table.
type connector struct {
	l     *Launches
	file  *os.File
	procs *procfs
	table *table
	out   chan seenLaunch
	proof chan int // pids whose launch was seen, while the self-test runs

	mu     sync.Mutex
	wanted bool // proof is read
}

// seenLaunch is a launch on its way from the reader.
type seenLaunch struct {
	node   *node
	source string
	time   time.Time
}

// runBest watches by the proc connector until ctx ends or it fails. It returns
// an error only if it does not work.
func runBest(ctx context.Context, l *Launches, out *launchOut) error {
	err := errors.New("the kernel gives no proc events")
	for _, filter := range filters() {
		if err = runConnector(ctx, l, out, filter); !errors.Is(err, errNoProof) {
			break
		}
	}
	return err
}

// filters are the ways to ask, best first: the kernel filters since 6.6.
func filters() []bool {
	var name unix.Utsname
	var major, minor int
	if unix.Uname(&name) == nil {
		fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor)
	}
	if major > 6 || (major == 6 && minor >= 6) {
		return []bool{true, false}
	}
	return []bool{false}
}

var errNoProof = errors.New("the proc connector told nothing of a launch made to test it, as in a container")

func runConnector(ctx context.Context, l *Launches, out *launchOut, filter bool) error {
	c, err := openConnector(l, filter)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.seed(ctx)
	ended := make(chan error, 1)
	go func() { ended <- c.read(ctx) }()
	err = c.prove(ctx)
	if err == nil {
		l.live(meetguard.SourceOK, "every launch is told by the kernel (proc connector)")
		err = c.send(ctx, out, ended)
	}
	cancel()
	c.file.Close()
	return errors.Join(err, <-ended)
}

// openConnector opens the socket and asks for events. Only root may.
func openConnector(l *Launches, filter bool) (*connector, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("the proc connector needs root")
	}
	procs, err := newProcfs()
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_CONNECTOR)
	if err != nil {
		return nil, fmt.Errorf("open proc connector: %w", err)
	}
	c := &connector{
		l: l, file: os.NewFile(uintptr(fd), "proc connector"), procs: procs, table: newTable(procs.describe),
		out: make(chan seenLaunch, launchesHeld), proof: make(chan int, launchesHeld),
	}
	if err := listen(fd, filter); err != nil {
		c.file.Close()
		return nil, err
	}
	return c, nil
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

// seed takes in what runs already.
func (c *connector) seed(ctx context.Context) {
	pids, err := c.l.system.pids(ctx)
	if err != nil {
		c.l.log.Warn("Processes not listed", "reason", err)
	}
	for _, pid := range pids {
		c.table.find(pid, 0)
	}
}

// prove launches a program that does nothing and waits until its launch is
// told.
func (c *connector) prove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	c.want(true)
	defer c.want(false)
	cmd := exec.CommandContext(ctx, "true")
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("launch a program to test the proc connector: %w", err)
	}
	defer cmd.Wait() // whatever it says: only its launch matters
	for {
		select {
		case pid := <-c.proof:
			if pid == cmd.Process.Pid {
				return nil
			}
		case <-ctx.Done():
			return errNoProof
		}
	}
}

func (c *connector) want(wanted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wanted = wanted
}

// send emits what the reader has read.
func (c *connector) send(ctx context.Context, out *launchOut, ended chan error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			ended <- nil
			return err
		case s := <-c.out:
			if err := out.send(ctx, s.node, s.source, s.time); err != nil {
				return err
			}
		}
	}
}

// read is the reader. It reads /proc at once, because the process may be gone
// a moment later, and nothing else that could take time.
func (c *connector) read(ctx context.Context) error {
	conn, err := c.file.SyscallConn()
	if err != nil {
		return fmt.Errorf("read proc connector: %w", err)
	}
	buf := make([]byte, datagramMost)
	for ctx.Err() == nil {
		n, from, err := receive(conn, buf)
		switch {
		case errors.Is(err, unix.ENOBUFS):
			c.lost(ctx)
		case errors.Is(err, unix.EINTR):
		case err != nil && ctx.Err() == nil:
			return fmt.Errorf("read proc connector: %w", err)
		case fromKernel(from):
			parseConnector(buf[:n], c.hear)
			c.table.forgetEnded(func() ([]int, error) { return c.l.system.pids(ctx) })
		}
	}
	return nil
}

// receiver is the part of syscall.RawConn that is used here.
type receiver interface {
	Read(func(fd uintptr) (done bool)) error
}

// receive waits for one datagram.
func receive(conn receiver, buf []byte) (n int, from unix.Sockaddr, err error) {
	closed := conn.Read(func(fd uintptr) bool {
		n, from, err = unix.Recvfrom(int(fd), buf, 0)
		return !errors.Is(err, unix.EAGAIN)
	})
	return n, from, errors.Join(closed, err)
}

// fromKernel tells a message of the kernel from one that a program sent.
func fromKernel(from unix.Sockaddr) bool {
	addr, ok := from.(*unix.SockaddrNetlink)
	return ok && addr.Pid == 0
}

func (c *connector) hear(e procEvent) {
	now := time.Now()
	if e.kind == procEventFork {
		c.table.fork(e.pid, e.parent, now)
		return
	}
	c.l.events.Add(1)
	proc, _ := c.procs.describe(e.pid) // what could be read of it
	c.testify(e.pid)
	n := c.table.exec(proc)
	if proc.Exe == "" && len(proc.Args) == 0 {
		c.l.unread.Add(1)
		return
	}
	c.push(n, sourceConnector, now)
}

// testify tells the self-test of a launch.
func (c *connector) testify(pid int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.wanted {
		return
	}
	select {
	case c.proof <- pid:
	default:
	}
}

// push hands a launch to send, unless it is one of this process.
func (c *connector) push(n *node, source string, now time.Time) {
	if n.proc.PPID == c.l.self {
		return
	}
	select {
	case c.out <- seenLaunch{n, source, now}:
	default:
		c.l.lost.Add(1)
	}
}

// lost makes good what the kernel could not queue, as far as it still runs.
func (c *connector) lost(ctx context.Context) {
	c.l.lost.Add(1)
	c.l.log.Warn("Launches lost, listing the processes", "reason", unix.ENOBUFS)
	pids, err := c.l.system.pids(ctx)
	if err != nil {
		return
	}
	now := time.Now()
	for _, pid := range pids {
		proc, err := c.procs.describe(pid)
		if err == nil && proc.Exe != "" && c.table.missed(proc) {
			delete(c.table.live, pid) // may be another process of that number
			c.push(c.table.exec(proc), sourcePoll, now)
		}
	}
}
