package unpack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A disc image can hold several views of the same files: ISO 9660 (ECMA-119)
// with or without Rock Ridge, Joliet, and UDF (ECMA-167). Which one a person
// sees depends on the system, so all of them are walked, and what they agree on
// is visited once.

const (
	isoSector     = 2048
	isoFirst      = 16  // sector of the first volume descriptor (ECMA-119 6.2.1)
	isoMaxVolumes = 64  // descriptors that are looked at
	isoMaxDepth   = 64  // nested folders; the standard allows 8, Joliet and Rock Ridge more
	isoMaxRecords = 1e6 // directory records of all views
)

// discEntry is a file, folder or link of one view.
type discEntry struct {
	name    string
	role    string
	size    int64
	extents []discExtent
	inline  []byte // content that lies in the directory or the file entry itself
	err     error  // why the content cannot be read
}

// discExtent is a run of bytes of the image. Runs at -1 are not recorded and read
// as zeros.
type discExtent struct{ at, size int64 }

// disc walks all views of an image.
type disc struct {
	data    []byte
	opt     Options
	visit   Visit
	seen    map[string]bool
	records int
	nested  bool // data is a partition of the image
}

// walkISO visits the members of a disc image, or of the image of a FAT or exFAT
// volume.
func walkISO(data []byte, opt Options, visit Visit) error {
	d := &disc{data: data, opt: opt, visit: visit, seen: map[string]bool{}}
	err := d.walk()
	var stop visitError
	if errors.As(err, &stop) {
		return stop.error
	}
	return err
}

// walk gives the first error, and stops at one that ends everything.
func (d *disc) walk() error {
	var first error
	known := false
	for _, view := range []func() (bool, error){d.walkUDF, d.walkVolumes} {
		found, err := view()
		if ends(err) {
			return err
		}
		known = known || found
		if first == nil {
			first = err
		}
	}
	if !known && first == nil {
		return d.walkFAT()
	}
	return first
}

// ends tells if an error is about the walk rather than about one view.
func ends(err error) bool {
	return limited(err) || errors.As(err, new(visitError))
}

// visitError marks an error of Visit, which ends the walk as it is.
type visitError struct{ error }

// record counts a directory record.
func (d *disc) record() error {
	if d.records++; d.records > isoMaxRecords {
		return &LimitError{"the image has more entries than are looked at"}
	}
	return d.opt.Budget.Time()
}

// add visits an entry unless another view had it.
func (d *disc) add(e discEntry) error {
	place := int64(-1)
	if len(e.extents) > 0 && e.size > 0 {
		place = e.extents[0].at
	}
	key := fmt.Sprintf("%s %s %d %d", viewKey(e.name), e.role, e.size, place)
	if d.seen[key] {
		return nil
	}
	if err := d.opt.Budget.Entry(); err != nil {
		return err
	}
	d.seen[key] = true
	m := Member{Name: e.name, Role: e.role, Size: e.size, Open: func() (io.Reader, error) { return d.open(e) }}
	if e.err == nil && e.inline == nil && len(e.extents) > 0 {
		m.Head = func() []byte { return d.head(e) }
	}
	if err := d.visit(m); err != nil {
		return visitError{err}
	}
	return nil
}

func (d *disc) open(e discEntry) (io.Reader, error) {
	if e.err != nil {
		return nil, e.err
	}
	return d.opt.Budget.Reader(checkedReader(&discReader{data: d.data, rest: e.extents, now: e.inline}, e.size)), nil
}

func (d *disc) head(e discEntry) []byte {
	x := e.extents[0]
	if x.at < 0 || x.at >= int64(len(d.data)) {
		return nil
	}
	b := d.data[x.at:]
	return b[:min(int64(len(b)), x.size, e.size, 4<<10)]
}

// viewKey makes the short name that ISO 9660 gives a file equal to its long
// name: of each part of the path, five letters and three of the extension.
func viewKey(name string) string {
	parts := strings.Split(strings.ToUpper(name), "/")
	for i, p := range parts {
		base, ext := p, ""
		if dot := strings.LastIndexByte(p, '.'); dot >= 0 {
			base, ext = p[:dot], p[dot+1:]
		}
		parts[i] = shortKey(base, 5) + "." + shortKey(ext, 3)
	}
	return strings.Join(parts, "/")
}

