package watch

import (
	"fmt"
	"os"
	"path/filepath"
)

// Identity tells one content of one file from another. CTime is what makes it
// hard to fool: a process can set the modification time back, never the change
// time.
type Identity struct {
	Dev, Ino     uint64
	Size         int64 // bytes
	MTime, CTime int64 // nanoseconds since 1970
}

// bundleEntries bounds how much of a bundle is looked at for its identity.
const bundleEntries = 20_000

// Identify looks at path without following a symbolic link. A directory gets
// the identity of its tree, see survey, so that a change anywhere in a bundle
// shows; the first 20,000 entries count.
func Identify(path string) (Identity, error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return Identity{}, fmt.Errorf("identify %+q: %w", path, err)
	}
	if !fi.IsDir() {
		return IdentityOf(fi), nil
	}
	return survey(path, fi, func(string, os.FileInfo) {}), nil
}

// survey sums up a tree: device and inode of its top, the size of all its
// files, and the latest times found in it. visit is called for each directory
// before it is listed, the top first. What cannot be read is left out.
func survey(top string, fi os.FileInfo, visit func(path string, fi os.FileInfo)) Identity {
	sum := IdentityOf(fi)
	sum.Size = 0
	left := bundleEntries
	open := []string{top}
	visit(top, fi)
	for len(open) > 0 {
		dir := open[len(open)-1]
		open = open[:len(open)-1]
		for _, fi := range members(dir, &left) {
			sum.add(IdentityOf(fi), fi.Mode().IsRegular())
			if sub := filepath.Join(dir, fi.Name()); fi.IsDir() {
				visit(sub, fi)
				open = append(open, sub)
			}
		}
	}
	return sum
}

// add takes one more entry into the sum of a tree.
func (id *Identity) add(e Identity, file bool) {
	if file {
		id.Size += e.Size
	}
	id.MTime = max(id.MTime, e.MTime)
	id.CTime = max(id.CTime, e.CTime)
}

// members lists a directory, at most *left entries, which it takes from *left.
func members(dir string, left *int) []os.FileInfo {
	if *left <= 0 {
		return nil
	}
	d, err := openFolder(dir, false)
	if err != nil {
		return nil
	}
	defer d.Close()
	entries, _ := d.ReadDir(*left)
	*left -= len(entries)
	infos := make([]os.FileInfo, 0, len(entries))
	for _, e := range entries {
		if fi, err := e.Info(); err == nil {
			infos = append(infos, fi)
		}
	}
	return infos
}
