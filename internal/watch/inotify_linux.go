package watch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

const nameInotify = "inotify"

// What is asked of the kernel, see inotify(7). A close after writing and a
// rename into the folder say that a file is complete. A creation matters for
// directories, hard links and O_TMPFILE files that are linked in.
const (
	watchMask = unix.IN_CLOSE_WRITE | unix.IN_MOVED_TO | unix.IN_CREATE | selfMask
	selfMask  = unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR | unix.IN_EXCL_UNLINK
	// anchorMask is for the parent of a root: only names that appear there.
	anchorMask = unix.IN_MOVED_TO | unix.IN_CREATE | selfMask | unix.IN_MASK_ADD
)

// inotifyBuffer holds the events of one read: 64 KiB are 2,000 to 4,000 events.
const inotifyBuffer = 64 << 10

// inotify watches single directories with one instance of inotify(7).
type inotify struct {
	file *os.File

	mu   sync.Mutex // held over inotify_add_watch, so that no event of a watch is read before its path is known
	dirs map[int32]string
	wds  map[string]int32
}

func openInotify() (backend, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if errors.Is(err, unix.EMFILE) {
		return nil, errors.New("open inotify: no instance is left for this user, raise fs.inotify.max_user_instances")
	}
	if err != nil {
		return nil, fmt.Errorf("open inotify: %w", err)
	}
	return &inotify{file: os.NewFile(uintptr(fd), "inotify"), dirs: map[int32]string{}, wds: map[string]int32{}}, nil
}

func (n *inotify) name() string { return nameInotify }

func (n *inotify) watch(dir string, root bool) error {
	mask := uint32(watchMask)
	if !root {
		mask |= unix.IN_DONT_FOLLOW
	}
	return n.add(dir, mask)
}

func (n *inotify) anchor(dir string) error { return n.add(dir, anchorMask) }

// add watches dir. The kernel gives one watch per directory, whatever its
// path: a directory that moved keeps its watch and gets its new path here.
func (n *inotify) add(dir string, mask uint32) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	wd, err := n.addWatch(dir, mask)
	if errors.Is(err, unix.ENOSPC) {
		return fmt.Errorf("%w, raise fs.inotify.max_user_watches", errWatchLimit)
	}
	if err != nil {
		return &os.PathError{Op: "watch", Path: dir, Err: err}
	}
	if old, ok := n.dirs[wd]; ok && old != dir {
		if mask&unix.IN_MASK_ADD != 0 {
			return nil // an anchor never takes the path of what is watched
		}
		delete(n.wds, old)
	}
	if old, ok := n.wds[dir]; ok && old != wd {
		n.remove(old)
	}
	n.dirs[wd], n.wds[dir] = dir, wd
	return nil
}

// addWatch calls the kernel. SyscallConn keeps the descriptor from being
// closed, and given to somebody else, during the call.
func (n *inotify) addWatch(dir string, mask uint32) (wd int32, err error) {
	conn, err := n.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	var made int
	closed := conn.Control(func(fd uintptr) { made, err = unix.InotifyAddWatch(int(fd), dir, mask) })
	return int32(made), errors.Join(closed, err)
}

func (n *inotify) unwatch(dir string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if wd, ok := n.wds[dir]; ok {
		delete(n.wds, dir)
		n.remove(wd)
	}
}

// remove ends a watch. It fails for one that the kernel ended itself.
func (n *inotify) remove(wd int32) {
	delete(n.dirs, wd)
	if conn, err := n.file.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { _, _ = unix.InotifyRmWatch(int(fd), uint32(wd)) })
	}
}

func (n *inotify) close() error { return n.file.Close() }

// read is the reader: it turns events into hints and does nothing else.
func (n *inotify) read(ears ears) error {
	buf := make([]byte, inotifyBuffer)
	for {
		if ears.pause != nil {
			ears.pause()
		}
		got, err := n.file.Read(buf)
		if errors.Is(err, os.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read inotify: %w", err)
		}
		parseInotify(buf[:got], func(e inotifyEvent) { n.hear(e, ears) })
	}
}

// hear passes one event on.
func (n *inotify) hear(e inotifyEvent, ears ears) {
	if e.mask&unix.IN_Q_OVERFLOW != 0 {
		ears.lost(errOverflow)
		return
	}
	dir, ok := n.dirOf(e)
	if !ok {
		return
	}
	switch {
	case len(e.name) == 0: // about the directory itself
		ears.changed(dir, 0)
	case e.mask&unix.IN_CREATE != 0 && e.mask&unix.IN_ISDIR == 0:
		ears.changed(filepath.Join(dir, string(e.name)), quietOpen)
	default:
		ears.changed(filepath.Join(dir, string(e.name)), 0)
	}
}

// dirOf returns the path of the watch, and forgets a watch that the kernel
// says has ended.
func (n *inotify) dirOf(e inotifyEvent) (string, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	dir, ok := n.dirs[e.wd]
	if ok && e.mask&unix.IN_IGNORED != 0 {
		delete(n.dirs, e.wd)
		if n.wds[dir] == e.wd {
			delete(n.wds, dir)
		}
	}
	return dir, ok
}

// inotifyEvent is struct inotify_event of inotify(7), without the cookie.
type inotifyEvent struct {
	wd   int32
	mask uint32
	name []byte // without the padding; valid during the call only
}

// parseInotify calls each for the events of one read.
func parseInotify(b []byte, each func(inotifyEvent)) {
	for len(b) >= unix.SizeofInotifyEvent {
		e := inotifyEvent{wd: int32(binary.NativeEndian.Uint32(b)), mask: binary.NativeEndian.Uint32(b[4:])}
		size := binary.NativeEndian.Uint32(b[12:])
		b = b[unix.SizeofInotifyEvent:]
		if uint64(size) > uint64(len(b)) {
			return
		}
		e.name, b = b[:size], b[size:]
		for len(e.name) > 0 && e.name[len(e.name)-1] == 0 {
			e.name = e.name[:len(e.name)-1]
		}
		each(e)
	}
}
