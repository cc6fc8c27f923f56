package box

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// profile lets a process do what needs no name: compute, read and write what it
// has open, have threads. It is read by the system's own sandbox(7).
const profile = `(version 1)
(deny default)
(allow sysctl-read)
(allow signal (target self))
`

// enter has the system's sandbox shut the process in. sandbox_init(3) is called
// deprecated since 10.8 and is what browsers use to this day; it is looked for
// when it is needed, so that a system without it loses the box alone.
func enter() Level {
	var l Level
	_, _ = time.Now().Zone() // has the library read the zone of the machine while it can
	uid, err := become()
	l.add("a user of its own", err)
	if err == nil {
		l.Parts = []string{fmt.Sprintf("uid %d", uid)}
	}
	l.add("sandbox", sandbox())
	return l
}

// nobody is the user "nobody" of macOS, as a number that setuid(2) takes.
const nobody = 1<<32 - 2

// become gives up root. A process that has none keeps its user.
func become() (int, error) {
	if os.Geteuid() != 0 {
		return os.Geteuid(), nil
	}
	gone := nobody
	if err := syscall.Setgroups([]int{gone}); err != nil {
		return 0, err
	}
	if err := syscall.Setgid(gone); err != nil {
		return 0, err
	}
	return gone, syscall.Setuid(gone)
}

func sandbox() error {
	init, err := symbol("sandbox_init")
	if err != nil {
		return err
	}
	text, err := unix.BytePtrFromString(profile)
	if err != nil {
		return err
	}
	var why *byte
	if status, _, _ := syscall_syscall(init, uintptr(unsafe.Pointer(text)), 0, uintptr(unsafe.Pointer(&why))); int32(status) != 0 {
		return errors.New(unix.BytePtrToString(why))
	}
	return nil
}

// symbol finds a function of the libraries that every process has.
func symbol(name string) (uintptr, error) {
	text, err := unix.BytePtrFromString(name)
	if err != nil {
		return 0, err
	}
	const everywhere = ^uintptr(1) // RTLD_DEFAULT, -2 (dlfcn.h)
	at, _, _ := syscall_syscall(dlsymAddress, everywhere, uintptr(unsafe.Pointer(text)), 0)
	if at == 0 {
		return 0, errors.New("this system has no " + name)
	}
	return at, nil
}

var dlsymAddress uintptr // of the trampoline in dlsym_darwin.s

//go:cgo_import_dynamic box_dlsym dlsym "/usr/lib/libSystem.B.dylib"

//go:linkname syscall_syscall syscall.syscall
func syscall_syscall(fn, a1, a2, a3 uintptr) (r1, r2 uintptr, err syscall.Errno)

func refused(err error) bool { return errors.Is(err, fs.ErrPermission) }

func ownProbes() []Probe {
	return []Probe{
		{"connect by TCP", func(string) error { return dial("tcp") }},
		{"send by UDP", func(string) error { return dial("udp") }},
		{"listen", func(string) error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err == nil {
				l.Close()
			}
			return err
		}},
		{"signal its parent", func(string) error { return syscall.Kill(os.Getppid(), 0) }},
		{"read a password file", func(string) error { return open(os.O_RDONLY)("/etc/passwd") }},
		{"become root", func(string) error { return syscall.Setuid(0) }},
		{"connect to a socket in a folder", func(string) error {
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			return unix.Connect(fd, &unix.SockaddrUnix{Name: "/var/run/syslog"})
		}},
	}
}

// dial goes to a port of this machine where nobody listens, and sends a byte.
func dial(network string) error {
	c, err := net.DialTimeout(network, "127.0.0.1:9", time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte{0})
	return err
}
