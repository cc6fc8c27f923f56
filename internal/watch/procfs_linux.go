package watch

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"meetguard"
)

const (
	cmdlineMost = 32 << 10 // bytes of arguments kept
	ticks       = 100      // USER_HZ: fixed for what the kernel tells programs
)

// procfs reads processes from /proc as fast as it can: a process may be gone a
// millisecond after its launch. It belongs to one goroutine.
type procfs struct {
	boot  time.Time     // the start of a process is told from here
	slept time.Duration // since boot, which the monotonic clock leaves out
	buf   []byte
}

func newProcfs() (*procfs, error) {
	var up, awake unix.Timespec
	err := errors.Join(unix.ClockGettime(unix.CLOCK_MONOTONIC, &awake), unix.ClockGettime(unix.CLOCK_BOOTTIME, &up))
	if err != nil {
		return nil, fmt.Errorf("read time since boot: %w", err)
	}
	return &procfs{
		boot: time.Now().Round(0).Add(-time.Duration(up.Nano())), slept: time.Duration(up.Nano() - awake.Nano()), buf: make([]byte, cmdlineMost),
	}, nil
}

// moment is a time of the monotonic clock, of which the kernel's events have
// nanoseconds.
func (p *procfs) moment(awake uint64) time.Time { return p.boot.Add(p.slept + time.Duration(awake)) }

// started reads only the start of a process.
func (p *procfs) started(pid int) (time.Time, error) {
	dir, err := unix.Open("/proc/"+strconv.Itoa(pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return time.Time{}, fmt.Errorf("open process %d: %w", pid, err)
	}
	defer unix.Close(dir)
	_, started, known := p.stat(p.file(dir, "stat"))
	if !known {
		return started, fmt.Errorf("read process %d: %w", pid, os.ErrNotExist)
	}
	return started, nil
}

// describe reads one process. User is its numeric id. The directory is held
// open over the reads, so that they never mix two processes of one number.
func (p *procfs) describe(pid int) (meetguard.Process, error) {
	d := meetguard.Process{PID: pid, OS: "linux"}
	dir, err := unix.Open("/proc/"+strconv.Itoa(pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return d, fmt.Errorf("open process %d: %w", pid, err)
	}
	defer unix.Close(dir)
	d.Args = splitArgs(p.file(dir, "cmdline"))
	d.Exe = p.link(dir, "exe")
	var known bool
	if d.PPID, d.Started, known = p.stat(p.file(dir, "stat")); !known {
		return d, fmt.Errorf("read process %d: %w", pid, os.ErrNotExist)
	}
	d.Cwd = p.link(dir, "cwd")
	d.User = uidOf(p.file(dir, "status"))
	return d, nil
}

// file reads the start of one file; the result is valid until the next call.
func (p *procfs) file(dir int, name string) []byte {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	n := 0
	for n < len(p.buf) {
		got, err := unix.Read(fd, p.buf[n:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || got == 0 {
			break
		}
		n += got
	}
	return p.buf[:n]
}

// link reads a link to a file. The kernel marks a file that has lost its name.
func (p *procfs) link(dir int, name string) string {
	n, err := unix.Readlinkat(dir, name, p.buf[:unix.PathMax])
	if err != nil {
		return ""
	}
	path := string(p.buf[:n])
	if bare, marked := strings.CutSuffix(path, " (deleted)"); marked {
		if _, err := os.Lstat(path); err != nil {
			return bare
		}
	}
	return path
}

// stat reads the parent and the start from /proc/PID/stat, see proc(5). The
// name in it may hold anything, so that the fields are counted from the last
// bracket.
func (p *procfs) stat(b []byte) (parent int, started time.Time, ok bool) {
	const fieldParent, fieldStart = 1, 19 // behind the name
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) <= fieldStart {
		return 0, time.Time{}, false
	}
	parent, err := strconv.Atoi(fields[fieldParent])
	start, err2 := strconv.ParseInt(fields[fieldStart], 10, 64)
	if err != nil || err2 != nil {
		return 0, time.Time{}, false
	}
	return parent, p.boot.Add(time.Duration(start) * (time.Second / ticks)), true
}

// uidOf reads the real user id from /proc/PID/status.
func uidOf(b []byte) string {
	_, rest, _ := bytes.Cut(b, []byte("\nUid:\t"))
	uid, _, _ := bytes.Cut(rest, []byte("\t"))
	return string(uid)
}
