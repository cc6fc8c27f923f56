package unpack

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// Directory records of ISO 9660 (ECMA-119 9.1).
const (
	isoRecordSize  = 33 // without the name
	isoFlagFolder  = 0x02
	isoFlagMore    = 0x80 // the next record holds another discExtent of the file
	isoMaxContinue = 32   // continuation areas of one record (SUSP 5.1)
)

type isoRecord struct {
	discExtent discExtent
	flags      byte
	gap        bool // interleaved, which nobody writes
	name       []byte
	system     []byte // system use area
}

// walk walks the view from its root record.
func (v *isoVolume) walk(root []byte) error {
	v.been = map[int64]bool{}
	r, _ := v.parse(root)
	v.skip = v.rockRidge(r.discExtent)
	return v.folder("", []discExtent{r.discExtent}, 0)
}

// parse reads one record; b begins with its length.
func (v *isoVolume) parse(b []byte) (isoRecord, bool) {
	n := int(b[0])
	if n <= isoRecordSize || n > len(b) || isoRecordSize+int(b[32]) > n {
		return isoRecord{}, false
	}
	r := isoRecord{flags: b[25], gap: b[26] != 0 || b[27] != 0, name: b[33:][:b[32]]}
	block := int64(binary.LittleEndian.Uint32(b[2:])) + int64(b[1]) // behind its extended attributes
	r.discExtent = discExtent{block * v.block, int64(binary.LittleEndian.Uint32(b[10:]))}
	system := isoRecordSize + int(b[32])
	system += 1 - int(b[32])&1 // the name is padded to an even end
	if system < n {
		r.system = b[system:n]
	}
	return r, true
}

// rockRidge tells how many bytes stand before each system use area, from the SP
// entry of the root's own record (SUSP 5.3); -1 if there is none.
func (v *isoVolume) rockRidge(root discExtent) int {
	if v.joliet || root.at < 0 || root.at+1 > int64(len(v.data)) {
		return -1
	}
	r, ok := v.parse(v.data[root.at:])
	if !ok || len(r.system) < 7 || string(r.system[:2]) != "SP" || r.system[4] != 0xBE || r.system[5] != 0xEF {
		return -1
	}
	return int(r.system[6])
}

// folder visits what a folder holds.
func (v *isoVolume) folder(path string, extents []discExtent, depth int) error {
	at := extents[0].at
	if v.been[at] || depth > isoMaxDepth {
		return nil
	}
	v.been[at] = true
	var size int64
	for _, x := range extents {
		size += x.size
	}
	b, err := v.bytes(extents, size)
	if limited(err) {
		return err
	}
	v.note(err)
	var parts []discExtent
	for off := 0; off < len(b); {
		if b[off] == 0 { // records do not cross sectors
			off += isoSector - off%isoSector
			continue
		}
		r, ok := v.parse(b[off:])
		if !ok {
			v.note(fmt.Errorf("%w: a record of it is broken", errDirectory))
			return nil
		}
		off += int(b[off])
		if err := v.record(); err != nil {
			return err
		}
		parts = append(parts, r.discExtent)
		if r.flags&isoFlagMore != 0 {
			continue
		}
		if err := v.entry(path, r, parts, depth); err != nil {
			return err
		}
		parts = nil
	}
	return nil
}

// note keeps the first error about a folder; the walk goes on with the others.
func (v *isoVolume) note(err error) {
	if v.broken == nil {
		v.broken = err
	}
}

