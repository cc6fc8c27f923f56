package alert

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// Names in the state folder.
const (
	activeName = "alerts.jsonl" // part of the contract
	lockName   = "alerts.lock"
	cursorName = "cursor.json"
	acksName   = "acks.jsonl"
)

// rotatedName is the lasting name of the file whose first line has number seq.
// The number is padded so that names sort in the order of the chain.
func rotatedName(seq uint64) string {
	return fmt.Sprintf("alerts-%012d.jsonl", seq)
}

var reRotated = regexp.MustCompile(`^alerts-([0-9]{12,20})\.jsonl$`)

// errNotPlain is what a name of ours that is not a regular file gives.
var errNotPlain = errors.New("it is a symbolic link or no regular file; remove it, the agent never follows one here")

// openState opens the state folder. Everything in it is reached through the
// root, so that nothing outside is touched whatever the names in it become.
func openState(dir string) (*os.Root, error) {
	if err := checkFolder(dir); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open state folder: %w", err)
	}
	return root, nil
}

// checkFolder refuses a state folder that is itself a link: somebody else might
// decide where it leads.
func checkFolder(dir string) error {
	info, err := os.Lstat(filepath.Clean(dir)) // Clean takes a trailing slash off, which would follow the link
	switch {
	case err != nil:
		return fmt.Errorf("open state folder: %w", err)
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("open state folder %s: it is a symbolic link; give the folder itself", strconv.Quote(dir))
	case !info.IsDir():
		return fmt.Errorf("open state folder %s: it is not a folder", strconv.Quote(dir))
	}
	return nil
}

// createState makes the state folder if need be and closes it to others.
func createState(dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make state folder: %w", err)
	}
	root, err := openState(dir)
	if err != nil {
		return nil, err
	}
	if err := closeToOthers(root); err != nil {
		root.Close()
		return nil, fmt.Errorf("protect state folder %s: %w", strconv.Quote(dir), err)
	}
	return root, nil
}

// openPlain opens a regular file of the state folder and nothing else. The file
// is compared with its name after it was opened, so a link put in its place at
// the last moment is found too.
func openPlain(root *os.Root, name string, flag int) (*os.File, error) {
	before, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) && flag&os.O_CREATE != 0 {
		return root.OpenFile(name, flag|os.O_EXCL, 0o600) // O_EXCL follows no link
	}
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, fmt.Errorf("open %s: %w", name, errNotPlain)
	}
	f, err := root.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err == nil && !os.SameFile(before, after) {
		err = fmt.Errorf("open %s: it was replaced meanwhile: %w", name, errNotPlain)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// writeAtomic replaces a file by a new one that is on disk before it has the
// name, so that a crash leaves the old content or the new.
func writeAtomic(root *os.Root, name string, data []byte) error {
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

// logFile is one file of the log, opened for reading.
type logFile struct {
	*os.File
	name  string
	first uint64 // from the name; 0 for the active file
}

// openLog opens every file of the log, oldest first. The active file is opened
// before the folder is listed: if it is rotated in between, it turns up under
// its new name as well and is taken once.
func openLog(root *os.Root) (files []logFile, err error) {
	defer func() {
		if err != nil {
			closeAll(files)
			files = nil
		}
	}()
	active, err := openPlain(root, activeName, os.O_RDONLY)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open alert log: %w", err)
	}
	names, err := rotatedNames(root)
	if err != nil {
		return appendActive(nil, active), fmt.Errorf("list alert log: %w", err)
	}
	for _, n := range names {
		f, err := openPlain(root, n.name, os.O_RDONLY)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted by the agent after it was listed
		}
		if err != nil {
			return appendActive(files, active), fmt.Errorf("open alert log: %w", err)
		}
		if active != nil && same(f, active) {
			active.Close()
			active = nil
		}
		files = append(files, logFile{f, n.name, n.first})
	}
	return appendActive(files, active), nil
}

func appendActive(files []logFile, active *os.File) []logFile {
	if active == nil {
		return files
	}
	return append(files, logFile{active, activeName, 0})
}

func closeAll(files []logFile) {
	for _, f := range files {
		f.Close()
	}
}

func same(a, b *os.File) bool {
	x, err1 := a.Stat()
	y, err2 := b.Stat()
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

type rotated struct {
	name  string
	first uint64
}

func rotatedNames(root *os.Root) ([]rotated, error) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, err
	}
	var out []rotated
	for _, e := range entries {
		m := reRotated.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		if seq, err := strconv.ParseUint(m[1], 10, 64); err == nil && rotatedName(seq) == e.Name() {
			out = append(out, rotated{e.Name(), seq})
		}
	}
	slices.SortFunc(out, func(a, b rotated) int {
		if a.first < b.first {
			return -1
		}
		return 1
	})
	return out, nil
}
