package unpack

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
)

// apfsVolume is what the records of a volume say of its files.
type apfsVolume struct {
	c       *apfsContainer
	w       *diskWalk
	name    string
	folded  bool // names have hashes beside them
	names   []apfsName
	folders map[uint64]int // index in names of a folder
	inodes  map[uint64]apfsFile
	pieces  map[uint64]*extentReader
	attrs   map[uint64]apfsAttrs
	linked  map[uint64]string // files that were visited, with the name
	kept    int               // bytes of names and attributes
	read    int               // records that were kept
}

// apfsName is an entry of a folder.
type apfsName struct {
	parent, file uint64
	name         string
	isFolder     bool
}

// apfsFile is an inode.
type apfsFile struct {
	content uint64 // id of its pieces
	size    int64
	mode    uint16
	flags   uint32
}

// apfsAttrs are the attributes that say what a content is.
type apfsAttrs struct {
	target   []byte // of a symbolic link
	decmpfs  []byte
	resource []byte // the resource fork, if it is short
	stream   uint64 // id of its pieces otherwise
	size     int64  // of the stream
}

func newAPFSVolume(c *apfsContainer, w *diskWalk, name string) *apfsVolume {
	return &apfsVolume{c: c, w: w, name: name, folders: map[uint64]int{}, inodes: map[uint64]apfsFile{},
		pieces: map[uint64]*extentReader{}, attrs: map[uint64]apfsAttrs{}, linked: map[uint64]string{}}
}

// record takes in one record. Its key begins with the id and the type.
func (v *apfsVolume) record(key, value []byte) error {
	if len(key) < 8 {
		return errAPFSTree
	}
	head := binary.LittleEndian.Uint64(key)
	id, kind := head&(1<<60-1), head>>60
	var take func(id uint64, key, value []byte) bool
	switch kind {
	case apfsInode:
		take = v.inode
	case apfsXattr:
		take = v.attribute
	case apfsExtent:
		take = v.extent
	case apfsEntry:
		take = v.entry
	default:
		return nil
	}
	if v.read++; v.read > maxHFSExtents || v.kept > maxAPFSText {
		return errAPFSMany
	}
	if !take(id, key[8:], value) {
		return errAPFSTree
	}
	if kind == apfsEntry {
		return v.w.opt.Budget.Entry()
	}
	return nil
}

// inode takes in a file or folder (j_inode_val_t). The size of its content is
// in one of the extended fields behind it.
func (v *apfsVolume) inode(id uint64, _, value []byte) bool {
	const fixed = 92
	if len(value) < fixed {
		return false
	}
	f := apfsFile{content: binary.LittleEndian.Uint64(value[8:]), flags: binary.LittleEndian.Uint32(value[68:]), mode: binary.LittleEndian.Uint16(value[80:])}
	if fields := value[fixed:]; len(fields) >= 4 {
		count := int(binary.LittleEndian.Uint16(fields))
		at := 4 + 4*count
		for i := 0; i < count && at <= len(fields); i++ {
			size := int(binary.LittleEndian.Uint16(fields[4+4*i+2:]))
			if fields[4+4*i] == apfsDstream && at+8 <= len(fields) {
				f.size = int64(min(binary.LittleEndian.Uint64(fields[at:]), 1<<62))
			}
			at += (size + 7) &^ 7
		}
	}
	v.inodes[id] = f
	return true
}

// attribute takes in an attribute (j_xattr_key_t, j_xattr_val_t).
func (v *apfsVolume) attribute(id uint64, key, value []byte) bool {
	if len(key) < 2 || len(value) < 4 || int(binary.LittleEndian.Uint16(value[2:])) > len(value)-4 {
		return false
	}
	name, _, _ := bytes.Cut(key[2:], []byte{0})
	isStream := binary.LittleEndian.Uint16(value)&apfsXattrStream != 0
	data := value[4 : 4+binary.LittleEndian.Uint16(value[2:])]
	a := v.attrs[id]
	switch {
	case isStream && len(data) < 16:
		return false
	case isStream && string(name) == apfsResource:
		a.stream, a.size = binary.LittleEndian.Uint64(data), int64(min(binary.LittleEndian.Uint64(data[8:]), 1<<62))
	case isStream:
		return true
	case string(name) == apfsSymlink:
		a.target = bytes.TrimRight(bytes.Clone(data), "\x00")
	case string(name) == decmpfsName:
		a.decmpfs = bytes.Clone(data)
	case string(name) == apfsResource:
		a.resource = bytes.Clone(data)
	default:
		return true
	}
	v.kept += len(data)
	v.attrs[id] = a
	return true
}

