package sign

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"hash"
	"io"
	"slices"
	"time"

	"github.com/sassoftware/relic/v8/lib/x509tools"

	"meetguard"
)

// Bounds of the signatures of one file that are looked at. Dual signing makes
// two, one inside of the other; Secure Boot loaders have been seen with two
// side by side.
const (
	maxSigners = 8
	maxNesting = 4
)

// What a signature says it is the digest of (SpcAttributeTypeAndOptionalValue;
// SPC_PE_IMAGE_DATA_OBJID, SPC_CAB_DATA_OBJID and SPC_SIPINFO_OBJID in
// wintrust.h). oidIndirect is SPC_INDIRECT_DATA_OBJID, the content around it
// ("Windows Authenticode Portable Executable Signature Format", 2008).
var (
	oidIndirect = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 4}
	oidPEImage  = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 15}
	oidCabinet  = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 25}
	oidSipInfo  = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 30}

	// oidIndividual says who a certificate is for and not what a signature is
	// of (SPC_INDIVIDUAL_SP_KEY_PURPOSE_OBJID). A signer of Linux boot loaders
	// writes it by mistake: Debian's fwupd-amd64-signed 1.4+1 has it.
	oidIndividual = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 21}
)

// form is the kind of file that a signature has to be of. Without it, the
// bytes of a signed program cut into the streams of an MSI would make a signed
// MSI: the digests of the formats cover hardly more than the bytes in a row.
type form struct {
	kind  asn1.ObjectIdentifier
	sip   []byte     // identifier of the reader, for kind oidSipInfo
	pages *pageTable // how page digests are made; nil if they are not read
}

// indirect is SpcIndirectDataContent, which all formats share.
type indirect struct {
	Data struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue `asn1:"optional"`
	}
	MessageDigest struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
}

// sipInfo is SpcSipInfo: a version, the identifier of the reader, and five
// reserved numbers.
type sipInfo struct {
	Version       int
	Reader        []byte
	B, C, D, E, F int
}

// embedded is one Authenticode signature and the digest that it is of.
type embedded struct {
	signer *signer
	hash   crypto.Hash
	digest []byte
	pages  *pageDigests // page digests, if it has some
	err    error
}

// found is every signature of a file, and what was odd on the way to them.
type found struct {
	list    []embedded
	remarks []string
}

// digester feeds the signed part of a file into writers, in one pass.
type digester func(into io.Writer) error

// authenticodeOf judges the signatures of a file, the first of blobs first. With
// forms, a signature has to say that it is of one of them.
//
// The signature that is reported is the one that proves most, of equals the
// first: one inside of another proves as much as the outer one, if it is of
// the same bytes. The signers of the others go to OtherSigners, whether their
// signatures fit or not; that some do not is a remark.
func (v *Verifier) authenticodeOf(blobs [][]byte, digestOf digester, now time.Time, forms ...form) (meetguard.Signature, error) {
	f := unfold(blobs, forms)
	if len(f.list) == 0 {
		return meetguard.Signature{}, errUnsigned
	}
	sums, err := f.sums(digestOf)
	var wrong *fault
	if errors.As(err, &wrong) {
		f.fail(err)
	} else if err != nil {
		return meetguard.Signature{}, err
	}
	return v.best(f, sums, now)
}

// best judges every signature and reports the one that proves most.
func (v *Verifier) best(f *found, sums digests, now time.Time) (meetguard.Signature, error) {
	sigs, errs := make([]meetguard.Signature, len(f.list)), make([]error, len(f.list))
	best := 0
	for i, e := range f.list {
		sigs[i], errs[i] = v.judgeEmbedded(e, sums, now)
		if rank(sigs[i], errs[i]) > rank(sigs[best], errs[best]) {
			best = i
		}
	}
	sig := sigs[best]
	for i := range sigs {
		if i != best {
			addOther(&sig, sigs[i], errs[i])
		}
	}
	for _, r := range f.remarks {
		remark(&sig, r)
	}
	return sig, errs[best]
}

