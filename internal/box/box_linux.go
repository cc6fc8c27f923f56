package box

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// Whom a worker of root becomes: a user that packages make for nothing else,
// or the one that owns nothing on any system.
const (
	scanUser = "meetguard-scan"
	nobody   = 65534
)

// enter goes from the outside in: each step needs a right that a later one takes
// away. Rights belong to threads, and a thread that keeps its own lends them to
// whoever takes the process over, so each step is taken on all of them.
func enter() Level {
	var l Level
	_, _ = time.Now().Zone() // has the library read the zone of the machine while it can
	uid, gid := account()
	if err := onAll(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0); err != nil {
		l.add("no new privileges", err)
	}
	l.become(uid, gid)
	if err := hide(); err != nil {
		l.add("not traceable", err)
	}
	abi, err := landlock()
	l.add(withNumber("landlock", abi), err)
	l.add("seccomp", filter())
	return l
}

func withNumber(name string, n int) string {
	if n > 0 {
		return name + " " + strconv.Itoa(n)
	}
	return name
}

// onAll makes a system call on every thread.
func onAll(number, a, b, c uintptr) error {
	if _, _, errno := psx.Syscall6(number, a, b, c, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

func account() (uid, gid int) {
	u, err := user.Lookup(scanUser)
	if err != nil {
		return nobody, nobody
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err1 != nil || err2 != nil || uid == 0 || gid == 0 {
		return nobody, nobody
	}
	return uid, gid
}

// become gives up root and every capability. A worker whose user nobody may
// kill but root needs a parent that may kill it: without CAP_KILL, which it has
// as its parent has it, it keeps its user.
func (l *Level) become(uid, gid int) {
	if os.Geteuid() != 0 {
		uid = os.Geteuid()
	} else if err := change(uid, gid); err != nil {
		l.add("a user of its own", err)
		uid = -1
	}
	if err := dropAll(); err != nil {
		l.add("no capabilities", err)
	}
	if uid > 0 {
		l.add("uid "+strconv.Itoa(uid), nil)
	}
}

// change is the C library's way with setuid, which reaches all threads.
func change(uid, gid int) error {
	if !may(unix.CAP_KILL) {
		return errors.New("the agent lacks CAP_KILL and could not end it")
	}
	_ = dropBounds() // needs CAP_SETPCAP; without new privileges there is nothing to gain from what stays
	if err := syscall.Setgroups(nil); err != nil {
		return fmt.Errorf("drop the groups: %w", err)
	}
	if err := syscall.Setresgid(gid, gid, gid); err != nil {
		return fmt.Errorf("become group %d: %w", gid, err)
	}
	if err := syscall.Setresuid(uid, uid, uid); err != nil {
		return fmt.Errorf("become user %d: %w", uid, err)
	}
	return nil
}

// may says whether this process has a capability.
func may(capability int) bool {
	var data [2]unix.CapUserData
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capget(&head, &data[0]); err != nil {
		return false
	}
	return data[capability/32].Effective&(1<<(capability%32)) != 0
}

// dropBounds takes every capability that is left from what a program could ever
// gain.
func dropBounds() error {
	for c := 0; ; c++ {
		held, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(c), 0, 0, 0)
		if errors.Is(err, unix.EINVAL) {
			return nil // the kernel knows no more
		}
		if err == nil && held == 1 {
			err = onAll(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, uintptr(c), 0)
		}
		if err != nil {
			return err
		}
	}
}

func dropAll() error {
	var none [2]unix.CapUserData
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	_, _, errno := psx.Syscall3(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&head)), uintptr(unsafe.Pointer(&none[0])), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// hide keeps other processes of the same user from tracing this one, and has it
// end with its parent, which a change of the user forgets.
func hide() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
}

// Rights of Landlock by the version of its interface that brought them
// (linux/landlock.h).
const (
	rightsV1     = unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1
	scopeErratum = 1 << 1 // errata: signals between threads of one process pass
)

// landlock refuses every access to files, to TCP and to what lies outside, as
// far as the kernel knows it, and gives the version of the interface.
func landlock() (int, error) {
	abi, err := landlockAsk(unix.LANDLOCK_CREATE_RULESET_VERSION)
	if err != nil {
		return 0, fmt.Errorf("this kernel has none: %w", err)
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: rightsV1}
	if abi >= 2 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= 3 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi >= 4 {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if abi >= 5 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if abi >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
		// each thread gets a domain of its own, and the runtime's threads signal each other
		if fixed, err := landlockAsk(unix.LANDLOCK_CREATE_RULESET_ERRATA); err == nil && fixed&scopeErratum != 0 {
			attr.Scoped |= unix.LANDLOCK_SCOPE_SIGNAL
		}
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return 0, fmt.Errorf("make a ruleset: %w", errno)
	}
	defer unix.Close(int(fd))
	if err := onAll(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); err != nil {
		return 0, fmt.Errorf("restrict the process: %w", err)
	}
	return abi, nil
}

func landlockAsk(what uintptr) (int, error) {
	n, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, what)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
