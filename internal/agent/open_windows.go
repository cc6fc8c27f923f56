package agent

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/windows"
)

// errElsewhere is what a file gives that is not where its path says.
var errElsewhere = errors.New("it lies behind a link")

// openWithin opens path and compares where the file is with where the named
// folder is: a junction that took the place of a folder leads out of it.
func openWithin(path string, named func() string) (*os.File, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	root := named()
	if root == "" {
		return f, nil
	}
	if err := inside(f, root); err != nil {
		f.Close()
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return f, nil
}

// openFolder opens a folder to list it.
func openFolder(path string) (*os.File, error) { return os.Open(path) }

func inside(f *os.File, root string) error {
	dir, err := os.Open(root)
	if err != nil {
		return err
	}
	defer dir.Close()
	place, err1 := finalPath(dir)
	at, err2 := finalPath(f)
	if err1 != nil || err2 != nil {
		return nil // a volume that does not tell; to refuse it would be to see nothing of it
	}
	if !strings.HasPrefix(strings.ToLower(at), strings.ToLower(strings.TrimSuffix(place, `\`)+`\`)) {
		return errElsewhere
	}
	return nil
}

// finalPath is where an open file is, all links and short names resolved.
func finalPath(f *os.File) (string, error) {
	buf := make([]uint16, 1<<15) // the longest path of Windows
	n, err := windows.GetFinalPathNameByHandle(windows.Handle(f.Fd()), &buf[0], uint32(len(buf)), 0)
	if err != nil {
		return "", err
	}
	return windows.UTF16ToString(buf[:min(int(n), len(buf))]), nil
}

// openFile opens a file for reading with full sharing, so that nobody's rename
// or delete is held up, and without following a reparse point.
func openFile(path string) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE,
		nil, windows.OPEN_EXISTING, windows.FILE_FLAG_OPEN_REPARSE_POINT|windows.FILE_FLAG_SEQUENTIAL_SCAN, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}
