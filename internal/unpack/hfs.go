package unpack

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// HFS Plus and HFSX as Apple's technical note TN1150 describes them. Numbers are
// big-endian.
const (
	hfsRootParent = 1 // id of the folder that the root folder stands in
	hfsRoot       = 2
	hfsExtents    = 3 // ids of the special files
	hfsCatalog    = 4
	hfsAttributes = 8

	hfsFolder = 1 // types of records in the catalog
	hfsFile   = 2

	hfsForkSize = 80
	hfsData     = 0x00 // types of forks
	hfsResource = 0xff

	hfsCompressed = 0x20 // flag of the owner (UF_COMPRESSED of chflags(2))

	// The folder of files with several names, and what a name of theirs has in
	// place of type and creator.
	hfsPrivate  = "\x00\x00\x00\x00HFS+ Private Data"
	hfsLinkType = "hlnkhfs+"

	maxHFSFolders = 1 << 16
	maxHFSNode    = 32 << 10 // bytes; the largest that TN1150 allows
	maxHFSExtents = 1 << 18  // of all files that have more than eight
	maxHFSDepth   = 64       // folders in folders
)

var (
	errHFSHead = errors.New("the volume is damaged: its header is malformed")
	errHFSTree = errors.New("the list of files is damaged: a node of the catalog is malformed")
	errHFSLoop = errors.New("the list of files is damaged: the catalog runs in a circle")
	errHFSFork = errors.New("the content is cut short: it has fewer blocks than its size needs")
)

// extent is a run of blocks.
type extent struct{ start, count uint32 }

// hfsFork is where a content is stored.
type hfsFork struct {
	size    int64
	extents []extent
}

// hfsForkKey names a fork in the file of further extents.
type hfsForkKey struct {
	id   uint32
	kind byte
}

type hfsFolderEntry struct {
	parent uint32
	name   string
}

// hfsVolume is a volume whose header has been read.
type hfsVolume struct {
	r        *io.SectionReader
	meter    *meter
	block    int64 // bytes
	catalog  hfsTree
	further  map[hfsForkKey][]extent
	folders  map[uint32]hfsFolderEntry
	private  uint32            // id of the folder of files with several names
	inodes   map[uint32][]byte // their records, by number
	linked   map[uint32]string // those that were visited, with the name
	packed   map[uint32]int64  // where in attributes the record of a compressed file is
	attrFork io.ReaderAt
}

