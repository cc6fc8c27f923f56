package owner

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"meetguard"
)

// rpmDatabases are where rpm keeps its database, new places first.
var rpmDatabases = []string{"/usr/lib/sysimage/rpm", "/var/lib/rpm"}

// rpmOf looks a path up in rpm's SQLite database, which Fedora, RHEL 9 and
// openSUSE use. Older forms (Berkeley DB, ndb) are not read: then nothing is
// known.
func (o *Owner) rpmOf(name string) (*meetguard.Package, error) {
	for _, dir := range rpmDatabases {
		dir = o.at(dir)
		p, err := o.rpmIn(dir+"/rpmdb.sqlite", name)
		switch {
		case err == nil:
			return p, nil
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("read rpm's database: %w", err)
		case exists(dir+"/Packages") || exists(dir+"/Packages.db"):
			return nil, errors.New("read rpm's database: its form is not SQLite")
		}
	}
	return nil, nil
}

func (o *Owner) rpmIn(file, name string) (*meetguard.Package, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if fi, err := os.Stat(file + "-wal"); err == nil && fi.Size() > 0 {
		return nil, errors.New("it is being changed")
	}
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	db, err := openDatabase(f, fi.Size())
	if err != nil {
		return nil, err
	}
	for _, name := range o.merged(name) {
		pkg, err := rpmOwner(db, name)
		if err != nil {
			return nil, err
		}
		if pkg != "" {
			return &meetguard.Package{Manager: "rpm", Name: pkg}, nil
		}
	}
	return nil, nil
}

// maxSameName bounds how many packages are asked that have a file of one name.
const maxSameName = 512

// rpmOwner gives the package that owns a path. The table Basenames tells by the
// last element in which packages it is, and at which place of their lists.
func rpmOwner(db *database, name string) (string, error) {
	roots := map[string]int64{}
	err := db.rows(1, 0, func(row []any) { // type, name, table, root page, statement
		if len(row) >= 4 {
			what, _ := row[1].([]byte)
			roots[string(what)], _ = row[3].(int64)
		}
	})
	if err != nil {
		return "", err
	}
	var hits []int64
	err = db.keys(uint32(roots["Basenames_key_idx"]), 0, path.Base(name), func(row int64) error {
		if hits = append(hits, row); len(hits) > maxSameName {
			return fmt.Errorf("more than %d packages have a file of that name", maxSameName)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	for _, hit := range hits {
		row, err := db.row(uint32(roots["Basenames"]), hit)
		if err != nil || len(row) < 3 {
			return "", orDamaged(err)
		}
		pkg, _ := row[1].(int64)
		at, _ := row[2].(int64)
		blob, err := db.row(uint32(roots["Packages"]), pkg)
		if err != nil || len(blob) < 2 {
			return "", orDamaged(err)
		}
		raw, _ := blob[1].([]byte)
		if owner, err := rpmHeader(raw).owns(name, at); err != nil || owner != "" {
			return owner, err
		}
	}
	return "", nil
}

// orDamaged is err, or what it means that something is missing without one.
func orDamaged(err error) error {
	if err != nil {
		return err
	}
	return errDamaged
}

// rpmHeader is a package's header as the database keeps it: two counts, an
// index of 16 bytes an entry, and the data (rpm.org, "RPM V4 package format").
type rpmHeader []byte

// The tags that are read, from rpmtag.h.
const (
	tagName       = 1000
	tagFileStates = 1029
	tagDirIndexes = 1116
	tagBaseNames  = 1117
	tagDirNames   = 1118
)

// owns gives the name of the package if the file at a place of its list has
// that path and was really installed.
func (h rpmHeader) owns(name string, at int64) (string, error) {
	dirs, err := h.numbers(tagDirIndexes)
	if err != nil || at < 0 || at >= int64(len(dirs)) {
		return "", orDamaged(err)
	}
	base, err := h.text(tagBaseNames, uint32(at))
	if err != nil {
		return "", err
	}
	dir, err := h.text(tagDirNames, dirs[at])
	if err != nil || dir+base != name {
		return "", err
	}
	if states, _, _ := h.find(tagFileStates); at < int64(len(states)) && states[at] != 0 {
		return "", nil // replaced by another package, or left out
	}
	return h.text(tagName, 0)
}

// find gives the data from where a tag's begins, and how many values it has.
func (h rpmHeader) find(tag uint32) ([]byte, uint32, error) {
	if len(h) < 8 {
		return nil, 0, errDamaged
	}
	entries, size := int64(binary.BigEndian.Uint32(h)), int64(binary.BigEndian.Uint32(h[4:]))
	if 8+16*entries+size > int64(len(h)) {
		return nil, 0, errDamaged
	}
	index, data := h[8:8+16*entries], h[8+16*entries:8+16*entries+size]
	for ; len(index) >= 16; index = index[16:] {
		if binary.BigEndian.Uint32(index) != tag {
			continue
		}
		at := int64(binary.BigEndian.Uint32(index[8:]))
		if at > size {
			return nil, 0, errDamaged
		}
		return data[at:], binary.BigEndian.Uint32(index[12:]), nil
	}
	return nil, 0, errDamaged
}

func (h rpmHeader) numbers(tag uint32) ([]uint32, error) {
	data, count, err := h.find(tag)
	if err != nil || int64(count)*4 > int64(len(data)) {
		return nil, orDamaged(err)
	}
	out := make([]uint32, count)
	for i := range out {
		out[i] = binary.BigEndian.Uint32(data[4*i:])
	}
	return out, nil
}

// text gives one of the strings of a tag.
func (h rpmHeader) text(tag, at uint32) (string, error) {
	data, count, err := h.find(tag)
	if err != nil || at >= count {
		return "", orDamaged(err)
	}
	for range at {
		end := bytes.IndexByte(data, 0)
		if end < 0 {
			return "", errDamaged
		}
		data = data[end+1:]
	}
	end := bytes.IndexByte(data, 0)
	if end < 0 {
		return "", errDamaged
	}
	return string(data[:end]), nil
}
