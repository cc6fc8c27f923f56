package owner

import (
	"bytes"
	"path/filepath"
	"strings"

	"meetguard"
)

// newPacman reads the local database of pacman: a folder NAME-VERSION-RELEASE
// for each package, in it "files" with one path a line, relative to the root,
// in the section %FILES%; folders end in a slash.
func newPacman(local string) *listing {
	return &listing{
		stamp: func() (string, error) { return stampOf(local) },
		files: func() ([]string, error) { return filepath.Glob(filepath.Join(escape(local), "*", "files")) },
		paths: pacmanPaths,
		owner: pacmanName,
	}
}

func pacmanPaths(list []byte, visit func([]byte) bool) {
	within, name := false, []byte{'/'}
	for line := range bytes.Lines(list) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		switch {
		case bytes.HasPrefix(line, []byte("%")):
			within = string(line) == "%FILES%"
		case within && len(line) > 0 && line[len(line)-1] != '/':
			if name = append(name[:1], line...); !visit(name) {
				return
			}
		}
	}
}

// pacmanName is zoom of local/zoom-6.2.11-1/files.
func pacmanName(file string) string {
	name := filepath.Base(filepath.Dir(file))
	for range 2 {
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			name = name[:i]
		}
	}
	return name
}

func (o *Owner) pacmanOf(name string) (*meetguard.Package, error) {
	for _, name := range o.merged(name) {
		pkg, err := o.pacman.find(name, func(string) bool { return true })
		if err != nil {
			return nil, err
		}
		if pkg != "" {
			return &meetguard.Package{Manager: "pacman", Name: pkg}, nil
		}
	}
	return nil, nil
}
