package sign

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	_ "crypto/md5" // digests that old signatures name: recognised, never trusted
	"crypto/rsa"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"errors"

	"github.com/sassoftware/relic/v8/lib/pkcs7"
	"github.com/sassoftware/relic/v8/lib/pkcs9"
	"github.com/sassoftware/relic/v8/lib/x509tools"
)

// Limits of what one signature may make the processor do: an RSA check costs
// the square of the key length.
const (
	maxCerts  = 128
	minRSAKey = 1024 // bits; crypto/rsa refuses shorter ones
	maxRSAKey = 8192 // bits
)

// oidNested is Microsoft's attribute for a further signature inside of the
// first one ("signtool /as"; SPC_NESTED_SIGNATURE in wintrust.h).
var oidNested = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 4, 1}

// signer is one CMS signature: who made it, with which certificates, when.
type signer struct {
	leaf     *x509.Certificate
	certs    []*x509.Certificate
	info     *pkcs7.SignerInfo
	content  pkcs7.ContentInfo
	hash     crypto.Hash
	stamp    *pkcs9.CounterSignature // intact, its chain not yet judged
	stampBad bool                    // there is one and it does not fit
	unread   int                     // bytes among the certificates that are none
	loose    int                     // bytes around it and in the countersignature that nothing covers
}

// opened is one SignerInfo of a CMS structure. The signer is nil if its
// certificate is missing, and stands beside a fault as soon as it is known.
type opened struct {
	*signer
	err error
}

// openCMS opens a structure that must have exactly one signer.
func openCMS(der, detached []byte) (*signer, error) {
	list, err := openSigners(der, detached)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 {
		return nil, malformed("the signature has not exactly one signer")
	}
	return list[0].signer, list[0].err
}

// openSigners parses a DER SignedData structure that splitDER or berToDER has
// bounded, and checks that each of its signers made it over its content
// (detached, if not nil). There is at least one; what comes after the first
// maxSigners is not looked at.
func openSigners(der, detached []byte) ([]opened, error) {
	psd, err := pkcs7.Unmarshal(der)
	if err != nil || !psd.ContentType.Equal(pkcs7.OidSignedData) {
		return nil, malformed("the signature is no PKCS#7 signed data")
	}
	content, err := contentOf(psd.Content.ContentInfo, detached)
	if err != nil {
		return nil, err
	}
	certs, unread, err := readCerts(psd.Content.Certificates)
	if err != nil {
		return nil, err
	}
	infos := psd.Content.SignerInfos
	if len(infos) == 0 {
		return nil, malformed("the signature has no signer")
	}
	loose := unaccounted(der, psd, content)
	var list []opened
	for i := range infos[:min(len(infos), maxSigners)] {
		s := &signer{info: &infos[i], content: psd.Content.ContentInfo, certs: certs, unread: unread, loose: loose}
		if s.leaf, err = infos[i].FindCertificate(certs); err != nil {
			list = append(list, opened{nil, missingLeaf(unread)})
			continue
		}
		list = append(list, opened{s, s.open(content)})
	}
	return list, nil
}

// unaccounted counts the bytes of a structure that are neither signed nor a
// certificate nor an attribute. Decoders skip what follows the last field that
// they know, and parameters of algorithms may be anything; what really belongs
// there has some hundred bytes.
func unaccounted(der []byte, psd *pkcs7.ContentInfoSignedData, content []byte) int {
	n := len(der) - len(content)
	for _, c := range psd.Content.Certificates {
		n -= len(c.FullBytes)
	}
	for _, i := range psd.Content.SignerInfos {
		n -= sizeOf(i.AuthenticatedAttributes) + sizeOf(i.UnauthenticatedAttributes)
		n -= len(i.IssuerAndSerialNumber.IssuerName.FullBytes) + len(i.EncryptedDigest)
	}
	return n
}

// missingLeaf tells why nobody knows the signer. Go's parser is stricter than
// those of the systems: what it refuses is no proof of anything.
func missingLeaf(unread int) error {
	if unread > 0 {
		return limit("a certificate of the signature could not be parsed, or has an unsupported key")
	}
	return malformed("the certificate of the signer is missing")
}

