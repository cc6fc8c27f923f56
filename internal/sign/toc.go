package sign

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A flat package is a xar archive (man page of xar(1), Apple's xar.h): header,
// table of contents in compressed XML, heap. Numbers are big-endian.
const (
	xarMagic    = "xar!"
	xarHeader   = 28
	maxHeader   = 4096    // bytes; more than 28 only if the header names its digest
	maxTOC      = 8 << 20 // bytes, compressed and not; 10 kB is usual
	maxMembers  = 1 << 16
	maxTOCDepth = 64
	maxText     = 64 << 10 // bytes of one text in the table: a certificate
	maxInTOC    = 16       // certificates of one signature
)

// region is a piece of the heap.
type region struct {
	off, size int64
	style     string // the digest or signature in it, or of it
	set       int    // bits: off, size, digest
}

// member is a region with the digest that the table gives for it.
type member struct {
	region
	digest []byte
}

// tocSignature is one of the two signatures that a package may have.
type tocSignature struct {
	region
	certs [][]byte // DER, the signer first
}

// toc is what the table of contents says.
type toc struct {
	packed   []byte // as it stands in the file: what is signed
	heap     int64  // where the heap begins
	checksum *region
	rsa, cms *tocSignature
	members  []member
}

// readTOC reads the header and the table of contents.
func readTOC(in input) (*toc, error) {
	head, err := in.bytes(0, xarHeader)
	if err != nil || string(head[:4]) != xarMagic {
		return nil, malformed("the package has no header")
	}
	size := int64(binary.BigEndian.Uint16(head[4:]))
	packed, plain := binary.BigEndian.Uint64(head[8:]), binary.BigEndian.Uint64(head[16:])
	if size < xarHeader || size > maxHeader || binary.BigEndian.Uint16(head[6:]) != 1 {
		return nil, malformed("the package has an impossible header")
	}
	if packed > uint64(in.size) {
		return nil, malformed("the table of contents is larger than the package")
	}
	if packed > maxTOC || plain > maxTOC {
		return nil, limit("the table of contents is larger than 8 MiB")
	}
	t := &toc{heap: size + int64(packed)}
	if t.packed, err = in.bytes(size, int64(packed)); err != nil {
		return nil, err
	}
	if err := t.read(int64(plain)); err != nil {
		return nil, err
	}
	return t, t.checkBounds(in)
}

// read unpacks the table as it goes. It has to be of the size that the header
// says: a reader that stops there must see the same as one that does not.
func (t *toc) read(size int64) error {
	z, err := zlib.NewReader(bytes.NewReader(t.packed))
	if err != nil {
		return malformed("the table of contents is damaged")
	}
	text := &io.LimitedReader{R: z, N: size + 1}
	if err := (&tocReader{toc: t}).read(text); err != nil {
		return err
	}
	if text.N != 1 {
		return malformed("the table of contents has another size than it says")
	}
	return nil
}

// checkBounds demands that every region lies in the heap.
func (t *toc) checkBounds(in input) error {
	room := in.size - t.heap
	for _, r := range t.regions() {
		if r.off > room || r.size > room-r.off {
			return malformed("the table of contents points outside of the package")
		}
	}
	return nil
}

// regions lists everything in the heap that holds bytes.
func (t *toc) regions() []region {
	var all []region
	if t.checksum != nil {
		all = append(all, *t.checksum)
	}
	for _, s := range []*tocSignature{t.rsa, t.cms} {
		if s != nil {
			all = append(all, s.region)
		}
	}
	for _, m := range t.members {
		all = append(all, m.region)
	}
	return slices.DeleteFunc(all, func(r region) bool { return r.size == 0 })
}

// tocReader walks the XML. An element that stands twice where it belongs once
// is refused, because readers differ in which of the two they take.
type tocReader struct {
	*toc
	path []string
	text []byte
	open *member       // the <data> or <ea> of a <file>
	sign *tocSignature // <signature> or <x-signature>
}

func (t *tocReader) read(text io.Reader) error {
	d := xml.NewDecoder(text)
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) && len(t.path) == 0 {
			return nil
		}
		if err != nil {
			return malformed("the table of contents is no XML")
		}
		switch token := token.(type) {
		case xml.StartElement:
			err = t.start(token)
		case xml.CharData:
			if len(t.text)+len(token) <= maxText {
				t.text = append(t.text, token...)
			}
		case xml.EndElement:
			err = t.end(token.Name.Local)
		}
		if err != nil {
			return err
		}
	}
}

