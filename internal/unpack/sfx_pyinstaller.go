package unpack

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// walkPyInstaller visits the files of a program made by PyInstaller, in the
// format of its CArchive: a cookie at the end gives size of the archive, and
// offset and size of the table of contents, of which each entry has its own
// length, then offset, packed and unpacked size, a flag, a type and a name, all
// with the high byte first. The scripts (type s) are what is started; they are
// marshalled code.
func walkPyInstaller(p *program, opt Options, visit Visit) error {
	tail := max(0, len(p.overlay)-pyInstallerTail)
	at := bytes.LastIndex(p.overlay[tail:], []byte(markPyInstaller))
	if at < 0 || tail+at+88 > len(p.overlay) {
		return errors.New("the cookie of PyInstaller is cut short")
	}
	be, cookie := binary.BigEndian, p.overlay[tail+at:]
	size, toc, tocSize := uint64(be.Uint32(cookie[8:])), uint64(be.Uint32(cookie[12:])), uint64(be.Uint32(cookie[16:]))
	end := uint64(tail + at + 88) // the cookie belongs to the archive
	if size > end || toc+tocSize > size {
		return errors.New("the table of contents of PyInstaller is cut short")
	}
	archive := p.overlay[end-size : end]
	for list := archive[toc : toc+tocSize]; len(list) >= 18; {
		length := uint64(be.Uint32(list))
		if length < 18 || length > uint64(len(list)) {
			return errors.New("the table of contents of PyInstaller is broken")
		}
		if err := pyEntry(archive, list[:length], opt, visit); err != nil {
			return err
		}
		list = list[length:]
	}
	return nil
}

// pyEntry visits one file.
func pyEntry(archive, entry []byte, opt Options, visit Visit) error {
	if err := opt.Budget.Entry(); err != nil {
		return err
	}
	be := binary.BigEndian
	at, packed, size := uint64(be.Uint32(entry[4:])), uint64(be.Uint32(entry[8:])), be.Uint32(entry[12:])
	m := Member{Name: strings.ReplaceAll(untilZero(entry[18:]), `\`, "/"), Size: int64(size)}
	switch entry[17] {
	case 's':
		m.Name, m.Role = m.Name+".pyc", RoleLaunch
	case 'o': // an option of the loader
		return nil
	}
	m.Open = func() (io.Reader, error) {
		if at+packed > uint64(len(archive)) {
			return nil, errors.New("the file is cut short")
		}
		r := bytes.NewReader(archive[at : at+packed])
		if entry[16] == 0 {
			return opt.Budget.Reader(r), nil
		}
		unpacked, err := zlib.NewReader(r)
		if err != nil {
			return nil, err
		}
		return opt.Budget.Reader(unpacked), nil
	}
	return visit(m)
}
