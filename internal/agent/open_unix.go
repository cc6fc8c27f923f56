//go:build unix

package agent

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// readOnly opens without waiting, should it be a pipe after all.
const readOnly = unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOFOLLOW | unix.O_CLOEXEC

// openWithin opens path without following any link. If there is one on the way,
// that to the named folder is resolved, and without a named folder that to the
// folder of the file; the rest is opened without following any again.
func openWithin(path string, named func() string) (*os.File, error) {
	fd, err := openStrict(path, readOnly)
	if errors.Is(err, unix.ELOOP) {
		root := named()
		if root == "" {
			root = filepath.Dir(path)
		}
		real, resolved := filepath.EvalSymlinks(root)
		if resolved == nil && real != root {
			fd, err = openStrict(filepath.Join(real, strings.TrimPrefix(path, root)), readOnly)
		}
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// openFolder opens a folder to list it, on the same terms.
func openFolder(path string) (*os.File, error) {
	fd, err := openStrict(path, readOnly|unix.O_DIRECTORY)
	if errors.Is(err, unix.ELOOP) {
		if real, resolved := filepath.EvalSymlinks(path); resolved == nil {
			fd, err = openStrict(real, readOnly|unix.O_DIRECTORY)
		}
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// stepwise opens path element by element from a handle to a handle, so that no
// element can be a link. ELOOP says that one is.
func stepwise(path string, flags int) (int, error) {
	at := unix.AT_FDCWD
	if filepath.IsAbs(path) {
		root, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return -1, err
		}
		at = root
	}
	elements := strings.FieldsFunc(filepath.Clean(path), func(r rune) bool { return r == '/' })
	for i, name := range elements {
		how := flags
		if i < len(elements)-1 {
			how = passing
		}
		next, err := again(func() (int, error) { return unix.Openat(at, name, how, 0) })
		if errors.Is(err, unix.ENOTDIR) && i < len(elements)-1 && isLink(at, name) {
			err = unix.ELOOP // a folder is asked for, and a link is told to be none
		}
		if at != unix.AT_FDCWD {
			unix.Close(at)
		}
		if err != nil {
			return -1, err
		}
		at = next
	}
	return at, nil
}

func isLink(at int, name string) bool {
	var st unix.Stat_t
	err := unix.Fstatat(at, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK
}

// again repeats a call that a signal interrupted.
func again(call func() (int, error)) (int, error) {
	for {
		fd, err := call()
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}