// under tells whether the open elements end in these.
func (t *tocReader) under(names ...string) bool {
	return len(t.path) >= len(names) && slices.Equal(t.path[len(t.path)-len(names):], names)
}

func (t *tocReader) start(e xml.StartElement) error {
	if len(t.path) >= maxTOCDepth {
		return limit("the table of contents is nested too deeply")
	}
	t.path, t.text = append(t.path, e.Name.Local), t.text[:0]
	style := ""
	for _, a := range e.Attr {
		if a.Name.Local == "style" {
			style = strings.ToLower(a.Value)
		}
	}
	inTOC := len(t.path) == 3 && t.under("xar", "toc", e.Name.Local)
	switch {
	case inTOC && e.Name.Local == "checksum":
		return once(&t.checksum, &region{style: style})
	case inTOC && e.Name.Local == "signature":
		t.sign = &tocSignature{region: region{style: style}}
		return once(&t.rsa, t.sign)
	case inTOC && e.Name.Local == "x-signature":
		t.sign = &tocSignature{region: region{style: style}}
		return once(&t.cms, t.sign)
	case t.under("file", "data"), t.under("file", "ea"):
		return once(&t.open, &member{})
	case t.inMember() && e.Name.Local == "archived-checksum":
		t.open.style = style
	}
	return nil
}

// once sets a pointer that must not be set yet.
func once[T any](at **T, to *T) error {
	if *at != nil {
		return malformed("the table of contents holds an element twice")
	}
	*at = to
	return nil
}

// inMember tells whether the innermost element belongs to the open member.
func (t *tocReader) inMember() bool {
	n := len(t.path)
	return t.open != nil && n >= 3 && t.path[n-3] == "file" && (t.path[n-2] == "data" || t.path[n-2] == "ea")
}

func (t *tocReader) end(name string) error {
	if n := len(t.path); n == 0 || t.path[n-1] != name {
		return malformed("the table of contents is no XML")
	}
	err := t.take(name)
	t.path, t.text = t.path[:len(t.path)-1], t.text[:0]
	return err
}

// take uses the element that ends.
func (t *tocReader) take(name string) error {
	switch {
	case t.under("file", "data"), t.under("file", "ea"):
		if len(t.members) == maxMembers {
			return limit("the package has too many members")
		}
		t.members = append(t.members, *t.open)
		t.open = nil
	case t.inMember():
		return t.open.take(name, t.text)
	case len(t.path) == 3 && (name == "signature" || name == "x-signature"):
		t.sign = nil
	case t.sign != nil && t.under("KeyInfo", "X509Data", "X509Certificate"):
		return t.sign.addCert(t.text)
	case len(t.path) == 4 && t.sign != nil:
		return t.sign.take(name, t.text)
	case len(t.path) == 4 && t.under("xar", "toc", "checksum", name):
		return t.checksum.take(name, t.text)
	}
	return nil
}

// take reads one number of a region. A member gives its size in the heap as
// length, the others as size.
func (r *region) take(name string, text []byte) error {
	at, bit := &r.off, 1
	switch name {
	case "offset":
	case "size":
		at, bit = &r.size, 2
	default:
		return nil
	}
	return r.number(at, bit, text)
}

func (r *region) number(at *int64, bit int, text []byte) error {
	n, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 62)
	if err != nil || r.set&bit != 0 {
		return malformed("the table of contents holds an impossible number")
	}
	*at, r.set = int64(n), r.set|bit
	return nil
}

func (m *member) take(name string, text []byte) error {
	switch name {
	case "offset":
		return m.number(&m.off, 1, text)
	case "length":
		return m.number(&m.size, 2, text)
	case "archived-checksum":
		sum, err := hex.DecodeString(string(bytes.TrimSpace(text)))
		if err != nil || m.set&4 != 0 {
			return malformed("the table of contents holds an impossible digest")
		}
		m.digest, m.set = sum, m.set|4
	}
	return nil
}

func (s *tocSignature) addCert(text []byte) error {
	if len(s.certs) == maxInTOC {
		return limit("the signature has too many certificates")
	}
	der, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(text), nil)))
	if err != nil {
		return malformed("a certificate of the package cannot be read")
	}
	s.certs = append(s.certs, der)
	return nil
}
