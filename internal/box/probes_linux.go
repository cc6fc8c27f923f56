package box

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// refused tells a refusal from every other end of a system call. One that fails
// because what it was given makes no sense was let through.
func refused(err error) bool { return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) }

// probes are what an intruder would try, by way of plain system calls: the names
// that the Go library puts around them would do other things first.
func probes() []Probe {
	in := func(name string, call func(path string) error) func(string) error {
		return func(scratch string) error { return call(filepath.Join(scratch, name)) }
	}
	return []Probe{
		{"open a file", in("file", open(unix.O_RDONLY))},
		{"open a file for writing", in("file", open(unix.O_WRONLY))},
		{"create a file", in("new", open(unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL))},
		{"create a file without a name", in("", open(unix.O_WRONLY|unix.O_TMPFILE))},
		{"open a folder", in("", open(unix.O_RDONLY|unix.O_DIRECTORY))},
		{"open a device", func(string) error { return open(unix.O_RDWR)("/dev/null") }},
		{"open a file by openat2", in("file", func(p string) error {
			return opened(unix.Openat2(unix.AT_FDCWD, p, &unix.OpenHow{Flags: unix.O_RDONLY}))
		})},
		{"open its own memory", func(string) error { return open(unix.O_RDWR)("/proc/self/mem") }},
		{"list the processes", func(string) error { return open(unix.O_RDONLY | unix.O_DIRECTORY)("/proc") }},
		{"read a password file", func(string) error { return open(unix.O_RDONLY)("/etc/passwd") }},
		{"look at a file", in("file", func(p string) error {
			var st unix.Stat_t
			return unix.Fstatat(unix.AT_FDCWD, p, &st, 0)
		})},
		{"look at a file by statx", in("file", func(p string) error {
			var st unix.Statx_t
			return unix.Statx(unix.AT_FDCWD, p, 0, unix.STATX_BASIC_STATS, &st)
		})},
		{"read a link", in("", func(string) error { _, err := unix.Readlink("/proc/self/exe", make([]byte, 64)); return err })},
		{"make a folder", in("made", func(p string) error { return unix.Mkdirat(unix.AT_FDCWD, p, 0o700) })},
		{"make a link", in("made-link", func(p string) error { return unix.Symlinkat("/etc", unix.AT_FDCWD, p) })},
		{"make a pipe with a name", in("made-pipe", func(p string) error { return unix.Mknodat(unix.AT_FDCWD, p, unix.S_IFIFO|0o600, 0) })},
		{"link a file", in("file", func(p string) error { return unix.Linkat(unix.AT_FDCWD, p, unix.AT_FDCWD, p+"-linked", 0) })},
		{"rename a file", in("from", func(p string) error { return unix.Renameat2(unix.AT_FDCWD, p, unix.AT_FDCWD, p+"-to", 0) })},
		{"remove a file", in("victim", func(p string) error { return unix.Unlinkat(unix.AT_FDCWD, p, 0) })},
		{"change the rights of a file", in("file", func(p string) error { return unix.Fchmodat(unix.AT_FDCWD, p, 0o600, 0) })},
		{"cut a file short", in("file", func(p string) error { return unix.Truncate(p, 0) })},
		{"change its folder", in("", unix.Chdir)},
		{"connect by TCP", func(string) error {
			return connect(unix.AF_INET, unix.SOCK_STREAM, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}})
		}},
		{"send by UDP", func(string) error {
			return connect(unix.AF_INET, unix.SOCK_DGRAM, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}})
		}},
		{"connect to a socket in a folder", in("none", func(p string) error { return connect(unix.AF_UNIX, unix.SOCK_STREAM, &unix.SockaddrUnix{Name: p}) })},
		{"connect to an abstract socket", func(string) error {
			return connect(unix.AF_UNIX, unix.SOCK_STREAM, &unix.SockaddrUnix{Name: "@meetguard-probe"})
		}},
		{"talk to the kernel by netlink", func(string) error {
			return connect(unix.AF_NETLINK, unix.SOCK_RAW, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
		}},
		{"make a pair of sockets", func(string) error {
			pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			if err == nil {
				unix.Close(pair[0])
				unix.Close(pair[1])
			}
			return err
		}},
		{"run a program", in("none", func(p string) error { return unix.Exec(p, []string{p}, nil) })},
		{"run an open file", func(string) error {
			var empty [1]byte
			return call(unix.SYS_EXECVEAT, 1<<20, uintptr(unsafe.Pointer(&empty[0])), 0, 0, unix.AT_EMPTY_PATH)
		}},
		{"make a process", func(string) error {
			p, err := os.StartProcess("/proc/self/exe", []string{"probe", "-test.run=^$"}, &os.ProcAttr{})
			if err == nil {
				_ = p.Kill()
				_, _ = p.Wait()
			}
			return err
		}},
		{"signal its parent", func(string) error { return unix.Kill(os.Getppid(), 0) }},
		{"signal a thread of its parent", func(string) error { return unix.Tgkill(os.Getppid(), os.Getppid(), 0) }},
		{"hold a process", func(string) error { return call(unix.SYS_PIDFD_OPEN, uintptr(os.Getppid()), 0) }},
		{"trace a process", func(string) error { return call(unix.SYS_PTRACE, unix.PTRACE_PEEKDATA, uintptr(os.Getppid()), 0, 0) }},
		{"read another memory", func(string) error {
			var b [1]byte
			at := unix.RemoteIovec{Base: uintptr(unsafe.Pointer(&b[0])), Len: 1}
			_, err := unix.ProcessVMReadv(os.Getpid(), []unix.Iovec{{Base: &b[0], Len: 1}}, []unix.RemoteIovec{at}, 0)
			return err
		}},
		{"mount", in("", func(p string) error { return unix.Mount("none", p, "no-such-system", 0, "") })},
		{"enter a namespace", func(string) error { return unix.Unshare(unix.CLONE_NEWUSER) }},
		{"change its root", in("none", unix.Chroot)},
		{"become root", func(string) error { return call(unix.SYS_SETRESUID, 0, 0, 0) }},
		{"raise a limit", func(string) error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: 0, Max: 0}) }},
		{"use io_uring", func(string) error {
			var params [120]byte
			return opened(number(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params[0]))))
		}},
		{"make a file in memory", func(string) error { return opened(unix.MemfdCreate("probe", 0)) }},
		{"map memory to run", func(string) error {
			mem, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err == nil {
				err = unix.Munmap(mem)
			}
			return err
		}},
		{"make memory run", func(string) error {
			mem, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err != nil {
				return nil // what was asked for is not what was refused
			}
			defer unix.Munmap(mem)
			return unix.Mprotect(mem, unix.PROT_READ|unix.PROT_EXEC)
		}},
		{"load a program into the kernel", func(string) error { return call(unix.SYS_BPF, 1<<20, 0, 0) }},
		{"count the kernel's events", func(string) error { return call(unix.SYS_PERF_EVENT_OPEN, 0, 0, 0, 0, 0) }},
		{"handle page faults", func(string) error { return opened(number(unix.SYS_USERFAULTFD, unix.O_CLOEXEC)) }},
		{"watch files by inotify", func(string) error { return opened(unix.InotifyInit1(unix.IN_CLOEXEC)) }},
		{"watch files by fanotify", func(string) error { return opened(unix.FanotifyInit(unix.FAN_CLASS_NOTIF, 0)) }},
		{"use the kernel's keys", func(string) error { _, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_PROCESS_KEYRING, true); return err }},
		{"share memory with others", func(string) error { return call(unix.SYS_SHMGET, unix.IPC_PRIVATE, 4096, 0o600) }},
		{"lock a file that it was given", func(string) error {
			return unix.FcntlFlock(0, unix.F_SETLK, &unix.Flock_t{Type: unix.F_UNLCK})
		}},
		{"send a signal by way of a file", func(string) error { _, err := unix.FcntlInt(0, unix.F_SETOWN, os.Getpid()); return err }},
		{"command a device", func(string) error { _, err := unix.IoctlGetInt(0, unix.TIOCGSID); return err }},
		{"read the kernel's log", func(string) error { _, err := unix.Klogctl(10, nil); return err }}, // 10: its size
		{"set the clock", func(string) error { return unix.ClockSettime(1<<20, &unix.Timespec{}) }},
		{"load a module", func(string) error { return unix.FinitModule(1<<20, "", 0) }},
		{"be traceable again", func(string) error { return unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) }},
	}
}

func open(flags int) func(string) error {
	return func(path string) error { return opened(unix.Open(path, flags|unix.O_CLOEXEC, 0o600)) }
}

// opened closes what a probe got.
func opened(fd int, err error) error {
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func connect(family, kind int, to unix.Sockaddr) error {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Connect(fd, to)
}

func call(nr uintptr, args ...uintptr) error {
	_, err := number(nr, args...)
	return err
}

func number(nr uintptr, args ...uintptr) (int, error) {
	var a [6]uintptr
	copy(a[:], args)
	n, _, errno := syscall.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}
