package unpack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// APFS as the Apple File System Reference (2020-06-22) describes it. Numbers are
// little-endian, blocks are found by their number, and every object begins with
// a head of 32 bytes: checksum, id, transaction, type and subtype.
const (
	apfsHead = 32

	apfsTypeMask = 0xffff
	apfsTypeNX   = 1          // container superblock
	apfsPhysical = 0x40000000 // storage flag: the id of the object is its block

	apfsUnencrypted   = 1     // flag of a volume
	apfsFoldedNames   = 1 | 8 // incompatible features: names have hashes beside them
	apfsInode         = 3     // types of records
	apfsXattr         = 4
	apfsExtent        = 8
	apfsEntry         = 9
	apfsRootFolder    = 2
	apfsCompressed    = 0x20 // BSD flag UF_COMPRESSED
	apfsDstream       = 8    // extended field of an inode: size of the content
	apfsXattrStream   = 1    // flag of an attribute: it is stored as a file is
	apfsSymlink       = "com.apple.fs.symlink"
	apfsResource      = "com.apple.ResourceFork"
	maxAPFSVolumes    = 100     // NX_MAX_FILE_SYSTEMS
	maxAPFSCheckpoint = 1 << 12 // blocks of checkpoint descriptors looked at
	maxAPFSText       = 16 << 20
)

var (
	errAPFSHead = errors.New("the volume is damaged: it has no valid container superblock")
	errAPFSTree = errors.New("the list of files is damaged: a node of a tree of the volume is malformed")
	errAPFSMany = &LimitError{"the volume has more files, or pieces of files, than are looked at"}
)

// apfs visits the files of all volumes of a container.
func (w *diskWalk) apfs(r *io.SectionReader) error {
	c, err := openAPFS(r)
	if err != nil {
		return err
	}
	var broken error
	for i := range maxAPFSVolumes {
		oid := binary.LittleEndian.Uint64(c.super[184+8*i:])
		if oid == 0 {
			continue
		}
		err := w.apfsVolume(c, oid)
		var limit *LimitError
		if w.ended || errors.As(err, &limit) {
			return err
		}
		broken = errors.Join(broken, err)
	}
	return broken
}

// apfsContainer is a container of volumes.
type apfsContainer struct {
	r       *io.SectionReader
	block   int64 // bytes
	super   []byte
	xid     uint64 // the last transaction
	objects map[uint64]uint64
}

// openAPFS finds the newest superblock and the map of its objects.
func openAPFS(r *io.SectionReader) (*apfsContainer, error) {
	c := &apfsContainer{r: r, block: 4096}
	first, err := c.read(0)
	if err != nil {
		return nil, err
	}
	c.block = int64(binary.LittleEndian.Uint32(first[36:]))
	if c.block < 4096 || c.block > 64<<10 || c.block&(c.block-1) != 0 {
		return nil, errAPFSHead
	}
	c.super = first
	c.newest()
	c.xid = binary.LittleEndian.Uint64(c.super[16:])
	c.objects, err = c.objectMap(binary.LittleEndian.Uint64(c.super[160:]))
	return c, err
}

// newest looks for a later superblock in the checkpoint descriptors. The one in
// block 0 is that of the last unmount.
func (c *apfsContainer) newest() {
	count, base := binary.LittleEndian.Uint32(c.super[104:]), binary.LittleEndian.Uint64(c.super[112:])
	if count>>31 != 0 { // they lie in a tree; no known image has that
		return
	}
	for i := range uint64(min(count, maxAPFSCheckpoint)) {
		b, err := c.read(base + i)
		if err != nil {
			return
		}
		isSuper := string(b[apfsHead:apfsHead+4]) == "NXSB" && binary.LittleEndian.Uint32(b[24:])&apfsTypeMask == apfsTypeNX
		if isSuper && binary.LittleEndian.Uint64(b[16:]) > binary.LittleEndian.Uint64(c.super[16:]) && fletcher64(b[8:]) == binary.LittleEndian.Uint64(b) {
			c.super = b
		}
	}
}

// fletcher64 is the checksum of a block behind the checksum itself.
func fletcher64(b []byte) uint64 {
	const mod = 1<<32 - 1
	var low, high uint64
	for ; len(b) >= 4; b = b[4:] {
		low += uint64(binary.LittleEndian.Uint32(b))
		low %= mod
		high = (high + low) % mod
	}
	first := mod - (low+high)%mod
	return (mod-(low+first)%mod)<<32 | first
}

// read reads a block.
func (c *apfsContainer) read(block uint64) ([]byte, error) {
	if block > uint64(c.r.Size()/c.block) {
		return nil, errAPFSTree
	}
	b := make([]byte, c.block)
	if n, err := c.r.ReadAt(b, int64(block)*c.block); n < len(b) { // #nosec G115 -- block is within the disk
		return nil, orDamaged(err, errAPFSTree)
	}
	return b, nil
}

