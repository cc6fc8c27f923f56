package sign

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"hash"
	"slices"
	"time"

	"meetguard"
)

// xarDigests are the digests of packages, with the number by which a notary
// ticket knows them. MD5 is known to xar and trusted by nobody.
var xarDigests = map[string]struct {
	hash crypto.Hash
	kind byte
}{
	"sha1":   {crypto.SHA1, 1},
	"sha256": {crypto.SHA256, 2},
	"sha384": {crypto.SHA384, 4},
	"sha512": {crypto.SHA512, 5},
}

// installerUsages are the usages of Apple's certificates for packages. They
// stand in the place of the one for code.
var installerUsages = []asn1.ObjectIdentifier{
	{1, 2, 840, 113635, 100, 4, 13}, // Developer ID Installer
	{1, 2, 840, 113635, 100, 4, 9},  // Mac App Store, installer
	{1, 2, 840, 113635, 100, 4, 1},  // Apple's own software updates
}

// checkPKG judges a flat installer package. The signatures (an RSA one, a CMS
// one, or both by the same signer) are over the digest of the table of
// contents, and the table holds the digest of every member.
//
// What a member holds (a payload with programs of its own) is not looked into.
func (v *Verifier) checkPKG(in input, now time.Time) (meetguard.Signature, error) {
	var sig meetguard.Signature
	t, err := readTOC(in)
	if err != nil {
		return sig, err
	}
	end, err := t.layout(&sig)
	if err != nil {
		return sig, err
	}
	sum, kind, sumErr := t.sum(in)
	if err := checkTrailer(in, t.heap+end, nameOf(kind, sum), &sig); err != nil {
		return sig, err
	}
	if t.rsa == nil && t.cms == nil {
		return sig, errUnsigned
	}
	if sum == nil {
		return sig, sumErr
	}
	s, err := t.signer(in, sum, &sig)
	if s != nil {
		s.describe(&sig)
		sig.NotBefore = s.leaf.NotBefore.UTC()
	}
	err = cmp.Or(sumErr, err)
	if err == nil {
		err = t.checkMembers(in)
	}
	if err != nil {
		return settleEarly(sig, err)
	}
	s.judge(v.apple, now, &sig)
	v.judgeApple(s, v.teamOf(s), true, &sig)
	return sig, nil
}

// teamOf is the team that Apple's root vouches for. A package names none in
// another place, so there is nothing that could differ.
func (v *Verifier) teamOf(s *signer) string {
	if ou := s.leaf.Subject.OrganizationalUnit; len(ou) == 1 && v.appleChain(s) != nil {
		return ou[0]
	}
	return ""
}

// layout tells where the heap ends, and of bytes in it that belong to nothing.
// Members may share their bytes, as xar does with equal files; any other
// overlap would cost the time of many files.
func (t *toc) layout(sig *meetguard.Signature) (end int64, err error) {
	all := t.regions()
	slices.SortFunc(all, func(a, b region) int { return cmp.Or(cmp.Compare(a.off, b.off), cmp.Compare(a.size, b.size)) })
	var last region
	for _, r := range all {
		switch {
		case r.off > end:
			remark(sig, RemarkHiddenBytes)
		case r.off == last.off && r.size == last.size:
		case r.off < end:
			return 0, malformed("the members of the package overlap")
		}
		last, end = r, r.off+r.size
	}
	return end, nil
}

// sum computes the digest of the table and compares it with the one that the
// heap begins with. The error is for signed packages: an unsigned one may be
// damaged without betraying anybody.
func (t *toc) sum(in input) (sum []byte, kind byte, err error) {
	if t.checksum == nil {
		return nil, 0, malformed("the table of contents has no digest")
	}
	d, ok := xarDigests[t.checksum.style]
	if !ok {
		return nil, 0, limit("the package uses an unknown digest")
	}
	h := d.hash.New()
	h.Write(t.packed)
	sum = h.Sum(nil)
	if t.checksum.size != int64(len(sum)) {
		return sum, d.kind, malformed("the digest of the table of contents has an impossible size")
	}
	stored, err := in.bytes(t.heap+t.checksum.off, t.checksum.size)
	if err == nil && !bytes.Equal(stored, sum) {
		err = badDigest("the table of contents is another one than was packed")
	}
	return sum, d.kind, err
}