func (v *isoVolume) entry(path string, r isoRecord, parts []discExtent, depth int) error {
	if len(r.name) == 1 && r.name[0] <= 1 { // the folder itself, and its parent
		return nil
	}
	e := discEntry{name: path + v.name(r.name), extents: parts}
	for _, x := range parts {
		e.size += x.size
	}
	if r.gap {
		e.err = fmt.Errorf("interleaved file: %w", ErrUnsupported)
	}
	folder := r.flags&isoFlagFolder != 0
	if v.skip >= 0 {
		rr := v.systemUse(r.system)
		if rr.name != nil {
			e.name = path + strings.ToValidUTF8(string(rr.name), "\uFFFD")
		}
		if rr.moved > 0 { // its content lies in another folder, because it is too deep
			folder, parts = true, []discExtent{v.movedFolder(rr.moved)}
		}
		if rr.packed {
			e.err = fmt.Errorf("zisofs compression: %w", ErrUnsupported)
		}
		if rr.link != nil {
			e.role, e.inline, e.extents, e.size = RoleLink, rr.link, nil, int64(len(rr.link))
		}
	}
	if !folder {
		return v.add(e)
	}
	if err := v.add(discEntry{name: e.name, role: RoleFolder}); err != nil {
		return err
	}
	return v.folder(e.name+"/", parts, depth+1)
}

// movedFolder takes the size of a folder from its own record.
func (v *isoVolume) movedFolder(block int64) discExtent {
	at := block * v.block
	if at < int64(len(v.data)) {
		if r, ok := v.parse(v.data[at:]); ok {
			return discExtent{at, r.discExtent.size}
		}
	}
	return discExtent{at, 0}
}

// name decodes a name without its version.
func (v *isoVolume) name(b []byte) string {
	if v.joliet {
		name := utf16Name(b, binary.BigEndian)
		return strings.TrimSuffix(name, ";1")
	}
	b, _, _ = bytes.Cut(b, []byte(";"))
	b = bytes.TrimSuffix(b, []byte("."))
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// rockRidgeFacts are what the system use area of a record says (IEEE P1282).
type rockRidgeFacts struct {
	name, link []byte
	moved      int64 // block of the folder that CL names
	packed     bool
	linkOpen   bool // the last component goes on in the next one
}

func (v *isoVolume) systemUse(area []byte) rockRidgeFacts {
	var f rockRidgeFacts
	area = area[min(v.skip, len(area)):]
	for range isoMaxContinue {
		next := f.read(area, v)
		if next == nil {
			break
		}
		area = next
	}
	return f
}

// read reads one area, and gives the one that continues it.
func (f *rockRidgeFacts) read(area []byte, v *isoVolume) (next []byte) {
	for len(area) >= 4 && area[2] >= 4 && int(area[2]) <= len(area) {
		e := area[4:area[2]]
		switch string(area[:2]) {
		case "NM":
			if len(e) > 1 && e[0]&6 == 0 {
				f.name = append(f.name, e[1:]...)
			}
		case "SL":
			if len(e) > 1 {
				f.target(e[1:])
			}
		case "CL":
			if len(e) >= 4 {
				f.moved = int64(binary.LittleEndian.Uint32(e))
			}
		case "ZF":
			f.packed = true
		case "CE":
			if len(e) >= 24 {
				next = v.continued(e)
			}
		case "ST":
			return next
		}
		area = area[area[2]:]
	}
	return next
}

// continued finds the area that a CE entry names: block, offset and length,
// each in both byte orders.
func (v *isoVolume) continued(e []byte) []byte {
	at := int64(binary.LittleEndian.Uint32(e))*v.block + int64(binary.LittleEndian.Uint32(e[8:]))
	n := int64(binary.LittleEndian.Uint32(e[16:]))
	if at > int64(len(v.data)) || n > int64(len(v.data))-at || n > 4*isoSector {
		return nil
	}
	return v.data[at:][:n]
}

// target adds the components of a symbolic link.
func (f *rockRidgeFacts) target(b []byte) {
	const goesOn, here, parent, root = 1, 2, 4, 8
	for len(b) >= 2 && 2+int(b[1]) <= len(b) {
		if len(f.link) > 0 && !f.linkOpen && f.link[len(f.link)-1] != '/' {
			f.link = append(f.link, '/')
		}
		flags := b[0]
		switch {
		case flags&here != 0:
			f.link = append(f.link, '.')
		case flags&parent != 0:
			f.link = append(f.link, ".."...)
		case flags&root != 0:
			f.link = append(f.link, '/')
		default:
			f.link = append(f.link, b[2:2+int(b[1])]...)
		}
		f.linkOpen = flags&goesOn != 0
		b = b[2+int(b[1]):]
	}
}
