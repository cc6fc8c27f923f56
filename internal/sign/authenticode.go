package sign

import (
	"crypto"
	"crypto/hmac"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"hash"
	"io"
	"time"

	"github.com/sassoftware/relic/v8/lib/x509tools"

	"meetguard"
)

// maxSigners bounds the signatures of one file that are looked at. Dual
// signing makes two; Secure Boot loaders have been seen with two as well.
const maxSigners = 8

// oidIndirect is SPC_INDIRECT_DATA_OBJID: the content of an Authenticode
// signature is the digest of the file ("Windows Authenticode Portable
// Executable Signature Format", 2008).
var oidIndirect = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 4}

// indirect is SpcIndirectDataContent, which PE, MSI and CAB share in the part
// that matters. Page hashes in Data repeat the digest in small steps for the
// loader and are not read.
type indirect struct {
	Data          asn1.RawValue
	MessageDigest struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
}

// embedded is one Authenticode signature and the digest that it is of.
type embedded struct {
	signer *signer
	hash   crypto.Hash
	digest []byte
	hidden bool // bytes behind the structure or in unknown attributes
	err    error
}

// digester feeds the signed part of a file into writers, in one pass.
type digester func(into io.Writer) error

// authenticodeOf judges the signatures of a file, the first of blobs first. The
// signature that is reported is the first valid one (the second of a dual
// signature proves as much as the first), else the first.
func (v *Verifier) authenticodeOf(blobs [][]byte, digestOf digester, now time.Time) (meetguard.Signature, error) {
	list := unfold(blobs)
	digests, err := digestsOf(list, digestOf)
	if err != nil {
		return meetguard.Signature{}, err
	}
	sigs, errs := make([]meetguard.Signature, len(list)), make([]error, len(list))
	best := 0
	for i, e := range list {
		sigs[i], errs[i] = v.judgeEmbedded(e, digests, now)
		if errs[i] == nil && sigs[i].Status == meetguard.SignatureValid && sigs[best].Status != meetguard.SignatureValid {
			best = i
		}
	}
	sig := sigs[best]
	for i := range sigs {
		if i != best && sigs[i].Subject != "" {
			sig.OtherSigners = append(sig.OtherSigners, sigs[i].Subject)
		}
	}
	for _, e := range list {
		if e.hidden {
			remark(&sig, RemarkHiddenBytes)
		}
	}
	return sig, errs[best]
}

// unfold opens every blob and the signatures nested in it.
func unfold(blobs [][]byte) []embedded {
	var list []embedded
	for len(blobs) > 0 && len(list) < maxSigners {
		e := openEmbedded(blobs[0])
		blobs = blobs[1:]
		if e.signer != nil {
			blobs = append(blobs, e.signer.nested()...)
		}
		list = append(list, e)
	}
	return list
}

func openEmbedded(blob []byte) embedded {
	der, rest, err := splitDER(blob)
	if err != nil {
		return embedded{err: err}
	}
	e := embedded{hidden: !onlyZeros(rest)}
	e.signer, e.err = openCMS(der, nil)
	if e.signer == nil || e.err != nil {
		return e
	}
	e.hidden = e.hidden || e.signer.stuffed()
	e.err = e.readDigest()
	return e
}

func (e *embedded) readDigest() error {
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
	return nil
}

// digestsOf reads the file once for all digests that its signatures name.
func digestsOf(list []embedded, digestOf digester) (map[crypto.Hash][]byte, error) {
	hashes := map[crypto.Hash]hash.Hash{}
	var into []io.Writer
	for _, e := range list {
		if e.err == nil && hashes[e.hash] == nil {
			h := e.hash.New()
			hashes[e.hash] = h
			into = append(into, h)
		}
	}
	if len(into) == 0 {
		return nil, nil
	}
	if err := digestOf(io.MultiWriter(into...)); err != nil {
		return nil, err
	}
	sums := map[crypto.Hash][]byte{}
	for h, d := range hashes {
		sums[h] = d.Sum(nil)
	}
	return sums, nil
}

func (v *Verifier) judgeEmbedded(e embedded, digests map[crypto.Hash][]byte, now time.Time) (meetguard.Signature, error) {
	var sig meetguard.Signature
	if e.signer != nil {
		e.signer.describe(&sig)
	}
	if e.err != nil {
		return settleEarly(sig, e.err)
	}
	if !hmac.Equal(digests[e.hash], e.digest) {
		return sig, badDigest("the signature is of other bytes than these")
	}
	e.signer.judge(v.authenticode, now, &sig)
	if sig.Chain == ChainOK && weakHash(e.hash) {
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
