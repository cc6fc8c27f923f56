package device

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// identityName is the identity's file in the state folder. It holds secrets.
const identityName = "device.json"

// maxIdentity bounds that file, in bytes.
const maxIdentity = 1 << 20

// stamp tells two versions of the file apart: `meetguard enroll` may write a new
// one under a running agent.
type stamp struct {
	changed time.Time
	size    int64
}

// folder is the state folder, and what was read there last.
type folder struct {
	dir  string
	seen stamp
}

// open opens the state folder, making it if need be, closed to others. A folder
// that is a link or that everyone may write to is refused.
func (f *folder) open() (*os.Root, error) {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make state folder: %w", err)
	}
	info, err := os.Lstat(filepath.Clean(f.dir))
	if err == nil && !info.IsDir() {
		err = errors.New("it is a link or no folder; give the folder itself")
	}
	if err != nil {
		return nil, fmt.Errorf("open state folder %s: %w", f.dir, err)
	}
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, fmt.Errorf("open state folder: %w", err)
	}
	if err := closeToOthers(root); err != nil {
		root.Close()
		return nil, fmt.Errorf("protect state folder %s: %w", f.dir, err)
	}
	return root, nil
}

// changed says whether the file is another one than was read or written last.
func (f *folder) changed() bool {
	info, err := os.Lstat(filepath.Join(f.dir, identityName))
	if err != nil {
		return f.seen != stamp{}
	}
	return stamp{info.ModTime(), info.Size()} != f.seen
}

// read returns the identity, and an empty one if there is none.
func (f *folder) read() (*identity, error) {
	root, err := f.open()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	data, seen, err := readPlain(root, identityName)
	if errors.Is(err, fs.ErrNotExist) {
		f.seen = stamp{}
		return &identity{Version: identityVersion}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	f.seen = seen
	id, err := parseIdentity(data)
	if err != nil {
		return nil, fmt.Errorf("read identity %s: %w", identityName, err)
	}
	return id, nil
}

// readPlain reads a regular file that is its owner's alone. The file is compared
// with its name after it was opened, so a link put there at the last moment is
// found too.
func readPlain(root *os.Root, name string) ([]byte, stamp, error) {
	before, err := root.Lstat(name)
	if err != nil {
		return nil, stamp{}, err
	}
	if !before.Mode().IsRegular() {
		return nil, stamp{}, fmt.Errorf("%s is a link or no regular file; remove it", name)
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, stamp{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, stamp{}, err
	case !os.SameFile(before, info):
		return nil, stamp{}, fmt.Errorf("%s was replaced meanwhile", name)
	case info.Size() > maxIdentity:
		return nil, stamp{}, fmt.Errorf("%s is too large", name)
	}
	if err := private(info); err != nil {
		return nil, stamp{}, fmt.Errorf("%s: %w", name, err)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxIdentity))
	return data, stamp{info.ModTime(), info.Size()}, err
}

// write replaces the identity by a new one that is on disk before it has the
// name, so that a crash leaves the old one or the new.
func (f *folder) write(id *identity) error {
	root, err := f.open()
	if err != nil {
		return err
	}
	defer root.Close()
	data, err := json.MarshalIndent(id, "", " ")
	if err != nil {
		return fmt.Errorf("write identity: %w", err)
	}
	if err := replace(root, identityName, append(data, '\n')); err != nil {
		return fmt.Errorf("write identity: %w", err)
	}
	if info, err := root.Lstat(identityName); err == nil {
		f.seen = stamp{info.ModTime(), info.Size()}
	}
	return nil
}

func replace(root *os.Root, name string, data []byte) error {
	tmp := name + ".tmp"
	if err := root.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := root.Rename(tmp, name); err != nil {
		return err
	}
	return syncFolder(root)
}