// contentOf returns what is signed: the content, or the detached one. If both
// are there they must be the same.
func contentOf(info pkcs7.ContentInfo, detached []byte) ([]byte, error) {
	inside, err := info.Bytes()
	switch {
	case err != nil:
		return nil, malformed("the content of the signature cannot be read")
	case inside == nil && detached == nil:
		return nil, malformed("the signature has no content")
	case inside != nil && detached != nil && !bytes.Equal(inside, detached):
		return nil, badDigest("the signature does not fit what it signs")
	case inside == nil:
		return detached, nil
	}
	return inside, nil
}

// open checks the mathematics of one signer.
func (s *signer) open(content []byte) error {
	if err := s.checkAttributes(); err != nil {
		return err
	}
	if _, err := s.info.Verify(content, false, []*x509.Certificate{s.leaf}); err != nil {
		return badDigest("the signature does not fit what it signs")
	}
	s.readStamp()
	return nil
}

// checkAttributes refuses what would make a digest ambiguous or a check
// impossible, before any mathematics is done.
func (s *signer) checkAttributes() error {
	hash, err := x509tools.PkixDigestToHashE(s.info.DigestAlgorithm)
	if err != nil {
		return limit("the signature uses an unknown digest")
	}
	s.hash = hash
	if len(s.info.AuthenticatedAttributes) == 0 && s.content.ContentType.Equal(pkcs7.OidData) {
		return nil // RFC 5652, 5.3: plain data may be signed without; packages are
	}
	var ctype asn1.ObjectIdentifier
	if err := s.info.AuthenticatedAttributes.GetOne(pkcs7.OidAttributeContentType, &ctype); err != nil {
		return malformed("the signature does not cover its content type")
	}
	if !ctype.Equal(s.content.ContentType) {
		return malformed("the signature is of another content type")
	}
	return nil
}

// readCerts parses certificates and drops those whose key would be too
// expensive or is of no kind that is known. unread is how many bytes did not
// become a certificate: nothing covers the set, so anything can stand there.
func readCerts(raw pkcs7.RawCertificates) (certs []*x509.Certificate, unread int, err error) {
	if len(raw) > maxCerts {
		return nil, 0, limit("the signature has too many certificates")
	}
	for _, r := range raw {
		c, err := x509.ParseCertificate(r.FullBytes)
		if err != nil || !sensibleKey(c) {
			unread += len(r.FullBytes)
			continue
		}
		certs = append(certs, c)
	}
	return certs, unread, nil
}

func sensibleKey(c *x509.Certificate) bool {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		n := key.N.BitLen()
		return n >= minRSAKey && n <= maxRSAKey
	case *ecdsa.PublicKey:
		return true
	}
	return false
}

// stampAttributes are the places of a countersignature: a token after RFC 3161,
// the same under Microsoft's number, and the older form of PKCS#9.
var stampAttributes = []asn1.ObjectIdentifier{pkcs9.OidAttributeTimeStampToken, pkcs9.OidSpcTimeStampToken, pkcs9.OidAttributeCounterSign}

// readStamp checks the countersignature against the signature. A faulty one
// is as good as none and never spoils the signature itself.
func (s *signer) readStamp() {
	defer func() {
		if recover() != nil { // the token parser of relic trusts its input
			s.stamp, s.stampBad = nil, true
		}
	}()
	if err := s.checkToken(); err != nil {
		s.stampBad = true
		return
	}
	stamp, err := pkcs9.VerifyPkcs7(pkcs7.Signature{SignerInfo: s.info, Certificate: s.leaf, Intermediates: s.certs})
	if err != nil || stamp != nil && stamp.SigningTime.IsZero() {
		s.stampBad = true
		return
	}
	s.stamp = stamp
}

// checkToken bounds the certificates inside of an RFC 3161 token, and demands
// that it is one: an authority signs other things than times as well.
func (s *signer) checkToken() error {
	for _, oid := range stampAttributes[:2] {
		var token pkcs7.ContentInfoSignedData
		err := s.info.UnauthenticatedAttributes.GetOne(oid, &token)
		if errors.As(err, &pkcs7.ErrNoAttribute{}) {
			continue
		}
		if err != nil {
			return err
		}
		if !token.Content.ContentInfo.ContentType.Equal(pkcs9.OidTSTInfo) {
			return malformed("the countersignature is no time stamp")
		}
		if err := s.checkTokenCerts(token.Content.Certificates); err != nil {
			return err
		}
		s.loose += looseInToken(valueOf(s.info.UnauthenticatedAttributes, oid), &token)
	}
	return nil
}