// objectMap reads the whole map from the ids of objects to their blocks.
func (c *apfsContainer) objectMap(block uint64) (map[uint64]uint64, error) {
	b, err := c.read(block)
	if err != nil {
		return nil, err
	}
	objects, seen := map[uint64]uint64{}, map[uint64]uint64{}
	t := apfsTree{c: c}
	err = t.walk(binary.LittleEndian.Uint64(b[48:]), func(key, value []byte) error {
		if len(key) < 16 || len(value) < 16 {
			return errAPFSTree
		}
		oid, xid := binary.LittleEndian.Uint64(key), binary.LittleEndian.Uint64(key[8:])
		if xid >= seen[oid] && xid <= c.xid {
			objects[oid], seen[oid] = binary.LittleEndian.Uint64(value[8:]), xid
		}
		if len(objects) > maxHFSExtents {
			return errAPFSMany
		}
		return nil
	})
	return objects, err
}

// apfsTree is a B-tree. The ids of its nodes are blocks, or stand in a map.
type apfsTree struct {
	c       *apfsContainer
	objects map[uint64]uint64
	nodes   int64 // read
}

// walk calls take with each record of the leaves, in order.
func (t *apfsTree) walk(oid uint64, take func(key, value []byte) error) error {
	return t.node(oid, 0, take)
}

func (t *apfsTree) node(oid uint64, depth int, take func(key, value []byte) error) error {
	block := oid
	if t.objects != nil {
		mapped, ok := t.objects[oid]
		if !ok {
			return errAPFSTree
		}
		block = mapped
	}
	// A tree has no more nodes than there are blocks, or it runs in a circle.
	if t.nodes++; t.nodes > t.c.r.Size()/t.c.block || depth > 16 {
		return errAPFSTree
	}
	b, err := t.c.read(block)
	if err != nil {
		return err
	}
	return readAPFSNode(b, func(leaf bool, key, value []byte) error {
		if leaf {
			return take(key, value)
		}
		if len(value) < 8 {
			return errAPFSTree
		}
		return t.node(binary.LittleEndian.Uint64(value), depth+1, take)
	})
}

// readAPFSNode reads the records of a node: a table of places, the keys behind
// it, and the values from the end backwards.
func readAPFSNode(b []byte, take func(leaf bool, key, value []byte) error) error {
	const head, info = 56, 40
	const isRoot, isLeaf, isFixed = 1, 2, 4
	flags, count := binary.LittleEndian.Uint16(b[32:]), int(binary.LittleEndian.Uint32(b[36:]))
	table := head + int(binary.LittleEndian.Uint16(b[40:]))
	keys, end, step := table+int(binary.LittleEndian.Uint16(b[42:])), len(b), 8
	if flags&isRoot != 0 {
		end -= info
	}
	if flags&isFixed != 0 {
		step = 4
	}
	if keys > end || count < 0 || count > (keys-table)/step {
		return errAPFSTree
	}
	// Keys and values of fixed size are those of an object map.
	keySize, valueSize := 16, 16
	if flags&isLeaf == 0 {
		valueSize = 8
	}
	for i := range count {
		place := b[table+i*step:]
		k, v := int(binary.LittleEndian.Uint16(place)), int(binary.LittleEndian.Uint16(place[2:]))
		if flags&isFixed == 0 {
			keySize, v = v, int(binary.LittleEndian.Uint16(place[4:]))
			valueSize = int(binary.LittleEndian.Uint16(place[6:]))
		}
		if k += keys; k+keySize > end || v > end || end-v+valueSize > end {
			return errAPFSTree
		}
		if err := take(flags&isLeaf != 0, b[k:k+keySize], b[end-v:end-v+valueSize]); err != nil {
			return err
		}
	}
	return nil
}

// apfsVolume visits the files of one volume.
func (w *diskWalk) apfsVolume(c *apfsContainer, oid uint64) error {
	block, ok := c.objects[oid]
	if !ok {
		return errAPFSTree
	}
	b, err := c.read(block)
	if err != nil {
		return err
	}
	if string(b[apfsHead:apfsHead+4]) != "APSB" {
		return errAPFSTree
	}
	name, _, _ := bytes.Cut(b[704:704+256], []byte{0})
	v := newAPFSVolume(c, w, strings.ToValidUTF8(string(name), "\uFFFD"))
	v.folded = binary.LittleEndian.Uint64(b[56:])&apfsFoldedNames != 0
	if binary.LittleEndian.Uint64(b[264:])&apfsUnencrypted == 0 {
		err := w.visit(Member{Name: v.name, Role: RoleFolder, Locked: true, Open: func() (io.Reader, error) { return nil, ErrLocked }})
		if err != nil {
			return err
		}
		return fmt.Errorf("a volume of the disk image cannot be listed: %w", ErrLocked)
	}
	broken := v.records(b)
	var limit *LimitError
	if errors.As(broken, &limit) {
		return broken
	}
	if err := v.visit(); err != nil {
		return err
	}
	return broken
}

// records reads the tree of the file system.
func (v *apfsVolume) records(super []byte) error {
	root := binary.LittleEndian.Uint64(super[136:])
	t := apfsTree{c: v.c}
	if binary.LittleEndian.Uint32(super[116:])&apfsPhysical == 0 {
		objects, err := v.c.objectMap(binary.LittleEndian.Uint64(super[128:]))
		if err != nil {
			return err
		}
		t.objects = objects
	}
	return t.walk(root, v.record)
}
