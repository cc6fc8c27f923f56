package inspect

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"iter"

	"meetguard"
)

// The structures here are those of PKWARE's APPNOTE. The central directory is
// walked in place: a reader that lists a hostile archive first would take
// hundreds of megabytes.
const (
	maxZipEntries = 20_000
	zipEnd        = "PK\x05\x06"
	zipEndSize    = 22
)

// zipEntry is one entry of a central directory.
type zipEntry struct {
	name       []byte
	method     uint16
	compressed uint64
	header     uint64 // offset of the local header in the file
}

// endsAsZip tells a zip by its end, for archives that have something in front
// of them. One with a comment takes a search, and so has to be named a zip.
func endsAsZip(name string, data []byte) bool {
	if at(data, len(data)-zipEndSize, zipEnd+"\x00\x00\x00\x00") {
		return true
	}
	if !hasSuffixFold(name, ".zip") {
		return false
	}
	for range zipEntries(data) {
		return true
	}
	return false
}

// sniffZip tells a MSIX package or bundle from other zips.
func sniffZip(data []byte) meetguard.Format {
	for e := range zipEntries(data) {
		if isManifest(e.name) {
			return meetguard.FormatMSIX
		}
	}
	return meetguard.FormatZip
}

// isManifest tells the manifest of a MSIX package or bundle.
func isManifest(name []byte) bool {
	return equalFold(name, "appxmanifest.xml") || equalFold(name, "appxmetadata/appxbundlemanifest.xml")
}

// zipDirectory finds the central directory. The end record is searched from
// the back, since a comment of up to 64 KiB may follow it. front is how many
// bytes stand before the archive; offsets in it do not count them.
func zipDirectory(data []byte) (start, count, front uint64) {
	tail := max(0, len(data)-zipEndSize-0xffff)
	i := bytes.LastIndex(data[tail:], []byte(zipEnd))
	if i < 0 {
		return 0, 0, 0
	}
	end := uint64(tail + i)
	v := little(data)
	count, size, start := uint64(v.u16(end+10)), uint64(v.u32(end+12)), uint64(v.u32(end+16))
	if end >= 20 && v.u32(end-20) == 0x07064b50 { // zip64: MSIX packers write it always
		end64 := v.u64(end - 20 + 8)
		if v.u32(end64) == 0x06064b50 {
			count, size, start, end = v.u64(end64+32), v.u64(end64+40), v.u64(end64+48), end64
		}
	}
	if v.short || size > end || start > end-size {
		return 0, 0, 0
	}
	if v.u32(start) != 0x02014b50 {
		front = end - size - start
	}
	return start + front, count, front
}

// zipEntries yields the entries of the central directory, as many as
// maxZipEntries.
func zipEntries(data []byte) iter.Seq[zipEntry] {
	return func(yield func(zipEntry) bool) {
		off, count, front := zipDirectory(data)
		v := little(data)
		for range min(count, maxZipEntries) {
			if v.u32(off) != 0x02014b50 {
				return
			}
			nameSize, extraSize, commentSize := uint64(v.u16(off+28)), uint64(v.u16(off+30)), uint64(v.u16(off+32))
			e := zipEntry{
				name:       v.cut(off+46, nameSize),
				method:     v.u16(off + 10),
				compressed: uint64(v.u32(off + 20)),
				header:     uint64(v.u32(off + 42)),
			}
			e.widen(v.cut(off+46+nameSize, extraSize), v.u32(off+24))
			e.header += front
			if v.short || !yield(e) {
				return
			}
			off += 46 + nameSize + extraSize + commentSize
		}
	}
}

// widen takes the numbers that do not fit 32 bits from the zip64 extra field.
// It holds only those, in a fixed order.
func (e *zipEntry) widen(extra []byte, uncompressed uint32) {
	const absent = 0xffffffff
	for len(extra) >= 4 {
		id, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		extra = extra[4:]
		field := little(extra[:min(size, len(extra))])
		extra = extra[len(field.data):]
		if id != 1 {
			continue
		}
		at := uint64(0)
		if uncompressed == absent {
			at += 8
		}
		if e.compressed == absent {
			e.compressed = field.u64(at)
			at += 8
		}
		if e.header == absent {
			e.header = field.u64(at)
		}
	}
}

// zipRead returns the content of an entry of at most maxXML bytes.
func zipRead(data []byte, e zipEntry) ([]byte, error) {
	v := little(data)
	if v.u32(e.header) != 0x04034b50 {
		return nil, malformed("zip entry lies outside the archive")
	}
	body := e.header + 30 + uint64(v.u16(e.header+26)) + uint64(v.u16(e.header+28))
	packed := v.cut(body, e.compressed)
	switch {
	case v.short:
		return nil, malformed("zip entry lies outside the archive")
	case len(packed) > maxXML:
		return nil, malformed("content is too large")
	case e.method == 0:
		return readLimited(bytes.NewReader(packed), maxXML)
	case e.method == 8:
		return readLimited(flate.NewReader(bytes.NewReader(packed)), maxXML)
	}
	return nil, malformed("zip entry is compressed in an unusual way")
}

// readLimited reads r, which may hold no more than limit bytes. What r reads
// from has to be limited too: a compressed stream can be long and hold nothing.
func readLimited(r io.Reader, limit int) ([]byte, error) {
	out, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, malformed("content is damaged")
	}
	if len(out) > limit {
		return nil, malformed("content is too large")
	}
	return out, nil
}