// checkTokenCerts refuses certificates that would be too expensive to use (relic
// parses them once more, so they cannot be dropped here), and counts what is
// none.
func (s *signer) checkTokenCerts(raw pkcs7.RawCertificates) error {
	if len(raw) > maxCerts {
		return malformed("the countersignature has too many certificates")
	}
	for _, r := range raw {
		c, err := x509.ParseCertificate(r.FullBytes)
		if err == nil && !sensibleKey(c) {
			return malformed("a certificate of the countersignature has an unsupported key")
		}
		if err != nil || len(r.FullBytes) >= minLooseCerts {
			s.unread += len(r.FullBytes)
		}
	}
	return nil
}

// looseInToken counts what an RFC 3161 token holds beside its content, its
// certificates and its signer.
func looseInToken(der []byte, token *pkcs7.ContentInfoSignedData) int {
	content, err := token.Content.ContentInfo.Bytes()
	if err != nil {
		return 0 // then it is no time stamp either
	}
	n := unaccounted(der, token, content)
	for _, i := range token.Content.SignerInfos {
		n += sizeOf(i.UnauthenticatedAttributes)
	}
	return n
}

// valueOf returns the encoded values of an attribute.
func valueOf(list pkcs7.AttributeList, oid asn1.ObjectIdentifier) []byte {
	for _, a := range list {
		if a.Type.Equal(oid) {
			return a.Values.Bytes
		}
	}
	return nil
}

// nested returns the further signatures inside of this one.
func (s *signer) nested() [][]byte {
	var all [][]byte
	for _, a := range s.info.UnauthenticatedAttributes {
		if !a.Type.Equal(oidNested) {
			continue
		}
		for rest := a.Values.Bytes; len(rest) > 0 && len(all) <= maxSigners; {
			e, err := readElement(rest)
			if err != nil {
				break
			}
			end := e.header + e.length
			all = append(all, rest[:end])
			rest = rest[end:]
		}
	}
	return all
}

// Bounds of what may stand unsigned inside of a signature before it is a
// remark. Attributes: those of real signatures hold nothing but
// countersignatures and nested signatures; installers that carry a campaign in
// an attribute reserve 1 kB and more. Certificates: some signers add a second
// chain of about 1.5 kB for each certificate.
const (
	minBlob       = 1 << 10 // bytes of unknown attributes and between the fields
	minLooseCerts = 8 << 10 // bytes of certificates that belong to no chain
)

// stuffed tells whether the part that no signature covers holds data.
func (s *signer) stuffed() bool {
	return s.loose+s.looseAttributes() >= minBlob || s.unread+s.looseCerts() >= minLooseCerts
}

// looseAttributes counts what stands in attributes beside nested signatures and
// one countersignature of each form.
func (s *signer) looseAttributes() int {
	size := 0
	seen := map[string]bool{}
	for _, a := range s.info.UnauthenticatedAttributes {
		known := a.Type.Equal(oidNested)
		for _, oid := range stampAttributes {
			known = known || a.Type.Equal(oid) && !seen[oid.String()]
		}
		seen[a.Type.String()] = true
		if !known {
			size += len(a.Values.Bytes)
		}
	}
	return size
}

func sizeOf(list pkcs7.AttributeList) int {
	size := 0
	for _, a := range list {
		size += len(a.Values.Bytes)
	}
	return size
}

// looseCerts counts the certificates that are not on the way up from the signer
// or from its countersignature. A certificate far larger than any real one
// counts wherever it stands.
func (s *signer) looseCerts() int {
	wanted := map[string]bool{string(s.leaf.RawSubject): true}
	if s.stamp != nil {
		wanted[string(s.stamp.Certificate.RawSubject)] = true
	}
	for more := true; more; {
		more = false
		for _, c := range s.certs {
			if wanted[string(c.RawSubject)] && !wanted[string(c.RawIssuer)] {
				wanted[string(c.RawIssuer)], more = true, true
			}
		}
	}
	size := 0
	for _, c := range s.certs {
		if !wanted[string(c.RawSubject)] || len(c.Raw) >= minLooseCerts {
			size += len(c.Raw)
		}
	}
	return size
}
