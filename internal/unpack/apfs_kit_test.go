package unpack

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"path"
	"slices"
	"strings"
)

// apfsRecord is a key and a value of a tree.
type apfsRecord struct{ key, value []byte }

// apfsKit writes a container of one volume.
type apfsKit struct {
	blocks  [][]byte
	records []apfsRecord
	next    uint64 // id of the next file
}

const kitBlock = 4096

// join concatenates numbers and bytes, little-endian.
func joinLE(parts ...any) []byte {
	var out bytes.Buffer
	for _, p := range parts {
		if s, ok := p.(string); ok {
			p = []byte(s)
		}
		if err := binary.Write(&out, le, p); err != nil {
			panic(err)
		}
	}
	return out.Bytes()
}

// block appends a block with the head of an object; a zero id is that of the
// block itself.
func (k *apfsKit) block(oid uint64, kind, subtype uint32, body []byte) uint64 {
	at := uint64(len(k.blocks))
	k.blocks = append(k.blocks, nil)
	if oid == 0 {
		oid = at
	}
	k.put(at, oid, kind, subtype, body)
	return at
}

func (k *apfsKit) put(at, oid uint64, kind, subtype uint32, body []byte) {
	b := make([]byte, kitBlock)
	copy(b, joinLE(uint64(0), oid, uint64(1), kind, subtype, body))
	le.PutUint64(b, fletcher64(b[8:]))
	k.blocks[at] = b
}

// node is the body of a node of a tree.
func apfsNode(flags, level uint16, fixed bool, records []apfsRecord, total, nodes int) []byte {
	const head, info = 56 - apfsHead, 40
	step, end := 8, kitBlock-apfsHead
	if fixed {
		step, flags = 4, flags|4
	}
	if flags&1 != 0 {
		end -= info
	}
	body := make([]byte, kitBlock-apfsHead)
	table := (len(records)*step + 63) / 64 * 64
	keys, k, v := head+table, 0, 0
	longKey, longValue := 0, 0
	for i, r := range records {
		copy(body[keys+k:], r.key)
		v += len(r.value)
		copy(body[end-v:], r.value)
		if fixed {
			copy(body[head+i*step:], joinLE(uint16(k), uint16(v)))
		} else {
			copy(body[head+i*step:], joinLE(uint16(k), uint16(len(r.key)), uint16(v), uint16(len(r.value))))
		}
		k += len(r.key)
		longKey, longValue = max(longKey, len(r.key)), max(longValue, len(r.value))
	}
	copy(body, joinLE(flags, level, uint32(len(records)), uint16(0), uint16(table), uint16(k), uint16(end-keys-k-v),
		uint16(0xffff), uint16(0), uint16(0xffff), uint16(0)))
	if flags&1 != 0 {
		keySize, valueSize := uint32(0), uint32(0)
		if fixed {
			keySize, valueSize = 16, 16
		}
		copy(body[end:], joinLE(uint32(0), uint32(kitBlock), keySize, valueSize, uint32(longKey), uint32(longValue), uint64(total), uint64(nodes)))
	}
	return body
}

// objectMap writes a map and its tree.
func (k *apfsKit) objectMap(objects []apfsRecord) uint64 {
	tree := k.block(0, 0x40000002, 11, apfsNode(3, 0, true, objects, len(objects), 1))
	return k.block(0, 0x4000000b, 0, joinLE(uint32(1), uint32(0), uint32(0x40000002), uint32(0x40000002), tree, uint64(0)))
}

// mapped is an entry of an object map.
func mapped(oid, block uint64) apfsRecord {
	return apfsRecord{joinLE(oid, uint64(1)), joinLE(uint32(0), uint32(kitBlock), block)}
}

func (k *apfsKit) add(id, kind uint64, key, value []byte) {
	k.records = append(k.records, apfsRecord{append(joinLE(id|kind<<60), key...), value})
}

