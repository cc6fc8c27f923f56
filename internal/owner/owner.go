// Package owner tells which package manager put a file where it lies. That is a
// fact for whoever reads an alert ("this is Debian's package zoom"), and never
// a pardon: a package manager's record names a path and not its content, and
// some records lie where an ordinary user may write (meetguard.Package.Loose).
//
// It reads the managers' own records and runs nothing: the lists of dpkg and
// pacman, the database of rpm, the folders of flatpak, snap and Homebrew, the
// receipts of macOS, the uninstall entries of Windows.
package owner

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode"

	"meetguard"
)

// Owner answers who owns a path. It is safe for concurrent use.
type Owner struct {
	root    string
	dpkg    *dpkg
	pacman  *listing
	sources []source
}

// source is one package manager. Its answer is nil if the path is not its own.
type source func(name string) (*meetguard.Package, error)

// New makes an Owner for the system below root, "" for the running one. It
// reads nothing yet: records are read when they are needed, and again when they
// changed.
func New(root string) *Owner {
	o := &Owner{root: root}
	o.dpkg, o.pacman = newDpkg(o.at), newPacman(o.at("/var/lib/pacman/local"))
	o.sources = []source{o.dpkg.of, o.pacmanOf, o.rpmOf, o.flatpak, o.snap, o.homebrew, o.windows}
	return o
}

// at is where a path of the system lies for this process.
func (o *Owner) at(name string) string { return filepath.Join(o.root, filepath.FromSlash(name)) }

// Of gives the package that owns the file at an absolute path of the system, or
// nil if no record names it. An error means that some record could not be read,
// so that nothing is known.
func (o *Owner) Of(name string) (*meetguard.Package, error) {
	if !path.IsAbs(name) && !filepath.IsAbs(name) {
		return nil, fmt.Errorf("find the owner of %+q: the path is not absolute", name)
	}
	if path.IsAbs(name) {
		name = path.Clean(name)
	}
	var all []error
	for _, ask := range o.sources {
		p, err := ask(name)
		if err != nil {
			all = append(all, err)
		} else if p != nil {
			p.Name = shown(p.Name)
			return p, nil
		}
	}
	return nil, errors.Join(all...)
}

// maxName bounds the name of a package, in characters.
const maxName = 128

// shown is a name that neither turns nor forges a line.
func shown(name string) string {
	rs := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, name))
	return string(rs[:min(len(rs), maxName)])
}

// merged gives the paths under which a record may name a file: since /bin is a
// link to /usr/bin, one file has two names, and records use either.
func (o *Owner) merged(name string) []string { return merged(o.at, name) }

func merged(at func(string) string, name string) []string {
	out := []string{name}
	for _, dir := range []string{"/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/"} {
		other := ""
		switch {
		case strings.HasPrefix(name, dir):
			other = "/usr" + name
		case strings.HasPrefix(name, "/usr"+dir):
			other = strings.TrimPrefix(name, "/usr")
		default:
			continue
		}
		if to, err := os.Readlink(at(strings.TrimSuffix(dir, "/"))); err == nil && strings.Trim(to, "/") == "usr"+strings.TrimSuffix(dir, "/") {
			out = append(out, other)
		}
	}
	return out
}

// below cuts what follows prefix in a path into its elements, nil if the path
// does not lie below it.
func below(prefix, name string) []string {
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(prefix, "/")+"/")
	if !ok || rest == "" {
		return nil
	}
	return strings.Split(rest, "/")
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
