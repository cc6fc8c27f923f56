package specimens

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

const (
	dmgSector = 512
	dmgChunk  = 512 * dmgSector // bytes of one compressed block, unpacked
)

// dmgOf makes a disk image (UDIF): a volume in blocks of zlib, a property list
// with the table of blocks, and the trailer "koly".
func dmgOf(volume []byte) []byte {
	var out, runs []byte
	be := binary.BigEndian
	run := func(kind uint32, sector, sectors, offset, size int) {
		runs = be.AppendUint32(runs, kind)
		runs = be.AppendUint32(runs, 0)
		for _, v := range []int{sector, sectors, offset, size} {
			runs = be.AppendUint64(runs, uint64(v))
		}
	}
	n := 0
	for at := 0; at < len(volume); at += dmgChunk {
		chunk := volume[at:min(at+dmgChunk, len(volume))]
		packed := zlibOf(chunk)
		run(0x80000005, at/dmgSector, len(chunk)/dmgSector, len(out), len(packed))
		out = append(out, packed...)
		n++
	}
	run(0xffffffff, len(volume)/dmgSector, 0, len(out), 0)
	table := dmgTable(volume, runs, n+1)
	plist := lines(`<?xml version="1.0" encoding="UTF-8"?>`, `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">`,
		`<plist version="1.0"><dict><key>resource-fork</key><dict><key>blkx</key><array><dict>`, `<key>Attributes</key><string>0x0050</string>`,
		`<key>CFName</key><string>whole disk (Apple_HFS : 0)</string>`, `<key>Data</key><data>`+base64.StdEncoding.EncodeToString(table)+`</data>`,
		`<key>ID</key><string>0</string><key>Name</key><string>whole disk (Apple_HFS : 0)</string>`, `</dict></array></dict></dict></plist>`)
	data := len(out)
	out = append(out, plist...)
	return append(out, dmgTrailer(data, len(plist), crc32.ChecksumIEEE(out[:data]), dmgMaster(volume), len(volume))...)
}

// dmgMaster is the checksum over the checksums of all partitions.
func dmgMaster(volume []byte) uint32 {
	return crc32.ChecksumIEEE(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(volume)))
}

// dmgSum is a checksum of kind CRC-32 in its field of 136 bytes.
func dmgSum(sum uint32) []byte {
	b := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 2, 0, 0, 0, 32}, sum)
	return append(b, make([]byte, 136-len(b))...)
}

func dmgTable(volume, runs []byte, n int) []byte {
	be := binary.BigEndian
	b := []byte("mish\x00\x00\x00\x01")
	b = be.AppendUint64(b, 0)
	b = be.AppendUint64(b, uint64(len(volume)/dmgSector))
	b = be.AppendUint64(b, 0)
	b = be.AppendUint32(b, dmgChunk/dmgSector+8) // buffers needed
	b = be.AppendUint32(b, 0)
	b = append(b, make([]byte, 24)...)
	b = append(b, dmgSum(crc32.ChecksumIEEE(volume))...)
	b = be.AppendUint32(b, uint32(n))
	return append(b, runs...)
}

func dmgTrailer(data, plist int, dataSum, masterSum uint32, volume int) []byte {
	be := binary.BigEndian
	b := []byte("koly\x00\x00\x00\x04\x00\x00\x02\x00\x00\x00\x00\x01") // version, size, flags
	for _, v := range []int{0, 0, data, 0, 0} {                         // running, data fork, resource fork
		b = be.AppendUint64(b, uint64(v))
	}
	b = append(b, 0, 0, 0, 1, 0, 0, 0, 1)
	b = fmt.Appendf(b, "%-16s", "inert lure image") // segment
	b = append(b, dmgSum(dataSum)...)
	b = be.AppendUint64(b, uint64(data))
	b = be.AppendUint64(b, uint64(plist))
	b = append(b, make([]byte, 120)...)
	b = append(b, dmgSum(masterSum)...)
	b = be.AppendUint32(b, 1) // an image of a device
	b = be.AppendUint64(b, uint64(volume/dmgSector))
	return append(b, make([]byte, 512-len(b))...)
}
