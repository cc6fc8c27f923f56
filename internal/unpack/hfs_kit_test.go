package unpack

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"unicode/utf16"
)

// hfsKit writes a HFS+ volume.
type hfsKit struct {
	blocks              [][]byte
	catalog, attributes []apfsRecord
	overflow            []apfsRecord
	next                uint32
}

func joinBE(parts ...any) []byte {
	var out bytes.Buffer
	for _, p := range parts {
		if s, ok := p.(string); ok {
			p = []byte(s)
		}
		if err := binary.Write(&out, binary.BigEndian, p); err != nil {
			panic(err)
		}
	}
	return out.Bytes()
}

// newHFSKit begins a volume; its first block is written at the end.
func newHFSKit(name string) *hfsKit {
	k := &hfsKit{blocks: make([][]byte, 2), next: 16}
	k.folder(hfsRootParent, hfsRoot, name)
	return k
}

func hfsKitKey(parent uint32, name string) []byte {
	units := utf16.Encode([]rune(name))
	return joinBE(uint16(6+2*len(units)), parent, uint16(len(units)), units)
}

func (k *hfsKit) folder(parent, id uint32, name string) {
	k.catalog = append(k.catalog, apfsRecord{hfsKitKey(parent, name), joinBE(uint16(1), uint16(0), uint32(1), id, make([]byte, 20),
		uint32(0), uint32(0), uint16(0), uint16(0o040755), make([]byte, 44))[:88]})
	k.catalog = append(k.catalog, apfsRecord{hfsKitKey(id, ""), joinBE(uint16(3), uint16(0), parent, hfsKitKey(0, name)[6:])})
}

// fork stores a content in pieces of so many blocks, with a block between them,
// and returns its description. What has no room there goes to the overflow.
func (k *hfsKit) fork(id uint32, kind byte, data []byte, piece int) []byte {
	var extents []extent
	count := (len(data) + kitBlock - 1) / kitBlock
	for at := 0; at < count; at += piece {
		n := min(piece, count-at)
		extents = append(extents, extent{uint32(len(k.blocks)), uint32(n)})
		for i := at; i < at+n; i++ {
			k.blocks = append(k.blocks, append(bytes.Clone(data[i*kitBlock:min(len(data), (i+1)*kitBlock)]), make([]byte, kitBlock)...)[:kitBlock])
		}
		if piece < count {
			k.blocks = append(k.blocks, make([]byte, kitBlock))
		}
	}
	out := joinBE(uint64(len(data)), uint32(0), uint32(count))
	done := uint32(0)
	for i := 0; i < max(len(extents), 1); i += 8 {
		eight := make([]byte, 64)
		start := done
		for j, e := range extents[i:min(len(extents), i+8)] {
			copy(eight[8*j:], joinBE(e.start, e.count))
			done += e.count
		}
		if i == 0 {
			out = append(out, eight...)
		} else {
			k.overflow = append(k.overflow, apfsRecord{joinBE(uint16(10), kind, byte(0), id, start), eight})
		}
	}
	return out
}

// file adds a file and returns its id.
func (k *hfsKit) file(parent uint32, name string, mode uint16, flags byte, finder string, special uint32, data, resource []byte, piece int) uint32 {
	id := k.next
	k.next++
	info := append([]byte(finder), make([]byte, 32)...)[:32]
	k.catalog = append(k.catalog, apfsRecord{hfsKitKey(parent, name), joinBE(uint16(2), uint16(2), uint32(0), id, make([]byte, 20),
		uint32(0), uint32(0), byte(0), flags, mode, special, info, uint64(0), k.fork(id, hfsData, data, piece), k.fork(id, hfsResource, resource, piece))})
	k.catalog = append(k.catalog, apfsRecord{hfsKitKey(id, ""), joinBE(uint16(4), uint16(0), parent, hfsKitKey(0, name)[6:])})
	return id
}

func (k *hfsKit) attribute(id uint32, name string, data []byte) {
	units := utf16.Encode([]rune(name))
	value := joinBE(uint32(0x10), uint64(0), uint32(len(data)), data)
	k.attributes = append(k.attributes, apfsRecord{joinBE(uint16(12+2*len(units)), uint16(0), id, uint32(0), uint16(len(units)), units),
		append(value, make([]byte, len(value)&1)...)})
}