// signer checks the signatures over the digest of the table. Two signatures
// have to be by one signer.
func (t *toc) signer(in input, sum []byte, sig *meetguard.Signature) (*signer, error) {
	var s, classic *signer
	var err error
	if t.cms != nil {
		if s, err = t.openCMS(in, sum, sig); err != nil {
			return s, err
		}
	}
	if t.rsa != nil {
		if classic, err = t.openRSA(in, sum); err != nil {
			return cmp.Or(s, classic), err
		}
	}
	if s != nil && classic != nil && !s.leaf.Equal(classic.leaf) {
		return s, malformed("the two signatures of the package are by different signers")
	}
	s = cmp.Or(s, classic)
	s.markApple()
	s.markInstaller()
	return s, nil
}

// signatureBytes reads the signature out of the heap.
func (t *toc) signatureBytes(in input, s *tocSignature) ([]byte, error) {
	if s.size > csMaxCMS {
		return nil, limit("the signature of the package is larger than 1 MiB")
	}
	return in.bytes(t.heap+s.off, s.size)
}

// openCMS checks the CMS signature, which stands in a region with padding.
func (t *toc) openCMS(in input, sum []byte, sig *meetguard.Signature) (*signer, error) {
	if t.cms.style != "cms" {
		return nil, limit("the package has a signature of an unknown kind")
	}
	raw, err := t.signatureBytes(in, t.cms)
	if err != nil {
		return nil, err
	}
	budget := maxElements
	der, rest, err := definite(raw, 0, &budget)
	if err != nil {
		return nil, err
	}
	if !onlyZeros(rest) {
		remark(sig, RemarkHiddenBytes)
	}
	return openCMS(der, sum)
}

// openRSA checks the plain signature. It has no time stamp. Old packages sign
// the digest of the digest.
func (t *toc) openRSA(in input, sum []byte) (*signer, error) {
	if t.rsa.style != "rsa" {
		return nil, limit("the package has a signature of an unknown kind")
	}
	s := &signer{hash: xarDigests[t.checksum.style].hash}
	for _, der := range t.rsa.certs {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, limit("a certificate of the signature could not be parsed")
		}
		if !sensibleKey(c) {
			return nil, limit("a certificate of the package has an unsupported key")
		}
		s.certs = append(s.certs, c)
	}
	if len(s.certs) == 0 {
		return nil, malformed("the certificate of the signer is missing")
	}
	s.leaf = s.certs[0]
	raw, err := t.signatureBytes(in, t.rsa)
	if err != nil {
		return s, err
	}
	key, ok := s.leaf.PublicKey.(*rsa.PublicKey)
	if !ok {
		return s, malformed("the signature is not of the kind of its key")
	}
	h := s.hash.New()
	h.Write(sum)
	if rsa.VerifyPKCS1v15(key, s.hash, sum, raw) != nil && rsa.VerifyPKCS1v15(key, s.hash, h.Sum(nil), raw) != nil {
		return s, badDigest("the signature does not fit what it signs")
	}
	return s, nil
}

// markInstaller tells crypto/x509 that Apple's usage for packages is as good
// here as the one for code; kindOf looks at the difference.
func (s *signer) markInstaller() {
	for _, oid := range s.leaf.UnknownExtKeyUsage {
		if slices.ContainsFunc(installerUsages, oid.Equal) {
			s.leaf.ExtKeyUsage = append(s.leaf.ExtKeyUsage, x509.ExtKeyUsageCodeSigning)
			return
		}
	}
}

