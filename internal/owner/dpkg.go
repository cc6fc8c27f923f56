package owner

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"meetguard"
)

// dpkg reads /var/lib/dpkg: info/PACKAGE.list holds one absolute path a line,
// diversions three lines for each file that one package moves out of the way of
// another (dpkg-query(1), dpkg-divert(1)).
type dpkg struct {
	at         func(string) string
	lists      *listing
	mu         sync.Mutex
	read       string // stamp of diversions
	diversions []diversion
}

// diversion: the file that others ship as from lies at to, unless it is by's.
type diversion struct{ from, to, by string }

func newDpkg(at func(string) string) *dpkg {
	info := at("/var/lib/dpkg/info")
	return &dpkg{at: at, lists: &listing{
		stamp: func() (string, error) { return stampOf(info) },
		files: func() ([]string, error) { return filepath.Glob(filepath.Join(escape(info), "*.list")) },
		paths: eachFile,
		owner: dpkgName,
	}}
}

// escape makes a folder's name plain text for Glob.
func escape(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// dpkgName is the package of a list, without its architecture: libc6 of
// info/libc6:amd64.list.
func dpkgName(file string) string {
	name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".list"), ":")
	return name
}

// eachFile visits the lines of a list that are no folders. dpkg writes a folder
// before what is in it; one that is empty passes for a file, which harms nobody.
func eachFile(list []byte, visit func([]byte) bool) {
	var last []byte
	for line := range bytes.Lines(list) {
		next := bytes.TrimSuffix(line, []byte("\n"))
		folder := len(next) > len(last) && next[len(last)] == '/' && bytes.HasPrefix(next, last)
		if len(last) > 0 && !folder && !visit(last) {
			return
		}
		last = next
	}
	if len(last) > 0 {
		visit(last)
	}
}

func (d *dpkg) of(name string) (*meetguard.Package, error) {
	diversions, err := d.readDiversions()
	if err != nil {
		return nil, err
	}
	for _, name := range merged(d.at, name) {
		pkg, err := d.find(diversions, name)
		if err != nil {
			return nil, err
		}
		if pkg != "" {
			return &meetguard.Package{Manager: "dpkg", Name: pkg}, nil
		}
	}
	return nil, nil
}

// find looks a path up as its package knows it.
func (d *dpkg) find(diversions []diversion, name string) (string, error) {
	if i := slices.IndexFunc(diversions, func(v diversion) bool { return v.to == name }); i >= 0 {
		v := diversions[i]
		return d.lists.find(v.from, func(pkg string) bool { return pkg != v.by })
	}
	if i := slices.IndexFunc(diversions, func(v diversion) bool { return v.from == name }); i >= 0 {
		by := diversions[i].by // ":" for the administrator, whom no package is called like
		return d.lists.find(name, func(pkg string) bool { return pkg == by })
	}
	return d.lists.find(name, func(string) bool { return true })
}

func (d *dpkg) readDiversions() ([]diversion, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	file := d.at("/var/lib/dpkg/diversions")
	now, err := stampOf(file)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil || now == d.read {
		return d.diversions, err
	}
	data, err := readList(file, nil)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if len(lines)%3 != 0 && string(data) != "" {
		return nil, fmt.Errorf("read dpkg's diversions: %d lines are no triples", len(lines))
	}
	d.diversions = nil
	for ; len(lines) >= 3; lines = lines[3:] {
		d.diversions = append(d.diversions, diversion{lines[0], lines[1], lines[2]})
	}
	d.read = now
	return d.diversions, nil
}