// tree writes a tree: a head, leaves, and one index over them.
func (k *hfsKit) tree(id uint32, records []apfsRecord, longest uint16, attributes uint32) []byte {
	node := func(forward, back uint32, kind int8, height byte, all [][]byte) []byte {
		b := make([]byte, kitBlock)
		copy(b, joinBE(forward, back, kind, height, uint16(len(all)), uint16(0)))
		at := 14
		for i, r := range all {
			binary.BigEndian.PutUint16(b[kitBlock-2*(i+1):], uint16(at))
			copy(b[at:], r)
			at += len(r)
		}
		binary.BigEndian.PutUint16(b[kitBlock-2*(len(all)+1):], uint16(at))
		return b
	}
	var leaves [][][]byte
	used := kitBlock
	for _, r := range records {
		size := len(r.key) + len(r.value) + 2
		if used += size; used > kitBlock-64 {
			leaves, used = append(leaves, nil), size
		}
		last := len(leaves) - 1
		leaves[last] = append(leaves[last], append(bytes.Clone(r.key), r.value...))
	}
	out := make([]byte, kitBlock)
	var index [][]byte
	for i, leaf := range leaves {
		forward, back := uint32(i+2), uint32(i)
		if i == len(leaves)-1 {
			forward = 0
		}
		out = append(out, node(forward, back, -1, 1, leaf)...)
		key := leaf[0][:2+binary.BigEndian.Uint16(leaf[0])]
		index = append(index, joinBE(key, uint32(i+1)))
	}
	first, root, depth := uint32(min(1, len(leaves))), uint32(min(1, len(leaves))), uint16(min(1, len(leaves)))
	if len(leaves) > 1 {
		root, depth = uint32(len(leaves)+1), 2
		out = append(out, node(0, 0, 0, 2, index)...)
	}
	nodes := uint32(len(out) / kitBlock)
	head := joinBE(depth, root, uint32(len(records)), first, uint32(len(leaves)), uint16(kitBlock), longest, nodes, uint32(0),
		uint16(0), uint32(kitBlock), byte(0), byte(0xcf), attributes, make([]byte, 64))
	used = kitBlock - 14 - len(head) - 128 - 8
	copy(out, node(0, 0, 1, 0, [][]byte{head, make([]byte, 128), append([]byte{0xff}, make([]byte, used-1)...)}))
	return k.fork(id, hfsData, out, 1<<20)
}

// finish writes the trees and the head.
func (k *hfsKit) finish() []byte {
	slices.SortStableFunc(k.catalog, func(a, b apfsRecord) int {
		return cmp.Or(bytes.Compare(a.key[2:6], b.key[2:6]), bytes.Compare(a.key[8:], b.key[8:]))
	})
	extents := k.tree(hfsExtents, k.overflow, 10, 2)
	catalog := k.tree(hfsCatalog, k.catalog, 516, 6)
	attributes := k.tree(hfsAttributes, k.attributes, 266, 6)
	k.blocks[1] = bytes.Repeat([]byte{0xff}, kitBlock)
	k.blocks = append(k.blocks, make([]byte, kitBlock)) // with the second head
	count := uint32(len(k.blocks))
	allocation := joinBE(uint64(kitBlock), uint32(kitBlock), uint32(1), uint32(1), uint32(1), make([]byte, 56))
	head := joinBE("H+", uint16(4), uint32(0x100), "10.0", uint32(0), make([]byte, 16), uint32(1), uint32(1), uint32(kitBlock), count,
		uint32(0), uint32(0), uint32(65536), uint32(65536), k.next, uint32(1), uint64(1), make([]byte, 32), allocation, extents, catalog, attributes, make([]byte, 80))
	first := make([]byte, kitBlock)
	copy(first[1024:], head)
	k.blocks[0] = first
	copy(k.blocks[count-1][kitBlock-1024:], head)
	return bytes.Join(k.blocks, nil)
}
