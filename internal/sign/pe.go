package sign

import (
	"encoding/binary"
	"io"
	"time"

	"meetguard"
)

// Offsets of the PE header, from "PE Format" in the Windows documentation.
const (
	peOffsetAt      = 0x3c // where the DOS header names the PE header
	peOptionalAt    = 24   // optional header, from the PE signature
	peOptionalSize  = 20   // its size, from the PE signature
	peChecksumAt    = 64   // checksum, from the optional header
	peCertEntry     = 4    // the data directory of the certificate table
	peMaxOptional   = 1024 // no header that loads is larger
	pe32, pe32plus  = 0x10b, 0x20b
	dirs32, dirs32p = 96, 112 // data directories, from the optional header

	certHeader      = 8 // WIN_CERTIFICATE: length, revision, type
	certTypePKCS    = 2 // WIN_CERT_TYPE_PKCS_SIGNED_DATA
	maxCertificates = 32
)

// peLayout is where the three parts of a PE file stand that its digest leaves
// out: the checksum, the directory entry, and the table itself.
type peLayout struct {
	checksum int64
	entry    int64
	table    int64
	length   int64
}

// checkPE judges the embedded signature of a PE file. The digest is taken over
// all bytes in file order up to the certificate table, which is the digest of
// the specification for every file without gaps between sections, and stricter
// than it for the others.
func (v *Verifier) checkPE(in input, now time.Time) (meetguard.Signature, error) {
	var sig meetguard.Signature
	layout, err := readPE(in)
	if err != nil {
		return sig, err
	}
	table, err := in.bytes(layout.table, layout.length)
	if err != nil {
		return sig, err
	}
	blobs, hidden := splitTable(table)
	extra := len(blobs) > 1 || hidden.entry
	if len(blobs) == 0 {
		return sig, malformed("the certificate table holds no signature")
	}
	sig, err = v.authenticodeOf(blobs, func(into io.Writer) error {
		return copyAll(into,
			in.section(0, layout.checksum),
			in.section(layout.checksum+4, layout.entry),
			in.section(layout.entry+8, layout.table))
	}, now)
	if extra {
		remark(&sig, RemarkExtraEntry)
	}
	if hidden.bytes {
		remark(&sig, RemarkHiddenBytes)
	}
	if layout.table+layout.length < in.size {
		remark(&sig, RemarkOverlay)
	}
	return sig, err
}

// readPE finds the certificate table. A file without the header of a PE
// program, or whose header has no room for the entry, cannot carry a signature
// and has none.
func readPE(in input) (peLayout, error) {
	var l peLayout
	if in.size < 64 {
		return l, errUnsigned
	}
	dos, err := in.bytes(0, 64)
	if err != nil {
		return l, err
	}
	at := int64(binary.LittleEndian.Uint32(dos[peOffsetAt:]))
	if string(dos[:2]) != "MZ" || at+peOptionalAt > in.size {
		return l, errUnsigned
	}
	head, err := in.bytes(at, min(in.size-at, peOptionalAt+peMaxOptional))
	if err != nil {
		return l, err
	}
	optional := head[peOptionalAt:]
	size := int(binary.LittleEndian.Uint16(head[peOptionalSize:]))
	if string(head[:4]) != "PE\x00\x00" || size > len(optional) {
		return l, errUnsigned
	}
	entry, ok := certificateEntry(optional[:size])
	if !ok {
		return l, errUnsigned
	}
	l.checksum = at + peOptionalAt + peChecksumAt
	l.entry = at + peOptionalAt + int64(entry)
	l.table = int64(binary.LittleEndian.Uint32(optional[entry:]))
	l.length = int64(binary.LittleEndian.Uint32(optional[entry+4:]))
	return l, l.check(in.size)
}

// certificateEntry finds the directory entry in the optional header.
func certificateEntry(optional []byte) (at int, ok bool) {
	if len(optional) < 2 {
		return 0, false
	}
	dirs := 0
	switch binary.LittleEndian.Uint16(optional) {
	case pe32:
		dirs = dirs32
	case pe32plus:
		dirs = dirs32p
	default:
		return 0, false
	}
	at = dirs + 8*peCertEntry
	if len(optional) < at+8 || binary.LittleEndian.Uint32(optional[dirs-4:]) <= peCertEntry {
		return 0, false
	}
	return at, true
}

func (l peLayout) check(size int64) error {
	switch {
	case l.table == 0 && l.length == 0:
		return errUnsigned
	case l.length == 0:
		return errUnsigned
	case l.table < l.entry+8 || l.table > size || l.length > size-l.table:
		return malformed("the certificate table points outside of the file")
	case l.length > maxBlob:
		return limit("the certificate table is larger than 8 MiB")
	}
	return nil
}

// inTable is what stands in a certificate table beside signatures.
type inTable struct {
	bytes bool // bytes that belong to no entry
	entry bool // an entry that is no signature
}

// splitTable returns the signatures of a certificate table.
func splitTable(table []byte) (blobs [][]byte, other inTable) {
	for entries := 0; len(table) >= certHeader && entries < maxCertificates; entries++ {
		length := int64(binary.LittleEndian.Uint32(table))
		kind := binary.LittleEndian.Uint16(table[6:])
		if length <= certHeader || length > int64(len(table)) {
			break
		}
		if kind == certTypePKCS {
			blobs = append(blobs, table[certHeader:length])
		} else {
			other.entry = true
		}
		next := min((length+7)/8*8, int64(len(table)))
		other.bytes = other.bytes || !onlyZeros(table[length:next])
		table = table[next:]
	}
	other.bytes = other.bytes || !onlyZeros(table)
	return blobs, other
}