// checkMembers compares every member with its digest, in one pass over the
// heap.
func (t *toc) checkMembers(in input) error {
	members := slices.DeleteFunc(slices.Clone(t.members), func(m member) bool { return m.size == 0 })
	slices.SortFunc(members, func(a, b member) int { return cmp.Compare(a.off, b.off) })
	buf := make([]byte, copyBuffer)
	for len(members) > 0 {
		n := 1
		for n < len(members) && members[n].off == members[0].off {
			n++
		}
		if err := t.checkShared(in, members[:n], buf); err != nil {
			return err
		}
		members = members[n:]
	}
	return nil
}

// checkShared compares members that stand at the same place.
func (t *toc) checkShared(in input, same []member, buf []byte) error {
	sums := map[string]hash.Hash{}
	for _, m := range same {
		d, ok := xarDigests[m.style]
		switch {
		case m.digest == nil:
			return malformed("no digest covers a member of the package")
		case !ok:
			return limit("the package uses an unknown digest")
		case sums[m.style] == nil:
			sums[m.style] = d.hash.New()
		}
	}
	r := in.section(t.heap+same[0].off, t.heap+same[0].off+same[0].size)
	for left := same[0].size; left > 0; {
		chunk := buf[:min(left, int64(len(buf)))]
		if err := readFull(r, chunk); err != nil {
			return err
		}
		left -= int64(len(chunk))
		for _, h := range sums {
			h.Write(chunk)
		}
	}
	for _, m := range same {
		if !bytes.Equal(sums[m.style].Sum(nil), m.digest) {
			return badDigest("a member of the package is another one than was signed")
		}
	}
	return nil
}

// The records behind a package, from notarization.cpp of Apple's Security
// project. Each stands behind its data, so that they are read from the end of
// the file. Numbers are little-endian: magic, version and type of 16 bits each,
// length of the data, four reserved bytes.
const (
	trailerMagic      = "t8lr"
	trailerSize       = 16
	trailerVersion    = 1
	trailerTerminator = 1 // the first one, without data
	trailerTicket     = 2
	maxTrailers       = 16
)

// checkTrailer looks at what stands behind the heap, which ends at end: nothing,
// or a terminator and a ticket. A package that was stapled again has both
// twice, and only the last ticket counts. Anything else is data that somebody
// put there.
func checkTrailer(in input, end int64, name digestName, sig *meetguard.Signature) error {
	at, ticket, err := readTrailers(in, end)
	if err != nil {
		return err
	}
	if ticket != nil {
		judgeTicket(ticket, []digestName{name}, sig)
	}
	foreign := slices.Contains(sig.Remarks, RemarkTicketForeign)
	if at != end || sig.Ticket == TicketMalformed && !foreign {
		remark(sig, RemarkTrailing)
		sig.Ticket = TicketMalformed
	}
	return nil
}

// readTrailers walks the records backwards. It returns the last ticket, and
// where the records begin: at end, if nothing is between them and the heap.
func readTrailers(in input, end int64) (at int64, ticket []byte, err error) {
	at = in.size
	for range maxTrailers {
		if at-end < trailerSize {
			return at, ticket, nil
		}
		r, err := in.bytes(at-trailerSize, trailerSize)
		if err != nil {
			return at, nil, err
		}
		kind, size := binary.LittleEndian.Uint16(r[6:]), int64(binary.LittleEndian.Uint32(r[8:]))
		known := kind == trailerTerminator && size == 0 || kind == trailerTicket && size <= maxTicket
		if string(r[:4]) != trailerMagic || binary.LittleEndian.Uint16(r[4:]) != trailerVersion ||
			!known || size > at-trailerSize-end {
			return at, ticket, nil
		}
		at -= trailerSize + size
		if kind == trailerTicket && ticket == nil {
			if ticket, err = in.bytes(at, size); err != nil {
				return at, nil, err
			}
		}
		if kind == trailerTerminator && at == end {
			return at, ticket, nil
		}
	}
	return at, ticket, nil
}
