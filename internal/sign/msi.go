package sign

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"errors"
	"io"
	"sort"
	"time"
	"unicode/utf16"

	"meetguard"
)

// The streams that hold the signature, and the digest of the metadata where
// the signer covered that as well. Both names begin with the byte 5.
var (
	msiSignature   = utf16le("\x05DigitalSignature")
	msiSignatureEx = utf16le("\x05MsiDigitalSignatureEx")
)

// formMSI is what the signature of an MSI says that it is of: the reader is
// {000C10F1-0000-0000-C000-000000000046}, the SIP of msisip.dll.
var formMSI = form{kind: oidSipInfo, sip: []byte{0xf1, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46}}

// maxStorages bounds the depth of storages in storages; an MSI has two levels.
const maxStorages = 16

// msi is an MSI file and what a signature of it reads.
type msi struct {
	*cfb
	blob []byte // the signature
	ex   []byte // digest of the metadata, if it is signed too
	// total is what is left of the size of the file for streams: streams that
	// share sectors could make a small file cost any time.
	total int64
	// digested is set once everything has been read that is signed.
	digested bool
}

// checkMSI judges the signature inside of an MSI file.
func (v *Verifier) checkMSI(in input, now time.Time) (meetguard.Signature, error) {
	var sig meetguard.Signature
	c, err := openCFB(in)
	if err != nil {
		return sig, unsignedIf(err)
	}
	m := &msi{cfb: c, total: in.size}
	if err := m.findSignature(); err != nil {
		return sig, err
	}
	sig, err = v.authenticodeOf([][]byte{m.blob}, m.digest, now, formMSI)
	if m.digested && m.end() < in.size {
		remark(&sig, RemarkMSITrailing)
	}
	return sig, err
}

// unsignedIf passes limits and failing disks on. A compound file that cannot
// be read has no signature that could be malformed.
func unsignedIf(err error) error {
	var f *fault
	if errors.As(err, &f) {
		return errUnsigned
	}
	return err
}

func (m *msi) findSignature() error {
	files, err := m.children(&m.entries[0], map[int32]bool{0: true})
	if err != nil {
		return unsignedIf(err)
	}
	for _, e := range files {
		switch {
		case e.kind() != cfbStream:
		case bytes.Equal(e.name(), msiSignature):
			m.blob, err = m.read(e)
		case bytes.Equal(e.name(), msiSignatureEx):
			m.ex, err = m.read(e)
		}
		if err != nil {
			return err
		}
	}
	if m.blob == nil {
		return errUnsigned
	}
	return nil
}

func (m *msi) read(e *cfbEntry) ([]byte, error) {
	if e.length() > maxBlob {
		return nil, limit("the signature of the MSI is larger than 8 MiB")
	}
	buf := bytes.NewBuffer([]byte{})
	err := m.writeStream(e, buf)
	return buf.Bytes(), err
}

// digest feeds what an MSI signature covers: the digest of the metadata if
// there is one, then every stream in the order of the raw names, and the class
// of every storage behind what is in it.
func (m *msi) digest(into io.Writer) error {
	if m.ex != nil {
		if err := m.checkEx(); err != nil {
			return err
		}
		if _, err := into.Write(m.ex); err != nil {
			return err
		}
	}
	err := m.digestStorage(&m.entries[0], into, map[int32]bool{0: true}, 0)
	m.digested = err == nil
	return err
}

func (m *msi) digestStorage(parent *cfbEntry, into io.Writer, seen map[int32]bool, depth int) error {
	files, err := m.sorted(parent, seen, depth)
	if err != nil {
		return err
	}
	for _, e := range files {
		switch e.kind() {
		case cfbStream:
			if m.total -= e.length(); m.total < 0 {
				return malformed("the streams of the MSI are larger than the file")
			}
			err = m.writeStream(e, into)
		case cfbStorage:
			err = m.digestStorage(e, into, seen, depth+1)
		}
		if err != nil {
			return err
		}
	}
	_, err = into.Write(parent.class())
	return err
}

// sorted lists a storage in the order of the digest, without the signature.
func (m *msi) sorted(parent *cfbEntry, seen map[int32]bool, depth int) ([]*cfbEntry, error) {
	if depth > maxStorages {
		return nil, limit("the MSI has more than 16 levels of storages")
	}
	files, err := m.children(parent, seen)
	if err != nil {
		return nil, err
	}
	kept := files[:0]
	for _, e := range files {
		if depth > 0 || !bytes.Equal(e.name(), msiSignature) && !bytes.Equal(e.name(), msiSignatureEx) {
			kept = append(kept, e)
		}
	}
	sort.Slice(kept, func(i, j int) bool { return rawLess(kept[i].name(), kept[j].name()) })
	return kept, nil
}

// rawLess compares names byte by byte as stored; of two names where one begins
// the other, the longer one comes first.
func rawLess(a, b []byte) bool {
	n := min(len(a), len(b))
	if d := bytes.Compare(a[:n], b[:n]); d != 0 {
		return d < 0
	}
	return len(a) > len(b)
}

// metadata feeds what a MsiDigitalSignatureEx stream is the digest of.
func (m *msi) metadata(parent *cfbEntry, into io.Writer, seen map[int32]bool, depth int) error {
	files, err := m.sorted(parent, seen, depth)
	if err != nil {
		return err
	}
	if _, err := into.Write(metadataOf(parent)); err != nil {
		return err
	}
	for _, e := range files {
		switch e.kind() {
		case cfbStream:
			_, err = into.Write(metadataOf(e))
		case cfbStorage:
			err = m.metadata(e, into, seen, depth+1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// metadataOf is the signed part of a directory entry: name, class, size, state
// and times, as far as its kind has them.
func metadataOf(e *cfbEntry) []byte {
	var b []byte
	if name := e.name(); e.kind() != cfbRoot && len(name) >= 2 {
		b = append(b, name[:len(name)-2]...)
	}
	if e.kind() != cfbStream {
		b = append(b, e.class()...)
	} else {
		b = append(b, e.rawLen()...)
	}
	b = append(b, e.state()...)
	if e.kind() != cfbRoot {
		b = append(b, e.times()...)
	}
	return b
}

// checkEx compares the digest of the metadata. Its algorithm is that of the
// signature, which here shows in its length.
func (m *msi) checkEx() error {
	hashes := map[int]crypto.Hash{16: crypto.MD5, 20: crypto.SHA1, 32: crypto.SHA256, 48: crypto.SHA384, 64: crypto.SHA512}
	algorithm, ok := hashes[len(m.ex)]
	if !ok {
		return malformed("the digest of the names in the MSI has an impossible length")
	}
	h := algorithm.New()
	if err := m.metadata(&m.entries[0], h, map[int32]bool{0: true}, 0); err != nil {
		return err
	}
	if !hmac.Equal(h.Sum(nil), m.ex) {
		return badDigest("the signature is of other names or dates than these")
	}
	return nil
}

func utf16le(s string) []byte {
	var b []byte
	for _, u := range append(utf16.Encode([]rune(s)), 0) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}
