package sign

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/binary"
	"hash"
)

// Page digests: a signer may add a digest of every page of a program, so that
// the loader can check a page when it is read ("signtool sign /ph"). They are
// signed together with the digest of the file and repeat it in small steps;
// checking them finds a signer who was not honest, and costs a second digest.
//
// The table is entries of a file offset (four bytes) and a digest: first the
// headers, then the pages of each section, then the end of the last section
// with a digest of zeros. A page that is not full is digested with zeros up to
// its size; the headers lack what the digest of the file leaves out.

// SPC_PE_IMAGE_PAGE_HASHES_V1_OBJID and …_V2_OBJID, and the class of the
// object that holds them ("Windows Authenticode Portable Executable Signature
// Format", 2008).
var (
	oidPagesSHA1   = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 3, 1}
	oidPagesSHA256 = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 3, 2}
	classPages     = []byte{0xa6, 0xb5, 0x86, 0xd5, 0xb4, 0xa1, 0x24, 0x66, 0xae, 0x05, 0xa2, 0x17, 0xda, 0x8e, 0x60, 0xd6}
)

// peImageData is SpcPeImageData with the one form of SpcLink that matters.
type peImageData struct {
	Flags asn1.BitString `asn1:"optional"`
	File  struct {
		URL    string `asn1:"optional,tag:0,ia5"`
		Object struct {
			Class []byte
			Data  []byte
		} `asn1:"optional,tag:1"`
		Path asn1.RawValue `asn1:"optional,tag:2"`
	} `asn1:"optional,tag:0"`
}

// pageDigests are the page digests of one signature: only a digest of the
// table is kept.
type pageDigests struct {
	hash   crypto.Hash
	sum    []byte
	layout *pageTable
}

// readPageDigests finds the page digests in the part of a signature that says
// what it is of. It returns nil if there are none.
func readPageDigests(der []byte, layout *pageTable) (*pageDigests, error) {
	var image peImageData
	if _, err := asn1.Unmarshal(der, &image); err != nil || !bytes.Equal(image.File.Object.Class, classPages) {
		return nil, nil
	}
	var set asn1.RawValue
	var table struct {
		Type   asn1.ObjectIdentifier
		Values [][]byte `asn1:"set"`
	}
	if _, err := asn1.Unmarshal(image.File.Object.Data, &set); err != nil {
		return nil, malformed("the page digests of the signature cannot be read")
	}
	if _, err := asn1.Unmarshal(set.Bytes, &table); err != nil || len(table.Values) != 1 {
		return nil, malformed("the page digests of the signature cannot be read")
	}
	sum := sha256.Sum256(table.Values[0])
	switch {
	case table.Type.Equal(oidPagesSHA1):
		return &pageDigests{crypto.SHA1, sum[:], layout}, nil
	case table.Type.Equal(oidPagesSHA256):
		return &pageDigests{crypto.SHA256, sum[:], layout}, nil
	}
	return nil, malformed("the page digests of the signature are of an unknown kind")
}

// span is a part of a file that is digested by pages.
type span struct{ from, to int64 }

// pageTable is what the headers of a program say of its pages.
type pageTable struct {
	page  int64  // bytes
	spans []span // the headers, then the sections, in the order of the file
	gaps  []span // what the digest of the file leaves out
}

// pageWriter takes the signed bytes of a file in their order and makes the
// table of page digests, of which it keeps a digest.
type pageWriter struct {
	layout *pageTable
	spans  []span // what is still to come
	gaps   []span
	at     int64 // offset in the file of the next byte
	start  int64 // offset of the current page
	size   crypto.Hash
	page   hash.Hash
	table  hash.Hash
	zeros  []byte
	buf    []byte // for one digest
}

func newPageWriter(h crypto.Hash, layout *pageTable) *pageWriter {
	return &pageWriter{layout: layout, spans: layout.spans, gaps: layout.gaps,
		size: h, page: h.New(), table: sha256.New(), zeros: make([]byte, layout.page), buf: make([]byte, 0, 4+h.Size())}
}

// Write takes the next signed bytes.
func (w *pageWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		w.skipGaps()
		n := int64(len(rest))
		if len(w.gaps) > 0 {
			n = min(n, w.gaps[0].from-w.at)
		}
		n = w.take(rest[:n])
		rest = rest[n:]
	}
	return len(p), nil
}

// skipGaps moves over what the digest of the file leaves out.
func (w *pageWriter) skipGaps() {
	for len(w.gaps) > 0 && w.at == w.gaps[0].from {
		w.at = w.gaps[0].to
		w.gaps = w.gaps[1:]
	}
}

// take digests the front of b, as far as the current page goes, and returns how
// much that was.
func (w *pageWriter) take(b []byte) int64 {
	n := int64(len(b))
	if len(w.spans) == 0 {
		w.at += n
		return n
	}
	s := w.spans[0]
	if w.at < s.from {
		n = min(n, s.from-w.at)
		w.at += n
		w.start = w.at
		return n
	}
	end := min(w.start+w.layout.page, s.to)
	n = min(n, end-w.at)
	w.page.Write(b[:n])
	w.at += n
	if w.at == end {
		w.close(end)
	}
	return n
}

// close ends the current page, which runs to end.
func (w *pageWriter) close(end int64) {
	w.page.Write(w.zeros[:w.layout.page-(end-w.start)])
	w.buf = w.page.Sum(w.offset(w.start))
	w.table.Write(w.buf)
	w.page.Reset()
	w.start = end
	if end < w.spans[0].to {
		return
	}
	if w.spans = w.spans[1:]; len(w.spans) == 0 {
		w.table.Write(append(w.offset(end), w.zeros[:w.size.Size()]...))
	} else {
		w.start = w.spans[0].from
	}
}

// offset begins an entry of the table.
func (w *pageWriter) offset(at int64) []byte {
	return binary.LittleEndian.AppendUint32(w.buf[:0], uint32(at))
}

// sum is the digest of the table.
func (w *pageWriter) sum() []byte { return w.table.Sum(nil) }
