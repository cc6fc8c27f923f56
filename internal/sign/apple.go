package sign

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/sassoftware/relic/v8/lib/pkcs7"
	"github.com/sassoftware/relic/v8/lib/x509tools"

	"meetguard"
)

// Extensions of Apple's leaf certificates whose holder Apple has looked at
// ("Apple WWDR Certification Practice Statement" and "Developer ID CPS").
// Certificates for development are missing on purpose: a free account gets
// one, with a name of its own choice.
var appleVerified = []asn1.ObjectIdentifier{
	{1, 2, 840, 113635, 100, 6, 1, 7},  // submission to the Mac App Store
	{1, 2, 840, 113635, 100, 6, 1, 9},  // Mac App Store
	{1, 2, 840, 113635, 100, 6, 1, 13}, // Developer ID, programs
	{1, 2, 840, 113635, 100, 6, 1, 18}, // Developer ID, kernel extensions
	{1, 2, 840, 113635, 100, 6, 22},    // Apple itself
}

// oidApple is the arc of Apple's extensions of certificates.
var oidApple = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6}

// Signed attributes that list the code directories: with the digest in full,
// and as a property list with digests cut to 20 bytes.
var (
	oidDirectories    = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 9, 2}
	oidDirectoryPlist = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 9, 1}
)

// checkCode judges an embedded code signature that stands at offset at.
func (v *Verifier) checkCode(in input, at int64, blob []byte, now time.Time) (meetguard.Signature, error) {
	var sig meetguard.Signature
	c, err := parseCode(blob)
	if err != nil {
		return sig, err
	}
	main := c.dirs[0]
	sig.SigningID = main.ident
	if main.limit < at {
		remark(&sig, RemarkHiddenBytes)
	}
	if len(c.cms) == 0 {
		return c.checkAdhoc(in, sig)
	}
	s, err := c.openCMS()
	if s != nil {
		s.describe(&sig)
	}
	if err == nil {
		err = c.checkCovered(s)
	}
	if err == nil {
		err = c.checkContent(in)
	}
	if err != nil {
		return settleEarly(sig, err)
	}
	s.judge(v.apple, now, &sig)
	v.judgeApple(s, main, &sig)
	return sig, nil
}

// checkAdhoc judges digests without a signer.
func (c *codeBlobs) checkAdhoc(in input, sig meetguard.Signature) (meetguard.Signature, error) {
	if c.dirs[0].flags&csFlagAdhoc == 0 {
		return sig, malformed("the signature of the code directory is missing")
	}
	if err := c.checkContent(in); err != nil {
		return sig, err
	}
	sig.Status = meetguard.SignatureAdhoc
	return sig, nil
}

// openCMS checks the CMS signature over the primary directory.
func (c *codeBlobs) openCMS() (*signer, error) {
	if len(c.cms) > csMaxCMS {
		return nil, limit("the CMS signature is larger than 1 MiB")
	}
	der, err := berToDER(c.cms)
	if err != nil {
		return nil, err
	}
	s, err := openCMS(der, c.dirs[0].raw)
	if err != nil {
		return s, err
	}
	s.markApple()
	return s, nil
}

// markApple tells crypto/x509 that Apple's critical extensions are known; the
// ones that matter are looked at in judgeApple.
func (s *signer) markApple() {
	certs := s.certs
	if s.stamp != nil {
		certs = append(certs[:len(certs):len(certs)], s.stamp.Intermediates...)
	}
	for _, c := range certs {
		c.UnhandledCriticalExtensions = slices.DeleteFunc(c.UnhandledCriticalExtensions, func(oid asn1.ObjectIdentifier) bool {
			return len(oid) > len(oidApple) && oid[:len(oidApple)].Equal(oidApple)
		})
	}
}

