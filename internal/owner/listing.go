package owner

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"slices"
	"sort"
	"sync"
)

// Limits of a listing. A desktop has some 300,000 files in 3,000 packages.
const (
	maxSlots    = 1 << 20  // files of all packages; 8 bytes each are kept
	maxListFile = 64 << 20 // bytes of the list of one package
)

// listing finds paths in the lists that a package manager keeps, one file for
// each package. It keeps no path, only a hash of each with its package, and
// looks into the package's own list again before it answers: 300,000 paths cost
// 2.4 MB instead of 30. The hash has a secret seed, and a false hit is found
// out, so nobody can make a file look owned by its name.
type listing struct {
	stamp func() (string, error)                     // changes whenever a list may have changed
	files func() ([]string, error)                   // the list of each package
	paths func(list []byte, visit func([]byte) bool) // every path in a list; visit says whether to go on, and keeps none
	owner func(file string) string                   // the package that a list is of

	mu    sync.Mutex
	built string // the stamp that slots and lists are of
	seed  maphash.Seed
	lists []string
	slots []slot // sorted by hash
}

// slot is one path: its hash, and the index of its list.
type slot struct{ hash, list uint32 }

// find gives the package that lists a path and that ok accepts; "" if none.
func (l *listing) find(name string, ok func(pkg string) bool) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(); err != nil || len(l.slots) == 0 {
		return "", err
	}
	h := l.hash([]byte(name))
	at := sort.Search(len(l.slots), func(i int) bool { return l.slots[i].hash >= h })
	for ; at < len(l.slots) && l.slots[at].hash == h; at++ {
		file := l.lists[l.slots[at].list]
		pkg := l.owner(file)
		if !ok(pkg) {
			continue
		}
		if has, err := l.holds(file, name); err != nil {
			return "", err
		} else if has {
			return pkg, nil
		}
	}
	return "", nil
}

func (l *listing) hash(name []byte) uint32 { return uint32(maphash.Bytes(l.seed, name)) }

// holds says whether one list holds a path.
func (l *listing) holds(file, name string) (bool, error) {
	data, err := readList(file, nil)
	found := false
	l.paths(data, func(p []byte) bool {
		found = string(p) == name
		return !found
	})
	return found, err
}

// refresh reads the lists anew if they changed. A manager that is not installed
// has none.
func (l *listing) refresh() error {
	now, err := l.stamp()
	if errors.Is(err, fs.ErrNotExist) {
		l.built, l.slots, l.lists = "", nil, nil
		return nil
	}
	if err != nil || now == l.built {
		return err
	}
	if err := l.build(); err != nil {
		l.built, l.slots, l.lists = "", nil, nil
		return err
	}
	l.built = now
	return nil
}

func (l *listing) build() error {
	files, err := l.files()
	if err != nil {
		return err
	}
	l.seed, l.lists, l.slots = maphash.MakeSeed(), files, l.slots[:0]
	var data []byte
	for i, f := range files {
		if data, err = readList(f, data); err != nil {
			return err
		}
		l.paths(data, func(p []byte) bool {
			l.slots = append(l.slots, slot{l.hash(p), uint32(i)})
			return len(l.slots) <= maxSlots
		})
		if len(l.slots) > maxSlots {
			return fmt.Errorf("read the lists of packages: they hold more than %d files", maxSlots)
		}
	}
	l.slots = slices.Clip(slices.Clone(l.slots)) // what append had in reserve is not kept
	slices.SortFunc(l.slots, func(a, b slot) int { return int(int64(a.hash) - int64(b.hash)) })
	return nil
}

// readList reads one list, into the room of buf if that is enough. One that is
// gone was removed since it was listed.
func readList(file string, buf []byte) ([]byte, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return buf[:0], nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a list of packages: %w", err)
	}
	defer f.Close()
	b := bytes.NewBuffer(buf[:0])
	if _, err := b.ReadFrom(io.LimitReader(f, maxListFile+1)); err != nil {
		return nil, fmt.Errorf("read a list of packages: %w", err)
	}
	if b.Len() > maxListFile {
		return nil, fmt.Errorf("read a list of packages: it has more than %d bytes", maxListFile)
	}
	return b.Bytes(), nil
}

// stampOf joins what tells one state of files and folders from the next: size
// and time of the last change. The first must exist.
func stampOf(names ...string) (string, error) {
	out := ""
	for i, name := range names {
		fi, err := os.Stat(name)
		if err != nil {
			if i == 0 || !errors.Is(err, fs.ErrNotExist) {
				return "", err
			}
			out += "none;"
			continue
		}
		out += fmt.Sprintf("%d %d;", fi.Size(), fi.ModTime().UnixNano())
	}
	return out, nil
}
