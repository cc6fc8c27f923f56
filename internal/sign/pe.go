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

	peSectionCount = 6  // number of sections, from the PE signature
	peAlignmentAt  = 32 // alignment of sections, from the optional header
	peHeadersAt    = 60 // size of the headers, from the optional header
	peSection      = 40 // bytes of a section header
	peMaxSections  = 96 // the loader of Windows refuses more
	pePage         = 4096

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
	pages    *pageTable // nil if the sections are not in the usual order
}

// forms is what a signature of the file has to say that it is of.
func (l peLayout) forms() []form {
	return []form{{kind: oidPEImage, pages: l.pages}, {kind: oidIndividual}}
}

// padding is how many zeros behind the certificate table are alignment.
const padding = 8 // bytes

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
	}, now, layout.forms()...)
	if extra {
		remark(&sig, RemarkExtraEntry)
	}
	if hidden.bytes {
		remark(&sig, RemarkHiddenBytes)
	}
	if err := in.remarkTail(&sig, layout.table+layout.length, RemarkOverlay); err != nil {
		return sig, err
	}
	return sig, err
}

// remarkTail remarks what stands behind end, unless it is a few zeros.
func (in input) remarkTail(sig *meetguard.Signature, end int64, name string) error {
	rest, err := in.bytes(end, min(in.size-end, padding))
	if err != nil {
		return err
	}
	if len(rest) == padding || !onlyZeros(rest) {
		remark(sig, name)
	}
	return nil
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
	if err := l.check(in.size); err != nil {
		return l, err
	}
	l.pages, err = l.readPages(in, head[:peOptionalAt+size], at)
	return l, err
}

// readPages tells how page digests of the file are made. Where alignments are
// unusual or sections stand out of order, no two tools agree on that, and the
// digest of the whole file has to do.
func (l peLayout) readPages(in input, head []byte, at int64) (*pageTable, error) {
	count := int64(binary.LittleEndian.Uint16(head[peSectionCount:]))
	optional := head[peOptionalAt:]
	headers := int64(binary.LittleEndian.Uint32(optional[peHeadersAt:]))
	first := at + int64(len(head))
	if count == 0 || count > peMaxSections || binary.LittleEndian.Uint32(optional[peAlignmentAt:]) != pePage ||
		headers > pePage || first+count*peSection > headers || headers > l.table {
		return nil, nil
	}
	table, err := in.bytes(first, count*peSection)
	if err != nil {
		return nil, err
	}
	t := &pageTable{page: pePage, spans: []span{{0, headers}},
		gaps: []span{{l.checksum, l.checksum + 4}, {l.entry, l.entry + 8}}}
	for end := headers; len(table) > 0; table = table[peSection:] {
		size := int64(binary.LittleEndian.Uint32(table[16:]))
		from := int64(binary.LittleEndian.Uint32(table[20:]))
		if size == 0 {
			continue
		}
		if from < end || size > l.table-from {
			return nil, nil
		}
		end = from + size
		t.spans = append(t.spans, span{from, end})
	}
	return t, nil
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
