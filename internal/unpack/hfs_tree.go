package unpack

import (
	"encoding/binary"
	"io"
)

// hfsTree is a B-tree of a volume (TN1150, "B-Trees"). Its leaves are walked
// along their links.
type hfsTree struct {
	r     io.ReaderAt
	size  int64 // bytes of a node
	nodes int64
	first uint32 // the first leaf; 0 if there is none
}

// tree opens the tree in a special file.
func (v *hfsVolume) tree(fork []byte, id uint32) (hfsTree, error) {
	f := v.fork(fork[:hfsForkSize], id, hfsData)
	t := hfsTree{r: v.content(f)}
	head := make([]byte, 14+106)
	if _, err := t.r.ReadAt(head, 0); err != nil {
		return t, orDamaged(err, errHFSHead)
	}
	size := int64(binary.BigEndian.Uint16(head[14+18:]))
	if size < 512 || size > maxHFSNode || size&(size-1) != 0 {
		return t, errHFSHead
	}
	t.size, t.nodes, t.first = size, f.size/size, binary.BigEndian.Uint32(head[14+10:])
	return t, nil
}

// takeHFS takes the key (without its length) and the data of a record, and where
// in the tree the data is.
type takeHFS func(at int64, key, record []byte) error

// walk calls take with each record.
func (t hfsTree) walk(take takeHFS) error {
	node := make([]byte, t.size)
	seen := int64(0)
	for at := t.first; at != 0; at = binary.BigEndian.Uint32(node) {
		if seen++; seen > t.nodes {
			return errHFSLoop
		}
		if n, err := t.r.ReadAt(node, int64(at)*t.size); n < len(node) {
			return orDamaged(err, errHFSTree)
		}
		if kind := int8(node[8]); kind != -1 {
			return errHFSTree
		}
		if err := t.leaf(int64(at)*t.size, node, take); err != nil {
			return err
		}
	}
	return nil
}

// leaf reads the records of a node. Their offsets stand at its end, backwards.
func (t hfsTree) leaf(start int64, node []byte, take takeHFS) error {
	const head = 14
	count := int(binary.BigEndian.Uint16(node[10:]))
	if count > (len(node)-head)/4 {
		return errHFSTree
	}
	for i := range count {
		at := int(binary.BigEndian.Uint16(node[len(node)-2*(i+1):]))
		end := int(binary.BigEndian.Uint16(node[len(node)-2*(i+2):]))
		if at < head || end > len(node) || at+2 > end {
			return errHFSTree
		}
		record := node[at:end]
		key := int(binary.BigEndian.Uint16(record))
		if key > len(record)-2 {
			return errHFSTree
		}
		data := min(2+key+key&1, len(record))
		if err := take(start+int64(at+data), record[2:2+key], record[data:]); err != nil {
			return err
		}
	}
	return nil
}
