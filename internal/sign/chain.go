package sign

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"strings"
	"time"
	"unicode"

	"meetguard"
)

// describe writes down who the signer says it is. It proves nothing yet.
func (s *signer) describe(sig *meetguard.Signature) {
	sig.CommonName = clean(s.leaf.Subject.CommonName)
	sig.Subject = sig.CommonName
	if o := s.leaf.Subject.Organization; len(o) > 0 {
		sig.Subject = clean(o[0])
	}
	sig.Issuer = clean(s.leaf.Issuer.CommonName)
	sig.Serial = hex.EncodeToString(s.leaf.SerialNumber.Bytes())
	const day = 24 * time.Hour
	sig.LifeDays = int((s.leaf.NotAfter.Sub(s.leaf.NotBefore) + day - 1) / day)
}

// clean makes a name from a certificate fit for a log: no control, format or
// bidi characters, at most 200 characters.
func clean(name string) string {
	runes := []rune(strings.ToValidUTF8(name, "\uFFFD"))
	if len(runes) > 200 {
		runes = append(runes[:200], '…')
	}
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = '\uFFFD'
		}
	}
	return string(runes)
}

// judge decides what an intact signature proves, at the time of its
// countersignature if that can be trusted, else at now.
func (s *signer) judge(a anchors, now time.Time, sig *meetguard.Signature) {
	at := now
	unsureTime := false
	switch {
	case s.stampBad:
		remark(sig, RemarkStampInvalid)
	case s.stamp != nil && s.stampTrusted(a):
		at = s.stamp.SigningTime
		sig.SignedAt = at.UTC()
	case s.stamp != nil:
		unsureTime = true
		remark(sig, RemarkStampUntrusted)
	}
	sig.Chain = s.chain(a.code, at)
	if sig.Chain == ChainOK && weakHash(s.hash) {
		sig.Chain = ChainWeak
	}
	if unsureTime && sig.Chain == ChainExpired {
		// Old software whose time stamping authority is not pinned: its age
		// is not proven, and nothing is proven against it.
		sig.Status, sig.Chain = meetguard.SignatureUntrusted, ChainUnknownRoot
		sig.Detail = "the certificate has run out and the countersignature ends in no pinned anchor"
		return
	}
	sig.Status, sig.Detail = statusOf(sig.Chain)
}

func statusOf(chain string) (meetguard.SignatureStatus, string) {
	switch chain {
	case ChainOK:
		return meetguard.SignatureValid, ""
	case ChainExpired:
		return meetguard.SignatureInvalid, "the certificate had run out at the time that can be proven"
	case ChainNotYetValid:
		return meetguard.SignatureInvalid, "the certificate was not valid yet at the time that can be proven"
	case ChainWrongUsage:
		return meetguard.SignatureInvalid, "the certificate is not one for signing code"
	case ChainWeak:
		return meetguard.SignatureUntrusted, "the chain rests on digests that are no longer safe"
	}
	return meetguard.SignatureUntrusted, "the chain ends in no pinned anchor"
}

// stampTrusted tells whether the countersignature was made by a pinned
// authority that was valid when it made it.
func (s *signer) stampTrusted(a anchors) bool {
	_, err := s.stamp.Certificate.Verify(x509.VerifyOptions{
		Roots:         a.stamp,
		Intermediates: pool(s.stamp.Intermediates),
		CurrentTime:   s.stamp.SigningTime,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
	})
	return err == nil
}

// chain builds the chain to an anchor at the given time.
func (s *signer) chain(roots *x509.CertPool, at time.Time) string {
	err := s.verifyAt(roots, at)
	if isOutOfTime(err) {
		// crypto/x509 looks at dates before it looks for an anchor. Whether
		// the dates are the only fault shows at a time inside of them: a
		// fake that has run out is a fake first.
		for _, inside := range []time.Time{s.leaf.NotBefore.Add(time.Second), s.leaf.NotAfter.Add(-time.Second)} {
			if err = s.verifyAt(roots, inside); err == nil {
				return s.outOfTime(at)
			}
		}
	}
	if err == nil {
		return s.usage()
	}
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage {
		return ChainWrongUsage
	}
	if s.restsOnSHA1() {
		return ChainWeak
	}
	return ChainUnknownRoot
}

func (s *signer) verifyAt(roots *x509.CertPool, at time.Time) error {
	_, err := s.leaf.Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: pool(s.certs),
		CurrentTime:   at,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	})
	return err
}

func isOutOfTime(err error) bool {
	var invalid x509.CertificateInvalidError
	return errors.As(err, &invalid) && invalid.Reason == x509.Expired
}

func (s *signer) outOfTime(at time.Time) string {
	if at.Before(s.leaf.NotBefore) {
		return ChainNotYetValid
	}
	return ChainExpired
}

// usage demands that the leaf itself says it is for code. crypto/x509 takes a
// certificate without any usage as good for all, and the pinned roots issue
// certificates for web servers too.
func (s *signer) usage() string {
	for _, u := range s.leaf.ExtKeyUsage {
		if u == x509.ExtKeyUsageCodeSigning && (s.leaf.KeyUsage == 0 || s.leaf.KeyUsage&x509.KeyUsageDigitalSignature != 0) {
			return ChainOK
		}
	}
	return ChainWrongUsage
}

// restsOnSHA1 follows the issuers inside of the signature and looks for a
// certificate that is signed with an outdated digest. The signature of a root
// on itself says nothing and does not count.
func (s *signer) restsOnSHA1() bool {
	c := s.leaf
	for range maxCerts {
		if c == nil || bytes.Equal(c.RawSubject, c.RawIssuer) {
			return false
		}
		switch c.SignatureAlgorithm {
		case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1, x509.MD5WithRSA, x509.MD2WithRSA:
			return true
		}
		c = s.issuerOf(c)
	}
	return false
}

func (s *signer) issuerOf(c *x509.Certificate) *x509.Certificate {
	for _, i := range s.certs {
		if bytes.Equal(i.RawSubject, c.RawIssuer) {
			return i
		}
	}
	return nil
}

// weakHash tells whether somebody could make a second content to a digest with
// reasonable effort. SHA-1 still withstands that; it only cannot be trusted
// where an attacker chooses what gets signed, which is in issuing certificates.
func weakHash(h crypto.Hash) bool { return h == crypto.MD5 }
