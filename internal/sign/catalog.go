package sign

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf16"

	"meetguard"
)

// What a catalog is made of: a certificate trust list (szOID_CTL in the Windows
// SDK) that is used as a list of files (szOID_CATALOG_LIST), each with the
// digest that an Authenticode signature would have, or with it as its name.
var (
	oidTrustList   = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 10, 1}
	oidCatalogList = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 12, 1, 1}
)

// maxCatalogElements bounds the values of the list alone, which is walked
// without building any: a member has about 20, so that there is room for more
// members than fit into a catalog of the size that is read.
const maxCatalogElements = 4 << 20

// maxCatalogParts bounds the values side by side in everything but the list of
// members. A member of a catalog of Windows has two attributes.
const maxCatalogParts = 64

// Catalog is the list of files that a Windows catalog vouches for.
type Catalog struct {
	members map[string]bool
}

// Has tells whether a file with this Authenticode digest, raw and of whichever
// algorithm, is in the catalog. It means something only if the signature of the
// catalog is valid.
func (c *Catalog) Has(digest []byte) bool {
	return c != nil && len(digest) > 0 && c.members[string(digest)]
}

// Len is the number of digests; a file may have several.
func (c *Catalog) Len() int {
	if c == nil {
		return 0
	}
	return len(c.members)
}

// HasPE tells whether a PE file is in the catalog, by its SHA-256 or SHA-1
// digest. It means something only if the signature of the catalog is valid. A
// file that is no PE is in none; the error is that of a failing disk.
func (c *Catalog) HasPE(r io.ReaderAt, size int64) (bool, error) {
	in := input{r, size}
	l, err := readPE(in)
	var f *fault
	switch {
	case errors.Is(err, errUnsigned) && l.entry > 0:
		l.table = size
	case errors.Is(err, errUnsigned), errors.As(err, &f), size > maxFile:
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read the headers of a program: %w", err)
	}
	long, short := sha256.New(), sha1.New()
	both := io.MultiWriter(long, short)
	if err := l.digest(in, both); err != nil {
		return false, fmt.Errorf("read a program for its digest: %w", err)
	}
	found := c.Has(long.Sum(nil)) || c.Has(short.Sum(nil))
	both.Write(make([]byte, -l.table&7)) // tools differ in whether they fill the last eight bytes
	return found || c.Has(long.Sum(nil)) || c.Has(short.Sum(nil)), nil
}

// digest feeds what an Authenticode digest covers: all up to the certificate
// table but the checksum and the entry of that table.
func (l peLayout) digest(in input, into io.Writer) error {
	return copyAll(into, in.section(0, l.checksum), in.section(l.checksum+4, l.entry), in.section(l.entry+8, l.table))
}

// VerifyCatalog checks the signature of a Windows catalog (.cat) of at most
// 8 MiB and lists what it vouches for. The list is nil if it could not be read;
// it is returned beside a signature that is not valid.
func (v *Verifier) VerifyCatalog(data []byte, now time.Time) (sig meetguard.Signature, list *Catalog, gaps []meetguard.Gap) {
	defer func() {
		if recover() != nil {
			list = nil
			sig, gaps = stopped("the signature parser crashed")
		}
	}()
	list, sig, err := v.checkCatalog(data, now)
	sig, gaps = settle(sig, err)
	return sig, list, gaps
}

func (v *Verifier) checkCatalog(data []byte, now time.Time) (list *Catalog, sig meetguard.Signature, err error) {
	if len(data) > maxBlob {
		return nil, sig, limit("the catalog is larger than 8 MiB")
	}
	der, rest, content, err := splitCatalog(data)
	if err != nil {
		return nil, sig, err
	}
	s, err := openCMS(der, nil)
	if s != nil {
		s.describe(&sig)
	}
	if err != nil {
		sig, err = settleEarly(sig, err)
		return nil, sig, err
	}
	if !s.content.ContentType.Equal(oidTrustList) {
		return nil, sig, malformed("the signature is not one of a catalog")
	}
	if list, err = readCatalog(content); err != nil {
		return nil, sig, err
	}
	s.judge(v.authenticode, now, &sig)
	if s.stuffed() || !onlyZeros(rest) {
		remark(&sig, RemarkHiddenBytes)
	}
	return list, sig, nil
}

// splitCatalog finds the list in the signature around it. Only what is around
// is held to the limit for signatures, because only that is decoded as a whole.
func splitCatalog(data []byte) (der, rest, content []byte, err error) {
	e, err := readElement(data)
	if err != nil {
		return nil, nil, nil, err
	}
	if e.indefinite || e.tag != 0x30 {
		return nil, nil, nil, malformed("the signature is no DER sequence")
	}
	der, rest = data[:e.header+e.length], data[e.header+e.length:]
	info, err := descend(der, 0, 1, 0) // ContentInfo, [0], SignedData
	if err != nil {
		return nil, nil, nil, err
	}
	budget := maxElements
	for i, field := range info {
		if i == 2 { // version, digest algorithms, content
			content = field
			continue
		}
		if err := countElements(field, 0, &budget); err != nil {
			return nil, nil, nil, err
		}
	}
	budget = maxCatalogElements
	if err := countElements(content, 0, &budget); err != nil {
		return nil, nil, nil, err
	}
	return der, rest, content, nil
}