// hfs visits the files of a volume.
func (w *diskWalk) hfs(r *io.SectionReader) error {
	v := &hfsVolume{r: r, meter: w.disk.meter, further: map[hfsForkKey][]extent{}, folders: map[uint32]hfsFolderEntry{},
		inodes: map[uint32][]byte{}, linked: map[uint32]string{}, packed: map[uint32]int64{}}
	broken := v.open()
	var limit *LimitError
	if errors.As(broken, &limit) || v.catalog.size == 0 {
		return broken
	}
	err := v.catalog.walk(func(_ int64, key, record []byte) error {
		m, ok := v.member(key, record)
		if !ok {
			return nil
		}
		if err := w.opt.Budget.Entry(); err != nil {
			return err
		}
		if err := w.visit(m); err != nil {
			return err
		}
		if fork := v.resource(record, m); fork != nil {
			return w.visit(*fork)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return broken
}

// open reads the header and what has to be known before files are visited. The
// catalog has a size if it can be walked in spite of an error.
func (v *hfsVolume) open() error {
	head := make([]byte, 512)
	if _, err := v.r.ReadAt(head, 1024); err != nil {
		return errHFSHead
	}
	v.block = int64(binary.BigEndian.Uint32(head[40:]))
	if v.block < 512 || v.block > 1<<24 || v.block&(v.block-1) != 0 {
		return errHFSHead
	}
	overflow, err := v.tree(head[192:], hfsExtents)
	if err == nil {
		err = overflow.walk(v.overflow)
	}
	var limit *LimitError
	if errors.As(err, &limit) {
		return err
	}
	attributes, missing := v.tree(head[352:], hfsAttributes)
	if missing == nil {
		v.attrFork = attributes.r
		err = errors.Join(err, attributes.walk(v.attribute))
	}
	catalog, broken := v.tree(head[272:], hfsCatalog)
	if broken != nil {
		return broken
	}
	v.catalog = catalog
	return errors.Join(err, catalog.walk(v.folder))
}

// fork reads the description of a fork.
func (v *hfsVolume) fork(b []byte, id uint32, kind byte) hfsFork {
	f := hfsFork{size: int64(min(binary.BigEndian.Uint64(b), 1<<62))}
	for i := range 8 {
		e := extentAt(b[16+8*i:])
		if e.count == 0 {
			break
		}
		f.extents = append(f.extents, e)
	}
	f.extents = append(f.extents, v.further[hfsForkKey{id, kind}]...)
	return f
}

func extentAt(b []byte) extent {
	return extent{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}
}

// content gives the bytes of a fork.
func (v *hfsVolume) content(f hfsFork) *extentReader {
	e := &extentReader{volume: v.r, size: f.size}
	for _, x := range f.extents {
		e.add(int64(x.start)*v.block, int64(x.count)*v.block)
	}
	return e
}

// overflow takes in extents that a record of a file has no room for (TN1150,
// "Extents Overflow File").
func (v *hfsVolume) overflow(_ int64, key, record []byte) error {
	if len(key) < 10 || len(record) < 64 {
		return errHFSTree
	}
	at := hfsForkKey{binary.BigEndian.Uint32(key[2:]), key[0]}
	for i := range 8 {
		if e := extentAt(record[8*i:]); e.count != 0 {
			v.further[at] = append(v.further[at], e)
		}
	}
	if len(v.further) > maxHFSExtents/8 {
		return &LimitError{"the volume has more pieces of files than are looked at"}
	}
	return nil
}

// folder takes in the folders, whose names are needed for paths, and the
// records of the files that have several names.
func (v *hfsVolume) folder(_ int64, key, record []byte) error {
	parent, name, ok := hfsKey(key)
	if !ok || len(record) < 2 {
		return errHFSTree
	}
	switch kind := binary.BigEndian.Uint16(record); {
	case kind == hfsFolder && len(record) >= 88:
		if len(v.folders) == maxHFSFolders {
			return &LimitError{"the volume has more folders than are looked at"}
		}
		id := binary.BigEndian.Uint32(record[8:])
		v.folders[id] = hfsFolderEntry{parent, name}
		if parent == hfsRoot && name == hfsPrivate {
			v.private = id
		}
	case kind == hfsFile && len(record) >= 248:
		if number, ok := hfsInode(name); ok && len(v.inodes) < maxHFSFolders {
			v.inodes[number] = slices.Clone(record[:248])
		}
	}
	return nil
}

// hfsInode is the number of a file with several names, from its own name.
func hfsInode(name string) (number uint32, ok bool) {
	digits, ok := strings.CutPrefix(name, "iNode")
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), ok && err == nil
}

// hfsKey reads the key of a record of the catalog: the id of the folder and the
// name. In it a slash stands for what Unix calls a colon.
func hfsKey(key []byte) (parent uint32, name string, ok bool) {
	if len(key) < 6 {
		return 0, "", false
	}
	n := int(binary.BigEndian.Uint16(key[4:]))
	if len(key) < 6+2*n {
		return 0, "", false
	}
	units := make([]uint16, n)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(key[6+2*i:])
	}
	return binary.BigEndian.Uint32(key), strings.ReplaceAll(string(utf16.Decode(units)), "/", ":"), true
}

// path is the path of a name in a folder, that of the volume first.
func (v *hfsVolume) path(parent uint32, name string) string {
	for range maxHFSDepth {
		f, ok := v.folders[parent]
		if !ok {
			break
		}
		name = f.name + "/" + name
		parent = f.parent
	}
	return name
}

// member is what a record is visited as, if it is a file or folder.
func (v *hfsVolume) member(key, record []byte) (m Member, ok bool) {
	parent, name, ok := hfsKey(key)
	if !ok || len(record) < 2 {
		return m, false
	}
	m.Name = v.path(parent, name)
	switch kind := binary.BigEndian.Uint16(record); {
	case kind == hfsFolder && len(record) >= 88:
		m.Role, m.Open = RoleFolder, openEmpty
		return m, v.private == 0 || binary.BigEndian.Uint32(record[8:]) != v.private
	case kind == hfsFile && len(record) >= 248:
		if number, ok := hfsInode(name); ok && v.private != 0 && parent == v.private && v.linked[number] != "" {
			return m, false
		}
		return v.file(m, record)
	}
	return m, false
}

// file completes the member of a file. One with several names is visited under
// the first of them; what nothing links to is visited where it lies.
func (v *hfsVolume) file(m Member, record []byte) (Member, bool) {
	if string(record[48:56]) == hfsLinkType {
		number := binary.BigEndian.Uint32(record[44:])
		if target, ok := v.linked[number]; ok {
			return linkMember(m.Name, target), true
		}
		if inode, ok := v.inodes[number]; ok {
			v.linked[number] = m.Name
			record = inode
		}
	}
	id := binary.BigEndian.Uint32(record[8:])
	data := v.fork(record[88:], id, hfsData)
	m.Size, m.Open = data.size, func() (io.Reader, error) { return v.meter.reader(v.content(data).stream()), nil }
	if binary.BigEndian.Uint16(record[42:])&modeType == modeLink {
		m.Role = RoleLink
	}
	if at, ok := v.packed[id]; ok && record[41]&hfsCompressed != 0 {
		v.unpack(&m, at, v.fork(record[168:], id, hfsResource))
	}
	return m, true
}

// resource is the resource fork of a file that has one, named as macOS names
// it. That of a compressed file is its content.
func (v *hfsVolume) resource(record []byte, file Member) *Member {
	if len(record) < 248 || file.Role != "" || record[41]&hfsCompressed != 0 {
		return nil
	}
	fork := v.fork(record[168:], binary.BigEndian.Uint32(record[8:]), hfsResource)
	if fork.size == 0 {
		return nil
	}
	return &Member{Name: file.Name + "/..namedfork/rsrc", Size: fork.size, Open: func() (io.Reader, error) {
		return v.meter.reader(v.content(fork).stream()), nil
	}}
}

// attribute takes in where the attribute of a compressed file stands ("Attributes
// File" of TN1150, and hfs_format.h of Apple's hfs for what is in line).
func (v *hfsVolume) attribute(at int64, key, record []byte) error {
	const inline = 0x10
	name := utf16.Encode([]rune(decmpfsName))
	if len(key) != 12+2*len(name) || len(record) < 16 || binary.BigEndian.Uint32(record) != inline {
		return nil
	}
	for i, unit := range name {
		if binary.BigEndian.Uint16(key[12+2*i:]) != unit {
			return nil
		}
	}
	if len(v.packed) == maxHFSExtents {
		return &LimitError{"the volume has more compressed files than are looked at"}
	}
	v.packed[binary.BigEndian.Uint32(key[2:])] = at
	return nil
}

// unpack makes m the member of a compressed file.
func (v *hfsVolume) unpack(m *Member, at int64, resource hfsFork) {
	head := make([]byte, 16)
	_, err := v.attrFork.ReadAt(head, at)
	size := binary.BigEndian.Uint32(head[12:])
	if err == nil && size > maxDecmpfsAttr {
		err = errDecmpfs
	}
	attr := make([]byte, min(size, maxDecmpfsAttr))
	if err == nil {
		_, err = v.attrFork.ReadAt(attr, at+16)
	}
	var d *decmpfs
	if err == nil {
		d, err = newDecmpfs(attr, v.content(resource))
	}
	m.Size = -1
	if err == nil {
		m.Size = d.size
	}
	m.Open = func() (io.Reader, error) {
		if err != nil {
			return nil, err
		}
		return v.meter.reader(d), nil
	}
}