// rank orders signatures by what they prove. Digests of SHA-1 lose against
// others, so that of a dual signature the newer half is reported.
func rank(sig meetguard.Signature, err error) int {
	switch {
	case err != nil:
		return 0
	case sig.Status != meetguard.SignatureValid:
		return 1
	case slices.Contains(sig.Remarks, RemarkSHA1):
		return 2
	}
	return 3
}

// addOther notes a further signature beside the one that is reported. That its
// certificate is on the list of abused ones must not get lost.
func addOther(sig *meetguard.Signature, other meetguard.Signature, err error) {
	var f *fault
	if errors.As(err, &f) {
		remark(sig, RemarkOtherInvalid)
	}
	if other.Subject != "" && !slices.Contains(sig.OtherSigners, other.Subject) {
		sig.OtherSigners = append(sig.OtherSigners, other.Subject)
	}
	if other.Abused != "" && sig.Abused == "" {
		sig.Abused = "further signature of " + other.Subject + ": " + other.Abused
	}
}

// unfold opens every blob, and the signatures nested in it level by level.
func unfold(blobs [][]byte, forms []form) *found {
	f := &found{}
	for depth := 0; len(blobs) > 0; depth++ {
		var inner [][]byte
		for _, blob := range blobs {
			if len(f.list) >= maxSigners || depth > maxNesting {
				f.remark(RemarkOtherInvalid)
				break
			}
			inner = append(inner, f.open(blob, forms)...)
		}
		if depth > maxNesting {
			break
		}
		blobs = inner
	}
	return f
}

// fail gives every signature a fault of the file, which names its signers still.
func (f *found) fail(err error) {
	for i := range f.list {
		if f.list[i].err == nil {
			f.list[i].err = err
		}
	}
}

func (f *found) remark(name string) { f.remarks = append(f.remarks, name) }

// open adds the signatures of one structure and returns those nested in them.
func (f *found) open(blob []byte, forms []form) (inner [][]byte) {
	der, rest, err := splitDER(blob)
	if err != nil {
		f.list = append(f.list, embedded{err: err})
		return nil
	}
	if !onlyZeros(rest) {
		f.remark(RemarkHiddenBytes)
	}
	signers, err := openSigners(der, nil)
	if err != nil {
		f.list = append(f.list, embedded{err: err})
		return nil
	}
	if len(signers) > 1 {
		f.remark(RemarkMultiSigner)
	}
	for _, o := range signers {
		e := embedded{signer: o.signer, err: o.err}
		if e.signer != nil {
			inner = append(inner, e.signer.nested()...)
			if e.signer.stuffed() {
				f.remark(RemarkUnauthBlob)
			}
		}
		if e.err == nil {
			e.err = e.readDigest(forms)
		}
		f.list = append(f.list, e)
	}
	return inner
}

// openEmbedded opens the signature of a format that holds one, with what was odd
// about it.
func openEmbedded(blob []byte) (embedded, []string) {
	var f found
	f.open(blob, nil)
	return f.list[0], f.remarks
}

// same are the digests of content that was compared with the signature already.
func (e *embedded) same() digests {
	return digests{whole: map[crypto.Hash][]byte{e.hash: e.digest}}
}

func (e *embedded) readDigest(forms []form) error {
	if !e.signer.content.ContentType.Equal(oidIndirect) {
		return malformed("the signature is not one of a file")
	}
	var ind indirect
	if err := e.signer.content.Unmarshal(&ind); err != nil {
		return malformed("the signature holds no digest of the file")
	}
	h, err := x509tools.PkixDigestToHashE(ind.MessageDigest.Algorithm)
	if err != nil {
		return limit("the signature uses an unknown digest")
	}
	e.hash, e.digest = h, ind.MessageDigest.Digest
	for _, f := range forms {
		if !f.fits(ind) {
			continue
		}
		if f.pages != nil {
			e.pages, err = readPageDigests(ind.Data.Value.FullBytes, f.pages)
		}
		return err
	}
	if len(forms) > 0 {
		return badDigest("the signature is of another kind of file")
	}
	return nil
}