// store writes a content, in two pieces if it is long, and returns its size.
func (k *apfsKit) store(id uint64, data []byte) {
	k.add(id, 6, nil, joinLE(uint32(1)))
	for at := 0; at < len(data); {
		n := min(len(data)-at, 3*kitBlock)
		first := uint64(len(k.blocks))
		for i := 0; i < n; i += kitBlock {
			k.blocks = append(k.blocks, append(bytes.Clone(data[at+i:at+min(n, i+kitBlock)]), make([]byte, kitBlock)...)[:kitBlock])
		}
		k.blocks = append(k.blocks, make([]byte, kitBlock)) // so that pieces are apart
		k.add(id, apfsExtent, joinLE(uint64(at)), joinLE(uint64((n+kitBlock-1)/kitBlock*kitBlock), first, uint64(0)))
		at += n
	}
}

func (k *apfsKit) inode(id, parent uint64, name string, mode uint16, flags uint32, size int) {
	fields := joinLE(uint16(1), uint16(0), byte(4), byte(2), uint16(len(name)+1))
	text := append([]byte(name), 0)
	text = append(text, make([]byte, -len(text)&7)...)
	data := text
	if size >= 0 {
		fields = joinLE(uint16(2), uint16(0), byte(4), byte(2), uint16(len(name)+1), byte(8), byte(0x20), uint16(40))
		data = append(data, joinLE(uint64(size), uint64((size+kitBlock-1)/kitBlock*kitBlock), uint64(0), uint64(0), uint64(0))...)
	}
	le.PutUint16(fields[2:], uint16(len(data)))
	k.add(id, apfsInode, nil, joinLE(parent, id, [4]uint64{1, 1, 1, 1}, uint64(0x8000), int32(1), uint32(0), uint32(0), flags,
		uint32(0), uint32(0), mode, uint16(0), uint64(0), fields, data))
}

func (k *apfsKit) entry(parent, id uint64, name string, kind uint16) {
	k.add(parent, apfsEntry, joinLE(uint16(len(name)+1), name, byte(0)), joinLE(id, uint64(1), kind))
}

func (k *apfsKit) attribute(id uint64, name string, flags uint16, value []byte) {
	k.add(id, apfsXattr, joinLE(uint16(len(name)+1), name, byte(0)), joinLE(flags, uint16(len(value)), value))
}

// file adds a file, or a link if mode says so.
func (k *apfsKit) file(parent uint64, name string, f kitFile) {
	id := k.next
	k.next++
	switch {
	case f.mode&modeType == modeLink:
		k.inode(id, parent, name, 0o120777, 0, -1)
		k.attribute(id, apfsSymlink, 2, joinLE(f.data, byte(0)))
		k.entry(parent, id, name, 10)
	default:
		k.inode(id, parent, name, 0o100644, 0, len(f.data))
		k.store(id, []byte(f.data))
		k.entry(parent, id, name, 8)
	}
}

// compressed adds a file whose content is in a resource fork.
func (k *apfsKit) compressed(parent uint64, name string, attr, resource []byte) {
	id := k.next
	k.next += 2
	k.inode(id, parent, name, 0o100644, apfsCompressed, -1)
	k.attribute(id, decmpfsName, 2, attr)
	if resource != nil {
		k.attribute(id, apfsResource, 1, joinLE(id+1, uint64(len(resource)), uint64((len(resource)+kitBlock-1)/kitBlock*kitBlock), [3]uint64{}))
		k.store(id+1, resource)
	}
	k.entry(parent, id, name, 8)
}

// newAPFSKit begins a container whose blocks 0 to 8 are written at its end.
func newAPFSKit() *apfsKit {
	k := &apfsKit{blocks: make([][]byte, 9), next: 16}
	k.inode(2, 1, "root", 0o040755, 0, -1)
	k.inode(3, 1, "private-dir", 0o040755, 0, -1)
	k.entry(1, 2, "root", 4)
	k.entry(1, 3, "private-dir", 4)
	return k
}

