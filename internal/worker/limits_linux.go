package worker

import (
	"os"

	"golang.org/x/sys/unix"
)

// noSignal and cloexec are flags of sendmsg and recvmsg that not every Unix has.
const (
	noSignal = unix.MSG_NOSIGNAL
	cloexec  = unix.MSG_CMSG_CLOEXEC
)

// limitSelf bounds memory, core files and descriptors and gives up the right
// to gain privileges. RLIMIT_DATA counts what is really writable; RLIMIT_AS
// would count the runtime's reservations too.
func limitSelf() error {
	// Where memory is short the kernel ends this process, and not the one that starts
	// it again: see proc(5).
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("500"), 0)
	limits := map[int]uint64{unix.RLIMIT_DATA: memoryLimit, unix.RLIMIT_CORE: 0, unix.RLIMIT_NOFILE: 256, unix.RLIMIT_FSIZE: 0}
	for which, n := range limits {
		if err := unix.Setrlimit(which, &unix.Rlimit{Cur: n, Max: n}); err != nil {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
}

// await waits until there is something to read. Whoever waits in the read itself
// is woken a second time in each exchange, for nothing: when the other side takes
// what it was sent, the kernel wakes all who wait on the socket, in case they want
// to write.
func await(fd int) error {
	if fd < 0 {
		return unix.EBADF // which ppoll passes over
	}
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	_, err := retry(func() (int, error) { return unix.Ppoll(fds, nil, nil) })
	return err
}