// fits tells whether a signature is of this kind of file.
func (f form) fits(ind indirect) bool {
	if !ind.Data.Type.Equal(f.kind) || f.sip == nil {
		return ind.Data.Type.Equal(f.kind)
	}
	var info sipInfo
	_, err := asn1.Unmarshal(ind.Data.Value.FullBytes, &info)
	return err == nil && bytes.Equal(info.Reader, f.sip)
}

// digests are those of a file: of all of it, and of its table of page digests.
type digests struct {
	whole map[crypto.Hash][]byte
	pages map[crypto.Hash][]byte
}

// sums reads the file once for all digests that its signatures name.
func (f *found) sums(digestOf digester) (digests, error) {
	hashes, pages := map[crypto.Hash]hash.Hash{}, map[crypto.Hash]*pageWriter{}
	var into []io.Writer
	for _, e := range f.list {
		if e.err != nil {
			continue
		}
		if hashes[e.hash] == nil {
			hashes[e.hash] = e.hash.New()
			into = append(into, hashes[e.hash])
		}
		if p := e.pages; p != nil && pages[p.hash] == nil {
			pages[p.hash] = newPageWriter(p.hash, p.layout)
			into = append(into, pages[p.hash])
		}
	}
	s := digests{map[crypto.Hash][]byte{}, map[crypto.Hash][]byte{}}
	if len(into) == 0 {
		return s, nil
	}
	if err := digestOf(io.MultiWriter(into...)); err != nil {
		return s, err
	}
	for h, d := range hashes {
		s.whole[h] = d.Sum(nil)
	}
	for h, p := range pages {
		s.pages[h] = p.sum()
	}
	return s, nil
}

func (v *Verifier) judgeEmbedded(e embedded, s digests, now time.Time) (meetguard.Signature, error) {
	var sig meetguard.Signature
	if e.signer != nil {
		e.signer.describe(&sig)
		sig.Abused = v.authenticode.abused.about(e.signer.leaf)
	}
	if e.err != nil {
		return settleEarly(sig, e.err)
	}
	if weakHash(e.hash) || weakHash(e.signer.hash) {
		remark(&sig, RemarkSHA1)
	}
	if !hmac.Equal(s.whole[e.hash], e.digest) {
		return sig, badDigest("the signature is of other bytes than these")
	}
	if e.pages != nil && !hmac.Equal(s.pages[e.pages.hash], e.pages.sum) {
		return sig, badDigest("the page digests of the signature are of other bytes than these")
	}
	e.signer.judge(v.authenticode, now, &sig)
	if sig.Chain == ChainOK && brokenHash(e.hash) {
		sig.Chain = ChainWeak
		sig.Status, sig.Detail = statusOf(ChainWeak)
	}
	return sig, nil
}

// settleEarly keeps the name only where the fault is one of the file: a limit
// of ours leaves nothing that could be relied on.
func settleEarly(sig meetguard.Signature, err error) (meetguard.Signature, error) {
	var l limit
	if errors.As(err, &l) {
		return meetguard.Signature{}, err
	}
	return sig, err
}

// copyBuffer is the step in which files are read for their digest.
const copyBuffer = 128 << 10 // bytes

// copyAll hashes sections of a file one after the other. The plain Writer
// keeps io.Copy from choosing a step of its own.
func copyAll(into io.Writer, parts ...*io.SectionReader) error {
	buf := make([]byte, copyBuffer)
	for _, p := range parts {
		n, err := io.CopyBuffer(struct{ io.Writer }{into}, struct{ io.Reader }{p}, buf)
		if err != nil {
			return err
		}
		if n != p.Size() {
			return io.ErrUnexpectedEOF
		}
	}
	return nil
}