// extent takes in a piece of a file (j_file_extent_key_t). What lies between
// pieces, or has no block, is zero.
func (v *apfsVolume) extent(id uint64, key, value []byte) bool {
	if len(key) < 8 || len(value) < 16 {
		return false
	}
	at, size := binary.LittleEndian.Uint64(key), binary.LittleEndian.Uint64(value)&(1<<56-1)
	block := binary.LittleEndian.Uint64(value[8:])
	if at > 1<<56 || block > uint64(v.c.r.Size()/v.c.block) {
		return false
	}
	p := v.pieces[id]
	if p == nil {
		p = &extentReader{volume: v.c.r}
		v.pieces[id] = p
	}
	if n := len(p.pieces); n > 0 {
		p.add(-1, int64(at)-p.pieces[n-1].at-p.pieces[n-1].size)
	} else {
		p.add(-1, int64(at))
	}
	off := int64(block) * v.c.block // #nosec G115 -- block is within the disk
	if block == 0 {
		off = -1
	}
	p.add(off, int64(size))
	return true
}

// entry takes in a name (j_drec_key_t, j_drec_hashed_key_t, j_drec_val_t).
func (v *apfsVolume) entry(id uint64, key, value []byte) bool {
	const typeMask, folder = 15, 4
	head := 2
	if v.folded {
		head = 4
	}
	if len(key) < head || len(value) < 18 {
		return false
	}
	name, _, _ := bytes.Cut(key[head:], []byte{0})
	n := apfsName{parent: id, file: binary.LittleEndian.Uint64(value), name: strings.ToValidUTF8(string(name), "\uFFFD")}
	n.isFolder = binary.LittleEndian.Uint16(value[16:])&typeMask == folder
	if n.isFolder {
		v.folders[n.file] = len(v.names)
	}
	v.kept += len(n.name)
	v.names = append(v.names, n)
	return true
}

// path is the path of a name, that of the volume first.
func (v *apfsVolume) path(n apfsName) string {
	name := n.name
	for range maxHFSDepth {
		i, ok := v.folders[n.parent]
		if !ok || n.parent == apfsRootFolder {
			break
		}
		n = v.names[i]
		name = n.name + "/" + name
	}
	return v.name + "/" + name
}

// visit visits all names. Those above the root folder are the volume's own.
func (v *apfsVolume) visit() error {
	if err := v.w.visit(Member{Name: v.name, Role: RoleFolder, Open: openEmpty}); err != nil {
		return err
	}
	for _, n := range v.names {
		if n.parent < apfsRootFolder {
			continue
		}
		if err := v.w.visit(v.member(n)); err != nil {
			return err
		}
	}
	return nil
}

// member is what a name is visited as.
func (v *apfsVolume) member(n apfsName) Member {
	m := Member{Name: v.path(n), Open: openEmpty}
	if n.isFolder {
		m.Role = RoleFolder
		return m
	}
	if target, ok := v.linked[n.file]; ok {
		return linkMember(m.Name, target)
	}
	v.linked[n.file] = m.Name
	f, known := v.inodes[n.file]
	attrs := v.attrs[n.file]
	switch {
	case !known:
		m.Size, m.Open = -1, func() (io.Reader, error) { return nil, errAPFSTree }
	case f.mode&modeType == modeLink:
		return linkMember(m.Name, string(attrs.target))
	case f.flags&apfsCompressed != 0 && attrs.decmpfs != nil:
		v.unpack(&m, attrs)
	default:
		m.Size, m.Open = f.size, func() (io.Reader, error) { return v.w.disk.meter.reader(v.content(f.content, f.size).stream()), nil }
	}
	return m
}

// content gives the bytes of a file.
func (v *apfsVolume) content(id uint64, size int64) *extentReader {
	e := &extentReader{volume: v.c.r, size: size}
	if p := v.pieces[id]; p != nil {
		e.pieces = p.pieces
	}
	return e
}

// unpack makes m the member of a compressed file.
func (v *apfsVolume) unpack(m *Member, a apfsAttrs) {
	resource := v.content(a.stream, a.size)
	if a.resource != nil {
		resource = &extentReader{volume: bytes.NewReader(a.resource), size: int64(len(a.resource))}
		resource.add(0, resource.size)
	}
	d, err := newDecmpfs(a.decmpfs, resource)
	m.Size, m.Open = -1, func() (io.Reader, error) { return nil, err }
	if err == nil {
		m.Size, m.Open = d.size, func() (io.Reader, error) { return v.w.disk.meter.reader(d), nil }
	}
}
