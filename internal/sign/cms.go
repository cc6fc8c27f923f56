package sign

import (
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

// maxStuffing is the size from which unknown unauthenticated attributes are a
// remark: nothing covers them, and configurations have been smuggled in them.
const maxStuffing = 256 // bytes

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
}

// openCMS parses a DER SignedData structure that splitDER or berToDER has
// bounded, and checks that its signer made it over its content (detached, if
// not nil). The signer is returned beside a fault as soon as it is known.
func openCMS(der, detached []byte) (*signer, error) {
	psd, err := pkcs7.Unmarshal(der)
	if err != nil || !psd.ContentType.Equal(pkcs7.OidSignedData) {
		return nil, malformed("the signature is no PKCS#7 signed data")
	}
	if len(psd.Content.SignerInfos) != 1 {
		return nil, malformed("the signature has not exactly one signer")
	}
	s := &signer{info: &psd.Content.SignerInfos[0], content: psd.Content.ContentInfo}
	if err := s.findLeaf(psd.Content.Certificates); err != nil {
		return nil, err
	}
	if err := s.checkAttributes(); err != nil {
		return s, err
	}
	sig, err := psd.Content.Verify(detached, false)
	if err != nil {
		return s, badDigest("the signature does not fit what it signs")
	}
	s.readStamp(sig)
	return s, nil
}

func (s *signer) findLeaf(raw pkcs7.RawCertificates) error {
	certs, parseErr, err := readCerts(raw)
	if err != nil {
		return err
	}
	s.certs = certs
	if s.leaf, err = s.info.FindCertificate(certs); err == nil {
		return nil
	}
	if parseErr != nil {
		// Go's parser is stricter than those of the systems: this is no
		// proof of anything.
		return limit("a certificate of the signature could not be parsed")
	}
	return malformed("the certificate of the signer is missing")
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

// readCerts parses certificates and bounds their keys. parseErr tells that
// some could not be parsed.
func readCerts(raw pkcs7.RawCertificates) (certs []*x509.Certificate, parseErr, err error) {
	if len(raw) > maxCerts {
		return nil, nil, limit("the signature has too many certificates")
	}
	certs, parseErr = raw.Parse()
	for _, c := range certs {
		if err := checkKey(c); err != nil {
			return nil, nil, err
		}
	}
	return certs, parseErr, nil
}

func checkKey(c *x509.Certificate) error {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < minRSAKey || n > maxRSAKey {
			return limit("a certificate of the signature has an RSA key out of bounds")
		}
	case *ecdsa.PublicKey:
	default:
		return limit("a certificate of the signature has a key of an unsupported kind")
	}
	return nil
}

// readStamp checks the countersignature against the signature. A faulty one
// is as good as none and never spoils the signature itself.
func (s *signer) readStamp(sig pkcs7.Signature) {
	defer func() {
		if recover() != nil { // the token parser of relic trusts its input
			s.stamp, s.stampBad = nil, true
		}
	}()
	if err := checkToken(s.info.UnauthenticatedAttributes); err != nil {
		s.stampBad = true
		return
	}
	stamp, err := pkcs9.VerifyPkcs7(sig)
	if err != nil || stamp != nil && stamp.SigningTime.IsZero() {
		s.stampBad = true
		return
	}
	s.stamp = stamp
}

// checkToken bounds the certificates inside of an RFC 3161 token.
func checkToken(attrs pkcs7.AttributeList) error {
	for _, oid := range []asn1.ObjectIdentifier{pkcs9.OidAttributeTimeStampToken, pkcs9.OidSpcTimeStampToken} {
		var token pkcs7.ContentInfoSignedData
		err := attrs.GetOne(oid, &token)
		if errors.As(err, &pkcs7.ErrNoAttribute{}) {
			continue
		}
		if err != nil {
			return err
		}
		if _, _, err := readCerts(token.Content.Certificates); err != nil {
			return err
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
		for rest := a.Values.Bytes; len(rest) > 0 && len(all) < maxSigners; {
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

// stuffed tells whether the part that no signature covers holds more than the
// attributes that belong there.
func (s *signer) stuffed() bool {
	size := 0
	for _, a := range s.info.UnauthenticatedAttributes {
		switch {
		case a.Type.Equal(oidNested), a.Type.Equal(pkcs9.OidAttributeTimeStampToken),
			a.Type.Equal(pkcs9.OidSpcTimeStampToken), a.Type.Equal(pkcs9.OidAttributeCounterSign):
		default:
			size += len(a.Values.Bytes)
		}
	}
	return size > maxStuffing
}
