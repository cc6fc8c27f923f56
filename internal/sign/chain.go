package sign

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"slices"
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
	sig.Serial = serialText(s.leaf.SerialNumber)
	sig.NotBefore = s.leaf.NotBefore.UTC()
	const day = 24 * time.Hour
	sig.LifeDays = int((s.leaf.NotAfter.Sub(s.leaf.NotBefore) + day - 1) / day)
}

// serialText is the form of Signature.Serial: hexadecimal, whole bytes.
func serialText(n *big.Int) string { return hex.EncodeToString(n.Bytes()) }

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

// oidLifetimeSigning is szOID_KP_LIFETIME_SIGNING of wincrypt.h: a signature by
// such a certificate ends with it, whatever a countersignature says. Signing
// services give it to certificates for tests.
var oidLifetimeSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 10, 3, 13}

// judge decides what an intact signature proves, at the time of its
// countersignature if that can be trusted, else at now.
func (s *signer) judge(a anchors, now time.Time, sig *meetguard.Signature) {
	at := s.when(a, now, sig)
	sig.Chain = s.chain(a.code, at)
	switch sig.Chain {
	case ChainOK, ChainExpired, ChainNotYetValid: // an anchor vouches for the issuer
		sig.Service = serviceOf(s.leaf.Issuer.CommonName)
	}
	if sig.Chain == ChainOK && brokenHash(s.hash) {
		sig.Chain = ChainWeak
	}
	sig.Status, sig.Detail = statusOf(sig.Chain)
	switch {
	case sig.Chain == ChainExpired && slices.Contains(sig.Remarks, RemarkStampUntrusted):
		// Old software whose time stamping authority is not pinned: its age
		// is not proven, and nothing is proven against it.
		sig.Status, sig.Chain = meetguard.SignatureUntrusted, ChainUnknownRoot
		sig.Detail = "the certificate has run out and the countersignature ends in no pinned anchor"
	case sig.Chain == ChainUnknownRoot && s.selfSigned():
		sig.Detail = "the certificate is self-signed: its holder vouches for himself"
	}
	if sig.Abused = a.abused.about(s.leaf); sig.Abused != "" {
		sig.Detail = "the certificate is on the list of abused certificates; its chain by itself is " + sig.Chain
		sig.Status, sig.Chain = meetguard.SignatureInvalid, ChainRevoked
	}
}

// when returns the time that counts, and notes what the countersignature is.
func (s *signer) when(a anchors, now time.Time, sig *meetguard.Signature) time.Time {
	switch {
	case s.stampBad:
		remark(sig, RemarkStampInvalid)
	case s.stamp != nil && s.stampTrusted(a):
		sig.SignedAt = s.stamp.SigningTime.UTC()
		if !s.lifetimeSigning() {
			return s.stamp.SigningTime
		}
	case s.stamp != nil:
		remark(sig, RemarkStampUntrusted)
	}
	return now
}

func (s *signer) lifetimeSigning() bool {
	return slices.ContainsFunc(s.leaf.UnknownExtKeyUsage, oidLifetimeSigning.Equal)
}

// selfSigned tells whether the leaf says that it was issued by its holder.
func (s *signer) selfSigned() bool {
	return bytes.Equal(s.leaf.RawSubject, s.leaf.RawIssuer)
}

// services are signing services that issue a certificate of a few days with
// every order, by how the names of their issuing authorities begin. Honest
// developers use them, and so do makers of fake installers, because a name that
// was burnt costs a few coins to replace. Seen on really signed files: "Microsoft
// ID Verified CS EOC CA 04" (deno.exe of @deno/win32-x64 2.9.5) and "… AOC CA
// 04" (copilot.exe of @github/copilot-win32-x64 1.0.102), each for three days.
var services = []struct{ issuer, name string }{
	{"Microsoft ID Verified CS ", "Microsoft Trusted Signing"},
}

func serviceOf(issuer string) string {
	for _, s := range services {
		if strings.HasPrefix(issuer, s.issuer) {
			return s.name
		}
	}
	return ""
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
	case ChainRevoked:
		return meetguard.SignatureInvalid, "the certificate is on the list of abused certificates"
	case ChainWeak:
		return meetguard.SignatureUntrusted, "the chain rests on digests that are no longer safe"
	}
	return meetguard.SignatureUntrusted, "the chain ends in no pinned anchor"
}

// stampTrusted tells whether the countersignature was made by a pinned
// authority that was valid when it made it.
func (s *signer) stampTrusted(a anchors) bool {
	c := s.stamp.Certificate
	if !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageTimeStamping) {
		return false // crypto/x509 takes a certificate without usage as good for all
	}
	_, err := c.Verify(x509.VerifyOptions{
		Roots:         a.stamp,
		Intermediates: pool(s.stamp.Intermediates),
		CurrentTime:   s.stamp.SigningTime,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
	})
	return err == nil
}

// lastSHA1 is the day from which no public authority issued certificates for
// code that rest on SHA-1: most had stopped in 2016, Microsoft was the last. A
// later one is of an authority that somebody made for himself.
var lastSHA1 = time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)

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
	if s.leaf.NotBefore.Before(lastSHA1) && s.restsOnSHA1() {
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

// weakHash tells whether somebody could make two contents with the same digest.
func weakHash(h crypto.Hash) bool { return h == crypto.MD5 || h == crypto.SHA1 }

// brokenHash tells whether somebody could make a second content to a given
// digest with reasonable effort. SHA-1 still withstands that; it only cannot be
// trusted where an attacker chooses what gets signed, which is in issuing
// certificates.
func brokenHash(h crypto.Hash) bool { return h == crypto.MD5 }
