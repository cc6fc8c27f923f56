package specimens

import (
	"encoding/binary"
	"sort"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/unicode/norm"
)

const (
	hfsBlock = 4096 // bytes of an allocation block
	hfsNode  = 8192 // bytes of a node of the catalog
)

// hfsOf makes a small HFS Plus volume (Apple's technical note TN1150): a header,
// an empty tree of extents, a catalog of one leaf, and the files behind it.
func hfsOf(list []entry, volume string) []byte {
	root := treeOf(list)
	root.name = volume
	next, id := 1+1+1+4, 16 // blocks: header, bitmap, extents, catalog
	files, folders := 0, 0
	root.each(func(n *node) {
		if n == root {
			n.id = 2
			return
		}
		n.id, id = id, id+1
		if n.folder {
			folders++
			return
		}
		files++
		n.block, next = next, next+align(len(n.data), hfsBlock)/hfsBlock
	})
	total := next + 1 // the last block holds the second header
	out := make([]byte, total*hfsBlock)
	header := hfsHeader(total, id, files, folders)
	copy(out[1024:], header)
	copy(out[total*hfsBlock-1024:], header)
	for i := range total { // no block is free
		out[hfsBlock+i/8] |= 0x80 >> (i % 8)
	}
	copy(out[2*hfsBlock:], hfsTree(hfsBlock, nil, 10))
	copy(out[3*hfsBlock:], hfsTree(hfsNode, hfsCatalog(root), 516))
	root.each(func(n *node) { copy(out[n.block*hfsBlock:], n.data) })
	return out
}

// hfsFork is a fork in one extent.
func hfsFork(size, block int) []byte {
	be := binary.BigEndian
	b := be.AppendUint64(nil, uint64(size))
	b = be.AppendUint32(b, 0)
	n := align(size, hfsBlock) / hfsBlock
	b = be.AppendUint32(b, uint32(n))
	b = be.AppendUint32(b, uint32(block))
	b = be.AppendUint32(b, uint32(n))
	return append(b, make([]byte, 80-len(b))...)
}

func hfsHeader(total, nextID, files, folders int) []byte {
	be := binary.BigEndian
	b := []byte("H+\x00\x04")
	for _, v := range []int{0x100, 0x31302e30, 0, 0, 0, 0, 0, files, folders, hfsBlock, total, 0, 0, 65536, 65536, nextID, 1} {
		b = be.AppendUint32(b, uint32(v))
	}
	b = append(b, make([]byte, 8+32)...) // encodings, what Finder wants to know
	b = append(b, hfsFork(hfsBlock, 1)...)
	b = append(b, hfsFork(hfsBlock, 2)...)
	b = append(b, hfsFork(4*hfsBlock, 3)...)
	return append(b, make([]byte, 160)...) // no attributes, nothing to start
}

// hfsRecord is one record of the catalog with what it is sorted by.
type hfsRecord struct {
	parent int
	name   string
	data   []byte
}

func (r hfsRecord) bytes() []byte {
	name := utf16.Encode([]rune(r.name))
	b := binary.BigEndian.AppendUint16(nil, uint16(6+2*len(name)))
	b = binary.BigEndian.AppendUint32(b, uint32(r.parent))
	b = binary.BigEndian.AppendUint16(b, uint16(len(name)))
	for _, u := range name {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return append(b, r.data...)
}

// hfsCatalog lists the records of the tree in the order of the catalog.
func hfsCatalog(root *node) [][]byte {
	var list []hfsRecord
	root.each(func(n *node) {
		name, parent, kind := norm.NFD.String(n.name), n.parent.id, 3
		if n == root {
			parent = 1
		}
		data := hfsFolder(n)
		if !n.folder {
			data, kind = hfsFile(n), 4
		}
		list = append(list, hfsRecord{parent, name, data})
		thread := hfsRecord{parent, name, nil}.bytes()[2:]
		list = append(list, hfsRecord{n.id, "", append([]byte{0, byte(kind), 0, 0}, thread...)})
	})
	sort.SliceStable(list, func(i, j int) bool {
		if list[i].parent != list[j].parent {
			return list[i].parent < list[j].parent
		}
		return strings.ToLower(list[i].name) < strings.ToLower(list[j].name)
	})
	var out [][]byte
	for _, r := range list {
		out = append(out, r.bytes())
	}
	return out
}

func hfsFolder(n *node) []byte {
	b := []byte{0, 1, 0, 0}
	b = binary.BigEndian.AppendUint32(b, uint32(len(n.kids)))
	b = binary.BigEndian.AppendUint32(b, uint32(n.id))
	b = append(b, make([]byte, 20)...)
	b = append(b, hfsOwner(0o40755)...)
	return append(b, make([]byte, 88-len(b))...)
}

func hfsFile(n *node) []byte {
	b := []byte{0, 2, 0, 2, 0, 0, 0, 0} // a file with a thread
	b = binary.BigEndian.AppendUint32(b, uint32(n.id))
	b = append(b, make([]byte, 20)...)
	b = append(b, hfsOwner(0o100000|int(n.mode))...)
	b = append(b, make([]byte, 88-len(b))...)
	b = append(b, hfsFork(len(n.data), n.block)...)
	return append(b, hfsFork(0, 0)...) // no resource fork
}

func hfsOwner(mode int) []byte {
	b := append(make([]byte, 8), 0, 0)
	return append(binary.BigEndian.AppendUint16(b, uint16(mode)), 0, 0, 0, 1)
}

// hfsTree is a tree of a header and at most one leaf.
func hfsTree(size int, records [][]byte, maxKey int) []byte {
	be := binary.BigEndian
	nodes, depth, leaf := 1, 0, 0
	if len(records) > 0 {
		nodes, depth, leaf = 2, 1, 1
	}
	head := be.AppendUint16(nil, uint16(depth))
	for _, v := range []int{leaf, len(records), leaf, leaf} {
		head = be.AppendUint32(head, uint32(v))
	}
	head = be.AppendUint16(head, uint16(size))
	head = be.AppendUint16(head, uint16(maxKey))
	head = be.AppendUint32(head, uint32(nodes))
	head = append(head, make([]byte, 4+2)...)
	head = be.AppendUint32(head, uint32(size))
	head = append(head, 0, 0xcf) // a tree of HFS, names without case
	head = be.AppendUint32(head, 6)
	head = append(head, make([]byte, 106-len(head))...)
	used := make([]byte, size-14-106-128-8)
	used[0] = 0xff << (8 - nodes)
	out := hfsTreeNode(size, 1, 0, [][]byte{head, make([]byte, 128), used})
	if len(records) > 0 {
		out = append(out, hfsTreeNode(size, -1, 1, records)...)
	}
	return out
}

func hfsTreeNode(size, kind, height int, records [][]byte) []byte {
	b := make([]byte, 14, size)
	b[8], b[9] = byte(kind), byte(height)
	binary.BigEndian.PutUint16(b[10:], uint16(len(records)))
	var at []int
	for _, r := range records {
		at = append(at, len(b))
		b = append(b, r...)
	}
	at = append(at, len(b))
	if len(b)+2*len(at) > size {
		panic("a volume holds more files than one node of its catalog")
	}
	b = append(b, make([]byte, size-len(b))...)
	for i, a := range at {
		binary.BigEndian.PutUint16(b[size-2*(i+1):], uint16(a))
	}
	return b
}