// descend follows the way of indices from the only value of b and returns the
// values inside of the last one. The first index is that of b itself.
func descend(b []byte, way ...int) ([][]byte, error) {
	list, err := values(b)
	for _, i := range way {
		if err != nil {
			return nil, err
		}
		if i >= len(list) {
			return nil, malformed("the catalog lacks a part")
		}
		list, err = values(insideOf(list[i]))
	}
	return list, err
}

// values splits b into its values. It is for structures of a few parts.
func values(b []byte) ([][]byte, error) {
	var list [][]byte
	for len(b) > 0 {
		e, err := readElement(b)
		if err != nil {
			return nil, err
		}
		if len(list) == maxCatalogParts {
			return nil, limit("a part of the catalog has more than 64 values")
		}
		if e.indefinite {
			return nil, malformed("the signature is no DER")
		}
		end := e.header + e.length
		list = append(list, b[:end])
		b = b[end:]
	}
	return list, nil
}

// insideOf is what is inside of a value that values has split off.
func insideOf(value []byte) []byte {
	e, err := readElement(value)
	if err != nil {
		return nil
	}
	return value[e.header:]
}

func tagOf(value []byte) byte {
	if len(value) == 0 {
		return 0
	}
	return value[0]
}

// readCatalog reads the members of a list. content is the ContentInfo of the
// signature.
func readCatalog(content []byte) (*Catalog, error) {
	fields, err := descend(content, 0, 1, 0) // ContentInfo, [0], CertificateTrustList
	if err != nil {
		return nil, err
	}
	usage, members := []byte(nil), []byte(nil)
	for _, f := range fields {
		switch {
		case tagOf(f) != 0x30:
		case usage == nil:
			usage = f
		default:
			members = f // the last sequence: before it stands the algorithm
		}
	}
	if want, err := asn1.Marshal([]asn1.ObjectIdentifier{oidCatalogList}); err != nil || !bytes.Equal(usage, want) {
		return nil, malformed("the signed list is not one of files")
	}
	c := &Catalog{members: map[string]bool{}}
	for rest := insideOf(members); len(rest) > 0; {
		e, err := readElement(rest)
		if err != nil {
			return nil, err
		}
		c.addMember(rest[e.header : e.header+e.length])
		rest = rest[e.header+e.length:]
	}
	return c, nil
}

// addMember reads one member: its name, then its attributes. A member whose
// digest is not understood is not there.
func (c *Catalog) addMember(member []byte) {
	fields, err := values(member)
	if err != nil || len(fields) != 2 {
		return
	}
	if d := digestOfName(insideOf(fields[0])); d != nil {
		c.members[string(d)] = true
	}
	attributes, err := values(insideOf(fields[1]))
	if err != nil {
		return
	}
	for _, a := range attributes {
		if d, err := digestOfAttribute(a); err == nil {
			c.members[string(d)] = true
		}
	}
}

// digestOfName reads a digest that is the name of a member: itself, or in the
// first version of the format its hexadecimal digits in UTF-16.
func digestOfName(name []byte) []byte {
	switch len(name) {
	case 20, 32, 48, 64:
		return name
	case 80, 82: // with or without an ending zero
		units := make([]uint16, 40)
		for i := range units {
			units[i] = uint16(name[2*i]) | uint16(name[2*i+1])<<8
		}
		if d, err := hex.DecodeString(strings.ToLower(string(utf16.Decode(units)))); err == nil {
			return d
		}
	}
	return nil
}

var errNoDigest = errors.New("the attribute holds no digest")

// digestOfAttribute reads the digest of an attribute that holds what an
// Authenticode signature would sign.
func digestOfAttribute(attribute []byte) ([]byte, error) {
	fields, err := descend(attribute, 0)
	if err != nil {
		return nil, err
	}
	var oid asn1.ObjectIdentifier
	if len(fields) != 2 {
		return nil, errNoDigest
	}
	if _, err := asn1.Unmarshal(fields[0], &oid); err != nil || !oid.Equal(oidIndirect) {
		return nil, errNoDigest
	}
	info, err := descend(fields[1], 0, 0, 1) // SET, SpcIndirectDataContent, DigestInfo
	if err != nil || len(info) != 2 || tagOf(info[1]) != asn1.TagOctetString {
		return nil, errNoDigest
	}
	return insideOf(info[1]), nil
}
