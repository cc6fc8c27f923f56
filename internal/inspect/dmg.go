package inspect

import (
	"bytes"
	"compress/bzip2"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"io"
	"strings"

	"meetguard"
)

// The structures of disk images are those of Apple's UDIF (the trailer "koly"
// and the block tables "mish" in a property list) and of Apple's technical note
// TN1150 (HFS Plus). Only what leads to the name of the volume is read.
const (
	maxDMGList  = 1 << 20 // bytes of the property list; enough for an image of 9 GB
	maxDMGParts = 16      // partitions looked at
	maxDMGRuns  = 1 << 16 // runs of one partition looked at
	maxDMGRun   = 2 << 20 // bytes of one run, unpacked; hdiutil makes them 512 KiB
	maxUnpacked = 4       // runs that are unpacked for one partition
	sector      = 512     // bytes
)

// dmgClaims reads the names of the HFS+ volumes in a disk image. Images of other
// file systems and encrypted ones give none.
func dmgClaims(data []byte, c *collector) error {
	v := big(data)
	end := uint64(len(data))
	if end < 512 || !at(data, len(data)-512, "koly") {
		raw := &partition{raw: data}
		c.claim(meetguard.ClaimVolume, raw.volume())
		return nil
	}
	koly := end - 512
	fork := v.u64(koly + 24)
	offset, length := v.u64(koly+216), v.u64(koly+224)
	list := v.cut(offset, length)
	if list == nil || length > maxDMGList {
		return malformed("property list is too large or outside the file")
	}
	for range maxDMGParts {
		_, rest, _ := bytes.Cut(list, []byte("<data>"))
		table, behind, ok := bytes.Cut(rest, []byte("</data>"))
		if !ok {
			break
		}
		list = behind
		if p := openPartition(data, fork, table); p != nil {
			c.claim(meetguard.ClaimVolume, p.volume())
		}
	}
	return nil
}

// partition gives the bytes of one partition.
type partition struct {
	raw      []byte // of an image that is not packed, all of it
	image    []byte
	fork     uint64 // offset of the packed data in the image
	table    *view
	runs     uint64
	unpacked map[uint64][]byte
}

// openPartition reads a block table, or returns nil for what is none.
func openPartition(image []byte, fork uint64, encoded []byte) *partition {
	table, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(encoded)), ""))
	if err != nil || !starts(table, "mish") {
		return nil
	}
	v := big(table)
	p := &partition{image: image, fork: fork, table: v, runs: uint64(v.u32(200)), unpacked: map[uint64][]byte{}}
	if v.short || p.runs > maxDMGRuns {
		return nil
	}
	return p
}

// read returns n bytes of the partition at off, or nil. They have to lie in one
// run, or in two that follow one another.
func (p *partition) read(off, n uint64) []byte {
	if p.raw != nil {
		return little(p.raw).cut(off, n)
	}
	var out []byte
	for i := uint64(0); i < p.runs && n > 0; i++ {
		run := 204 + 40*i
		start, count := p.table.u64(run+8), p.table.u64(run+16)
		if count > maxDMGRun/sector || start > 1<<40 || off < start*sector || off >= (start+count)*sector {
			continue
		}
		body := p.run(i)
		skip := off - start*sector
		if uint64(len(body)) <= skip {
			return nil
		}
		part := body[skip:min(uint64(len(body)), skip+n)]
		out = append(out, part...)
		off, n = off+uint64(len(part)), n-uint64(len(part))
	}
	if n > 0 {
		return nil
	}
	return out
}

// run unpacks one run.
func (p *partition) run(i uint64) []byte {
	if body, ok := p.unpacked[i]; ok {
		return body
	}
	if len(p.unpacked) == maxUnpacked {
		return nil
	}
	at := 204 + 40*i
	kind, size := p.table.u32(at), p.table.u64(at+16)*sector
	packed := big(p.image).cut(p.fork+p.table.u64(at+24), p.table.u64(at+32))
	body := unpackRun(kind, packed, size)
	p.unpacked[i] = body
	return body
}

// unpackRun knows what hdiutil writes by default and what old images have: zlib,
// bzip2 and bytes as they are. Zeros hold no names; LZFSE and LZMA are left out.
func unpackRun(kind uint32, packed []byte, size uint64) []byte {
	var r io.Reader = bytes.NewReader(packed)
	switch kind {
	case 1: // as it is
	case 0x80000005:
		zr, err := zlib.NewReader(r)
		if err != nil {
			return nil
		}
		r = zr
	case 0x80000006:
		r = bzip2.NewReader(r)
	default:
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(r, int64(size))) // #nosec G115 -- at most maxDMGRun, see read
	return body
}

// volume is the name of a HFS+ volume: the name in the key of the first record
// in the first leaf of the catalog, which is that of the root folder.
func (p *partition) volume() string {
	head := big(p.read(1024, 512))
	if len(head.data) == 0 || !starts(head.data, "H+") && !starts(head.data, "HX") {
		return ""
	}
	block := uint64(head.u32(40))
	const catalog = 272 // fork data of the catalog file: its first extent is 16 bytes in
	start := uint64(head.u32(catalog+16)) * block
	tree := big(p.read(start, 512))
	if len(tree.data) == 0 || block == 0 {
		return ""
	}
	leaf, size := uint64(tree.u32(14+10)), uint64(tree.u16(14+18))
	if size < 512 {
		return ""
	}
	node := big(p.read(start+leaf*size, size))
	const record = 14 // behind the descriptor of the node: length of the key, parent, name
	if parent := node.u32(record + 2); parent != 1 {
		return ""
	}
	return decodeUTF16(node.cut(record+8, 2*uint64(node.u16(record+6))), binary.BigEndian)
}