func shortKey(s string, n int) string {
	b := make([]byte, 0, n)
	for _, r := range s {
		if len(b) == n {
			break
		}
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			b = append(b, byte(r))
		} else {
			b = append(b, '_')
		}
	}
	return string(b)
}

// discReader reads runs of an image one after the other.
type discReader struct {
	data  []byte
	rest  []discExtent
	now   []byte
	zeros int64
}

func (r *discReader) Read(p []byte) (int, error) {
	for len(r.now) == 0 && r.zeros == 0 {
		if len(r.rest) == 0 {
			return 0, io.EOF
		}
		x := r.rest[0]
		r.rest = r.rest[1:]
		switch {
		case x.at < 0:
			r.zeros = x.size
		case x.at > int64(len(r.data)) || x.size > int64(len(r.data))-x.at:
			if x.at < int64(len(r.data)) {
				r.now = r.data[x.at:]
			}
			r.rest = nil
		default:
			r.now = r.data[x.at:][:x.size]
		}
	}
	if r.zeros > 0 {
		p = p[:min(int64(len(p)), r.zeros)]
		clear(p)
		r.zeros -= int64(len(p))
		return len(p), nil
	}
	n := copy(p, r.now)
	r.now = r.now[n:]
	return n, nil
}

// bytes reads a directory: at most limit bytes, and nothing that is not there.
func (d *disc) bytes(extents []discExtent, limit int64) ([]byte, error) {
	if len(extents) == 1 && extents[0].at >= 0 && extents[0].at <= int64(len(d.data)) {
		b := d.data[extents[0].at:]
		if n := min(extents[0].size, limit); n <= int64(len(b)) {
			return b[:n], nil
		}
		return b, errDirectory
	}
	var total int64
	for i, x := range extents {
		if x.at < 0 || x.at > int64(len(d.data)) || x.size > int64(len(d.data))-x.at {
			extents = extents[:i]
			break
		}
		total += x.size
	}
	if total > maxDirectory {
		return nil, &LimitError{"a folder of the image is too long"}
	}
	b, err := io.ReadAll(io.LimitReader(&discReader{data: d.data, rest: extents}, min(limit, maxDirectory)))
	if err == nil && int64(len(b)) < limit {
		err = errDirectory
	}
	return b, err
}

// maxDirectory is the size of a folder in several runs, bytes.
const maxDirectory = 16 << 20

var errDirectory = errors.New("a folder of the image is cut short")

// isoVolume is one ISO 9660 view.
type isoVolume struct {
	*disc
	block  int64
	joliet bool
	skip   int // bytes before the system use entries of Rock Ridge; -1: there are none
	been   map[int64]bool
	broken error // the first folder that could not be read
}

// walkVolumes walks the views of ISO 9660, Joliet first, since its names are
// the longer ones.
func (d *disc) walkVolumes() (bool, error) {
	var volumes []isoVolume
	var roots [][]byte
	for i := range isoMaxVolumes {
		at := (isoFirst + i) * isoSector
		if at+isoSector > len(d.data) || string(d.data[at+1:at+6]) != "CD001" || d.data[at] == 255 {
			break
		}
		b := d.data[at:][:isoSector]
		if b[0] != 1 && b[0] != 2 {
			continue
		}
		v := isoVolume{disc: d, block: int64(binary.LittleEndian.Uint16(b[128:])), joliet: b[0] == 2 && isJoliet(b[88:91])}
		if v.block < 512 || v.block&(v.block-1) != 0 {
			v.block = isoSector
		}
		if v.joliet {
			volumes, roots = append([]isoVolume{v}, volumes...), append([][]byte{b[156:190]}, roots...)
			continue
		}
		volumes, roots = append(volumes, v), append(roots, b[156:190])
	}
	var first error
	for i := range volumes {
		if err := volumes[i].walk(roots[i]); err != nil {
			return true, err
		}
		if first == nil {
			first = volumes[i].broken
		}
	}
	return len(volumes) > 0, first
}

// isJoliet tells if the escape sequences name UCS-2 of level 1 to 3 (Joliet
// Specification, "SVD Escape Sequences").
func isJoliet(escape []byte) bool {
	return escape[0] == '%' && escape[1] == '/' && strings.IndexByte("@CE", escape[2]) >= 0
}
