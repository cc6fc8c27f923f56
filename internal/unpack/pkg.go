package unpack

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// Names in a flat installer package, as pkgbuild(1) and productbuild(1) make
// them: Distribution at the top of a product, and in each component PackageInfo,
// Bom, Payload (what is installed) and Scripts (what is run).
const (
	pkgDistribution = "Distribution"
	pkgPayload      = "Payload"
	pkgScripts      = "Scripts"
	pkgBom          = "Bom"

	bomMagic = "BOMStore"
)

// walkPKG visits the files of an installer package: those that it installs and
// those that it runs, each below the name of the archive that holds it. An
// inner archive that is damaged does not end the walk.
//
// Distribution is visited as a script, because the installer runs the
// JavaScript in it.
func walkPKG(data []byte, opt Options, visit Visit) error {
	x, err := openXar(data, opt.Budget)
	w := &pkgWalk{xar: x, opt: opt, visit: visit}
	var limit *LimitError
	if errors.As(err, &limit) {
		return err
	}
	for _, f := range x.files {
		if over := w.file(f); over != nil {
			return over
		}
	}
	return errors.Join(err, w.broken)
}

// pkgWalk is the state of a walk.
type pkgWalk struct {
	xar    *xar
	opt    Options
	visit  Visit
	broken error // of the first inner archive that could not be read to its end
	ended  bool  // visit ended the walk
	xz     xzReader
}

// file visits a file of the package, or what is in it. Its error ends the walk.
func (w *pkgWalk) file(f *xarFile) error {
	path := f.path()
	switch f.kind {
	case "directory":
		return w.visit(Member{Name: path, Role: RoleFolder, Open: openEmpty})
	case "symlink", "hardlink":
		return w.visit(linkMember(path, f.target))
	}
	switch f.name {
	case pkgPayload:
		return w.archive(f, path, "")
	case pkgScripts:
		return w.archive(f, path, RoleScript)
	case pkgBom:
		if w.isBom(f) {
			return nil
		}
	}
	return w.visit(w.member(f, path, pkgRole(path)))
}

// pkgRole is the role of a file that the package holds directly.
func pkgRole(path string) string {
	if path == pkgDistribution || strings.HasPrefix(path, pkgScripts+"/") || strings.Contains(path, "/"+pkgScripts+"/") {
		return RoleScript
	}
	return ""
}

func (w *pkgWalk) member(f *xarFile, path, role string) Member {
	return Member{Name: path, Size: f.size, Role: role, Open: func() (io.Reader, error) {
		return w.xar.open(f, w.opt.Budget)
	}}
}

// isBom tells a list of the installed files, which says nothing that the
// payload does not.
func (w *pkgWalk) isBom(f *xarFile) bool {
	r, err := w.xar.open(f, w.opt.Budget)
	if err != nil {
		return false
	}
	head := make([]byte, len(bomMagic))
	_, err = io.ReadFull(r, head)
	return err == nil && string(head) == bomMagic
}

// archive visits what is in a Payload or in Scripts.
func (w *pkgWalk) archive(f *xarFile, path, role string) error {
	r, err := w.xar.open(f, w.opt.Budget)
	if err == nil {
		r, err = w.openCpio(r)
	}
	if err != nil {
		w.note("unpack", f, err)
		return w.visit(w.member(f, path, RoleStream))
	}
	err = walkCpio(r, w.opt, func(m Member) error {
		m.Name = path + "/" + strings.TrimPrefix(m.Name, "./")
		if role != "" && m.Role == "" {
			m.Role = role
		}
		err := w.visit(m)
		w.ended = err != nil
		return err
	})
	var limit *LimitError
	if w.ended || errors.As(err, &limit) {
		return err
	}
	w.note("list", f, err)
	return nil
}

// note keeps the first error of an inner archive.
func (w *pkgWalk) note(what string, f *xarFile, err error) {
	if err != nil && w.broken == nil {
		w.broken = fmt.Errorf("%s %s: %w", what, f.name, err)
	}
}

// openCpio puts the decompressors before a cpio archive that its first bytes
// ask for: gzip and bzip2 as in all old packages, blocks of xz as in new ones.
func (w *pkgWalk) openCpio(packed io.Reader) (io.Reader, error) {
	b := bufio.NewReader(packed)
	magic, err := b.Peek(len(xzMagic))
	if err != nil && err != io.EOF {
		return nil, err
	}
	var r io.Reader
	switch has := func(s string) bool { return bytes.HasPrefix(magic, []byte(s)) }; {
	case has("\x1f\x8b"):
		r, err = gzip.NewReader(b)
	case has("BZh"):
		r, err = bzip2.NewReader(b), nil
	case has(xzMagic):
		r, err = w.xz.open(b)
	case has(pbzMagic):
		r, err = newPbz(b, &w.xz)
	case has("07070"), has("\x71\xc7"), has("\xc7\x71"):
		return b, nil
	default:
		return nil, errPacked
	}
	if err != nil {
		return nil, err
	}
	return w.opt.Budget.Reader(r), nil
}

// openEmpty opens what has no content.
func openEmpty() (io.Reader, error) { return strings.NewReader(""), nil }