// checkCovered demands that the signature names every directory. Otherwise a
// stranger could add one with his own pages and a stronger digest, which a
// system prefers.
func (c *codeBlobs) checkCovered(s *signer) error {
	named, plist, err := directoriesIn(s)
	if err != nil {
		return err
	}
	for i, d := range c.dirs {
		full := d.cdHash()
		covered := bytes.Contains(plist, []byte(base64.StdEncoding.EncodeToString(full[:20])))
		mismatch := false
		for _, n := range named {
			algorithm := pkix.AlgorithmIdentifier{Algorithm: n.Algorithm}
			if h, ok := x509tools.PkixDigestToHash(algorithm); ok && h == d.hash {
				covered = covered || bytes.Equal(n.Digest, full)
				mismatch = mismatch || !bytes.Equal(n.Digest, full)
			}
		}
		if mismatch || i > 0 && !covered {
			return badDigest("the signature does not cover a code directory")
		}
	}
	return nil
}

// namedDirectory is one entry of the signed attribute that lists directories.
type namedDirectory struct {
	Algorithm asn1.ObjectIdentifier
	Digest    []byte
}

// directoriesIn reads the two signed attributes that list directories: the
// present one, and a property list with digests cut to 20 bytes in base64.
func directoriesIn(s *signer) (named []namedDirectory, plist []byte, err error) {
	attrs := s.info.AuthenticatedAttributes
	err = attrs.GetAll(oidDirectories, &named)
	if err != nil && !errors.As(err, &pkcs7.ErrNoAttribute{}) {
		return nil, nil, malformed("the signed list of code directories cannot be read")
	}
	err = attrs.GetOne(oidDirectoryPlist, &plist)
	if err != nil && !errors.As(err, &pkcs7.ErrNoAttribute{}) {
		return nil, nil, malformed("the signed list of code directories cannot be read")
	}
	return named, plist, nil
}

// checkContent compares pages and side blobs with every directory. Directories
// repeat the same pages with other digests; the strongest is enough for pages,
// because all of them are the signer's.
func (c *codeBlobs) checkContent(in input) error {
	best := c.dirs[0]
	for _, d := range c.dirs {
		if err := d.checkSpecials(c.bySlot); err != nil {
			return err
		}
		if d.hash.Size() > best.hash.Size() {
			best = d
		}
	}
	return best.checkPages(in)
}

// judgeApple adds what only Apple's root can prove: the team, and that the
// certificate is of a kind whose holder is known.
func (v *Verifier) judgeApple(s *signer, main *directory, sig *meetguard.Signature) {
	if sig.Status != meetguard.SignatureValid || !v.endsAtApple(s) {
		return
	}
	if !verifiedKind(s.leaf) {
		sig.Status, sig.Chain = meetguard.SignatureUntrusted, ChainWrongUsage
		sig.Detail = "the certificate is one of Apple's that prove no publisher"
		return
	}
	if ou := s.leaf.Subject.OrganizationalUnit; len(ou) == 1 && main.team != "" && ou[0] == main.team {
		sig.TeamID = main.team
	}
}

// endsAtApple tells whether the valid chain of s ends in Apple's root and not
// in an anchor of the operator.
func (v *Verifier) endsAtApple(s *signer) bool {
	chains, err := s.leaf.Verify(x509.VerifyOptions{
		Roots:         v.apple.code,
		Intermediates: pool(s.certs),
		CurrentTime:   s.leaf.NotBefore.Add(time.Second),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	})
	if err != nil {
		return false
	}
	for _, chain := range chains {
		if v.appleRoots[string(chain[len(chain)-1].Raw)] {
			return true
		}
	}
	return false
}

func verifiedKind(leaf *x509.Certificate) bool {
	for _, e := range leaf.Extensions {
		for _, oid := range appleVerified {
			if e.Id.Equal(oid) {
				return true
			}
		}
	}
	return false
}

// readFull is io.ReadFull with the error of a file that shrank under our hands.
func readFull(r io.Reader, buf []byte) error {
	_, err := io.ReadFull(r, buf)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