// addFiles adds files and the folders they need.
func (k *apfsKit) addFiles(files []kitFile) {
	folders := map[string]uint64{".": 2}
	var folder func(dir string) uint64
	folder = func(dir string) uint64 {
		if id, ok := folders[dir]; ok {
			return id
		}
		parent, id := folder(path.Dir(dir)), k.next
		k.next++
		folders[dir] = id
		k.inode(id, parent, path.Base(dir), 0o040755, 0, -1)
		k.entry(parent, id, path.Base(dir), 4)
		return id
	}
	for _, f := range files {
		k.file(folder(path.Dir(f.name)), path.Base(f.name), f)
	}
}

// finish writes trees and superblocks.
func (k *apfsKit) finish(volume string, flags uint64) []byte {
	slices.SortStableFunc(k.records, func(a, b apfsRecord) int {
		x, y := le.Uint64(a.key), le.Uint64(b.key)
		if c := cmp.Or(cmp.Compare(x&(1<<60-1), y&(1<<60-1)), cmp.Compare(x>>60, y>>60)); c != 0 {
			return c
		}
		if x>>60 == apfsExtent {
			return cmp.Compare(le.Uint64(a.key[8:]), le.Uint64(b.key[8:]))
		}
		return strings.Compare(string(a.key[10:]), string(b.key[10:]))
	})
	root := uint64(2000)
	var objects, index []apfsRecord
	total := len(k.records)
	var leaves [][]apfsRecord
	for rest := k.records; len(rest) > 0; {
		n, used := 0, 0
		for n < len(rest) && used < kitBlock-256 {
			used += 8 + len(rest[n].key) + len(rest[n].value)
			if used < kitBlock-256 {
				n++
			}
		}
		leaves, rest = append(leaves, rest[:n]), rest[n:]
	}
	for i, leaf := range leaves {
		oid := root + 1 + uint64(i)
		at := k.block(oid, 3, 14, apfsNode(2, 0, false, leaf, 0, 0))
		objects = append(objects, mapped(oid, at))
		index = append(index, apfsRecord{leaf[0].key, joinLE(oid)})
	}
	at := k.block(root, 2, 14, apfsNode(1, 1, false, index, total, 1+len(leaves)))
	objects = append([]apfsRecord{mapped(root, at)}, objects...)
	volumeMap := k.objectMap(objects)
	extents := k.block(0, 0x40000002, 15, apfsNode(3, 0, false, nil, 0, 1))
	snaps := k.block(0, 0x40000002, 16, apfsNode(3, 0, false, nil, 0, 1))
	super := make([]byte, kitBlock-apfsHead)
	copy(super, joinLE("APSB", uint32(0), uint64(0), uint64(0), uint64(0)))
	put := func(at int, parts ...any) { copy(super[at-apfsHead:], joinLE(parts...)) }
	put(116, uint32(2), uint32(0x40000002), uint32(0x40000002), volumeMap, root, extents, snaps)
	put(176, k.next)
	put(240, "volume uuid 0123")
	put(264, flags, "kit")
	put(704, volume)
	volumeAt := k.block(1026, 0xd, 0, super)
	containerMap := k.objectMap([]apfsRecord{mapped(1026, volumeAt)})
	container := make([]byte, kitBlock-apfsHead)
	size := uint64(len(k.blocks)+15) &^ 15
	copy(container, joinLE("NXSB", uint32(kitBlock), size, uint64(0), uint64(0), uint64(2), "container uuid!!", uint64(3000), uint64(2),
		uint32(2), uint32(4), uint64(1), uint64(3), uint32(0), uint32(0), uint32(0), uint32(2), uint32(0), uint32(0),
		uint64(1024), containerMap, uint64(1025), uint32(0), uint32(1), uint64(1026)))
	for _, at := range []uint64{0, 2} {
		k.put(at, 1, 0x80000001, 0, container)
	}
	k.put(1, 1, 0x4000000c, 0, joinLE(uint32(1), uint32(0)))
	out := make([]byte, size*kitBlock)
	for i, b := range k.blocks {
		copy(out[i*kitBlock:], b)
	}
	return out
}
